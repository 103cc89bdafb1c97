package filter

import (
	"time"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
)

const (
	leastFrame    = 256 // bytes of a frame
	frameOverhead = 4   // bytes of a buffer that are not the frame's
)

// agentLine reads a line of the "spoe-agent" section.
func (f *agentFile) agentLine(line *ast.Line) {
	l := f.l
	word, value := line.Arg(0), line.Arg(1)
	wants := func(what string) bool {
		if value == "" {
			l.Alert(line.Pos, "'%s' expects %s.", word, what)
		}
		return value != ""
	}
	switch word {
	case "use-backend":
		if wants("a backend name") && !l.TooMany(line, 1, 1) {
			f.backend = value
		}
	case "messages":
		f.names(line, &f.uses, "spoe-message")
	case "groups":
		f.names(line, &f.groupsOf, "spoe-group")
	case "timeout":
		f.timeout(line)
	case "option":
		f.option(line)
	case "maxconnrate", "maxerrrate":
		wants("an integer argument")
	case "max-waiting-frames":
		_ = wants("an integer argument") && l.TooMany(line, 1, 1)
	case "max-frame-size":
		if !wants("an integer argument") || l.TooMany(line, 1, 1) {
			return
		}
		most := l.Config.Global.Tune.BufSize - frameOverhead
		if n := config.Atol(value); n < leastFrame || n > most {
			l.Alert(line.Pos, "'%s' expects a positive integer argument in the range [%d, %d].", word, leastFrame, most)
		}
	case "register-var-names":
		wants("one or more variable names")
	case "log":
		logger.ReadTarget(l, line, &runtime.Proxy{Name: f.agent})
	case "": // "no" without more
	default:
		l.Alert(line.Pos, "unknown keyword '%s' in spoe-agent section.", word)
	}
}

func (f *agentFile) timeout(line *ast.Line) {
	l := f.l
	what, value := line.Arg(1), line.Arg(2)
	switch {
	case what == "":
		l.Alert(line.Pos, "'timeout' expects 'hello', 'idle' and 'processing'.")
		return
	case l.TooMany(line, 1, 2), what == "hello", what == "idle":
		return
	case what != "processing":
		l.Alert(line.Pos, "'timeout' supports 'processing' (got %s).", what)
		return
	case value == "":
		l.Alert(line.Pos, "'timeout %s' expects an integer value (in milliseconds).", what)
		return
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		f.bounded = d > 0
	case fault.Over:
		l.AlertTight(line.Pos, "timer overflow in argument <%s> to <timeout %s>, maximum value is 2147483647 ms (~24.8 days).", value, what)
	case fault.Under:
		l.AlertTight(line.Pos, "timer underflow in argument <%s> to <timeout %s>, minimum non-null value is 1 ms.", value, what)
	default:
		l.Alert(line.Pos, "unexpected character '%c' in 'timeout %s'.", fault.Char, what)
	}
}

func (f *agentFile) option(line *ast.Line) {
	l := f.l
	name, value := line.Arg(1), line.Arg(2)
	switch name {
	case "":
		l.AlertTight(line.Pos, "'%s' expects an option name.", line.Arg(0))
		return
	case "pipelining", "async", "send-frag-payload", "dontlog-normal":
		l.TooMany(line, 1, 1)
		return
	}
	if line.Modifier == ast.No {
		l.AlertTight(line.Pos, "negation is not supported for option '%s'.", name)
		return
	}
	switch name {
	case "force-set-var", "continue-on-error":
		l.TooMany(line, 1, 1)
	case "var-prefix", "set-on-error", "set-process-time", "set-total-time":
		switch {
		case value == "":
			l.AlertTight(line.Pos, "'option %s' expects a value.", name)
		case l.TooMany(line, 1, 2):
		case !isVariable(value):
			l.AlertTight(line.Pos, "'option %s' only supports [a-zA-Z0-9_.] chars.", name)
		case name == "var-prefix":
			f.prefix = value
		}
	default:
		l.AlertTight(line.Pos, "option '%s' is not supported.", name)
	}
}

// isVariable tells whether a text may be a part of the name of a variable.
func isVariable(text string) bool {
	for _, c := range []byte(text) {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}
