package engine

import (
	"errors"
	"io"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/cache"
	"hapax/runtime/cookie"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
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
		s.informational()
		return
	}
	if s.retryStatus(status) {
		return
	}
	if _, ev := s.checkBody(); ev == h1.BadBody ||
		h1.Switches(s.Method, s.Res.Status) && s.phase != full && s.Method != message.CONNECT {
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
	body := s.out.Data[s.Res.HeadLen:s.outEnd]
	s.Ctx.ResBody = sample.Body{Data: body, Size: -1}
	if s.toCli.chunkedIn {
		s.Ctx.ResBody = sample.Body{Chunks: body, Decode: h1.AppendChunks, Size: -1}
	}
	if s.Res.Flags&message.ContentLength != 0 {
		s.Ctx.ResBody.Size = int64(s.Res.BodyLength)
		s.Ctx.ResBody.Complete = uint64(len(body)) >= s.Res.BodyLength
	}
	s.runResponse()
}

// runResponse begins the lane of a response whose head is complete.
func (s *stream) runResponse() {
	if len(s.Front.Capture.Res) > 0 && planOf(s.Front).keepsHeaders {
		s.ResCaps = capture(&s.Res, s.Front.Capture.Res, s.ResCaps)
		s.Ctx.ResCaptures = s.ResCaps
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
				s.link.conn().private, s.c.conn().sticks = true, true
			}
		}
	}
}

