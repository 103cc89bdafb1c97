package loop

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

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

// watchEvent polls the eventfd for ever: each write is a completion, and nobody has to read.
func (u *uring) watchEvent() {
	q := u.sqe()
	q.opcode, q.fd, q.len, q.opFlags, q.userData = opPollAdd, u.event, pollMulti, unix.POLLIN, doneWake<<56
}
