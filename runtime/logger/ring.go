package logger

import (
	"errors"
	"fmt"
	"os"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Rings hold messages in memory, for the runtime API and to be sent to servers over
// TCP. They are read and checked; nothing is kept in them.

func ringSection() config.Section {
	return config.Section{
		Doc:  keyword.Doc{Name: "ring", Ref: "3.9", Summary: "a buffer of messages", Status: keyword.Missing},
		Kind: config.Ring, Dormant: true, Start: startRing, End: endRing,
		Unknown: func(l *config.Loader, line *ast.Line) { l.Alert(line.Pos, "unknown statement '%s'.", line.Arg(0)) },
	}
}

func ringKeywords() []config.Keyword {
	row := func(name, summary string, args []keyword.Arg, parse func(l *config.Loader, line *ast.Line, r *ring) error) config.Keyword {
		return config.MissingRow(config.Ring, name, "3.9", summary, args, func(l *config.Loader, line *ast.Line) {
			r := config.State[rings](l).current
			l.Report(line.Pos, parse(l, line, r))
		})
	}
	one := func(name string, t keyword.ArgType) []keyword.Arg { return []keyword.Arg{{Name: name, Type: t}} }
	return []config.Keyword{
		row("size", "bytes of the buffer", one("bytes", keyword.Size), ringSize),
		row("backing-file", "the file that holds the buffer", one("path", keyword.File), ringFile),
		row("server", "where messages are sent", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr},
			{Name: "options", Type: keyword.Opaque, Many: true, Opt: true}}, func(l *config.Loader, line *ast.Line, r *ring) error {
			if r == nil {
				return fmt.Errorf("unable to create server '%s'.", line.Arg(1))
			}
			l.ServerLine(r.proxy, line)
			return nil
		}),
		row("timeout", "how long servers are waited for", []keyword.Arg{{Name: "event", Type: keyword.Enum, Enum: []string{"connect", "server"}}, {Name: "time", Type: keyword.Time}}, ringTimeout),
		row("format", "how messages are written", one("format", keyword.Str), func(l *config.Loader, line *ast.Line, r *ring) error {
			if r == nil {
				return fmt.Errorf("unable to set format '%s'.", line.Arg(1))
			}
			if _, ok := formatNames[line.Arg(1)]; !ok {
				return fmt.Errorf("unknown format '%s'.", line.Arg(1))
			}
			return nil
		}),
		row("maxlen", "most bytes of a message", one("bytes", keyword.Int), func(l *config.Loader, line *ast.Line, r *ring) error {
			if r == nil {
				return fmt.Errorf("unable to set event max length '%s'.", line.Arg(1))
			}
			if r.maxLen = uint32(config.Atol(line.Arg(1))); r.maxLen == 0 {
				return fmt.Errorf("invalid size '%s' for new sink buffer.", line.Arg(1))
			}
			return nil
		}),
		row("description", "text about the ring", one("text", keyword.Str), func(l *config.Loader, line *ast.Line, r *ring) error {
			switch {
			case r == nil:
				return fmt.Errorf("unable to set description '%s'.", line.Arg(1))
			case line.Arg(1) == "":
				return errors.New("missing ring description text.")
			}
			return nil
		}),
	}
}

// rings is what is known of all rings while a configuration is read.
type rings struct {
	names   map[string]bool
	current *ring // nil where a header was refused
}

type ring struct {
	name   string
	proxy  *runtime.Proxy // has the servers
	size   uint64
	maxLen uint32 // 0 for no limit
	file   string
}

const (
	defaultRingSize = 16384
	ringOverhead    = 152 // bytes of a buffer that no message fits into
	pageSize        = 4096
)

// builtinRings are there without a section.
var builtinRings = []string{"stdout", "stderr", "buf0"}

func startRing(l *config.Loader, line *ast.Line) {
	all, name := config.State[rings](l), line.Arg(1)
	if all.names == nil {
		all.names = map[string]bool{}
		for _, known := range builtinRings {
			all.names[known] = true
		}
	}
	if name == "" {
		l.Alert(line.Pos, "missing ring name.")
		return
	}
	if c, bad := config.InvalidChar(name); bad {
		l.Alert(line.Pos, "invalid ring name '%s' (character '%c' is not permitted).", name, c)
		return
	}
	if all.names[name] {
		l.Alert(line.Pos, "sink named '%s' already exists.", name)
		return
	}
	all.names[name] = true
	l.Know(config.Ring, name)
	all.current = &ring{name: name, size: defaultRingSize,
		proxy: &runtime.Proxy{Name: name, Kind: "backend", Caps: runtime.CapBack, Pos: line.Pos}}
}

func endRing(l *config.Loader) {
	all := config.State[rings](l)
	r := all.current
	all.current = nil
	if r == nil || r.maxLen == 0 {
		return
	}
	if most := r.size - ringOverhead; uint64(r.maxLen) > most {
		l.List.Warnf(ast.Pos{}, "ring '%s' event max length '%d' exceeds max payload size, forced to '%d'.", r.name, r.maxLen, most)
	}
}

func ringSize(l *config.Loader, line *ast.Line, r *ring) error {
	if r == nil {
		return errors.New("'size' directive not usable with this type of sink.")
	}
	n, _, ok := units.Size64(line.Arg(1))
	switch {
	case !ok || n == 0:
		return fmt.Errorf("invalid size '%s' for new sink buffer.", line.Arg(1))
	case r.file != "":
		return errors.New("cannot resize an already mapped file, please specify 'size' before 'backing-file'.")
	}
	r.size = n
	return nil
}

func ringFile(l *config.Loader, line *ast.Line, r *ring) error {
	path := line.Arg(1)
	switch {
	case r == nil:
		return errors.New("'backing-file' only usable with existing rings.")
	case r.file != "":
		return fmt.Errorf("'backing-file' already specified for ring '%s' (was '%s').", r.name, r.file)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("cannot open backing-file '%s' for ring '%s': %s.", path, r.name, config.ErrnoText(err))
	}
	defer f.Close()
	if err := f.Truncate(int64((r.size + pageSize - 1) &^ (pageSize - 1))); err != nil {
		return fmt.Errorf("could not adjust size of backing-file for ring '%s': %s.", r.name, config.ErrnoText(err))
	}
	r.file = path
	return nil
}

func ringTimeout(l *config.Loader, line *ast.Line, r *ring) error {
	event, value := line.Arg(1), line.Arg(2)
	switch {
	case r == nil:
		return fmt.Errorf("unable to set timeout '%s'.", event)
	case event != "connect" && event != "server": // taken in silence
	case value == "":
		return fmt.Errorf("'%s %s' expects <time> as argument.", line.Arg(0), event)
	default:
		l.SectionTime(line.Pos, value, value, line.Arg(0)+" "+event)
	}
	return nil
}
