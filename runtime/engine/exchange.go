package engine

import (
	"io"

	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// exchange is one request and its response on a shared connection. To its stream it is a link.
type exchange struct {
	link
	ch         channel
	of         *shared
	fresh      bool       // the head of the response came: it begins when all that came with it is known
	timer      loop.Timer // bounds how long a server that was left may take to take in what is queued
	prev, next *exchange  // in shared.live; next also in the free list
}

// conn and bare implement part.
func (x *exchange) conn() *link { return x.of.k }

func (x *exchange) bare() bool { return x.ch.bare }

// stands tells whether the exchange can begin. As in the reference, most do so before the connection stands: one that cannot
// be made is to them one that breaks off. One for a tunnel has to know from the server's settings whether it can.
func (x *exchange) stands() bool {
	return x.of.h2.Settled() || x.st.Req.Flags&message.ConnUpgrade == 0
}

// begin runs the steps of the response.
func (x *exchange) begin() {
	x.fresh = false
	s := x.st
	s.Res.Buf = s.out.Data
	s.startResponse()
}

// unlist takes the exchange from its stream.
func (x *exchange) unlist() {
	if x.st == nil {
		return
	}
	x.st = nil
	if x.prev == nil {
		x.of.live = x.next
	} else {
		x.prev.next = x.next
	}
	if x.next != nil {
		x.next.prev = x.prev
	}
	x.prev, x.next = nil, nil
}

// close implements part.
func (x *exchange) close() {
	x.unlist()
	if x.sock.Close(linger); x.ch.m != nil {
		x.timer.After(linger)
	}
}

// Expired ends an exchange that was left to itself.
func (x *exchange) Expired(*loop.Timer) {
	x.ch.reset(h2.Cancel)
	x.ch.over()
}

// abort implements part.
func (x *exchange) abort() {
	x.unlist()
	x.sock.Abort()
}

// Connected is never called: its connection tells.
func (x *exchange) Connected(error) {}

// Received is the body of a response, its end, or that of the exchange.
func (x *exchange) Received(b *loop.Buffer, err error) {
	if s := x.st; x.fresh {
		switch {
		case b != nil:
			s.holdEarly(b)
			return
		case err == badTrailers:
			x.fresh = false
			s.ResFromServer += headSize(&s.Res) + s.earlyBody()
			s.badResponse()
			return
		}
		if x.begin(); x.st != s {
			return
		}
	}
	switch {
	case b != nil:
		x.st.fromServer(b)
	case eof(err):
		x.st.responseEnded()
	default:
		x.st.exchangeFailed(err)
	}
}

// Sent answers NotifySent.
func (x *exchange) Sent(err error) { x.st.serverSent(err) }

// holdEarly keeps a part of the body of a response that did not begin yet: it stands behind the head.
func (s *stream) holdEarly(b *loop.Buffer) {
	switch {
	case s.outMore == nil:
		s.outMore = fill(s.out, b)
	case !merge(s.outMore, b):
		s.outExtra = b
		s.link.sock.Pause()
	}
}

// earlyBody is how much of the body holdEarly has kept.
func (s *stream) earlyBody() int64 {
	n := len(s.out.Data) - int(s.Res.HeadLen)
	if s.outMore != nil {
		n += len(s.outMore.Data)
	}
	return int64(n)
}

// answerTunnel completes the answer to a request for a tunnel: in HTTP/1, it names the protocol
// again; one that is no tunnel ends the request.
func (s *stream) answerTunnel(x *exchange) {
	m := &s.Res
	switch {
	case s.toSrv.framing != h1.OtherBytes || m.Status < 200 && m.Status != 101:
	case m.Status == 101:
		m.AddString("connection", "upgrade")
		if i := s.Req.FindID(message.Upgrade, 0); i >= 0 {
			m.Add("upgrade", h2.FirstWord(s.Req.Value(i)))
		}
		m.Flags |= message.ConnUpgrade | message.UpgradeHeader | s.Req.Flags&message.UpgradeWebSocket
		s.out.Data = m.Buf
		m.HeadLen = uint32(len(m.Buf))
	case !x.ch.st.Tunnel():
		s.toSrv.framing = h1.Framed
		x.ch.SendEnd(nil)
	}
}

// requestMethod is the method as the server got it: a rule may have changed it.
func (s *stream) requestMethod() message.Method { return message.MethodOf(s.Req.MethodName()) }

// forwardShared is forwardRequest on a shared connection.
func (s *stream) forwardShared(x *exchange) outcome {
	m := x.of
	upgrade := s.Req.Flags&message.ConnUpgrade != 0
	if upgrade && (!m.h2.CanConnect() || s.Req.Flags&message.Bodyless == 0) {
		return s.upgradeRefused(x)
	}
	if name := s.Back.SendName; name != "" {
		s.Req.RemoveAll(name)
		if s.Req.AddString(name, s.Server.Name) != nil {
			s.rewriteFailed()
		}
	}
	last := s.endsInHead() && s.Method != message.CONNECT && !upgrade
	m.room(0)
	m.h2.Open(&x.ch.st)
	err := m.h2.WriteHead(&x.ch.st, &s.Req, last)
	if err == h2.ErrFull {
		m.push()
		m.room(0)
		err = m.h2.WriteHead(&x.ch.st, &s.Req, last)
	}
	if err != nil {
		s.front().InternalErr.Inc()
		s.setEnd(runtime.EndInternal)
		return s.answerWith(s.errorReply(500))
	}
	m.touch()
	s.headSent = true
	if s.w.traces.Any() {
		s.tellForwarded()
	}
	s.srvWant = h1.KeepAlive
	s.toSrv.framing, s.toSrv.to = h1.Framed, &x.ch
	if x.ch.st.Tunnel() {
		s.toSrv.framing = h1.OtherBytes // its end comes later, if at all
	}
	s.ReqToServer += headSize(&s.Req)
	x.ch.fin = last
	s.passRequestBody(nil)
	s.endTunnelRequest()
	return end
}

// endsInHead tells whether nothing follows the head of the request: not even an empty body, which over HTTP/2 is something.
func (s *stream) endsInHead() bool {
	if s.c.via != nil {
		return s.Req.Flags&message.Bodyless != 0
	}
	return s.toSrv.dec.Finished() && (s.body == nil || len(s.body.Data) == 0)
}

// upgradeRefused answers a WebSocket handshake that cannot go to the server.
func (s *stream) upgradeRefused(x *exchange) outcome {
	x.of.refuse(x)
	s.link.abort()
	s.link = nil
	for range 2 { // the reference counts the stream that it resets, and the answer
		s.back().FailedRes.Inc()
		s.Server.Stats[s.w.id].FailedRes.Inc()
	}
	s.End = runtime.Termination{Cause: runtime.EndServer, State: runtime.InHeaders}
	return s.answerWith(s.errorReply(502))
}

// exchangeFailed is told that the exchange, or its connection, ended by an error.
func (s *stream) exchangeFailed(err error) {
	if s.draining {
		return
	}
	s.back().FailedRes.Inc()
	s.Server.Stats[s.w.id].FailedRes.Inc()
	switch {
	case s.toCli.done:
		// It takes no more of the request, and has answered.
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		s.closing = true
		s.finish()
		return
	case s.resHead && err == tooShort:
		s.countResponseTail()
	case s.resHead && err == badTrailers:
		s.back().FailedRes.Inc() // for what it said, too
		s.Server.Stats[s.w.id].FailedRes.Inc()
		s.countCut()
		s.setEnd(runtime.EndProxy)
		s.endBroken()
		return
	}
	s.serverEnd(err)
}

// responseEnded is told by a shared connection that all of a response came.
func (s *stream) responseEnded() {
	if v := s.holding(download); v != nil {
		v.endBehind(nil)
		return
	}
	if s.resHead && !s.tunnel && s.toCli.trailer == nil {
		s.countResponseTail()
	}
	switch {
	case s.tunnel:
		s.srvEnd = io.EOF
		s.tunnelServerEnd(io.EOF)
	case s.res.at < len(s.res.steps):
		s.resEnd = true
		s.goOnWithBody()
	case s.toCli.done:
	default:
		s.toCli.end(s.w, &s.c.sock)
		s.responseDone()
	}
}
