package config

import (
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
)

// tuneH2Keywords are the limits of HTTP/2. Section 3.2 "tune.h2".
func tuneH2Keywords() []Keyword {
	var rows []Keyword
	for _, side := range [...]struct {
		name, peers string
		of          func(*runtime.H2Tune) *runtime.H2Side
	}{
		{"tune.h2.be.", "to servers", func(t *runtime.H2Tune) *runtime.H2Side { return &t.Back }},
		{"tune.h2.fe.", "of clients", func(t *runtime.H2Tune) *runtime.H2Side { return &t.Front }},
	} {
		of := side.of
		rows = append(rows,
			tuneH2(side.name+"glitches-threshold", "oddities after which connections "+side.peers+" are closed", func(t *runtime.H2Tune) *int { return &of(t).Glitches }),
			tuneH2(side.name+"initial-window-size", "bytes that a new stream "+side.peers+" may send ahead", func(t *runtime.H2Tune) *int { return &of(t).InitialWindow }),
			h2Inert(side.name+"max-frames-at-once", "a turn takes no more of a connection than a buffer holds"),
			global(side.name+"rxbuf", "bytes that all streams of a connection "+side.peers+" may send ahead", arg("size", keyword.Size), reporting(func(l *Loader, line *ast.Line) error {
				return h2RxBuf(l, line, &of(&l.Config.Global.Tune.H2).Receive)
			})),
		)
	}
	streams := global("tune.h2.fe.max-concurrent-streams", "most streams of a client's connection at a time", arg("number", keyword.Int), reporting(h2FrontStreams))
	streams.Args = append(streams.Args,
		keyword.Arg{Name: "rq-load", Type: keyword.Str, Opt: true, Joined: true, Doc: "only 'ignore': there is no run queue to go by"},
		keyword.Arg{Name: "min", Type: keyword.Int, Opt: true, Joined: true})
	logErrors := global("tune.h2.log-errors", "which errors in what clients send are logged", []keyword.Arg{{Name: "level", Type: keyword.Enum, Enum: []string{"none", "connection", "stream"}}}, reporting(h2LogErrors))
	zeroCopy := inert("tune.h2.zero-copy-fwd-send", "what is large enough is always sent from the buffer that it came in",
		[]keyword.Arg{{Name: "switch", Type: keyword.Enum, Enum: []string{"on", "off"}}}, reporting(h2ZeroCopy))
	webSocket := global("h2-workaround-bogus-websocket-clients", "do not tell HTTP/2 clients that WebSocket may be spoken", nil, func(l *Loader, line *ast.Line) {
		if !l.TooMany(line, 1, 0) {
			l.Config.Global.NoH2WebSocket = line.Modifier != ast.No
		}
	})
	webSocket.No = true
	return append(rows,
		webSocket,
		tuneH2("tune.h2.be.max-concurrent-streams", "most streams of a connection to a server at a time", func(t *runtime.H2Tune) *int { return &t.Back.Streams }),
		streams,
		h2Inert("tune.h2.fe.max-rst-at-once", "a stream that is reset is over at once, and a turn takes no more of a connection than a buffer holds"),
		tuneH2("tune.h2.fe.max-total-streams", "streams after which a client's connection is to be renewed", func(t *runtime.H2Tune) *int { return &t.TotalStreams }),
		h2Between("tune.h2.header-table-size", "bytes of the table of header fields that a peer may use", 4096, 65536, func(t *runtime.H2Tune) *int { return &t.HeaderTable }),
		tuneH2("tune.h2.initial-window-size", "bytes that a new stream may send ahead, where a side does not say", func(t *runtime.H2Tune) *int { return &t.InitialWindow }),
		logErrors,
		tuneH2("tune.h2.max-concurrent-streams", "most streams of a connection at a time, where a side does not say", func(t *runtime.H2Tune) *int { return &t.Streams }),
		h2Between("tune.h2.max-frame-size", "largest frame that a peer may send", 16384, 16777215, func(t *runtime.H2Tune) *int { return &t.MaxFrame }),
		zeroCopy,
	)
}

