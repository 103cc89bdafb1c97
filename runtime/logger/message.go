package logger

import (
	"strconv"

	"hapax/runtime"
)

// head is a syslog header that is used again while nothing in it changes.
type head struct {
	second int64
	level  int
	text   []byte
}

// send gives a message to all targets. now is the wall clock in µs, sd the structured
// data, empty for none. s is the stream that it is about, nil for other messages; profile
// is the one of "do-log", nil for those of the targets.
func (p *plan) send(w *scribe, level int, now int64, sd, body []byte, s *runtime.Stream, profile *runtime.LogProfile) {
	for _, t := range p.targets {
		if level > t.Level || t.sample != nil && !t.sample.Take() {
			continue
		}
		by := profile
		if by == nil {
			by = t.Profile
		}
		if by != nil {
			w.byProfile(t, by, level, now, sd, body, s)
			continue
		}
		w.deliver(t, w.header(&w.heads[t.index], t, t.tag, max(level, t.MinLevel), now), sd, body)
	}
}

// byProfile sends a message as a profile wants it at the step of the stream.
func (w *scribe) byProfile(t *target, by *runtime.LogProfile, level int, now int64, sd, body []byte, s *runtime.Stream) {
	head, tag := &w.heads[t.index], t.tag
	if by.Tag != "" {
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
			if n := len(w.other); step.SD != nil {
				w.other = step.SD.Append(w.other, &s.Ctx)
				sd = w.other[n:]
				if step.Format != nil {
					body = w.other[:n]
				}
			}
		}
	}
	w.deliver(t, w.header(head, t, tag, max(level, t.MinLevel), now), sd, body)
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

// deliver hands a message that is not empty to the target.
func (w *scribe) deliver(t *target, head, sd, body []byte) {
	for len(body) > 0 && (body[len(body)-1] == '\n' || body[len(body)-1] == 0) {
		body = body[:len(body)-1]
	}
	if len(body) == 0 {
		return
	}
	var data []byte
	if t.form == runtime.LogRFC5424 {
		data = w.structured(sd)
	}
	t.Sender.Send(w.loop, head, data, body)
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

// header gives the syslog header of a target, up to the structured data; h is the one of the last message.
func (w *scribe) header(h *head, t *target, tag string, level int, now int64) []byte {
	second := now / 1e6
	precise := t.form == runtime.LogRFC5424 || t.form == runtime.LogTimed || t.form == runtime.LogISO
	if !precise && h.second == second && h.level == level {
		return h.text
	}
	h.second, h.level = second, level
	b := h.text[:0]
	switch t.form {
	case runtime.LogLocal, runtime.LogRFC3164, runtime.LogRFC5424, runtime.LogPriority:
		b = priority(b, t.Facility<<3|level)
	case runtime.LogShort, runtime.LogTimed:
		b = priority(b, level)
	}
	switch t.form {
	case runtime.LogLocal, runtime.LogRFC3164:
		b = append(w.dates.syslog(b, second), ' ')
	case runtime.LogRFC5424:
		b = append(w.dates.iso(append(b, "1 "...), now), ' ')
	case runtime.LogTimed, runtime.LogISO:
		b = append(w.dates.iso(b, now), ' ')
	}
	switch t.form {
	case runtime.LogRFC3164:
		host := t.host
		if host == "" {
			host = "localhost"
		}
		b = append(append(b, host...), ' ')
		b = w.sender(b, tag)
	case runtime.LogLocal:
		b = w.sender(b, tag)
	case runtime.LogRFC5424:
		host := t.host
		if host == "" {
			host = "-"
		}
		b = append(append(b, host...), ' ')
		b = append(append(b, tag...), ' ')
		b = strconv.AppendInt(b, int64(w.logger.pid), 10)
		b = append(b, " - "...)
	}
	h.text = b
	return b
}

func priority(b []byte, n int) []byte {
	return append(strconv.AppendInt(append(b, '<'), int64(n), 10), '>')
}

// sender appends the tag and the process: "haproxy[123]: ".
func (w *scribe) sender(b []byte, tag string) []byte {
	b = append(append(b, tag...), '[')
	b = strconv.AppendInt(b, int64(w.logger.pid), 10)
	return append(b, "]: "...)
}
