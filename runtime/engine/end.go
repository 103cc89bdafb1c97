package engine

import (
	"errors"

	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/stats/counter"
)

var (
	errUnasked          = errors.New("bytes behind the response")
	errBadReply         = errors.New("an error file is no HTTP response")
	errHandshakeTimeout = errors.New("timeout during the handshake")
)

// setEnd notes who ended the stream, unless something did before, and in which
// state it was.
func (s *stream) setEnd(cause byte) {
	if s.End.Cause == runtime.EndNone {
		s.End.Cause = cause
	}
	if s.End.State != runtime.InNone {
		return
	}
	switch {
	case s.waits == forTarpit:
		s.End.State = runtime.InTarpit
	case s.queued:
		s.End.State = runtime.InQueue
	case s.Internal && s.link == nil, !s.reached():
		s.End.State = runtime.InRequest
	case s.link == nil || !s.link.up:
		s.End.State = runtime.InConnect
	case s.Front.Mode != runtime.ModeHTTP || s.tunnel:
		s.End.State = runtime.InData
	case !s.replied:
		s.End.State = runtime.InHeaders
	case s.toCli.done:
		s.End.State = runtime.InLast
	default:
		s.End.State = runtime.InData
	}
}

// reached tells whether the stream came as far as trying to connect.
func (s *stream) reached() bool { return s.link != nil || s.slot != nil || s.RetriesDone > 0 }

// cut ends the stream without an answer.
func (s *stream) cut() outcome {
	s.phase = drop
	s.closing = true
	s.dropServer()
	s.finish()
	return end
}

// silentClose ends the stream and says nothing to the client: it will try again.
func (s *stream) silentClose() {
	s.Status = 0
	s.cut()
}

// giveUp ends a stream whose server failed: with an error as long as nothing
// was said to the client.
func (s *stream) giveUp(status int) { s.giveUpWith(status) }

func (s *stream) giveUpWith(status int) outcome {
	s.req.at = len(s.req.steps)
	s.stopWaiting()
	s.leaveQueue()
	if s.replied || s.Front.Mode != runtime.ModeHTTP {
		return s.cut()
	}
	s.dropServer()
	s.phase = drop
	return s.answerWith(s.errorReply(status))
}

// endBroken ends a stream in the middle of its response.
func (s *stream) endBroken() {
	s.closing = true
	s.toCli.done = false
	s.cut()
}

// dropServer ends the connection to the server, if there is one.
func (s *stream) dropServer() {
	if k := s.link; k != nil {
		s.link = nil
		k.abort()
	}
}

// releaseLink gives the server connection back as soon as its exchange is over.
func (s *stream) releaseLink() {
	k := s.link
	s.link = nil
	if s.srvKeep && s.srvEnd == nil {
		k.release(true)
	} else {
		k.closeAfter()
	}
	s.leaveCurrent()
	s.releaseSlot()
}

// clientAbort ends the stream because the client left.
func (s *stream) clientAbort() {
	s.countAborts(true)
	switch {
	case s.queued:
		s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InQueue}
		s.leaveQueue()
		s.cut()
	case s.replied:
		s.setEnd(runtime.EndClient)
		s.endBroken()
	case eof(s.c.end):
		s.setEnd(runtime.EndClient)
		s.giveUp(400)
	default:
		s.setEnd(runtime.EndClient)
		s.cut()
	}
}

// clientSent is called when the client took enough of what is queued, or is gone.
func (s *stream) clientSent(err error) {
	if err != nil {
		if s.toCli.done {
			s.countAborts(true)
			s.End = runtime.Termination{Cause: runtime.EndClient, State: runtime.InData}
			s.closing = true
			s.finish()
			return
		}
		s.c.end = err
		s.clientAbort()
		return
	}
	if s.draining {
		s.finish()
		return
	}
	s.renewClient()
	if s.srvHeld {
		s.srvHeld = false
		if s.link != nil {
			s.link.sock.Receive()
			s.renewServer()
		}
	}
}

