package loop

import (
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Flags of a conn on epoll.
const (
	connReady   = connEngine << iota // may be readable
	connHangup                       // the peer has shut down, read until the end
	connWantOut                      // EPOLLOUT is registered
	connListed                       // in the list of readable connections
	connBulk                         // the last receive filled its buffer
)

// epoll is the engine of kernels that refuse io_uring. Connections are registered once, edge-triggered, and not before a first attempt
// to receive, which a new connection often answers with its request. A socket operation is a raw, non-blocking system call.
type epoll struct {
	l      *Loop
	fd     int32
	event  int32 // eventfd, see wake
	events []unix.EpollEvent
	ready  []connRef // connections that may be readable
	spare  []connRef // the other half of ready
	budget int       // bytes that may still be received in this turn, see turnBytes
	iov    [sendIovecs]unix.Iovec
	msg    unix.Msghdr
}

const (
	sendIovecs = 64 // pieces sent by one system call
	bulkReads  = 4  // buffers filled by one system call where there is much to receive

	// A connection gives way to others after so many buffers in one turn.
	burstBuffers = 8
)

// What an event is about: the highest byte of its data, above 24 bits of generation and 32 bits of index.
const (
	onConn = iota
	onListener
	onWatch
	onWake
)

func newEpoll(l *Loop) (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	ev, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	e := &epoll{l: l, fd: int32(fd), event: int32(ev), events: make([]unix.EpollEvent, l.opts.MaxEvents)}
	// Edge-triggered: each write is an event, and nobody has to read.
	if errno := e.ctl(unix.EPOLL_CTL_ADD, e.event, unix.EPOLLIN|unix.EPOLLET, onWake, slot{}); errno != 0 {
		e.close()
		return nil, errno
	}
	return e, nil
}

func (e *epoll) name() string { return Epoll }

func (e *epoll) close() {
	closeFd(e.event)
	closeFd(e.fd)
}

func (e *epoll) wake() { wakeEventfd(e.event) }

func wakeEventfd(fd int32) {
	one := uint64(1)
	unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&one)), 8)
}

func (e *epoll) ctl(op uintptr, fd int32, events uint32, kind uint32, s slot) unix.Errno {
	ev := unix.EpollEvent{Events: events, Fd: int32(s.index), Pad: int32(kind<<24 | s.gen)}
	e.l.syscalls++
	_, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(e.fd), op, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	if errno == unix.EEXIST {
		// With several threads Linux 6.18 was seen to keep the entry of a descriptor that was closed: it becomes that of the
		// new one.
		e.l.syscalls++
		_, _, errno = unix.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(e.fd), unix.EPOLL_CTL_MOD, uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	}
	return errno
}

func (e *epoll) turn() {
	l := e.l
	e.budget = turnBytes
	e.flush()
	if len(e.ready) > 0 {
		e.receiveReady()
		e.flush()
	}
	until := int64(0)
	if len(e.ready) == 0 {
		until = l.until()
	}
	n := e.wait(until)
	e.budget = turnBytes
	l.posted.awake()
	l.events += int64(n)
	for i := range e.events[:n] {
		ev := &e.events[i]
		index, gen := uint32(ev.Fd), uint32(ev.Pad)&genMask
		switch uint32(ev.Pad) >> 24 {
		case onConn:
			if c := l.conns.find(index, gen); c != nil {
				e.handle(c, ev.Events)
			}
		case onListener:
			if ln := l.listeners.find(index, gen); ln != nil {
				e.accept(ln)
			}
		case onWatch:
			if w := l.watches.find(index, gen); w != nil && w.events != 0 {
				w.w.Ready(ev.Events & (w.events | unix.EPOLLERR | unix.EPOLLHUP))
			}
		}
	}
}

// wait waits in one raw system call, which keeps the P; the runtime's preemption signal ends it when somebody needs the P. Then it waits once
// more in a way that gives the P away.
func (e *epoll) wait(until int64) int {
	l := e.l
	l.syscalls++
	if until == 0 {
		n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)), 0, 0, 0)
		l.readClock()
		if errno != 0 {
			return 0
		}
		return int(n)
	}
	before := Clock()
	n, _, errno := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)), millis(until-before), 0, 0)
	l.readClock()
	if errno == unix.EINTR && l.now < until {
		l.syscalls++
		n, _, errno = syscall.Syscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.events[0])), uintptr(len(e.events)), millis(until-l.now), 0, 0)
		l.readClock()
	}
	l.waited(before)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// millis rounds a waiting time up to milliseconds.
