package config

import (
	"errors"
	"fmt"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// What is Missing and belongs to no domain yet, with the checks of its arguments.

// absent is a Doc of something that is only checked.
func absent(name, ref, summary string, args ...keyword.Arg) keyword.Doc {
	return keyword.Doc{Name: name, Ref: ref, Summary: summary, Status: keyword.Missing, Args: args}
}

// checkedBindWords are options of bind lines.
func checkedBindWords() []BindWord {
	return []BindWord{
		{Doc: absent("idle-ping", "5.1", "time between pings of idle HTTP/2 connections", keyword.Arg{Name: "time", Type: keyword.Time}), Parse: func(l *Loader, w *Words, _ *runtime.Bind) error {
			return idlePing(l, w, "on bind line")
		}},
	}
}

// checkedServerWords are options of server lines.
func checkedServerWords() []ServerWord {
	flag := func(name, summary string, notDynamic bool) ServerWord {
		return ServerWord{Doc: absent(name, "5.2", summary), NotDynamic: notDynamic, Parse: func(*Loader, *Words, *runtime.Server) error { return nil }}
	}
	return []ServerWord{
		{Doc: absent("idle-ping", "5.2", "time between pings of idle HTTP/2 connections", keyword.Arg{Name: "time", Type: keyword.Time}), Parse: func(l *Loader, w *Words, srv *runtime.Server) error {
			return idlePing(l, w, "of server "+srv.Name)
		}},
		{Doc: absent("npn", "5.2", "protocols that TLS offers by its old way", keyword.Arg{Name: "protocols", Type: keyword.Str}), Parse: func(_ *Loader, w *Words, _ *runtime.Server) error {
			if w.Take() == "" {
				return errors.New("'npn' : missing the comma-delimited NPN protocol suite")
			}
			return nil
		}},
		flag("allow-0rtt", "send early data", false),
	}
}

// idlePing reads the time of "idle-ping"; where says on which line.
func idlePing(l *Loader, w *Words, where string) error {
	value := w.Take()
	if value == "" {
		return errors.New("'idle-ping' expects an argument.")
	}
	_, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		return nil
	case fault.Over:
		return fmt.Errorf("timer overflow in argument <%s> to <idle-ping> %s, maximum value is 2147483647 ms (~24.8 days).", value, where)
	case fault.Under:
		return fmt.Errorf("timer underflow in argument <%s> to <idle-ping> %s, minimum non-null value is 1 ms.", value, where)
	}
	return fmt.Errorf("unexpected character '%c' in 'idle-ping' argument %s.", fault.Char, where)
}

// checkedActions are actions of rules.
func checkedActions() []Action {
	plain := func(*Loader, *ActionLine) (runtime.Exec, error) { return nil, nil }
	return []Action{
		{Doc: absent("wait-for-handshake", "4.4", "wait for the end of the TLS handshake"), In: runtime.HTTPReqRules, Parse: plain},
	}
}
