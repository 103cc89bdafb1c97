package table

import (
	"encoding/binary"
	"iter"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"

	"hapax/acl/hash"
	"hapax/acl/sample"
)

// parts is how many parts a table has.
const parts = 64

// Table is a stick table. Its fields and what it stores are set while the configuration is read; it is used by all
// loops then.
type Table struct {
	Name        string
	Type        sample.Type // of the keys
	KeySize     int         // bytes of a key; of texts the longest, with the byte that ends it
	Size        uint32      // entries at most
	Expire      uint32      // ms; 0: entries stay
	NoPurge     bool        // a full table takes no new entry
	RecvOnly    bool        // peers alone change it
	WireName    string      // what peers call it
	WriteTo     *Table      // what comes from peers goes there too, as far as it is no counter; nil: it does not
	Shards      int         // over how many kinds of peers the entries are spread; 0: all peers have all
	ByAddr      bool        // servers are known by their addresses, not by their names
	BytesFactor uint32      // what one event of the rates of bytes stands for

	// Clock is in ms, and may wrap around. It begins where no period since its zero is under way.
	Clock func() uint32

	layout  [Types]layout
	size    int // bytes of a record
	key     int // where its key begins
	update  int // where its update begins; 0: nobody is told of changes
	seed    uint32
	spread  uint64       // the seed of Shard
	current atomic.Int64 // entries, and places that are reserved for one
	names   names
	changes changes
	parts   [parts]part
}

// layout is where records keep a type of data.
type layout struct {
	at       uint16
	elements uint8  // 0: not stored
	period   uint32 // ms
}

// What a record begins with, 32 bits each. Records are numbered from 1 on.
const (
	recHash    = 0
	recChain   = 4 // the next of equal hashes; of a free record, the next free one
	recOlder   = 8
	recNewer   = 12
	recExpire  = 16
	recHolders = 20
	recData    = 24
)

// blockSize is how many records lie in one block.
const blockSize = 32

// part is the entries of some keys.
type part struct {
	mu             sync.Mutex // guards all of the part
	heads          []uint32
	blocks         [][]byte
	used           uint32 // records that were ever used
	count          uint32 // entries
	free           uint32
	oldest, newest uint32
	early          early    // entries that leave before a whole life is over: they are not in the list
	changed        []uint32 // records of which peers are to be told
	_              [4]byte  // two parts share no cache line
}

var began = time.Now()

// now is the clock of tables.
func now() uint32 { return uint32(time.Since(began)/time.Millisecond) + 1<<31 }

// New makes a table that stores nothing yet.
func New(name string) *Table {
	return &Table{
		Name: name, BytesFactor: 1, Clock: now,
		WireName: name,
		size:     recData,
		seed:     uint32(xxhash.Sum64String(name)), spread: xxhash.Sum64String(name),
	}
}

// Store makes the table store a type of data: elements of an array, a period in ms of a rate. It may be called until
// the first entry is made.
func (t *Table) Store(d Data, elements uint8, period uint32) {
	if t.layout[d].elements > 0 {
		return
	}
	t.layout[d] = layout{at: uint16(t.size), elements: elements, period: period}
	t.size += int(elements) * sizes[kinds[d].kind]
}

// Stores tells whether entries hold a type of data.
func (t *Table) Stores(d Data) bool { return t.layout[d].elements > 0 }

// Period is that of a rate, in ms.
func (t *Table) Period(d Data) uint32 { return t.layout[d].period }

// Used is how many entries there are, with those that are overdue.
func (t *Table) Used() int { return int(t.current.Load()) }

// Count is how many entries there are. No part is locked.
func (t *Table) Count() int {
	now := t.Clock()
	for i := range t.parts {
		p := &t.parts[i]
		p.mu.Lock()
		p.purge(t, now)
		p.mu.Unlock()
	}
	return int(t.current.Load())
}

// record gives a record of the part.
func (p *part) record(t *Table, n uint32) []byte {
	n--
	size := t.recordSize()
	at := int(n%blockSize) * size
	return p.blocks[n/blockSize][at : at+size : at+size]
}

func (t *Table) recordSize() int { return (t.size + t.KeySize + 3) &^ 3 }

func get(rec []byte, at int) uint32    { return binary.LittleEndian.Uint32(rec[at:]) }
func put(rec []byte, at int, v uint32) { binary.LittleEndian.PutUint32(rec[at:], v) }

// hash places a key: the part is its rest modulo parts, the head what is left.
func (t *Table) hash(key []byte) uint32 { return hash.XXH32(key, t.seed) }

// cut is a key as the table keeps it: texts end at their first zero byte, and all keys where they are too long.
func (t *Table) cut(key []byte) []byte {
	if t.Type != sample.Str {
		return key[:t.KeySize]
	}
	key = key[:min(len(key), t.KeySize-1)]
	for i, c := range key {
		if c == 0 {
			return key[:i]
		}
	}
	return key
}

// same tells whether the record has this key, which was cut.
func (t *Table) same(rec, key []byte) bool {
	kept := rec[t.size:]
	return string(kept[:len(key)]) == string(key) && (len(key) == t.KeySize || kept[len(key)] == 0)
}

// find looks for a key in the part.
func (p *part) find(t *Table, hash uint32, key []byte) uint32 {
	if len(p.heads) == 0 {
		return 0
	}
	for n := p.heads[p.head(hash)]; n != 0; {
		rec := p.record(t, n)
		if get(rec, recHash) == hash && t.same(rec, key) {
			return n
		}
		n = get(rec, recChain)
	}
	return 0
}

func (p *part) head(hash uint32) uint32 { return hash / parts & uint32(len(p.heads)-1) }

