package config

import (
	"bufio"
	"bytes"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
)

// statsLine is how many bytes of a line of a stats file are read at once: what is longer
// counts as another line.
const statsLine = 2047

// statsReader reads a stats file: sections of counters of former processes, each with a
// header that names its columns. Management guide, section 9.6.
type statsReader struct {
	l       *Loader
	columns []string // of the section
	side    runtime.Cap
	known   bool // in a section
	valid   bool // there was a header
}

// loadCounters reads what the counters of a former process were. Section 3.1 "stats-file".
func (l *Loader) loadCounters() {
	path := l.Config.Global.StatsFile
	if path == "" {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		l.List.Warnf(ast.Pos{}, "config: Can't load stats-file '%s': cannot open file.", path)
		return
	}
	defer f.Close()
	r := &statsReader{l: l}
	in := bufio.NewReaderSize(f, statsLine)
	for n := 1; ; n++ {
		raw, err := in.ReadSlice('\n')
		if len(raw) == 0 {
			return
		}
		raw, _, _ = bytes.Cut(raw, []byte{0})
		line := strings.TrimRight(string(raw), "\r\n")
		switch {
		case line == "" || strings.HasPrefix(line, "//"):
		case line[0] == '#':
			if r.header(line) {
				r.valid = true
			} else if r.valid {
				l.List.Warnf(ast.Pos{}, "config: Ignored stats-file header line '%d' in file '%s'.", n, path)
			}
		case r.known && !r.row(line):
			l.List.Warnf(ast.Pos{}, "config: Ignored stats-file line %d in file '%s'.", n, path)
		}
		if line != "" && !strings.HasPrefix(line, "//") && !r.valid {
			l.List.Warnf(ast.Pos{}, "config: Invalid stats-file format in file '%s'.", path)
			return
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

// header begins a section; false: it is malformed. One of an unknown name changes nothing.
func (r *statsReader) header(line string) bool {
	name, columns, _ := strings.Cut(line, " ")
	first, rest, _ := strings.Cut(columns, ",")
	front, back := name == "#fe", name == "#be"
	if columns == "" || name == "#" || !strings.HasSuffix(line, ",") || (front || back) && first != "guid" {
		r.known = false
		return false
	}
	switch {
	case front:
		r.side = runtime.CapFront
	case back:
		r.side = runtime.CapBack
	default:
		return true
	}
	r.known, r.columns = true, strings.Split(rest, ",")
	return true
}

// row reads the counters of one object; false: the line is malformed. An object that is no
// more is skipped.
func (r *statsReader) row(line string) bool {
	guid, rest, _ := strings.Cut(line, ",")
	if checkGUID(guid) != nil {
		return false
	}
	kept := runtime.KeptCounters{Front: r.side == runtime.CapFront, Columns: r.columns, Values: strings.Split(rest, ",")}
	switch o := r.l.guids[guid].(type) {
	case *runtime.Proxy:
		if o.Caps&r.side == 0 {
			return true
		}
		kept.Proxy = o
	case *runtime.Listener:
		if !kept.Front {
			return false
		}
		kept.Proxy, kept.Listener = o.Proxy, o
	case *runtime.Server:
		if kept.Front {
			return false
		}
		kept.Proxy, kept.Server = o.Proxy, o
	default:
		return true
	}
	r.l.Config.Kept = append(r.l.Config.Kept, kept)
	return true
}
