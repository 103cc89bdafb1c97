package engine

import (
	"slices"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
)

var _ runtime.Channels = (*stream)(nil)

// Raw implements runtime.Channels.
func (s *stream) Raw() bool { return !s.http }

// waiting is the buffer of bytes that wait for the rules of their direction, and where in it they begin. What stands before
// goes on with them.
func (s *stream) waiting(side int) (b *loop.Buffer, from int) {
	switch {
	case s.http:
	case side == upload && s.phase == hold:
		return s.in, s.inAt
	case side == download && s.pipeHeld():
		return s.out, 0
	}
	return nil, 0
}

// Arrived implements runtime.Channels.
func (s *stream) Arrived(side int) []byte {
	if b, from := s.waiting(side); b != nil {
		return b.Data[from:]
	}
	return nil
}

// Input implements runtime.Channels.
func (s *stream) Input(side int) int {
	switch {
	case !s.http:
		return len(s.Arrived(side))
	case side == download && s.resHead && !s.res.over():
		return int(headSize(&s.Res)) + bodyHeld(s.resBody, &s.Ctx.ResBody)
	case side == upload && s.phase != readHead && !s.req.over():
		return int(headSize(&s.Req)) + bodyHeld(s.body, &s.Ctx.ReqBody)
	}
	return 0
}

// bodyHeld is how much is there of a body that rules may look at.
func bodyHeld(whole *loop.Buffer, b *sample.Body) int {
	switch {
	case whole != nil:
		return len(whole.Data)
	case len(b.Chunks) > 0:
		return len(b.Decode(nil, b.Chunks))
	}
	return len(b.Data)
}

// Output implements runtime.Channels.
func (s *stream) Output(side int) int {
	switch {
	case s.http:
		return 0
	case side == download:
		return s.c.sock.Queued()
	}
	_, from := s.waiting(side)
	return from
}

// Room implements runtime.Channels.
func (s *stream) Room(side int) int {
	if b, _ := s.waiting(side); b != nil {
		return cap(b.Data) - len(b.Data)
	}
	return s.w.limits.buffer
}

// Replace implements runtime.Channels.
func (s *stream) Replace(side, at, n int, text []byte) bool {
	b, from := s.waiting(side)
	if b == nil {
		return len(text) == 0
	}
	if len(text)-n > cap(b.Data)-len(b.Data) {
		return false
	}
	b.Data = slices.Replace(b.Data, from+at, from+at+n, text...)
	s.seeWaiting(side)
	return true
}

// seeWaiting shows rules the bytes that wait now.
func (s *stream) seeWaiting(side int) {
	if side == upload {
		s.Ctx.ReqRaw.Data = s.Arrived(side)
	} else {
		s.Ctx.ResRaw.Data = s.Arrived(side)
	}
}

// Forward implements runtime.Channels.
func (s *stream) Forward(side, n int) {
	b, _ := s.waiting(side)
	switch {
	case b == nil || n == 0:
		return
	case side == upload: // there may be no server yet
		s.inAt += n
	default:
		part := b.Slice(0, n)
		b.Data = b.Data[n:]
		s.pipeBack(part)
		s.refillWaiting()
	}
	s.seeWaiting(side)
}

// refillWaiting makes room for more bytes of the server when all that waited went on.
func (s *stream) refillWaiting() {
	if len(s.out.Data) > 0 {
		return
	}
	s.out.Release()
	s.out, s.outMore = s.outMore, nil
	s.link.sock.Receive()
}

// Send implements runtime.Channels.
func (s *stream) Send(side int, text []byte) bool {
	switch {
	case side == upload && s.phase == hold:
		if s.in == nil {
			s.in = s.w.loop.Buffer()
		}
		at := s.inAt
		if !s.Replace(side, 0, 0, text) {
			return false
		}
		s.inAt = at + len(text)
		s.seeWaiting(side)
	case side == upload:
		if s.link == nil || s.srvEnd != nil {
			return false
		}
		s.sendOn(s.bufferOf(text))
	case s.c.closed:
		return false
	default:
		b := s.bufferOf(text)
		s.BytesOut += int64(len(text))
		s.c.sock.Send(b)
	}
	return true
}

// bufferOf copies bytes that fit into a buffer.
func (s *stream) bufferOf(text []byte) *loop.Buffer {
	b := s.w.loop.Buffer()
	b.Data = append(b.Data, text...)
	return b
}

// Complete implements runtime.Channels.
func (s *stream) Complete(side int) bool {
	if side == upload {
		return s.toSrv.whole() || s.Ctx.ReqBody.Complete
	}
	return s.toCli.whole() || s.Ctx.ResBody.Complete
}

// Ended implements runtime.Channels.
func (s *stream) Ended(side int) bool {
	if side == upload {
		return s.c.end != nil
	}
	return s.srvEnd != nil
}
