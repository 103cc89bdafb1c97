package engine

import (
	"hapax/acl"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/cookie"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/sticktable"
)

// Points at which the rules of a connection are evaluated.
const (
	connPoint = sample.FrontConnection
	sessPoint = sample.FrontSession
)

// admitted runs tcp-request connection or session rules: ok lets the client in, attached to a server if to is not nil.
func (c *client) admitted(rs runtime.Ruleset, at sample.Checkpoint) (to *runtime.Attachment, ok bool) {
	if len(rs) == 0 {
		return nil, true
	}
	s := c.w.takeStream(c)
	s.Ctx.Checkpoint, s.Ctx.Dir, s.Ctx.Final = at, sample.Request, true
	s.Ctx.Front.HTTP = 0 // nothing is spoken yet
	var l lane
	v := s.eval(rs, &l)
	c.silent, c.dropTTL, to = s.Drop, s.DropTTL, s.Attach
	c.w.putStream(s)
	return to, v == runtime.Continue || v == runtime.Stop
}

// eval runs a rule set from where the lane stands in it.
func (s *stream) eval(rs runtime.Ruleset, l *lane) runtime.Verdict {
	ctx := &s.Ctx
	if l.rule == 0 {
		s.StrictMode = true
	}
	for ; l.rule < len(rs); l.rule++ {
		r := rs[l.rule]
		if r.Cond != nil && s.Held != r { // one that waited goes on, whatever became of its condition
			ctx.Scratch.Reset()
			switch r.Cond.Eval(ctx) {
			case acl.Miss:
				if !ctx.Final {
					l.rule = again(rs, l.rule)
					return runtime.Wait
				}
				continue
			case acl.Fail:
				continue
			}
		}
		ctx.Scratch.Reset()
		v := r.Do(&s.Stream)
		if v == runtime.NeedBody {
			v = s.awaitBody(r)
		}
		if v != runtime.Continue {
			switch {
			case v != runtime.Wait:
				s.LastRule = r
			case s.WaitFor > 0:
				s.Held = r
			}
			return v
		}
	}
	return runtime.Continue
}

// again is where a rule set is evaluated from, when more is there to see, after the rule at has missed data: from its
// beginning, but behind the rules of the defaults section when it is one of them. The reference does not come back to
// those.
func again(rs runtime.Ruleset, at int) int {
	if !rs[at].Inherited {
		return 0
	}
	for at < len(rs) && rs[at].Inherited {
		at++
	}
	return at
}

// point sets where the next evaluations stand.
func (s *stream) point(at sample.Checkpoint, dir sample.Dir) {
	s.Ctx.Checkpoint, s.Ctx.Dir = at, dir
}

// frontRules are the http-request rules of the frontend, backRules those of the backend.
func (s *stream) frontRules() outcome {
	s.point(sample.FrontReqHeaders, sample.Request)
	s.Ctx.Final = true
	return s.judgeRequest(s.eval(s.Front.HTTPReq, &s.req))
}

func (s *stream) backRules() outcome {
	s.point(sample.BackReqHeaders, sample.Request)
	s.Ctx.Final = true
	return s.judgeRequest(s.eval(s.Back.HTTPReq, &s.req))
}

// judgeRequest turns the verdict of request rules into what the lane does.
func (s *stream) judgeRequest(v runtime.Verdict) outcome {
	s.sendEarly()
	switch v {
	case runtime.Continue, runtime.Stop:
		s.waits = forNothing
		return next
	case runtime.Wait:
		return s.waitForRule()
	case runtime.Done:
		s.intercepted()
		if s.Service != "" && !s.statsRefused {
			s.serve()
		}
		return s.answerWith(s.Reply)
	case runtime.Serve:
		return s.toApplet()
	case runtime.Deny:
		s.cookiesOfRefused()
		s.denied()
		sticktable.CountError(&s.Stream)
		if s.Tarpit {
			return s.startTarpit()
		}
		s.requestSeen()
		s.setEnd(runtime.EndProxy)
		return s.answerWith(s.reply(s.Reply, 403))
	case runtime.Abort:
		s.kills = true
		if s.End.Cause != runtime.EndLocal { // else a script ends the stream, and refuses nothing
			s.denied()
			s.setEnd(runtime.EndProxy)
			s.Status = -1
			s.countRefusedBody()
		}
		return s.cut()
	case runtime.Invalid:
		s.front().FailedReq.Inc()
		s.setEnd(runtime.EndProxy)
		return s.answerWith(s.errorReply(400))
	default:
		s.front().InternalErr.Inc()
		if s.inBack {
			s.back().InternalErr.Inc()
		}
		s.setEnd(runtime.EndInternal)
		return s.answerWith(s.errorReply(500))
	}
}

