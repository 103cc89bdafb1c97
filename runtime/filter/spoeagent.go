package filter

import (
	"fmt"
	"slices"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
	"hapax/runtime/spoe"
	"hapax/runtime/spoe/frame"
)

// newAgent makes an agent with what holds unless its section says otherwise.
func newAgent(l *config.Loader, name string) *spoe.Agent {
	front := &runtime.Proxy{Name: name, Kind: "frontend", Caps: runtime.CapFront, Mode: runtime.ModeSPOP, Options: runtime.OptIndependent}
	front.Listeners = []*runtime.Listener{{Proxy: front, Bind: &runtime.Bind{UID: -1, GID: -1}}}
	return &spoe.Agent{Name: name, Front: front, MaxFrame: l.Config.Global.Tune.BufSize - frame.LengthSize, Pipelining: true}
}

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
		most := l.Config.Global.Tune.BufSize - frame.LengthSize
		n := config.Atol(value)
		if n < frame.Least || n > most {
			l.Alert(line.Pos, "'%s' expects a positive integer argument in the range [%d, %d].", word, frame.Least, most)
			return
		}
		f.agent.MaxFrame = n
	case "register-var-names":
		if wants("one or more variable names") {
			f.register = line.Texts(f.register, 1)
		}
	case "log":
		logger.ReadTarget(l, line, f.agent.Front)
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
		f.agent.Processing = d
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
		on := line.Modifier != ast.No
		switch {
		case l.TooMany(line, 1, 1):
		case name == "pipelining":
			f.agent.Pipelining = on
		case name == "dontlog-normal":
			f.agent.DontLogNormal = on
		}
		return
	}
	if line.Modifier == ast.No {
		l.AlertTight(line.Pos, "negation is not supported for option '%s'.", name)
		return
	}
	switch name {
	case "force-set-var":
		f.agent.ForceSetVar = !l.TooMany(line, 1, 1)
	case "continue-on-error":
		f.agent.ContinueOnError = !l.TooMany(line, 1, 1)
	case "var-prefix", "set-on-error", "set-process-time", "set-total-time":
		switch {
		case value == "":
			l.AlertTight(line.Pos, "'option %s' expects a value.", name)
		case l.TooMany(line, 1, 2):
		case !isVariable(value):
			l.AlertTight(line.Pos, "'option %s' only supports [a-zA-Z0-9_.] chars.", name)
		case name == "var-prefix":
			f.prefix = value
		default:
			f.named[slices.Index(varOptions[:], name)] = value
		}
	default:
		l.AlertTight(line.Pos, "option '%s' is not supported.", name)
	}
}

// varOptions are the options that name a variable which is set behind each event.
var varOptions = [3]string{"set-on-error", "set-process-time", "set-total-time"}

// setVariables gives the names of variables their numbers.
func (f *agentFile) setVariables() error {
	a, prefix := f.agent, f.prefix
	if prefix == "" {
		prefix = a.Name
	}
	prefix += "."
	a.Prefix = []byte(prefix)
	for i, to := range [...]**sample.Var{&a.OnError, &a.ProcessTime, &a.TotalTime} {
		if f.named[i] == "" {
			continue
		}
		v, err := f.l.Samples.Variable("txn." + prefix + f.named[i])
		if err != nil {
			return f.unregistered(f.named[i], err)
		}
		*to = &v
	}
	for _, name := range f.register {
		if _, err := f.l.Samples.Variable("proc." + prefix + name); err != nil {
			return f.unregistered(name, err)
		}
	}
	return nil
}

func (f *agentFile) unregistered(name string, err error) error {
	return fmt.Errorf("SPOE agent '%s': failed to register variable %s%s (%w)", f.agent.Name, f.agent.Prefix, name, err)
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
