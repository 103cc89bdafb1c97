package engine

import (
	"bytes"
	"encoding/base64"
	"strconv"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// frontStats serves the statistics of the frontend, backStats those of the backend.
func (s *stream) frontStats() outcome { return s.serveStats(s.Front, sample.FrontReqHeaders) }
func (s *stream) backStats() outcome  { return s.serveStats(s.Back, sample.BackReqHeaders) }

// serveStats answers a request for the stats page of px, after its rules and
// its users. Section 4.2 "stats enable".
func (s *stream) serveStats(px *runtime.Proxy, at sample.Checkpoint) outcome {
	page := px.Stats
	uri := s.Req.URI()
	if page == nil || s.w.engine.Options.Stats == nil || !statsURI(uri, page.URI) {
		return next
	}
	s.intercepted()
	s.Service = runtime.ServiceStats
	now := s.w.loop.Now()
	s.Time.Queue, s.Time.Connect = now, now
	if len(page.Rules) > 0 {
		s.point(at, sample.Request)
		s.Ctx.Final = true
		switch v := s.eval(page.Rules, &s.req); v {
		case runtime.Continue, runtime.Stop:
		default:
			s.End = runtime.Termination{Cause: runtime.EndNone, State: runtime.InNone}
			s.statsRefused = true
			return s.judgeRequest(v)
		}
	}
	if page.Users != nil && !s.authorized(page) {
		s.End = runtime.Termination{Cause: runtime.EndLocal, State: runtime.InRequest}
		s.statsRefused = true
		return s.answerWith(page.Challenge)
	}
	s.Time.Response = now
	if s.Method != message.GET && s.Method != message.HEAD {
		return s.answerWith(refused(px, s.Method))
	}
	a := s.w.engine.Options.Stats(px, uri)
	s.ResFromServer += int64(len(a.Body))
	r := &runtime.Reply{Status: a.Status, Body: a.Body, Kind: runtime.ReplyLocal, Streamed: a.Status == 200}
	r.Fixed = append(r.Fixed, [2]string{"cache-control", "no-cache"}, [2]string{"content-type", a.Type})
	if a.Refresh > 0 {
		r.Fixed = append(r.Fixed, [2]string{"refresh", strconv.Itoa(a.Refresh)})
	}
	if a.Location != "" {
		r.Fixed = append(r.Fixed, [2]string{"location", a.Location})
	}
	return s.answerWith(r)
}

// serve notes that a service of the program answers in the place of a server.
func (s *stream) serve() {
	now := s.w.loop.Now()
	s.Time.Queue, s.Time.Connect, s.Time.Response = now, now, now
	s.ResFromServer += int64(len(s.Reply.Body))
}

// refused sends the client of a form back to the page, which says why nothing
// was done: nobody is an administrator of this page, or the method is unknown.
func refused(px *runtime.Proxy, m message.Method) *runtime.Reply {
	why := "IVAL"
	if m == message.POST {
		why = "DENY"
	}
	return &runtime.Reply{Status: 303, Kind: runtime.ReplyLocal, Fixed: [][2]string{
		{"cache-control", "no-cache"}, {"content-type", "text/plain"}, {"location", px.Stats.URI + ";st=" + why}}}
}

// challenge makes the reply that asks for a user of the statistics.
func challenge(page *runtime.StatsPage) *runtime.Reply {
	realm := page.Realm
	if realm == "" {
		realm = "HAProxy Statistics"
	}
	return &runtime.Reply{Status: 401, Default: true, Kind: runtime.ReplyLocal,
		Fixed: [][2]string{{"www-authenticate", "Basic realm=\"" + realm + "\""}}}
}

// statsURI tells whether a request is for the stats page: its URI begins with
// the page's, whatever follows.
func statsURI(uri []byte, page string) bool {
	return bytes.HasPrefix(uri, []byte(page))
}

// authorized checks the Authorization header against the page's users.
func (s *stream) authorized(page *runtime.StatsPage) bool {
	v := s.Req.GetID(message.Authorization)
	const scheme = "basic "
	if len(v) < len(scheme) || !message.EqualFold(v[:len(scheme)], scheme) {
		return false
	}
	var text [256]byte
	n, err := base64.StdEncoding.Decode(text[:], bytes.TrimSpace(v[len(scheme):]))
	if err != nil || n > len(text) {
		return false
	}
	name, password, ok := bytes.Cut(text[:n], []byte(":"))
	if !ok {
		return false
	}
	return page.Users.Check(name, password)
}
