package engine

import (
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/cache"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/sticktable"
)

// fromServer takes bytes that the server sent.
func (s *stream) fromServer(b *loop.Buffer) {
	s.renewServer()
	switch {
	case s.tunnel:
		s.tunnelBack(b)
	case s.resHead:
		s.passResponse(b)
	case s.out == nil:
		s.out = b
		s.Res.Reset(b.Data, s.resFields)
		s.parseResponse()
	default:
		if s.outMore = fill(s.out, b); s.outMore != nil {
			s.link.sock.Pause()
		}
		s.parseResponse()
	}
}

// parseResponse reads the response's head as far as it came.
func (s *stream) parseResponse() {
	s.Res.Buf = s.out.Data
	switch s.resParser.Parse(&s.Res) {
	case h1.Complete:
		if s.resParser.Glitches > 0 {
			s.oddResponse()
		} else {
			s.startResponse()
		}
	case h1.Invalid:
		s.badResponse()
	}
}

// startResponse runs the steps of a response whose head is complete.
func (s *stream) startResponse() {
	w := s.w
	status := int(s.Res.Status)
	if status < 200 && status != 101 {
		if s.beyondHead() {
			s.badResponse()
			return
		}
		s.informational()
		return
	}
	if s.retryStatus(status) {
		return
	}
	_, ahead := s.checkBody()
	if ahead == h1.BadBody || h1.Switches(s.Method, s.Res.Status) && s.phase != full && s.Method != message.CONNECT {
		s.badResponse()
		return
	}
	if !h1.Agreed(s.Res.Status, s.Req.Flags, s.Res.Flags) {
		s.unaskedSwitch()
		return
	}
	if s.Applet != nil {
		s.knowLength()
	}
	s.resHead = true
	if s.w.traces.Any() {
		s.tellResponse()
	}
	s.outAt, s.outEnd = int(s.Res.HeadLen), len(s.out.Data)
	s.Status, s.ServerStatus = status, status
	s.Time.Response = w.loop.Now()
	s.Ctx.Res = &s.Res
	s.ResFromServer += headSize(&s.Res)
	s.toCli.chunkedIn = s.Res.Flags&(message.Chunked|message.BodylessResponse) == message.Chunked
	s.countStatus(status)
	sticktable.CountStatus(&s.Stream, status)
	if status == 401 || status == 407 {
		s.keepAuthenticated(status)
	}
	s.srvWant = s.srvWant.AfterResponse(s.Method, s.Res.Status, s.Res.Flags, false)
	w.engine.observe(s.Server, observation(status))
	s.viewResponseBody(ahead == h1.End)
	s.runResponse()
}

// viewResponseBody lets rules see the part of the body that came with the head, which may be the whole of it.
func (s *stream) viewResponseBody(whole bool) {
	body := s.out.Data[s.Res.HeadLen:s.outEnd]
	switch {
	case s.Res.Flags&message.BodylessResponse != 0:
		s.Ctx.ResBody = sample.Body{Size: -1, Complete: true}
	case s.toCli.chunkedIn:
		s.Ctx.ResBody = sample.Body{Chunks: body, Decode: h1.AppendChunks, Size: -1, Complete: whole}
	case s.Res.Flags&message.ContentLength != 0:
		s.Ctx.ResBody = sample.Body{Data: body, Size: int64(s.Res.BodyLength), Complete: whole}
	default:
		s.Ctx.ResBody = sample.Body{Data: body, Size: -1}
	}
}

// runResponse begins the lane of a response whose head is complete.
func (s *stream) runResponse() {
	if logger.KeepsHeaders(&s.Stream) {
		capture(&s.Res, s.Front.Capture.Res, s.ResCaps)
	}
	s.giveRoom(&s.Res, &s.resCopy)
	s.req.at = len(s.req.steps)
	s.res.start(planOf(s.Back).res)
	s.run(&s.res)
}

