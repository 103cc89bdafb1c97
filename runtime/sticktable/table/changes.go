package table

import (
	"encoding/binary"
	"math/bits"
	"sort"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
)

// Peers are told of changes in the order of numbers that changes get. Who touches an entry only notes its record in its
// part, whose lock he holds, unless it is noted already or no peer was told of the last change yet. One goroutine, that
// of the table's peers, collects what was noted and gives the numbers: the order belongs to it alone, and costs those
// who touch entries nothing.

// changes are those of a table.
type changes struct {
	wake  func()        // tells the goroutine of the peers that there is something to collect
	dirty atomic.Uint64 // parts with records that are noted, a bit for each

	last, local atomic.Uint64 // numbers of the last change, and of the last that was made here; they begin at 1
	order       []change      // of what was changed here, by their numbers; the goroutine's
}

// change is where an entry has got a number.
type change struct {
	number uint64
	n      uint32
	part   uint8
}

// What stands in a record at Table.update: a number above flags.
const (
	isNoted  = 1 << iota // it has no number for its last change yet
	isSeen               // some peer knows of it
	isRemote             // it has its number from a peer's change

	flagBits = 8
)

// Share makes changes of entries known to peers: wake is called by any goroutine when there is something to Collect. It
// comes before the first entry is made.
func (t *Table) Share(wake func()) {
	t.update, t.changes.wake = t.size, wake
	t.size += 8
}

// Shared tells whether peers are told of changes.
func (t *Table) Shared() bool { return t.update != 0 }

// LastChange is the number of the last change, and LastLocal that of the last one that was made here.
func (t *Table) LastChange() uint64 { return t.changes.last.Load() }

// LastLocal is what LastChange says.
func (t *Table) LastLocal() uint64 { return t.changes.local.Load() }

func (e *Entry) state() uint64     { return binary.LittleEndian.Uint64(e.rec[e.t.update:]) }
func (e *Entry) setState(v uint64) { binary.LittleEndian.PutUint64(e.rec[e.t.update:], v) }
func (e *Entry) flag(flags uint64) { e.setState(e.state() | flags) }

// announce notes that the entry was changed here.
func (e *Entry) announce() {
	state := e.state()
	if state&isNoted != 0 || state != 0 && state&(isSeen|isRemote) == 0 {
		return
	}
	e.flag(isNoted)
	e.p.changed = append(e.p.changed, e.n)
	bit := uint64(1) << (get(e.rec, recHash) % parts)
	if e.t.changes.dirty.Or(bit) == 0 {
		e.t.changes.wake()
	}
}

// Learned notes that the entry is as a peer has said.
func (e *Entry) Learned() {
	if e.t.update == 0 {
		return
	}
	if e.state() == 0 {
		e.setState(e.t.changes.last.Add(1)<<flagBits | isRemote)
	}
	e.flag(isSeen)
}

// Collect gives numbers to the changes that were noted.
func (t *Table) Collect() {
	c := &t.changes
	for dirty := c.dirty.Swap(0); dirty != 0; dirty &= dirty - 1 {
		i := bits.TrailingZeros64(dirty)
		p := &t.parts[i]
		p.mu.Lock()
		for _, n := range p.changed {
			e := Entry{t: t, p: p, n: n, rec: p.record(t, n)}
			if !p.inUse(t, n) || e.state()&isNoted == 0 {
				continue // it has left, and what has its record now was noted by itself
			}
			number := c.last.Add(1)
			c.local.Store(number)
			e.setState(number << flagBits)
			c.order = append(c.order, change{number, n, uint8(i)})
		}
		p.changed = p.changed[:0]
		p.mu.Unlock()
	}
	if len(c.order) > 2*t.Used()+parts*blockSize {
		c.order = t.valid(c.order)
	}
}

// Next runs f with the entry of the first change behind a number, which a peer is told of, and gives its number. There
// is none when ok is false.
func (t *Table) Next(behind uint64, f func(*Entry)) (number uint64, ok bool) {
	order := t.changes.order
	for i := sort.Search(len(order), func(i int) bool { return order[i].number > behind }); i < len(order); i++ {
		p, now := &t.parts[order[i].part], t.Clock()
		p.mu.Lock()
		p.purge(t, now)
		e := Entry{t, p, order[i].n, p.record(t, order[i].n), now}
		ok = e.is(order[i].number)
		if ok {
			e.flag(isSeen)
			f(&e)
		}
		p.mu.Unlock()
		if ok {
			return order[i].number, true
		}
	}
	return 0, false
}

// is tells whether the record's entry has the number.
func (e *Entry) is(number uint64) bool {
	return e.p.inUse(e.t, e.n) && e.state()>>flagBits == number && e.state()&isRemote == 0
}

// current_ leaves out the changes of entries that have left or were changed again.
func (t *Table) valid(order []change) []change {
	kept := order[:0]
	for _, c := range order {
		p := &t.parts[c.part]
		p.mu.Lock()
		e := Entry{t: t, p: p, n: c.n, rec: p.record(t, c.n)}
		if e.is(c.number) {
			kept = append(kept, c)
		}
		p.mu.Unlock()
	}
	return kept
}

// Place is where a walk through all entries of a table stands; the zero value is the beginning.
type Place struct {
	part int
	n    uint32
}

// Walk runs f with the next entry and goes on; false: there is none left. Entries that come while the walk goes on may be
// missed, but for their changes.
func (t *Table) Walk(at *Place, f func(*Entry)) bool {
	for ; at.part < parts; at.part, at.n = at.part+1, 0 {
		p, now := &t.parts[at.part], t.Clock()
		p.mu.Lock()
		p.purge(t, now)
		for at.n++; at.n <= p.used; at.n++ {
			if p.inUse(t, at.n) {
				e := Entry{t, p, at.n, p.record(t, at.n), now}
				if e.state()&isNoted == 0 {
					e.flag(isSeen)
				}
				f(&e)
				p.mu.Unlock()
				return true
			}
		}
		p.mu.Unlock()
	}
	return false
}

// Number is that of the entry's last change, as it is told to peers: numbers of what they have said themselves are far
// from all others.
func (e *Entry) Number() uint32 {
	number := uint32(e.state() >> flagBits)
	if e.state()&isRemote != 0 {
		number += 1 << 31
	}
	return number
}

// Shard is the kind of peers that are told of the entry, from 1 on; 0: all are.
func (e *Entry) Shard() int {
	if e.t.Shards <= 0 {
		return 0
	}
	d := xxhash.NewWithSeed(e.t.spread)
	d.Write(e.Key())
	return int(d.Sum64()%uint64(e.t.Shards)) + 1
}
