package logger

import (
	"errors"
	"fmt"
	"math"
	"os"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger/ring"
)

// Sinks are what messages can be kept in or written to by a name: rings in memory, for the runtime API and to be sent to
// servers over TCP, and the standard descriptors.

const ringExample = "ring requests\n  description \"the last requests\"\n  format rfc5424\n  maxlen 1200\n  size 32764\n  timeout connect 5s\n  timeout server 10s\n" +
	"  server logs 127.0.0.1:6514 log-proto octet-count\nfrontend f\n  bind 127.0.0.1:65500\n  log ring@requests local0\n"

func ringSection() config.Section {
	return config.Section{
		Doc: keyword.Doc{Name: "ring", Ref: "3.9", Summary: "a buffer of messages",
			Examples: []keyword.Example{{Config: ringExample}}},
		Kind: config.Ring, Start: startRing, End: endRing,
		Unknown: func(l *config.Loader, line *ast.Line) { l.Alert(line.Pos, "unknown statement '%s'.", line.Arg(0)) },
	}
}

func ringKeywords() []config.Keyword {
	row := func(name, summary string, args []keyword.Arg, parse func(l *config.Loader, line *ast.Line, r *Sink) error) config.Keyword {
		return config.Keyword{Doc: keyword.Doc{Name: name, Ref: "3.9", Summary: summary, Args: args, Examples: []keyword.Example{{Config: ringExample}}}, In: config.Ring,
			Parse: func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, parse(l, line, sinksOf(l.Config).current)) }}
	}
	one := func(name string, t keyword.ArgType) []keyword.Arg { return []keyword.Arg{{Name: name, Type: t}} }
	return []config.Keyword{
		row("size", "bytes of the buffer", one("bytes", keyword.Size), ringSize),
		row("backing-file", "the file that holds the buffer", one("path", keyword.File), ringFile),
		row("server", "where messages are sent", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "address", Type: keyword.Addr},
			{Name: "options", Type: keyword.Opaque, Many: true, Opt: true}}, func(l *config.Loader, line *ast.Line, r *Sink) error {
			if r == nil {
				return fmt.Errorf("unable to create server '%s'.", line.Arg(1))
			}
			if !l.ServerLine(r.proxy, line) {
				return nil
			}
			if srv := r.proxy.Servers[len(r.proxy.Servers)-1]; srv.Addr.Load() != nil { // its line is free of mistakes
				l.CheckServerMode(srv)
			}
			return nil
		}),
		row("timeout", "how long servers are waited for", []keyword.Arg{{Name: "event", Type: keyword.Enum, Enum: []string{"connect", "server"}}, {Name: "time", Type: keyword.Time}}, ringTimeout),
		row("format", "how messages are written", one("format", keyword.Str), func(l *config.Loader, line *ast.Line, r *Sink) error {
			if r == nil {
				return fmt.Errorf("unable to set format '%s'.", line.Arg(1))
			}
			form, ok := formatNames[line.Arg(1)]
			if !ok {
				return fmt.Errorf("unknown format '%s'.", line.Arg(1))
			}
			r.form = form
			return nil
		}),
		row("maxlen", "most bytes of a message", one("bytes", keyword.Int), func(l *config.Loader, line *ast.Line, r *Sink) error {
			if r == nil {
				return fmt.Errorf("unable to set event max length '%s'.", line.Arg(1))
			}
			if r.maxLen = uint32(config.Atol(line.Arg(1))); r.maxLen == 0 {
				return fmt.Errorf("invalid size '%s' for new sink buffer.", line.Arg(1))
			}
			return nil
		}),
		row("description", "text about the ring", one("text", keyword.Str), func(l *config.Loader, line *ast.Line, r *Sink) error {
			switch {
			case r == nil:
				return fmt.Errorf("unable to set description '%s'.", line.Arg(1))
			case line.Arg(1) == "":
				return errors.New("missing ring description text.")
			}
			r.Desc = line.Arg(1)
			return nil
		}),
	}
}

// sinks are all of a configuration, in the order in which they were declared. It is runtime.Config.Sinks.
type sinks struct {
	all     []*Sink
	current *Sink // being read; nil where a header was refused
	streams int   // log lines whose target is a stream socket
}

// Sink is one of them.
type Sink struct {
	Name, Desc string
	kind       string            // as "show events" tells it; "": named by traces, and to be declared yet
	form       runtime.LogFormat // LogUnset: that of who writes
	size       uint64            // of the buffer, with its header
	maxLen     uint32            // math.MaxUint32: no limit
	file       string            // that it lies in; "": none
	proxy      *runtime.Proxy    // has the servers; nil: nobody is sent anything
	only       *runtime.Server   // of them; nil: all are sent what comes
	ring       *ring.Ring        // live; nil: a descriptor
}

// builtinSinks are there without a section.
func builtinSinks() []*Sink {
	return []*Sink{
		{Name: "stdout", Desc: "standard output (fd#1)", kind: "fd", form: runtime.LogRaw},
		{Name: "stderr", Desc: "standard output (fd#2)", kind: "fd", form: runtime.LogRaw},
		{Name: "buf0", Desc: "in-memory ring buffer", kind: "buffer", form: runtime.LogTimed, size: 1 << 20, maxLen: defaultRingSize},
		{Name: "dpapi", Desc: "DPAPI ring buffer", kind: "buffer", form: runtime.LogTimed, size: 1 << 20, maxLen: defaultRingSize},
	}
}

