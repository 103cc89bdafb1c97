package engine

import (
	"io"

	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/trace"
)

// h2Request is one request of an h2Client.
type h2Request struct {
	client
	ch       channel
	of       *h2Client
	got      uint64   // bytes of the body that came
	ended    bool     // the client has ended its side of a tunnel, which did not stand yet
	fresh    bool     // its stream begins when all that came with it is known
	whole    bool     // and all of it did
	trailers *trailer // behind it
	free     *h2Request
}

// begin runs the steps of the request.
func (x *h2Request) begin() {
	s := x.st
	x.fresh = false
	s.Req.Buf = s.in.Data
	s.startRequest()
	if x.whole && x.st == s {
		s.requestEnded()
	}
}

// early takes a part of the body of a request that did not begin yet: it stands behind the head.
func (x *h2Request) early(b *loop.Buffer) {
	s := x.st
	if s.more != nil {
		s.holdBytes(b)
	} else {
		s.more = fill(s.in, b)
	}
}

// failed ends a request that did not begin yet. Rules still see it. One whose trailers show that something is wrong goes as
// far as the server, or is no request if nothing stands between them and the head; any other one goes to where that would be
// chosen.
func (x *h2Request) failed(err error) {
	s := x.st
	switch {
	case err == badTrailers && x.got == 0:
		x.fresh, x.client.end = false, err
		s.BytesIn += headSize(&s.Req)
		s.badRequest(400)
		return
	case err != badTrailers && x.trailers == nil:
		x.client.end = err
	}
	x.begin()
	if x.st == s {
		x.client.end = err
		s.clientEnd(err)
	}
}

// Received is the body of a request, its end, or that of the stream.
func (x *h2Request) Received(b *loop.Buffer, err error) {
	if x.closed {
		return // the connection ends because the stream did
	}
	s := x.st
	switch {
	case b != nil:
		x.got += uint64(len(b.Data))
		if x.fresh {
			x.early(b)
		} else {
			s.fromClient(b)
		}
	case eof(err) && x.fresh:
		x.whole = true
	case eof(err):
		s.requestEnded()
	case x.fresh:
		x.failed(err)
	default:
		x.client.end = err
		s.clientEnd(err)
	}
}

// finish ends the part of the stream, which has passed on all of its answer, or has not.
func (x *h2Request) finish(s *stream) {
	m := x.of
	x.timer.Stop()
	x.closed = true
	if x.ahead != nil {
		x.ahead.Release()
		x.ahead = nil
	}
	m.streams--
	s.traceClient(trace.H2StreamEnd, trace.State, "releasing H2 stream", nil)
	switch {
	case s.Drop:
		m.shut(false)
		x.sock.Abort()
		m.c.abort()
	case s.kills && m.speaks():
		x.ch.reset(h2.EnhanceYourCalm)
		x.sock.Abort()
		if m.speaks() {
			m.room(0)
			m.h2.Fail(h2.EnhanceYourCalm)
			m.end(muxError(h2.EnhanceYourCalm))
		}
	case !s.replied:
		// Nothing was said: the client may try again elsewhere.
		x.ch.reset(h2.RefusedStream)
		x.sock.Abort()
	default:
		if s.tunnel {
			x.sock.Shutdown() // however it ended
		}
		x.sock.Close(linger)
	}
	if m.n > 0 {
		m.rest() // the client is still to take the end of the answer
	}
}

// writeHead sends the head of an answer.
func (x *h2Request) writeHead(m *message.Message, end bool) error {
	p := &x.of.mux
	if !p.speaks() || x.ch.st.Closed() {
		return nil // nobody is there any more
	}
	p.room(0)
	err := p.h2.WriteHead(&x.ch.st, m, end)
	if err == h2.ErrFull {
		p.push()
		p.room(0)
		err = p.h2.WriteHead(&x.ch.st, m, end)
	}
	p.touch()
	if err == nil && end {
		x.ch.fin = true
	}
	return err
}

// writeStatus sends an informational answer without fields.
func (x *h2Request) writeStatus(status int) {
	var m message.Message
	m.Reset(make([]byte, 0, 16), nil)
	m.SetStatusLine("HTTP/1.1", status, "")
	x.writeHead(&m, false)
}

// writeRaw sends informational answers that are written as HTTP/1.1 has them.
func (x *h2Request) writeRaw(raw []byte) {
	for len(raw) > 0 {
		var m message.Message
		var p h1.Parser
		m.Reset(append(make([]byte, 0, 2*len(raw)), raw...), make([]message.Field, 0, addedHeaders))
		p.Response(message.GET, 0, x.w.headLimits())
		if p.Parse(&m) != h1.Complete {
			return
		}
		x.writeHead(&m, false)
		raw = raw[m.HeadLen:]
	}
}

