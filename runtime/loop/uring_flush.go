package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// flush turns what was asked for since the last time into submission entries.
func (u *uring) flush() {
	l := u.l
	u.ring.refill()
	l.feed(l.pool.ring > 0)
	for _, s := range takeTouched(&l.touchedListeners, &l.spareTouched) {
		if ln := l.listeners.find(s.index, s.gen); ln != nil {
			ln.flags &^= listenTouched
			u.flushListener(ln)
		}
	}
	for _, s := range takeTouched(&l.touchedWatches, &l.spareTouched) {
		if w := l.watches.find(s.index, s.gen); w != nil {
			w.flags &^= watchTouched
			u.flushWatch(w)
		}
	}
	for _, r := range u.again {
		if c := l.conns.find(r.index, r.gen); c != nil {
			l.touch(c)
		}
	}
	u.again = u.again[:0]
	c := l.dirty
	l.dirty = nil
	for c != nil {
		next := c.nextDirty
		c.nextDirty = nil
		c.flags &^= connDirty
		u.flushConn(c)
		c = next
	}
}

func (u *uring) flushConn(c *conn) {
	if c.flags&connClosing != 0 {
		u.flushClosing(c)
		return
	}
	if c.flags&(connConnect|connDialing) == connConnect {
		u.connect(c)
	}
	if c.flags&connLifting != 0 {
		u.lift(c)
		return
	}
	if c.flags&connConnect == 0 {
		if c.queued > 0 && c.flags&connFlight == 0 {
			u.send(c)
			if c.flags&(connShut|connNotify) != 0 || c.flight < c.queued || c.feeder != nil {
				u.hurry = u.hurry || c.flags&connBlocked == 0
			}
		}
		if c.flags&(connShut|connShutAt|connSendEnd) == connShut && c.queued == 0 {
			// Not by the ring: a kernel worker would do it, and look the descriptor up when it may be another connection's already.
			c.shutdown()
		}
		c.notify()
	}
	if c.flags&connReceive != 0 && (c.held != nil || c.end != nil) {
		c.unhold()
	}
	if c.flags&(connRecvEnd|connConnect|connClosing|connStarved) != 0 {
		return
	}
	if c.relay != nil && c.flags&connReceive != 0 {
		u.relay(c)
		return
	}
	switch c.flags & (connReceive | connArmed) {
	case connReceive:
		u.receive(c)
	case connReceive | connArmed:
		c.flags &^= connPaused
	case connArmed:
		u.pause(c)
	}
}

func (u *uring) receive(c *conn) {
	q := u.sqe()
	q.opcode, q.flags, q.fd, q.userData = opRecv, sqeBufferPick, c.fd, userData(doneRecv, c.index, c.gen)
	switch {
	case c.flags&connSparing != 0:
	case c.flags&connOneShot == 0:
		q.ioprio = recvMultishot
	case u.bundle:
		q.ioprio, q.len = recvBundle, uint32(oneShotBuffers*u.l.pool.size)
	}
	if c.flags&connFresh != 0 {
		c.flags &^= connFresh
		q.ioprio |= recvPollFirst // a server that was just connected to has not answered yet
	}
	c.flags = c.flags&^(connPaused|connCancel) | connArmed
}

// pause cancels the receive of a connection that was paused already in the turn before: for a reader that is too slow, a few
// buffers at a time are received from then on, so that not many come after a Pause.
func (u *uring) pause(c *conn) {
	switch {
	case c.flags&connCancel != 0:
	case c.flags&connPaused == 0:
		c.flags |= connPaused
		u.again = append(u.again, c.ref())
	default:
		c.flags |= connCancel | connOneShot
		u.cancel(userData(doneRecv, c.index, c.gen), userData(doneCancel, c.index, c.gen))
	}
}

// lift gives a connection away when the kernel has answered all that it was asked for.
func (u *uring) lift(c *conn) {
	switch {
	case c.flags&(connFlight|connDialing) != 0:
	case c.queued > 0:
		u.send(c)
		u.hurry = true
	case c.flags&connArmed == 0:
		c.lifted()
	case c.flags&connCancel == 0:
		c.flags |= connCancel
		u.cancel(userData(doneRecv, c.index, c.gen), userData(doneCancel, c.index, c.gen))
	}
}

