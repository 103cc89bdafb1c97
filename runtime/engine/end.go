package engine

import (
	"errors"
	"io"

	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/message"
)

var (
	errUnasked  = errors.New("bytes behind the response")
	errBadReply = errors.New("an error file is no HTTP response")
	errLate     = errors.New("the time of a side is over")
)

// setEnd notes who ended the stream, unless something did before, and in which
// state it was.
func (s *stream) setEnd(cause byte) {
	if s.End.Cause == runtime.EndNone {
		s.End.Cause = cause
	}
	if s.End.State != runtime.InNone {
		return
	}
	switch {
	case s.waits == forTarpit:
		s.End.State = runtime.InTarpit
	case s.queued:
		s.End.State = runtime.InQueue
	case s.Internal && s.link == nil, !s.reached():
		s.End.State = runtime.InRequest
	case s.http && s.replied && s.toCli.done && s.toCli.framing == h1.UntilClose:
		s.End.State = runtime.InData
	case s.http && s.replied && s.toCli.done:
		s.End.State = runtime.InLast
	case s.link == nil || !s.link.up:
		s.End.State = runtime.InConnect
	case !s.http || s.tunnel:
		s.End.State = runtime.InData
	case !s.replied:
		s.End.State = runtime.InHeaders
	default:
		s.End.State = runtime.InData
	}
}

// reached tells whether the stream came as far as trying to connect.
func (s *stream) reached() bool { return s.link != nil || s.slot != nil || s.RetriesDone > 0 }

// cut ends the stream without an answer.
func (s *stream) cut() outcome {
	s.phase = drop
	s.closing = true
	s.dropServer()
	s.finish()
	return end
}

// silentClose ends the stream and says nothing to the client: it will try again.
func (s *stream) silentClose() {
	s.Status = 0
	s.cut()
}

// giveUp ends a stream whose server failed: with an error as long as nothing
// was said to the client.
func (s *stream) giveUp(status int) { s.giveUpWith(status) }

func (s *stream) giveUpWith(status int) outcome {
	s.req.at = len(s.req.steps)
	s.stopWaiting()
	s.leaveQueue()
	if s.replied || !s.http {
		return s.cut()
	}
	s.dropServer()
	return s.answerWith(s.errorReply(status))
}

// endBroken ends a stream in the middle of its response.
func (s *stream) endBroken() {
	s.closing = true
	s.toCli.done = false
	s.cut()
}

// resetServer ends the connection to the server as the client's was: by a reset.
func (s *stream) resetServer() {
	if k := s.link; k != nil {
		s.link = nil
		k.abort()
	}
}

// dropServer ends the connection to the server, if there is one. A client that was
// faster than it need not wait any more.
func (s *stream) dropServer() {
	if k := s.link; k != nil {
		s.link = nil
		s.cliHeld = false
		if s.http && !s.tunnel {
			k.abort()
		} else {
			k.close()
		}
	}
}

// leaveServer ends the connection to a server that waits for the rest of a request.
func (s *stream) leaveServer() {
	if k := s.link; k != nil {
		s.link = nil
		s.stopWaiting()
		k.end(0)
	}
}

// releaseLink gives the server connection back as soon as its exchange is over.
func (s *stream) releaseLink() {
	k := s.link
	s.link = nil
	keep := s.srvKeep && s.srvEnd == nil
	if s.early && (!keep || k.sock.Queued() > 0) {
		k.close() // the server is still to get the end of the request
	} else {
		k.release(keep)
	}
	s.leaveCurrent()
	s.releaseSlot()
}

// abortsOnClose tells whether a client that shuts its side down before the
// response ends its request. Section 4.2 "option abortonclose": the default in
// HTTP mode.
func (s *stream) abortsOnClose() bool {
	be := s.Back
	return be.Options&runtime.OptAbortOnClose != 0 || be.Mode == runtime.ModeHTTP && be.NoOptions&runtime.OptAbortOnClose == 0
}

// abandoned tells whether the client of a request without an answer has left.
func (s *stream) abandoned() bool {
	return s.http && s.c.end != nil && !s.replied && (s.abortsOnClose() || s.requestCut())
}