// requestEnded notes that the client has sent all of a request: its HTTP/2 stream tells.
func (s *stream) requestEnded() {
	x := s.c.via
	if x.ch.st.Tunnel() {
		s.tunnelRequestEnded()
		return
	}
	s.countTail()
	s.endBody()
	f := &s.toSrv
	switch {
	case s.phase == hold:
		s.run(&s.req)
	case s.phase == pass && f.dec.Finished():
		if s.link != nil {
			dst := &s.link.sock
			flush(dst, f.finish(s.w, dst, nil))
		}
		s.requestDone()
	}
}

// endBody tells where the body of the request ends, and what follows it.
func (s *stream) endBody() {
	x, f := s.c.via, &s.toSrv
	if f.dec.EndAt(x.got); x.trailers != nil {
		f.late, x.trailers = x.trailers, nil
	}
}

// tunnelRequestEnded notes that the client sends no more through its tunnel. As long as that does not stand, one that has
// asked for another protocol has left by that, one that asked for a connection waits on.
func (s *stream) tunnelRequestEnded() {
	x := s.c.via
	x.ended = true
	if x.trailers != nil {
		s.BytesIn += x.trailers.size()
	}
	if s.headSent {
		s.endTunnelRequest()
	}
	if s.opens() {
		x.client.end = io.EOF
		s.clientEnd(io.EOF)
	}
}

// endTunnelRequest tells a server that speaks HTTP/2 too that the client, which asked for a tunnel, sends nothing through it.
func (s *stream) endTunnelRequest() {
	x := s.c.via
	if x == nil || !x.ended || x.got > 0 || s.link == nil || s.link.ex == nil || s.opens() && !s.abortsOnClose() {
		return
	}
	var tail *message.Message
	if x.trailers != nil {
		tail = &x.trailers.msg
	}
	s.link.ex.ch.SendEnd(tail)
}

// violated ends a stream on which the client broke the rules. Malformed trailers are to the reference what a malformed
// body is; a request that is too short is complete, and that the client is lost shows in the wait for the response.
func (s *stream) violated(v violation) {
	if v == tooShort {
		s.countTail()
	}
	if !s.replied {
		s.countRefusedBody()
	}
	switch {
	case s.queued, !s.reached():
		s.clientAbort()
		return
	case v == badTrailers:
		s.front().FailedReq.Inc()
		s.setEnd(runtime.EndProxy)
	case v == tooShort && !s.replied:
		s.lostClient()
		return
	case v == tooShort:
		s.End.State = runtime.InData
		fallthrough
	default:
		s.countAborts(true)
		s.setEnd(runtime.EndClient)
	}
	switch {
	case s.replied && s.toCli.done:
		s.closing = true
		s.finish()
	case s.replied:
		s.endBroken()
	default:
		s.End.State, s.Status = runtime.InHeaders, 400
		s.cut()
	}
}

// lost ends a stream whose client left in the same breath in which it asked, or was left for its glitches.
func (s *stream) lost() bool {
	x := s.c.via
	if !s.c.killed && (x == nil || s.c.end == nil || leaves(s.c.end)) {
		return false
	}
	whole := s.toSrv.dec.Finished()
	if x == nil {
		_, ev := s.toSrv.dec.Check(s.in.Data[s.inAt:s.inEnd])
		whole = whole || ev == h1.End
	} else {
		whole = x.ch.st.RecvEnded() || s.c.end == tooShort || x.ch.st.Tunnel()
	}
	s.countAborts(true)
	s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InRequest}
	s.Status = 400
	s.countRefusedBody()
	if whole {
		s.Status = -1 // the request was complete
		s.front().FailedReq.Inc()
	}
	s.cut()
	return true
}

// tunnelAsked tells whether the client waits for a tunnel that it has asked a server for.
func (s *stream) tunnelAsked() bool {
	x := s.c.via
	return x != nil && x.ch.st.Tunnel() && s.headSent && !s.replied
}

// lostClient ends the wait for the response to a complete request whose client cannot be told any more.
func (s *stream) lostClient() {
	s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InHeaders}
	if s.Reused {
		s.countAborts(true)
		s.LogLevel = silent
		s.silentClose()
		return
	}
	s.back().FailedRes.Inc()
	s.Server.Stats[s.w.id].FailedRes.Inc()
	s.Status = -1
	s.cut()
}