// relay goes on with the relay from c, as soon as no receive is in the kernel any more: what that brings is passed on too.
func (u *uring) relay(c *conn) {
	switch {
	case c.flags&connArmed == 0:
		if c.flags&connPollIn == 0 && c.relay.dst.flags&connPollOut == 0 {
			c.relay.run()
		}
	case c.flags&connCancel == 0:
		c.flags |= connCancel
		u.cancel(userData(doneRecv, c.index, c.gen), userData(doneCancel, c.index, c.gen))
	}
}

// relayWait makes a completion come when the relay can go on.
func (u *uring) relayWait(r *relay, w relayWait) {
	switch w {
	case relayEmpty:
		r.src.flags |= connPollIn
		u.poll(r.src, unix.POLLIN|unix.POLLRDHUP, doneRelayIn)
	case relayFull:
		r.dst.flags |= connPollOut
		u.poll(r.dst, unix.POLLOUT, doneRelayOut)
	case relayTurn:
		u.l.touch(r.src)
	}
}

// poll waits once for an event of the socket.
func (u *uring) poll(c *conn, events uint32, kind uint64) {
	q := u.sqe()
	q.opcode, q.fd, q.opFlags, q.userData = opPollAdd, c.fd, pollEvents(events), userData(kind, c.index, c.gen)
}

func (u *uring) connect(c *conn) {
	q := u.sqe()
	q.opcode, q.fd, q.userData = opConnect, c.fd, userData(doneConnect, c.index, c.gen)
	q.addr, q.off = uint64(uintptr(unsafe.Pointer(&c.to.raw))), uint64(c.to.len)
	c.flags |= connDialing
}

// send hands the head of the queue to the kernel and returns the entry for it.
func (u *uring) send(c *conn) *sqe {
	b := c.head
	single := b.next == nil || u.msgUsed == len(u.msgs) || u.iovUsed == len(u.iov)
	q := u.sqe()
	q.fd = c.fd
	if single {
		q.opcode, q.addr, q.len = opSend, uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b.Data)))), uint32(len(b.Data))
		c.flight = len(b.Data)
	} else {
		iov := u.iov[u.iovUsed:min(u.iovUsed+sendIovecs, len(u.iov))]
		m := &u.msgs[u.msgUsed]
		u.msgUsed++
		var pieces int
		c.flight, pieces = gather(c, iov)
		u.iovUsed += pieces
		*m = unix.Msghdr{Iov: &iov[0]}
		m.SetIovlen(pieces)
		q.opcode, q.addr, q.len = opSendmsg, uint64(uintptr(unsafe.Pointer(m))), 1
	}
	c.flags |= connFlight
	if c.flags&connBlocked != 0 {
		q.opFlags, q.userData = unix.MSG_NOSIGNAL, userData(doneSendWait, c.index, c.gen)
		return q
	}
	q.opFlags, q.userData = unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT|unix.MSG_WAITALL, userData(doneSend, c.index, c.gen)
	q.flags = sqeSkip
	u.sending = append(u.sending, c)
	return q
}

// flushClosing goes on with a connection that its owner has closed: send, close, and forget it when the kernel has answered all.
func (u *uring) flushClosing(c *conn) {
	if c.flags&connFdGone == 0 {
		drop := c.flags&(connReset|connSendEnd) != 0
		if c.flags&(connConnect|connDialing) == connConnect && c.queued > 0 && !drop && c.flags&connHasty == 0 {
			u.connect(c)
		}
		switch {
		case drop || c.queued == 0:
			u.closeNow(c)
		case c.flags&connConnect != 0:
			if c.flags&connHasty != 0 {
				u.closeNow(c)
			}
		case c.flags&connFlight == 0 && c.flags&connBlocked == 0:
			u.sendAndClose(c)
		case c.flags&connHasty != 0:
			u.closeNow(c)
		case c.flags&connFlight == 0:
			u.send(c)
		}
	}
	if c.flags&connFdGone != 0 && c.flags&(connFlight|connDialing) == 0 {
		u.l.conns.put(c)
	}
}

