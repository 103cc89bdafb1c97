package table

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"slices"

	"hapax/acl/sample"
)

// Entry is an entry of a table whose part is locked until Unlock is called: be quick, and look at no other entry.
type Entry struct {
	t   *Table
	p   *part
	n   uint32
	rec []byte
	now uint32
}

// Ref is an entry that its owner holds: it stays in the table until it is dropped. The zero value is none.
type Ref struct {
	t    *Table
	n    uint32
	part uint8
}

// Table is where the entry is; nil when there is none.
func (r Ref) Table() *Table { return r.t }

// Find looks for the entry of a key. There is nothing to unlock when it finds none.
func (t *Table) Find(key []byte) (Entry, bool) {
	key = t.cut(key)
	return t.find(t.hash(key), key)
}

func (t *Table) find(hash uint32, key []byte) (Entry, bool) {
	p, now := &t.parts[hash%parts], t.Clock()
	p.mu.Lock()
	p.purge(t, now)
	if n := p.find(t, hash, key); n != 0 {
		return Entry{t, p, n, p.record(t, n), now}, true
	}
	p.mu.Unlock()
	return Entry{}, false
}

// Make finds or makes the entry of a key. It reports false when there is no room for it.
func (t *Table) Make(key []byte) (Entry, bool) {
	key = t.cut(key)
	hash := t.hash(key)
	if e, ok := t.find(hash, key); ok {
		return e, true
	}
	if !t.Reserve() {
		return Entry{}, false
	}
	return t.settle(hash, key), true
}

// Settle makes the entry for which there is a reservation, unless it is there already.
func (t *Table) Settle(key []byte) Entry {
	key = t.cut(key)
	return t.settle(t.hash(key), key)
}

func (t *Table) settle(hash uint32, key []byte) Entry {
	p, now := &t.parts[hash%parts], t.Clock()
	p.mu.Lock()
	p.purge(t, now)
	n := p.find(t, hash, key)
	if n != 0 {
		t.Unreserve()
	} else {
		n = p.insert(t, hash, key, now)
	}
	return Entry{t, p, n, p.record(t, n), now}
}

// Lock gives access to an entry that is held.
func (r Ref) Lock() Entry {
	p, now := &r.t.parts[r.part], r.t.Clock()
	p.mu.Lock()
	p.purge(r.t, now)
	return Entry{r.t, p, r.n, p.record(r.t, r.n), now}
}

// Unlock ends the access.
func (e *Entry) Unlock() { e.p.mu.Unlock() }

// Hold keeps the entry in the table until Drop is called.
func (e *Entry) Hold() Ref {
	put(e.rec, recHolders, get(e.rec, recHolders)+1)
	return Ref{e.t, e.n, uint8(get(e.rec, recHash) % parts)}
}

// Drop ends a hold.
func (e *Entry) Drop() { put(e.rec, recHolders, get(e.rec, recHolders)-1) }

// Holders is how many hold the entry.
func (e *Entry) Holders() int { return int(get(e.rec, recHolders)) }

// Touch gives the entry another life, and tells peers of it.
func (e *Entry) Touch() {
	e.revive()
	if e.t.update != 0 {
		e.announce()
	}
}

func (e *Entry) revive() {
	put(e.rec, recExpire, later(e.now, e.t.Expire))
	if e.p.newest != e.n {
		e.p.unlink(e.t, e.rec)
		e.p.append(e.t, e.n, e.rec)
	}
}

// Remove takes the entry out of the table; false: somebody holds it.
func (e *Entry) Remove() bool {
	if e.Holders() > 0 {
		return false
	}
	e.p.remove(e.t, e.n)
	return true
}

// Left is how long the entry has to live, in ms.
func (e *Entry) Left() uint32 {
	left := int32(get(e.rec, recExpire) - e.now)
	return uint32(max(left, 0))
}

// Idle is how long nobody touched the entry, in ms.
func (e *Entry) Idle() uint32 { return uint32(max(int32(e.t.Expire-e.Left()), 0)) }