// checkBody looks at what came of the body with the head.
func (s *stream) checkBody() (int, h1.Event) {
	if x := s.link.ex; x != nil {
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

// judgeUnseen runs the tcp-response content rules of a backend that gives them no time to look at the response: when the
// connection to the server stands, in sight of nothing.
func (s *stream) judgeUnseen() outcome {
	s.point(sample.BackResContent, sample.Response)
	s.Ctx.Final = true
	switch s.eval(s.Back.TCPRes, &s.req) {
	case runtime.Continue, runtime.Stop:
		if s.CloseServer {
			s.endRequest(end)
			s.noResponse(io.EOF)
			return end
		}
		return next
	}
	s.countRefusedBody()
	if s.Status = -1; !s.toSrv.dec.Finished() {
		s.Status = 400
	}
	s.refusedContent()
	return s.cut()
}

// inspectResponse are the tcp-response content rules of the backend.
func (s *stream) inspectResponse() outcome {
	if s.Back.InspectRes == 0 {
		return next // judgeUnseen has run them
	}
	s.point(sample.BackResContent, sample.Response)
	s.Ctx.Final = true
	switch s.eval(s.Back.TCPRes, &s.res) {
	case runtime.Continue, runtime.Stop:
		if s.CloseServer {
			s.srvWant = h1.Close
		}
		return next
	case runtime.Wait:
		return wait
	}
	s.countReplaced()
	s.Time.Response = -1
	s.refusedContent()
	return s.cut()
}

// refusedContent notes that a tcp-response rule ended the stream.
func (s *stream) refusedContent() {
	if s.Drop {
		s.droppedResponse()
		return
	}
	s.deniedResponse()
	s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InData}
}

// droppedResponse counts a stream that a rule on its response ended by silent-drop: among the denied requests, as the
// reference does.
func (s *stream) droppedResponse() {
	s.front().DeniedReq.Inc()
	s.back().DeniedReq.Inc()
}

// backResponseRules are the http-response rules of the backend, frontResponseRules those of the frontend.
func (s *stream) backResponseRules() outcome {
	if len(s.Back.HTTPRes) == 0 {
		return next
	}
	s.point(sample.BackResHeaders, sample.Response)
	s.Ctx.Final = true
	return s.judgeResponse(s.eval(s.Back.HTTPRes, &s.res))
}

func (s *stream) frontResponseRules() outcome {
	if len(s.Front.HTTPRes) == 0 || s.Front == s.Back {
		return next
	}
	s.point(sample.FrontResHeaders, sample.Response)
	s.Ctx.Final = true
	return s.judgeResponse(s.eval(s.Front.HTTPRes, &s.res))
}

// judgeResponse turns the verdict of response rules into what the lane does.
func (s *stream) judgeResponse(v runtime.Verdict) outcome {
	switch v {
	case runtime.Continue, runtime.Stop:
		return next
	case runtime.Wait:
		if s.WaitFor > 0 && s.waits != forRule {
			s.waits = forRule
			s.timer.After(s.WaitFor)
		}
		return wait
	case runtime.Done:
		s.countReplaced()
		s.setEnd(runtime.EndLocal)
		s.dropServer()
		return s.answerWith(s.Reply)
	case runtime.Deny:
		s.countReplaced()
		s.deniedResponse()
		s.setEnd(runtime.EndProxy)
		s.dropServer()
		return s.answerWith(s.reply(s.Reply, 502))
	case runtime.Abort:
		s.droppedResponse()
		s.setEnd(runtime.EndProxy)
		return s.cut()
	case runtime.Invalid:
		s.Time.Response = -1
		sticktable.CountFailure(&s.Stream)
		s.back().FailedRes.Inc()
		if s.Server != nil {
			s.Server.Stats[s.w.id].FailedRes.Inc()
		}
		s.setEnd(runtime.EndProxy)
		s.dropServer()
		return s.answerWith(s.errorReply(502))
	}
	return s.failedRules()
}

// failedRules answers 500 where a rule on a response of the server failed.
func (s *stream) failedRules() outcome {
	s.front().InternalErr.Inc()
	s.back().InternalErr.Inc()
	if s.Server != nil {
		s.Server.Stats[s.w.id].InternalErr.Inc()
	}
	s.setEnd(runtime.EndInternal)
	s.dropServer()
	return s.answerWith(s.errorReply(500))
}

// countReplaced counts what came of the body of a response that a rule replaces.
func (s *stream) countReplaced() {
	if s.resBody != nil {
		s.ResFromServer += int64(len(s.resBody.Data))
		return
	}
	s.ResFromServer += int64(s.outEnd) - int64(s.Res.HeadLen)
}

// deniedResponse counts a response that a rule refused.
func (s *stream) deniedResponse() {
	s.front().DeniedRes.Inc()
	s.back().DeniedRes.Inc()
	if s.Server != nil {
		s.Server.Stats[s.w.id].DeniedRes.Inc()
	}
}

// responseCookie manages the persistence cookie.
func (s *stream) responseCookie() outcome {
	if s.Back.Cookie == nil && s.Front.Capture.Cookie == "" && s.Back.Options&runtime.OptCheckCache == 0 || cache.Answers(&s.Stream) {
		return next
	}
	switch err := cookie.Response(&s.Stream); {
	case err == nil:
	case errors.Is(err, cookie.ErrCacheable):
		s.deniedResponse()
		s.setEnd(runtime.EndProxy)
		s.dropServer()
		return s.answerWith(s.errorReply(502))
	default:
		s.rewriteFailed()
		s.setEnd(runtime.EndProxy)
		s.dropServer()
		return s.answerWith(s.errorReply(500))
	}
	return next
}

// afterRules are the http-after-response rules of both sides.
func (s *stream) afterRules() outcome {
	if !s.runAfter() {
		return s.failedRules()
	}
	return next
}

// runAfter runs the http-after-response rules; false: one failed.
func (s *stream) runAfter() bool {
	var l lane
	s.Ctx.Final = true
	if s.inBack && len(s.Back.HTTPAfter) > 0 {
		s.point(sample.BackResHeaders, sample.Response)
		if v := s.eval(s.Back.HTTPAfter, &l); v > runtime.Stop {
			return false
		}
	}
	if s.Front == s.Back && s.inBack || len(s.Front.HTTPAfter) == 0 {
		return true
	}
	l.rule = 0
	s.point(sample.FrontResHeaders, sample.Response)
	return s.eval(s.Front.HTTPAfter, &l) <= runtime.Stop
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
	out, err := s.encodeHead(f.dec.Finished() && f.coder == nil && (s.resBody == nil || len(s.resBody.Data) == 0))
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
	logger.Responded(&s.Stream)
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
	f.framing, f.skip, f.cases = enc.Framing, enc.SkipBody, enc.Cases
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
	if s.toCli.done {
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

// responseDone ends the exchange, once the client has taken the last bytes but
// a buffer's worth.
func (s *stream) responseDone() {
	if s.w.traces.Any() {
		s.tellAnswered()
	}
	s.srvKeep = s.srvWant == h1.KeepAlive
	if !s.toSrv.done && s.link != nil && s.srvEnd == nil && !s.sendFailed {
		s.early = true
		return // the server may still want the rest of the request
	}
	s.exchangeOver()
}

// exchangeOver ends the stream after its response was passed on.
func (s *stream) exchangeOver() {
	if !s.toSrv.done && s.c.end == nil && s.c.via == nil {
		if s.toCli.framing == h1.UntilClose {
			s.c.sock.Shutdown() // which tells the client that this was all
		}
		// The server answered and left without reading all of the request: the rest goes nowhere.
		s.stopWaiting()
		s.dropServer()
		s.resumeClient()
		return
	}
	if s.link != nil && s.toSrv.done {
		s.timer.Stop()
		s.releaseLink()
	}
	s.finishLater()
}

// finishLater ends the stream when the client has most of its bytes.
func (s *stream) finishLater() {
	if s.c.sock.Queued() > s.w.limits.buffer && !s.c.closed {
		s.stopWaiting()
		s.draining = true
		s.c.sock.NotifySent(0)
		s.renewClient()
		return
	}
	s.finish()
}

// linkEnd tells that the server has ended its connection.
func (s *stream) linkEnd(err error) {
	switch {
	case !s.http || s.tunnel:
		if !eof(err) {
			s.countBroken()
		}
	case s.toCli.done, s.holding(download) != nil, s.resHead && !s.res.over():
	case s.resHead && s.toCli.dec.UntilClose() && eof(err):
	case s.out != nil && !s.resHead: // badResponse counts
	default:
		s.countBroken()
	}
	s.serverEnd(err)
}

// serverEnd tells that the server will send no more.
func (s *stream) serverEnd(err error) {
	if v := s.holding(download); v != nil {
		v.endBehind(err)
		return
	}
	s.srvEnd = err
	switch {
	case s.tunnel:
		s.tunnelServerEnd(err)
	case s.res.at < len(s.res.steps):
		s.goOnWithBody() // other rules wait on: passHeldResponse looks at srvEnd
	case s.toCli.done:
		if s.link != nil && !s.draining {
			s.exchangeOver()
		}
	case !s.resHead:
		s.noResponse(err)
	case s.toCli.dec.UntilClose() && eof(err):
		f := &s.toCli
		tail := f.finish(s.w, &s.c.sock, nil)
		flush(&s.c.sock, tail)
		f.done = true
		s.responseDone()
	default:
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		s.endBroken()
	}
}

// noResponse treats a connection that ended before a response.
func (s *stream) noResponse(err error) {
	srv, w := s.Server, s.w
	if !s.Reused {
		w.engine.observe(srv, obsBroken)
	}
	if s.out != nil {
		s.badResponse()
		return
	}
	if s.replays && s.Back.RetryOn.EmptyResponse && s.again() {
		return
	}
	if s.Reused {
		// The server closed a connection that it had kept, while the request was on
		// its way. The client has to try again, as it would have with the server.
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		s.LogLevel = silent
		s.silentClose()
		return
	}
	s.back().FailedRes.Inc()
	srv.Stats[w.id].FailedRes.Inc()
	sticktable.CountFailure(&s.Stream)
	s.setEnd(runtime.EndServer)
	s.giveUp(502)
}

// badResponse answers 502 for what is no HTTP.
func (s *stream) badResponse() {
	s.w.engine.observe(s.Server, obsInvalid)
	s.traceServer(trace.H1StreamErr, trace.Error, "H1 response parsing error", nil)
	if s.resParser.ErrPos >= 0 {
		s.Back.Live.BadResponse.Store(s.captureBad(s.Front, &s.Res, &s.resParser))
	}
	s.serverGlitched(1)
	s.countBroken()
	s.refuseResponse()
}

// unaskedSwitch answers 502 for a switch of protocols that the request did not ask for: it is HTTP, and counts as such.
func (s *stream) unaskedSwitch() {
	status := int(s.Res.Status)
	s.ResFromServer += headSize(&s.Res)
	s.countStatus(status)
	s.w.engine.observe(s.Server, observation(status))
	s.refuseResponse()
}

// refuseResponse answers 502 for a response that is not passed on, unless the request is sent again.
func (s *stream) refuseResponse() {
	if s.replays && s.Back.RetryOn.JunkResponse && s.again() {
		return
	}
	s.Time.Response = -1
	s.back().FailedRes.Inc()
	s.Server.Stats[s.w.id].FailedRes.Inc()
	sticktable.CountFailure(&s.Stream)
	s.setEnd(runtime.EndProxy)
	s.giveUp(502)
}

// countCut counts a response that was broken off in what is tracked, because its server fell silent or its body is not
// what it should be: twice, as the reference does. One whose server has left does not count.
func (s *stream) countCut() {
	sticktable.CountFailure(&s.Stream)
	sticktable.CountFailure(&s.Stream)
}

// countBroken counts a connection that its server broke off or that carried no HTTP. The reference counts that apart from
// the response that failed for it. Exchanges of shared connections are told by exchangeFailed.
func (s *stream) countBroken() {
	if s.link != nil && s.link.ex == nil {
		s.back().FailedRes.Inc()
		s.Server.Stats[s.w.id].FailedRes.Inc()
	}
}
