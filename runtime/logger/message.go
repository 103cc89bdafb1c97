package logger

import (
	"fmt"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/config"
)

// send gives a message to all targets. now is the wall clock in µs, sd the structured
// data, empty for none. s is the stream that it is about, nil for other messages; profile
// is the one of "do-log", nil for those of the targets.
func (p *plan) send(w *scribe, level int, now int64, sd, body []byte, s *runtime.Stream, profile *runtime.LogProfile) {
	n := 0
	for _, t := range p.targets {
		if !t.takes(level) {
			continue
		}
		n++
		by := profile
		if by == nil {
			by = t.Profile
		}
		if by != nil {
			w.byProfile(t, n, by, level, now, sd, body, s)
			continue
		}
		w.deliver(t, n, t.form, w.header(&w.heads[t.index], t, t.tag, max(level, t.MinLevel), now), sd, body)
	}
}

// takes tells whether a message of a level goes to the target, and counts it for samples.
func (t *target) takes(level int) bool {
	return level <= t.Level && (t.sample == nil || t.sample.Take())
}

// byProfile sends a message as a profile wants it at the step of the stream.
func (w *scribe) byProfile(t *target, n int, by *runtime.LogProfile, level int, now int64, sd, body []byte, s *runtime.Stream) {
	head, tag := &w.heads[t.index], t.tag
	if len(by.Tag) > 0 {
		head, tag = &w.tagged, by.Tag
		head.second = -1
	}
	if s != nil {
		if step := stepOf(by, s.LogStep); step != nil {
			if step.Drop {
				return
			}
			w.other = w.other[:0]
			if step.Format != nil {
				w.other = step.Format.Append(w.other, &s.Ctx)
				body = w.other
			}
			if own := len(w.other); step.SD != nil {
				w.other = step.SD.Append(w.other, &s.Ctx)
				sd = w.other[own:]
				if step.Format != nil {
					body = w.other[:own]
				}
			}
		}
	}
	w.deliver(t, n, t.form, w.header(head, t, tag, max(level, t.MinLevel), now), sd, body)
}

// stepOf is what a profile says about a step, or about any; nil when it says nothing.
func stepOf(by *runtime.LogProfile, step uint8) *runtime.ProfileStep {
	if step == stepKilled {
		step = stepError
	}
	if x := by.Steps[step]; x != nil {
		return x
	}
	return by.Steps[stepUnknown]
}

// deliver hands a message that is not empty to the target, the nth that it goes to. sd is for the format that has a place for it.
func (w *scribe) deliver(t *target, n int, form runtime.LogFormat, head, sd, body []byte) {
	if len(body) == 0 {
		return
	}
	if form != runtime.LogRFC5424 {
		sd = nil
	} else {
		sd = w.structured(sd)
	}
	for len(body) > 0 && (body[len(body)-1] == '\n' || body[len(body)-1] == 0) {
		body = body[:len(body)-1]
	}
	switch err := t.Sender.Send(w.loop, t.MaxLen, head, sd, body); err {
	case 0:
	case unix.EAGAIN:
		w.logger.config.Stats.DroppedLogs.Inc()
	default:
		w.logger.complain(n, err)
	}
}

// complain tells, once, that a message could not be sent to the nth target.
func (l *Logger) complain(n int, err unix.Errno) {
	if !l.complained.Swap(true) && l.alert != nil {
		l.alert(fmt.Sprintf("sendmsg()/writev() failed in logger #%d: %s (errno=%d)", n, config.ErrnoText(err), int(err)))
	}
}

// structured gives the structured data as it stands before the message.
func (w *scribe) structured(sd []byte) []byte {
	for len(sd) > 0 && sd[len(sd)-1] == ' ' {
		sd = sd[:len(sd)-1]
	}
	if len(sd) == 0 {
		return noData
	}
	w.sd = append(append(w.sd[:0], sd...), ' ')
	return w.sd
}

var noData = []byte("- ")
