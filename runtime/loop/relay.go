package loop

import (
	"golang.org/x/sys/unix"
)

// Relayer is told what a relay has passed on.
type Relayer interface {
	// Relayed tells that n more bytes went on, within the kernel when spliced is set. The relay has ended already
	// when these were its last.
	Relayed(n int, spliced bool)
}

// Relay passes the next n bytes that s receives on to the socket `to`, of the same loop, within the kernel (splice(2)): they never
// become a Buffer. r is told what went on; what the loop had received already is passed on as Send would. Behind the n bytes the
// Handler of s gets what comes, and at any time the end of the stream or its error, after all bytes before it went on. It returns
// false, and nothing has changed, when there is no pipe to be had, or when `to` does not stand or takes no more bytes.
//
// Until the relay ends nothing may be sent on `to` by others. Pause holds it up; to close either socket ends it, and bytes that
// `to` had no room for are lost then.
func (s *Socket) Relay(to *Socket, n int64, r Relayer) bool {
	src, dst := s.c, to.c
	if src.relay != nil || dst.feeder != nil || dst.flags&(connConnect|connShut|connSendEnd) != 0 || src.flags&(connConnect|connRecvEnd) != 0 {
		return false
	}
	l := src.loop
	rl := l.pipes.take()
	if rl == nil {
		return false
	}
	rl.src, rl.dst, rl.to, rl.left = src, dst, r, n
	src.relay, dst.feeder = rl, rl
	l.touch(src)
	return true
}

// Sparing makes the loop receive one buffer at a time from now on, or no longer: what follows stays in the kernel, where a relay that
// begins with it finds it, and behind a Pause nothing comes.
func (s *Socket) Sparing(on bool) {
	if on {
		s.c.flags |= connSparing
	} else {
		s.c.flags &^= connSparing
	}
}

// Relaying tells whether a relay from this socket goes on.
func (s *Socket) Relaying() bool { return s.c != nil && s.c.relay != nil }

// relay moves bytes from one socket to another through a pipe.
type relay struct {
	src, dst *conn
	to       Relayer
	left     int64    // bytes that still are to leave src
	ends     [2]int32 // of the pipe: read from the first, written to the second
	held     int      // bytes in the pipe
	next     *relay   // in the free list
}

// end takes the relay off its sockets and gives its pipe back.
func (r *relay) end() {
	l := r.src.loop
	r.src.relay, r.dst.feeder = nil, nil
	l.touch(r.src) // receives again
	l.pipes.put(r)
}

// dropRelays ends what the socket of c takes part in: it is being closed.
func (c *conn) dropRelays() {
	if c.relay != nil {
		c.relay.end()
	}
	if c.feeder != nil {
		c.feeder.end()
	}
}

// copy passes on what was received into a buffer before the relay could begin.
func (r *relay) copy(b *Buffer) {
	src, n := r.src, len(b.Data)
	var rest *Buffer
	if int64(n) > r.left {
		n = int(r.left)
		rest, b = b, b.Slice(0, n)
		rest.Data = rest.Data[n:]
	}
	r.dst.send(b)
	to := r.to
	if r.left -= int64(n); r.left == 0 {
		r.end()
	}
	to.Relayed(n, false)
	if rest != nil {
		src.deliverFirst(rest)
	}
}

// deliverFirst delivers bytes that came before those that are held.
func (c *conn) deliverFirst(b *Buffer) {
	if c.held == nil || c.h == nil {
		c.deliver(b)
		return
	}
	b.next, c.held = c.held, b
}

// relayWait is what a relay waits for.
type relayWait uint8

const (
	relayQueue  relayWait = iota // what was sent before it has to leave first
	relayEmpty                   // nothing to receive
	relayFull                    // no room to send
	relayTurn                    // others shall have their turn
	relayOver                    // all went on
	relayEnded                   // the stream has ended
	relayBroken                  // sending has failed
)

// relayBurst is how many bytes one relay moves in a turn.
const relayBurst = 512 << 10

// run moves what can be moved, makes the engine wait for what is missing, and tells the owner.
func (r *relay) run() {
	to, src, dst := r.to, r.src, r.dst
	n, w, errno := r.pump()
	if w >= relayOver {
		r.end()
	} else {
		src.loop.eng.relayWait(r, w)
	}
	if n > 0 {
		src.loop.stats.Spliced.Add(int64(n))
		to.Relayed(n, true)
	}
	switch {
	case w == relayEnded && errno == 0:
		src.ended(eof)
	case w == relayEnded:
		src.ended(errno)
	case w == relayBroken && dst.flags&connClosing == 0:
		dst.sendFailed(errno)
	}
}

// pump moves bytes as long as both sides go on; moved are those that dst has taken.
func (r *relay) pump() (moved int, w relayWait, errno unix.Errno) {
	if r.dst.queued > 0 {
		return 0, relayQueue, 0
	}
	for {
		for r.held > 0 {
			n, errno := r.splice(r.ends[0], r.dst.fd, r.held)
			if errno == unix.EAGAIN {
				return moved, relayFull, 0
			}
			if errno != 0 {
				return moved, relayBroken, errno
			}
			r.held -= n
			moved += n
		}
		switch {
		case r.left == 0:
			return moved, relayOver, 0
		case moved >= relayBurst:
			return moved, relayTurn, 0
		}
		n, errno := r.splice(r.src.fd, r.ends[1], int(min(r.left, relayBurst)))
		switch {
		case errno == unix.EAGAIN:
			return moved, relayEmpty, 0
		case errno != 0 || n == 0:
			return moved, relayEnded, errno
		}
		r.held, r.left = n, r.left-int64(n)
	}
}

func (r *relay) splice(from, to int32, n int) (int, unix.Errno) {
	for {
		r.src.loop.syscalls++
		done, _, errno := unix.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		if errno != unix.EINTR {
			return int(done), errno
		}
	}
}

// pipes are the pipes of a loop, each within the relay that uses it.
type pipes struct {
	max, size  int // Options.Pipes and PipeSize
	free       *relay
	idle, used int
}

// idlePipes are kept open for the next relays.
const idlePipes = 64

func (p *pipes) take() *relay {
	r := p.free
	switch {
	case r != nil:
		p.free, r.next = r.next, nil
		p.idle--
	case p.used >= p.max:
		return nil
	default:
		var ends [2]int
		if unix.Pipe2(ends[:], unix.O_CLOEXEC|unix.O_NONBLOCK) != nil {
			return nil
		}
		if p.size > 0 {
			unix.FcntlInt(uintptr(ends[0]), unix.F_SETPIPE_SZ, p.size) // as large as the system allows
		}
		r = &relay{ends: [2]int32{int32(ends[0]), int32(ends[1])}}
	}
	p.used++
	return r
}

// put takes a relay back that has ended. What is left in its pipe is lost.
func (p *pipes) put(r *relay) {
	p.used--
	if r.held > 0 || p.idle >= idlePipes {
		closeFd(r.ends[0])
		closeFd(r.ends[1])
		return
	}
	*r = relay{ends: r.ends, next: p.free}
	p.free = r
	p.idle++
}

func (p *pipes) close() {
	for ; p.free != nil; p.free = p.free.next {
		closeFd(p.free.ends[0])
		closeFd(p.free.ends[1])
	}
}
