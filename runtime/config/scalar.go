package config

import (
	"fmt"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
)

// reporting makes a Parse of a function that returns its error.
func reporting(parse func(l *Loader, line *ast.Line) error) func(*Loader, *ast.Line) {
	return func(l *Loader, line *ast.Line) { l.Report(line.Pos, parse(l, line)) }
}

// arg declares one mandatory argument.
func arg(name string, t keyword.ArgType) []keyword.Arg {
	return []keyword.Arg{{Name: name, Type: t}}
}

// global is a row of the global section.
func global(name, summary string, args []keyword.Arg, parse func(*Loader, *ast.Line)) Keyword {
	d := doc(name, "3", summary)
	d.Args = args
	return Keyword{Doc: d, In: Global, Parse: parse}
}

// inert is a row of the global section that is checked and has no meaning here.
func inert(name, note string, args []keyword.Arg, parse func(*Loader, *ast.Line)) Keyword {
	k := global(name, "accepted without effect", args, parse)
	k.Status, k.Note = keyword.Inert, note
	return k
}

// globalOnce is a number of the global section that only its first line sets.
func globalOnce(name, summary string, target func(*runtime.Global) *int) Keyword {
	return global(name, summary, arg("number", keyword.Int), func(l *Loader, line *ast.Line) {
		if l.TooMany(line, 1, 1) {
			return
		}
		n := target(&l.Config.Global)
		switch {
		case *n != 0:
			l.Complain(line.Pos, "'%s' already specified. Continuing.", line.Arg(0))
		case line.Arg(1) == "":
			l.Alert(line.Pos, "'%s' expects an integer argument.", line.Arg(0))
		default:
			*n = atol(line.Arg(1))
		}
	})
}

// tuneInt is a tune.* number. check returns why a value is refused, as it follows
// the keyword in quotes.
func tuneInt(name, summary, missing string, target func(*runtime.Tune) *int, check func(n int) string) Keyword {
	return global(name, summary, arg("number", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
		if l.TooMany(line, 1, 1) {
			return nil
		}
		if line.Arg(1) == "" {
			return fmt.Errorf("'%s' %s", line.Arg(0), missing)
		}
		n := atol(line.Arg(1))
		if check != nil {
			if why := check(n); why != "" {
				return fmt.Errorf("'%s' %s", line.Arg(0), why)
			}
		}
		*target(&l.Config.Global.Tune) = n
		return nil
	}))
}

// tuneSize is a tune.* number of bytes that only its first line sets.
func tuneSize(name, summary string, target func(*runtime.Tune) *int) Keyword {
	return global(name, summary, arg("size", keyword.Size), reporting(func(l *Loader, line *ast.Line) error {
		if l.TooMany(line, 1, 1) {
			return nil
		}
		n := target(&l.Config.Global.Tune)
		if *n != 0 {
			return Warning(fmt.Sprintf("'%s' already specified. Continuing.", line.Arg(0)))
		}
		if line.Arg(1) == "" {
			return fmt.Errorf("'%s' expects an integer argument.", line.Arg(0))
		}
		size, bad, ok := units.Size(line.Arg(1))
		if !ok {
			return fmt.Errorf("unexpected '%s' after size passed to '%s'", bad, line.Arg(0))
		}
		*n = int(size)
		return nil
	}))
}

// globalTime is a duration of the global section in milliseconds.
func globalTime(name, summary string, target func(*runtime.Global) *time.Duration) Keyword {
	return global(name, summary, arg("time", keyword.Time), reporting(func(l *Loader, line *ast.Line) error {
		if line.Arg(1) == "" {
			return fmt.Errorf("'%s' expects <time> as argument.\n", line.Arg(0))
		}
		d, fault := l.Time(line.Arg(1), time.Millisecond)
		if fault != nil {
			return timeError(fault, line.Arg(1), line.Arg(0), fmt.Sprintf("unexpected character '%c' in argument to <%s>.\n", fault.Char, line.Arg(0)))
		}
		*target(&l.Config.Global) = d
		return nil
	}))
}

