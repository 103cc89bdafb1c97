// Package quic holds the words that configure QUIC. They are read and checked; no
// connection speaks QUIC.
package quic

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the words that configure QUIC.
var Domain = config.Domain{
	Name:        "quic",
	Keywords:    append(tuning(), initialRules()),
	BindWords:   bindWords(),
	ServerWords: serverWords(),
}

// check is how the value of a word is looked at.
type check func(l *config.Loader, word, value string) error

// settings are the words behind "tune.quic.". Those of both sides stand once; the old
// ones name what replaces them.
var settings = []struct {
	name    string
	check   check
	instead string
}{
	{"listen", onOff, ""},
	{"mem.tx-max", sized, ""},
	{"zero-copy-fwd-send", onOff, ""},
	{"fe.cc.cubic-min-losses", positive, ""},
	{"fe.cc.hystart", onOff, ""},
	{"fe.cc.max-frame-loss", positive, ""},
	{"fe.cc.max-win-size", window, ""},
	{"fe.cc.reorder-ratio", positive, ""},
	{"fe.max-idle-timeout", duration, ""},
	{"fe.sec.glitches-threshold", positive, ""},
	{"fe.sec.retry-threshold", positive, ""},
	{"fe.sock-per-conn", either("default-on", "force-off"), ""},
	{"fe.stream.data-ratio", percent, ""},
	{"fe.stream.max-concurrent", positive, ""},
	{"fe.stream.max-total", positive, ""},
	{"fe.stream.rxbuf", sized, ""},
	{"fe.tx.pacing", onOff, ""},
	{"fe.tx.udp-gso", onOff, ""},
	{"be.cc.cubic-min-losses", positive, ""},
	{"be.cc.hystart", onOff, ""},
	{"be.cc.max-frame-loss", positive, ""},
	{"be.cc.max-win-size", window, ""},
	{"be.cc.reorder-ratio", positive, ""},
	{"be.max-idle-timeout", duration, ""},
	{"be.sec.glitches-threshold", positive, ""},
	{"be.stream.data-ratio", percent, ""},
	{"be.stream.max-concurrent", positive, ""},
	{"be.stream.rxbuf", sized, ""},
	{"be.tx.pacing", onOff, ""},
	{"be.tx.udp-gso", onOff, ""},
	{"cc-hystart", onOff, "fe.cc.hystart"},
	{"cc.cubic.min-losses", positive, "fe.cc.cubic-min-losses"},
	{"disable-tx-pacing", nil, "fe.tx.pacing"},
	{"disable-udp-gso", nil, "fe.tx.udp-gso"},
	{"frontend.default-max-window-size", window, "fe.cc.max-win-size"},
	{"frontend.glitches-threshold", positive, "fe.sec.glitches-threshold"},
	{"frontend.max-data-size", sized, "fe.stream.rxbuf"},
	{"frontend.max-idle-timeout", duration, "fe.max-idle-timeout"},
	{"frontend.max-streams-bidi", positive, "fe.stream.max-concurrent"},
	{"frontend.max-tx-mem", sized, "mem.tx-max"},
	{"frontend.stream-data-ratio", percent, "fe.stream.data-ratio"},
	{"max-frame-loss", positive, "fe.cc.max-frame-loss"},
	{"reorder-ratio", ratio, "fe.cc.reorder-ratio"},
	{"retry-threshold", positive, "fe.sec.retry-threshold"},
	{"socket-owner", either("listener", "connection"), "fe.sock-per-conn"},
}

const prefix = "tune.quic."

// tuning makes the rows of the global section: they mean nothing while nothing speaks
// QUIC.
func tuning() []config.Keyword {
	var rows []config.Keyword
	for _, s := range settings {
		summary, count := "a setting of QUIC", 1
		args := []keyword.Arg{{Name: "value", Type: keyword.Str}}
		if s.check == nil {
			args, count = nil, 0
		}
		if s.instead != "" {
			summary = "the old name of " + prefix + s.instead
		}
		row := config.MissingRow(config.Global, prefix+s.name, "3.2", summary, args, func(l *config.Loader, line *ast.Line) {
			if l.TooMany(line, 1, count) {
				return
			}
			if s.check != nil {
				if err := s.check(l, line.Arg(0), line.Arg(1)); err != nil {
					l.Report(line.Pos, err)
					return
				}
			}
			if s.instead != "" {
				l.Warn(line.Pos, "'%s' is deprecated in 3.3 and will be removed in 3.5. Please use the newer keyword syntax '%s%s'.", line.Arg(0), prefix, s.instead)
			}
		})
		row.Dormant = true
		rows = append(rows, row)
	}
	return rows
}