// sendEarly sends the informational answers that rules made.
func (s *stream) sendEarly() {
	if x := s.c.via; x != nil {
		x.writeRaw(s.Early)
		s.Early = s.Early[:0]
	}
	for b := s.Early; len(b) > 0; {
		out := s.w.loop.Buffer()
		n := min(len(b), cap(out.Data))
		out.Data = append(out.Data, b[:n]...)
		s.c.sock.Send(out)
		b = b[n:]
	}
	s.Early = s.Early[:0]
}

// waitForRule lets the current rule come back: after its delay, or with more data.
func (s *stream) waitForRule() outcome {
	if s.waits != forRule && s.WaitFor > 0 {
		s.waits = forRule
		s.timer.After(s.WaitFor)
		if s.Inquiry != nil {
			s.inquire()
		}
	}
	if s.WaitFor == 0 && s.Ctx.Dir == sample.Request {
		s.listen()
	}
	return wait
}

// inquire begins what a rule wants to know, and lets the rule go on with the answer.
func (s *stream) inquire() {
	w, q := s.w, s.Inquiry
	q.Begin(func() {
		w.loop.PostFunc(func() {
			if s.Inquiry == q && !s.dead && s.waits == forRule { // else the stream has ended, and may be another one's
				s.waits, s.WaitFor = forNothing, 0
				s.timer.Stop()
				s.runWaiting()
			}
		})
	})
}

// inspectFront are the tcp-request content rules of the frontend, inspectBack those of the backend.
func (s *stream) inspectFront() outcome {
	s.point(sample.FrontReqContent, sample.Request)
	line := s.URI
	s.URI, s.Ctx.Line = line[:0], nil // the reference has not looked at the request yet, and logs none
	o := s.inspectRules(s.Front.TCPReq, s.Front)
	if !s.dead {
		s.URI, s.Ctx.Line = line, line
	}
	return o
}

func (s *stream) inspectBack() outcome {
	s.point(sample.BackReqContent, sample.Request)
	return s.inspectRules(s.Back.TCPReq, s.Back)
}

// inspectRules runs content rules; a condition that misses data waits up to the
// inspect-delay, which begins with the first evaluation.
func (s *stream) inspectRules(rs runtime.Ruleset, px *runtime.Proxy) outcome {
	now := s.w.loop.Now()
	if s.inspect == 0 && px.InspectReq > 0 {
		s.inspect = now + int64(px.InspectReq)
	}
	raw := &s.Ctx.ReqRaw
	if !s.http {
		raw.Data = s.Arrived(upload)
		raw.Closed = s.c.end != nil
		raw.Full = s.in != nil && len(s.in.Data) >= s.w.limits.buffer-s.w.limits.rewrite
	}
	if !s.http && planOf(px).asksHTTP {
		s.lookForHTTP()
	}
	s.Ctx.Final = s.c.end != nil || raw.Full || s.inspect == 0 || now >= s.inspect
	switch v := s.eval(rs, &s.req); v {
	case runtime.Continue, runtime.Stop:
		s.waits, s.inspect = forNothing, 0
		s.timer.Stop()
		if s.Switch && !s.http {
			return s.upgrade()
		}
		return next
	case runtime.Wait:
		if s.WaitFor > 0 {
			return s.waitForRule()
		}
		s.waits = forInspect
		s.timer.Set(s.inspect)
		return wait
	case runtime.Serve:
		s.inspect = 0
		s.timer.Stop()
		return s.toApplet()
	case runtime.Done:
		if s.http {
			s.intercepted()
			return s.answerWith(s.Reply)
		}
		return s.cut()
	default:
		s.front().DeniedReq.Inc() // not in the backend, whose rules they may be
		if s.Drop && s.inBack {
			s.back().DeniedReq.Inc()
		}
		s.setEnd(runtime.EndProxy)
		s.kills = true
		if s.http {
			s.Status = -1
			s.countRefusedBody()
		}
		return s.cut()
	}
}

