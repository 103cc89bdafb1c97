package loop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Flags of a conn on io_uring.
const (
	connPollIn      = connEngine << iota // a relay waits for bytes from here
	connPollOut                          // a relay waits for room here
	connCancel                           // the armed receive is being cancelled
	connOneShot                          // receive a little at a time, its reader was too slow
	connPaused                           // paused since the last turn
	connFlight                           // a send is in the kernel
	connAnswer                           // res holds the answer to the send in flight
	connFresh                            // connected to, nothing received yet
	connCloseLinked                      // the close follows the send in flight
)

// uring is the io_uring engine. One system call a turn submits all that was asked for and waits.
//
// Sends are made with MSG_DONTWAIT and without a completion for success: when io_uring_enter has returned, a send that did not
// complain is done. What the socket had no room for is sent by a second kind of send, which the kernel holds back until there is room, and answers.
// Receives are multishot, into buffers that the kernel takes from a ring when bytes arrive.
type uring struct {
	l     *Loop
	fd    int
	event int32 // eventfd, see wake

	ringMem, sqeMem []byte
	sqHead, sqTail  *uint32 // shared with the kernel
	sqMask          uint32
	sqes            []sqe
	tail            uint32 // own copy of *sqTail, ahead of it by what is not published
	sqFlags         *uint32

	cqHead, cqTail *uint32
	cqMask         uint32
	cqes           []cqe

	arg enterArg
	ts  unix.Timespec

	sending []*conn // with connFlight in this submit
	hurry   bool    // there is something to do as soon as these sends are concluded: the turn must not wait
	again   []connRef
	iov     []unix.Iovec // pieces of the sends of this submit
	iovUsed int
	msgs    []unix.Msghdr
	msgUsed int

	ring   bufRing
	bundle bool // the kernel knows recvBundle
}

// Numbers of io_uring.h.
const (
	setupCQSize       = 1 << 3
	setupClamp        = 1 << 4
	setupSubmitAll    = 1 << 7
	setupSingleIssuer = 1 << 12
	setupDeferTaskrun = 1 << 13
	setupNoSQArray    = 1 << 16

	featSingleMmap = 1 << 0
	featNoDrop     = 1 << 1
	featExtArg     = 1 << 8
	featCQESkip    = 1 << 11

	enterGetEvents = 1 << 0
	enterExtArg    = 1 << 3

	sqCQOverflow = 1 << 1

	offSQRing = 0
	offSQEs   = 0x10000000

	registerPbufRing   = 22
	registerSyncCancel = 24

	sqeLink       = 1 << 2
	sqeBufferPick = 1 << 5
	sqeSkip       = 1 << 6 // no completion for success

	opPollAdd     = 6
	opSendmsg     = 9
	opAccept      = 13
	opCancel      = 14
	opConnect     = 16
	opClose       = 19
	opSend        = 26
	opRecv        = 27
	pollMulti     = 1 << 0 // in len
	acceptMulti   = 1 << 0 // in ioprio
	recvPollFirst = 1 << 0
	recvMultishot = 1 << 1
	recvBundle    = 1 << 4 // one completion for bytes in several buffers, since Linux 6.10
	cancelAll     = 1 << 0
	cancelAny     = 1 << 2

	cqeBuffer = 1 << 0
	cqeMore   = 1 << 1

	ringSQEs = 512
	ringCQEs = 8192 // also makes the kernel's table of armed operations as large as it gets
	turnMsgs = 256  // sends of several pieces in one submit

	oneShotBuffers = 4 // received at once for a reader that is slow
)

// What a completion is about: the highest byte of its user data, above generation and index as for epoll.
const (
	doneIgnored = iota
	doneRecv
	doneSend // complains: the send was short or failed
	doneSendWait
	doneConnect
	doneCancel // of a receive, failed: it was about to complete
	doneAccept
	doneWatch
	doneWake
	doneRelayIn  // the source of a relay has bytes
	doneRelayOut // its destination has room
)

type sqe struct {
	opcode   uint8
	flags    uint8
	ioprio   uint16
	fd       int32
	off      uint64
	addr     uint64
	len      uint32
	opFlags  uint32
	userData uint64
	bufGroup uint16
	_        uint16
	_        int32
	_        [2]uint64
}

type cqe struct {
	userData uint64
	res      int32
	flags    uint32
}

type sqOffsets struct {
	head, tail, ringMask, ringEntries, flags, dropped, array, _ uint32
	_                                                           uint64
}

