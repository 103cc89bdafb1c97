package cache

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"

	"hapax/runtime/message"
)

// consent is what the two messages of an exchange allow. Sections 3 and 5.2 of RFC 9111.
type consent struct {
	ignored  bool // the request wants an answer of the server
	storable bool
	cookies  bool // the cookies may be stored too
}

// ofRequest reads what the request says.
func (a *consent) ofRequest(m *message.Message) {
	if m.Flags&message.Version11 == 0 || m.Method != message.GET && m.Method != message.HEAD {
		a.ignored = true
	} else {
		a.storable, a.cookies = true, true
	}
	if m.FindID(message.Authorization, 0) >= 0 {
		*a = consent{ignored: true}
	}
	controlled := false
	for v := m.Values("cache-control"); v.Next(); {
		controlled = true
		switch b := v.Bytes(); {
		case begins(b, "max-age"), begins(b, "no-cache"), begins(b, "max-stale"), begins(b, "min-fresh"):
			a.ignored = true
		case begins(b, "no-store"):
			a.storable, a.cookies = false, false
		}
	}
	if !controlled && message.EqualFold(m.GetID(message.Pragma), "no-cache") {
		a.ignored = true
	}
}

// ofResponse reads what the response says.
func (a *consent) ofResponse(m *message.Message) {
	if message.EqualFold(m.GetID(message.Pragma), "no-cache") {
		a.storable, a.cookies = false, false
		return
	}
	fresh, never := false, false
	for v := m.Values("cache-control"); v.Next(); {
		switch b := v.Bytes(); {
		case message.EqualFold(b, "public"):
			a.storable, a.cookies = true, true
		case message.EqualFold(b, "max-age=0"):
			never = true
		case message.EqualFold(b, `no-cache="set-cookie"`):
			a.cookies = false
		case message.EqualFold(b, "private"), begins(b, "private="), message.EqualFold(b, "no-cache"), begins(b, "no-cache="),
			message.EqualFold(b, "no-store"), begins(b, "no-store="), message.EqualFold(b, "s-maxage=0"):
			a.storable, a.cookies = false, false
		case begins(b, "s-maxage"):
			fresh, never = true, false
		case begins(b, "max-age"):
			fresh = true
		}
	}
	if never {
		a.storable, a.cookies = false, false
	}
	if !fresh && m.FindID(message.Expires, 0) < 0 && m.FindID(message.ETag, 0) < 0 && m.FindID(message.LastModified, 0) < 0 {
		a.storable = false
	}
}

func begins(b []byte, word string) bool {
	return len(b) >= len(word) && message.EqualFold(b[:len(word)], word)
}

// lifetime is how many seconds a response may be used, at most most, and how many it says itself; 0: it does not say. Negative: what it
// says is not valid.
func lifetime(m *message.Message, most, now int64) (used, said int64) {
	shared, own := int64(-1), int64(-1)
	for v := m.Values("cache-control"); v.Next(); {
		for _, d := range [...]struct {
			word string
			into *int64
		}{{"s-maxage=", &shared}, {"max-age=", &own}} {
			if b := v.Bytes(); begins(b, d.word) {
				n, ok := leading(b[len(d.word):])
				if !ok {
					return -1, 0
				}
				*d.into = n
			}
		}
	}
	said = -1
	switch at := m.FindID(message.Expires, 0); {
	case shared > 0:
		said = shared
	case own > 0:
		said = own
	case shared < 0 && own < 0 && at >= 0:
		said = 0 // what is no date is in the past
		if t, ok := date(m.Value(at)); ok {
			said = max(t-now, 0)
		}
	}
	if said < 0 {
		return most, 0
	}
	return min(said, most), said
}

// leading reads the number at the beginning of a text, in quotes or not.
func leading(b []byte) (int64, bool) {
	b = bytes.TrimPrefix(b, []byte(`"`))
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	if n == 0 {
		return 0, false
	}
	v, err := strconv.ParseInt(string(b[:min(n, 18)]), 10, 64)
	return v, err == nil
}

// date reads a date of HTTP, in unix seconds.
func date(b []byte) (int64, bool) {
	t, err := http.ParseTime(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, false
	}
	return t.Unix(), true
}

// modified is when the content of a response last changed, as far as it tells.
func modified(m *message.Message, now int64) int64 {
	for _, id := range [...]message.HeaderID{message.LastModified, message.Date} {
		if at := m.FindID(id, 0); at >= 0 {
			if t, ok := date(m.Value(at)); ok && t != 0 {
				return t
			}
		}
	}
	return now
}

// mostAge is the largest Age, in seconds. Section 1.2.2 of RFC 9111.
const mostAge = 1<<31 - 1

// ageOf reads the Age header; false: what it has is no age above 0. at is its field, -1: there is none.
func ageOf(m *message.Message) (age int64, at int, ok bool) {
	at = m.Find("age", 0)
	if at < 0 {
		return 0, at, true
	}
	n, err := strconv.ParseInt(string(m.Value(at)), 10, 64)
	return min(n, mostAge), at, err == nil && n > 0
}

// unchanged tells whether the client has the entry already. Section 13.2.2 of RFC 9110.
func unchanged(m *message.Message, e *Entry) bool {
	asked := false
	for v := m.Values("if-none-match"); v.Next(); {
		asked = true
		b := v.Bytes()
		if string(b) == "*" {
			return true
		}
		if len(e.tag) == 0 {
			break
		}
		if tag, ok := opaque(b); ok {
			if own, ok := opaque(e.tag); ok && bytes.Equal(tag, own) {
				return true
			}
		}
	}
	if asked {
		return false
	}
	at := m.Find("if-modified-since", 0)
	if at < 0 {
		return false
	}
	t, ok := date(m.Value(at))
	return ok && e.modified <= t
}

// opaque is what tags are compared by: weak ones are as good as strong ones here.
func opaque(tag []byte) ([]byte, bool) {
	if len(tag) < 2 || tag[len(tag)-1] != '"' {
		return nil, false
	}
	tag = bytes.TrimPrefix(tag, []byte("W/"))
	return tag, tag[0] == '"'
}
