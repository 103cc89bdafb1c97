package rules

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

func missingValue(word string) error { return fmt.Errorf("missing %s value.\n", word) }

// logLevels are the levels of syslog, the most severe first.
var logLevels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// silent is a log level above all others: nothing is logged.
const silent = 8

// parseLogLevel reads `set-log-level <level>|silent`.
func parseLogLevel(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	word := a.Take()
	level := slices.Index(logLevels, word)
	if word == "silent" {
		level = silent
	}
	if level < 0 {
		return nil, errors.New("expects exactly 1 argument (log level name or 'silent')")
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.LogLevel = int8(level)
		return runtime.Continue
	}, nil
}

// parseNice reads `set-nice <value>`. Streams have no priorities among each other here.
func parseNice(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Take() == "" {
		return nil, errors.New("expects exactly 1 argument (integer value)")
	}
	return pass, nil
}

// parseRetries reads `set-retries <number>|<expression>`.
func parseRetries(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	const expects = "expects an expression or an integer between 1 and 100"
	word, name := a.Peek(), a.Name
	if a.Kind == runtime.TCPReqRules {
		name = a.Line.Arg(0) // as the reference names it there
	}
	switch {
	case word == "":
		return nil, errors.New("expects exactly 1 argument (an expression or an integer between 1 and 100)")
	case a.Proxy.Caps&runtime.CapBack == 0:
		return nil, fmt.Errorf("'%s' only available in backend or listen section", name)
	case a.Proxy.Caps&runtime.CapDefaults != 0:
		return nil, fmt.Errorf("'%s' is not allowed in 'defaults' sections", name)
	}
	var n number
	if i, ok := integer(word); ok {
		if i < 0 || i > 100 {
			return nil, errors.New(expects)
		}
		n.value = i
		a.Skip(1)
	} else {
		e, err := readExpr(l, a, requestPlaces(a.Proxy))
		if err != nil {
			return nil, err
		}
		n.expr = e
	}
	return func(s *runtime.Stream) runtime.Verdict {
		if i, ok := n.of(s); ok && i >= 0 && i <= 100 {
			s.Retries = int16(i)
		}
		return runtime.Continue
	}, nil
}

// integer reads a whole word as a number, in any base that C knows.
func integer(word string) (int64, bool) {
	if strings.ContainsAny(word, "_bBoO") {
		return 0, false
	}
	n, err := strconv.ParseInt(word, 0, 64)
	return n, err == nil
}

// parseTimeout reads `set-timeout <which> <time>|<expression>`.
func parseTimeout(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Peek() == "" || a.PeekAt(1) == "" {
		return nil, errTwoArgs
	}
	which := a.Take()
	var field func(s *runtime.Stream) *time.Duration
	side := runtime.CapBack
	switch which {
	case "client":
		side, field = runtime.CapFront, func(s *runtime.Stream) *time.Duration { return &s.Timeouts.Client }
	case "connect":
		field = func(s *runtime.Stream) *time.Duration { return &s.Timeouts.Connect }
	case "queue":
		field = func(s *runtime.Stream) *time.Duration { return &s.Timeouts.Queue }
	case "server":
		field = func(s *runtime.Stream) *time.Duration { return &s.Timeouts.Server }
	case "tarpit":
		side, field = a.Proxy.Caps, func(s *runtime.Stream) *time.Duration { return &s.Timeouts.Tarpit }
	case "tunnel":
		field = func(s *runtime.Stream) *time.Duration { return &s.Timeouts.Tunnel }
	default:
		return nil, fmt.Errorf("'set-timeout' rule supports 'client'/'connect'/'queue'/'server'/'tarpit'/'tunnel' (got '%s')", which)
	}
	if a.Proxy.Caps&side == 0 {
		what := "backend"
		if side == runtime.CapFront {
			what = "frontend"
		}
		return nil, fmt.Errorf("'%s' has no %s capability", a.Proxy.Name, what)
	}
	d, err := readDelay(l, a, "set-timeout "+which)
	if err != nil {
		return nil, err
	}
	return func(s *runtime.Stream) runtime.Verdict {
		if t, ok := d.of(s); ok {
			*field(s) = t
		}
		return runtime.Continue
	}, nil
}

// delay is a time that is constant or computed for each stream, then in milliseconds.
type delay struct {
	value time.Duration
	expr  *sample.Expr // nil: value
}

func (d *delay) of(s *runtime.Stream) (time.Duration, bool) {
	if d.expr == nil {
		return d.value, true
	}
	n := number{expr: d.expr}
	ms, ok := n.of(s)
	return time.Duration(ms) * time.Millisecond, ok
}

// readDelay reads a time, or an expression when the word is no time.
func readDelay(l *config.Loader, a *config.ActionLine, rule string) (d delay, err error) {
	word := a.Peek()
	value, fault := l.Time(word, time.Millisecond)
	switch {
	case fault == nil && value == 0 && word != "":
		return d, fmt.Errorf("null value is not valid for a '%s' rule", rule)
	case fault == nil && word != "":
		a.Skip(1)
		return delay{value: value}, nil
	case fault == nil:
		return d, fmt.Errorf("null value is not valid for a '%s' rule", rule)
	case fault.Over:
		return d, fmt.Errorf("timer overflow in argument '%s' to rule '%s' (maximum value is 2147483647 ms or ~24.8 days)", word, rule)
	case fault.Under:
		return d, fmt.Errorf("timer underflow in argument '%s' to rule '%s' (minimum value is 1 ms)", word, rule)
	}
	if d.expr, err = l.Expr(&a.Words); err != nil {
		if fault.Char == 0 {
			return d, errors.New("unexpected character '") // the message ends at the end of the word
		}
		return d, fmt.Errorf("unexpected character '%c' in rule '%s'", fault.Char, rule)
	}
	return d, nil
}

// parseNoRetry reads disable-l7-retry.
func parseNoRetry(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
	return func(s *runtime.Stream) runtime.Verdict {
		s.NoRetry = true
		return runtime.Continue
	}, nil
}

// parseStrictMode reads `strict-mode on|off`.
func parseStrictMode(_ *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	word := a.Take()
	strict := strings.EqualFold(word, "on")
	switch {
	case word == "":
		return nil, errors.New("expects exactly 1 arguments")
	case !strict && !strings.EqualFold(word, "off"):
		return nil, fmt.Errorf("Unexpected value '%s'. Only 'on' and 'off' are supported", word)
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.StrictMode = strict
		return runtime.Continue
	}, nil
}
