package balance

import (
	"sync"

	"hapax/runtime"
)

// leastConn gives the server with the fewest streams by weight, round robin among
// equals. A server without any comes first whatever its weight, so that under low
// load not only the heaviest one works.
type leastConn struct {
	*members
	mu sync.Mutex // guards seats and heaps
	// The keys of a heap are (streams+1)*maxEffective/weight: what the load will be
	// once the server is chosen.
	active, backup heap
	turn           uint64
}

func newLeastConn(m *members) *leastConn {
	m.dynamic, m.div = true, weightScale
	m.join(m.full)
	b := &leastConn{members: m, active: newHeap(len(m.all)), backup: newHeap(len(m.all))}
	for _, mb := range m.all {
		b.put(&mb.seat)
	}
	return b
}

func loadKey(srv *runtime.Server, weight uint32) uint32 {
	n := uint32(srv.Served.Load() + srv.Queued.Load())
	if n == 0 {
		return 0
	}
	return (n + 1) * maxEffective / weight
}

// put inserts a usable server by its load.
func (b *leastConn) put(s *seat) {
	now := s.member.now
	if s.out = !now.usable(); s.out {
		return
	}
	s.weight = now.weight
	h := &b.active
	if s.member.srv.Backup {
		h = &b.backup
	}
	b.turn++
	h.insert(&s.place, loadKey(s.member.srv, s.weight), b.turn)
}

// Pick implements runtime.Balancer.
func (b *leastConn) Pick(_ *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	t := b.totals.Load()
	h := &b.active
	switch {
	case t.active > 0:
	case t.spare != nil:
		return t.spare.srv
	default:
		h = &b.backup
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if s := h.first(); s == nil {
		return nil
	} else if s.member.srv != avoid && queueable(s.member.srv) {
		return s.member.srv
	}
	var best *place
	var avoided *runtime.Server
	for _, p := range h.items {
		srv := p.seat.member.srv
		switch {
		case best != nil && best.less(p), !queueable(srv):
		case srv == avoid:
			avoided = srv
		default:
			best = p
		}
	}
	if best == nil {
		return avoided
	}
	return best.seat.member.srv
}

// Taken implements runtime.Balancer.
func (b *leastConn) Taken(srv *runtime.Server) { b.move(srv) }

// Released implements runtime.Balancer.
func (b *leastConn) Released(srv *runtime.Server) { b.move(srv) }

func (b *leastConn) move(srv *runtime.Server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &srv.LB.(*member).seat
	h := s.in
	if h == nil {
		return
	}
	if key := loadKey(srv, s.weight); key != s.key {
		s.remove()
		b.turn++
		h.insert(&s.place, key, b.turn)
	}
}

// Update implements runtime.Balancer.
func (b *leastConn) Update(srv *runtime.Server) {
	mb, _, changed := b.change(srv)
	if !changed {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recount()
	s := &mb.seat
	s.remove()
	b.put(s)
}
