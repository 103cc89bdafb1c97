// Package cache keeps responses in memory and answers with them. Section 6 of the manual.
package cache

import (
	"crypto/sha1"
	"sync"

	"hapax/runtime/message"
)

// Cache is one "cache" section. All loops share it: mu guards everything but the blocks of complete entries, which nobody
// changes while somebody reads them.
type Cache struct {
	Name       string
	MaxAge     int64 // seconds
	MaxObject  int   // bytes of an entry, with its head
	Vary       bool  // responses that vary are kept apart
	MaxVariant int   // entries of one request

	mu      sync.Mutex
	blocks  arena
	entries map[key][]*Entry
	oldest  Entry // of the ring of entries that nobody reads or writes: its next one goes first when blocks are missing
	busy    int   // blocks of the others
}

// key stands for a URI.
type key [sha1.Size]byte

// Entry is a response that is kept.
type Entry struct {
	key       key
	variant   variant
	expires   int64 // unix seconds
	validated int64
	age       int64 // seconds that it had when it came
	modified  int64 // unix seconds
	tag       []byte
	head      message.Message // in memory of its own
	body      int             // bytes
	size      int             // bytes that count for the limits
	blocks    []uint32
	last      int // bytes of the last block that are in use

	complete   bool
	gone       bool // out of the index: the blocks are free once nobody reads it
	users      int
	prev, next *Entry // in the ring, while there are no users
}

// New makes an empty cache of so many megabytes.
func New(name string, megabytes int) *Cache {
	c := &Cache{Name: name, MaxAge: 60, MaxVariant: 10, entries: map[key][]*Entry{}}
	c.blocks.total = megabytes << 20 / blockSize
	c.oldest.prev, c.oldest.next = &c.oldest, &c.oldest
	return c
}

// Busy is how many blocks belong to entries that are being written or read.
func (c *Cache) Busy() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.busy
}

// join puts an entry that nobody uses at the end of the ring.
func (c *Cache) join(e *Entry) {
	last := c.oldest.prev
	e.prev, e.next = last, &c.oldest
	last.next, c.oldest.prev = e, e
	c.busy -= len(e.blocks)
}

func (c *Cache) leave(e *Entry) {
	e.prev.next, e.next.prev = e.next, e.prev
	e.prev, e.next = nil, nil
	c.busy += len(e.blocks)
}

// hold keeps an entry from being freed until it is released.
func (c *Cache) hold(e *Entry) {
	if e.users++; e.users == 1 && e.prev != nil {
		c.leave(e)
	}
}

func (c *Cache) release(e *Entry) {
	if e.users--; e.users > 0 {
		return
	}
	c.join(e)
	if e.gone {
		c.discard(e)
	}
}

// remove takes an entry out of the index.
func (c *Cache) remove(e *Entry) {
	if e.gone {
		return
	}
	e.gone = true
	all := c.entries[e.key]
	for i := range all {
		if all[i] == e {
			all = append(all[:i:i], all[i+1:]...)
			break
		}
	}
	if len(all) == 0 {
		delete(c.entries, e.key)
	} else {
		c.entries[e.key] = all
	}
	if e.users == 0 {
		c.discard(e)
	}
}

// discard frees the blocks of an entry that is in no index and has no users.
func (c *Cache) discard(e *Entry) {
	c.leave(e)
	c.busy -= len(e.blocks)
	c.blocks.give(e.blocks)
	e.blocks = nil
}

// find gives the entry for a key and, where it varies, for what the request has; nil: there is none that can be used.
func (c *Cache) find(k key, now int64, varies func(signature) (variant, bool)) *Entry {
	all := c.entries[k]
	if len(all) == 0 || all[0].expires <= now || !all[0].complete {
		return nil
	}
	if all[0].variant.of == 0 {
		return all[0]
	}
	wanted, ok := varies(all[0].variant.of)
	if !ok {
		return nil
	}
	for _, e := range all {
		if e.variant.suits(&wanted) {
			if e.expires <= now || !e.complete {
				return nil
			}
			return e
		}
	}
	return nil
}

// begin makes room in the index for a response and gives its entry, which nobody can use before it is complete; nil: the
// same one is being stored already, or there are too many variants.
func (c *Cache) begin(k key, v variant, now int64) *Entry {
	alive := 0
	for _, e := range append([]*Entry(nil), c.entries[k]...) {
		switch same := v.of == 0 || e.variant.suits(&v); {
		case same && !e.complete && e.expires > now:
			return nil
		case same, e.expires <= now:
			c.remove(e)
		default:
			alive++
		}
	}
	if alive >= c.MaxVariant {
		return nil
	}
	e := &Entry{key: k, variant: v, expires: now + 2, users: 1}
	c.entries[k] = append(c.entries[k], e)
	return e
}

// write appends to the body of an entry that is being stored; false: there is no room for it, or it is too large.
func (c *Cache) write(e *Entry, p []byte) bool {
	const mark = 4 // the reference's entries have so many bytes before each piece
	c.mu.Lock()
	defer c.mu.Unlock()
	e.size += mark + len(p)
	if e.size > c.MaxObject || !c.grow(e) {
		return false
	}
	e.body += len(p)
	for at := e.body - len(p); len(p) > 0; {
		n := copy(c.blocks.block(e.blocks[at/blockSize])[at%blockSize:], p)
		at, p = at+n, p[n:]
	}
	return true
}

// grow gives an entry the blocks that its size asks for.
func (c *Cache) grow(e *Entry) bool {
	for len(e.blocks)*blockSize < e.size {
		b, ok := c.blocks.take()
		for !ok {
			old := c.oldest.next
			if old == &c.oldest {
				return false
			}
			c.remove(old)
			b, ok = c.blocks.take()
		}
		e.blocks = append(e.blocks, b)
		c.busy++
	}
	return true
}

// read appends up to most bytes of the body of a complete entry, from a place on.
func (c *Cache) read(dst []byte, most int, e *Entry, from int) []byte {
	to := min(e.body, from+most)
	for from < to {
		n := min(blockSize-from%blockSize, to-from)
		dst = append(dst, c.blocks.block(e.blocks[from/blockSize])[from%blockSize:][:n]...)
		from += n
	}
	return dst
}
