package engine

import (
	"hapax/runtime"
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
