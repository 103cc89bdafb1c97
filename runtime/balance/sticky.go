package balance

import (
	"sync/atomic"

	"hapax/runtime"
)

// sticky keeps one server as long as it is usable, even when those before it come
// back. Weights do not count, but they may change.
type sticky struct {
	*members
	server atomic.Pointer[runtime.Server]
}

func newSticky(m *members) *sticky {
	m.dynamic = true
	m.join(func(*runtime.Server) uint32 { return 1 })
	b := &sticky{members: m}
	b.elect()
	return b
}

// elect chooses the first usable server, an active one if there is any.
func (b *sticky) elect() {
	t := b.totals.Load()
	for _, mb := range b.all {
		if mb.now.usable() && mb.srv.Backup == (t.active == 0) {
			b.server.Store(mb.srv)
			return
		}
	}
}

// Pick implements runtime.Balancer.
func (b *sticky) Pick(*runtime.Stream, *runtime.Server) *runtime.Server {
	if b.totals.Load().weight == 0 {
		return nil
	}
	return b.server.Load()
}

// Update implements runtime.Balancer.
func (b *sticky) Update(srv *runtime.Server) {
	mb, before, changed := b.change(srv)
	if !changed || before.usable() == mb.now.usable() {
		return // the sum of weights stays as well
	}
	b.recount()
	kept := b.server.Load()
	switch usable := mb.now.usable(); {
	case !usable && kept == srv:
		b.elect()
	case usable && (kept == nil || kept.Backup && !srv.Backup):
		b.server.Store(srv)
	}
}