type cqOffsets struct {
	head, tail, ringMask, ringEntries, overflow, cqes, flags, _ uint32
	_                                                           uint64
}

type setupParams struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFd uint32
	_                                                                      [3]uint32
	sq                                                                     sqOffsets
	cq                                                                     cqOffsets
}

type enterArg struct {
	sigmask   uint64
	sigmaskSz uint32
	_         uint32
	ts        uint64
}

// newUring sets a ring up on the calling thread. ENOMEM is what a process gets that starts right after another one has left: the kernel
// counts the memory of dead rings a little longer. So it tries for a second.
func newUring(l *Loop) (*uring, error) {
	for wait := time.Millisecond; ; wait *= 2 {
		u, err := setupUring(l)
		if err == nil || !errors.Is(err, unix.ENOMEM) || wait > time.Second/2 {
			return u, err
		}
		time.Sleep(wait)
	}
}

func setupUring(l *Loop) (u *uring, err error) {
	u = &uring{l: l, fd: -1, event: -1}
	defer func() {
		if err != nil {
			u.close()
		}
	}()
	var p setupParams
	for _, flags := range [...]uint32{setupNoSQArray, 0} { // the first since Linux 6.6
		p = setupParams{cqEntries: ringCQEs, flags: flags | setupCQSize | setupClamp | setupSubmitAll | setupSingleIssuer | setupDeferTaskrun}
		fd, _, e := syscall.Syscall(unix.SYS_IO_URING_SETUP, ringSQEs, uintptr(unsafe.Pointer(&p)), 0)
		if e == 0 {
			u.fd = int(fd)
			break
		}
		if e != unix.EINVAL || flags == 0 {
			return u, e
		}
	}
	if want := uint32(featSingleMmap | featNoDrop | featExtArg | featCQESkip); p.features&want != want {
		return u, unix.ENOSYS
	}
	if err = u.mapRings(&p); err != nil {
		return u, err
	}
	if err = u.ring.init(u.fd, l); err != nil {
		return u, err
	}
	if err = u.probe(); err != nil {
		return u, err
	}
	ev, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return u, err
	}
	u.event = int32(ev)
	u.iov = make([]unix.Iovec, turnMsgs*sendIovecs/4)
	u.msgs = make([]unix.Msghdr, turnMsgs)
	u.watchEvent()
	return u, nil
}

func (u *uring) mapRings(p *setupParams) (err error) {
	prot, flags := unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE
	size := max(p.cq.cqes+p.cqEntries*uint32(unsafe.Sizeof(cqe{})), p.sq.array+p.sqEntries*4)
	if u.ringMem, err = unix.Mmap(u.fd, offSQRing, int(size), prot, flags); err != nil {
		return err
	}
	if u.sqeMem, err = unix.Mmap(u.fd, offSQEs, int(p.sqEntries)*int(unsafe.Sizeof(sqe{})), prot, flags); err != nil {
		return err
	}
	word := func(off uint32) *uint32 { return (*uint32)(unsafe.Pointer(&u.ringMem[off])) }
	u.sqHead, u.sqTail, u.sqFlags, u.sqMask = word(p.sq.head), word(p.sq.tail), word(p.sq.flags), *word(p.sq.ringMask)
	u.sqes = unsafe.Slice((*sqe)(unsafe.Pointer(&u.sqeMem[0])), p.sqEntries)
	if p.flags&setupNoSQArray == 0 {
		for i := range p.sqEntries {
			*word(p.sq.array + i*4) = i
		}
	}
	u.cqHead, u.cqTail, u.cqMask = word(p.cq.head), word(p.cq.tail), *word(p.cq.ringMask)
	u.cqes = unsafe.Slice((*cqe)(unsafe.Pointer(&u.ringMem[p.cq.cqes])), p.cqEntries)
	u.tail = *u.sqTail
	return nil
}

// probe tries the youngest things that the engine uses on a socket that has come to its end: a multishot receive (Linux 6.0), which it
// needs, and a bundle.
func (u *uring) probe() error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pair[0])
	unix.Close(pair[1])
	u.ring.refill()
	for _, ioprio := range [...]uint16{recvMultishot, recvBundle} {
		q := u.sqe()
		q.opcode, q.fd, q.flags, q.ioprio, q.userData = opRecv, int32(pair[0]), sqeBufferPick, ioprio, doneIgnored
		if _, e := u.enter(1, nil, syscall.Syscall6); e != 0 {
			return e
		}
		head := *u.cqHead
		if atomic.LoadUint32(u.cqTail) == head {
			return unix.ENOSYS
		}
		res := u.cqes[head&u.cqMask].res
		atomic.StoreUint32(u.cqHead, head+1)
		switch ioprio {
		case recvBundle:
			u.bundle = res == 0
		case recvMultishot:
			if res != 0 {
				return fmt.Errorf("multishot receive: %w", unix.Errno(-res))
			}
		}
	}
	return nil
}

