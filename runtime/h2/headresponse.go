package h2

import "hapax/runtime/message"

// finishResponse completes a response whose block was decoded.
func (d *decoding) finishResponse(st *Stream, end bool) {
	m := d.m
	if d.bad || d.seen != 1<<status || !d.statusLine(st) {
		d.bad = true
		return
	}
	m.Flags |= message.Version11 | message.LengthKnown
	code := m.Status
	if st.state&bodyless != 0 {
		m.Method = message.HEAD
	}
	switch {
	case st.state&tunnel != 0 && (code == 101 || code >= 200 && code < 300):
		m.Flags = m.Flags&^message.ContentLength | message.Bodyless
		m.BodyLength = 0
	case code < 200:
		m.Flags |= message.Bodyless
	case code == 204 || code == 304 || m.Method == message.HEAD:
		m.Flags |= message.Bodyless | message.BodylessResponse
	case m.BodyLength == 0 && (end || m.Flags&message.ContentLength != 0):
		m.Flags |= message.Bodyless
	case m.Flags&message.ContentLength == 0:
		m.Flags |= message.Framed
	}
	if code >= 200 && m.Flags&message.Bodyless == 0 || code >= 300 {
		st.state &^= tunnel
	}
}

// statusLine makes the start line of a response. What the extended CONNECT method accepts with 200 is 101 in HTTP/1.1.
func (d *decoding) statusLine(st *Stream) bool {
	m := d.m
	s := d.text(status)
	if len(s) != 3 {
		return false
	}
	code := 0
	for _, b := range s {
		if b < '0' || b > '9' {
			return false
		}
		code = code*10 + int(b-'0')
	}
	if code == 101 {
		return false
	}
	if st.state&extended != 0 && code == 200 {
		code = 101
		m.Flags |= message.ConnUpgrade
	}
	return m.SetStatusLine("HTTP/2.0", code, "") == nil
}
