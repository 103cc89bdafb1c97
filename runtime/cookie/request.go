package cookie

import (
	"bytes"
	"time"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// dateMark separates a server's name from the dates behind it, prefixMark from the
// server's own value in prefix mode.
const (
	dateMark   = '|'
	prefixMark = '~'
)

// day is how far in the future a date may lie without being ignored, in seconds.
const day = 86400

// Request looks at the cookies of the request: it captures one for the log, gives the
// stream the server that the persistence cookie names, and takes out of the header what
// servers are not to see. It is called when no rule changes the request any more.
func Request(s *runtime.Stream) {
	applyRules(s)
	c := s.Back.Cookie
	named := c != nil && c.Name != ""
	if named {
		s.CookieIn, s.CookieOut = None, None
	}
	if !named && s.Front.Capture.Cookie == "" {
		return
	}
	m := &s.Req
	for i := m.FindID(message.Cookie, 0); i >= 0; i = m.FindID(message.Cookie, i) {
		value := m.Value(i)
		h := readCookies(s, c, value)
		switch {
		case len(h) == len(value):
		case len(h) == 0:
			m.Remove(i)
			continue
		default:
			m.Fields[i].Value.Len = uint32(len(h))
		}
		i++
	}
}

// applyRules evaluates force-persist and ignore-persist: the first one that holds counts.
func applyRules(s *runtime.Stream) {
	for i := range s.Back.PersistRules {
		r := &s.Back.PersistRules[i]
		s.Ctx.Dir, s.Ctx.Final, s.Ctx.Checkpoint = sample.Request, true, sample.SetServer
		if r.Cond.Eval(&s.Ctx) == acl.Pass {
			s.ForcePersist, s.IgnorePersist = r.Force, !r.Force
			return
		}
	}
}

// readCookies reads one Cookie header and changes it in place; an empty result means
// that nothing is left of it.
func readCookies(s *runtime.Stream, c *runtime.CookieConfig, h []byte) []byte {
	doomed := -1  // where what is to be taken out begins
	keep := false // something of the header stays
	for at, first := 0, true; at < len(h); first = false {
		p := pairAt(h, at, first, true)
		at = p.next
		switch {
		case p.name < len(h) && h[p.name] == '$':
			continue // an attribute of the cookie before it, with which it goes (RFC 2965)
		case p.equal < p.next:
			h = p.tighten(h)
			at = p.next
			s.CookieReq = capture(s.Front, s.CookieReq, h[p.name:p.valueEnd])
			if c == nil || c.Name == "" || string(h[p.name:p.nameEnd]) != c.Name {
				break
			}
			end := choose(s, c, h[p.value:p.valueEnd]) + p.value
			switch {
			case c.Mode == runtime.CookiePrefix && end != p.valueEnd:
				n := end + 1 - p.value
				h = remove(h, p.value, end+1)
				at -= n
				doomed, keep = -1, true
			case doomed < 0 && c.Mode == runtime.CookieInsert && c.Indirect:
				doomed = p.from
			}
			continue
		}
		// Somebody else's cookie: it stays, and what is to go before it can go now.
		keep = true
		if doomed >= 0 {
			n := len(h)
			h, _ = cut(h, doomed, p.from)
			at -= n - len(h)
			doomed = -1
		}
	}
	switch {
	case doomed >= 0 && keep:
		return h[:doomed]
	case doomed >= 0:
		return h[:0]
	}
	return h
}

// choose takes the server that a persistence cookie names, and gives where its name ends.
func choose(s *runtime.Stream, c *runtime.CookieConfig, value []byte) (end int) {
	end = len(value)
	if c.Mode == runtime.CookiePrefix {
		if i := bytes.IndexByte(value, prefixMark); i >= 0 {
			end = i
		}
	} else if i := bytes.IndexByte(value, dateMark); i >= 0 {
		end = i
		readDates(s, value[i+1:])
	}
	now := s.Ctx.Now.Unix()
	st := &s.Cookie
	switch {
	case st.FirstDate != 0 && outdated(st.FirstDate, now, c.MaxLife):
		s.CookieIn = Old
		end, st.FirstDate, st.LastDate = 0, 0, 0
	case st.LastDate != 0 && outdated(st.LastDate, now, c.MaxIdle):
		s.CookieIn = Expired
		end, st.FirstDate, st.LastDate = 0, 0, 0
	}
	taken := s.IgnorePersist || s.Server != nil
	if end > 0 && !taken && find(s, value[:end]) {
		return end
	}
	if s.CookieIn == None {
		s.CookieIn = Invalid
		if taken {
			s.CookieIn = Unused
		}
	}
	return end
}

// find gives the stream the first usable server with that cookie: several may share one,
// so that a backup server may stand for one server only.
func find(s *runtime.Stream, name []byte) bool {
	for _, srv := range s.Back.AllServers() {
		if value := srv.LiveCookie(); value == "" || value != string(name) {
			continue
		}
		up := runtime.ServerState(srv.State.Load()) != runtime.ServerStopped
		s.CookieIn = Down
		if up {
			s.CookieIn = Valid
		}
		if up || s.ForcePersist || s.Back.Options&runtime.OptPersist != 0 {
			s.Server, s.Direct, s.Cookie.Server = srv, true, srv
			return true
		}
	}
	return false
}

// readDates reads "<last seen>[|<first seen>]".
func readDates(s *runtime.Stream, b []byte) {
	if len(b) >= dateLen {
		if d := dateAt(b); d > 0 {
			s.Cookie.LastDate = d
		}
	}
	if i := bytes.IndexByte(b, dateMark); i >= 0 && len(b)-i > dateLen {
		if d := dateAt(b[i+1:]); d > 0 {
			s.Cookie.FirstDate = d
		}
	}
}

// outdated tells whether a date is too long ago for a limit, 0 for none. One in the
// future counts as now, up to a day: clocks may be wrong without all clients losing
// their server.
func outdated(date, now int64, limit time.Duration) bool {
	return limit != 0 && (now-date > int64(limit/time.Second) || date-now > day)
}
