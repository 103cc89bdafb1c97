package engine

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"hapax/runtime"
	"hapax/runtime/fcgi"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// fcgiRequest is one request to a FastCGI application, and its response. To its stream it is a link, whose bytes it carries:
// those of the body one way, those of a CGI response the other.
type fcgiRequest struct {
	link
	of         *fcgiConn
	id         uint16 // 0: nothing was sent
	open       bool   // the application has not ended it
	sent       bool   // all of it
	held       []*loop.Buffer
	receiving  bool
	end        error // of receiving; nil: it goes on
	told       bool  // the stream knows it
	alone      bool  // it came behind all of the body
	low        int
	notify     bool // NotifySent was asked for
	later      loop.Task
	prev, next *fcgiRequest // in fcgiConn.live; next also in the free list
}

// attach implements carrier.
func (m *fcgiConn) attach(s *stream) {
	w := m.w
	x := w.fcgiRequests
	if x == nil {
		x = &fcgiRequest{}
		x.part, x.w = x, w
		x.later.Init(x)
	} else {
		w.fcgiRequests, x.next = x.next, nil
	}
	x.of, x.srv, x.st = m, m.k.srv, s
	x.id, x.open, x.sent, x.receiving, x.end, x.told, x.notify = 0, true, false, false, nil, false, false
	x.up = m.stands()
	x.sock.Carry(x)
	if x.next = m.live; x.next != nil {
		x.next.prev = x
	}
	m.live = x
	if m.n++; m.n == 1 {
		m.k.use()
	}
	s.link = &x.link
}

// conn implements part.
func (x *fcgiRequest) conn() *link { return x.of.k }

// close and abort implement part.
func (x *fcgiRequest) close() { x.sock.Abort() }
func (x *fcgiRequest) abort() { x.sock.Abort() }

// bare implements part.
func (x *fcgiRequest) bare() bool { return x.alone }

// Abort takes the request from its stream. The application is told if it did not get all of it, and may say what it wants.
func (x *fcgiRequest) Abort() {
	m := x.of
	if x.st == nil {
		return
	}
	x.st = nil
	if x.prev == nil {
		m.live = x.next
	} else {
		x.prev.next = x.next
	}
	if x.next != nil {
		x.next.prev = x.prev
	}
	x.prev, x.next = nil, nil
	x.dropHeld()
	if x.id > 0 && x.open && !x.sent && m.speaks() {
		x.sayAbort()
	}
	m.listen()
	m.left(x)
}

// sayAbort tells the application that nobody waits any more.
func (x *fcgiRequest) sayAbort() {
	m := x.of
	x.open = false
	m.room(fcgi.RecordHead)
	m.out.Data = fcgi.AppendAbort(m.out.Data, x.id)
	m.touch()
}

func (x *fcgiRequest) dropHeld() {
	for i, b := range x.held {
		b.Release()
		x.held[i] = nil
	}
	x.held = x.held[:0]
}

func (x *fcgiRequest) heldBytes() (n int) {
	for _, b := range x.held {
		n += len(b.Data)
	}
	return n
}

// hold keeps a part of the response until all that came is known. Small pieces must not keep a buffer each.
func (x *fcgiRequest) hold(b *loop.Buffer) {
	x.touch()
	n := len(x.held)
	switch {
	case len(b.Data) > smallPayload:
		x.held = append(x.held, b)
	case n > 0 && merge(x.held[n-1], b):
	default:
		own := x.w.loop.Buffer()
		merge(own, b)
		x.held = append(x.held, own)
	}
}

// touch has the request told in the end of what came.
func (x *fcgiRequest) touch() {
	m := x.of
	if n := len(m.fresh); n == 0 || m.fresh[n-1] != x {
		m.fresh = append(m.fresh, x)
	}
}

// finish notes that nothing follows what is held.
func (x *fcgiRequest) finish(err error) {
	if x.end == nil {
		x.end = err
		x.touch()
	}
}

// deliver gives the stream what it waits for.
func (x *fcgiRequest) deliver() {
	x.alone = len(x.held) == 0
	for x.st != nil && x.receiving && len(x.held) > 0 {
		b := x.held[0]
		n := copy(x.held, x.held[1:])
		x.held[n] = nil
		x.held = x.held[:n]
		x.Received(b, nil)
	}
	if x.st == nil {
		return
	}
	x.of.listen()
	if x.receiving && len(x.held) == 0 && x.end != nil && !x.told {
		x.told = true
		x.Received(nil, x.end)
	}
}