func millis(ns int64) uintptr {
	const day = int64(24 * time.Hour / time.Millisecond)
	if ns <= 0 {
		return 0
	}
	return uintptr(min(ns/int64(time.Millisecond)+1, day))
}

// flush works off what was asked for since the last time. What callbacks ask for meanwhile is left for the next flush.
func (e *epoll) flush() {
	l := e.l
	l.feed(!l.pool.full())
	for _, s := range takeTouched(&l.touchedListeners, &l.spareTouched) {
		if ln := l.listeners.find(s.index, s.gen); ln != nil {
			ln.flags &^= listenTouched
			e.flushListener(ln)
		}
	}
	for _, s := range takeTouched(&l.touchedWatches, &l.spareTouched) {
		if w := l.watches.find(s.index, s.gen); w != nil {
			w.flags &^= watchTouched
			e.flushWatch(w)
		}
	}
	c := l.dirty
	l.dirty = nil
	for c != nil {
		next := c.nextDirty
		c.nextDirty = nil
		c.flags &^= connDirty
		e.flushConn(c)
		c = next
	}
}

func (e *epoll) flushConn(c *conn) {
	if c.flags&(connConnect|connDialing) == connConnect && c.flags&(connReset|connHasty) == 0 {
		e.connect(c)
	}
	if c.queued > 0 && c.flags&(connBlocked|connConnect|connReset) == 0 {
		e.send(c)
	}
	if c.flags&connClosing != 0 {
		// When a callback right here has closed it, the next flush goes on.
		if c.flags&connDirty == 0 && (c.queued == 0 || c.flags&(connReset|connHasty|connSendEnd) != 0) {
			e.closeNow(c)
		}
		return
	}
	if c.flags&connLifting != 0 {
		e.lift(c)
		return
	}
	if c.flags&(connShut|connShutAt|connConnect|connSendEnd) == connShut && c.queued == 0 {
		c.shutdown()
	}
	if c.flags&connConnect == 0 {
		c.notify()
	}
	if c.flags&connReceive != 0 {
		c.unhold()
	}
	if c.flags&(connReceive|connRecvEnd|connConnect|connClosing) == connReceive {
		if c.relay != nil {
			c.relay.run()
			return
		}
		if c.flags&connArmed == 0 {
			c.flags |= connReady // unknown: try
		}
		if c.flags&connReady != 0 {
			e.list(c)
		}
	}
}

func (e *epoll) closeNow(c *conn) {
	switch {
	case c.flags&connReset != 0:
		resetOnClose(c.fd)
	case c.flags&connRecvEnd == 0 && c.flags&(connReady|connArmed) != connArmed:
		c.drain()
	}
	e.l.syscalls++
	closeFd(c.fd)
	e.l.conns.put(c)
}

// lift gives a connection away when all is sent.
func (e *epoll) lift(c *conn) {
	if c.queued > 0 || c.flags&connDialing != 0 {
		return // it is touched when the socket has room
	}
	if c.flags&connArmed != 0 {
		e.ctl(unix.EPOLL_CTL_DEL, c.fd, 0, onConn, slot{c.index, c.gen})
	}
	c.lifted()
}

// list queues c to be received from.
func (e *epoll) list(c *conn) {
	if c.flags&connListed == 0 {
		c.flags |= connListed
		e.ready = append(e.ready, c.ref())
	}
}

