package engine

import (
	"net/netip"

	"hapax/runtime"
	"hapax/runtime/cache"
	"hapax/runtime/cookie"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// finishRequest makes the request ready to leave, once no rule may refuse it
// any more: cookies, unique id, and what tells the server where it came from.
func (s *stream) finishRequest() outcome {
	switch {
	case s.lost():
		return end
	case s.requestCut():
		s.clientAbort()
		return end
	}
	fe, be := s.Front, s.Back
	if be.Cookie != nil || fe.Capture.Cookie != "" {
		cookie.Request(&s.Stream)
	}
	err := s.uniqueID()
	if err == nil && be.Forwarded != nil {
		err = be.Forwarded(&s.Stream)
	}
	if err == nil {
		err = s.forwardFor(&fe.ForwardedFor, &be.ForwardedFor, s.Ctx.Src.Addr())
	}
	if err == nil {
		err = s.forwardFor(&fe.OriginalTo, &be.OriginalTo, s.Ctx.Dst.Addr())
	}
	if err != nil {
		s.rewriteFailed()
		s.setEnd(runtime.EndProxy)
		return s.answerWith(s.errorReply(500))
	}
	s.requestSeen()
	if fe.Compression != nil || be.Compression != nil {
		s.codeRequest()
	}
	if cache.Answers(&s.Stream) {
		return s.answerCached()
	}
	return next
}

// requestSeen ends the time that logs tell as that of the request: its rules are over, too.
func (s *stream) requestSeen() { s.Time.Request = s.w.loop.Now() }

// requestCut tells whether the client has left in the middle of its request.
func (s *stream) requestCut() bool { return s.c.end != nil && !s.requestWhole() }

// requestWhole tells whether all of the request came, passed on or held.
func (s *stream) requestWhole() bool {
	d := s.toSrv.dec
	if d.Finished() || s.in == nil {
		return d.Finished()
	}
	return d.Skim(s.in.Data[s.inAt:s.inEnd]) || d.Skim(held(s.more)) || d.Skim(held(s.extra))
}

// uniqueID makes the request's id, which later formats and fetches may use.
func (s *stream) uniqueID() error {
	px := s.Front
	if px.UniqueIDFormat.Format == nil {
		return nil
	}
	if len(s.UniqueID) == 0 { // else a rule or a log has asked for it
		s.Ctx.Scratch.Reset()
		s.UniqueID = px.UniqueIDFormat.Format.Append(s.UniqueID[:0], &s.Ctx)
	}
	if px.UniqueIDHeader == "" {
		return nil
	}
	return s.Req.Add(px.UniqueIDHeader, s.UniqueID)
}

// forwardFor adds the client's address (or the one it connected to) in a
// header. Section 4.2 "option forwardfor": the backend's name and exception win
// over the frontend's; if-none counts when both sides that use it say so.
func (s *stream) forwardFor(fe, be *runtime.ForwardFor, addr netip.Addr) error {
	if !fe.On && !be.On {
		return nil
	}
	header := fe.Header
	if be.On && be.Header != "" {
		header = be.Header
	}
	if (!fe.On || fe.IfNone) && (!be.On || be.IfNone) && s.Req.Find(header, 0) >= 0 {
		return nil
	}
	if !addr.IsValid() {
		return nil
	}
	if fe.On && fe.Excepts(addr) || be.On && be.Excepts(addr) {
		return nil
	}
	var text [64]byte
	return s.Req.Add(header, addr.Unmap().AppendTo(text[:0]))
}

// rewriteFailed counts a rewrite for which there was no room.
func (s *stream) rewriteFailed() {
	s.front().FailedRewrite.Inc()
	if s.inBack {
		s.back().FailedRewrite.Inc()
	}
}

// mode is how the proxy keeps connections.
func mode(px *runtime.Proxy) h1.Mode {
	return [...]h1.Mode{runtime.KeepAlive: h1.ModeKeepAlive, runtime.ServerClose: h1.ModeServerClose, runtime.CloseBoth: h1.ModeClose}[px.HTTP]
}

// headerCases are the names that go out otherwise than in lower case on the proxy's side that has the option.
func headerCases(cfg *runtime.Config, px *runtime.Proxy, option runtime.Option) h1.Cases {
	if px.Options&option == 0 {
		return nil
	}
	return cfg.Global.HeaderCases
}

// forwardRequest sends the request's head to the server, with what is there of
// its body; the rest follows as it comes.
func (s *stream) forwardRequest() outcome {
	w, be := s.w, s.Back
	switch x := s.link.part.(type) {
	case *exchange:
		return s.forwardShared(x)
	case *fcgiRequest:
		return s.forwardFCGI(x)
	}
	enc := h1.Encoder{
		KeepInsecure: s.w.engine.h1Options&h1.KeepInsecure != 0,
		Want:         h1.KeepAlive, Front: mode(s.Front), Back: mode(be), Pretend: be.Options&runtime.OptPretendKeepAlive != 0,
		ServerHeader: be.SendName, ServerName: s.Server.Name, Stopping: w.engine.stopping.Load(),
		Cases: headerCases(w.cfg, be, runtime.OptH1AdjustServers),
		Coded: s.Coding.Request != nil,
	}
	if s.Server.Hidden && be.SendName != "" {
		s.Req.RemoveAll(be.SendName) // it has no name to send, and the client's is not one
		enc.ServerHeader = ""
	}
	out := w.loop.Buffer()
	data, err := enc.AppendRequest(out.Data, &s.Req)
	if err != nil {
		out.Release()
		s.front().InternalErr.Inc()
		s.setEnd(runtime.EndInternal)
		return s.answerWith(s.errorReply(500))
	}
	out.Data = data
	s.headSent = true
	if s.w.traces.Any() {
		s.tellForwarded()
	}
	s.srvWant = enc.Want
	s.toSrv.framing, s.toSrv.skip, s.toSrv.cases, s.toSrv.announced = enc.Framing, enc.SkipBody, enc.Cases, enc.Length
	s.ReqToServer += headSize(&s.Req)
	s.resParser.Response(message.MethodOf(s.Req.MethodName()), s.responseOptions(), w.headLimits())
	s.resParser.ExpectKey(enc.Key)
	s.passRequestBody(out)
	return end
}

// passRequestBody sends the head of the request, nil when it has left, and goes on with the body.
func (s *stream) passRequestBody(head *loop.Buffer) {
	s.toSrv.sieve = s.sift(upload)
	s.replays = s.Back.RetryOn.Any() && !s.NoRetry && (s.body == nil || s.toSrv.dec.Finished()) && len(s.Throttles[upload]) == 0 && s.toSrv.sieve == nil
	s.toSrv.lenience = s.requestOptions()
	s.toSrv.bare = s.Back.Options&runtime.OptDropRequestTrailers != 0
	s.armServerTimer()
	s.prepareReceive()
	if !s.replays && len(s.Throttles[upload]) == 0 {
		s.w.startRecount(&s.toSrv, &s.Req, true)
	}
	if s.passHeld(head); !s.dead && !s.toSrv.done {
		s.forgetReplay() // a request of which a part is still to come is sent once
	}
	if s.Method == message.CONNECT && !s.dead {
		s.phase = hold // the tunnel opens with the response
	}
}

// passHeld sends head, and behind it what was received of the body so far.
func (s *stream) passHeld(head *loop.Buffer) {
	w, dst := s.w, &s.link.sock
	f := &s.toSrv
	if v := s.valve(upload); v != nil {
		flush(dst, head)
		s.throttleRequest(v)
		return
	}
	if s.body != nil {
		// Decoded already: it only needs its framing.
		b := s.body
		if n := len(b.Data); n > 0 && !f.skip {
			head = f.put(w, b, 0, n, dst, head)
		}
		if !s.replays {
			s.body = nil
			b.Release()
		}
	}
	if f.dec.Finished() {
		head = f.finish(w, dst, head)
		flush(dst, head)
		s.requestDone()
		return
	}
	if s.passHeldBody(&head) {
		return
	}
	flush(dst, head)
	s.phase = pass
	s.resumeClient()
	s.spliceRequest(0)
}

// throttleRequest passes on what was received of the body so far, as fast as the limits of the stream allow.
func (s *stream) throttleRequest(v *valve) {
	s.phase = pass
	if b := s.body; b != nil {
		if s.body = nil; s.toSrv.skip {
			b.Release()
		} else {
			v.takeDecoded(b)
		}
	}
	if s.toSrv.dec.Finished() {
		if v.bytes == 0 && !s.toSrv.done {
			flush(&s.link.sock, s.toSrv.finish(s.w, &s.link.sock, nil))
			s.requestDone()
		}
		return
	}
	if s.inAt < s.inEnd {
		b := s.in.Slice(s.inAt, s.inEnd)
		s.inAt = s.inEnd
		v.take(b)
	}
	for _, b := range [...]**loop.Buffer{&s.more, &s.extra} {
		if *b != nil && !s.toSrv.done {
			held := *b
			*b = nil
			v.take(held)
		}
	}
	if !s.dead && !s.toSrv.done {
		s.resumeClient()
	}
}

// passHeldBody passes on what was received of the body so far, behind head, which it
// sets to nil when it has sent it; true: the request is complete, or the stream is over.
func (s *stream) passHeldBody(head **loop.Buffer) bool {
	if s.inAt < s.inEnd {
		v, h := s.in.Slice(s.inAt, s.inEnd), *head
		s.inAt, *head = s.inEnd, nil
		if s.passOn(v, h) {
			return true
		}
	}
	for _, b := range [...]**loop.Buffer{&s.more, &s.extra} {
		if *b == nil {
			continue
		}
		v, h := *b, *head
		*b, *head = nil, nil
		s.keepReplay(v)
		if s.passOn(v, h) {
			return true
		}
	}
	return false
}

// keepReplay copies bytes of the body that are about to be passed on, as long as the
// request may be sent again; what does not fit into one buffer may not.
func (s *stream) keepReplay(b *loop.Buffer) {
	if !s.replays {
		return
	}
	if s.replay == nil {
		s.replay = s.w.loop.Buffer()
	}
	if len(b.Data) > cap(s.replay.Data)-len(s.replay.Data) {
		s.forgetReplay()
		return
	}
	s.replay.Data = append(s.replay.Data, b.Data...)
}

// forgetReplay makes the request one that is not sent again.
func (s *stream) forgetReplay() {
	s.replays = false
	if s.replay != nil {
		s.replay.Release()
		s.replay = nil
	}
}

// passOn passes bytes of the body on; true: the request is complete, or the
// stream is over.
func (s *stream) passOn(b, head *loop.Buffer) bool {
	var dst *transport.Conn
	if s.link != nil {
		dst = &s.link.sock
	} else {
		s.toSrv.skip = true // nobody is there to take it
	}
	p, rest := s.toSrv.pass(s.w, b, 0, dst, head)
	if s.link != nil {
		s.toSrv.recount(s.phase != pass, s.c.h1, s.link.h1)
	}
	switch p {
	case whole:
		if rest != nil {
			s.keepAhead(rest.Data)
			s.cutHeld(len(rest.Data))
			rest.Release()
		}
		s.requestDone()
		return true
	case broken:
		s.c.glitched(1)
		if s.toCli.done {
			s.front().FailedReq.Inc()
			s.setEnd(runtime.EndProxy)
			s.closing = true
			s.finish()
			return true
		}
		s.front().FailedReq.Inc()
		s.setEnd(runtime.EndProxy)
		s.giveUp(400)
		return true
	}
	return false
}

// cutHeld takes the last n bytes, which belong to the next request, off what is sent again.
func (s *stream) cutHeld(n int) {
	if s.replay != nil {
		s.replay.Data = s.replay.Data[:len(s.replay.Data)-n]
	} else {
		s.inEnd -= n
	}
}

// requestDone notes that all of the request is on its way to the server.
func (s *stream) requestDone() {
	s.toSrv.done = !s.toSrv.unfinished()
	s.phase = full
	s.keepRest()
	if s.toCli.done {
		s.exchangeOver()
		return
	}
	s.listen() // to notice a client that leaves
}

// passRequest passes what the client sends straight on.
func (s *stream) passRequest(b *loop.Buffer) {
	s.renewServer()
	if v := s.valve(upload); v != nil {
		v.take(b)
		return
	}
	s.sendRequest(b)
}

// holdClient stops receiving from a client that is faster than the server.
func (s *stream) holdClient() {
	if low, yes := crowded(&s.link.sock); yes {
		s.c.sock.Pause()
		s.link.sock.NotifySent(low)
		s.cliHeld = true
	}
}

// sendRequest sends a part of the request's body to the server.
func (s *stream) sendRequest(b *loop.Buffer) {
	n := len(b.Data)
	if s.passOn(b, nil) {
		return
	}
	s.renewClient()
	if s.link != nil {
		s.holdClient()
	}
	s.spliceRequest(n)
}

// serverSent is called when the server took enough of what is queued.
func (s *stream) serverSent(err error) {
	if err == nil {
		s.renewServer()
		s.takeFromClient()
		return
	}
	// The response, or the end of the connection, tells more than this error.
	s.sendFailed = true
	switch {
	case s.tunnel && s.srvEnd != nil:
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		s.cut()
	case s.toCli.done && !s.draining:
		s.exchangeOver()
	default:
		s.takeFromClient() // nobody takes the bytes, but the end of the request is to be found
	}
}

// takeFromClient ends the pause of a client that was faster than the server.
func (s *stream) takeFromClient() {
	if s.cliHeld {
		s.cliHeld = false
		s.resumeClient()
	}
}

// resumeClient reads from the client again.
func (s *stream) resumeClient() {
	if !s.cliHeld && s.c.end == nil {
		s.c.sock.Receive()
		s.renewClient()
	}
}

// expectContinue answers a client that waits for permission to send its body.
func (s *stream) expectContinue() {
	i := s.Req.FindID(message.Expect, 0)
	if i < 0 || s.Req.Flags&message.Version11 == 0 || !message.EqualFold(s.Req.Value(i), "100-continue") {
		return
	}
	if x := s.c.via; x != nil {
		x.writeStatus(100)
	} else {
		s.c.sock.SendStatic(continueReply)
	}
	s.Req.Remove(i)
}

var continueReply = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// makeCaptures gives the stream its slots for captures, empty.
func (s *stream) makeCaptures() {
	s.ReqCaps = grow(s.ReqCaps, len(s.Front.Capture.Req))
	s.ResCaps = grow(s.ResCaps, len(s.Front.Capture.Res))
	s.Ctx.ReqCaptures, s.Ctx.ResCaptures = s.ReqCaps, s.ResCaps
}

// capture fills the slots with the last value of each header, cut to its length.
func capture(m *message.Message, slots []runtime.CaptureSlot, caps [][]byte) {
	for i := range slots {
		h := slots[i].Header
		if h == "" {
			continue
		}
		for f := m.Find(h, 0); f >= 0; f = m.Find(h, f+1) {
			v := m.Value(f)
			if len(v) > slots[i].Len {
				v = v[:slots[i].Len]
			}
			caps[i] = append(caps[i][:0], v...)
			if caps[i] == nil {
				caps[i] = emptyCapture
			}
		}
	}
}

// emptyCapture is a header that was there without a value.
var emptyCapture = []byte{}

// grow gives n empty slots, reusing the memory of the last use.
func grow(caps [][]byte, n int) [][]byte {
	if cap(caps) < n {
		caps = make([][]byte, n)
	}
	caps = caps[:n]
	clear(caps)
	return caps
}

// cookiesOfRefused reads the cookies of a request that a rule refuses, for its log line.
func (s *stream) cookiesOfRefused() {
	if s.Back.Cookie != nil || s.Front.Capture.Cookie != "" {
		cookie.Request(&s.Stream)
	}
}

// responseOptions are the parser's.
func (s *stream) responseOptions() h1.Options {
	var o h1.Options
	if s.Back.Options&runtime.OptAcceptUnsafeResponse != 0 {
		o |= h1.AcceptUnsafe
	}
	return o | s.w.engine.h1Options
}

// countRequest counts a request of the frontend and the process.
func (s *stream) countRequest() {
	s.countRate()
	s.counts().Reqs.Inc()
}

// arrived counts a request that no content rule has refused.
func (s *stream) arrived() outcome {
	s.countHTTP()
	s.countRequest()
	if s.Front.MonitorURI == "" || !s.isMonitor() {
		logger.Requested(&s.Stream)
	}
	if logger.KeepsHeaders(&s.Stream) {
		capture(&s.Req, s.Front.Capture.Req, s.ReqCaps)
	}
	return next
}

// countRate counts a request in the rate of the frontend.
func (s *stream) countRate() {
	live := &s.Front.Live
	live.ReqRate.Inc(&live.Front[s.w.id].ReqRate, s.w.ms())
}

// countHTTP counts a request by the version of HTTP that the client speaks.
func (s *stream) countHTTP() {
	if s.c.via != nil {
		s.front().H2Req.Inc()
		return
	}
	s.front().H1Req.Inc()
}

// counts is the shard of the process's counters.
func (s *stream) counts() *runtime.LoopCounters { return s.w.counts }

// started counts the stream, once it has something to do.
func (s *stream) started() {
	s.begun = true
	s.counts().Streams.Inc()
}

// front is the shard of the frontend's counters, back that of the backend's.
func (s *stream) front() *runtime.FrontCounters { return s.fe }
func (s *stream) back() *runtime.BackCounters   { return s.be }