// keepAuthenticated makes the server connection the client's own when an
// authentication begins that is bound to the connection (NTLM, Negotiate).
func (s *stream) keepAuthenticated(status int) {
	name := "www-authenticate"
	if status == 407 {
		name = "proxy-authenticate"
	}
	for i := s.Res.Find(name, 0); i >= 0; i = s.Res.Find(name, i+1) {
		v := s.Res.Value(i)
		for _, scheme := range [...]string{"Negotiate", "NTLM"} {
			if len(v) >= len(scheme) && message.EqualFold(v[:len(scheme)], scheme) {
				s.link.conn().reserve()
				s.c.conn().own(s.link.conn())
				s.c.conn().sticks = true
			}
		}
	}
}

// checkBody looks at what came of the body with the head.
func (s *stream) checkBody() (int, h1.Event) {
	switch x := s.link.part.(type) {
	case *fcgiRequest:
		return s.frameCGI(x)
	case *exchange:
		empty := len(s.out.Data) == int(s.Res.HeadLen) && s.outMore == nil && s.toCli.trailer == nil
		if s.toCli.dec.StartFramed(); empty && x.ch.st.RecvEnded() {
			s.toCli.dec.Finish()
		}
		return 0, h1.NeedMore
	}
	s.toCli.dec.Start(&s.Res)
	return s.toCli.dec.Check(s.out.Data[s.Res.HeadLen:])
}

// informational passes a 1xx response on and goes back to waiting for the final one.
func (s *stream) informational() {
	w := s.w
	s.countStatus(int(s.Res.Status))
	size := headSize(&s.Res)
	s.ResFromServer += size
	s.BytesOut += size
	if x := s.c.via; x != nil {
		x.writeHead(&s.Res, false)
	} else {
		s.passInformational()
	}
	rest := s.out
	n := copy(rest.Data, rest.Data[s.Res.HeadLen:])
	rest.Data = rest.Data[:n]
	s.resParser.Response(message.MethodOf(s.Req.MethodName()), s.responseOptions(), w.headLimits())
	if s.outMore != nil {
		s.outMore = fill(rest, s.outMore)
		if !s.srvHeld {
			s.link.sock.Receive()
		}
	}
	s.Res.Reset(rest.Data, s.resFields)
	if len(rest.Data) == 0 {
		s.out = nil
		rest.Release()
		return
	}
	s.parseResponse()
}

// passInformational passes a 1xx response on to a client that speaks HTTP/1.
func (s *stream) passInformational() {
	out := s.w.loop.Buffer()
	enc := h1.Encoder{Request11: true, Cases: headerCases(s.w.cfg, s.Front, runtime.OptH1AdjustClients)}
	if data, err := enc.AppendResponse(out.Data, &s.Res); err == nil {
		out.Data = data
		s.c.sock.Send(out)
		s.holdServer()
	} else {
		out.Release()
	}
}

// forwardResponse sends the response's head to the client, with what is there
// of its body; the rest follows as it comes.
func (s *stream) forwardResponse() outcome {
	w, c := s.w, s.c
	if s.Method == message.HEAD {
		s.Res.Flags |= message.BodylessResponse // a rule changed the method: the client wants no body all the same
	}
	f := &s.toCli
	s.codeResponse()
	f.store = cache.Stores(&s.Stream)
	f.sieve = s.sift(download)
	out, err := s.encodeHead(f.dec.Finished() && f.coder == nil && f.sieve == nil && (s.resBody == nil || len(s.resBody.Data) == 0))
	if err != nil {
		s.front().InternalErr.Inc()
		s.setEnd(runtime.EndInternal)
		s.dropServer()
		return s.answerWith(s.errorReply(500))
	}
	s.BytesOut += headSize(&s.Res)
	s.replied = true
	if f.framing == h1.OtherBytes {
		flush(&c.sock, out)
		s.startTunnel()
		return end
	}
	s.res.at = len(s.res.steps) // the end of the server may be told below
	s.countBytes()
	if len(s.Filters.Of[download]) == 0 {
		logger.Responded(&s.Stream)
	}
	if cache.Answers(&s.Stream) {
		s.sendCached(out)
		return end
	}
	if f.store != nil && s.resBody != nil {
		f.store.Write(s.resBody.Data)
	}
	if v := s.valve(download); v != nil {
		flush(&c.sock, out)
		s.throttleResponse(v)
		return end
	}
	if b := s.resBody; b != nil {
		// Decoded already: it only needs its framing.
		if n := len(b.Data); n > 0 && !f.skip {
			out = f.put(w, b, 0, n, &c.sock, out)
		}
		s.resBody = nil
		b.Release()
	}
	if f.dec.Finished() {
		out = f.finish(w, &c.sock, out)
		flush(&c.sock, out)
		f.done = true
		if s.outAt < s.outEnd || s.outMore != nil {
			s.srvEnd = errUnasked // bytes behind the response: nobody asked for them
		}
		s.responseDone()
		return end
	}
	s.passHeldResponse(out)
	return end
}

