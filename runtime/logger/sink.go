package logger

import (
	"strconv"

	"hapax/runtime"
	"hapax/runtime/logger/ring"
)

// open makes the ring of a sink.
func (x *sink) open() {
	if x.kind == "buffer" && x.ring == nil {
		x.ring = ring.New(int(max(x.size, 2*ringOverhead)) - ringOverhead)
	}
}

// forward begins to send the messages of all rings to their servers, until stop is closed.
func (s *sinks) forward(stop chan struct{}) {
	for _, x := range s.all {
		if x.proxy == nil {
			continue
		}
		for _, srv := range x.proxy.Servers {
			f := &forwarder{ring: x.ring, srv: srv, px: x.proxy, stop: stop}
			go f.run()
		}
	}
}

// ringSender writes the messages of a target to a ring.
type ringSender struct {
	target *runtime.LogTarget
	sink   *sink
}

// newRingSender finds the ring of a target, which is known to be there.
func newRingSender(cfg *runtime.Config, t *runtime.LogTarget) *ringSender {
	x := sinksOf(cfg).named(t.Ring)
	x.open()
	return &ringSender{t, x}
}

// Send implements runtime.LogSender. Messages that were dropped before are told of first.
func (r *ringSender) Send(_ int, head, sd, body []byte) {
	x := r.sink
	if n := x.ring.Dropped(); n > 0 {
		if !x.ring.Write(head, droppedText(n)) {
			r.target.Dropped.Add(1) // one more is counted: the message
			return
		}
		x.ring.Told(n)
	}
	most := r.target.MaxLen - 1 // the line feed counts
	if x.maxLen > 0 {
		most = min(most, int(x.maxLen))
	}
	parts := [...][]byte{head, sd, body}
	for i, p := range parts {
		parts[i] = p[:min(len(p), most)]
		most -= len(parts[i])
	}
	if !x.ring.Write(parts[:]...) {
		r.target.Dropped.Add(1)
	}
}

func droppedText(n uint64) []byte {
	if n == 1 {
		return []byte("1 event dropped")
	}
	return append(strconv.AppendUint(nil, n, 10), " events dropped"...)
}