func onOff(_ *config.Loader, word, value string) error {
	if value != "on" && value != "off" {
		return fmt.Errorf("'%s' expects 'on' or 'off'.", word)
	}
	return nil
}

// either wants one of two words, which the message names.
func either(one, other string) check {
	return func(_ *config.Loader, word, value string) error {
		if value != one && value != other {
			return fmt.Errorf("'%s' expects either '%s' or '%s' but got '%s'.", word, one, other, value)
		}
		return nil
	}
}

func positive(_ *config.Loader, word, value string) error {
	if uint32(config.Atol(value)) < 1 {
		return fmt.Errorf("'%s' expects a positive integer.", word)
	}
	return nil
}

func percent(l *config.Loader, word, value string) error {
	if err := positive(l, word, value); err != nil {
		return err
	}
	if uint32(config.Atol(value)) > 100 {
		return fmt.Errorf("'%s' expects an integer argument between 1 and 100.", word)
	}
	return nil
}

func ratio(l *config.Loader, word, value string) error {
	if err := positive(l, word, value); err != nil {
		return err
	}
	if uint32(config.Atol(value)) > 100 {
		return fmt.Errorf("'%s' expects an integer argument between 0 and 100.", word)
	}
	return nil
}

func sized(l *config.Loader, word, value string) error {
	if err := positive(l, word, value); err != nil {
		return err
	}
	if _, bad, ok := units.Size(value); !ok {
		return fmt.Errorf("'%s': unexpected character '%c' in size argument '%s'.", word, bad[0], value)
	}
	return nil
}

func duration(l *config.Loader, word, value string) error {
	_, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		return nil
	case fault.Over:
		return fmt.Errorf("timer overflow in argument '%s' to '%s' (maximum value is 2147483647 ms or ~24.8 days)", value, word)
	case fault.Under:
		return fmt.Errorf("timer underflow in argument '%s' to '%s' (minimum non-null value is 1 ms)", value, word)
	}
	return fmt.Errorf("unexpected character '%c' in '%s'", fault.Char, word)
}

func window(l *config.Loader, word, value string) error {
	if err := positive(l, word, value); err != nil {
		return err
	}
	rest, err := windowSize(word, value)
	if err == nil && rest != "" {
		err = fmt.Errorf("'%s' : expects an integer value with an optional suffix 'k', 'm' or 'g'", word)
	}
	return err
}

// windowSize reads the size of a congestion window and gives what follows it.
func windowSize(word, text string) (rest string, err error) {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, bad := strconv.ParseUint(text[:end], 10, 64)
	if bad != nil {
		return "", fmt.Errorf("'%s' : could not parse congestion window value", word)
	}
	rest = text[end:]
	if rest != "" {
		if i := strings.IndexByte("kmg", rest[0]); i >= 0 {
			n <<= 10 * (i + 1)
			rest = rest[1:]
		}
	}
	if n < 10<<10 || n > 4<<30 {
		return "", fmt.Errorf("'%s' : should be between 10k and 4g", word)
	}
	return rest, nil
}

func absent(name, ref, summary string, args ...keyword.Arg) keyword.Doc {
	return keyword.Doc{Name: name, Ref: ref, Summary: summary, Status: keyword.Missing, Args: args}
}

var algorithm = keyword.Arg{Name: "algorithm", Type: keyword.Str, Doc: "cubic, newreno, bbr or nocc, with a maximum in parentheses"}

func bindWords() []config.BindWord {
	return []config.BindWord{
		{Doc: absent("quic-cc-algo", "5.1", "how congestion is met in QUIC", algorithm), Parse: func(l *config.Loader, w *config.Words, _ *runtime.Bind) error {
			return congestion(l, w)
		}},
		{Doc: absent("quic-force-retry", "5.1", "answer first packets of QUIC by a retry"), Parse: func(*config.Loader, *config.Words, *runtime.Bind) error { return nil }},
		{Doc: absent("quic-socket", "5.1", "who owns the sockets of QUIC", keyword.Arg{Name: "owner", Type: keyword.Enum, Enum: []string{"connection", "listener"}}),
			Parse: func(_ *config.Loader, w *config.Words, _ *runtime.Bind) error {
				switch w.Take() {
				case "":
					return errors.New("'quic-socket' : missing argument, use either connection or listener.")
				case "connection", "listener":
					return nil
				}
				return errors.New("'quic-socket' : unknown argument, use either connection or listener.")
			}},
	}
}