// Received is what the stream gets: a part of a CGI response, or its end.
func (x *fcgiRequest) Received(b *loop.Buffer, err error) {
	s := x.st
	switch {
	case b != nil && s.out == nil && !s.resHead:
		s.out = x.w.loop.Buffer()
		s.out.Data = s.resParser.CGI(s.out.Data, message.MethodOf(s.Req.MethodName()), s.Req.Flags&message.Version11 != 0, s.responseOptions(), x.w.headLimits())
		s.Res.Reset(s.out.Data, s.resFields)
		fallthrough
	case b != nil:
		s.fromServer(b)
	case eof(err) && s.resHead && s.toCli.dec.Framed():
		s.responseEnded()
	default:
		if eof(err) && s.resHead && s.toCli.dec.UntilClose() {
			s.countResponseTail()
		}
		s.linkEnd(err)
	}
}

// frameCGI tells how long a CGI response is, as far as that is known: one that does not say it ends with its request. It
// reports what came behind the end, which makes it none.
func (s *stream) frameCGI(x *fcgiRequest) (int, h1.Event) {
	m, dec := &s.Res, &s.toCli.dec
	if m.Flags&(message.LengthKnown|message.Version11) == message.Version11 {
		m.Flags |= message.LengthKnown | message.Framed
	}
	dec.Start(m)
	body, behind := s.out.Data[m.HeadLen:], x.behind()
	if dec.Framed() {
		if x.end == io.EOF {
			dec.EndAt(uint64(len(body) + behind))
		}
		return 0, h1.NeedMore
	}
	n, ev := dec.Check(body)
	if ev == h1.End && len(body)-n+behind > 0 {
		ev = h1.BadBody
	}
	if ev == h1.BadBody {
		s.countUnread(x, body[:n])
	}
	return n, ev
}

// beyondHead tells whether a CGI response that is not the last one, as its status says, is: no other one may follow.
func (s *stream) beyondHead() bool {
	x, ok := s.link.part.(*fcgiRequest)
	if !ok || len(s.out.Data)-int(s.Res.HeadLen)+x.behind() == 0 {
		return false
	}
	s.countUnread(x, nil)
	return true
}

// behind is how much came that is not in the buffer of the head.
func (x *fcgiRequest) behind() int {
	n := x.heldBytes()
	if more := x.st.outMore; more != nil {
		n += len(more.Data)
	}
	return n
}

// countUnread counts a response that is refused for its body, or the request that did not end with it.
func (s *stream) countUnread(x *fcgiRequest, body []byte) {
	if x.end == nil {
		s.countLost()
		return
	}
	n := len(body)
	if s.Res.Flags&message.Chunked != 0 {
		n = len(h1.AppendChunks(nil, body))
	}
	s.ResFromServer += headSize(&s.Res) + int64(n)
}

// Connected and Sent are never called: the connection is told.
func (x *fcgiRequest) Connected(error) {}
func (x *fcgiRequest) Sent(error)      {}

// SetHandler implements transport.Channel: the request is its own.
func (x *fcgiRequest) SetHandler(loop.Handler) {}

// Fd is the connection's.
func (x *fcgiRequest) Fd() int { return x.of.k.sock.Fd() }

// Queued is what the connection is to send: there is one queue for all.
func (x *fcgiRequest) Queued() int { return x.of.k.sock.Queued() }

// Receive makes the response come.
func (x *fcgiRequest) Receive() {
	if !x.receiving {
		x.receiving = true
		x.w.loop.RunLater(&x.later)
	}
}

// Pause holds it back.
func (x *fcgiRequest) Pause() { x.receiving = false }

// NotifySent asks for one Sent(nil).
func (x *fcgiRequest) NotifySent(low int) {
	x.low, x.notify = low, true
	x.w.loop.RunLater(&x.later)
}

// RunTask tells the stream what was put off.
func (x *fcgiRequest) RunTask(*loop.Task) {
	x.deliver()
	if x.st != nil && x.notify {
		x.tellSent()
	}
}

// tellSent answers NotifySent, or waits.
func (x *fcgiRequest) tellSent() {
	switch {
	case !x.notify:
	case x.Queued() <= x.low:
		x.notify = false
		x.st.serverSent(nil)
	case x.of.speaks():
		x.of.k.sock.NotifySent(x.low)
	}
}

// Send sends a part of the body.
func (x *fcgiRequest) Send(b *loop.Buffer) {
	m := x.of
	if x.sent || !x.open || !m.speaks() {
		b.Release()
		return
	}
	if n := len(b.Data); n <= smallData {
		if n > 0 {
			m.room(fcgi.RecordHead + n)
			m.out.Data = append(fcgi.AppendInput(m.out.Data, x.id, n), b.Data...)
		}
		b.Release()
		m.touch()
		return
	}
	for len(b.Data) > fcgi.MaxContent {
		x.sendInput(b.Slice(0, fcgi.MaxContent))
		b.Data = b.Data[fcgi.MaxContent:]
	}
	x.sendInput(b)
}

