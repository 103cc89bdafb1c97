package engine

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/loop"
)

// Sides of a stream, by which its valves and throttles stand.
const (
	upload   = runtime.Upload
	download = runtime.Download
)

// valve holds the bytes of one direction back as the bandwidth limits of its stream want it. It stands between what
// one side sends and what the stream does with it: bytes and the end behind them come back to the stream when their
// time has come. Streams without a limit have none.
type valve struct {
	s       *stream
	side    int
	held    []*loop.Buffer
	bytes   int // that are held
	decoded int // of them the first, which are payload already
	paused  bool
	ended   bool  // the sender has ended behind what is held
	end     error // how; nil: a message whose transport tells its end
	timer   loop.Timer
}

// room is how much is held before the sender is not read any more.
func (v *valve) room() int { return v.s.w.limits.buffer }

// valve gives the valve of a side; nil: nothing limits it.
func (s *stream) valve(side int) *valve {
	if len(s.Throttles[side]) == 0 {
		return nil
	}
	if s.valves[side] == nil {
		v := &valve{s: s, side: side}
		v.timer.Init(s.w.loop, v)
		s.valves[side] = v
	}
	return s.valves[side]
}

// holding gives the valve of a side while it holds bytes, else nil.
func (s *stream) holding(side int) *valve {
	if v := s.valves[side]; v != nil && v.bytes > 0 {
		return v
	}
	return nil
}

// take lets bytes wait for their turn.
func (v *valve) take(b *loop.Buffer) {
	if len(b.Data) == 0 {
		b.Release()
		return
	}
	v.held = append(v.held, b)
	v.bytes += len(b.Data)
	v.run()
}

// takeDecoded is take for payload of a message whose framing is gone already; nothing else is held then.
func (v *valve) takeDecoded(b *loop.Buffer) {
	v.decoded = len(b.Data)
	v.take(b)
}

// endBehind notes the end of the sender, behind what is held.
func (v *valve) endBehind(err error) { v.ended, v.end = true, err }

// Expired is the time at which more may go on.
func (v *valve) Expired(*loop.Timer) {
	v.timer.Stop()
	v.run()
}

// run lets go on what may, and tells the end behind it.
func (v *valve) run() {
	s := v.s
	for v.bytes > 0 && !s.dead && v.timer.Deadline() == 0 {
		n, wait := v.allowed(v.first())
		if n == 0 {
			v.timer.After(wait)
			break
		}
		v.pass(n)
		if wait > 0 && v.timer.Deadline() == 0 {
			v.timer.After(wait)
		}
	}
	switch {
	case s.dead:
	case v.bytes == 0 && v.ended:
		v.ended = false
		v.tellEnd()
	case v.bytes > v.room():
		v.pause()
	default:
		v.resume()
	}
}

// first is how many bytes may be asked for at once.
func (v *valve) first() int {
	n := len(v.held[0].Data)
	if v.decoded > 0 {
		n = min(n, v.decoded)
	}
	return n
}

// allowed tells how many of n bytes may go on now, and how long the rest has to wait.
func (v *valve) allowed(n int) (int, time.Duration) {
	var wait time.Duration
	for _, t := range v.s.Throttles[v.side] {
		ask := n
		var d time.Duration
		if n, d = t.Allow(ask, v.s.w.ms()); d > 0 && (wait == 0 || d < wait) {
			wait = d
		}
		if n == 0 {
			break
		}
	}
	return n, wait
}

// pass lets the first n bytes go on.
func (v *valve) pass(n int) {
	s, b := v.s, v.held[0]
	if n < len(b.Data) {
		part := b.Slice(0, n)
		b.Data = b.Data[n:]
		b = part
	} else {
		copy(v.held, v.held[1:])
		v.held[len(v.held)-1] = nil
		v.held = v.held[:len(v.held)-1]
	}
	v.bytes -= n
	f := &s.toSrv
	if v.side == download {
		f = &s.toCli
	}
	before, coded := f.moved, f.coded
	switch {
	case v.decoded > 0:
		v.decoded -= n
		v.passDecoded(f, b)
		before = f.moved - int64(n)
	case s.tunnel:
		if before = f.moved - int64(n); v.side == download {
			s.sendBack(b)
		} else {
			s.sendOn(b)
		}
	case v.side == download:
		s.sendResponse(b)
	default:
		s.sendRequest(b)
	}
	came := int(f.moved - before)
	left := came
	if f.coder != nil {
		left = int(f.coded - coded)
	}
	for _, t := range s.Throttles[v.side] {
		t.Passed(came, left, s.w.ms())
	}
}

// passDecoded frames payload.
func (v *valve) passDecoded(f *flow, b *loop.Buffer) {
	s := v.s
	dst := &s.c.sock
	if v.side == upload {
		if dst = nil; s.link == nil {
			b.Release()
			return
		}
		dst = &s.link.sock
	}
	if !f.skip {
		flush(dst, f.put(s.w, b, 0, len(b.Data), dst, nil))
	}
	b.Release()
	if v.bytes > 0 || !f.dec.Finished() {
		return
	}
	flush(dst, f.finish(s.w, dst, nil))
	f.done = true
	if v.side == upload {
		s.requestDone()
	} else {
		s.responseDone()
	}
}

// tellEnd tells the stream the end of the sender.
func (v *valve) tellEnd() {
	s := v.s
	switch {
	case v.side == upload:
		s.clientEnd(v.end)
	case v.end == nil:
		s.responseEnded()
	default:
		s.serverEnd(v.end)
	}
}

// pause stops the sender, which is faster than its limit.
func (v *valve) pause() {
	v.paused = true
	if v.side == upload {
		v.s.c.sock.Pause()
	} else if k := v.s.link; k != nil {
		k.sock.Pause()
	}
}

// resume lets it go on, unless the receiver is the slow one.
func (v *valve) resume() {
	if !v.paused {
		return
	}
	v.paused = false
	switch s := v.s; {
	case v.side == upload:
		s.resumeClient()
	case s.link != nil && !s.srvHeld:
		s.link.sock.Receive()
		s.renewServer()
	}
}

// leave puts what is held aside for the next request, in front of what came behind it.
func (v *valve) leave() {
	for i, b := range v.held {
		v.s.keepAhead(b.Data)
		b.Release()
		v.held[i] = nil
	}
	v.held, v.bytes = v.held[:0], 0
}

// blocked tells whether a limit holds bytes up: then it is nobody's fault that nothing comes.
func (s *stream) blocked() bool { return s.holding(upload) != nil || s.holding(download) != nil }

// drop gives back what is held.
func (v *valve) drop() {
	v.timer.Remove()
	for _, b := range v.held {
		b.Release()
	}
}
