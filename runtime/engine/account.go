package engine

import (
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/stats/counter"
)

// Sizes of what the reference holds of a message beside its text. They show in
// the byte counts of logs and statistics, which count messages in the form in
// which it holds them: without delimiters, chunk sizes and hop-by-hop headers.
const (
	lineSize = 20 // of a start line
	endSize  = 1  // of the end of the headers, and of that of the trailers
)

// headSize is what a head counts in logs and statistics.
func headSize(m *message.Message) int64 {
	n := uint32(lineSize + endSize)
	for i := range m.Line {
		n += m.Line[i].Len
	}
	for i := range m.Fields {
		n += m.Fields[i].Name.Len + m.Fields[i].Value.Len
	}
	return int64(n)
}

// bodySize is what the flow has counted of a body so far.
func (f *flow) bodySize() int64 {
	switch {
	case !f.done:
		return f.moved
	case f.trailer != nil:
		return f.moved + f.trailer.size()
	case f.chunkedIn:
		return f.moved + endSize
	}
	return f.moved
}

// size is what trailers count.
func (t *trailer) size() int64 {
	n := uint32(endSize)
	for i := range t.msg.Fields {
		n += t.msg.Fields[i].Name.Len + t.msg.Fields[i].Value.Len
	}
	return int64(n)
}

// countTail counts the end of a request over HTTP/2 that came apart from the body: trailers, or an empty frame. Trailers
// that the flow passes on are among its bytes.
func (s *stream) countTail() {
	x, n := s.c.via, int64(0)
	switch {
	case x.trailers == nil && x.ch.bare:
		n = endSize
	case x.trailers != nil && (s.toSrv.done || s.c.end != nil):
		n = x.trailers.size()
	}
	s.BytesIn += n
	if s.headSent {
		s.ReqToServer += n
	}
}

// countResponseTail counts the end of a response of a shared connection that came apart from the body, and is not among the
// bytes of the flow.
func (s *stream) countResponseTail() {
	n := int64(0)
	switch {
	case s.toCli.trailer != nil:
		n = s.toCli.trailer.size()
	case s.link.part.bare():
		n = endSize
	}
	s.ResFromServer += n
	s.BytesOut += n
}

// leftSize is what of bodySize counts for the peer that the flow goes to.
func (f *flow) leftSize(n int64) int64 {
	if f.coder != nil {
		n += f.coded - f.moved
	}
	return n
}

// bodyCounts is how much of a body is in the stream's counts already: as it came, and as it left.
type bodyCounts struct{ came, left int64 }

// countBytes brings the stream's byte counts up to date, before it is logged.
func (s *stream) countBytes() {
	if !s.http {
		if !s.tunnel {
			s.BytesIn = s.heldBytes()
		}
		return // else counted as they pass
	}
	in, out := s.cameIn(), s.toCli.bodySize()
	toSrv, toCli := s.toSrv.leftSize(in), s.toCli.leftSize(out)
	in += s.tooEarly()
	s.BytesIn += in - s.reqCounted.came
	if s.headSent {
		s.ReqToServer += toSrv - s.reqCounted.left
	}
	s.reqCounted = bodyCounts{in, toSrv}
	if s.Internal || s.resHead {
		s.BytesOut += toCli - s.resCounted.left
		if !s.Internal || s.served() {
			s.ResFromServer += out - s.resCounted.came
		}
	}
	s.resCounted = bodyCounts{out, toCli}
}

// cameIn is what counts of the body of a request: of one that nobody was sent, what a buffer of the reference takes.
func (s *stream) cameIn() int64 {
	n := s.toSrv.bodySize()
	if s.headSent || s.Tarpit || s.served() {
		return n
	}
	room := s.w.besideHead(&s.Req)
	if s.Server != nil {
		room += s.w.refill()
	}
	return min(n, room)
}

// tooEarly is what came over HTTP/2 for a tunnel that does not stand.
func (s *stream) tooEarly() int64 {
	if x := s.c.via; x == nil || s.tunnel || x.ahead == nil {
		return 0
	}
	return int64(len(s.c.ahead.Data))
}

// heldBytes is how much of a client waits for a server: a buffer in the eyes of the reference.
func (s *stream) heldBytes() (n int64) {
	for _, b := range [...]*loop.Buffer{s.in, s.more, s.extra} {
		if b != nil {
			n += int64(len(b.Data))
		}
	}
	return min(n, int64(s.w.limits.buffer))
}

// account adds the stream's numbers up when it ends.
func (s *stream) account() {
	class := runtime.StatusClass(s.Status)
	answered := s.http && s.Status != 0
	if s.served() {
		s.ReqToServer = s.BytesIn
	}
	if c := s.toCli.coder; c != nil && c.Ended() {
		c.Pass(int(s.toCli.bodySize() - s.toCli.moved))
	}
	f := s.front()
	if answered && s.Front.Mode == runtime.ModeHTTP {
		f.Rsp[class].Inc()
	}
	f.ReqIn.Add(uint64(s.BytesIn))
	f.ReqOut.Add(uint64(s.ReqToServer))
	f.ResIn.Add(uint64(s.ResFromServer))
	f.ResOut.Add(uint64(s.BytesOut))
	b := s.back()
	s.accountBack(b) // of the frontend itself as long as no other backend is chosen
	if !s.inBack {
		return
	}
	if answered && s.Back.Mode == runtime.ModeHTTP {
		b.Rsp[class].Inc()
		b.Req.Inc()
	}
	if s.Server == nil {
		return
	}
	st := &s.Server.Stats[s.w.id]
	s.accountBack(st)
	var t counter.Sample
	if s.times(&t) {
		b.Times.Show(&t)
		st.Times.Show(&t)
	}
}

// accountBack adds the bytes to a shard of the backend or the server.
func (s *stream) accountBack(b *runtime.BackCounters) {
	b.ReqIn.Add(uint64(s.BytesIn))
	b.ReqOut.Add(uint64(s.ReqToServer))
	b.ResIn.Add(uint64(s.ResFromServer))
	b.ResOut.Add(uint64(s.BytesOut))
}

// countUntold gives the stream the status of an error that its client is not told, which the reference has made all the
// same: its bytes count in the statistics.
func (s *stream) countUntold(status int) {
	if s.out == nil {
		s.out = s.w.loop.Buffer()
	}
	s.out.Reset()
	s.Res.Reset(s.out.Data, s.resFields)
	body, err := s.fillReply(s.errorReply(status))
	if err != nil {
		return
	}
	n := uint64(headSize(&s.Res)) + uint64(len(body))
	s.front().ResOut.Add(n)
	s.back().ResOut.Add(n)
	if s.Server != nil {
		s.Server.Stats[s.w.id].ResOut.Add(n)
	}
}

// times fills in the queue, connect, response and total times in ms, as the averages take them; false: the stream came
// to no response.
func (s *stream) times(to *counter.Sample) bool {
	t := &s.Time
	if t.Connect <= 0 || t.Response <= 0 && s.Back.Mode == runtime.ModeHTTP {
		return false
	}
	response := t.Response
	if s.Back.Mode != runtime.ModeHTTP {
		response = t.Connect
	}
	to[counter.QueueTime] = span(t.Request, t.Queue)
	to[counter.ConnectTime] = span(t.Queue, t.Connect)
	to[counter.ResponseTime] = span(t.Connect, response)
	to[counter.TotalTime] = span(t.Accept, t.Close)
	return true
}

// span is the time in ms between two moments of the loop clock, 0 when one of them did not come.
func span(from, to int64) uint64 {
	if from <= 0 || to < from {
		return 0
	}
	return uint64((to - from) / 1e6)
}
