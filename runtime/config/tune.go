package config

import (
	"fmt"
	"math"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
)

// tuneKeywords are sizes and limits, most of them of each loop or connection.
func tuneKeywords() []Keyword {
	return []Keyword{
		tuneInt("tune.maxrewrite", "bytes of a buffer reserved for header rewriting", "expects an integer argument.",
			func(t *runtime.Tune) *int { return &t.MaxRewrite }, func(n int) string {
				if n < 0 {
					return "expects a positive integer argument."
				}
				return ""
			}),
		tuneInt("tune.http.maxhdr", "most header fields of a message", "expects an integer argument.",
			func(t *runtime.Tune) *int { return &t.MaxHdr }, func(n int) string {
				if n < 1 || n > 32767 {
					return "expects a numeric value between 1 and 32767"
				}
				return ""
			}),
		tuneInt("tune.http.logurilen", "bytes of the request line in logs", "expects an integer argument.", func(t *runtime.Tune) *int { return &t.LogURILen }, nil),
		tuneInt("tune.http.cookielen", "bytes of captured cookies", "expects an integer argument.", func(t *runtime.Tune) *int { return &t.CookieLen }, nil),
		global("tune.bufsize", "bytes of a buffer", arg("size", keyword.Size), reporting(bufSize)),
		global("tune.bufsize.large", "bytes of the buffers that wait-for-body may use", arg("size", keyword.Size), reporting(func(l *Loader, line *ast.Line) error {
			return sizeOf(false, func(n uint32) { l.Config.Global.Tune.LargeBuf = int(n) })(l, line)
		})),
		inert("tune.bufsize.small", "what takes small buffers in the reference is HTTP/3 and option use-small-buffers: buffers have one size here", arg("size", keyword.Size), reporting(sizeOf(false, nil))),
		global("tune.cli.max-payload-size", "most bytes of a payload of the runtime API", arg("size", keyword.Size), reporting(single(maxPayload))),
		bounded("tune.glitches.kill.cpu-usage", "percent of its time that a loop must be busy to kill connections with too many oddities",
			"'%s' expects a numeric value between 0 and 100", 0, 100, false, func(t *runtime.Tune) *int { return &t.Glitches.Busy }),
		bounded("tune.h1.be.glitches-threshold", "oddities after which a connection to a server is closed, of HTTP/1",
			"'%s' expects a positive numeric value.", 0, math.MaxInt32, true, func(t *runtime.Tune) *int { return &t.Glitches.H1Back }),
		bounded("tune.h1.fe.glitches-threshold", "oddities after which a client's connection is closed, of HTTP/1",
			"'%s' expects a positive numeric value.", 0, math.MaxInt32, true, func(t *runtime.Tune) *int { return &t.Glitches.H1Front }),
		inert("tune.idletimer", "what there is to send always leaves at once, and bodies are spliced by their size", arg("time", keyword.Time), reporting(idleTimer)),
		global("tune.maxaccept", "most connections accepted in one turn", arg("number", keyword.Int), reporting(maxAccept)),
		global("tune.maxpollevents", "most events taken in one turn", arg("number", keyword.Int), reporting(maxPollEvents)),
		tuneSize("tune.rcvbuf.client", "kernel receive buffer of client sockets", func(t *runtime.Tune) *int { return &t.RcvBufClient }),
		tuneSize("tune.sndbuf.client", "kernel send buffer of client sockets", func(t *runtime.Tune) *int { return &t.SndBufClient }),
		tuneSize("tune.rcvbuf.server", "kernel receive buffer of server sockets", func(t *runtime.Tune) *int { return &t.RcvBufServer }),
		tuneSize("tune.sndbuf.server", "kernel send buffer of server sockets", func(t *runtime.Tune) *int { return &t.SndBufServer }),
		tuneSize("tune.notsent-lowat.client", "bytes that may lie unsent in the kernel for a client", func(t *runtime.Tune) *int { return &t.NotSentClient }),
		tuneSize("tune.notsent-lowat.server", "bytes that may lie unsent in the kernel for a server", func(t *runtime.Tune) *int { return &t.NotSentServer }),
		global("tune.pool-high-fd-ratio", "percent of all descriptors that may be in use before no connection is kept idle, and idle ones are closed for new ones", arg("percent", keyword.Int), reporting(fdRatio)),
		switchOn("h1-accept-payload-with-any-method", "let HTTP/1.0 requests of any method have a body", func(t *runtime.Tune) *bool { return &t.AnyMethodPayload }),
		switchOn("h1-do-not-close-on-insecure-transfer-encoding", "keep connections behind a message with both a length and a transfer coding", func(t *runtime.Tune) *bool { return &t.KeepInsecure }),
		global("tune.streams-elasticity", "percent of maxconn that streams of clients may be, when all connections are there", arg("percent", keyword.Int), reporting(single(elasticity))),
		global("tune.idle-pool.shared", "idle server connections of one thread are there for the others", []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: []string{"full", "on", "off"}}}, reporting(single(poolSharing))),
		global("tune.pool-low-fd-ratio", "percent of all descriptors that may be in use before a server has one idle connection for each thread at most", arg("percent", keyword.Int), reporting(fdRatio)),
	}
}

// maxPayload reads "tune.cli.max-payload-size".
func maxPayload(l *Loader, word, value string) error {
	if value == "" {
		return fmt.Errorf("'%s' expects a size argument.", word)
	}
	n, bad, ok := units.Size(value)
	if !ok {
		return fmt.Errorf("unexpected '%s' after size passed to '%s'", bad, word)
	}
	l.Config.Global.Tune.MaxPayload = int(n)
	return nil
}

