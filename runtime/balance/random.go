package balance

import (
	"math/rand/v2"

	"hapax/runtime"
)

// random draws servers from the ring and keeps the least loaded of them: two draws
// already avoid nearly all of the imbalance of one.
type random struct {
	*ringed
	draws int
}

func newRandom(m *members, draws int) *random { return &random{newRinged(m), max(draws, 1)} }

// Pick implements runtime.Balancer.
func (b *random) Pick(s *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	if b.totals.Load().weight == 0 {
		return nil
	}
	var best *runtime.Server
	for range b.draws {
		srv := b.near(rand.Uint32(), avoid)
		if srv == nil {
			break
		}
		if best == nil || best == srv || lighter(srv, best, s) {
			best = srv
		}
	}
	// A full one stands for none: the request waits in the backend's queue, where the
	// first server that has room takes it.
	if best != nil && (best.Queued.Load() > 0 || !free(best)) {
		return nil
	}
	return best
}

// lighter tells whether x has fewer streams by weight than y, or as many and not more sessions per second.
func lighter(x, y *runtime.Server, s *runtime.Stream) bool {
	wx, wy := uint64(x.Effective.Load()), uint64(y.Effective.Load())
	lx, ly := uint64(x.Served.Load())*wy, uint64(y.Served.Load())*wx
	if lx != ly {
		return lx < ly
	}
	now := max(s.Time.Request, s.Time.Accept) / 1e6 // rates are kept by the loop's clock in ms
	return uint64(y.Rate.PerSecond(now))*wx >= uint64(x.Rate.PerSecond(now))*wy
}
