package engine

import (
	"hapax/runtime"
	"hapax/runtime/compress"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// codeRequest decides what is compressed of the exchange, as far as the request tells it, and announces it to the server.
func (s *stream) codeRequest() {
	compress.ChooseRequest(&s.Stream, s.requestSize())
	if a := s.Coding.Request; a != nil {
		if compress.Announce(&s.Req, a) != nil {
			s.Coding.Request = nil
		} else if s.Req.Flags&message.Bodyless == 0 {
			s.startCoder(&s.toSrv, s.coders[upload], a)
			s.coders[upload] = s.toSrv.coder
		}
	}
	compress.Wants(&s.Stream)
}

// chooseCoding decides whether the response is compressed: rules that change it afterwards change nothing of that.
func (s *stream) chooseCoding() outcome {
	if s.Coding.Wanted != nil {
		compress.ChooseResponse(&s.Stream, s.responseSize())
	}
	return next
}

// chooseServiceCoding does both for what answers in the place of a server.
func (s *stream) chooseServiceCoding(size int64) {
	if s.Front.Compression == nil && s.Back.Compression == nil {
		return
	}
	if s.parts != nil {
		size = -1
	}
	compress.Wants(&s.Stream)
	compress.ChooseResponse(&s.Stream, size)
}

// codeResponse announces a compressed response to the client.
func (s *stream) codeResponse() {
	a := s.Coding.Response
	if a == nil || s.Res.Flags&message.BodylessResponse != 0 || compress.Announce(&s.Res, a) != nil {
		return
	}
	s.startCoder(&s.toCli, s.coders[download], a)
	s.coders[download] = s.toCli.coder
	var be *runtime.CodedBytes
	if s.inBack {
		be = &s.back().Coded
	}
	s.toCli.coder.CountIn(&s.front().Coded, be)
}

// startCoder makes a flow compress, with a coder of an earlier message if there is one. a is nil where it does not.
func (s *stream) startCoder(f *flow, c *compress.Coder, a *runtime.Algorithm) {
	if a == nil {
		return
	}
	if c == nil {
		c = new(compress.Coder)
	}
	c.Start(a, s.w.cfg)
	f.coder = c
}

// requestSize is how many bytes the request's body has; -1: that is not known.
func (s *stream) requestSize() int64 {
	var held []byte
	if s.body == nil {
		held = s.in.Data[s.inAt:s.inEnd]
	}
	return sizeOf(&s.Req, &s.toSrv, held)
}

// responseSize is how many bytes the response's body has; -1: that is not known.
func (s *stream) responseSize() int64 { return sizeOf(&s.Res, &s.toCli, s.out.Data[s.outAt:s.outEnd]) }

// sizeOf is the length of a body that is announced, or all there. held is what was received of it and not decoded yet.
func sizeOf(m *message.Message, f *flow, held []byte) int64 {
	switch {
	case m.Flags&message.ContentLength != 0 && m.Flags&message.Chunked == 0:
		return int64(m.BodyLength)
	case f.dec.Finished():
		return f.moved
	}
	dec, n := f.dec, f.moved
	for len(held) > 0 {
		payload, used, ev := dec.Next(held)
		n += int64(len(payload))
		if held = held[used:]; ev == h1.End || ev == h1.TrailerPart {
			return n
		}
		if ev != h1.Payload {
			break
		}
	}
	return -1
}

// code sends what a piece of the payload becomes in filters and by compression, and ends the message when it is the last one.
func (f *flow) code(w *worker, p []byte, last bool, dst *transport.Conn, tail *loop.Buffer) *loop.Buffer {
	if f.coder == nil && f.sieve == nil || f.skip {
		return tail
	}
	if p, last = f.strained(p, last); f.coder != nil {
		if f.coder.Ended() || len(p) == 0 && !last {
			return tail
		}
		p = f.coder.Code(p, last)
		f.coded += int64(len(p))
	}
	if len(p) == 0 {
		return tail
	}
	return f.frame(w, p, dst, tail)
}

// frame appends bytes in the framing of the message to tail, and sends each buffer that is full.
func (f *flow) frame(w *worker, p []byte, dst *transport.Conn, tail *loop.Buffer) *loop.Buffer {
	if f.framing != h1.Chunks {
		return appendOut(w, tail, p, dst)
	}
	var head [h1.ChunkHeadLen]byte
	tail = appendOut(w, tail, h1.AppendChunkHead(head[:0], uint64(len(p))), dst)
	return appendOut(w, appendOut(w, tail, p, dst), []byte(h1.ChunkEnd), dst)
}

// appendOut appends bytes to out, nil for a new buffer, sends each buffer that is full, and returns the last one.
func appendOut(w *worker, out *loop.Buffer, p []byte, dst *transport.Conn) *loop.Buffer {
	if out == nil {
		out = w.loop.Buffer()
	}
	for {
		n := min(len(p), cap(out.Data)-len(out.Data))
		out.Data = append(out.Data, p[:n]...)
		if p = p[n:]; len(p) == 0 {
			return out
		}
		dst.Send(out)
		out = w.loop.Buffer()
	}
}