// closeNow cancels all that the kernel has of the descriptor and closes it, in one submit: a close alone would not end the connection under an
// armed receive.
func (u *uring) closeNow(c *conn) {
	switch {
	case c.flags&connReset != 0:
		resetOnClose(c.fd)
	case c.flags&(connRecvEnd|connArmed|connConnect) == 0:
		c.drain()
	}
	u.cancelAll(c)
	q := u.sqe()
	q.opcode, q.flags, q.fd, q.userData = opClose, sqeSkip, c.fd, doneIgnored
	c.flags |= connFdGone
}

// cancelAll cancels by the names of the operations: to look for a descriptor, the kernel goes through all that is armed on the ring.
func (u *uring) cancelAll(c *conn) {
	if c.flags&connArmed != 0 {
		u.cancel(userData(doneRecv, c.index, c.gen), doneIgnored)
		c.flags &^= connArmed
	}
	if c.flags&connFlight != 0 {
		u.cancel(userData(doneSendWait, c.index, c.gen), doneIgnored)
	}
	if c.flags&connDialing != 0 {
		u.cancel(userData(doneConnect, c.index, c.gen), doneIgnored)
	}
	if c.flags&connPollIn != 0 {
		u.cancel(userData(doneRelayIn, c.index, c.gen), doneIgnored)
	}
	if c.flags&connPollOut != 0 {
		u.cancel(userData(doneRelayOut, c.index, c.gen), doneIgnored)
	}
}

// cancel cancels one operation; answer tells that it was not found.
func (u *uring) cancel(operation, answer uint64) {
	q := u.sqe()
	q.opcode, q.flags, q.fd, q.addr, q.userData = opCancel, sqeSkip, -1, operation, answer
}

// sendAndClose links the close to a send of all that is queued: when the send is short, the kernel does not close.
func (u *uring) sendAndClose(c *conn) {
	u.room(8)
	if c.flags&(connRecvEnd|connArmed) == 0 {
		c.drain()
	}
	u.cancelAll(c)
	q := u.send(c)
	if c.flight < c.queued {
		u.hurry = true // more than fits in one send: the close comes with the last one
		return
	}
	q.flags |= sqeLink
	q = u.sqe()
	q.opcode, q.flags, q.fd, q.userData = opClose, sqeSkip, c.fd, doneIgnored
	c.flags |= connCloseLinked
}

func (u *uring) flushListener(ln *Listener) {
	ln.unhold()
	if ln.loop == nil {
		return
	}
	want := ln.flags&listenOn != 0 && !ln.leaving()
	switch armed := ln.flags&listenArmed != 0; {
	case want && !armed:
		q := u.sqe()
		q.opcode, q.fd, q.ioprio, q.userData = opAccept, ln.fd, acceptMulti, userData(doneAccept, ln.index, ln.gen)
		q.opFlags = unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC
		ln.flags |= listenArmed
	case !want && armed && ln.flags&listenCancel == 0:
		u.cancel(userData(doneAccept, ln.index, ln.gen), doneIgnored)
		ln.flags |= listenCancel
	}
	if ln.leaving() && ln.flags&listenArmed == 0 {
		ln.release()
	}
}

func (u *uring) flushWatch(w *Watch) {
	if w.armed == w.events {
		return
	}
	if w.armed != 0 {
		u.cancel(userData(doneWatch, w.index, w.gen), doneIgnored) // its completion arms it again
		return
	}
	q := u.sqe()
	q.opcode, q.fd, q.opFlags, q.userData = opPollAdd, w.fd, pollEvents(w.events), userData(doneWatch, w.index, w.gen)
	w.armed = w.events
}

func (u *uring) unwatch(w *Watch) {
	if w.armed != 0 {
		u.cancel(userData(doneWatch, w.index, w.gen), doneIgnored)
		w.armed = 0
	}
}
