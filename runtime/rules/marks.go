package rules

import (
	"errors"
	"strings"

	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/transport"
)

// parseMark reads set-fc-mark, set-fc-tos and their short names, which mark the client's connection, and set-bc-mark
// and set-bc-tos, which mark the connection to the server that is still to be made: `<number>|<expression>`.
func parseMark(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	word := a.Peek()
	if word == "" {
		return nil, errors.New("expects an argument")
	}
	var n number
	var ok bool
	if n.value, ok = integer(word); ok {
		a.Skip(1)
	} else {
		e, err := l.Expr(&a.Words)
		if err != nil {
			return nil, err
		}
		if e.ValidAt()&requestPlaces(a.Proxy) == 0 {
			return nil, unavailable(a.Name, e)
		}
		n.expr = e
	}
	mark := strings.HasSuffix(a.Name, "mark")
	if mark {
		l.Config.Global.NeedsNetAdmin = true
	}
	set := func(m *transport.Marks, value int64) {
		if mark {
			m.Mark, m.HasMark = int(int32(value)), true
		} else {
			m.TOS, m.HasTOS = int(int32(value)), true
		}
	}
	if strings.HasPrefix(a.Name, "set-bc-") {
		return func(s *runtime.Stream) runtime.Verdict {
			if value, ok := n.of(s); ok {
				set(&s.BackMarks, value)
			}
			return runtime.Continue
		}, nil
	}
	return func(s *runtime.Stream) runtime.Verdict {
		if value, ok := n.of(s); ok && !s.Session.Unix {
			var m transport.Marks
			set(&m, value)
			addr := s.Session.Src.Addr()
			m.Apply(int(s.Session.Fd), addr.Is6() && !addr.Is4In6())
		}
		return runtime.Continue
	}, nil
}
