// Package ring holds messages in a piece of memory of a fixed size: a new one takes the place of the oldest ones. Readers
// follow at their own pace; what a reader has not passed yet is never overwritten, so behind a slow one new messages are
// dropped and counted. Nobody ever waits for a reader.
//
// The memory is laid out as that of the reference's rings, so that tools that read these from a file read ours: a header of
// 192 bytes, and an area in which each message stands behind its length and a byte that is zero. The numbers of the header
// are those of the machine: the size of the area at byte 0, that of the header at 8, at 64 where the newest message ends
// and at 128 where the oldest one begins.
package ring

import (
	"encoding/binary"
	"math"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

const (
	header  = 192
	tailAt  = 64
	headAt  = 128
	readers = 254 // most of them
)

// Smallest is the size of the smallest ring that is one, however little fits into it.
const Smallest = header + 2

// Ring is such a memory. Its methods may be called from any goroutine.
type Ring struct {
	dropped atomic.Uint64

	mu         sync.Mutex // guards what follows
	shared     bool       // in a file
	store      []byte     // header and area
	area       []byte
	head, tail uint64 // where the oldest message begins and the newest one ends, counted from the first byte ever written
	readers    map[*Reader]bool
}

// New makes a ring of so many bytes in all, at least Smallest.
func New(size int) *Ring { return over(make([]byte, size)) }

// Area is how much of a ring of so many bytes in all is for messages.
func Area(size uint64) uint64 { return size - header }

// Fits tells whether there is so much memory.
func Fits(size uint64) bool {
	b, err := unix.Mmap(-1, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return false
	}
	unix.Munmap(b)
	return true
}

// over makes an empty ring in store.
func over(store []byte) *Ring {
	r := &Ring{store: store, area: store[header:], readers: map[*Reader]bool{}}
	binary.NativeEndian.PutUint64(store, uint64(len(r.area)))
	binary.NativeEndian.PutUint64(store[8:], header)
	r.area[0] = 0
	r.tail = 1
	r.note()
	return r
}

// note brings the header up to date.
func (r *Ring) note() {
	size := uint64(len(r.area))
	binary.NativeEndian.PutUint64(r.store[tailAt:], r.tail%size)
	binary.NativeEndian.PutUint64(r.store[headAt:], r.head%size)
}

// follow takes over what another process has written to the same file since: one that ends writes its last messages when
// its successor has the file already. It knows nothing of our readers: what it wrote over is lost to them. Numbers that say
// that there is more than fits are spoilt, and the messages forgotten.
func (r *Ring) follow() {
	if !r.shared {
		return
	}
	size := uint64(len(r.area))
	ahead := func(at int, of uint64) uint64 {
		return (binary.NativeEndian.Uint64(r.store[at:])%size + size - of%size) % size
	}
	r.tail += ahead(tailAt, r.tail)
	r.head = min(r.head+ahead(headAt, r.head), r.tail-1)
	if r.tail-r.head > size {
		r.head = r.tail - 1
	}
	for x := range r.readers {
		x.at = max(x.at, r.head)
	}
}

// Dropped is how many messages were dropped and not told of yet.
func (r *Ring) Dropped() uint64 { return r.dropped.Load() }

// Most is the largest message that fits into a ring of so many bytes in all, by the reference's reckoning: below 0 where
// there is room for none.
func Most(size int) int {
	most := size - header - 2
	return most - lengthOf(uint64(max(most, 0)))
}

// Write adds one message made of parts; false: it was dropped.
func (r *Ring) Write(parts ...[]byte) bool {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.follow()
	if !r.makeRoom(lengthOf(uint64(n)) + n + 1) {
		r.dropped.Add(1)
		return false
	}
	var length [binary.MaxVarintLen64]byte
	r.put(appendLength(length[:0], uint64(n)))
	for _, p := range parts {
		r.put(p)
	}
	r.put(zero[:])
	r.note()
	for reader := range r.readers {
		reader.wake()
	}
	return true
}

var zero [1]byte

// Told notes that n dropped messages were told of.
func (r *Ring) Told(n uint64) { r.dropped.Add(-n) }

// makeRoom forgets the oldest messages until n bytes fit, unless a reader still wants them. Two bytes stay free.
func (r *Ring) makeRoom(n int) bool {
	oldest := uint64(math.MaxUint64)
	for reader := range r.readers {
		oldest = min(oldest, reader.at)
	}
	head := r.head
	for int(r.tail-head)+n+2 > len(r.area) {
		if head == oldest || r.tail-head <= 1 {
			return false
		}
		_, head = r.message(head)
	}
	r.head = head
	return true
}

// message is where the bytes of the message behind an offset begin and end. What somebody else has spoilt in the file of a
// ring goes as far as all messages.
func (r *Ring) message(at uint64) (from, to uint64) {
	n, size := r.length(at + 1)
	from = at + 1 + uint64(size)
	if most := r.tail - 1; from > most || n > most-from {
		return most, most
	}
	return from, from + n
}

func (r *Ring) put(p []byte) {
	at := int(r.tail % uint64(len(r.area)))
	n := copy(r.area[at:], p)
	copy(r.area, p[n:])
	r.tail += uint64(len(p))
}

// get appends the n bytes at offset from.
func (r *Ring) get(dst []byte, from uint64, n int) []byte {
	at := int(from % uint64(len(r.area)))
	first := min(n, len(r.area)-at)
	dst = append(dst, r.area[at:at+first]...)
	return append(dst, r.area[:n-first]...)
}

// Reader takes messages one behind the other. It belongs to one goroutine.
type Reader struct {
	ring *Ring
	at   uint64 // the byte in front of the next message; guarded by Ring.mu
	more func() // is told of each message that comes; nil: nobody is
}

// Attach makes a reader that begins with the oldest message, or with the next one that comes; nil: there are too many. more
// is called when messages come, with the ring locked; it may be nil.
func (r *Ring) Attach(fresh bool, more func()) *Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.readers) == readers {
		return nil
	}
	r.follow()
	x := &Reader{ring: r, at: r.head, more: more}
	if fresh {
		x.at = r.tail - 1
	}
	r.readers[x] = true
	return x
}

// Detach ends the use of the reader.
func (x *Reader) Detach() {
	x.ring.mu.Lock()
	defer x.ring.mu.Unlock()
	delete(x.ring.readers, x)
}

// Next appends the next message; false: there is none yet.
func (x *Reader) Next(dst []byte) ([]byte, bool) {
	r := x.ring
	r.mu.Lock()
	defer r.mu.Unlock()
	r.follow()
	if r.tail-x.at <= 1 {
		return dst, false
	}
	from, to := r.message(x.at)
	x.at = to
	return r.get(dst, from, int(to-from)), true
}

func (x *Reader) wake() {
	if x.more != nil {
		x.more()
	}
}