func (u *uring) name() string { return Uring }

// close cancels what is in the kernel first: the ring of a process that just leaves is torn down some time later, and its listeners keep
// their ports until then.
func (u *uring) close() {
	if u.fd >= 0 {
		if u.sqTail != nil {
			u.enter(0, nil, syscall.Syscall6)
			r := syncCancel{fd: -1, flags: cancelAll | cancelAny, timeout: unix.NsecToTimespec(int64(time.Second))}
			syscall.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(u.fd), registerSyncCancel, uintptr(unsafe.Pointer(&r)), 1, 0, 0)
			u.enter(0, nil, syscall.Syscall6)
		}
		unix.Close(u.fd)
	}
	if u.event >= 0 {
		closeFd(u.event)
	}
	for _, m := range [...][]byte{u.ringMem, u.sqeMem, u.ring.mem} {
		if m != nil {
			unix.Munmap(m)
		}
	}
	u.ring.release()
}

func (u *uring) wake() { wakeEventfd(u.event) }

// watchEvent polls the eventfd for ever: each write is a completion, and nobody has to read.
func (u *uring) watchEvent() {
	q := u.sqe()
	q.opcode, q.fd, q.len, q.opFlags, q.userData = opPollAdd, u.event, pollMulti, unix.POLLIN, doneWake<<56
}

type syncCancel struct {
	addr    uint64
	fd      int32
	flags   uint32
	timeout unix.Timespec
	_       [4]uint64
}

func userData(kind uint64, index, gen uint32) uint64 {
	return kind<<56 | uint64(gen)<<32 | uint64(index)
}

// sqe returns the next submission entry, zeroed.
func (u *uring) sqe() *sqe {
	if u.tail-atomic.LoadUint32(u.sqHead) > u.sqMask {
		u.submit()
	}
	q := &u.sqes[u.tail&u.sqMask]
	u.tail++
	*q = sqe{}
	return q
}

// room makes sure that n entries fit in one submit, for those that are linked.
func (u *uring) room(n uint32) {
	if u.tail-atomic.LoadUint32(u.sqHead)+n > u.sqMask+1 {
		u.submit()
	}
}

// submit hands all entries to the kernel, without waiting. It is for a queue that is full in the middle of a turn.
func (u *uring) submit() {
	for {
		_, e := u.enter(0, nil, syscall.RawSyscall6)
		if u.tail == atomic.LoadUint32(u.sqHead) {
			return
		}
		if e != 0 && e != unix.EINTR && e != unix.EAGAIN && e != unix.EBUSY && e != unix.ENOMEM {
			panic("loop: io_uring_enter: " + e.Error())
		}
	}
}

type rawCall func(trap, a1, a2, a3, a4, a5, a6 uintptr) (r1, r2 uintptr, err syscall.Errno)

// enter submits what is new, runs deferred completions, and waits for `want` of them, up to ts.
func (u *uring) enter(want uintptr, ts *unix.Timespec, call rawCall) (int, syscall.Errno) {
	atomic.StoreUint32(u.sqTail, u.tail)
	u.l.syscalls++
	flags, arg, argLen := uintptr(enterGetEvents), uintptr(0), uintptr(0)
	if ts != nil {
		flags |= enterExtArg
		u.arg = enterArg{ts: uint64(uintptr(unsafe.Pointer(ts)))}
		arg, argLen = uintptr(unsafe.Pointer(&u.arg)), unsafe.Sizeof(u.arg)
	}
	n, _, e := call(unix.SYS_IO_URING_ENTER, uintptr(u.fd), uintptr(u.tail-atomic.LoadUint32(u.sqHead)), want, flags, arg, argLen)
	return int(n), e
}

func (u *uring) turn() {
	l := u.l
	u.flush()
	until := int64(0)
	if !u.hurry && !u.pending() {
		until = l.until()
	}
	u.hurry = false
	u.wait(until)
	l.posted.awake()
	u.conclude()
	u.complete()
}

