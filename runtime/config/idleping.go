package config

import (
	"fmt"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// idlePingOf reads the argument of "idle-ping"; of is how its faults name the line.
func idlePingOf(l *Loader, w *Words, of string) (time.Duration, error) {
	const word = "idle-ping"
	value := w.Take()
	if value == "" {
		return 0, fmt.Errorf("'%s' expects an argument.", word)
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		return d, nil
	case fault.Over:
		return 0, fmt.Errorf("timer overflow in argument <%s> to <%s> %s, maximum value is 2147483647 ms (~24.8 days).", value, word, of)
	case fault.Under:
		return 0, fmt.Errorf("timer underflow in argument <%s> to <%s> %s, minimum non-null value is 1 ms.", value, word, of)
	}
	return 0, fmt.Errorf("unexpected character '%c' in '%s' argument %s.", fault.Char, word, of)
}

// serverIdlePing and bindIdlePing are how often idle HTTP/2 connections are asked whether they live. Sections 5.1 and 5.2
// "idle-ping".
func serverIdlePing() ServerWord {
	d := doc("idle-ping", "5.2", "how often idle HTTP/2 connections are asked whether they live")
	d.Args = arg("time", keyword.Time)
	return ServerWord{Doc: d, Parse: func(l *Loader, w *Words, srv *runtime.Server) (err error) {
		srv.IdlePing, err = idlePingOf(l, w, "of server "+srv.Name)
		return err
	}}
}

func bindIdlePing() BindWord {
	d := doc("idle-ping", "5.1", "how often idle HTTP/2 connections are asked whether they live")
	d.Args = arg("time", keyword.Time)
	return BindWord{Doc: d, Parse: func(l *Loader, w *Words, b *runtime.Bind) (err error) {
		b.IdlePing, err = idlePingOf(l, w, "on bind line")
		return err
	}}
}
