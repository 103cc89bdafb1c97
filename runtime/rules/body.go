package rules

import (
	"errors"
	"fmt"
	"time"

	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
)

// parseWaitForBody reads `wait-for-body time <time> [at-least <bytes>] [use-large-buffer]`. The engine gathers the
// body.
func parseWaitForBody(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	errTime := errors.New("expects time <time> [ at-least <bytes> ]")
	var patience time.Duration
	var least uint32
	timed, large := false, false
	for {
		switch word := a.Peek(); word {
		case "time", "at-least":
			a.Skip(1)
			value := a.Take()
			if value == "" {
				return nil, fmt.Errorf("missing argument for '%s'", word)
			}
			if word == "at-least" {
				n, rest, ok := units.Size(value)
				if !ok {
					return nil, fmt.Errorf("unexpected character '%c'", rest[0])
				}
				least = n
				continue
			}
			d, fault := l.Time(value, time.Millisecond)
			switch {
			case fault == nil:
			case fault.Over:
				return nil, errors.New("time overflow (maximum value is 2147483647 ms or ~24.8 days)")
			case fault.Under:
				return nil, errors.New("time underflow (minimum non-null value is 1 ms)")
			default:
				return nil, fmt.Errorf("unexpected character '%c'", fault.Char)
			}
			patience, timed = d, true
			continue
		case "use-large-buffer":
			pos := a.Pos()
			a.Skip(1)
			large = true
			l.CheckRule(func() error {
				if l.Config.Global.Tune.LargeBuf > 0 {
					return nil
				}
				return fmt.Errorf("unable to use large buffers at %s:%d, 'tune.bufsize.large' global parameter must be set", pos.File, pos.Line)
			})
			continue
		}
		break
	}
	if !timed {
		return nil, errTime
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.BodyTime, s.BodyLeast, s.BodyLarge = patience, int(least), large
		return runtime.NeedBody
	}, nil
}
