package balance

import (
	"sync"
	"sync/atomic"

	"hapax/runtime"
)

// table is a map of servers by a number modulo its length, the total weight: each
// server has as many places as it has weight, spread evenly. It is immutable.
type table []*runtime.Server

// newTable spreads the servers of the group that takes part over the map. The first
// one of the file always comes first, and order decides among equals.
func (m *members) newTable() table {
	t := m.totals.Load()
	if t.used == 0 {
		return nil
	}
	places := make(table, t.weight)
	score := make([]int, len(m.all))
	for i := range places {
		best, most := -1, 0
		for j, mb := range m.all {
			if mb.srv.Backup != (t.active == 0) || !mb.now.usable() {
				continue
			}
			if t.weight == 1 {
				best = j
				break
			}
			score[j] += int(mb.now.weight)
			if v := (score[j] + t.weight) / t.weight; best < 0 || v > most {
				best, most = j, v
			}
		}
		if best >= 0 {
			places[i] = m.all[best].srv
			score[best] -= t.weight
		}
	}
	return places
}

// mapped is what static-rr and hashes on a map share.
type mapped struct {
	*members
	places atomic.Pointer[table]
	mu     sync.Mutex
	next   int // place of the next round robin choice
}

func newMapped(m *members) *mapped {
	m.reduce()
	m.join(m.full)
	b := &mapped{members: m}
	b.rebuild()
	return b
}

func (b *mapped) rebuild() {
	t := b.newTable()
	b.places.Store(&t)
}

// Update implements runtime.Balancer.
func (b *mapped) Update(srv *runtime.Server) {
	if _, _, changed := b.change(srv); changed {
		b.recount()
		b.rebuild()
	}
}

// turn gives the next server of the map that is not full.
func (b *mapped) turn(avoid *runtime.Server) *runtime.Server {
	b.mu.Lock()
	defer b.mu.Unlock()
	places := *b.places.Load()
	if len(places) == 0 {
		return nil
	}
	if b.next >= len(places) {
		b.next = 0
	}
	var avoided *runtime.Server
	after := 0
	for i := b.next; ; {
		srv := places[i]
		i++
		if free(srv) {
			if srv != avoid {
				b.next = i
				return srv
			}
			avoided, after = srv, i
		}
		if i == len(places) {
			i = 0
		}
		if i == b.next {
			break
		}
	}
	if avoided != nil {
		b.next = after
	}
	return avoided
}

// staticRR is round robin over a map: cheap, but weights cannot change.
type staticRR struct{ *mapped }

func newStaticRR(m *members) staticRR { return staticRR{newMapped(m)} }

// Pick implements runtime.Balancer.
func (b staticRR) Pick(_ *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	if b.crowded() {
		return nil
	}
	return b.turn(avoid)
}

// hashMap chooses by a hash of the request on a map: exact shares, but nearly all
// keys move when a server comes or goes.
type hashMap struct {
	*mapped
	key  keyFunc
	kind HashType
}

func newHashMap(m *members, key keyFunc, kind HashType) *hashMap {
	return &hashMap{newMapped(m), key, kind}
}

// Pick implements runtime.Balancer.
func (b *hashMap) Pick(s *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	places := *b.places.Load()
	if len(places) == 0 {
		return nil
	}
	h, ok := b.key(s, &b.kind, b.totals.Load().used == 1)
	if !ok {
		return b.turn(avoid)
	}
	return places[h%uint32(len(places))]
}