// sinksOf gives those of a configuration.
func sinksOf(cfg *runtime.Config) *sinks {
	s, ok := cfg.Sinks.(*sinks)
	if !ok {
		s = &sinks{all: builtinSinks()}
		cfg.Sinks = s
	}
	return s
}

func (s *sinks) named(name string) *Sink {
	for _, x := range s.all {
		if x.Name == name {
			return x
		}
	}
	return nil
}

const (
	defaultRingSize = 16384
	mostRingSize    = 1 << 63
)

func startRing(l *config.Loader, line *ast.Line) {
	all, name := sinksOf(l.Config), line.Arg(1)
	if name == "" {
		l.Alert(line.Pos, "missing ring name.")
		return
	}
	if c, bad := config.InvalidChar(name); bad {
		l.Alert(line.Pos, "invalid ring name '%s' (character '%c' is not permitted).", name, c)
		return
	}
	x := all.named(name)
	switch {
	case x == nil:
		x = &Sink{}
		all.all = append(all.all, x)
	case x.declared():
		l.Alert(line.Pos, "sink named '%s' already exists.", name)
		return
	}
	l.Know(config.Ring, name, line.Pos)
	*x = Sink{Name: name, Desc: name, kind: "buffer", form: runtime.LogRaw, size: defaultRingSize,
		proxy: &runtime.Proxy{Name: name, Kind: "backend", Caps: runtime.CapBack, Mode: runtime.ModeSyslog, Pos: line.Pos}}
	all.current = x
}

func endRing(l *config.Loader) {
	all := sinksOf(l.Config)
	r := all.current
	all.current = nil
	switch {
	case r == nil:
		return
	case r.maxLen == 0:
		r.maxLen = math.MaxUint32
		return
	}
	if most := ring.Most(int(r.size)); most >= 0 && uint64(r.maxLen) > uint64(most) {
		l.List.Warnf(ast.Pos{}, "ring '%s' event max length '%d' exceeds max payload size, forced to '%d'.", r.Name, r.maxLen, most)
		r.maxLen = uint32(most)
	}
}

// finishRings completes the servers of rings.
func finishRings(l *config.Loader) {
	for _, x := range Sinks(l.Config) {
		if x.proxy != nil && x.only == nil {
			l.FinishServers(x.proxy)
		}
	}
}

func ringSize(l *config.Loader, line *ast.Line, r *Sink) error {
	if r == nil {
		return errors.New("'size' directive not usable with this type of sink.")
	}
	n, _, ok := units.Size64(line.Arg(1))
	switch {
	case !ok || n == 0:
		return fmt.Errorf("invalid size '%s' for new sink buffer.", line.Arg(1))
	case n > mostRingSize:
		return fmt.Errorf("too large size '%d' for new sink buffer, the limit on this platform is %d bytes.", n, uint64(mostRingSize))
	case r.file != "":
		return errors.New("cannot resize an already mapped file, please specify 'size' before 'backing-file'.")
	case n < ring.Smallest: // as ever, such a buffer keeps its size
	case !ring.Fits(n):
		return fmt.Errorf("fail to set sink buffer size '%d' for ring '%s'.", ring.Area(r.size), r.Name)
	default:
		r.size = n
	}
	return nil
}

func ringFile(l *config.Loader, line *ast.Line, r *Sink) error {
	path := line.Arg(1)
	switch {
	case r == nil:
		return errors.New("'backing-file' only usable with existing rings.")
	case r.file != "":
		return fmt.Errorf("'backing-file' already specified for ring '%s' (was '%s').", r.Name, r.file)
	}
	page := uint64(os.Getpagesize())
	size := (ring.Area(r.size) + page - 1) / page * page
	x, err := ring.Open(path, int(size))
	if err != nil {
		return fileFault(err, path, r.Name)
	}
	r.file, r.size, r.ring = path, size, x
	return nil
}

// fileFault tells what went wrong with the file of a ring.
func fileFault(err error, path, name string) error {
	stage := ring.Opening
	var e *ring.FileError
	if errors.As(err, &e) {
		stage, err = e.Stage, e.Err
	}
	text := config.ErrnoText(err)
	switch stage {
	case ring.Opening:
		return fmt.Errorf("cannot open backing-file '%s' for ring '%s': %s.", path, name, text)
	case ring.Resizing:
		return fmt.Errorf("could not adjust size of backing-file for ring '%s': %s.", name, text)
	}
	return fmt.Errorf("failed to use '%s' as a backing file for ring '%s': %s.", path, name, text)
}

func ringTimeout(l *config.Loader, line *ast.Line, r *Sink) error {
	event, value := line.Arg(1), line.Arg(2)
	switch {
	case r == nil:
		return fmt.Errorf("unable to set timeout '%s'.", event)
	case event != "connect" && event != "server": // taken in silence
	case value == "":
		return fmt.Errorf("'%s %s' expects <time> as argument.", line.Arg(0), event)
	default:
		d, ok := l.SectionTime(line.Pos, value, value, line.Arg(0)+" "+event)
		switch {
		case !ok:
		case event == "connect":
			r.proxy.Timeout.Connect = d
		default:
			r.proxy.Timeout.Server = d
		}
	}
	return nil
}