// tuneH2 is a number that must not be negative.
func tuneH2(name, summary string, target func(*runtime.H2Tune) *int) Keyword {
	return h2Number(name, summary, target, func(n int) string {
		if n < 0 {
			return "expects a positive numeric value."
		}
		return ""
	})
}

// h2Inert is a number that has no meaning here.
func h2Inert(name, note string) Keyword {
	return inert(name, note, arg("number", keyword.Int), func(l *Loader, line *ast.Line) { l.TooMany(line, 1, 1) })
}

func h2Between(name, summary string, low, high int, target func(*runtime.H2Tune) *int) Keyword {
	return h2Number(name, summary, target, func(n int) string {
		if n < low || n > high {
			return fmt.Sprintf("expects a numeric value between %d and %d.", low, high)
		}
		return ""
	})
}

// h2Number is a number; one that is left out is 0, as it always was.
func h2Number(name, summary string, target func(*runtime.H2Tune) *int, check func(n int) string) Keyword {
	return global(name, summary, arg("number", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
		if l.TooMany(line, 1, 1) {
			return nil
		}
		n := atol(line.Arg(1))
		if why := check(n); why != "" {
			return fmt.Errorf("'%s' %s", name, why)
		}
		*target(&l.Config.Global.Tune.H2) = n
		return nil
	}))
}

func h2RxBuf(l *Loader, line *ast.Line, target *int) error {
	word, value := line.Arg(0), line.Arg(1)
	if l.TooMany(line, 1, 1) {
		return nil
	}
	size, rest, ok := units.Size(value)
	if !ok {
		bad := byte(0)
		if rest != "" {
			bad = rest[0]
		}
		return fmt.Errorf("'%s': unexpected character '%c' in size argument '%s'.", word, bad, value)
	}
	*target = int(size)
	return nil
}

// h2FrontStreams is tune.h2.fe.max-concurrent-streams with its options.
func h2FrontStreams(l *Loader, line *ast.Line) error {
	word := line.Arg(0)
	t := &l.Config.Global.Tune.H2
	n := atol(line.Arg(1))
	if n < 0 {
		return fmt.Errorf("'%s' expects a positive numeric value.", word)
	}
	t.Front.Streams = n
	for i := 2; line.Arg(i) != ""; i += 2 {
		value := line.Arg(i + 1)
		switch line.Arg(i) {
		case "rq-load":
			switch {
			case value == "ignore":
			case value == "auto", atol(value) > 0:
				l.Missing(line.Pos, word+" rq-load "+value)
			default:
				return fmt.Errorf("'%s' expects a strictly positive run-queue length, or 'auto' or 'ignore'.", word)
			}
		case "min":
			low := atol(value)
			if low <= 0 {
				return fmt.Errorf("'%s' expects a strictly positive minimum number of streams'.", word)
			}
			if low > n {
				return fmt.Errorf("'%s' minimum number of streams (%d) cannot be higher than the maximum (%d)'.", word, low, n)
			}
		default:
			return fmt.Errorf("'%s' only supports 'rq-load' or 'min' after the numeric value, but found '%s'.", word, line.Arg(i))
		}
	}
	return nil
}

func h2LogErrors(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	t := &l.Config.Global.Tune.H2
	switch line.Arg(1) {
	case "none":
		t.LogErrors = runtime.H2LogNone
	case "connection":
		t.LogErrors = runtime.H2LogConnection
	case "stream":
		t.LogErrors = runtime.H2LogStream
	default:
		return fmt.Errorf("'%s' expects 'none', 'connection', or 'stream'", line.Arg(0))
	}
	return nil
}

func h2ZeroCopy(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	if v := line.Arg(1); v != "on" && v != "off" {
		return fmt.Errorf("'%s' expects 'on' or 'off'.", line.Arg(0))
	}
	return nil
}
