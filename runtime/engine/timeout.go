package engine

import (
	"io"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/sticktable"
)

// Expired is the end of what the stream's timer was set for.
func (s *stream) Expired(*loop.Timer) {
	if s.dead || s.c == nil {
		return
	}
	switch s.waits {
	case forRule:
		s.waits, s.WaitFor, s.HeldOver = forNothing, 0, true
		s.runWaiting()
	case forInspect:
		s.waits = forNothing
		s.runWaiting()
	case forRetry:
		s.waits = forNothing
		s.run(&s.req)
	case forBody:
		s.bodyTimeout()
	case forTarpit:
		s.endTarpit()
	case forQueue:
		s.queueTimeout()
	case forConnect:
		s.waits = forNothing
		switch {
		case s.abandoned():
			s.clientAbort()
			return
		case s.pipeLeft():
			s.clientGone(runtime.EndClient)
			return
		}
		if k := s.link; k != nil {
			s.link = nil
			k.abort()
		}
		if s.retryConnect(failedSilently) == next {
			s.run(&s.req)
		}
	case forServer:
		s.serverTimeout()
	}
}

// runWaiting runs the lane that waits.
func (s *stream) runWaiting() {
	if s.res.steps != nil && !s.res.over() {
		s.run(&s.res)
		return
	}
	s.run(&s.req)
}

// startTarpit lets the client wait before it is refused.
func (s *stream) startTarpit() outcome {
	s.waits = forTarpit
	d := first(s.Timeouts.Tarpit, s.Back.Timeout.Tarpit, s.Back.Timeout.Connect)
	s.timer.After(d)
	s.req.at = len(s.req.steps)
	return wait
}

// endTarpit refuses the client at last.
func (s *stream) endTarpit() {
	s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InTarpit}
	s.waits = forNothing
	s.Time.Queue = s.w.loop.Now()
	s.Req.Forget()
	s.Ctx.ReqBody = sample.Body{Complete: true}
	s.answerWith(s.reply(s.Reply, 500))
}

// queueTimeout gives the place in the queue up.
func (s *stream) queueTimeout() {
	s.Time.Queue = s.w.loop.Now()
	s.back().FailedConn.Inc()
	if s.Server != nil {
		s.Server.Stats[s.w.id].FailedConn.Inc()
	}
	s.endUnserved(runtime.EndServerTO, runtime.InQueue)
	s.giveUp(503)
}

// armServerTimer starts to wait for the server's response.
func (s *stream) armServerTimer() {
	s.waits = forServer
	s.renewServer()
}

// renewServer puts the server's timeout off: something came from it.
func (s *stream) renewServer() {
	if s.dead || s.waits != forServer {
		return
	}
	var d time.Duration
	if s.tunnel {
		d = first(s.Timeouts.Tunnel, s.Back.Timeout.Tunnel)
		if s.cliDone && s.Back.Timeout.ServerFin > 0 {
			d = s.Back.Timeout.ServerFin
		}
	}
	d = first(d, s.Timeouts.Server, s.Back.Timeout.Server)
	if d > 0 {
		s.timer.After(d)
	} else {
		s.timer.Stop()
	}
}

// renewServerWrite puts the server's timeout off because the client is active.
func (s *stream) renewServerWrite() {
	if s.Back.Options&runtime.OptIndependent == 0 {
		s.renewServer()
	}
}

// renewClientWrite puts the client's timeout off because the server is active.
func (s *stream) renewClientWrite() {
	if s.Front.Options&runtime.OptIndependent == 0 {
		s.setClientTimer()
	}
}

// renewClient puts the client's timeout off as long as something is expected of it.
func (s *stream) renewClient() { s.setClientTimer() }

// setClientTimer sets the client's timeout.
func (s *stream) setClientTimer() {
	if s.dead {
		return
	}
	d := s.clientPatience()
	if s.cliQueued = s.c.sock.Queued(); s.cliQueued > 0 {
		s.cliMoved = s.w.loop.Now()
		s.c.setTimer(d / slowSteps)
		return
	}
	s.c.setTimer(d)
}

// clientPatience is how long the client may be silent: tunnel, client-fin or client.
func (s *stream) clientPatience() time.Duration {
	px := s.Front
	var d time.Duration
	if s.tunnel {
		d = first(s.Timeouts.Tunnel, s.Back.Timeout.Tunnel)
		if s.srvEnd != nil && px.Timeout.ClientFin > 0 {
			d = px.Timeout.ClientFin
		}
	}
	return first(d, s.Timeouts.Client, px.Timeout.Client)
}

