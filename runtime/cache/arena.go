package cache

import "golang.org/x/sys/unix"

// blockSize is the unit in which entries take memory, in bytes.
const blockSize = 1024

// arena is the memory of one cache: blocks outside of Go's heap, so that a large cache neither costs the collector work
// nor lets it wait longer. The kernel gives what is really used.
type arena struct {
	memory []byte
	total  int
	fresh  uint32 // blocks from here on were never used
	free   []uint32
}

// take gives a block; false: all are in use.
func (a *arena) take() (uint32, bool) {
	if n := len(a.free); n > 0 {
		b := a.free[n-1]
		a.free = a.free[:n-1]
		return b, true
	}
	if int(a.fresh) == a.total || a.memory == nil && !a.open() {
		return 0, false
	}
	a.fresh++
	return a.fresh - 1, true
}

func (a *arena) open() bool {
	memory, err := unix.Mmap(-1, 0, a.total*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	a.memory = memory
	return err == nil
}

// give takes blocks back.
func (a *arena) give(blocks []uint32) { a.free = append(a.free, blocks...) }

// block is the memory of one.
func (a *arena) block(n uint32) []byte { return a.memory[int(n)*blockSize:][:blockSize:blockSize] }
