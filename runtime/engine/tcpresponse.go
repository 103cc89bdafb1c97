package engine

import (
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
)

// judgesPipe tells whether tcp-response rules look at what the server of a connection in TCP mode sends.
func (s *stream) judgesPipe() bool { return !s.http && len(s.Back.TCPRes) > 0 }

// pipeSteps are the response lane of such a connection.
func pipeSteps() []step { return []step{{"tcp-response content", (*stream).judgePipe}} }

// pipeHeld tells whether the rules have not decided yet.
func (s *stream) pipeHeld() bool { return !s.http && !s.res.over() }

// holdPipe keeps bytes of the server until its rules have decided.
func (s *stream) holdPipe(b *loop.Buffer) {
	switch {
	case s.out == nil:
		s.out = b
	case merge(s.out, b):
	default:
		s.outMore = b
		s.link.sock.Pause()
	}
	s.run(&s.res)
}

// judgePipe runs the tcp-response content rules of the backend on what came so far. A condition that misses data
// waits up to the inspect-delay.
func (s *stream) judgePipe() outcome {
	now, px := s.w.loop.Now(), s.Back
	if s.inspect == 0 && px.InspectRes > 0 {
		s.inspect = now + int64(px.InspectRes)
	}
	raw := &s.Ctx.ResRaw
	raw.Data, raw.Closed, raw.Full = held(s.out), s.srvEnd != nil, s.outMore != nil
	s.point(sample.BackResContent, sample.Response)
	s.Ctx.Final = raw.Closed || raw.Full || s.inspect == 0 || now >= s.inspect
	switch v := s.eval(px.TCPRes, &s.res); {
	case v == runtime.Wait && s.WaitFor > 0:
		return s.waitForRule()
	case v == runtime.Wait:
		s.waits = forInspect
		s.timer.Set(s.inspect)
		return wait
	case v > runtime.Stop:
		s.refusedContent()
		s.ResFromServer += int64(len(raw.Data)) // what came counts, and goes nowhere
		return s.cut()
	case s.CloseServer:
		s.ResFromServer += int64(len(raw.Data))
		s.resetServer()
		return s.cut()
	}
	s.learnStick()
	*raw = sample.Raw{}
	s.inspect = 0
	s.res.at = len(s.res.steps)
	s.waits = forServer
	s.renewServer()
	for _, b := range [...]**loop.Buffer{&s.out, &s.outMore} {
		if *b != nil {
			v := *b
			*b = nil
			s.pipeBack(v)
		}
	}
	s.link.sock.Receive()
	return end
}
