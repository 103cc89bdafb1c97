package engine

import (
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

const (
	// leastSplice is from how many bytes on that are sure to come the kernel passes them on: to begin costs some calls.
	leastSplice = 64 << 10
	// spliceUnknown is how much of what has no known end is passed on before it is looked at again whether it still comes in bulk.
	spliceUnknown = 8 << 20
)

// fewStreams is how many streams of one client may have as much on its way as comes at once: half a MiB each.
const fewStreams = 4

// toServer and toClient are told what the kernel passes on in the two directions of a stream.
type (
	toServer stream
	toClient stream
)

// spliceRequest lets the kernel pass on what the client will send. Section 4.2 "option splice-request" and "splice-auto"; last is how
// many bytes came at once right before.
func (s *stream) spliceRequest(last int) {
	if !s.splices(runtime.OptSpliceRequest) || s.dead || s.link == nil || s.cliHeld || s.sendFailed || s.replays || !s.tunnel && s.phase != pass ||
		len(s.Throttles[upload]) > 0 || len(s.Filters.Of[upload]) > 0 {
		return
	}
	s.splice(&s.toSrv, &s.c.sock, &s.link.sock, last, (*toServer)(s))
}

// spliceResponse lets the kernel pass on what the server will send; see spliceRequest.
func (s *stream) spliceResponse(last int) {
	if !s.splices(runtime.OptSpliceResponse) || s.dead || s.link == nil || s.srvHeld || s.c.closed || s.tunnel && s.pipeHeld() ||
		len(s.Throttles[download]) > 0 || len(s.Filters.Of[download]) > 0 {
		return
	}
	s.splice(&s.toCli, &s.link.sock, &s.c.sock, last, (*toClient)(s))
}

// prepareReceive leaves what both sides will send in the kernel if it can be passed on from there, and what the server
// will send if there are many streams to take it.
func (s *stream) prepareReceive() {
	if s.splices(runtime.OptSpliceRequest) {
		s.c.sock.Sparing(true)
	}
	s.link.sock.Sparing(s.splices(runtime.OptSpliceResponse) || s.c.via != nil && s.c.via.of.n > fewStreams)
}

// splices tells whether one of the stream's proxies has the option, or that of both directions.
func (s *stream) splices(option runtime.Option) bool {
	return (s.Front.Options|s.Back.Options)&(option|runtime.OptSpliceAuto) != 0
}

// splice begins to pass the bytes of a flow on within the kernel, if enough of them come.
func (s *stream) splice(f *flow, from, to *transport.Conn, last int, r loop.Relayer) {
	n, known, chunks := int64(spliceUnknown), false, false
	if !s.tunnel {
		if f.done || f.skip || f.coder != nil || f.store != nil {
			return
		}
		chunks = f.framing == h1.Chunks
		n, known = f.dec.Ahead()
	}
	if !known {
		if chunks || last < s.w.limits.buffer {
			return
		}
		n = min(n, spliceUnknown)
	}
	if n >= leastSplice && from.Relay(to, n, r) && chunks {
		head := s.w.loop.Buffer()
		head.Data = h1.AppendChunkHead(head.Data, uint64(n))
		to.Send(head)
	}
}

// relayHeld tells whether the kernel passes a response on and the client is the slow one.
func (s *stream) relayHeld() bool {
	return s.link != nil && s.link.sock.Relaying() && s.c.sock.Queued() > 0
}

// relayed takes note of n bytes of the body that were passed on; true: they were its last.
func (f *flow) relayed(w *worker, n int, dst *transport.Conn) bool {
	f.moved += int64(n)
	f.again.seen = f.moved
	if f.dec.Skip(uint64(n)) && f.framing == h1.Chunks {
		dst.SendStatic(chunkEnd)
	}
	if !f.dec.Finished() {
		return false
	}
	flush(dst, f.finish(w, dst, nil))
	f.done = true
	return true
}

// countRelayed counts bytes that came from one connection and went to another.
func countRelayed(from, to *runtime.H1Counters, n int) {
	if from != nil {
		from.In.Add(uint64(n))
	}
	if to != nil {
		to.Out.Add(uint64(n))
	}
}

var chunkEnd = []byte(h1.ChunkEnd)

// Relayed goes on with the request.
func (r *toServer) Relayed(n int, spliced bool) {
	s := (*stream)(r)
	if spliced && s.http {
		s.front().Spliced.In.Add(uint64(n))
		s.back().Spliced.Out.Add(uint64(n))
	}
	countRelayed(s.c.h1, s.link.h1, n)
	s.renewClient()
	if s.tunnel {
		s.renewServerWrite()
		s.BytesIn += int64(n)
		s.ReqToServer += int64(n)
		return
	}
	s.renewServer()
	if s.toSrv.relayed(s.w, n, &s.link.sock) {
		s.requestDone()
	}
}

// Relayed goes on with the response.
func (r *toClient) Relayed(n int, spliced bool) {
	s := (*stream)(r)
	if spliced && s.http {
		s.back().Spliced.In.Add(uint64(n))
		s.front().Spliced.Out.Add(uint64(n))
	}
	countRelayed(s.link.h1, s.c.h1, n)
	s.renewServer()
	if s.tunnel {
		s.renewClientWrite()
		s.BytesOut += int64(n)
		s.ResFromServer += int64(n)
		return
	}
	s.renewClient()
	if s.toCli.relayed(s.w, n, &s.c.sock) {
		s.responseDone()
	}
}
