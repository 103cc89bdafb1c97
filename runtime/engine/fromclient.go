package engine

import (
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// keepAhead puts received bytes aside for the next request, and stops receiving: there
// are never more of them than the few buffers that one stream holds.
func (s *stream) keepAhead(in []byte) {
	if len(in) == 0 {
		return
	}
	if s.c.ahead == nil {
		s.c.ahead = s.w.loop.Buffer()
	}
	s.c.ahead.Data = append(s.c.ahead.Data, in...)
	s.c.sock.Pause()
}

// keepRest puts all that is held behind the end of the request aside for the next one.
func (s *stream) keepRest() {
	if v := s.holding(upload); v != nil {
		v.leave()
	}
	if s.inAt < s.inEnd {
		s.keepAhead(s.in.Data[s.inAt:s.inEnd])
		s.inEnd = s.inAt
	}
	for _, b := range [...]**loop.Buffer{&s.more, &s.extra} {
		if *b != nil {
			s.keepAhead((*b).Data)
			(*b).Release()
			*b = nil
		}
	}
}

// listen receives from the client again, unless it has sent what there is no place
// for: the next request, or more than may be held.
func (s *stream) listen() {
	if s.c.ahead == nil && s.extra == nil {
		s.c.sock.Receive()
	}
}

// fromClient takes bytes that the client sent.
func (s *stream) fromClient(b *loop.Buffer) {
	switch s.phase {
	case readHead:
		s.more = fill(s.in, b) // a full buffer without a complete head is refused
		s.parse()
	case hold:
		s.holdBytes(b)
		s.run(&s.req)
	case pass:
		if s.tunnel {
			s.pipeOn(b)
			return
		}
		s.passRequest(b)
	case full:
		s.keepAhead(b.Data)
		b.Release()
	case drop:
		b.Release()
	}
}

// merge appends b to dst when it fits, and releases it then.
func merge(dst, b *loop.Buffer) bool {
	if len(b.Data) > cap(dst.Data)-len(dst.Data) {
		return false
	}
	dst.Data = append(dst.Data, b.Data...)
	b.Release()
	return true
}

// fill appends what fits of b to dst and returns the rest, nil when there is none.
func fill(dst, b *loop.Buffer) *loop.Buffer {
	n := min(len(b.Data), cap(dst.Data)-len(dst.Data))
	dst.Data = append(dst.Data, b.Data[:n]...)
	if n == len(b.Data) {
		b.Release()
		return nil
	}
	b.Data = b.Data[n:]
	return b
}

// holdBytes keeps bytes that may not go on yet.
func (s *stream) holdBytes(b *loop.Buffer) {
	switch {
	case !s.http && s.in == nil:
		s.in = b // content rules look at it
	case !s.http && s.more == nil:
		s.more = fill(s.in, b)
	case s.more == nil:
		s.more = b
	case merge(s.more, b):
	default:
		s.extra = b
		s.c.sock.Pause()
	}
}

// clientEnd tells that the client will send no more.
func (s *stream) clientEnd(err error) {
	if v := s.holding(upload); v != nil && eof(err) {
		v.endBehind(err)
		return
	}
	v, broke := err.(violation)
	switch {
	case s.tunnel || !s.http:
		s.tcpClientEnd(err)
	case s.concluded:
		s.closing = true
		s.finish()
	case s.phase == drop:
		if !leaves(err) {
			s.finish()
		}
	case s.waits == forTarpit:
		s.endTarpit()
	case s.waits == forBody:
		s.run(&s.req) // rules need not wait any more, and may still refuse it
	case s.waits == forRule && s.res.steps == nil:
		s.leftWaiting(err)
	case s.phase == readHead:
		s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InRequest}
		s.refuseRequest(400)
	case !leaves(err) && s.tunnelAsked() && (err != badTrailers || s.Method == message.CONNECT):
		s.lostClient()
	case broke:
		s.violated(v)
	case !leaves(err) && !s.goesUnseen():
		s.clientAbort()
	case s.waits == forInspect && leaves(err) && s.res.steps == nil && s.requestWhole():
		s.run(&s.req) // there is nothing to wait for any more
	case s.requestWhole():
		// The request is complete: the client may only have shut its side down.
		switch {
		case !s.abortsOnClose():
		case s.replied:
			s.leftReading()
		case s.res.steps != nil:
		case s.waits == forConnect:
			s.leaveDialing()
		default:
			s.clientAbort()
		}
	case s.waits == forConnect:
		s.leaveDialing()
	default:
		s.clientAbort() // the body was cut
	}
}

// leftWaiting ends a request whose client has left while a rule waits. A client that has asked for all that it wants waits with
// it: only the server sees that it has left.
func (s *stream) leftWaiting(err error) {
	whole := s.requestWhole()
	if whole && leaves(err) {
		return
	}
	s.countAborts(true)
	s.requestSeen()
	s.setEnd(runtime.EndClient)
	if s.Status = 400; whole {
		s.Status = -1
	}
	s.countRefusedBody()
	s.cut()
}

// leftReading ends a response whose client will not ask for anything any more, unless there is something on its way.
func (s *stream) leftReading() {
	if s.link != nil && !s.toCli.done && s.c.sock.Queued() == 0 {
		s.clientAbort()
	}
}

// goesUnseen tells whether nobody looks whether the client is still there: with "no option abortonclose", once its request is
// on its way or while a rule inspects it. The connection itself, where it carries many requests, is seen to end.
func (s *stream) goesUnseen() bool {
	if s.c.via != nil || s.abortsOnClose() || s.res.steps != nil || s.replied {
		return false
	}
	return s.headSent && s.toSrv.dec.Finished() || s.waits == forInspect && s.requestWhole()
}

// skipRest concludes a stream that has answered and reads what is still to come of its request, for as long as the client
// goes on with it: to close a connection with bytes that nobody has read could cost the client the answer.
func (s *stream) skipRest() {
	s.conclude()
	s.resumeClient()
}
