package engine

import (
	"errors"
	"io"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/cache"
	"hapax/runtime/cookie"
	"hapax/runtime/h1"
	"hapax/runtime/sticktable"
)

// judgeUnseen runs the tcp-response content rules of a backend that gives them no time to look at the response: when the
// connection to the server stands, in sight of nothing.
func (s *stream) judgeUnseen() outcome {
	s.point(sample.BackResContent, sample.Response)
	s.Ctx.Final = true
	switch s.eval(s.Back.TCPRes, &s.req) {
	case runtime.Continue, runtime.Stop:
		if s.CloseServer {
			s.endRequest(end)
			s.noResponse(io.EOF)
			return end
		}
		return next
	}
	s.countRefusedBody()
	if s.Status = -1; !s.toSrv.dec.Finished() {
		s.Status = 400
	}
	s.refusedContent()
	return s.cut()
}

// inspectResponse are the tcp-response content rules of the backend.
func (s *stream) inspectResponse() outcome {
	if s.Back.InspectRes == 0 {
		return next // judgeUnseen has run them
	}
	s.point(sample.BackResContent, sample.Response)
	s.Ctx.Final = true
	switch s.eval(s.Back.TCPRes, &s.res) {
	case runtime.Continue, runtime.Stop:
		if s.CloseServer {
			s.srvWant = h1.Close
		}
		return next
	case runtime.Wait:
		return s.waitForRule()
	}
	s.countReplaced()
	s.Time.Response = -1
	s.refusedContent()
	return s.cut()
}

// refusedContent notes that a tcp-response rule ended the stream.
func (s *stream) refusedContent() {
	if s.Drop {
		s.droppedResponse()
		return
	}
	s.deniedResponse()
	s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InData}
}

// droppedResponse counts a stream that a rule on its response ended by silent-drop: among the denied requests, as the
// reference does.
func (s *stream) droppedResponse() {
	s.front().DeniedReq.Inc()
	s.back().DeniedReq.Inc()
}

// backResponseRules are the http-response rules of the backend, frontResponseRules those of the frontend.
func (s *stream) backResponseRules() outcome {
	if len(s.Back.HTTPRes) == 0 {
		return next
	}
	s.point(sample.BackResHeaders, sample.Response)
	s.Ctx.Final = true
	return s.judgeResponse(s.eval(s.Back.HTTPRes, &s.res))
}

func (s *stream) frontResponseRules() outcome {
	if len(s.Front.HTTPRes) == 0 || s.Front == s.Back {
		return next
	}
	s.point(sample.FrontResHeaders, sample.Response)
	s.Ctx.Final = true
	return s.judgeResponse(s.eval(s.Front.HTTPRes, &s.res))
}

// judgeResponse turns the verdict of response rules into what the lane does.
func (s *stream) judgeResponse(v runtime.Verdict) outcome {
	switch v {
	case runtime.Continue, runtime.Stop:
		return next
	case runtime.Wait:
		return s.waitForRule()
	case runtime.Done:
		s.countReplaced()
		s.setEnd(runtime.EndLocal)
		s.leaveAnswered()
		return s.answerWith(s.Reply)
	case runtime.Deny:
		s.countReplaced()
		s.deniedResponse()
		s.setEnd(runtime.EndProxy)
		s.leaveAnswered()
		return s.answerWith(s.reply(s.Reply, 502))
	case runtime.Abort:
		s.countReplaced()
		s.droppedResponse()
		s.setEnd(runtime.EndProxy)
		return s.cut()
	case runtime.Invalid:
		s.countReplaced()
		s.Time.Response = -1
		sticktable.CountFailure(&s.Stream)
		s.back().FailedRes.Inc()
		if s.Server != nil {
			s.Server.Stats[s.w.id].FailedRes.Inc()
		}
		s.setEnd(runtime.EndProxy)
		s.leaveAnswered()
		return s.answerWith(s.errorReply(502))
	}
	return s.failedRules()
}

// failedRules answers 500 where a rule on a response of the server failed.
func (s *stream) failedRules() outcome {
	s.countReplaced()
	s.front().InternalErr.Inc()
	s.back().InternalErr.Inc()
	if s.Server != nil {
		s.Server.Stats[s.w.id].InternalErr.Inc()
	}
	s.setEnd(runtime.EndInternal)
	s.leaveAnswered()
	return s.answerWith(s.errorReply(500))
}

// countReplaced counts what came of the body of a response that a rule replaces, or drops.
func (s *stream) countReplaced() {
	f := &s.toCli
	if f.chunkedIn && s.resBody == nil {
		s.gatherResponse()
	}
	if s.resBody != nil {
		s.ResFromServer += int64(len(s.resBody.Data))
	} else if n := int64(s.outEnd) - int64(s.Res.HeadLen); n > 0 {
		ahead, _ := f.dec.Ahead()
		s.ResFromServer += min(n, ahead)
	}
	if f.chunkedIn && f.dec.BodyOver() {
		s.ResFromServer += endSize
	}
	f.chunkedIn, f.moved = false, 0 // what is sent in its place counts anew
}

// leaveAnswered leaves the server whose response a rule replaces: its connection is kept when all of the response has come.
func (s *stream) leaveAnswered() {
	if s.link == nil || !s.resHead || !s.toSrv.done || !s.heldWhole() {
		s.dropServer()
		return
	}
	s.srvKeep = s.srvWant == h1.KeepAlive
	s.releaseLink()
}

// heldWhole tells whether the rest of the response is there, and nothing behind it.
func (s *stream) heldWhole() bool {
	rest := s.out.Data[s.outAt:s.outEnd]
	n, ev := s.toCli.dec.Check(rest)
	return ev == h1.End && n == len(rest) && s.outMore == nil
}

// deniedResponse counts a response that a rule refused.
func (s *stream) deniedResponse() {
	s.front().DeniedRes.Inc()
	s.back().DeniedRes.Inc()
	if s.Server != nil {
		s.Server.Stats[s.w.id].DeniedRes.Inc()
	}
}

// responseCookie manages the persistence cookie.
func (s *stream) responseCookie() outcome {
	if s.Back.Cookie == nil && s.Front.Capture.Cookie == "" && s.Back.Options&runtime.OptCheckCache == 0 || cache.Answers(&s.Stream) {
		return next
	}
	switch err := cookie.Response(&s.Stream); {
	case err == nil:
	case errors.Is(err, cookie.ErrCacheable):
		s.deniedResponse()
		s.setEnd(runtime.EndProxy)
		s.dropServer()
		return s.answerWith(s.errorReply(502))
	default:
		s.rewriteFailed()
		s.setEnd(runtime.EndProxy)
		s.dropServer()
		return s.answerWith(s.errorReply(500))
	}
	return next
}

// afterRules are the http-after-response rules of both sides.
func (s *stream) afterRules() outcome {
	if !s.runAfter() {
		return s.failedRules()
	}
	return next
}

// runAfter runs the http-after-response rules; false: one failed.
func (s *stream) runAfter() bool {
	var l lane
	s.Ctx.Final = true
	if s.inBack && len(s.Back.HTTPAfter) > 0 {
		s.point(sample.BackResHeaders, sample.Response)
		if v := s.eval(s.Back.HTTPAfter, &l); v > runtime.Stop {
			return false
		}
	}
	if s.Front == s.Back && s.inBack || len(s.Front.HTTPAfter) == 0 {
		return true
	}
	l.rule = 0
	s.point(sample.FrontResHeaders, sample.Response)
	return s.eval(s.Front.HTTPAfter, &l) <= runtime.Stop
}