// insert makes a record for a key that the part does not have.
func (p *part) insert(t *Table, hash uint32, key []byte, now uint32) uint32 {
	n := p.take(t)
	if p.count++; int(p.count) > len(p.heads) {
		p.grow(t)
	}
	rec := p.record(t, n)
	clear(rec)
	put(rec, recHash, hash)
	copy(rec[t.size:], key)
	h := p.head(hash)
	put(rec, recChain, p.heads[h])
	p.heads[h] = n
	put(rec, recExpire, later(now, t.Expire))
	p.append(t, n, rec)
	return n
}

// take gives a record that is not in use.
func (p *part) take(t *Table) uint32 {
	if n := p.free; n != 0 {
		p.free = get(p.record(t, n), recChain)
		return n
	}
	if p.used%blockSize == 0 {
		p.blocks = append(p.blocks, make([]byte, blockSize*t.recordSize()))
	}
	p.used++
	return p.used
}

// grow doubles the heads.
func (p *part) grow(t *Table) {
	p.heads = make([]uint32, max(8, 2*len(p.heads)))
	for n := range p.entries(t) {
		rec := p.record(t, n)
		h := p.head(get(rec, recHash))
		put(rec, recChain, p.heads[h])
		p.heads[h] = n
	}
}

// entries are the numbers of the records in use, in order.
func (p *part) entries(t *Table) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for n := uint32(1); n <= p.used; n++ {
			if p.inUse(t, n) && !yield(n) {
				return
			}
		}
	}
}

// inUse tells whether a record is that of an entry.
func (p *part) inUse(t *Table, n uint32) bool { return get(p.record(t, n), recExpire) != 0 }

// remove forgets an entry.
func (p *part) remove(t *Table, n uint32) {
	rec := p.record(t, n)
	h := p.head(get(rec, recHash))
	if p.heads[h] == n {
		p.heads[h] = get(rec, recChain)
	} else {
		before := p.record(t, p.heads[h])
		for get(before, recChain) != n {
			before = p.record(t, get(before, recChain))
		}
		put(before, recChain, get(rec, recChain))
	}
	p.unlink(t, rec)
	put(rec, recExpire, 0)
	put(rec, recChain, p.free)
	p.free = n
	p.count--
	t.current.Add(-1)
}

// append makes a record the newest.
func (p *part) append(t *Table, n uint32, rec []byte) {
	put(rec, recOlder, p.newest)
	put(rec, recNewer, 0)
	if p.newest != 0 {
		put(p.record(t, p.newest), recNewer, n)
	} else {
		p.oldest = n
	}
	p.newest = n
}

func (p *part) unlink(t *Table, rec []byte) {
	if isEarly(rec) {
		return
	}
	older, newer := get(rec, recOlder), get(rec, recNewer)
	if older != 0 {
		put(p.record(t, older), recNewer, newer)
	} else {
		p.oldest = newer
	}
	if newer != 0 {
		put(p.record(t, newer), recOlder, older)
	} else {
		p.newest = older
	}
}

// later is a time of the clock; 0 is none.
func later(now, ms uint32) uint32 { return max(now+ms, 1) }

// purge removes what is overdue. What is held lives on from the time when it would have left.
func (p *part) purge(t *Table, now uint32) {
	if t.Expire == 0 {
		return
	}
	for p.oldest != 0 && p.expired(t, p.oldest, now) {
		p.leave(t, p.oldest, now)
	}
	for {
		n := p.nextEarly(t)
		if n == 0 || !p.expired(t, n, now) {
			return
		}
		p.leave(t, n, now)
	}
}

func (p *part) expired(t *Table, n, now uint32) bool {
	return int32(now-get(p.record(t, n), recExpire)) >= 0
}

// leave ends the life of an entry, or begins another one.
func (p *part) leave(t *Table, n, now uint32) {
	rec := p.record(t, n)
	if get(rec, recHolders) == 0 {
		p.remove(t, n)
		return
	}
	expire := get(rec, recExpire)
	for int32(now-expire) >= 0 {
		expire = later(expire, t.Expire)
	}
	put(rec, recExpire, expire)
	p.unlink(t, rec)
	p.append(t, n, rec)
}

// Reserve counts an entry that is about to be made; false: the table is full and nothing may leave. No part is locked.
func (t *Table) Reserve() bool {
	if t.current.Add(1) <= int64(t.Size) || !t.NoPurge && t.evict() {
		return true
	}
	t.current.Add(-1)
	return false
}

// Unreserve takes that back.
func (t *Table) Unreserve() { t.current.Add(-1) }

// evict removes the oldest entry that nobody holds of some part.
func (t *Table) evict() bool {
	from := rand.Uint32()
	for i := range uint32(parts) {
		p := &t.parts[(from+i)%parts]
		p.mu.Lock()
		n := p.oldest
		for n != 0 && get(p.record(t, n), recHolders) > 0 {
			n = get(p.record(t, n), recNewer)
		}
		if first := p.nextEarly(t); first != 0 && get(p.record(t, first), recHolders) == 0 && (n == 0 || p.expired(t, first, get(p.record(t, n), recExpire))) {
			n = first
		}
		if n != 0 {
			p.remove(t, n)
		}
		p.mu.Unlock()
		if n != 0 {
			return true
		}
	}
	return false
}

// names are texts that entries refer to by number. There are as many as a configuration has servers.
type names struct {
	mu    sync.Mutex
	texts []string
}

func (ns *names) number(text string) uint32 {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	for i, known := range ns.texts {
		if known == text {
			return uint32(i) + 1
		}
	}
	ns.texts = append(ns.texts, text)
	return uint32(len(ns.texts))
}

func (ns *names) text(n uint32) string {
	if n == 0 {
		return ""
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	return ns.texts[n-1]
}
