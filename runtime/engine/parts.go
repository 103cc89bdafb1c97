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
	f, dst := &s.toCli, &s.c.sock
	f.moved += int64(len(part))
	last := s.parts == nil
	switch {
	case f.coder != nil:
		out = f.code(s.w, part, last, dst, out)
	case len(part) > 0:
		out = f.frame(s.w, part, dst, out)
	}
	if last && f.framing == h1.Chunks {
		out = appendOut(s.w, out, []byte(h1.LastChunk), dst)
	}
	flush(dst, out)
}