// sendInput sends a part of the body in a record of its own.
func (x *fcgiRequest) sendInput(b *loop.Buffer) {
	m := x.of
	m.room(fcgi.RecordHead)
	m.out.Data = fcgi.AppendInput(m.out.Data, x.id, len(b.Data))
	m.push()
	m.k.sock.Send(b)
}

// SendStatic sends bytes that nobody changes.
func (x *fcgiRequest) SendStatic(p []byte) {
	for len(p) > 0 {
		b := x.w.loop.Buffer()
		n := copy(b.Room(), p)
		b.Grow(n)
		p = p[n:]
		x.Send(b)
	}
}

// SendEnd ends the body; an application gets no trailers. See framer.
func (x *fcgiRequest) SendEnd(*message.Message) {
	m := x.of
	if x.sent || !x.open || !m.speaks() {
		return
	}
	x.sent = true
	m.room(fcgi.RecordHead)
	m.out.Data = fcgi.AppendInput(m.out.Data, x.id, 0)
	m.touch()
}

// Shutdown ends the body.
func (x *fcgiRequest) Shutdown() { x.SendEnd(nil) }

// Close does so too.
func (x *fcgiRequest) Close() { x.Abort() }

// applyApp lets the rules of the backend's application set parameters and hide header fields.
func (s *stream) applyApp() outcome {
	var err error
	if s.w.line, err = fcgi.Of(s.Back).Apply(&s.Req, &s.Ctx, s.w.line); err != nil {
		s.rewriteFailed()
	}
	return next
}

// finishCGI makes of the response of an application what HTTP expects: without a field "status", with a date, and with a
// length if all of it came.
func (s *stream) finishCGI() outcome {
	m := &s.Res
	if !fcgi.Of(s.Back).SeesResponses {
		return next
	}
	m.RemoveAll("status")
	if m.FindID(message.Date, 0) < 0 {
		var date [len(http.TimeFormat)]byte
		m.Add("date", time.Unix(0, s.w.loop.Wall()).UTC().AppendFormat(date[:0], http.TimeFormat))
	}
	const framing = message.LengthKnown | message.ContentLength | message.TransferEncoding
	left, known := s.toCli.dec.Remaining()
	if s.Method == message.HEAD || m.Flags&framing != message.LengthKnown || !known {
		return next
	}
	n := uint64(s.toCli.moved) + left
	var text [20]byte
	if m.Add("content-length", strconv.AppendUint(text[:0], n, 10)) == nil {
		m.Flags |= message.ContentLength
		m.BodyLength = n
	}
	return next
}

// forwardFCGI is forwardRequest to a FastCGI application. It must know how long the body is.
func (s *stream) forwardFCGI(x *fcgiRequest) outcome {
	m := x.of
	m.last = (m.last + 1) | 1 // whatever becomes of the request
	if s.Req.Flags&message.ContentLength == 0 && !s.toSrv.dec.Finished() {
		s.countLost()
		s.front().FailedReq.Inc()
		s.setEnd(runtime.EndProxy)
		s.Status = 400 // which nobody is told
		return s.cut()
	}
	x.id = m.last
	m.room(0)
	m.out.Data = fcgi.AppendBegin(m.out.Data, x.id, m.app.KeepConn)
	if !s.sendParams(x) {
		s.countLost()
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
	s.toSrv.framing, s.toSrv.to = h1.Framed, x
	s.ReqToServer += headSize(&s.Req)
	s.passRequestBody(nil)
	return end
}

// sendParams sends the parameters, in one record: in a buffer of their own if they do not fit behind what was said.
func (s *stream) sendParams(x *fcgiRequest) (ok bool) {
	m := x.of
	req := fcgi.Request{
		Head: &s.Req, Src: s.Ctx.Src, Dst: s.Ctx.Dst, Secure: s.Session.TLS != nil, Body: s.heldBody(),
		SendName: s.Back.SendName, ServerName: s.Server.Name, Software: runtime.Software(),
	}
	for range 2 {
		out, line, err := m.app.AppendParams(m.out.Data, s.w.line, x.id, &req)
		if s.w.line = line; err == nil {
			m.out.Data = out
			return true
		}
		m.push()
		m.room(0)
	}
	return false
}

// heldBody is how much of the body is there to be sent.
func (s *stream) heldBody() int {
	switch {
	case s.body != nil:
		return len(s.body.Data)
	case s.toSrv.dec.Finished():
		return 0
	}
	return s.inEnd - s.inAt
}