func (e *epoll) connect(c *conn) {
	a := c.to
	e.l.syscalls++
	_, _, errno := unix.RawSyscall(unix.SYS_CONNECT, uintptr(c.fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(a.len))
	if errno == unix.EINPROGRESS || errno == unix.EINTR {
		c.flags |= connDialing | connArmed | connWantOut
		errno = e.ctl(unix.EPOLL_CTL_ADD, c.fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET, onConn, slot{c.index, c.gen})
		if errno == 0 {
			return
		}
	}
	e.connected(c, errno)
}

func (e *epoll) connected(c *conn, errno unix.Errno) {
	c.flags &^= connConnect | connDialing
	e.l.addrs.put(c.to)
	c.to = nil
	if errno != 0 {
		c.flags |= connSendEnd | connRecvEnd
		c.dropQueue()
	}
	e.l.touch(c)
	if c.h != nil {
		c.h.Connected(boxErrno(errno))
	}
}

// register makes events of c come. It is done when a first operation has found nothing to do.
func (e *epoll) register(c *conn, out bool) {
	events, op := uint32(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET), uintptr(unix.EPOLL_CTL_ADD)
	if out {
		events |= unix.EPOLLOUT
		c.flags |= connWantOut
	}
	if c.flags&connArmed != 0 {
		op = unix.EPOLL_CTL_MOD
	}
	c.flags |= connArmed
	if errno := e.ctl(op, c.fd, events, onConn, slot{c.index, c.gen}); errno != 0 {
		c.ended(errno) // ENOMEM or ENOSPC: nothing would ever come
	}
}

// handle takes an event of a connection in.
func (e *epoll) handle(c *conn, events uint32) {
	if c.flags&connDialing != 0 {
		if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) == 0 {
			return
		}
		errno := unix.Errno(0)
		n, err := unix.GetsockoptInt(int(c.fd), unix.SOL_SOCKET, unix.SO_ERROR)
		e.l.syscalls++
		if err != nil {
			errno = unix.EBADF
		} else {
			errno = unix.Errno(n)
		}
		e.connected(c, errno)
	}
	if events&(unix.EPOLLOUT|unix.EPOLLERR|unix.EPOLLHUP) != 0 && c.flags&connBlocked != 0 {
		c.flags &^= connBlocked
		e.l.touch(c)
		if c.feeder != nil {
			e.l.touch(c.feeder.src)
		}
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		c.flags |= connHangup
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLERR|unix.EPOLLHUP) != 0 {
		c.flags |= connReady
		switch {
		case c.flags&(connReceive|connRecvEnd) != connReceive:
		case c.relay != nil:
			e.l.touch(c)
		default:
			e.receive(c)
		}
	}
}

// receiveReady receives from all connections that were listed before.
func (e *epoll) receiveReady() {
	list := e.ready
	e.ready = e.spare[:0]
	for _, r := range list {
		if c := e.l.conns.find(r.index, r.gen); c != nil {
			c.flags &^= connListed
			if c.flags&(connReceive|connRecvEnd|connReady) == connReceive|connReady {
				e.receive(c)
			}
		}
	}
	e.spare = list[:0]
}

// receive receives until there is nothing left, the owner does not want any more, or others shall have their turn.
func (e *epoll) receive(c *conn) {
	l := e.l
	for taken := 0; c.flags&(connReceive|connRecvEnd) == connReceive && c.relay == nil; {
		if c.held != nil {
			c.unhold()
			continue
		}
		if l.pool.full() {
			l.starve(c)
			return
		}
		if taken >= burstBuffers || e.budget <= 0 {
			e.list(c)
			return
		}
		var room, n int
		var errno unix.Errno
		if c.flags&connBulk != 0 {
			room, n, errno = e.receiveMany(c)
			taken += bulkReads
		} else {
			room, n, errno = e.receiveOne(c)
			taken++
		}
		e.budget -= n
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN:
			c.flags &^= connReady | connBulk
			if c.flags&connArmed == 0 {
				e.register(c, false)
			}
			return
		case errno != 0:
			c.ended(errno)
			return
		case n == 0:
			c.ended(eof)
			return
		case n < room && c.flags&connHangup == 0:
			// Drained: what comes later is a new edge.
			c.flags &^= connReady | connBulk
			if c.flags&connArmed == 0 && c.flags&connClosing == 0 {
				e.register(c, false)
			}
			return
		case n == room && c.flags&connSparing == 0:
			c.flags |= connBulk
		}
	}
}

func (e *epoll) receiveOne(c *conn) (room, n int, errno unix.Errno) {
	b := e.l.pool.take()
	e.l.syscalls++
	r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b.mem))), uintptr(len(b.mem)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 || r == 0 {
		b.Release()
		return 0, 0, errno
	}
	b.Data = b.mem[:r]
	c.deliver(b)
	return e.l.pool.size, int(r), 0
}

func (e *epoll) receiveMany(c *conn) (room, n int, errno unix.Errno) {
	var bufs [bulkReads]*Buffer
	for i := range bufs {
		b := e.l.pool.take()
		bufs[i] = b
		e.iov[i].Base = unsafe.SliceData(b.mem)
		e.iov[i].SetLen(len(b.mem))
		room += len(b.mem)
	}
	e.l.syscalls++
	r, _, errno := unix.RawSyscall(unix.SYS_READV, uintptr(c.fd), uintptr(unsafe.Pointer(&e.iov[0])), bulkReads)
	if errno == 0 {
		n = int(r)
	}
	left := n
	for i, b := range bufs {
		e.iov[i].Base = nil
		if left == 0 {
			b.Release()
			continue
		}
		b.Data = b.mem[:min(left, len(b.mem))]
		left -= len(b.Data)
		c.deliver(b)
	}
	return room, n, errno
}