// throttleResponse passes on what was received of the body so far, as fast as the limits of the stream allow.
func (s *stream) throttleResponse(v *valve) {
	f := &s.toCli
	if b := s.resBody; b != nil {
		if s.resBody = nil; f.skip {
			b.Release()
		} else {
			v.takeDecoded(b)
		}
	}
	if !f.dec.Finished() {
		s.passHeldResponse(nil)
		return
	}
	if v.bytes > 0 || f.done || s.dead {
		return
	}
	flush(&s.c.sock, f.finish(s.w, &s.c.sock, nil))
	f.done = true
	if s.outAt < s.outEnd || s.outMore != nil {
		s.srvEnd = errUnasked // bytes behind the response: nobody asked for them
	}
	s.responseDone()
}

// passHeldResponse sends head, and behind it what was received of the body so far.
func (s *stream) passHeldResponse(head *loop.Buffer) {
	w, dst := s.w, &s.c.sock
	if len(s.Throttles[download]) == 0 {
		w.startRecount(&s.toCli, &s.Res, false)
	}
	held := [3]*loop.Buffer{nil, s.outMore, s.outExtra}
	s.outMore, s.outExtra = nil, nil
	if s.outAt < s.outEnd {
		held[0] = s.out.Slice(s.outAt, s.outEnd)
	}
	paused := held[1] != nil
	for _, b := range held {
		switch {
		case b == nil:
		case s.dead || s.toCli.done:
			b.Release()
		case s.valve(download) != nil:
			s.valve(download).take(b)
		default:
			p, rest := s.toCli.pass(w, b, 0, dst, head)
			s.toCli.recount(true, s.link.h1, s.c.h1)
			s.afterPass(p, rest)
			head = nil
		}
	}
	flush(dst, head)
	if s.dead || s.toCli.done {
		return
	}
	if paused {
		s.link.sock.Receive()
	}
	if s.c.via != nil {
		s.holdServer()
	}
	s.renewClient()
	switch {
	case s.srvEnd != nil:
		s.serverEnd(s.srvEnd) // it came while rules waited
	case s.resEnd:
		s.responseEnded()
	default:
		s.spliceResponse(0)
	}
}

// encodeHead makes the head of the response ready to leave and sets how its body follows; last: no body does. Over
// HTTP/2 it has left already, and there is no buffer; one whose body is skipped ends with that all the same.
func (s *stream) encodeHead(last bool) (*loop.Buffer, error) {
	f := &s.toCli
	f.lenience = s.responseOptions()
	f.bare = s.Front.Options&runtime.OptDropResponseTrailers != 0
	if s.w.traces.Any() {
		s.tellAnswer()
	}
	if x := s.c.via; x != nil {
		code := s.Res.Status
		f.skip = s.Res.Flags&message.BodylessResponse != 0 || code == 204 || code == 304
		f.framing, f.to = h1.Framed, &x.ch
		if h1.Switches(s.Method, code) {
			f.framing, last = h1.OtherBytes, false
		}
		return nil, x.writeHead(&s.Res, last)
	}
	out := s.w.loop.Buffer()
	enc := s.responseEncoder()
	data, err := enc.AppendResponse(out.Data, &s.Res)
	if err != nil {
		out.Release()
		return nil, err
	}
	out.Data = data
	s.closing = enc.Want != h1.KeepAlive
	f.framing, f.skip, f.cases, f.announced = enc.Framing, enc.SkipBody, enc.Cases, enc.Length
	return out, nil
}

