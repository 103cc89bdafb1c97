package pattern

import "hash/maphash"

// keyIndex finds the newest entry of each key of a generation, which leads to those before it. It is a hash table with
// open addressing, in shards that grow one at a time: a change, for which traffic may wait, moves a small part of it at
// most.
type keyIndex struct {
	seed   maphash.Seed
	shards [indexShards]keyShard
}

const (
	indexShards = 64
	// unindexed is how many entries are looked through one by one.
	unindexed = 16
)

type keyShard struct {
	slots []*Entry // a power of two, a quarter of them empty at least
	used  int
}

// newKeyIndex makes an index with room for n keys.
func newKeyIndex(n int) *keyIndex {
	x := &keyIndex{seed: maphash.MakeSeed()}
	size := 8
	for size*3/4 < n/indexShards*9/8 { // shards are not filled evenly
		size *= 2
	}
	for i := range x.shards {
		x.shards[i].slots = make([]*Entry, size)
	}
	return x
}

// slot gives the shard of a key, and in it the place of the key: that of its newest entry, or the empty one where it
// would stand.
func (x *keyIndex) slot(key string) (*keyShard, int) {
	h := maphash.String(x.seed, key)
	s := &x.shards[h%indexShards]
	return s, s.place(key, h)
}

func (s *keyShard) place(key string, h uint64) int {
	mask := len(s.slots) - 1
	i := int(h/indexShards) & mask
	for s.slots[i] != nil && s.slots[i].Key != key {
		i = (i + 1) & mask
	}
	return i
}

// find gives the newest entry of a key, nil when there is none.
func (x *keyIndex) find(key string) *Entry {
	s, i := x.slot(key)
	return s.slots[i]
}

// put makes an entry the newest of its key.
func (x *keyIndex) put(e *Entry) {
	s, i := x.slot(e.Key)
	e.older = s.slots[i]
	s.slots[i] = e
	if e.older != nil {
		return
	}
	if s.used++; s.used > len(s.slots)*3/4 {
		x.grow(s)
	}
}

// grow doubles a shard.
func (x *keyIndex) grow(s *keyShard) {
	old := s.slots
	s.slots = make([]*Entry, 2*len(old))
	for _, e := range old {
		if e != nil {
			s.slots[s.place(e.Key, maphash.String(x.seed, e.Key))] = e
		}
	}
}

// drop takes an entry from among those of its key.
func (x *keyIndex) drop(e *Entry) {
	s, i := x.slot(e.Key)
	switch newest := s.slots[i]; {
	case newest == nil:
	case newest != e:
		for newest != nil && newest.older != e {
			newest = newest.older
		}
		if newest != nil {
			newest.older = e.older
		}
	case e.older != nil:
		s.slots[i] = e.older
	default:
		x.empty(s, i)
	}
	e.older = nil
}

// empty empties a place and moves up what stands behind it for want of room before.
func (x *keyIndex) empty(s *keyShard, i int) {
	s.used--
	mask := len(s.slots) - 1
	s.slots[i] = nil
	for j := (i + 1) & mask; s.slots[j] != nil; j = (j + 1) & mask {
		e := s.slots[j]
		s.slots[j] = nil
		s.slots[s.place(e.Key, maphash.String(x.seed, e.Key))] = e
	}
}
