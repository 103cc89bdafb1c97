package logger

import (
	"bytes"
	"strconv"
	"time"

	"hapax/runtime"
	"hapax/runtime/logger/syslog"
)

// head is a syslog header that is used again while nothing in it changes.
type head struct {
	second int64
	level  int
	text   []byte
}

// header gives the syslog header of a target for a message of our own, up to the structured data; h is the one of the
// last message.
func (w *scribe) header(h *head, t *target, tag []byte, level int, now int64) []byte {
	second := now / 1e6
	precise := t.form == runtime.LogRFC5424 || t.form == runtime.LogTimed || t.form == runtime.LogISO
	if !precise && h.second == second && h.level == level {
		return h.text
	}
	h.second, h.level = second, level
	w.own = syslog.Message{Level: level, Facility: t.Facility, Host: t.host, Tag: tag, PID: w.logger.pid}
	h.text = w.appendHeader(h.text[:0], t.form, &w.own, now)
	return h.text
}

// appendHeader appends the header of a message in a format, up to the structured data. What the message does not say of
// itself is made up for: the date is now, in µs.
func (w *scribe) appendHeader(b []byte, form runtime.LogFormat, m *syslog.Message, now int64) []byte {
	switch form {
	case runtime.LogLocal, runtime.LogRFC3164, runtime.LogRFC5424, runtime.LogPriority:
		b = priority(b, int32(m.Facility<<3+m.Level))
	case runtime.LogShort, runtime.LogTimed:
		b = priority(b, int32(m.Level))
	}
	switch form {
	case runtime.LogLocal, runtime.LogRFC3164:
		b = append(w.legacyDate(b, m.Time, now), ' ')
	case runtime.LogRFC5424:
		b = append(b, "1 "...)
		if string(m.Time) == "-" {
			b = append(b, "- "...)
			break
		}
		b = append(w.isoDate(b, m.Time, now), ' ')
	case runtime.LogTimed, runtime.LogISO:
		b = append(w.isoDate(b, m.Time, now), ' ')
	}
	switch form {
	case runtime.LogRFC3164:
		b = field(b, m.Host, "localhost")
		b = sender(b, m)
	case runtime.LogLocal:
		b = sender(b, m)
	case runtime.LogRFC5424:
		for _, f := range [...][]byte{m.Host, m.Tag, m.PID, m.ID} {
			b = field(b, f, "-")
		}
	}
	return b
}

// priority appends "<n>", of which three digits are shown at most.
func priority(b []byte, n int32) []byte {
	var digits [3]byte
	at := len(digits)
	for {
		at--
		digits[at] = '0' + byte(n%10)
		if n /= 10; n == 0 || at == 0 {
			break
		}
	}
	return append(append(append(b, '<'), digits[at:]...), '>')
}

// field appends a word and a space.
func field(b, word []byte, otherwise string) []byte {
	if len(word) == 0 {
		b = append(b, otherwise...)
	} else {
		b = append(b, word...)
	}
	return append(b, ' ')
}

// sender appends the tag and the process: "haproxy[123]: ".
func sender(b []byte, m *syslog.Message) []byte {
	if len(m.Tag) == 0 {
		return b
	}
	b = append(b, m.Tag...)
	if len(m.PID) > 0 {
		b = append(append(append(b, '['), m.PID...), ']')
	}
	return append(b, ": "...)
}

// legacyDate appends a date of RFC 3164: that of the message, in whichever form it came, or now.
func (w *scribe) legacyDate(b, date []byte, now int64) []byte {
	switch {
	case len(date) == syslog.LegacyTimeLen:
		return append(b, date...)
	case len(date) >= syslog.ISOTimeLen:
		month := max(10*(int(date[5])-'0')+int(date[6])-'0', 1)
		if month > 12 {
			break
		}
		b = append(append(b, months[3*month-3:3*month]...), ' ')
		if date[8] == '0' {
			b = append(b, ' ')
		} else {
			b = append(b, date[8])
		}
		return append(append(b, date[9], ' '), date[11:19]...)
	}
	return w.dates.syslog(b, now/1e6)
}

// isoDate appends a date of RFC 5424: that of the message, in whichever form it came, or now. One of RFC 3164 knows
// neither its year, which is the last one in which it is not to come yet, nor its zone.
func (w *scribe) isoDate(b, date []byte, now int64) []byte {
	switch {
	case len(date) >= syslog.ISOTimeLen:
		return append(b, date...)
	case len(date) == syslog.LegacyTimeLen:
		month := bytes.Index([]byte(months), date[:3])/3 + 1
		today := time.UnixMicro(now)
		year := today.Year()
		if int(today.Month()) < month {
			year--
		}
		b = append(strconv.AppendInt(b, int64(year), 10), '-')
		b = append(pad(b, month, 2), '-')
		if date[4] == ' ' {
			b = append(b, '0')
		} else {
			b = append(b, date[4])
		}
		return append(append(append(b, date[5], 'T'), date[7:15]...), "-00:00"...)
	}
	return w.dates.iso(b, now)
}
