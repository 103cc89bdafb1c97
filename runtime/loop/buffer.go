package loop

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Buffer is a piece of memory outside the Go heap, Loop.BufSize bytes long, that received bytes come in and that is sent from. See the package
// comment for who owns it.
type Buffer struct {
	// Data are the bytes in use. Whoever owns the Buffer may reslice it (Data = Data[n:] consumes) and append to it up to cap(Data). To append more
	// is safe, but moves the bytes to the Go heap.
	Data []byte

	mem    []byte  // all of the memory; nil in a view
	parent *Buffer // of a Slice: whose memory Data is a part of
	refs   int32   // the owner and each Slice
	cold   bool    // on the free list, its memory given back to the system
	pool   *pool
	next   *Buffer // in the queue of a conn, or in the free list of views
}

// Buffer returns an empty Buffer with capacity Loop.BufSize. It never fails: Options.MaxMemory holds back what is received only.
func (l *Loop) Buffer() *Buffer { return l.pool.take() }

// Room returns the memory behind Data, to be written to and then added with Grow.
func (b *Buffer) Room() []byte { return b.Data[len(b.Data):cap(b.Data)] }

// Grow adds the first n bytes of Room to Data.
func (b *Buffer) Grow(n int) { b.Data = b.Data[:len(b.Data)+n] }

// Reset empties b and takes up its whole capacity again. It must have no Slices.
func (b *Buffer) Reset() { b.Data = b.mem[:0] }

// Slice returns a Buffer over b.Data[from:to], sharing the memory: neither may be appended to while both live. Each is
// released or sent on its own.
func (b *Buffer) Slice(from, to int) *Buffer {
	v := b.pool.view()
	v.Data = b.Data[from:to:to]
	if b.mem == nil && b.parent == nil {
		return v // static bytes are not counted
	}
	owner := b
	if b.parent != nil {
		owner = b.parent
	}
	v.parent = owner
	owner.refs++
	return v
}

// Release gives b back. The caller must not touch it after that.
func (b *Buffer) Release() {
	if b.refs <= 0 {
		panic("loop: Buffer released twice")
	}
	b.refs--
	if b.mem == nil {
		p := b.parent
		b.parent, b.Data = nil, nil
		b.next, b.pool.views = b.pool.views, b
		if p != nil {
			p.drop()
		}
		return
	}
	b.free()
}

// drop ends one Slice of b.
func (b *Buffer) drop() {
	b.refs--
	b.free()
}

func (b *Buffer) free() {
	if b.refs == 0 {
		b.Data = b.mem[:0]
		b.pool.put(b)
	}
}

// pool holds the buffers of one loop. Free ones are a stack: what was used last is warm in the processor's caches. What lies at its bottom
// for long is given back to the system.
type pool struct {
	loop   *Loop
	size   int // of a buffer
	stride int // from one buffer's pages to the next one's
	max    int // buffers out above which nothing is received
	out    int // in the hands of owners
	ring   int // io_uring: in the hands of the kernel, ready to be filled
	free   []*Buffer
	low    int // fewest free buffers since the last trim
	views  *Buffer
	chunks [][]byte
	trim   Timer
}

const (
	chunkBuffers = 64
	cacheLine    = 64
	trimPeriod   = 2 * time.Second
	trimKeep     = 64  // free buffers that stay warm in any case
	trimBatch    = 256 // buffers trimmed at once: a system call each
)

func (p *pool) init(l *Loop, size int, maxMemory int64) {
	p.loop, p.size = l, size
	page := unix.Getpagesize()
	// No two buffers share a page, so that each can be trimmed, and one more page makes room for their colours: see grow.
	p.stride = (size+page-1)/page*page + page
	p.max = int(^uint(0) >> 1)
	if maxMemory > 0 {
		p.max = max(int(maxMemory/int64(size)), 1)
	}
	p.trim.Init(l, p)
}

func (p *pool) take() *Buffer {
	if len(p.free) == 0 {
		p.grow()
	}
	n := len(p.free) - 1
	b := p.free[n]
	p.free = p.free[:n]
	p.low = min(p.low, n)
	p.out++
	b.refs, b.cold = 1, false
	return b
}

// full tells that nothing more may be received for now.
func (p *pool) full() bool { return p.out+p.ring >= p.max }

func (p *pool) put(b *Buffer) {
	p.out--
	p.free = append(p.free, b)
	if len(p.free) > 2*trimKeep && p.trim.deadline == 0 {
		p.low = len(p.free)
		p.trim.After(trimPeriod)
	}
	p.loop.fed = true
}

func (p *pool) grow() {
	m, err := unix.Mmap(-1, 0, p.stride*chunkBuffers, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		panic("loop: no address space for buffers: " + err.Error())
	}
	unix.Madvise(m, unix.MADV_NOHUGEPAGE) // one buffer in use must not make megabytes resident
	p.chunks = append(p.chunks, m)
	p.loop.stats.Memory.Add(int64(len(m)))
	p.free = make([]*Buffer, 0, len(p.chunks)*chunkBuffers)
	bufs := make([]Buffer, chunkBuffers)
	for i := range bufs {
		b := &bufs[i]
		// Buffers that all begin at a page would share a few sets of the processor's caches: each begins one line further.
		from := i*p.stride + i%(unix.Getpagesize()/cacheLine)*cacheLine
		b.pool, b.cold = p, true
		b.mem = m[from : from+p.size : from+p.size]
		b.Data = b.mem[:0]
		p.free = append(p.free, b)
	}
}

// view returns a Buffer without memory of its own.
func (p *pool) view() *Buffer {
	if p.views == nil {
		bufs := make([]Buffer, chunkBuffers)
		for i := range bufs {
			bufs[i].pool = p
			bufs[i].next, p.views = p.views, &bufs[i]
		}
	}
	b := p.views
	p.views, b.next = b.next, nil
	b.refs = 1
	return b
}

// Expired gives the memory of buffers that nobody needed during a whole period back to the system, and goes on while there are any.
func (p *pool) Expired(t *Timer) {
	mask := uintptr(unix.Getpagesize() - 1)
	n := 0
	for _, b := range p.free[:max(min(p.low, len(p.free)-trimKeep), 0)] {
		if b.cold {
			continue
		}
		from := unsafe.Pointer(unsafe.SliceData(b.mem))
		from = unsafe.Add(from, -int(uintptr(from)&mask)) // the first page is the buffer's own: see init
		unix.Madvise(unsafe.Slice((*byte)(from), p.stride), unix.MADV_DONTNEED)
		b.cold = true
		if n++; n == trimBatch {
			break
		}
	}
	p.low = len(p.free)
	if n > 0 {
		t.After(trimPeriod)
	}
}

func (p *pool) unmap() {
	for _, m := range p.chunks {
		unix.Munmap(m)
	}
	p.chunks, p.free, p.views = nil, nil, nil
}