// countRefusedBody counts what came of the body of a request that is refused without an answer.
func (s *stream) countRefusedBody() {
	if !s.toSrv.dec.Finished() {
		s.gatherRequest()
	}
}

// lookForHTTP reads what a client in TCP mode has sent as an HTTP request, on a
// copy: the parser changes the bytes.
func (s *stream) lookForHTTP() {
	ctx := &s.Ctx
	if s.in == nil || ctx.NotHTTP || ctx.Req != nil {
		return
	}
	if s.body == nil {
		s.body = s.w.loop.Buffer()
	}
	s.body.Data = append(s.body.Data[:0], s.in.Data...)
	s.Req.Reset(s.body.Data, s.reqFields)
	s.parser.Request(s.requestOptions(), s.w.headLimits())
	switch s.parser.Parse(&s.Req) {
	case h1.Complete:
		ctx.Req = &s.Req
	case h1.Invalid:
		ctx.NotHTTP = true
	}
}

// held is what a buffer holds; nothing without a buffer.
func held(b *loop.Buffer) []byte {
	if b == nil {
		return nil
	}
	return b.Data
}

// monitor answers the monitor-uri.
func (s *stream) monitor() outcome {
	if !s.isMonitor() {
		return next
	}
	px := s.Front
	s.monitored = true
	s.URI, s.Ctx.Line = s.URI[:0], nil // it is no request for logs
	s.front().Intercepted.Inc()
	s.point(sample.FrontReqHeaders, sample.Request)
	s.Ctx.Final = true
	for _, cond := range px.Monitor {
		if cond == nil || cond.Eval(&s.Ctx) == acl.Pass {
			s.setEnd(runtime.EndLocal)
			return s.answerWith(s.errorReply(503))
		}
	}
	s.setEnd(runtime.EndLocal)
	return s.answerWith(s.errorReply(200))
}

// isMonitor tells whether the request asks for the monitor-uri.
func (s *stream) isMonitor() bool {
	uri := s.Front.MonitorURI
	return string(s.Req.URI()) == uri || uri[0] == '/' && string(s.Req.PathQuery()) == uri
}

// redirects runs "redirect" lines, which do not count as rules that ended a rule set.
func (s *stream) redirects(rs runtime.Ruleset) outcome {
	last := s.LastRule
	v := s.eval(rs, &s.req)
	s.LastRule = last
	return s.judgeRequest(v)
}

// frontRedirects are the legacy "redirect" lines of the frontend, backRedirects those of the backend.
func (s *stream) frontRedirects() outcome {
	s.point(sample.FrontReqHeaders, sample.Request)
	return s.redirects(s.Front.Redirects)
}

func (s *stream) backRedirects() outcome {
	s.point(sample.BackReqHeaders, sample.Request)
	return s.redirects(s.Back.Redirects)
}

// chooseBackend is use_backend and default_backend.
func (s *stream) chooseBackend() outcome {
	px := s.Front
	s.point(sample.SetBackend, sample.Request)
	s.Ctx.Final = true
	var be *runtime.Proxy
	for s.req.rule < len(px.Switching) {
		r := px.Switching[s.req.rule]
		s.req.rule++
		s.Ctx.Scratch.Reset()
		if r.Cond != nil && r.Cond.Eval(&s.Ctx) != acl.Pass {
			continue
		}
		if be = s.backendOf(r); be == nil || s.mayEnter(be) {
			break
		}
		be = nil // the next rule may name another one
	}
	if be == nil && px.DefaultBack != nil && s.mayEnter(px.DefaultBack) {
		be = px.DefaultBack
	}
	if be == nil && px.Caps&runtime.CapBack != 0 {
		be = px
	}
	if be == nil {
		if !s.http {
			s.setEnd(runtime.EndServer)
			s.End.State = runtime.InConnect
			return s.cut()
		}
		s.endUnserved(runtime.EndServer, runtime.InConnect)
		return s.answerWith(s.errorReply(503))
	}
	if be.Mode == runtime.ModeHTTP && !s.http {
		return s.upgrade()
	}
	s.enterBackend(be)
	if be.Mode != runtime.ModeHTTP && s.http {
		s.setEnd(runtime.EndInternal) // a TCP "listen" without backend for a stream that speaks HTTP now, or one that a rule named
		s.Status = 500
		return s.cut()
	}
	p := planOf(be)
	if be == px {
		s.req.goOn(p.own)
	} else {
		s.req.goOn(p.back)
	}
	return next
}