func serverWords() []config.ServerWord {
	return []config.ServerWord{
		{Doc: absent("quic-cc-algo", "5.2", "how congestion is met in QUIC", algorithm), Parse: func(l *config.Loader, w *config.Words, _ *runtime.Server) error {
			return congestion(l, w)
		}},
	}
}

// congestion reads `<algorithm>[([<window>][,])]`.
func congestion(l *config.Loader, w *config.Words) error {
	const word = "quic-cc-algo"
	value := w.Take()
	if value == "" {
		return errors.New("'quic-cc-algo' : missing control congestion algorithm")
	}
	name, args, parenthesis := strings.Cut(value, "(")
	switch name {
	case "cubic", "newreno", "bbr":
	case "nocc":
		if err := l.Experimental("'" + value + "' algo"); err != nil {
			l.List.Alertf(w.Pos(), "%s", err)
			return errors.New("(null)")
		}
	default:
		return fmt.Errorf("'%s' : unknown control congestion algorithm", value)
	}
	if !parenthesis || strings.HasPrefix(args, ")") {
		return nil
	}
	if !strings.HasPrefix(args, ",") {
		rest, err := windowSize(word, args)
		switch {
		case err != nil:
			return err
		case strings.HasPrefix(rest, ")"):
			return nil
		case !strings.HasPrefix(rest, ","):
			return fmt.Errorf("'%s' : cannot parse max-window argument for '%s' algorithm", word, name)
		}
		args = rest
	}
	if !strings.HasPrefix(args[1:], ")") {
		return fmt.Errorf("'%s' : too many argument for '%s' algorithm", word, name)
	}
	return nil
}

// initialRules is the keyword of rules on the first packets of connections.
func initialRules() config.Keyword {
	actions := []string{"accept", "dgram-drop", "do-log", "reject", "send-retry"}
	return config.MissingRow(config.Proxies, "quic-initial", "4.2", "a rule on the first packet of a QUIC connection", []keyword.Arg{
		{Name: "action", Type: keyword.Enum, Enum: actions}, {Name: "condition", Type: keyword.Opaque, Many: true, Opt: true}}, func(l *config.Loader, line *ast.Line) {
		l.Report(line.Pos, readInitial(l, line, actions))
	})
}

func readInitial(l *config.Loader, line *ast.Line, actions []string) error {
	px, word, action := l.Proxy, line.Arg(0), line.Arg(1)
	switch {
	case l.InDefaults() && px.Name == "":
		return fmt.Errorf("%s is not allowed in anonymous 'defaults' sections", word)
	case px.Caps&runtime.CapFront == 0:
		return fmt.Errorf("'%s' : proxy '%s' has no frontend capability", word, px.Name)
	case px.Mode != runtime.ModeHTTP:
		return fmt.Errorf("'%s' : proxy '%s' does not use HTTP mode", word, px.Name)
	}
	if !slices.Contains(actions, action) {
		missing, hint := "", ""
		if action == "" {
			missing = " (missing argument)"
		}
		if best := keyword.Suggest(action, actions); best != "" {
			hint = " Did you mean '" + best + "' maybe ?"
		}
		return fmt.Errorf("'quic-initial' expects %s, but got '%s'%s.%s", keyword.List(actions), action, missing, hint)
	}
	w := config.NewWords(line, 2)
	if action == "do-log" && w.TakeIf("profile") {
		w.Skip(1)
	}
	switch {
	case w.AtCond():
		kind := w.Peek()
		if _, err := l.Cond(&w); err != nil {
			return fmt.Errorf("'%s %s %s' : error detected in %s '%s' while parsing '%s' condition : %s", word, action, line.Arg(2), px.Kind, px.Name, kind, err)
		}
	case !w.Done():
		return fmt.Errorf("'%s %s %s' only accepts 'if' or 'unless', in %s '%s' (got '%s')", word, action, line.Arg(2), px.Kind, px.Name, w.Peek())
	}
	return nil
}
