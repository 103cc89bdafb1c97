package balance

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"hapax/acl/hash"
	"hapax/runtime"
	"hapax/runtime/queue"
)

// ring is a circle of 32 bits on which every server has as many points as it has
// effective weight. It is immutable.
type ring struct {
	points []uint32  // in ascending order
	owners []*member // owners[i] has points[i]
	backup bool      // of the backup servers
}

// at finds the point that is nearest to h.
func (r *ring) at(h uint32) int {
	n := len(r.points)
	next := sort.Search(n, func(i int) bool { return r.points[i] >= h })
	if next == n {
		next = 0
	}
	prev := next - 1
	if prev < 0 {
		prev = n - 1
	}
	if h-r.points[prev] <= r.points[next]-h {
		return prev
	}
	return next
}

// arc is what a ring knows of a server.
type arc struct {
	before uint32 // weight of the servers before it in the file, when the program started
	joined uint64 // when its points came onto the ring
	seed   uint32 // what its points are computed from
}

// ringed is what random and hashes on a ring share.
type ringed struct {
	*members
	circle atomic.Pointer[ring]
	joins  uint64

	mu   sync.Mutex // guards last, and its move when the ring changes
	last int        // point of the last round robin choice; -1 before the first
}

func newRinged(m *members) *ringed {
	m.dynamic, m.div = true, weightScale
	m.join(m.full)
	b := &ringed{members: m, last: -1}
	var active, backup uint32
	for _, mb := range m.all {
		if !mb.now.usable() {
			continue
		}
		sum := &active
		if mb.srv.Backup {
			sum = &backup
		}
		mb.arc.before = *sum
		*sum += mb.now.weight
		b.joins++
		mb.arc.joined = b.joins
	}
	b.rebuild()
	return b
}

// Update implements runtime.Balancer.
func (b *ringed) Update(srv *runtime.Server) {
	mb, before, changed := b.change(srv)
	if !changed && mb.arc.seed == serverKey(srv) {
		return
	}
	b.recount()
	if !before.usable() && mb.now.usable() {
		b.joins++
		mb.arc.joined = b.joins
	}
	b.rebuild()
}

// rebuild makes the ring of the group that takes part. The round robin goes on where
// it was, or behind the point that went away.
func (b *ringed) rebuild() {
	backup := b.totals.Load().active == 0
	var group []*member
	for _, mb := range b.all {
		if mb.now.usable() && mb.srv.Backup == backup {
			group = append(group, mb)
		}
	}
	// Equal points (two servers of one address, say) stay in the order in which they came.
	slices.SortFunc(group, func(x, y *member) int { return int(int64(x.arc.joined) - int64(y.arc.joined)) })
	var all []uint64
	for rank, mb := range group {
		seed := serverKey(mb.srv)
		mb.arc.seed = seed
		for i := range mb.now.weight {
			all = append(all, uint64(hash.Avalanche(seed+i))<<32|uint64(rank))
		}
	}
	slices.Sort(all)
	r := &ring{points: make([]uint32, len(all)), owners: make([]*member, len(all)), backup: backup}
	for i, p := range all {
		r.points[i], r.owners[i] = uint32(p>>32), group[uint32(p)]
	}

	b.mu.Lock()
	defer b.mu.Unlock()
	if old := b.circle.Swap(r); old != nil && b.last >= 0 {
		b.last = r.follow(old, b.last)
	}
}

// follow finds where a point of an older ring is now: itself, or the first one behind it that is left.
func (r *ring) follow(old *ring, at int) int {
	if old.backup != r.backup {
		return -1
	}
	for range old.points {
		i, _ := slices.BinarySearch(r.points, old.points[at])
		for ; i < len(r.points) && r.points[i] == old.points[at]; i++ {
			if r.owners[i] == old.owners[at] {
				return i
			}
		}
		if at++; at == len(old.points) {
			at = 0
		}
	}
	return -1
}

// near gives the server whose point is nearest to h, or the next one on the ring that
// is not avoided and not overloaded.
func (b *ringed) near(h uint32, avoid *runtime.Server) *runtime.Server {
	t := b.totals.Load()
	if t.active == 0 && t.spare != nil {
		return t.spare.srv
	}
	r := b.circle.Load()
	if len(r.points) == 0 {
		return nil
	}
	i := r.at(h)
	mb := r.owners[i]
	for laps := 0; mb.srv == avoid || b.overloaded(mb, t); {
		if i++; i == len(r.points) {
			i = 0
			if laps++; laps > 1 {
				break
			}
		}
		mb = r.owners[i]
	}
	return mb.srv
}

