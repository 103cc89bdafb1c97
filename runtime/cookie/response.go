package cookie

import (
	"errors"

	"hapax/runtime"
	"hapax/runtime/message"
)

// ErrCacheable says that "option checkcache" refuses the response: its cookie could be
// kept by a cache and given to others.
var ErrCacheable = errors.New("cacheable cookie in response")

// Response looks at the cookies of a server's response, inserts or rewrites the
// persistence cookie, and captures one for the log. It is called for a final response or
// a 101, behind the http-response rules. It fails with message.ErrNoRoom when the message
// has no room left, and with ErrCacheable.
func Response(s *runtime.Stream) error {
	c := s.Back.Cookie
	if c != nil && c.Name == "" {
		c = nil
	}
	check := s.Back.Options&runtime.OptCheckCache != 0
	if c == nil && s.Front.Capture.Cookie == "" && !check {
		return nil
	}
	present := s.Res.FindID(message.SetCookie, 0) >= 0
	if c != nil || s.Front.Capture.Cookie != "" {
		if err := readSetCookies(s, c); err != nil {
			return err
		}
	}
	var caching cacheability
	if check || c != nil && c.NoCache {
		caching = cacheabilityOf(s)
	}
	if c != nil && wanted(s, c) {
		if err := insert(s, c); err != nil {
			return err
		}
		if c.NoCache && caching.response {
			caching = cacheability{}
			if err := s.Res.AddString("cache-control", "private"); err != nil {
				return err
			}
		}
	}
	if check && present && caching.response && caching.cookie {
		return ErrCacheable
	}
	return nil
}

// readSetCookies reads all Set-Cookie headers and changes those that hold the
// persistence cookie. Each holds one cookie: commas may stand in its attributes.
func readSetCookies(s *runtime.Stream, c *runtime.CookieConfig) error {
	m := &s.Res
	for i := m.FindID(message.SetCookie, 0); i >= 0; i = m.FindID(message.SetCookie, i+1) {
		h := m.Value(i)
		p := pairAt(h, 0, true, false)
		if p.equal == p.valueEnd {
			continue
		}
		h = p.tighten(h)
		m.Fields[i].Value.Len = uint32(len(h))
		s.CookieRes = capture(s.Front, s.CookieRes, h[p.name:p.valueEnd])
		if c == nil || s.IgnorePersist || string(h[p.name:p.nameEnd]) != c.Name {
			continue
		}
		s.CookieOut = Passive
		srv := s.Chosen()
		switch {
		case c.Preserve:
		case srv != nil && c.Mode == runtime.CookieInsert, s.Direct && c.Indirect:
			m.Remove(i)
			i--
			s.CookieOut = Deleted
		case srv == nil || srv.LiveCookie() == "":
		case c.Mode == runtime.CookieRewrite:
			if err := splice(s, i, p.value, p.valueEnd, srv.LiveCookie(), ""); err != nil {
				return err
			}
			s.CookieOut = Replaced
		case c.Mode == runtime.CookiePrefix:
			if err := splice(s, i, p.value, p.value, srv.LiveCookie(), string(rune(prefixMark))); err != nil {
				return err
			}
			s.CookieOut = Replaced
		}
	}
	return nil
}

// splice puts text in the place of bytes from to to of the value of field i.
func splice(s *runtime.Stream, i, from, to int, text, mark string) error {
	h := s.Res.Value(i)
	b := s.Ctx.Scratch.Room()
	if len(h)+len(text)+len(mark) > cap(b) {
		return message.ErrNoRoom
	}
	b = append(b, h[:from]...)
	b = append(append(b, text...), mark...)
	b = append(b, h[to:]...)
	return s.Res.SetValue(i, b)
}

// wanted tells whether a cookie is to be inserted: the client does not have the one of
// its server yet, or its dates are to be renewed.
func wanted(s *runtime.Stream, c *runtime.CookieConfig) bool {
	switch {
	case s.Chosen() == nil, c.Mode != runtime.CookieInsert, s.IgnorePersist:
		return false
	case s.CookieOut == Passive && c.Preserve:
		return false
	case c.PostOnly && s.Method != message.POST:
		return false
	case !s.Direct:
		return true
	}
	st := &s.Cookie
	now := s.Ctx.Now.Unix()
	return (c.MaxIdle != 0 || st.LastDate != 0) && (st.LastDate == 0 || st.LastDate < now) ||
		c.MaxLife != 0 && st.FirstDate == 0 ||
		c.MaxLife == 0 && st.FirstDate != 0
}

// insert adds the cookie of the stream's server, or one that removes the client's when
// the server has none.
func insert(s *runtime.Stream, c *runtime.CookieConfig) error {
	b := append(append(s.Ctx.Scratch.Room(), c.Name...), '=')
	if s.Server.LiveCookie() == "" {
		b = append(b, "; Expires=Thu, 01-Jan-1970 00:00:01 GMT"...)
	} else {
		b = append(b, s.Server.LiveCookie()...)
		if c.MaxIdle != 0 || c.MaxLife != 0 {
			now := (s.Ctx.Now.Unix() + 3) >> 2
			b = appendDate(append(b, dateMark), now)
			if c.MaxLife != 0 {
				first := now
				if s.Cookie.FirstDate != 0 {
					first = s.Cookie.FirstDate >> 2
				}
				b = appendDate(append(b, dateMark), first)
			}
		}
	}
	b = append(b, c.Tail...)
	if err := s.Res.Add("set-cookie", b); err != nil {
		return err
	}
	s.CookieOut = Inserted
	if s.Server.LiveCookie() != "" && s.Direct {
		s.CookieOut = Updated // the same server, new dates
	}
	return nil
}

// cacheability tells whether caches may keep the response, and its cookies with it.
type cacheability struct{ response, cookie bool }

// cacheabilityOf reads what the response says about caches (RFC 9111).
func cacheabilityOf(s *runtime.Stream) cacheability {
	var c cacheability
	switch s.Method {
	case message.GET, message.HEAD, message.OPTIONS, message.TRACE:
		c = cacheability{true, true}
	}
	m := &s.Res
	switch m.Status {
	case 200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501:
	default:
		c = cacheability{}
	}
	if m.Status < 200 || message.EqualFold(m.GetID(message.Pragma), "no-cache") {
		return cacheability{}
	}
	fresh, expired := false, false
	for v := m.Values("cache-control"); v.Next(); {
		switch word := v.Bytes(); {
		case message.EqualFold(word, "public"):
			c = cacheability{true, true}
		case message.EqualFold(word, "max-age=0"):
			expired = true
		case message.EqualFold(word, `no-cache="set-cookie"`):
			c.cookie = false
		case message.EqualFold(word, "private"), begins(word, "private="), message.EqualFold(word, "no-cache"), begins(word, "no-cache="),
			message.EqualFold(word, "no-store"), begins(word, "no-store="), message.EqualFold(word, "s-maxage=0"):
			c = cacheability{}
		case begins(word, "s-maxage"):
			fresh, expired = true, false
		case begins(word, "max-age"):
			fresh = true
		}
	}
	if expired {
		c = cacheability{}
	}
	if !fresh && m.FindID(message.Expires, 0) < 0 && m.FindID(message.ETag, 0) < 0 && m.FindID(message.LastModified, 0) < 0 {
		c.response = false // nothing that a cache could go by
	}
	return c
}

func begins(word []byte, prefix string) bool {
	return len(word) >= len(prefix) && message.EqualFold(word[:len(prefix)], prefix)
}