// flag is a word of the global section without arguments.
func flag(name, summary string, set func(*Loader)) Keyword {
	return global(name, summary, nil, func(l *Loader, line *ast.Line) {
		if !l.TooMany(line, 1, 0) {
			set(l)
		}
	})
}

// inertFlag is a word without arguments and without meaning here.
func inertFlag(name, note string, modifier bool) Keyword {
	k := inert(name, note, nil, func(l *Loader, line *ast.Line) { l.TooMany(line, 1, 0) })
	k.No = modifier
	return k
}

// choice is an inert word with one of a few values.
func choice(name, note, expects string, values ...string) Keyword {
	return inert(name, note, []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: values}}, reporting(func(l *Loader, line *ast.Line) error {
		if l.TooMany(line, 1, 1) {
			return nil
		}
		for _, v := range values {
			if line.Arg(1) == v {
				return nil
			}
		}
		return fmt.Errorf("'%s' expects %s", line.Arg(0), fmt.Sprintf(expects, line.Arg(1)))
	}))
}

// onProxy is a row of the proxy sections.
func onProxy(name, ref, summary string, args []keyword.Arg, parse func(*Loader, *ast.Line)) Keyword {
	d := doc(name, ref, summary)
	d.Args = args
	return Keyword{Doc: d, In: Proxies, Parse: parse}
}

// proxyInt is a number of one side of a proxy. The other side warns and takes it
// all the same, as it may be a defaults section's.
func proxyInt(name, summary string, caps runtime.Cap, hint, missing string, target func(*runtime.Proxy) *int) Keyword {
	return onProxy(name, "4.2", summary, arg("number", keyword.Int), func(l *Loader, line *ast.Line) {
		l.IgnoredWithout(caps, line.Pos, line.Arg(0), hint)
		if line.Arg(1) == "" {
			l.Alert(line.Pos, "'%s' %s", line.Arg(0), missing)
			return
		}
		*target(l.Proxy) = atol(line.Arg(1))
		l.TooMany(line, 1, 1)
	})
}

// timeout is the row of "timeout <event>".
func timeout(event, summary string, caps runtime.Cap, target func(*runtime.Timeouts) *time.Duration) Keyword {
	return onProxy("timeout "+event, "4.2", summary, arg("time", keyword.Time), reporting(func(l *Loader, line *ast.Line) error {
		return l.timeout(line, event, caps, target)
	}))
}

func (l *Loader) timeout(line *ast.Line, event string, caps runtime.Cap, target func(*runtime.Timeouts) *time.Duration) error {
	px, value := l.Proxy, line.Arg(2)
	if value == "" {
		return fmt.Errorf("'timeout %s' expects an integer value (in milliseconds)", event)
	}
	d, fault := l.Time(value, time.Millisecond)
	if fault != nil {
		return timeError(fault, value, "timeout "+event, fmt.Sprintf("unexpected character '%c' in 'timeout %s'", fault.Char, event))
	}
	var result error
	to := target(&px.Timeout)
	if bareBelow(value, 100) {
		n := d.Milliseconds()
		result = Warning(fmt.Sprintf("'timeout %s %d' in %s '%s' is suspiciously small for a value in milliseconds. Please use an explicit unit ('%dms') if that was the intent.",
			event, n, px.Kind, px.Name, n))
	}
	side := "frontend"
	if caps&runtime.CapBack != 0 {
		side = "backend"
	}
	if px.Caps&caps == 0 {
		result = Warning(fmt.Sprintf("'timeout %s' will be ignored because %s '%s' has no %s capability", event, px.Kind, px.Name, side))
	} else if base := l.defaults.current; base != nil && *to != *target(&base.Timeout) {
		result = Warning(fmt.Sprintf("overwriting 'timeout %s' which was already specified", event))
	}
	if extra := line.Arg(3); extra != "" {
		result = fmt.Errorf("'timeout %s' : unexpected extra argument '%s' after value '%s'.", event, extra, value)
	}
	*to = d
	return result
}
