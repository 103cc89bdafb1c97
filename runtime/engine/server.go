package engine

import (
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/cookie"
	"hapax/runtime/loop"
	"hapax/runtime/queue"
)

// pick chooses the server, unless a cookie or use-server named it.
func (s *stream) pick() outcome {
	s.endRequestVars()
	be := s.Back
	if s.Server == nil {
		if be.Dispatch != nil {
			s.Server = be.Dispatch
			s.countMove()
			return next
		}
		if be.LB == nil {
			return s.unreachable()
		}
		s.point(sample.SetServer, sample.Request)
		s.Ctx.Final = true
		s.Ctx.Scratch.Reset()
		left := s.left
		if s.Server = s.preferred(); s.Server != nil {
			s.countMove()
			return next
		}
		s.Server = be.LB.Pick(&s.Stream, s.avoid)
		s.countMove()
		if s.Server == nil && !balance.Any(be) {
			return s.unreachable()
		}
		if s.Server != nil && s.Server != left {
			be.Live.Back[s.w.id].LBTotal.Inc()
			s.Server.Stats[s.w.id].LBTotal.Inc()
		}
	}
	return next
}

// preferred is a server that the client has a connection of its own to, which needs no balancing then, if it wants that (section
// 4.2 "option prefer-last-server") or its authentication does; nil: there is none.
func (s *stream) preferred() *runtime.Server {
	c, be := s.c.conn(), s.Back
	if !c.sticks && be.Options&runtime.OptPreferLastServer == 0 || balance.Hashes(be) {
		return nil
	}
	for k := c.owned; k != nil; k = k.nextOwned {
		if srv := k.srv; k.up && srv.Proxy == be && srv.Usable() && (c.sticks || waitsFor(srv, be.MaxKeepAliveQueue)) {
			return srv
		}
	}
	return nil
}

// waitsFor tells whether a request goes to a server for the sake of its client's connection: it has room, or fewer than most
// requests wait for it. Section 4.2 "max-keep-alive-queue"; -1: however many.
func waitsFor(srv *runtime.Server, most int) bool {
	return most < 0 || queue.HasRoom(srv) || int(srv.Queued.Load()) < most
}

// countMove counts what became of a stream that had to leave a server: another
// one took it, or the same is tried again.
func (s *stream) countMove() {
	from := s.left
	if from == nil {
		return
	}
	s.left = nil
	b, srv := s.back(), &from.Stats[s.w.id]
	if s.Server == from {
		b.Retries.Inc()
		srv.Retries.Inc()
		return
	}
	cookie.ServerDown(&s.Stream)
	s.Redispatched = true
	b.Redispatches.Inc()
	srv.Redispatches.Inc()
}

// unreachable answers when no server can be had.
func (s *stream) unreachable() outcome {
	s.back().FailedConn.Inc()
	s.endUnserved(runtime.EndServer, runtime.InConnect)
	return s.unreached()
}

// unreached answers that no server was reached. The reference closes without an answer, so that the client tries again,
// where a kept connection has failed the request before, or where time has run out and the client's connection was in use
// before.
func (s *stream) unreached() outcome {
	if s.http && (s.Reused || s.missed.Cause == runtime.EndServerTO && !s.FirstRequest) {
		s.countRefusedBody()
		s.Status = 503
		return s.cut()
	}
	return s.fail(503)
}

// unattached answers when the server, which cannot be reached, has no connection to us that is free.
func (s *stream) unattached() outcome {
	s.Server.Stats[s.w.id].FailedConn.Inc()
	s.leaveCurrent()
	s.releaseSlot()
	return s.unreachable()
}

// miss notes why a server was not reached. Of several reasons, the first one counts.
func (s *stream) miss(cause, state byte) {
	if s.missed == (runtime.Termination{}) {
		s.missed = runtime.Termination{Cause: cause, State: state}
	}
}

// endUnserved notes why the stream ended without a server.
func (s *stream) endUnserved(cause, state byte) {
	if s.miss(cause, state); s.End.Cause == runtime.EndNone {
		s.End = s.missed
	}
}

