package balance

import (
	"cmp"
	"slices"
	"sync/atomic"

	"hapax/runtime"
)

// first fills servers one after the other in the order of their ids, so that those
// that are not needed may be switched off.
type first struct {
	*members
	order atomic.Pointer[[]*runtime.Server] // of the group that takes part, by id
}

func newFirst(m *members) *first {
	m.dynamic, m.div = true, weightScale
	m.join(m.full)
	b := &first{members: m}
	b.sort()
	return b
}

func (b *first) sort() {
	t := b.totals.Load()
	var order []*runtime.Server
	for _, mb := range b.all {
		if mb.now.usable() && mb.srv.Backup == (t.active == 0) {
			order = append(order, mb.srv)
		}
	}
	slices.SortStableFunc(order, func(x, y *runtime.Server) int { return cmp.Compare(x.ID, y.ID) })
	b.order.Store(&order)
}

// Pick implements runtime.Balancer.
func (b *first) Pick(_ *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	if b.crowded() {
		return nil
	}
	if t := b.totals.Load(); t.active == 0 && t.spare != nil {
		return t.spare.srv
	}
	var avoided *runtime.Server
	for _, srv := range *b.order.Load() {
		if !free(srv) {
			continue
		}
		if srv != avoid {
			return srv
		}
		avoided = srv
	}
	return avoided
}

// Update implements runtime.Balancer.
func (b *first) Update(srv *runtime.Server) {
	if _, _, changed := b.change(srv); changed {
		b.recount()
		b.sort()
	}
}