// send sends as much of the queue as the socket takes.
func (e *epoll) send(c *conn) {
	for c.queued > 0 {
		want, n, errno := e.sendSome(c)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN, errno == 0 && n < want:
			if errno == 0 {
				c.sent(n)
			}
			c.flags |= connBlocked
			if c.flags&connWantOut == 0 {
				e.register(c, true) // reports also what came between
			}
			return
		case errno != 0:
			c.sendFailed(errno)
			return
		default:
			c.flags &^= connBlocked
			c.sent(n)
		}
	}
}

func (e *epoll) sendSome(c *conn) (want, n int, errno unix.Errno) {
	e.l.syscalls++
	if b := c.head; b.next == nil {
		r, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(c.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b.Data))), uintptr(len(b.Data)),
			unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		return len(b.Data), int(r), errno
	}
	want, pieces := gather(c, e.iov[:])
	e.msg.Iov = &e.iov[0]
	e.msg.SetIovlen(pieces)
	r, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(c.fd), uintptr(unsafe.Pointer(&e.msg)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	clear(e.iov[:pieces])
	return want, int(r), errno
}

// gather points iov at the head of the queue of c, and returns how many bytes and pieces there are.
func gather(c *conn, iov []unix.Iovec) (bytes, pieces int) {
	for b := c.head; b != nil && pieces < len(iov); b = b.next {
		iov[pieces].Base = unsafe.SliceData(b.Data)
		iov[pieces].SetLen(len(b.Data))
		bytes += len(b.Data)
		pieces++
	}
	return bytes, pieces
}

// relayWait makes an event come when the relay can go on.
func (e *epoll) relayWait(r *relay, w relayWait) {
	switch w {
	case relayEmpty:
		r.src.flags &^= connReady | connBulk
		if r.src.flags&connArmed == 0 {
			e.register(r.src, false)
		}
	case relayFull:
		r.dst.flags |= connBlocked
		if r.dst.flags&connWantOut == 0 {
			e.register(r.dst, true)
		}
	case relayTurn:
		e.l.touch(r.src)
	}
}

func (e *epoll) flushListener(ln *Listener) {
	want := ln.flags&listenOn != 0 && !ln.leaving()
	switch armed := ln.flags&listenArmed != 0; {
	case want && !armed:
		// Exclusive: of the loops that wait for one socket, the kernel wakes one.
		if errno := e.ctl(unix.EPOLL_CTL_ADD, ln.fd, unix.EPOLLIN|unix.EPOLLEXCLUSIVE, onListener, ln.slot); errno != 0 {
			ln.flags &^= listenOn
			ln.a.AcceptFailed(errno)
			return
		}
		ln.flags |= listenArmed
	case !want && armed:
		e.ctl(unix.EPOLL_CTL_DEL, ln.fd, 0, onListener, ln.slot)
		ln.flags &^= listenArmed
	}
	if ln.leaving() {
		ln.release()
	}
}

func (e *epoll) accept(ln *Listener) {
	for range e.l.opts.MaxAccept {
		if !ln.Accepting() || ln.leaving() {
			return
		}
		fd, errno := ln.accept()
		switch errno {
		case 0:
			ln.accepted(fd, &e.l.peer)
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN:
			return
		default:
			ln.failed(errno)
			return
		}
	}
}

func (e *epoll) flushWatch(w *Watch) {
	if w.armed == w.events {
		return
	}
	op := uintptr(unix.EPOLL_CTL_MOD)
	switch {
	case w.armed == 0:
		op = unix.EPOLL_CTL_ADD
	case w.events == 0:
		op = unix.EPOLL_CTL_DEL
	}
	if errno := e.ctl(op, w.fd, w.events, onWatch, w.slot); errno != 0 {
		// A regular file cannot be polled: it is always ready, as poll(2) says.
		w.armed = 0
		if errno == unix.EPERM && w.events != 0 {
			w.w.Ready(w.events)
			if w.IsOpen() && w.events != 0 {
				w.touch()
			}
		}
		return
	}
	w.armed = w.events
}

func (e *epoll) unwatch(w *Watch) {
	if w.armed != 0 {
		e.ctl(unix.EPOLL_CTL_DEL, w.fd, 0, onWatch, w.slot)
		w.armed = 0
	}
}
