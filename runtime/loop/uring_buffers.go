package loop

import (
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
