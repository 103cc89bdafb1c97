// Package counter holds the numbers that everything counts: counters, maxima and event rates.
//
// What is counted on the request path is sharded by loop: each loop adds to a
// shard of its own and the reader sums them, so that no cache line is shared.
// Everything here may be read and written from any goroutine.
package counter

import "sync/atomic"

// Counter only grows, until it is cleared.
type Counter struct{ v atomic.Uint64 }

func (c *Counter) Inc()         { c.v.Add(1) }
func (c *Counter) Add(n uint64) { c.v.Add(n) }
func (c *Counter) Load() uint64 { return c.v.Load() }
func (c *Counter) Clear()       { c.v.Store(0) }

// Preload goes on from what a former process counted.
func (c *Counter) Preload(n uint64) { c.v.Store(n) }

// Gauge is a number of things that exist now.
type Gauge struct{ v atomic.Int64 }

func (g *Gauge) Inc() int64          { return g.v.Add(1) }
func (g *Gauge) Dec() int64          { return g.v.Add(-1) }
func (g *Gauge) Add(n int64)         { g.v.Add(n) }
func (g *Gauge) Load() int64         { return g.v.Load() }
func (g *Gauge) Store(n int64)       { g.v.Store(n) }
func (g *Gauge) CAS(o, n int64) bool { return g.v.CompareAndSwap(o, n) }

// Max remembers the largest value that it was shown.
type Max struct{ v atomic.Uint64 }

func (m *Max) Load() uint64 { return m.v.Load() }
func (m *Max) Clear()       { m.v.Store(0) }

// Show raises the maximum to n when n is larger.
func (m *Max) Show(n uint64) {
	for {
		old := m.v.Load()
		if n <= old || m.v.CompareAndSwap(old, n) {
			return
		}
	}
}
