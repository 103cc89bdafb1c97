package engine

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"

	"hapax/acl"
	"hapax/acl/fetch"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
)

// frontStats serves the statistics of the frontend, backStats those of the backend.
func (s *stream) frontStats() outcome { return s.serveStats(s.Front, sample.FrontReqHeaders) }
func (s *stream) backStats() outcome  { return s.serveStats(s.Back, sample.BackReqHeaders) }

// serveStats answers a request for the stats page of px, after its rules and
// its users. Section 4.2 "stats enable".
func (s *stream) serveStats(px *runtime.Proxy, at sample.Checkpoint) outcome {
	page := px.Stats
	if s.Method != message.GET && s.Method != message.HEAD && s.Method != message.POST {
		return next
	}
	if page == nil || s.w.engine.Options.Stats == nil {
		return next
	}
	uri := s.statsURI(page)
	if !bytes.HasPrefix(uri, []byte(page.URI)) {
		return next
	}
	if !s.inStats {
		s.inStats = true
		s.trace(trace.AppletNew, trace.State, "the statistics answer")
		if refused, o := s.refuseStats(page, at); refused {
			return o
		}
		s.intercepted()
		s.rememberService()
		if s.Req.Flags&(message.Chunked|message.ContentLength) != 0 {
			s.expectContinue()
		}
	}
	r := runtime.StatsRequest{Proxy: px, URI: uri, Admin: s.administers(page, at), Post: s.Method == message.POST}
	if r.Post && r.Admin {
		if o := s.bufferBody(); o != next {
			return o
		}
		r.Body, r.Whole = s.Ctx.ReqBody.Data, s.Ctx.ReqBody.Complete
	}
	s.Time.Response = s.w.loop.Now()
	return s.answerStats(s.w.engine.Options.Stats(r))
}

// refuseStats notes that the statistics answer, unless the page's rules or users do not let the client in: then it
// is told so.
func (s *stream) refuseStats(page *runtime.StatsPage, at sample.Checkpoint) (refused bool, o outcome) {
	s.Service = runtime.ServiceStats
	now := s.w.loop.Now()
	s.Time.Request, s.Time.Queue, s.Time.Connect = now, now, now
	if len(page.Rules) > 0 {
		s.point(at, sample.Request)
		s.Ctx.Final = true
		switch v := s.eval(page.Rules, &s.req); v {
		case runtime.Continue, runtime.Stop:
		default:
			s.End = runtime.Termination{Cause: runtime.EndNone, State: runtime.InNone}
			s.noteRefused()
			return true, s.judgeRequest(v)
		}
	}
	if page.Users == nil {
		return false, next
	}
	s.point(at, sample.Request)
	if !fetch.Authenticated(&s.Ctx, page.Users) {
		s.intercepted()
		s.End = runtime.Termination{Cause: runtime.EndLocal, State: runtime.InRequest}
		s.noteRefused()
		sticktable.CountError(&s.Stream)
		return true, s.answerWith(page.Challenge)
	}
	return false, next
}

// noteRefused notes that the statistics are not for this client. The reference takes that for a client that has left, and
// counts the error of it beside the answer.
func (s *stream) noteRefused() {
	s.statsRefused = true
	s.countAborts(true)
	s.countAborts(true)
	s.beginReply()
	if body, err := s.fillReply(s.errorReply(400)); err == nil {
		s.BytesOut += headSize(&s.Res)
		if s.Method != message.HEAD {
			s.BytesOut += int64(len(body))
		}
	}
}

// administers tells whether a "stats admin" line lets the client change servers.
func (s *stream) administers(page *runtime.StatsPage, at sample.Checkpoint) bool {
	if len(page.Admin) == 0 {
		return false
	}
	s.point(at, sample.Request)
	s.Ctx.Final = true
	for _, cond := range page.Admin {
		if cond == nil || cond.Eval(&s.Ctx) == acl.Pass {
			return true
		}
	}
	return false
}

func (s *stream) answerStats(a runtime.StatsAnswer) outcome {
	r := &runtime.Reply{Status: a.Status, Parts: a.Parts, Kind: runtime.ReplyLocal}
	r.Fixed = append(r.Fixed, [2]string{"cache-control", "no-cache"}, [2]string{"content-type", a.Type})
	if a.Refresh > 0 {
		r.Fixed = append(r.Fixed, [2]string{"refresh", strconv.Itoa(a.Refresh)})
	}
	if a.Parts != nil && s.Req.Flags&message.Version11 != 0 && s.Method != message.HEAD {
		r.Chunked = true
		r.Fixed = append(r.Fixed, [2]string{"transfer-encoding", "chunked"})
	}
	if a.Location != "" {
		r.Fixed = append(r.Fixed, [2]string{"content-length", "0"}, [2]string{"location", a.Location})
	}
	return s.answerWith(r)
}

// served tells whether the answer is that of a service. What a cache answers with is a response as of a server.
func (s *stream) served() bool {
	return s.Service != "" && s.Service != runtime.ServiceCache && !s.statsRefused
}

// serve notes that a service of the program answers in the place of a server.
func (s *stream) serve() {
	now := s.w.loop.Now()
	s.Time.Request, s.Time.Queue, s.Time.Connect, s.Time.Response = now, now, now, now
	s.rememberService()
}

// rememberService notes the second of the answer where a backend notes that of its last session.
func (s *stream) rememberService() {
	remember(&cmp.Or(s.Back, s.Front).Live.LastSess, s.w.loop.Wall()/1e9)
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

// statsURI is what begins with the page's URI in a request for it, whatever follows: the path, without a scheme and an
// authority before it, when the page's is one.
func (s *stream) statsURI(page *runtime.StatsPage) []byte {
	if strings.HasPrefix(page.URI, "/") {
		return s.Req.PathQuery()
	}
	return s.Req.URI()
}
