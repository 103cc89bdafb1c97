// Package syslog reads messages of the syslog protocol as they come from others: their headers (RFC 3164, RFC 5424) and,
// on streams, how they are set apart (RFC 6587). It is bytes in, pieces out, and does no I/O.
package syslog

import "bytes"

// Message is a message taken apart. Its pieces are parts of what was read; one that is not there is empty.
type Message struct {
	Level, Facility int // -1: none was said
	Priority        []byte
	Time            []byte // in the form of its RFC, or "-"
	Host            []byte
	Tag             []byte
	PID             []byte
	ID              []byte // RFC 5424: the kind of the message
	Data            []byte // RFC 5424: structured data
	Body            []byte
}

// LegacyTimeLen is the length of a date of RFC 3164, ISOTimeLen the least one of RFC 5424.
const (
	LegacyTimeLen = len("Jan  1 00:00:00")
	ISOTimeLen    = len("1970-01-01T00:00:00Z")
)

// Bare makes a message of bytes that are not to be looked at.
func Bare(data []byte) Message { return Message{Level: -1, Facility: -1, Body: data} }

// Parse takes a message apart. What has no priority is all body. Behind a good priority a header that breaks its form is
// no header: it belongs to the body, which then has lost two bytes at its end if it announced RFC 5424, as on the
// reference.
func Parse(data []byte) Message {
	m := Bare(data)
	rest, ok := m.priority(data)
	if !ok {
		return m
	}
	m.Body = rest
	bare := m
	switch {
	case len(rest) > 2 && rest[0] == '1' && rest[1] == ' ':
		if m.modern(rest) {
			return m
		}
		bare.Body = rest[:len(rest)-2]
	case len(rest) > LegacyTimeLen:
		if m.legacy(rest) {
			return m
		}
	}
	return bare
}

// priority reads "<n>". The number is one of 32 bits, whatever its digits.
func (m *Message) priority(data []byte) (rest []byte, ok bool) {
	if len(data) < 2 || data[0] != '<' {
		return nil, false
	}
	end := bytes.IndexByte(data, '>')
	if end < 0 {
		return nil, false
	}
	var n int32
	for _, c := range data[1:end] {
		if c < '0' || c > '9' {
			return nil, false
		}
		n = 10*n + int32(c-'0')
	}
	m.Facility, m.Level = int(n>>3), int(n&7)
	m.Priority = data[:end+1]
	return data[end+1:], true
}

// modern reads "1 TIMESTAMP HOSTNAME TAG PID MSGID STRUCTURED-DATA BODY", each of which may be "-" but for the last.
func (m *Message) modern(rest []byte) bool {
	date := rest[2:]
	n, ok := timestamp(date)
	if !ok {
		return false
	}
	m.Time = date[:n]
	rest = date[n+1:]
	for _, field := range []*[]byte{&m.Host, &m.Tag, &m.PID, &m.ID} {
		end := bytes.IndexByte(rest, ' ')
		if end < 1 {
			return false
		}
		*field = unlessNil(rest[:end])
		rest = rest[end+1:]
	}
	n, ok = structuredData(rest)
	if !ok {
		return false
	}
	m.Data, m.Body = unlessNil(rest[:n]), rest[n+1:]
	return true
}

// unlessNil gives a field, nothing for the one that says that there is none.
func unlessNil(field []byte) []byte {
	if len(field) == 1 && field[0] == '-' {
		return nil
	}
	return field
}

// timestamp gives the length of the date that b begins with, which a space follows.
func timestamp(b []byte) (n int, ok bool) {
	if len(b) > 2 && b[0] == '-' && b[1] == ' ' {
		return 1, true
	}
	if len(b) <= ISOTimeLen {
		return 0, false
	}
	n = len("1970-01-01T00:00:00")
	if b[n] == '.' {
		for n++; n < len(b) && b[n] >= '0' && b[n] <= '9'; n++ {
		}
		if n == len(b) || b[n] != 'Z' && b[n] != '+' && b[n] != '-' {
			return 0, false
		}
	}
	if b[n] == 'Z' {
		n++
	} else {
		n += len("+00:00")
	}
	return n, n < len(b) && b[n] == ' '
}

// structuredData gives the length of "-" or "[...][...]", which a space follows. In an element only a bracket that is
// not escaped ends it.
func structuredData(b []byte) (n int, ok bool) {
	if len(b) > 1 && b[0] == '-' {
		return 1, b[1] == ' '
	}
	if len(b) == 0 || b[0] != '[' {
		return 0, false
	}
	inside := false
	for i, c := range b {
		switch {
		case inside:
			inside = c != ']' || b[i-1] == '\\'
		case c == '[':
			inside = true
		default:
			return i, c == ' '
		}
	}
	return 0, false
}

// legacy reads "Jan  1 00:00:00 HOSTNAME TAG[PID]: BODY". The tag may be missing, and the process.
func (m *Message) legacy(rest []byte) bool {
	const months = "JanFebMarAprMayJunJulAugSepOctNovDec"
	if i := bytes.Index([]byte(months), rest[:3]); i < 0 || i%3 != 0 || rest[LegacyTimeLen] != ' ' {
		return false
	}
	date, rest := rest[:LegacyTimeLen], rest[LegacyTimeLen+1:]
	end := bytes.IndexByte(rest, ' ')
	if end < 1 {
		return false
	}
	m.Time, m.Host = date, rest[:end]
	m.Body = rest[end+1:]
	m.tag()
	return true
}

// tag takes "TAG[PID]: " off the body.
func (m *Message) tag() {
	end := bytes.IndexAny(m.Body, " :")
	if end < 0 || m.Body[end] != ':' || end+1 == len(m.Body) || m.Body[end+1] != ' ' {
		return
	}
	word, open := m.Body[:end], -1
	for i, c := range word {
		switch {
		case c == '[':
			open = i
			m.Tag = word[:i]
		case c == ']' && open >= 0:
			if i+1 < end {
				return // the tag stands in the body too, as ever
			}
			m.PID = word[open+1 : i]
		}
	}
	if len(m.Tag) == 0 {
		m.Tag = word
	}
	m.Body = m.Body[end+2:]
}