// responseEncoder is filled in with what is known of the client connection.
func (s *stream) responseEncoder() h1.Encoder {
	stopping := s.w.parts()
	var key h1.WebSocketKey
	if s.Req.Flags&message.UpgradeWebSocket != 0 {
		key = h1.KeyOf(&s.Req)
	}
	want := h1.KeepAlive.AfterRequest(s.Req.Flags, stopping)
	if s.c.tired || s.Reply != nil && s.Reply.Closes {
		want = h1.Close
	}
	return h1.Encoder{
		KeepInsecure: s.w.engine.h1Options&h1.KeepInsecure != 0,
		Key:          key,
		Want:         want,
		Front:        mode(s.Front),
		Back:         mode(s.Back),
		Stopping:     stopping,
		Cases:        headerCases(s.w.cfg, s.Front, runtime.OptH1AdjustClients),
		Request11:    s.Req.Flags&message.Version11 != 0,
		Coded:        s.toCli.coder != nil,
		AsItCame:     s.c.conn().port.inner,
	}
}

// passResponse passes what the server sends straight on.
func (s *stream) passResponse(b *loop.Buffer) {
	if s.toCli.done || s.toCli.held() {
		b.Release()
		s.srvEnd = errUnasked
		return
	}
	if s.res.at < len(s.res.steps) {
		// A rule still waits: the bytes do too.
		if s.outMore == nil {
			s.outMore = b
		} else if !merge(s.outMore, b) {
			s.outExtra = b
			s.link.sock.Pause()
		}
		s.goOnWithBody()
		return
	}
	if v := s.valve(download); v != nil {
		v.take(b)
		return
	}
	s.sendResponse(b)
}

// sendResponse sends a part of the response's body to the client.
func (s *stream) sendResponse(b *loop.Buffer) {
	if s.toCli.done {
		b.Release()
		s.srvEnd = errUnasked
		return
	}
	n := len(b.Data)
	p, rest := s.toCli.pass(s.w, b, 0, &s.c.sock, nil)
	if s.link != nil {
		s.toCli.recount(false, s.link.h1, s.c.h1)
	}
	s.afterPass(p, rest)
	if s.dead || s.link == nil {
		return
	}
	s.renewClient()
	s.holdServer()
	s.spliceResponse(n)
}

// holdServer stops receiving from a server that is faster than the client.
func (s *stream) holdServer() {
	low, yes := crowded(&s.c.sock)
	if x := s.c.via; x != nil {
		if yes = yes || x.ch.blocked(); yes {
			s.slim()
		}
	}
	if yes {
		s.link.sock.Pause()
		s.c.sock.NotifySent(low)
		s.srvHeld = true
	}
}

// slim gives back the buffers that the heads of a stream are in, when its client holds it up: there may be a hundred of
// them on a connection, and only their bodies are still to go.
func (s *stream) slim() {
	if !s.replied || s.phase != full || !s.toSrv.done {
		return
	}
	s.Ctx.ReqBody, s.Ctx.ResBody = sample.Body{}, sample.Body{}
	keepHead(&s.Req, &s.in, &s.reqHead)
	keepHead(&s.Res, &s.out, &s.resCopy)
}

// keepHead moves a head to a memory of its size and gives its buffers back.
func keepHead(m *message.Message, buffers ...**loop.Buffer) {
	if m.MoveTo(make([]byte, 0, m.Stored())) != nil {
		return
	}
	for _, b := range buffers {
		if *b != nil {
			(*b).Release()
			*b = nil
		}
	}
}

// goOnWithBody runs the response's rules again when they wait for more of its body.
func (s *stream) goOnWithBody() {
	if s.waits == forBody {
		s.run(&s.res)
	}
}

// afterPass goes on after a part of the response was passed on.
func (s *stream) afterPass(p passed, rest *loop.Buffer) {
	switch p {
	case whole:
		if rest != nil {
			rest.Release()
			s.srvEnd = errUnasked
		}
		s.responseDone()
	case broken:
		s.serverGlitched(1)
		s.countBroken()
		s.back().FailedRes.Inc()
		s.Server.Stats[s.w.id].FailedRes.Inc()
		s.countCut()
		s.setEnd(runtime.EndProxy)
		s.endBroken()
	}
}