// pending tells whether completions are ready.
func (u *uring) pending() bool { return atomic.LoadUint32(u.cqTail) != *u.cqHead }

// wait submits and waits in one raw system call, which keeps the P; the runtime's preemption signal ends it when somebody needs the P. Then it
// waits once more in a way that gives the P away.
func (u *uring) wait(until int64) {
	l := u.l
	if until == 0 {
		u.submit()
		l.readClock()
		return
	}
	before := Clock()
	u.enter(1, u.timeout(until-before), syscall.RawSyscall6)
	l.readClock()
	if u.tail != atomic.LoadUint32(u.sqHead) {
		u.submit() // the kernel was short of memory; sends are concluded after all are submitted only
	}
	if !u.pending() && l.now < until {
		u.enter(1, u.timeout(until-l.now), syscall.Syscall6)
		l.readClock()
	}
	l.waited(before)
}

func (u *uring) timeout(ns int64) *unix.Timespec {
	if ns > int64(24*time.Hour) {
		ns = int64(24 * time.Hour)
	}
	u.ts = unix.NsecToTimespec(max(ns, 0))
	return &u.ts
}

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

// pollEvents swaps the halves of poll(2) events on big-endian machines, as io_uring wants them.
func pollEvents(events uint32) uint32 {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return events<<16 | events>>16
	}
	return events
}

// bufRing is the ring of buffers that the kernel takes from when bytes arrive. A buffer's number is its place in the ring.
type bufRing struct {
	l    *Loop
	mem  []byte // the ring itself: entries of 16 bytes, the tail in the last 2 bytes of the first one
	bufs []*Buffer
	tail uint16
	mask uint16
	fill int // buffers to keep in the ring
	mean int // bytes received at once, a moving average
}

// leastFill is how small the ring may get where much comes at once.
const leastFill = 16

type bufEntry struct {
	addr uint64
	len  uint32
	bid  uint16
	tail uint16 // in the first entry
}

type bufReg struct {
	ringAddr    uint64
	ringEntries uint32
	bgid        uint16
	flags       uint16
	_           [3]uint64
}

func (r *bufRing) init(fd int, l *Loop) (err error) {
	n := l.opts.Ring
	r.l, r.mask, r.bufs, r.fill = l, uint16(n-1), make([]*Buffer, n), n
	if r.mem, err = unix.Mmap(-1, 0, n*int(unsafe.Sizeof(bufEntry{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
		return err
	}
	reg := bufReg{ringAddr: uint64(uintptr(unsafe.Pointer(&r.mem[0]))), ringEntries: uint32(n)}
	if _, _, e := syscall.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(fd), registerPbufRing, uintptr(unsafe.Pointer(&reg)), 1, 0, 0); e != 0 {
		return e
	}
	return nil
}

// refill gives the kernel buffers for those that it has used.
func (r *bufRing) refill() {
	p := &r.l.pool
	tail := r.tail
	for p.ring < r.fill && r.bufs[tail&r.mask] == nil && !p.full() {
		b := p.take()
		p.out--
		p.ring++
		r.bufs[tail&r.mask] = b
		e := (*bufEntry)(unsafe.Pointer(&r.mem[uintptr(tail&r.mask)*unsafe.Sizeof(bufEntry{})]))
		e.addr, e.len, e.bid = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b.mem)))), uint32(len(b.mem)), tail&r.mask
		tail++
	}
	if tail != r.tail {
		r.tail = tail
		// The tail shares a word with the number of the first entry, which is always 0: so it can be stored atomically.
		word := [2]uint16{0, tail}
		atomic.StoreUint32((*uint32)(unsafe.Pointer(&r.mem[unsafe.Offsetof(bufEntry{}.bid)])), *(*uint32)(unsafe.Pointer(&word)))
	}
}

// got takes the buffer that the kernel has put n bytes in; it counts as handed out now.
func (r *bufRing) got(bid uint32, n int) *Buffer {
	bid &= uint32(r.mask)
	r.mean += (n - r.mean) / 16
	r.fill = min(max(turnBytes/(r.mean+1), leastFill), len(r.bufs))
	b := r.taken(bid)
	b.Data = b.mem[:n]
	return b
}

func (r *bufRing) taken(bid uint32) *Buffer {
	b := r.bufs[bid]
	r.bufs[bid] = nil
	r.l.pool.ring--
	r.l.pool.out++
	return b
}

func (r *bufRing) release() {
	for i, b := range r.bufs {
		if b != nil {
			r.taken(uint32(i)).Release()
		}
	}
}
