package loop

import (
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

const (
	ringSQEs       = 512
	ringCQEs       = 8192 // also makes the kernel's table of armed operations as large as it gets
	turnMsgs       = 256  // sends of several pieces in one submit
	oneShotBuffers = 4    // received at once for a reader that is slow
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

func (u *uring) name() string { return Uring }

func (u *uring) wake() { wakeEventfd(u.event) }

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