// Key is that of the entry, until it is unlocked. A text has its bytes only.
func (e *Entry) Key() []byte {
	key := e.rec[e.t.size : e.t.size+e.t.KeySize]
	if e.t.Type == sample.Str {
		key, _, _ = bytes.Cut(key, []byte{0})
	}
	return key
}

// Elsewhere looks for the entry of the same key in another table, and drops the access to this one. It reports false
// when keys are of another kind there.
func (e *Entry) Elsewhere(other *Table) (found Entry, ok, alike bool) {
	if other == e.t {
		return *e, true, true
	}
	if other.Type != e.t.Type || other.KeySize != e.t.KeySize {
		e.Unlock()
		return Entry{}, false, false
	}
	var room [64]byte
	key := append(room[:0], e.Key()...)
	e.Unlock()
	found, ok = other.Find(key)
	return found, ok, true
}

// KeyOf makes a key of a value, in the room that is given where it has to be made. ok is false when the value has no
// such type.
func (t *Table) KeyOf(ctx *sample.Context, v *sample.Value, room *[16]byte) (key []byte, ok bool) {
	if !sample.Cast(ctx, v, t.Type) {
		return nil, false
	}
	switch t.Type {
	case sample.IPv4:
		*(*[4]byte)(room[:]) = v.IP.As4()
		return room[:4], true
	case sample.IPv6:
		*room = v.IP.As16()
		return room[:16], true
	case sample.Int:
		binary.LittleEndian.PutUint32(room[:], uint32(v.Int))
		return room[:4], true
	case sample.Bin:
		if len(v.Bytes) < t.KeySize { // zeroes fill it up
			b := ctx.Scratch.Alloc(t.KeySize)
			if b == nil {
				return nil, false
			}
			clear(b[copy(b, v.Bytes):])
			v.SetBin(b)
		}
	}
	return v.Bytes, true
}

// Value makes a value of the entry's key. Bytes are copied into the scratch buffer.
func (e *Entry) Value(ctx *sample.Context, v *sample.Value) bool {
	key := e.Key()
	switch e.t.Type {
	case sample.IPv4, sample.IPv6:
		a, _ := netip.AddrFromSlice(key)
		return v.SetAddr(a)
	case sample.Int:
		v.SetInt(int64(binary.LittleEndian.Uint32(key)))
		return true
	}
	b := ctx.Scratch.Alloc(len(key))
	if b == nil {
		return false
	}
	copy(b, key)
	v.SetStr(b)
	v.Type = e.t.Type
	return true
}

// Parts is how many parts a table has: see Keys.
const Parts = parts

// Keys are the keys of a part, sorted.
func (t *Table) Keys(part int) [][]byte {
	p := &t.parts[part]
	p.mu.Lock()
	defer p.mu.Unlock()
	now := t.Clock()
	p.purge(t, now)
	keys := make([][]byte, 0, p.count)
	for n := range p.entries(t) {
		e := Entry{t, p, n, p.record(t, n), now}
		keys = append(keys, bytes.Clone(e.Key()))
	}
	slices.SortFunc(keys, bytes.Compare)
	return keys
}

// ByID finds the entry that Entry.ID names.
func (t *Table) ByID(id uint64) (Entry, bool) {
	if id%parts != id&(1<<idShift-1) {
		return Entry{}, false
	}
	p, now := &t.parts[id%parts], t.Clock()
	p.mu.Lock()
	p.purge(t, now)
	if n := uint32(id >> idShift); n > 0 && uint64(n) == id>>idShift && n <= p.used && p.inUse(t, n) {
		return Entry{t, p, n, p.record(t, n), now}, true
	}
	p.mu.Unlock()
	return Entry{}, false
}

// idShift is where the number of the record stands in an ID; below it is the part.
const idShift = 12

// ID is how commands name the entry, where HAProxy shows its address.
func (e *Entry) ID() uint64 { return uint64(e.n)<<idShift | uint64(get(e.rec, recHash)%parts) }
