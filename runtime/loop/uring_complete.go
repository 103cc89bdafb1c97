package loop

import (
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// conclude ends the sends of the last submit. Those that the kernel complains about have their answer in the completion queue now.
func (u *uring) conclude() {
	if len(u.sending) > 0 {
		for atomic.LoadUint32(u.sqFlags)&sqCQOverflow != 0 {
			u.complete() // the answer may be among those that did not fit
			u.enter(0, nil, syscall.RawSyscall6)
		}
		for head, tail := *u.cqHead, atomic.LoadUint32(u.cqTail); head != tail; head++ {
			if q := &u.cqes[head&u.cqMask]; q.userData>>56 == doneSend {
				u.answer(q)
				q.userData = doneIgnored << 56
			}
		}
		for i, c := range u.sending {
			u.sending[i] = nil
			u.concludeSend(c)
		}
		u.sending = u.sending[:0]
	}
	clear(u.iov[:u.iovUsed])
	u.iovUsed, u.msgUsed = 0, 0
}

func (u *uring) answer(q *cqe) {
	if c := u.l.conns.find(uint32(q.userData), uint32(q.userData>>32)&genMask); c != nil && c.flags&connFlight != 0 {
		c.flags |= connAnswer
		c.res = q.res
	}
}

func (u *uring) concludeSend(c *conn) {
	flight := c.flight
	c.flight = 0
	answered := c.flags&connAnswer != 0
	c.flags &^= connFlight | connAnswer
	if !answered {
		c.sent(flight)
		switch {
		case c.flags&connCloseLinked != 0:
			c.flags |= connFdGone
			if c.flags&connDirty == 0 {
				u.l.conns.put(c)
			}
		case c.flags&(connClosing|connShut|connLifting) != 0 || c.queued > 0:
			u.l.touch(c)
			fallthrough
		default:
			c.notify()
		}
		return
	}
	c.flags &^= connCloseLinked
	u.l.touch(c)
	u.sendResult(c, c.res)
}

// sendResult takes the answer of a send that was not simply done.
func (u *uring) sendResult(c *conn, res int32) {
	switch {
	case res >= 0:
		c.sent(int(res))
		if c.queued > 0 {
			c.flags |= connBlocked
		} else {
			c.flags &^= connBlocked
		}
		c.notify()
	case res == -int32(unix.EAGAIN), res == -int32(unix.EINTR):
		c.flags |= connBlocked
	default:
		c.sendFailed(unix.Errno(-res))
	}
}

// complete runs the callbacks of the completions that are there, up to MaxEvents.
func (u *uring) complete() {
	l := u.l
	head, tail := *u.cqHead, atomic.LoadUint32(u.cqTail)
	if n := uint32(l.opts.MaxEvents); tail-head > n {
		tail = head + n
	}
	l.events += int64(tail - head)
	for head != tail {
		q := u.cqes[head&u.cqMask]
		head++
		atomic.StoreUint32(u.cqHead, head)
		index, gen := uint32(q.userData), uint32(q.userData>>32)&genMask
		switch q.userData >> 56 {
		case doneRecv:
			u.received(l.conns.find(index, gen), &q)
		case doneSend:
			u.answer(&q)
		case doneSendWait:
			if c := l.conns.find(index, gen); c != nil {
				c.flight = 0
				c.flags &^= connFlight
				l.touch(c)
				u.sendResult(c, q.res)
			}
		case doneConnect:
			if c := l.conns.find(index, gen); c != nil {
				u.connected(c, q.res)
			}
		case doneCancel:
			if c := l.conns.find(index, gen); c != nil {
				c.flags &^= connCancel
				l.touch(c)
			}
		case doneAccept:
			u.accepted(l.listeners.find(index, gen), &q)
		case doneWatch:
			u.watched(l.watches.find(index, gen), &q)
		case doneRelayIn:
			if c := l.conns.find(index, gen); c != nil {
				c.flags &^= connPollIn
				l.touch(c)
			}
		case doneRelayOut:
			if c := l.conns.find(index, gen); c != nil {
				c.flags &^= connPollOut
				if c.feeder != nil {
					l.touch(c.feeder.src)
				}
			}
		case doneWake:
			if q.flags&cqeMore == 0 {
				u.watchEvent()
			}
		}
	}
}

func (u *uring) received(c *conn, q *cqe) {
	if c != nil && q.flags&cqeMore == 0 {
		c.flags &^= connArmed | connCancel
		u.l.touch(c)
	}
	gone := c == nil || c.flags&connClosing != 0
	if q.res > 0 {
		if !gone && int(q.res) < u.l.pool.size {
			c.flags &^= connOneShot // drained
		}
		size := u.l.pool.size
		for bid, left := q.flags>>16, int(q.res); left > 0; bid, left = bid+1, left-size {
			b := u.ring.got(bid, min(left, size))
			if gone {
				b.Release()
			} else {
				c.deliver(b)
			}
		}
		return
	}
	if q.flags&cqeBuffer != 0 {
		u.ring.taken(q.flags >> 16).Release()
	}
	if gone {
		return
	}
	switch {
	case q.res == 0:
		c.ended(eof)
	case q.res == -int32(unix.ENOBUFS):
		u.ring.refill()
		if u.l.pool.ring == 0 {
			u.l.starve(c)
		}
	case q.res == -int32(unix.ECANCELED), q.res == -int32(unix.EINTR), q.res == -int32(unix.EAGAIN):
	default:
		c.ended(unix.Errno(-q.res))
	}
}

func (u *uring) connected(c *conn, res int32) {
	c.flags &^= connConnect | connDialing
	u.l.addrs.put(c.to)
	c.to = nil
	u.l.touch(c)
	if res != 0 {
		c.flags |= connSendEnd | connRecvEnd
		c.dropQueue()
	}
	if c.h != nil {
		c.flags |= connFresh
		c.h.Connected(boxErrno(unix.Errno(-res)))
	}
}

func (u *uring) accepted(ln *Listener, q *cqe) {
	if ln == nil {
		if q.res >= 0 {
			closeFd(q.res)
		}
		return
	}
	if q.flags&cqeMore == 0 {
		ln.flags &^= listenArmed | listenCancel
		ln.touch()
	}
	switch {
	case q.res >= 0:
		ln.accepted(q.res, nil)
	case q.res != -int32(unix.ECANCELED):
		ln.failed(unix.Errno(-q.res))
	}
}

func (u *uring) watched(w *Watch, q *cqe) {
	if w == nil {
		return
	}
	w.armed = 0
	if w.events != 0 {
		w.touch()
	}
	if q.res > 0 {
		if events := uint32(q.res) & (w.events | unix.POLLERR | unix.POLLHUP); events != 0 && w.events != 0 {
			w.w.Ready(events)
		}
	}
}
