package engine

import (
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
)

// responseDone ends the exchange, once the client has taken the last bytes but
// a buffer's worth.
func (s *stream) responseDone() {
	if s.toCli.done = !s.toCli.unfinished(); !s.toCli.done {
		return // a filter holds it up
	}
	if s.w.traces.Any() {
		s.tellAnswered()
	}
	s.srvKeep = s.srvWant == h1.KeepAlive
	if !s.toSrv.done && s.link != nil && s.srvEnd == nil && !s.sendFailed {
		s.early = true
		return // the server may still want the rest of the request
	}
	s.exchangeOver()
}

// exchangeOver ends the stream after its response was passed on.
func (s *stream) exchangeOver() {
	if !s.toSrv.done && s.c.end == nil && s.c.via == nil {
		if s.toCli.framing == h1.UntilClose {
			s.c.sock.Shutdown() // which tells the client that this was all
		}
		// The server answered and left without reading all of the request: the rest goes nowhere.
		s.stopWaiting()
		s.dropServer()
		s.resumeClient()
		return
	}
	if s.link != nil && s.toSrv.done {
		s.timer.Stop()
		s.releaseLink()
	}
	s.finishLater()
}

// finishLater ends the stream when the client has most of its bytes.
func (s *stream) finishLater() {
	if s.c.sock.Queued() > s.w.limits.buffer && !s.c.closed {
		s.stopWaiting()
		s.draining = true
		s.c.sock.NotifySent(0)
		s.renewClient()
		return
	}
	s.finish()
}

// linkEnd tells that the server has ended its connection.
func (s *stream) linkEnd(err error) {
	switch {
	case !s.http || s.tunnel:
		if !eof(err) {
			s.countLost()
		}
	case s.toCli.done, s.toCli.held(), s.holding(download) != nil, s.resHead && !s.res.over():
	case s.resHead && s.toCli.dec.UntilClose() && eof(err):
	case s.out != nil && !s.resHead: // badResponse counts
	default:
		s.countLost()
	}
	s.serverEnd(err)
}

// serverEnd tells that the server will send no more.
func (s *stream) serverEnd(err error) {
	if v := s.holding(download); v != nil {
		v.endBehind(err)
		return
	}
	s.srvEnd = err
	switch {
	case s.tunnel:
		s.tunnelServerEnd(err)
	case s.res.at < len(s.res.steps):
		s.goOnWithBody() // other rules wait on: passHeldResponse looks at srvEnd
	case s.toCli.done:
		if s.link != nil && !s.draining {
			s.exchangeOver()
		}
	case s.toCli.held(): // all that it sends has come
	case !s.resHead:
		s.noResponse(err)
	case s.toCli.dec.UntilClose() && eof(err):
		f := &s.toCli
		tail := f.finish(s.w, &s.c.sock, nil)
		flush(&s.c.sock, tail)
		f.done = true
		s.responseDone()
	default:
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		if err == tooShort {
			// To the client, the reference ends it as if it were whole.
			s.toCli.store = nil
			s.toCli.end(s.w, &s.c.sock)
			if s.toCli.skip { // all of it: the client wants no body
				s.exchangeOver()
				return
			}
		}
		s.endBroken()
	}
}

// noResponse treats a connection that ended before a response.
func (s *stream) noResponse(err error) {
	srv, w := s.Server, s.w
	if !s.Reused {
		w.engine.observe(srv, obsBroken)
	}
	if s.out != nil {
		s.badResponse()
		return
	}
	if s.replays && s.Back.RetryOn.EmptyResponse && s.again() {
		return
	}
	if s.Reused {
		// The server closed a connection that it had kept, while the request was on
		// its way. The client has to try again, as it would have with the server.
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		s.LogLevel = silent
		s.silentClose()
		return
	}
	s.back().FailedRes.Inc()
	srv.Stats[w.id].FailedRes.Inc()
	sticktable.CountFailure(&s.Stream)
	s.setEnd(runtime.EndServer)
	s.giveUp(502)
}

// badResponse answers 502 for what is no HTTP.
func (s *stream) badResponse() {
	s.w.engine.observe(s.Server, obsInvalid)
	s.traceServer(trace.H1StreamErr, trace.Error, "H1 response parsing error", nil)
	if s.resParser.ErrPos >= 0 {
		s.Back.Live.BadResponse.Store(s.captureBad(s.Front, &s.Res, &s.resParser))
	}
	s.serverGlitched(1)
	s.countBroken()
	s.refuseResponse()
}

// unaskedSwitch answers 502 for a switch of protocols that the request did not ask for: it is HTTP, and counts as such.
func (s *stream) unaskedSwitch() {
	status := int(s.Res.Status)
	s.ResFromServer += headSize(&s.Res)
	s.countStatus(status)
	s.w.engine.observe(s.Server, observation(status))
	s.refuseResponse()
}

// refuseResponse answers 502 for a response that is not passed on, unless the request is sent again.
func (s *stream) refuseResponse() {
	if s.replays && s.Back.RetryOn.JunkResponse && s.again() {
		return
	}
	s.Time.Response = -1
	s.back().FailedRes.Inc()
	s.Server.Stats[s.w.id].FailedRes.Inc()
	sticktable.CountFailure(&s.Stream)
	s.setEnd(runtime.EndProxy)
	s.giveUp(502)
}

// countCut counts a response that was broken off in what is tracked, because its server fell silent or its body is not
// what it should be: twice, as the reference does. One whose server has left does not count.
func (s *stream) countCut() {
	sticktable.CountFailure(&s.Stream)
	sticktable.CountFailure(&s.Stream)
}

// countBroken counts a connection that carried no HTTP. The reference counts that apart from the response that failed for
// it, where a connection carries one exchange alone.
func (s *stream) countBroken() {
	if s.link != nil && s.link.part == nil {
		s.countLost()
	}
}

// countLost counts a connection that its server broke off.
func (s *stream) countLost() {
	s.back().FailedRes.Inc()
	s.Server.Stats[s.w.id].FailedRes.Inc()
}
