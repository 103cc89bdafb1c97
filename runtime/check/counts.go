package check

import "hapax/runtime"

// counts are those of the check's backend and loop.
func (ck *Check) counts() *runtime.BackCounters {
	return &ck.srv.Proxy.Live.Back[ck.lane.Load().id]
}

// beginH1 counts the connection, with the exchange that it is made for, among those of HTTP/1. One of the pool counts as
// a connection by itself.
func (ck *Check) beginH1() {
	ck.h1 = &ck.counts().H1
	ck.h1.Streams.Inc()
	if ck.loan != nil {
		ck.loan.Begin()
		return
	}
	ck.h1.Conns.Inc()
	ck.conn.Sent = &ck.h1.Out
}

// endH1 ends that.
func (ck *Check) endH1() {
	if ck.h1 == nil {
		return
	}
	ck.h1.StreamsOver.Inc()
	if ck.loan == nil {
		ck.h1.ConnsOver.Inc()
		ck.conn.Sent = nil
	}
	ck.h1 = nil
}

// begin counts the connection, with one exchange, among those of HTTP/2.
func (f *frames) begin(ck *Check) {
	f.counts = &ck.counts().H2
	f.counts.Conns.Inc()
	f.counts.Open.Inc()
	f.counts.Streams.Inc()
	f.counts.OpenStreams.Inc()
}

// end ends that, and counts what happened on it.
func (f *frames) end() {
	f.counts.Take(&f.conn.Counts)
	f.counts.Open.Dec()
	f.counts.OpenStreams.Dec()
}