// clientLeft tells whether the client has ended its connection in the regular way: it may still listen.
func (s *stream) clientLeft() bool { return leaves(s.c.end) }

// leaves tells the end of what a peer sends from an error. To one request of many on a connection, the end of that comes
// unexpected.
func leaves(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// clientAbort ends the stream because the client left.
func (s *stream) clientAbort() {
	s.countAborts(true)
	switch {
	case s.queued:
		s.countRefusedBody()
		s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InQueue}
		s.Time.Queue = s.w.loop.Now()
		if s.http {
			s.Status = -1
		}
		s.leaveQueue()
		s.cut()
	case s.replied && s.toCli.done:
		s.setEnd(runtime.EndClient)
		s.closing = true
		s.finish()
	case s.replied:
		s.setEnd(runtime.EndClient)
		s.endBroken()
	case s.reached() && (s.link == nil || !s.link.up):
		s.setEnd(runtime.EndClient)
		s.Status = -1
		if s.http {
			s.countRefusedBody()
		}
		s.cut()
	case s.clientLeft() && s.requestWhole():
		s.setEnd(runtime.EndClient)
		s.giveUp(400)
	default:
		s.leaveUntold()
	}
}

// leaveUntold ends a stream whose client is gone, or has cut its request, before the server answered: it is told nothing.
func (s *stream) leaveUntold() {
	s.setEnd(runtime.EndClient)
	if s.link != nil && s.toSrv.dec.Finished() && !s.clientLeft() {
		s.End.State = runtime.InData
		s.countAborts(true) // the end of what it sends, and its being gone
	}
	if !s.headSent {
		s.countRefusedBody()
	}
	switch {
	case s.Req.Flags&message.ConnUpgrade != 0:
		s.End.State, s.Status = runtime.InHeaders, -1 // the request never ends
	case !s.reached() && s.toSrv.dec.Finished():
		s.Status = -1
	default:
		s.countUntold(400)
	}
	s.cut()
}

// clientSent is called when the client took enough of what is queued, or is gone.
func (s *stream) clientSent(err error) {
	if err != nil {
		if s.concluded {
			s.closing = true
			s.finish()
			return
		}
		if s.toCli.done {
			s.countAborts(true)
			s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InData}
			s.closing = true
			s.finish()
			return
		}
		s.c.end = err
		s.clientAbort()
		return
	}
	if s.draining {
		s.finish()
		return
	}
	if s.parts != nil {
		s.giveParts()
		return
	}
	s.renewClient()
	if s.srvHeld {
		s.srvHeld = false
		if s.link != nil {
			s.link.sock.Receive()
			s.renewServer()
		}
	}
}

// countAborts counts an end that the client (or the server) made.
func (s *stream) countAborts(client bool) {
	f := s.front()
	if client {
		f.CliAborts.Inc()
	} else {
		f.SrvAborts.Inc()
	}
	shards := [2]*runtime.BackCounters{s.back()}
	if s.Server != nil {
		shards[1] = &s.Server.Stats[s.w.id]
	}
	for _, b := range shards {
		switch {
		case b == nil:
		case client:
			b.CliAborts.Inc()
		default:
			b.SrvAborts.Inc()
		}
	}
}

// denied counts a request that a rule refused.
func (s *stream) denied() {
	s.front().DeniedReq.Inc()
	if s.inBack {
		s.back().DeniedReq.Inc()
	}
}

// intercepted notes an answer that a rule gave.
func (s *stream) intercepted() {
	s.setEnd(runtime.EndLocal)
	if !s.inBack || s.Front == s.Back {
		s.front().Intercepted.Inc()
	}
}

// countStatus counts a response by its status.
func (s *stream) countStatus(status int) {
	class := runtime.StatusClass(status)
	if !s.Internal && s.Server != nil {
		st := &s.Server.Stats[s.w.id]
		st.Rsp[class].Inc()
		st.Req.Inc()
	}
}

// log writes the stream's line.
func (s *stream) log() {
	if s.monitored {
		return
	}
	s.Ctx.Scratch.Reset()
	logger.Log(&s.Stream)
}