// fail answers an error in HTTP mode and closes in TCP mode.
func (s *stream) fail(status int) outcome {
	if !s.http {
		return s.cut()
	}
	return s.answerWith(s.errorReply(status))
}

// enqueue takes a slot of the server, or a place in a queue.
func (s *stream) enqueue() outcome {
	if s.slot != nil {
		return next // the same server is tried again
	}
	if !s.queued {
		switch queue.Reserve(&s.ticket, &s.Stream, s.Server, &s.waker) {
		case queue.Full:
			// The server's own queue is full. Who was bound to it may go to another one; the
			// balancer would choose the same again.
			if !s.Direct || s.ForcePersist || s.Back.Options&runtime.OptRedispatch == 0 {
				s.endUnserved(runtime.EndServer, runtime.InQueue)
				s.back().FailedConn.Inc()
				s.Server.Stats[s.w.id].FailedConn.Inc()
				return s.fail(503)
			}
			s.avoid, s.left, s.Server, s.Direct = s.Server, s.Server, nil, false
			s.pickAgain()
			return next
		case queue.Queued:
			s.queued = true
			s.waits = forQueue
			d := first(s.Timeouts.Queue, s.Back.Timeout.Queue, s.Back.Timeout.Connect)
			if d > 0 {
				s.timer.After(d)
			}
			s.listen() // to notice a client that leaves
			return wait
		}
	} else {
		switch s.ticket.State() {
		case queue.Waiting:
			return wait
		case queue.Moved:
			s.queued, s.left, s.Server = false, s.Server, nil
			s.stopWaiting()
			s.pickAgain()
			return next
		}
		s.queued = false
		s.Server = s.ticket.Server()
	}
	s.stopWaiting()
	s.slot = s.Server
	if s.Time.Queue == 0 {
		s.Time.Queue = s.w.loop.Now()
	}
	return next
}

// first is the first duration that is set.
func first(ds ...time.Duration) time.Duration {
	for _, d := range ds {
		if d > 0 {
			return d
		}
	}
	return 0
}

func (s *stream) stopWaiting() {
	s.waits = forNothing
	s.timer.Stop()
}

// leaveCurrent stops counting the stream among the server's sessions.
func (s *stream) leaveCurrent() {
	if s.counted != nil {
		s.counted.Current.Leave(&s.counted.Stats[s.w.id].Active)
		s.counted = nil
	}
}

// releaseSlot gives the slot of the server back, which may wake another stream.
func (s *stream) releaseSlot() {
	if s.slot != nil {
		queue.Release(s.slot)
		s.slot = nil
	}
}

// leaveQueue ends a wait in a queue.
func (s *stream) leaveQueue() {
	if s.queued {
		s.queued = false
		queue.Cancel(&s.ticket)
	}
}

// releaseServer ends the stream's relation to its server.
func (s *stream) releaseServer() {
	if k := s.link; k != nil {
		s.link = nil
		switch {
		case s.keepsServer():
			k.release(true)
		case s.toSrv.done && s.toCli.done:
			k.close()
		default:
			k.abort()
		}
	}
	s.releaseSlot()
}

// keepsServer tells whether the connection to the server may carry another exchange.
func (s *stream) keepsServer() bool {
	return s.srvKeep && s.toSrv.done && s.toCli.done && s.srvEnd == nil
}

// leaveCounts stops counting the stream among those of its backend and server.
// Its own log line does not count it any more.
func (s *stream) leaveCounts() {
	s.leaveCurrent()
	if s.inBack {
		s.Back.Live.BackConns.Leave(&s.back().Active)
		s.inBack = false
	}
}

// waker wakes a stream that another loop's stream made way for.
type waker struct {
	s    *stream
	task loop.Task
}

func (k *waker) init(s *stream) {
	k.s = s
	k.task.Init(k)
}

// Wake is called from any goroutine.
func (k *waker) Wake() { k.s.w.loop.Post(&k.task) }

// RunTask runs on the stream's loop. The stream may be another one by now: a
// step that is entered once too often waits again.
func (k *waker) RunTask(*loop.Task) {
	if s := k.s; s.c != nil {
		s.run(&s.req)
	}
}
