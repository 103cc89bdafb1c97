package engine

import (
	"io"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
)

// startTCP runs the steps of a connection in TCP mode.
func (s *stream) startTCP() {
	s.Session.Requests++
	s.counts().Reqs.Inc()
	s.started()
	s.phase = hold
	s.Time.First = s.Time.Accept
	s.setClientTimer()
	logger.Accepted(&s.Stream)
	s.req.start(s.steps.front)
	s.run(&s.req)
}

// forwardTCP makes the connection a pipe: what was held goes to the server.
func (s *stream) forwardTCP() outcome {
	s.Time.Response = s.w.loop.Now()
	logger.Connected(&s.Stream)
	if s.judgesPipe() {
		s.res.start(pipeSteps())
		s.inspect = 0
	} else {
		s.learnStick()
	}
	s.openPipe()
	for _, b := range [...]**loop.Buffer{&s.in, &s.more, &s.extra} {
		if *b != nil {
			s.pipeOn(*b)
			*b = nil
		}
	}
	if s.c.end != nil {
		s.pipeClientEnd()
	}
	return end
}

// upgrade makes an HTTP stream of one in TCP mode whose backend speaks HTTP, or that
// content rules switch: what the client sent is read as a request, and the frontend's
// steps for HTTP run with it.
func (s *stream) upgrade() outcome {
	if s.c.Listener.Bind.Proto == runtime.ProtoNone {
		s.setEnd(runtime.EndProxy)
		return s.cut()
	}
	if s.SwitchProto == runtime.ProtoH2 {
		s.upgradeH2()
		return wait
	}
	s.http, s.c.http, s.switched = true, true, true
	s.c.beginH1()
	s.c.h1.Streams.Inc()
	s.inH1 = true
	s.phase = readHead
	s.Ctx.Req, s.Ctx.NotHTTP, s.Ctx.ReqRaw = nil, false, sample.Raw{}
	s.Ctx.Front.HTTP = 1
	s.c.Requests--
	if s.body != nil {
		s.body.Release() // the copy that content rules looked at
		s.body = nil
	}
	s.Time.First = s.w.loop.Now()
	s.Time.RequestWall = s.w.loop.Wall() / 1e3
	s.c.setTimer(s.Front.Timeout.Request, s.Front.Timeout.Client)
	if s.in == nil {
		s.in = s.w.loop.Buffer()
	}
	s.listen()
	s.Req.Reset(s.in.Data, s.reqFields)
	s.parser.Request(s.requestOptions(), s.w.headLimits())
	s.parse()
	return wait
}

// openPipe passes the bytes of both sides from now on.
func (s *stream) openPipe() {
	s.tunnel = true
	s.replied = true
	s.phase = pass
	s.waits = forServer
	for side := range s.sieves {
		s.sieves[side] = s.sift(side)
	}
	s.setClientTimer()
	s.renewServer()
	s.prepareReceive()
	s.c.sock.Receive()
	s.link.sock.Receive()
}

// startTunnel turns an HTTP exchange into a pipe, after 101 or CONNECT.
func (s *stream) startTunnel() {
	s.toSrv.dec.StartTunnel()
	s.toSrv.framing = h1.OtherBytes
	s.openPipe()
	// What came behind either head goes on first.
	if s.inAt < s.inEnd {
		s.pipeOn(s.in.Slice(s.inAt, s.inEnd))
		s.inAt = s.inEnd
	}
	for _, b := range [...]**loop.Buffer{&s.c.ahead, &s.more, &s.extra} {
		if *b != nil {
			s.pipeOn(*b)
			*b = nil
		}
	}
	if at := int(s.Res.HeadLen); at < s.outEnd {
		s.pipeBack(s.out.Slice(at, s.outEnd))
	}
	for _, b := range [...]**loop.Buffer{&s.outMore, &s.outExtra} {
		if *b != nil {
			s.pipeBack(*b)
			*b = nil
		}
	}
	if x := s.c.via; x != nil && x.ended {
		s.c.end = io.EOF
	}
	if s.c.end != nil {
		s.pipeClientEnd()
	}
	if s.srvEnd != nil && !s.dead {
		s.tunnelServerEnd(s.srvEnd)
	}
}

// pipeOn passes bytes of the client to the server.
func (s *stream) pipeOn(b *loop.Buffer) {
	if x := s.sieves[upload]; x != nil {
		x.take(b)
		return
	}
	if v := s.valve(upload); v != nil {
		v.take(b)
		return
	}
	s.sendOn(b)
}

