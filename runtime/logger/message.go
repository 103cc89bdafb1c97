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
// data, empty for none.
func (p *plan) send(w *scribe, level int, now int64, sd, body []byte) {
	for len(body) > 0 && (body[len(body)-1] == '\n' || body[len(body)-1] == 0) {
		body = body[:len(body)-1]
	}
	if len(body) == 0 {
		return
	}
	for _, t := range p.targets {
		if level > t.Level || t.sample != nil && !t.sample.Take() {
			continue
		}
		var data []byte
		if t.form == runtime.LogRFC5424 {
			data = w.structured(sd)
		}
		t.Sender.Send(w.loop, w.header(t, max(level, t.MinLevel), now), data, body)
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

// header gives the syslog header of a target, up to the structured data.
func (w *scribe) header(t *target, level int, now int64) []byte {
	h := &w.heads[t.index]
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
		b = w.sender(b, t)
	case runtime.LogLocal:
		b = w.sender(b, t)
	case runtime.LogRFC5424:
		host := t.host
		if host == "" {
			host = "-"
		}
		b = append(append(b, host...), ' ')
		b = append(append(b, t.tag...), ' ')
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
func (w *scribe) sender(b []byte, t *target) []byte {
	b = append(append(b, t.tag...), '[')
	b = strconv.AppendInt(b, int64(w.logger.pid), 10)
	return append(b, "]: "...)
}