// slowSteps is into how many steps the client's timeout is cut while bytes are
// queued for it: the kernel does not tell when it takes some.
const slowSteps = 16

// clientIsLate tells whether the client's time is as good as over.
func (s *stream) clientIsLate() bool {
	d := s.c.timer.Deadline()
	if s.cliQueued > 0 {
		d = s.cliMoved + int64(s.clientPatience()) // the timer is set for a look at what is queued
	}
	return d > 0 && d-s.w.loop.Now() < int64(5*time.Millisecond)
}

// stillReads tells whether a client with queued bytes has taken some of them
// within its timeout, and sets the timer for the next look.
func (s *stream) stillReads(queued int) bool {
	now := s.w.loop.Now()
	if 0 < queued && queued < s.cliQueued {
		s.cliMoved = now // when all is gone, it most likely went at once
	}
	s.cliQueued = queued
	d := s.clientPatience()
	left := s.cliMoved + int64(d) - now
	if left <= 0 {
		return false
	}
	if queued > 0 {
		left = min(left, int64(d)/slowSteps)
	}
	s.c.timer.Set(now + left)
	return true
}

// clientTimeout is called when nothing moved on the client's side for too long.
func (s *stream) clientTimeout() {
	c := s.c
	if s.blocked() {
		s.renewClient()
		return
	}
	queued := c.sock.Queued()
	if (queued > 0 || s.cliQueued > 0) && s.stillReads(queued) {
		return
	}
	switch {
	case s.phase == readHead:
		s.End = runtime.Termination{Cause: runtime.EndClientTO, State: runtime.InRequest}
		s.refuseRequest(408)
	case s.tunnel && s.cliDone && queued == 0: // it has said its last, and has taken all that there was
	case s.tunnel && s.srvEnd == nil:
		// As if the client had shut its side down: the server may still finish.
		s.expire(runtime.EndClientTO)
		s.c.end = io.EOF
		s.c.sock.Pause()
		s.pipeClientEnd()
	case s.tunnel:
		s.expire(runtime.EndClientTO)
		s.leaveQueue()
		s.cut()
	case !s.http && s.waits == forInspect:
		s.c.end = errLate
		s.run(&s.req)
	case !s.http:
		s.clientGone(runtime.EndClientTO)
	case s.concluded:
		s.closing = true
		s.finish()
	case s.phase == pass, s.phase == hold && !s.toSrv.dec.Finished() && s.headSent:
		s.countAborts(true)
		s.setEnd(runtime.EndClientTO)
		s.leaveServer()
		if s.toCli.done {
			s.skipRest()
			return
		}
		s.giveUp(400)
	case queued > 0:
		s.countAborts(true)
		s.setEnd(runtime.EndClientTO)
		s.endBroken()
	}
}

// expire ends a pipe whose client, or server, was silent for too long: it counts as if that had broken it off.
func (s *stream) expire(cause byte) {
	if s.End.Cause == runtime.EndNone {
		s.countAborts(cause == runtime.EndClientTO)
	}
	s.setEnd(cause)
}

// serverTimeout is called when nothing came from the server for too long.
func (s *stream) serverTimeout() {
	switch {
	case s.tunnel && s.srvEnd == nil && !s.cliDone:
		if first(s.Timeouts.Tunnel, s.Back.Timeout.Tunnel) > 0 || s.clientIsLate() {
			s.expire(runtime.EndClientTO) // the time of both sides is over: the client's is looked at first
			s.cut()
			return
		}
		// As if the server had shut its side down: the client may still finish.
		s.expire(runtime.EndServerTO)
		s.stopWaiting()
		s.link.sock.Pause()
		if s.serverEnd(io.EOF); !s.dead {
			s.srvEnd = errLate
		}
	case s.tunnel:
		s.expire(runtime.EndServerTO)
		s.cut()
	case s.srvHeld, s.blocked(), s.relayHeld():
		s.renewServer() // the client is the slow one, or a limit
	case s.phase == pass && s.link != nil && s.link.sock.Queued() == 0:
		s.renewServer() // the client has to go on first: its own timeout runs
	case s.resHead:
		s.countAborts(false)
		s.countCut()
		s.setEnd(runtime.EndServerTO)
		s.endBroken()
	default:
		s.w.engine.observe(s.Server, obsTimeout)
		if s.replays && s.Back.RetryOn.ResponseTimeout && s.again() {
			return
		}
		s.back().FailedRes.Inc()
		s.Server.Stats[s.w.id].FailedRes.Inc()
		s.setEnd(runtime.EndServerTO)
		sticktable.CountFailure(&s.Stream)
		s.giveUp(504)
	}
}