func (s *stream) sendOn(b *loop.Buffer) {
	n := int64(len(b.Data))
	s.BytesIn += n
	s.ReqToServer += n
	s.renewClient()
	s.renewServerWrite()
	s.link.sock.Send(b)
	s.holdClient()
	s.spliceRequest(int(n))
}

// tunnelBack passes bytes of the server to the client.
func (s *stream) tunnelBack(b *loop.Buffer) {
	if s.pipeHeld() {
		s.holdPipe(b)
		return
	}
	s.pipeBack(b)
}

// pipeBack passes bytes of the server to the client.
func (s *stream) pipeBack(b *loop.Buffer) {
	if x := s.sieves[download]; x != nil {
		x.take(b)
		return
	}
	if v := s.valve(download); v != nil {
		v.take(b)
		return
	}
	s.sendBack(b)
}

func (s *stream) sendBack(b *loop.Buffer) {
	n := int64(len(b.Data))
	s.BytesOut += n
	s.ResFromServer += n
	s.renewClientWrite()
	s.c.sock.Send(b)
	s.holdServer()
	s.spliceResponse(int(n))
}

// tcpClientEnd treats the end of what the client sends, in TCP mode or a tunnel.
func (s *stream) tcpClientEnd(err error) {
	switch {
	case s.tunnel && eof(err):
		s.pipeClientEnd()
	case s.tunnel:
		s.countAborts(true)
		s.setEnd(runtime.EndClient)
		s.resetServer()
		s.cut()
	case eof(err) && s.phase == hold && !s.reached() && !s.queued:
		s.run(&s.req) // content rules need not wait any more
	case eof(err) && s.phase == hold && s.in != nil && !s.abortsOnClose(): // the server is to get what came
	case eof(err) && s.waits == forConnect:
		s.leaveDialing()
	case s.phase == hold && s.waits == forInspect:
		s.run(&s.req) // they judge what came all the same, and a backend is chosen that counts the end
	default:
		s.clientGone(runtime.EndClient)
	}
}

// clientGone ends a connection whose client has failed, or was silent for too long, before a server was reached.
func (s *stream) clientGone(cause byte) outcome {
	s.countAborts(true)
	s.setEnd(cause)
	switch {
	case s.End.State == runtime.InRequest:
		s.front().FailedReq.Inc()
	case s.End.State == runtime.InConnect && s.c.end != nil && !eof(s.c.end):
		s.End.State = runtime.InData
	}
	s.leaveQueue()
	return s.cut()
}

// pipeLeft tells whether a client in TCP mode has left before its server was reached, with nothing for it.
func (s *stream) pipeLeft() bool {
	return !s.http && s.c.end != nil && (s.in == nil || s.abortsOnClose())
}

// clientStays lets only those clients come to a server that did not fail while rules waited.
func (s *stream) clientStays() outcome {
	switch err := s.c.end; {
	case err == nil, eof(err):
		return next
	case err == errLate:
		return s.clientGone(runtime.EndClientTO)
	default:
		return s.clientGone(runtime.EndClient)
	}
}

// pipeClientEnd passes the client's end on, and waits for the server's.
func (s *stream) pipeClientEnd() {
	if s.sieves[upload].endBehind(io.EOF) {
		return
	}
	s.endFilters(upload)
	if v := s.holding(upload); v != nil {
		v.endBehind(io.EOF)
		return
	}
	if s.Back.Options&runtime.OptNoLinger != 0 {
		s.pipeDone() // the server's side ends with the client's
		return
	}
	s.link.sock.Shutdown()
	if s.srvEnd != nil {
		s.pipeDone()
		return
	}
	s.cliDone = true
	if d := s.Back.Timeout.ServerFin; d > 0 {
		s.waits = forServer
		s.timer.After(d)
	}
}

// tunnelServerEnd passes the server's end on, and waits for the client's.
func (s *stream) tunnelServerEnd(err error) {
	if s.pipeHeld() {
		s.run(&s.res) // its rules need not wait any more
		if s.dead {
			return
		}
	}
	if s.sieves[download].endBehind(err) {
		return
	}
	if v := s.holding(download); v != nil {
		v.endBehind(err)
		return
	}
	if !eof(err) || s.sendFailed { // the system has told the failure already
		s.countAborts(false)
		s.setEnd(runtime.EndServer)
		s.cut()
		return
	}
	s.endFilters(download)
	s.c.sock.Shutdown()
	if s.cliDone {
		s.pipeDone()
		return
	}
	if d := s.Front.Timeout.ClientFin; d > 0 {
		s.c.timer.After(d)
	}
}

// pipeDone ends a pipe that both sides have closed.
func (s *stream) pipeDone() {
	s.toCli.done, s.toSrv.done = true, true
	s.closing = true
	s.finishLater()
}
