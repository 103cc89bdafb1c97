package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// retryStatus sends the request again when retry-on names the status.
func (s *stream) retryStatus(status int) bool {
	if !s.replays || !s.Back.RetryOn.Status[status] || s.RetriesDone >= s.maxRetries() {
		return false
	}
	if s.refusalWhole() {
		s.link.release(true)
		s.link = nil
	}
	return s.again()
}

// refusalWhole tells whether the response that is not wanted came whole, and leaves its connection to another request.
func (s *stream) refusalWhole() bool {
	if s.link.ex != nil || s.phase != full || s.outMore != nil ||
		s.srvWant.AfterResponse(s.Method, s.Res.Status, s.Res.Flags, false) != h1.KeepAlive {
		return false
	}
	n, ev := s.checkBody()
	return ev == h1.End && n == len(s.out.Data)-int(s.Res.HeadLen)
}

// again sends the same request once more. It is possible as long as all of it
// that was sent is still held.
func (s *stream) again() bool {
	if s.RetriesDone >= s.maxRetries() {
		return false
	}
	s.RetriesDone++
	s.ReqToServer = 0 // the last attempt counts
	s.leaveCurrent()
	s.dropServer()
	srv, b := s.Server, s.back()
	retries := uint64(1) // what is sent again counts once for that
	if s.redispatches() {
		s.releaseSlot()
		s.avoid, s.left, s.Server, s.Direct = srv, srv, nil, false
	} else {
		retries++ // and once for the server that is tried again
	}
	b.Retries.Add(retries)
	srv.Stats[s.w.id].Retries.Add(retries)
	for _, b := range [...]**loop.Buffer{&s.out, &s.outMore} {
		if *b != nil {
			(*b).Release()
			*b = nil
		}
	}
	s.headSent, s.resHead, s.sendFailed = false, false, false
	s.srvEnd, s.Status = nil, 0
	s.rewindBody()
	s.phase = hold
	s.pickAgain()
	s.run(&s.req)
	return true
}

// rewindBody makes the body be sent from its beginning again.
func (s *stream) rewindBody() {
	if s.body != nil {
		s.toSrv.done = false
		return // decoded, and still held as it was
	}
	f := &s.toSrv
	coder := f.coder
	var tail *trailer
	if s.c.via != nil { // else it is a part of what is sent again
		tail, f.trailer = f.trailer, nil
	}
	f.drop()
	s.startCoder(f, coder, s.Coding.Request)
	if f.dec.Start(&s.Req); s.c.via != nil && s.Req.Flags&message.Bodyless == 0 {
		f.dec.StartFramed()
		f.dec.EndAt(s.c.via.got)
		f.late = tail
	}
	f.chunkedIn = s.Req.Flags&message.Chunked != 0
	s.inAt = int(s.Req.HeadLen)
	s.more, s.replay = s.replay, nil
}

// failure is how an attempt to connect has failed.
type failure uint8

const (
	failedThere    failure = iota // the other side refused, or could not be reached
	failedSilently                // in time
	failedHere                    // this system did not even try
)

// atOnce tells whether an error of a connection was known before a packet was sent: of a UNIX socket that nobody listens to, or
// of an address that this system does not know a way to.
func atOnce(srv *runtime.Server, err error) bool {
	switch err {
	case unix.ENOENT, unix.ENOTDIR, unix.ENOTSOCK, unix.EAGAIN, unix.EPROTOTYPE:
		return true
	case unix.ECONNREFUSED:
		return !srv.Addr.Load().IP.IsValid()
	case unix.ENETUNREACH, unix.EACCES, unix.EPERM, unix.EADDRNOTAVAIL, unix.EADDRINUSE, unix.EINVAL, unix.EAFNOSUPPORT:
		return true
	}
	return false
}

// retryConnect decides what follows a failed connection attempt: the same
// server after a moment, another one at once, or an error. next means that the
// request lane is to be run.
func (s *stream) retryConnect(failure failure) outcome {
	be, srv, w := s.Back, s.Server, s.w
	w.engine.observe(srv, obsConnect)
	s.leaveCurrent()
	cause := byte(runtime.EndServer)
	if failure == failedSilently {
		cause = runtime.EndServerTO
	}
	if failure != failedHere {
		s.miss(cause, runtime.InConnect)
	}
	if s.RetriesDone >= s.maxRetries() || be.RetryOn.Set && !be.RetryOn.ConnFailure {
		s.back().FailedConn.Inc()
		srv.Stats[w.id].FailedConn.Inc()
		s.releaseSlot()
		s.endUnserved(cause, runtime.InConnect)
		return s.endRequest(s.unreached())
	}
	s.RetriesDone++
	if s.redispatches() {
		s.releaseSlot()
		s.avoid, s.left, s.Server, s.Direct = srv, srv, nil, false
		s.Time.Queue = 0
		s.pickAgain()
		if failure != failedThere || s.Reused || s.activeServers() > 1 {
			return next
		}
		return s.pause()
	}
	s.back().Retries.Inc()
	srv.Stats[w.id].Retries.Inc()
	if failure != failedThere || s.Reused {
		return next
	}
	return s.pause()
}

// pause lets a moment pass before the same server is tried again: it would
// most likely fail in the same way at once.
func (s *stream) pause() outcome {
	if s.pipeLeft() {
		return s.clientGone(runtime.EndClient)
	}
	d := time.Second
	if c := s.Back.Timeout.Connect; c > 0 && c < d {
		d = c
	}
	s.waits = forRetry
	s.timer.After(d)
	return wait
}

// endRequest ends the request lane when an answer was made outside of a step.
func (s *stream) endRequest(o outcome) outcome {
	if o == answer || o == end {
		s.req.at = len(s.req.steps)
	}
	return wait
}

// redispatches tells whether the next attempt goes to another server. Section
// 4.2 "option redispatch": on the last retry, or every RedispatchAfter ones; at
// once when nothing binds the stream to this server and the algorithm would
// have chosen another one as well.
func (s *stream) redispatches() bool {
	be := s.Back
	if be.Options&runtime.OptRedispatch == 0 {
		return false
	}
	n, after := s.RetriesDone, be.RedispatchAfter
	switch {
	case runtime.ServerState(s.Server.State.Load()) < runtime.ServerRunning:
		return true
	case after > 0 && n%after == 0:
		return true
	case after < 0 && s.maxRetries()+1+after > 0 && n%(s.maxRetries()+1+after) == 0:
		return true
	}
	return !s.Direct && s.activeServers() > 1 && !balance.Hashes(be)
}

// activeServers is how many servers take part in load balancing.
func (s *stream) activeServers() int {
	act, _ := balance.Counts(s.Back)
	return act
}

// maxRetries is how often the request may be tried again.
func (s *stream) maxRetries() int {
	if s.Retries >= 0 {
		return int(s.Retries)
	}
	return s.Back.Retries
}