// mayEnter tells whether a backend is open for requests, or "force-be-switch" lets this one in.
func (s *stream) mayEnter(be *runtime.Proxy) bool {
	if !be.Disabled && !be.Unpublished.Load() {
		return true
	}
	for _, cond := range s.Front.ForceSwitch {
		s.Ctx.Scratch.Reset()
		if cond.Eval(&s.Ctx) == acl.Pass {
			return true
		}
	}
	return false
}

// backendOf is the backend of a use_backend line; nil when a dynamic name names none.
func (s *stream) backendOf(r *runtime.SwitchRule) *runtime.Proxy {
	if r.Backend != nil || r.Dynamic == nil {
		return r.Backend
	}
	name := r.Dynamic.Format.Append(s.w.line[:0], &s.Ctx)
	s.w.line = name
	be := (*s.w.engine.byName.Load())[string(name)]
	if be == nil || be.Caps&runtime.CapBack == 0 {
		return nil
	}
	return be
}

// enterBackend counts the stream in a backend.
func (s *stream) enterBackend(be *runtime.Proxy) {
	s.Back = be
	s.inBack = true
	if !s.http {
		s.Time.Request = s.w.loop.Now()
	}
	b := &be.Live.Back[s.w.id]
	s.be = b
	b.Sess.Inc()
	be.Live.BackConns.Enter(&b.Active)
	be.Live.BackRate.Inc(&b.Rate, s.w.ms())
}

// useServer is use-server.
func (s *stream) useServer() outcome {
	if s.Direct {
		return next
	}
	s.point(sample.SetServer, sample.Request)
	s.Ctx.Final = true
	for _, r := range s.Back.ServerRules {
		s.Ctx.Scratch.Reset()
		if r.Cond != nil && r.Cond.Eval(&s.Ctx) != acl.Pass {
			continue
		}
		srv := r.Server
		if r.Dynamic != nil {
			s.w.line = r.Dynamic.Format.Append(s.w.line[:0], &s.Ctx)
			srv = s.Back.ServerByName(s.w.line)
		}
		if srv != nil && (srv.Up() || s.Back.Options&runtime.OptPersist != 0) {
			s.Server, s.Direct = srv, true
			break
		}
		if srv != nil {
			break
		}
	}
	return next
}

// rdpCookie is persist rdp-cookie.
func (s *stream) rdpCookie() outcome {
	if !s.http {
		cookie.RDP(&s.Stream, held(s.in))
	}
	return next
}

// bufferBody waits for the body, or as much of it as a buffer holds.
func (s *stream) bufferBody() outcome {
	if s.Ctx.ReqBody.Complete || s.Req.Method == message.CONNECT {
		s.requestSeen()
		return next
	}
	if s.waits != forBody {
		s.waits = forBody
		px := s.Front
		d := px.Timeout.Request
		if d == 0 {
			d = px.Timeout.Client
		}
		if s.inBack && s.Back.Timeout.Request > 0 {
			d = s.Back.Timeout.Request
		}
		if d > 0 {
			s.timer.After(d)
		}
		s.expectContinue()
	}
	switch s.gatherRequest() {
	case gathered:
		return s.bodyCame()
	case badBody:
		s.front().FailedReq.Inc()
		s.setEnd(runtime.EndProxy)
		s.Status = 400 // which nobody is told
		return s.cut()
	}
	if s.c.end != nil {
		return s.bodyCame()
	}
	s.listen()
	return wait
}

// bodyCame ends the wait for a body: now the request is there.
func (s *stream) bodyCame() outcome {
	s.stopWaiting()
	s.requestSeen()
	return next
}

// balanceBody waits for the body of a POST whose server depends on a parameter in it.
func (s *stream) balanceBody() outcome {
	if s.Req.Method != message.POST || s.Direct {
		return next
	}
	return s.bufferBody()
}

// endRequestVars puts the variables of the response in the place of those of the request, when the request is on its
// way to a server or answered here.
func (s *stream) endRequestVars() {
	vars := &s.Ctx.Vars
	if vars[sample.ReqScope] == nil {
		return
	}
	s.ReqVars.Reset()
	vars[sample.ReqScope], vars[sample.ResScope] = nil, &s.ResVars
}
