package engine

import (
	"slices"

	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// sieve takes the payload of one side through the filters of its stream. What a filter does not let go on is kept for it,
// until more comes or the filter wants to be asked again. Streams without filters that watch the side have none.
type sieve struct {
	s       *stream
	side    int
	held    [][]byte // by filter: what came to it and did not go on
	before  int      // bytes of the message that stand before the payload and are not on their way yet
	last    bool     // nothing follows what is held
	over    bool     // all of the message went on
	failed  int      // the status of an answer, when the stream is to end; 0: it is not
	ended   bool     // in TCP mode the sender has ended
	end     error    // how
	paused  bool
	timer   loop.Timer
	later   loop.Task
	wanting bool // the side's flow is complete but for what is held
}

// sift makes the sieve of a side, before its payload begins; nil: no filter watches it.
func (s *stream) sift(side int) *sieve {
	if !slices.ContainsFunc(s.Filters.Of[side], func(f runtime.Filter) bool { return f.Watches(side) }) {
		return nil
	}
	x := &sieve{s: s, side: side, held: make([][]byte, len(s.Filters.Of[side]))}
	x.timer.Init(s.w.loop, x)
	x.later.Init(x)
	switch {
	case !s.http || s.tunnel:
	case side == upload:
		x.before = int(headSize(&s.Req))
	default:
		x.before = int(headSize(&s.Res))
	}
	return x
}

// holding is how many bytes are held.
func (x *sieve) holding() (n int) {
	for _, h := range x.held {
		n += len(h)
	}
	return n
}

// strain gives what the filters let go on of p and of what was held before; over tells that the message goes on whole. What
// it gives is valid until the next call.
func (x *sieve) strain(p []byte, last bool) (out []byte, over bool) {
	if x.over || x.failed > 0 {
		return p[:0], x.over
	}
	x.last = x.last || last
	for i, f := range x.s.Filters.Of[x.side] {
		if !f.Watches(x.side) {
			continue
		}
		if len(x.held[i]) > 0 {
			p = append(x.held[i], p...)
		}
		rest, n, ok := f.Payload(x.side, p, x.before)
		if !ok {
			x.fail(x.refusal())
			return nil, false
		}
		if x.held[i] = nil; n < len(rest) {
			x.held[i] = slices.Clone(rest[n:])
		}
		p = rest[:n]
	}
	if x.before = 0; x.last && x.holding() == 0 {
		x.over = x.agreed()
	}
	if d := x.s.takeWake(x.side); d > 0 && !x.over {
		x.timer.After(d)
	}
	return p, x.over
}

// agreed tells the filters that all went on, unless one of them is against it.
func (x *sieve) agreed() bool {
	if x.s.tunnel {
		return true
	}
	for _, f := range x.s.Filters.Of[x.side] {
		if !f.Watches(x.side) {
			continue
		}
		switch f.Over(x.side) {
		case runtime.Fails:
			if x.side == upload { // a response is complete, and no filter can take it back
				x.fail(x.refusal())
				return false
			}
		case runtime.Holds:
			return false
		}
	}
	return true
}

// refusal is the status that stands for a filter's failure.
func (x *sieve) refusal() int {
	if x.side == upload {
		return 400
	}
	return 502
}

// fail has the stream end, not in the middle of what it does.
func (x *sieve) fail(status int) {
	x.failed = status
	x.s.w.loop.RunLater(&x.later)
}

// RunTask ends the stream.
func (x *sieve) RunTask(*loop.Task) {
	if x.serves() {
		x.s.filterFailed(x.failed)
	}
}

// serves tells whether the sieve is still that of its stream, which may be over.
func (x *sieve) serves() bool {
	s := x.s
	return !s.dead && (s.toSrv.sieve == x || s.toCli.sieve == x || s.sieves[x.side] == x)
}

// Expired asks the filters again.
func (x *sieve) Expired(*loop.Timer) {
	x.timer.Stop()
	s := x.s
	switch {
	case !x.serves():
		return
	case s.tunnel:
		out, _ := x.strain(nil, x.ended)
		x.pipe(out)
		x.tellEnd()
	default:
		x.goOn()
	}
	x.ease()
}

// goOn passes on of a message of HTTP what the filters let go now, and its end.
func (x *sieve) goOn() {
	s := x.s
	f, dst := &s.toSrv, (*transport.Conn)(nil)
	if s.link != nil {
		dst = &s.link.sock
	}
	if x.side == download {
		f, dst = &s.toCli, &s.c.sock
	}
	flush(dst, f.code(s.w, nil, x.last, dst, nil))
	if !x.over || !x.wanting || s.dead {
		return
	}
	if f.trailer != nil {
		flush(dst, f.sendTrailers(s.w, dst, nil))
	} else {
		flush(dst, f.finish(s.w, dst, nil))
	}
	f.done = true
	if x.side == upload {
		s.requestDone()
	} else {
		s.responseDone()
	}
}

// take passes bytes of TCP mode on.
func (x *sieve) take(b *loop.Buffer) {
	out, _ := x.strain(b.Data, false)
	if len(out) > 0 && &out[0] == &b.Data[0] {
		b.Data = out // nothing was changed
		x.send(b)
	} else {
		x.pipe(out)
		b.Release()
	}
	x.ease()
}

// pipe sends a copy of bytes.
func (x *sieve) pipe(p []byte) {
	for len(p) > 0 {
		b := x.s.w.loop.Buffer()
		n := min(len(p), cap(b.Data))
		b.Data = append(b.Data, p[:n]...)
		p = p[n:]
		x.send(b)
	}
}

func (x *sieve) send(b *loop.Buffer) {
	s := x.s
	v := s.valve(x.side)
	switch {
	case s.dead:
		b.Release()
	case v != nil:
		v.take(b)
	case x.side == upload:
		s.sendOn(b)
	default:
		s.sendBack(b)
	}
}

// endBehind notes the end of the sender in TCP mode; true: it is told when the filters have let go what they hold.
func (x *sieve) endBehind(err error) bool {
	if x == nil || x.ended {
		return false
	}
	x.ended, x.end = true, err
	out, _ := x.strain(nil, true)
	x.pipe(out)
	x.ended = x.holding() > 0
	return x.ended
}

// tellEnd tells the stream the end of the sender, when nothing is held any more.
func (x *sieve) tellEnd() {
	s := x.s
	if !x.ended || x.holding() > 0 || s.dead {
		return
	}
	if x.side == upload {
		s.clientEnd(x.end)
	} else {
		s.serverEnd(x.end)
	}
}

// ease pauses the sender while more is held than a buffer has room for.
func (x *sieve) ease() {
	s := x.s
	full := x.holding() >= s.w.limits.buffer
	if s.dead || full == x.paused {
		return
	}
	x.paused = full
	switch {
	case x.side == upload && full:
		s.c.sock.Pause()
	case x.side == upload:
		s.resumeClient()
	case s.link == nil:
	case full:
		s.link.sock.Pause()
	case !s.srvHeld:
		s.link.sock.Receive()
	}
}

// unfinished tells that a filter holds the end of a message, which is told then when it lets it go.
func (f *flow) unfinished() bool {
	if f.sieve == nil || f.sieve.over {
		return false
	}
	f.sieve.wanting = true
	return true
}

// whole tells that all of the body came: also one that ends with the connection.
func (f *flow) whole() bool { return f.dec.BodyOver() || f.sieve != nil && f.sieve.last }

// held tells that the message is complete, and a filter holds its end.
func (f *flow) held() bool { return f.sieve != nil && f.sieve.wanting && !f.sieve.over }

// strained gives what goes on of a piece of the payload, and whether the message is whole with it. A filter that makes more bytes
// than the head announces fails: they would be the next message.
func (f *flow) strained(p []byte, last bool) ([]byte, bool) {
	if f.sieve == nil {
		return p, last
	}
	p, last = f.sieve.strain(p, last)
	if f.framing == h1.ByLength || f.framing == h1.NoBody {
		if uint64(len(p)) > f.announced {
			f.sieve.fail(500)
			f.sieve.over = false
			return nil, false
		}
		f.announced -= uint64(len(p))
	}
	return p, last
}