// countAborts counts an end that the client (or the server) made.
func (s *stream) countAborts(client bool) {
	f := s.front()
	if client {
		f.CliAborts.Inc()
	} else {
		f.SrvAborts.Inc()
	}
	if !s.inBack {
		return
	}
	shards := [2]*runtime.BackCounters{s.back()}
	if s.Server != nil {
		shards[1] = &s.Server.Stats[s.w.id]
	}
	for _, b := range shards {
		switch {
		case b == nil:
		case client:
			b.CliAborts.Inc()
		default:
			b.SrvAborts.Inc()
		}
	}
}

// denied counts a request that a rule refused.
func (s *stream) denied() {
	s.Time.Request = s.w.loop.Now()
	s.front().DeniedReq.Inc()
	if s.inBack {
		s.back().DeniedReq.Inc()
	}
}

// intercepted notes an answer that a rule gave.
func (s *stream) intercepted() {
	s.setEnd(runtime.EndLocal)
	if !s.inBack || s.Front == s.Back {
		s.front().Intercepted.Inc()
	}
}

// countStatus counts a response by its status.
func (s *stream) countStatus(status int) {
	class := runtime.StatusClass(status)
	if !s.Internal && s.Server != nil {
		s.Server.Stats[s.w.id].Rsp[class].Inc()
	}
}

// account adds the stream's numbers up when it ends.
func (s *stream) account() {
	class := runtime.StatusClass(s.Status)
	f := s.front()
	if s.Front.Mode == runtime.ModeHTTP {
		f.Rsp[class].Inc()
	}
	f.ReqIn.Add(uint64(s.BytesIn))
	f.ReqOut.Add(uint64(s.ReqToServer))
	f.ResIn.Add(uint64(s.ResFromServer))
	f.ResOut.Add(uint64(s.BytesOut))
	if !s.inBack {
		return
	}
	b := s.back()
	if s.Front.Mode == runtime.ModeHTTP {
		b.Rsp[class].Inc()
	}
	s.accountBack(b)
	if s.Server == nil {
		return
	}
	st := &s.Server.Stats[s.w.id]
	s.accountBack(st)
	t := s.times()
	srv, live := s.Server, &s.Back.Live
	for i, avg := range [...][2]avgMax{
		{{&st.QTime, &srv.QTimeMax}, {&b.QTime, &live.QTimeMax}},
		{{&st.CTime, &srv.CTimeMax}, {&b.CTime, &live.CTimeMax}},
		{{&st.DTime, &srv.DTimeMax}, {&b.DTime, &live.DTimeMax}},
		{{&st.TTime, &srv.TTimeMax}, {&b.TTime, &live.TTimeMax}},
	} {
		for _, x := range avg {
			x.avg.Show(t[i])
			x.max.Show(t[i])
		}
	}
}

// avgMax is where one time is averaged and its maximum kept.
type avgMax struct {
	avg *counter.Average
	max *counter.Max
}

// accountBack adds the bytes to a shard of the backend or the server.
func (s *stream) accountBack(b *runtime.BackCounters) {
	b.ReqIn.Add(uint64(s.BytesIn))
	b.ReqOut.Add(uint64(s.ReqToServer))
	b.ResIn.Add(uint64(s.ResFromServer))
	b.ResOut.Add(uint64(s.BytesOut))
}

// times are the queue, connect, response and total times in ms, as the averages take them.
func (s *stream) times() [4]uint64 {
	t := &s.Time
	span := func(from, to int64) uint64 {
		if from <= 0 || to < from {
			return 0
		}
		return uint64((to - from) / 1e6)
	}
	return [4]uint64{
		span(t.Request, t.Queue),
		span(t.Queue, t.Connect),
		span(t.Connect, t.Response),
		span(t.Request, t.Close),
	}
}

// log writes the stream's line.
func (s *stream) log() {
	if s.LogLevel == silent {
		return
	}
	s.Ctx.Scratch.Reset()
	logger.Log(&s.Stream)
}