// overloaded tells whether a hash may pass a server over because of its load.
func (b *ringed) overloaded(mb *member, t *totals) bool {
	srv := mb.srv
	if f := b.px.Balance.Factor; f != 0 && !b.hasShare(mb, t, uint32(f)) {
		return true
	}
	switch b.px.Balance.Affinity {
	case runtime.AffinityMaxConn:
		return srv.MaxConn.Load() != 0 && srv.Served.Load() >= int64(queue.DynamicMaxConn(srv))
	case runtime.AffinityMaxQueue:
		return srv.MaxConn.Load() != 0 && srv.MaxQueue != 0 &&
			srv.Served.Load()+srv.Queued.Load() >= int64(queue.DynamicMaxConn(srv)+srv.MaxQueue)
	}
	return false
}

// hasShare is consistent hashing with bounded loads (arXiv:1608.01350): a server may
// have up to factor percent of its fair share of all streams, this one included, and
// always one. What the division leaves goes to the servers in proportion to their
// weight. All in 32 bits, as the shares of the reference wrap.
func (b *ringed) hasShare(mb *member, t *totals, factor uint32) bool {
	slots := ((uint32(b.px.Live.Served.Load())+1)*factor + 99) / 100
	total := uint32(t.weight)
	if total == 0 {
		return true // the last server went down between two looks
	}
	each, rest := slots/total, slots%total
	w, before := uint32(mb.srv.Effective.Load()), mb.arc.before
	share := w*each + (before+w)*rest/total - before*rest/total
	return uint32(mb.srv.Served.Load()) < max(share, 1)
}

// turn gives the server of the next point that is not full: round robin for requests
// that have no key.
func (b *ringed) turn(avoid *runtime.Server) *runtime.Server {
	t := b.totals.Load()
	if t.active == 0 && t.spare != nil {
		return t.spare.srv
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.circle.Load()
	if len(r.points) == 0 {
		b.last = -1
		return nil
	}
	stop, avoided := b.last, -1
	for {
		if b.last++; b.last >= len(r.points) {
			b.last = 0
		}
		if stop < 0 {
			stop = b.last
		}
		if srv := r.owners[b.last].srv; free(srv) {
			if srv != avoid {
				return srv
			}
			avoided = b.last
		}
		if b.last == stop {
			break
		}
	}
	if b.last = avoided; avoided < 0 {
		return nil
	}
	return r.owners[avoided].srv
}

// serverKey is what the points of a server are computed from ("hash-key"). A server
// without the wanted property is placed by its id.
func serverKey(srv *runtime.Server) uint32 {
	switch srv.HashKey {
	case runtime.HashKeyID32:
		id := uint32(srv.ID)
		return hash.Avalanche(id<<24 | id>>24 | id<<8&0xff0000 | id>>8&0xff00)
	case runtime.HashKeyGUID:
		if srv.GUID != "" {
			return hash.XXH32([]byte(srv.GUID), 0)
		}
	case runtime.HashKeyAddr, runtime.HashKeyAddrPort:
		if key, ok := addrKey(srv); ok {
			return key
		}
	}
	return uint32(srv.ID) * maxEffective
}

func addrKey(srv *runtime.Server) (uint32, bool) {
	addr := srv.Addr.Load()
	if addr == nil || addr.Family != runtime.FamilyIPv4 && addr.Family != runtime.FamilyIPv6 {
		return 0, false
	}
	var key uint32
	if srv.HashKey == runtime.HashKeyAddrPort {
		key = hash.Avalanche(uint32(addr.IP.Port()))
	}
	if addr.Family == runtime.FamilyIPv6 {
		ip := addr.IP.Addr().As16()
		return hash.XXH32(ip[:], key), true
	}
	// The reference takes the four bytes as they lie in memory.
	ip := addr.IP.Addr().As4()
	return hash.Avalanche(key + (uint32(ip[0]) | uint32(ip[1])<<8 | uint32(ip[2])<<16 | uint32(ip[3])<<24)), true
}

// hashRing chooses by a hash of the request on a ring: few keys move when a server
// comes or goes.
type hashRing struct {
	*ringed
	key  keyFunc
	kind HashType
}

func newHashRing(m *members, key keyFunc, kind HashType) *hashRing {
	return &hashRing{newRinged(m), key, kind}
}

// Pick implements runtime.Balancer.
func (b *hashRing) Pick(s *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	t := b.totals.Load()
	if t.weight == 0 {
		return nil
	}
	h, ok := b.key(s, &b.kind, t.used == 1)
	if !ok {
		return b.turn(avoid)
	}
	return b.near(h, avoid)
}