// poolSharing reads "tune.idle-pool.shared".
func poolSharing(l *Loader, word, value string) error {
	switch value {
	case "full", "on":
		l.Config.Global.Tune.OwnPools = false
	case "off":
		l.Config.Global.Tune.OwnPools = true
	default:
		return fmt.Errorf("'%s' expects 'full', 'on' or 'off' but got '%s'.", word, value)
	}
	return nil
}

// switchOn is the row of a word that stands for itself.
func switchOn(name, summary string, of func(*runtime.Tune) *bool) Keyword {
	return global(name, summary, nil, func(l *Loader, line *ast.Line) {
		if !l.TooMany(line, 1, 0) {
			*of(&l.Config.Global.Tune) = true
		}
	})
}

func bufSize(l *Loader, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	if l.TooMany(line, 1, 1) {
		return nil
	}
	if value == "" {
		return fmt.Errorf("'%s' expects an integer argument", word)
	}
	size, bad, ok := units.Size(value)
	const most = 1<<31 - 1 - 16
	switch {
	case !ok:
		return fmt.Errorf("unexpected '%s' after size passed to '%s'", bad, word)
	case size > most:
		return fmt.Errorf("'%s' expects a size in bytes from 0 to %d.", word, most)
	case size == 0:
		return fmt.Errorf("'%s' expects a positive integer argument.", word)
	}
	l.Config.Global.Tune.BufSize = (int(size) + 15) &^ 15 // as the reference, which shows it in statistics
	return nil
}

// checkLargeBuf switches large buffers off that are none.
func (l *Loader) checkLargeBuf() {
	t := &l.Config.Global.Tune
	switch {
	case t.LargeBuf == 0 || t.LargeBuf > t.BufSize:
		return
	case t.LargeBuf < t.BufSize:
		l.List.Warnf(ast.Pos{}, "tune.bufsize.large (%d) is lower than tune.bufsize (%d). large buffers support is disabled. "+
			"Please fix either value to remove this warning.", t.LargeBuf, t.BufSize)
	}
	t.LargeBuf = 0
}

func idleTimer(l *Loader, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	const most = 65535 * time.Millisecond
	if l.TooMany(line, 1, 1) {
		return nil
	}
	if value == "" {
		return fmt.Errorf("'%s' expects a timer value between 0 and 65535 ms.", word)
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil && d > most:
		return fmt.Errorf("'%s' expects a timer value between 0 and 65535 ms.", word)
	case fault == nil:
		l.Config.Global.Tune.IdleTimer = d
		return nil
	case fault.Over:
		return fmt.Errorf("timer overflow in argument <%s> to <%s>, maximum value is 65535 ms.", value, word)
	case fault.Under:
		return fmt.Errorf("timer underflow in argument <%s> to <%s>, minimum non-null value is 1 ms.", value, word)
	}
	return fmt.Errorf("unexpected character '%c' in argument to <%s>.", fault.Char, word)
}

func maxAccept(l *Loader, line *ast.Line) error {
	t, word := &l.Config.Global.Tune, line.Arg(0)
	switch {
	case l.TooMany(line, 1, 1):
		return nil
	case t.MaxAccept != 0:
		return Warning(fmt.Sprintf("'%s' already specified. Continuing.", word))
	case line.Arg(1) == "":
		return fmt.Errorf("'%s' expects an integer argument", word)
	}
	n := atol(line.Arg(1))
	if n > 1<<31-1 {
		return fmt.Errorf("'%s' expects -1 or an integer from 0 to INT_MAX.", word)
	}
	t.MaxAccept = n
	return nil
}

func maxPollEvents(l *Loader, line *ast.Line) error {
	t, word := &l.Config.Global.Tune, line.Arg(0)
	switch {
	case l.TooMany(line, 1, 1):
		return nil
	case t.MaxPollEvents != 0:
		return Warning(fmt.Sprintf("'%s' already specified. Continuing.", word))
	case line.Arg(1) == "":
		return fmt.Errorf("'%s' expects an integer argument.", word)
	}
	n := atol(line.Arg(1))
	if n > 1000000 {
		return fmt.Errorf("'%s' expects an integer value lower than or equal to 1000000.", word)
	}
	t.MaxPollEvents = n
	return nil
}

func fdRatio(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	n := atol(line.Arg(1))
	if line.Arg(1) == "" || n < 0 || n > 100 {
		return fmt.Errorf("'%s' expects an integer argument between 0 and 100.", line.Arg(0))
	}
	if line.Arg(0) == "tune.pool-high-fd-ratio" {
		l.Config.Global.Tune.PoolHighFD = n
	} else {
		l.Config.Global.Tune.PoolLowFDRatio = n
	}
	return nil
}

// bounded is a number within a range; see number.
func bounded(name, summary, expects string, least, most int, absent bool, target func(*runtime.Tune) *int) Keyword {
	check := number(expects, least, most, absent)
	return global(name, summary, arg("number", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
		if err := check(l, line); err != nil {
			return err
		}
		*target(&l.Config.Global.Tune) = atol(line.Arg(1))
		return nil
	}))
}

// elasticity is tune.streams-elasticity.
func elasticity(l *Loader, word, value string) error {
	n, rest := strtol(value, 10)
	if value == "" || rest != "" || n != 0 && uint32(n) < 100 {
		return fmt.Errorf("'%s' expects 0 or a positive percentage value of 100 or above", word)
	}
	l.Config.Global.Tune.H2.Elasticity = int(int32(n))
	return nil
}
