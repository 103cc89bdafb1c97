package engine

import (
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/message"
	"hapax/runtime/trace"
)

// beginH1 counts the connection among those of HTTP/1, and its bytes.
func (c *client) beginH1() {
	n := c.Counters(c.w.id)
	n.H1Sess.Inc()
	c.h1 = &n.H1
	c.h1.Conns.Inc()
	c.sock.Sent = &c.h1.Out
	c.trace(trace.H1ConnNew, trace.State, "new H1 connection", 0)
}

// endH1 ends that, with the connection or because it goes on with HTTP/2.
func (c *client) endH1() {
	if c.h1 != nil {
		c.trace(trace.H1ConnEnd, trace.State, "H1 connection ended", 0)
		c.h1.ConnsOver.Inc()
		c.h1, c.sock.Sent = nil, nil
	}
}

// beginH1 counts a connection to a server among those of HTTP/1 of its backend.
func (k *link) beginH1(h1 *runtime.H1Counters) {
	h1.Conns.Inc()
	k.countH1(h1)
	k.trace(trace.H1ConnNew, trace.State, "new H1 connection", 0)
}

// countH1 sets where the connection counts what it does; nil: nowhere.
func (k *link) countH1(h1 *runtime.H1Counters) {
	k.h1, k.sock.Sent = h1, nil
	if h1 != nil {
		k.sock.Sent = &h1.Out
	}
}

// beginExchange does so for the connection of a stream.
func (k *link) beginExchange(s *stream) {
	k.beginH1(&s.back().H1)
	k.h1.Streams.Inc()
}

// endH1 ends that, with the connection.
func (k *link) endH1() {
	if k.h1 != nil {
		k.trace(trace.H1ConnEnd, trace.State, "H1 connection ended", 0)
		k.h1.ConnsOver.Inc()
		k.countH1(nil)
	}
}

// endH1 counts the end of an exchange.
func (s *stream) endH1() {
	if s.inH1 {
		s.inH1 = false
		s.traceClient(trace.H1StreamEnd, trace.State, "H1 front stream ended", nil)
		s.c.h1.StreamsOver.Inc()
	}
}

// noH1 takes back that the exchange is one of HTTP/1: the client goes on with HTTP/2.
func (s *stream) noH1() {
	if s.inH1 {
		s.inH1 = false
		s.c.h1.Streams.Add(^uint64(0))
	}
}

// Sizes in the reference's buffers of messages: of what stands first, and of what it keeps of each part beside its text.
const (
	bufferHead = 40
	partHead   = 8
)

// recount is what the reference counts twice of the bytes of HTTP/1. Behind a head that left, it passes a body on that comes
// as it is, without chunks or a filter, and with no look at it: these bytes count again where they leave, and so do, where
// they came from, those of them that it had read before it began.
type recount struct {
	active bool
	seen   int64 // bytes of the body that have been looked at here
	room   int64 // for payload behind the head, which counts once
	refill int64 // for what was read behind that, and fills the buffer up
	read   int64 // how much may have been read before
}

// startRecount prepares for the body behind head m, which leaves. refilled: what rules had free of its buffer is filled as well.
func (w *worker) startRecount(f *flow, m *message.Message, refilled bool) {
	if f.framing == h1.Chunks || f.chunkedIn || f.skip || f.coder != nil || f.store != nil {
		return
	}
	f.again = recount{active: true, room: w.besideHead(m), read: int64(w.limits.buffer) - bufferHead - 2*partHead}
	if refilled {
		f.again.refill = w.refill()
	}
}

// besideHead is how much of a body the reference takes behind head m before its rules run.
func (w *worker) besideHead(m *message.Message) int64 {
	parts := int64(len(m.Fields)) + 3 // and the first line, the end of the head, the payload
	return int64(w.limits.buffer-w.limits.rewrite) - bufferHead - headSize(m) - parts*partHead
}

// refill is how much more it takes when they have run.
func (w *worker) refill() int64 { return int64(w.limits.rewrite) - partHead }

// recount counts what was passed on since the last time. held: it came before the head left.
func (f *flow) recount(held bool, from, to *runtime.H1Counters) {
	r := &f.again
	n := f.moved - r.seen
	r.seen = f.moved
	if !r.active || from == nil {
		return
	}
	if held {
		once := min(n, r.room)
		fill := min(n-once, r.refill)
		r.room -= once
		r.refill -= fill
		r.read -= fill
		n -= once + fill
	}
	read := min(n, r.read)
	if r.read -= read; !held {
		r.read = 0
	}
	from.In.Add(uint64(read))
	if to != nil {
		to.Out.Add(uint64(n))
	}
}
