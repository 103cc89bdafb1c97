package engine

import (
	"hapax/runtime/cache"
	"hapax/runtime/compress"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// High and low water of what is queued on one connection: above the first the
// other side is not read any more, below the second it is again. Two buffers'
// worth keep the socket busy; more would only be memory.
const (
	highWater = 256 << 10
	lowWater  = 64 << 10
)

// The same for one stream of HTTP/2, whose window may be shut while the connection takes the bytes of others: there are
// many of them on one connection.
const (
	streamHighWater = 16 << 10
	streamLowWater  = 4 << 10
)

// crowded tells whether so much is queued that the sender is to wait, until no more than low is.
func crowded(sock *transport.Conn) (low int, yes bool) {
	if sock.Carried() {
		return streamLowWater, sock.Queued() > streamHighWater
	}
	return lowWater, sock.Queued() > highWater
}

// smallPayload is the size up to which bytes are copied behind what is already
// there instead of being sent as a piece of their own.
const smallPayload = 2048

// flow is the body of one direction: how it comes in and how it goes out.
type flow struct {
	dec       h1.Decoder
	framing   h1.Framing
	skip      bool       // the bytes are dropped: a rule or the method took the body away
	done      bool       // all of the message was passed on
	bare      bool       // trailers are dropped
	lenience  h1.Options // with trailers
	trailer   *trailer
	late      *trailer // that came already and go out behind the body
	moved     int64    // payload bytes seen
	chunkedIn bool     // the body comes in chunks
	again     recount
	to        framer   // with h1.Framed: what the message goes to
	cases     h1.Cases // of the names of trailers, where it goes out in HTTP/1

	coder *compress.Coder // nil: the payload goes out as it came
	coded int64           // bytes that came out of it

	sieve     *sieve // nil: no filter sees the payload
	announced uint64 // with h1.ByLength and a sieve: bytes that may still go out

	store *cache.Exchange // keeps what passes, as it came; nil: nothing does
}

// framer is the destination of a message whose transport marks its end: an HTTP/2 stream.
type framer interface {
	// SendEnd ends the message behind what was sent; trailers is nil when it has none.
	SendEnd(trailers *message.Message)
}

// trailer is a trailer section on its way: rare, so it is allocated.
type trailer struct {
	msg    message.Message
	parser h1.Parser
	buf    *loop.Buffer
}

// passed is what happened to bytes that a flow was given.
type passed uint8

const (
	going  passed = iota // the body goes on
	whole                // the message is complete
	broken               // the chunked framing is invalid
)

// pass sends the part of b from offset from on that belongs to the body to dst.
// It takes b over; rest is what stands behind the end of the message, nil when
// nothing does. tail, when not nil, is a buffer that has room and is to be sent
// first: small bodies are copied into it.
func (f *flow) pass(w *worker, b *loop.Buffer, from int, dst *transport.Conn, tail *loop.Buffer) (p passed, rest *loop.Buffer) {
	in := b.Data[from:]
	at := 0
	plain := w.plain[:0] // what is coded on its way, all that came at once
	for {
		payload, n, ev := f.next(in[at:])
		at += n
		switch ev {
		case h1.Payload:
			f.moved += int64(len(payload))
			if f.store != nil {
				f.store.Write(payload)
			}
			if f.skip {
				continue
			}
			if f.coder != nil || f.sieve != nil {
				plain = append(plain, payload...)
				w.plain = plain
				continue
			}
			if at == len(in) && f.framing != h1.Chunks && len(payload) > smallPayload {
				flush(dst, tail)
				b.Data = payload
				dst.Send(b) // all that is left goes on without a copy
				if f.dec.Finished() {
					f.finish(w, dst, nil)
					f.done = true
					return whole, nil
				}
				return going, nil
			}
			tail = f.put(w, b, from+at-len(payload), from+at, dst, tail)
		case h1.NeedMore:
			flush(dst, f.code(w, plain, false, dst, tail))
			b.Release()
			return going, nil
		case h1.End:
			tail = f.code(w, plain, true, dst, tail)
			tail = f.finish(w, dst, tail)
			flush(dst, tail)
			f.done = true
			if at < len(in) {
				b.Data = in[at:]
				return whole, b
			}
			b.Release()
			return whole, nil
		case h1.TrailerPart:
			tail = f.code(w, plain, true, dst, tail)
			plain = nil
			used, res := f.trailers(w, in[at:])
			at += used
			switch res {
			case h1.Invalid:
				flush(dst, tail)
				b.Release()
				return broken, nil
			case h1.More:
				flush(dst, tail)
				b.Release()
				return going, nil
			}
			tail = f.sendTrailers(w, dst, tail)
		default:
			flush(dst, tail)
			b.Release()
			return broken, nil
		}
	}
}

// next is the decoder's, except in a trailer section that has begun: the parser of
// trailers, which has the bytes before, must see all that come.
func (f *flow) next(in []byte) (payload []byte, n int, ev h1.Event) {
	if f.trailer != nil && !f.dec.Finished() && !f.dec.Framed() {
		return nil, 0, h1.TrailerPart
	}
	return f.dec.Next(in)
}

func flush(dst *transport.Conn, tail *loop.Buffer) {
	if tail != nil {
		dst.Send(tail)
	}
}

// put frames the bytes of b between from and to and appends or sends them.
func (f *flow) put(w *worker, b *loop.Buffer, from, to int, dst *transport.Conn, tail *loop.Buffer) *loop.Buffer {
	if f.coder != nil || f.sieve != nil {
		return f.code(w, b.Data[from:to], false, dst, tail)
	}
	n := to - from
	need := n
	if f.framing == h1.Chunks {
		need += h1.ChunkHeadLen + len(h1.ChunkEnd)
	}
	if tail == nil && (n <= smallPayload || f.framing == h1.Chunks) {
		tail = w.loop.Buffer()
	}
	if tail != nil && f.framing == h1.Chunks {
		if cap(tail.Data)-len(tail.Data) < h1.ChunkHeadLen {
			dst.Send(tail)
			tail = w.loop.Buffer()
		}
		tail.Data = h1.AppendChunkHead(tail.Data, uint64(n))
	}
	if tail != nil && n <= smallPayload && need <= cap(tail.Data)-len(tail.Data) {
		tail.Data = append(tail.Data, b.Data[from:to]...)
	} else {
		flush(dst, tail)
		dst.Send(b.Slice(from, to))
		tail = nil
	}
	if f.framing == h1.Chunks {
		if tail == nil || cap(tail.Data)-len(tail.Data) < len(h1.ChunkEnd) {
			flush(dst, tail)
			tail = w.loop.Buffer()
		}
		tail.Data = append(tail.Data, h1.ChunkEnd...)
	}
	return tail
}

// finish ends the message on the wire.
func (f *flow) finish(w *worker, dst *transport.Conn, tail *loop.Buffer) *loop.Buffer {
	tail = f.code(w, nil, true, dst, tail)
	if f.unfinished() {
		return tail
	}
	if f.store != nil && f.trailer == nil && f.late == nil {
		f.store.Complete()
	}
	if f.late != nil {
		f.trailer, f.late = f.late, nil
		return f.sendTrailers(w, dst, tail)
	}
	if f.framing == h1.Framed && f.trailer == nil {
		flush(dst, tail)
		f.sendEnd(dst, nil)
		return nil
	}
	if f.framing != h1.Chunks || f.skip {
		return tail
	}
	if f.trailer != nil {
		return tail // sendTrailers has ended it
	}
	if tail == nil || cap(tail.Data)-len(tail.Data) < len(h1.LastChunk) {
		flush(dst, tail)
		tail = w.loop.Buffer()
	}
	tail.Data = append(tail.Data, h1.LastChunk...)
	return tail
}

// sendEnd ends the message at its destination, unless that is gone.
func (f *flow) sendEnd(dst *transport.Conn, trailers *message.Message) {
	if dst != nil {
		f.to.SendEnd(trailers)
	}
}

// newTrailer makes room for a trailer section.
func (f *flow) newTrailer(w *worker) *trailer {
	f.trailer = w.newTrailer()
	return f.trailer
}

// newTrailer makes room for a trailer section.
func (w *worker) newTrailer() *trailer {
	t := &trailer{buf: w.loop.Buffer()}
	t.msg.Reset(t.buf.Data, make([]message.Field, 0, w.cfg.Global.Tune.MaxHdr))
	return t
}

// end ends a message whose transport knows its end, with the trailers that
// newTrailer made room for, if there are any.
func (f *flow) end(w *worker, dst *transport.Conn) {
	f.dec.Finish()
	if f.trailer != nil {
		flush(dst, f.sendTrailers(w, dst, nil))
	} else {
		flush(dst, f.finish(w, dst, nil))
	}
	f.done = true
}

// trailers reads a trailer section, which may come in pieces.
func (f *flow) trailers(w *worker, in []byte) (used int, r h1.Result) {
	t := f.trailer
	if t == nil {
		t = f.newTrailer(w)
		t.parser.Trailers(f.lenience, w.headLimits())
	}
	had := len(t.buf.Data)
	take := min(len(in), cap(t.buf.Data)-had)
	t.buf.Data = append(t.buf.Data, in[:take]...)
	t.msg.Buf = t.buf.Data
	switch t.parser.Parse(&t.msg) {
	case h1.Complete:
		f.dec.TrailersDone()
		return int(t.msg.HeadLen) - had, h1.Complete
	case h1.More:
		if take < len(in) {
			return take, h1.Invalid
		}
		return take, h1.More
	}
	return take, h1.Invalid
}

// sendTrailers passes a complete trailer section on.
func (f *flow) sendTrailers(w *worker, dst *transport.Conn, tail *loop.Buffer) *loop.Buffer {
	tail = f.code(w, nil, true, dst, tail)
	if f.unfinished() {
		return tail
	}
	msg := &f.trailer.msg
	if f.bare {
		msg = &message.Message{}
	}
	if f.framing == h1.Framed {
		flush(dst, tail)
		f.sendEnd(dst, msg)
		return nil
	}
	if f.framing != h1.Chunks || f.skip {
		return tail
	}
	if tail == nil {
		tail = w.loop.Buffer()
	}
	out, err := h1.AppendTrailers(tail.Data, msg, f.cases)
	if err != nil {
		dst.Send(tail)
		tail = w.loop.Buffer()
		out, _ = h1.AppendTrailers(tail.Data, msg, f.cases)
	}
	tail.Data = out
	return tail
}

// drop gives the memory of a flow back.
func (f *flow) drop() {
	if f.trailer != nil {
		f.trailer.buf.Release()
	}
	if f.late != nil {
		f.late.buf.Release()
	}
	*f = flow{}
}
