package engine

import (
	"time"

	"hapax/runtime/h1"
	"hapax/runtime/loop"
)

// partTime is about how long a loop makes an answer in one turn: other connections wait for so long.
const partTime = 250 * time.Microsecond

// giveParts makes some of an answer that is made piece by piece and sends it, unless the client has enough to take: a
// buffer's worth or a moment's work, the rest in the next turns of the loop.
func (s *stream) giveParts() {
	sock := &s.c.sock
	if sock.Queued() < lowWater {
		body, last := s.w.page[:0], false
		until := loop.Clock() + int64(partTime)
		for !last && len(body) < s.w.limits.buffer && loop.Clock() < until {
			body, last = s.parts(body)
		}
		s.w.page = body
		if last {
			s.parts = nil
		}
		s.sendPart(nil, body)
	}
	s.renewClient()
	switch {
	case s.parts == nil:
		s.replyDone()
	case sock.Queued() < lowWater:
		s.w.loop.RunLater(&s.pull)
	default:
		sock.NotifySent(lowWater / 2) // clientSent goes on
	}
}

// RunTask goes on in a new turn, unless the stream that asked for it is over.
func (s *stream) RunTask(*loop.Task) {
	if s.parts != nil {
		s.giveParts()
	}
}

// sendPart sends a part of a reply's body behind what is in out, nil when that has left. When no part is to follow it
// ends the message.
func (s *stream) sendPart(out *loop.Buffer, part []byte) {
	if out == nil {
		out = s.w.loop.Buffer()
	}
	out = s.appendPart(out, part)
	if s.parts == nil && s.toCli.framing == h1.Chunks {
		out = s.appendReply(out, []byte(h1.LastChunk))
	}
	s.c.sock.Send(out)
}

// appendPart appends a part of a reply's body, in the framing of the reply, to out, and sends what does not fit.
func (s *stream) appendPart(out *loop.Buffer, part []byte) *loop.Buffer {
	f := &s.toCli
	if len(part) == 0 {
		return out
	}
	f.moved += int64(len(part))
	if f.framing != h1.Chunks {
		return s.appendReply(out, part)
	}
	var head [h1.ChunkHeadLen]byte
	out = s.appendReply(out, h1.AppendChunkHead(head[:0], uint64(len(part))))
	return s.appendReply(s.appendReply(out, part), []byte(h1.ChunkEnd))
}

// appendReply appends bytes of a reply to out, sends each buffer that is full, and returns the last one.
func (s *stream) appendReply(out *loop.Buffer, p []byte) *loop.Buffer {
	for {
		n := min(len(p), cap(out.Data)-len(out.Data))
		out.Data = append(out.Data, p[:n]...)
		if p = p[n:]; len(p) == 0 {
			return out
		}
		s.c.sock.Send(out)
		out = s.w.loop.Buffer()
	}
}
