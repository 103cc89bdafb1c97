package engine

import (
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/message"
)

// newAppletServer makes the server that services of the program stand for: links and counters want one.
func newAppletServer(loops int) *runtime.Server {
	srv := &runtime.Server{Hidden: true, Proxy: &runtime.Proxy{Reuse: runtime.ReuseNever}}
	makePools(srv, loops)
	return srv
}

// appletSteps are what is left of a request that a service answers.
func appletSteps(http bool) []step {
	forward := step{"forward", (*stream).forwardTCP}
	if http {
		forward.run = (*stream).forwardApplet
	}
	return []step{{"filters", (*stream).filterRequest}, {"connect", (*stream).openApplet}, forward}
}

// toApplet sends the stream on to the service that a rule has chosen.
func (s *stream) toApplet() outcome {
	s.waits = forNothing
	if s.http {
		s.intercepted()
	}
	s.Service = s.Applet.Name()
	s.req.goOn(appletSteps(s.http))
	return next
}

// openApplet connects to the service.
func (s *stream) openApplet() outcome {
	s.endRequestVars()
	s.serve()
	srv := s.w.engine.applets
	s.Server, s.NoRetry = srv, true
	k := s.w.newLink(srv)
	k.st, s.link = s, k
	k.met, k.up = true, true
	p := s.Applet.Open(&s.Stream, s.w.loop)
	p.SetHandler(k)
	k.sock.Carry(p)
	s.toSrv.to = p
	s.link.sock.Receive()
	if s.http {
		logger.Reached(&s.Stream)
	}
	return next
}

// forwardApplet hands the body of the request to the service, which knows the head already.
func (s *stream) forwardApplet() outcome {
	s.headSent = true
	s.srvWant = h1.Close
	s.toSrv.framing = h1.Framed
	s.ReqToServer += headSize(&s.Req)
	s.resParser.Response(message.MethodOf(s.Req.MethodName()), s.responseOptions(), s.w.headLimits())
	s.expectContinue()
	s.passRequestBody(nil)
	return end
}

// knowLength makes the body of a service's response one that goes in chunks, where its length is not told: it ends with the
// pipe, but the client's connection is kept.
func (s *stream) knowLength() {
	if s.Res.Flags&(message.Version11|message.LengthKnown) != message.Version11 {
		return
	}
	s.Res.Flags |= message.LengthKnown
	const header = int64(len("transfer-encoding") + len("chunked")) // which the reference counts as the service's
	s.BytesOut += header
	s.ResFromServer += header
}
