// Package ring holds messages in a piece of memory of a fixed size: a new one takes the place of the oldest ones. Readers
// follow at their own pace; what a reader has not passed yet is never overwritten, so behind a slow one new messages are
// dropped and counted. Nobody ever waits for a reader.
package ring

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// overhead is what a message takes beside its bytes: its length.
const overhead = 4

// Ring is such a memory. Its methods may be called from any goroutine.
type Ring struct {
	dropped atomic.Uint64

	mu         sync.Mutex // guards what follows
	mem        []byte
	head, tail uint64 // where the oldest message begins and the newest one ends, counted from the first ever written
	readers    map[*Reader]bool
}

// New makes a ring for size bytes of messages.
func New(size int) *Ring {
	return &Ring{mem: make([]byte, size), readers: map[*Reader]bool{}}
}

// Dropped is how many messages were dropped and not told of yet.
func (r *Ring) Dropped() uint64 { return r.dropped.Load() }

// Most is the largest message that fits.
func (r *Ring) Most() int { return len(r.mem) - overhead }

// Write adds one message made of parts; false: it was dropped.
func (r *Ring) Write(parts ...[]byte) bool {
	n := overhead
	for _, p := range parts {
		n += len(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.makeRoom(n) {
		r.dropped.Add(1)
		return false
	}
	var length [overhead]byte
	binary.LittleEndian.PutUint32(length[:], uint32(n-overhead))
	r.put(length[:])
	for _, p := range parts {
		r.put(p)
	}
	for reader := range r.readers {
		reader.wake()
	}
	return true
}

// Told notes that n dropped messages were told of.
func (r *Ring) Told(n uint64) { r.dropped.Add(-n) }

// makeRoom forgets the oldest messages until n bytes fit, unless a reader still wants them.
func (r *Ring) makeRoom(n int) bool {
	if n > len(r.mem) {
		return false
	}
	oldest := r.tail
	for reader := range r.readers {
		oldest = min(oldest, reader.at)
	}
	head := r.head
	for int(r.tail-head)+n > len(r.mem) {
		if head == oldest && head != r.tail {
			return false
		}
		head += overhead + uint64(r.length(head))
	}
	r.head = head
	return true
}

func (r *Ring) put(p []byte) {
	at := int(r.tail % uint64(len(r.mem)))
	n := copy(r.mem[at:], p)
	copy(r.mem, p[n:])
	r.tail += uint64(len(p))
}

// get appends the n bytes at offset from.
func (r *Ring) get(dst []byte, from uint64, n int) []byte {
	at := int(from % uint64(len(r.mem)))
	first := min(n, len(r.mem)-at)
	dst = append(dst, r.mem[at:at+first]...)
	return append(dst, r.mem[:n-first]...)
}

// length of the message at an offset.
func (r *Ring) length(at uint64) int {
	var b [overhead]byte
	return int(binary.LittleEndian.Uint32(r.get(b[:0], at, overhead)))
}

// Reader takes messages one behind the other. It belongs to one goroutine.
type Reader struct {
	ring *Ring
	at   uint64        // of the next message; guarded by Ring.mu
	more chan struct{} // a message came
}

// Attach makes a reader that begins with the oldest message, or with the next one that comes.
func (r *Ring) Attach(fresh bool) *Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := &Reader{ring: r, at: r.head, more: make(chan struct{}, 1)}
	if fresh {
		x.at = r.tail
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
	if x.at == r.tail {
		return dst, false
	}
	n := r.length(x.at)
	dst = r.get(dst, x.at+overhead, n)
	x.at += overhead + uint64(n)
	return dst, true
}

// More is a channel that tells when messages may have come.
func (x *Reader) More() <-chan struct{} { return x.more }

func (x *Reader) wake() {
	select {
	case x.more <- struct{}{}:
	default:
	}
}
