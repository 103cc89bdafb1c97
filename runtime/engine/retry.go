package engine

import (
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
