package counter

import "sync/atomic"

// Meter is a Rate that loops count in shards of their own, and the most events that there were in one of its periods. The
// periods are those that one Rate for all would have. Times are milliseconds of one monotonic clock.
type Meter struct {
	start  atomic.Int64 // when the current period began: written once in a period
	max    Max          // of the periods that are over
	shards []*MeterShard

	// The current period's events when the maximum was cleared do not make a new one; later ones do, with them.
	clearedIn   atomic.Int64
	clearedWith atomic.Uint64
}

// MeterShard is what one loop counts. It lies among the other counters of the loop.
type MeterShard struct {
	start      atomic.Int64 // when the period of curr began; changing, while the loop goes on to another
	curr, prev Own          // events in it, and in the one before
}

// When no period begins.
const (
	never    = -2 * period
	changing = -4 * period
)

// Init tells where the shards of so many loops are.
func (m *Meter) Init(loops int, shard func(loop int) *MeterShard) {
	m.shards = make([]*MeterShard, loops)
	for i := range m.shards {
		m.shards[i] = shard(i)
	}
}

// Inc counts an event at time now, in the shard of the loop that calls it.
func (m *Meter) Inc(own *MeterShard, now int64) {
	if now-own.start.Load() >= period {
		m.follow(own, now)
	}
	own.curr.Inc()
}

// follow brings a shard to the period of now.
func (m *Meter) follow(own *MeterShard, now int64) { own.turn(m.turn(now)) }

// turn begins a period when the last one is over, unless another loop did, and tells when it began.
func (m *Meter) turn(now int64) int64 {
	old := m.start.Load()
	if now-old < period {
		return old
	}
	begin := old + period
	if now-begin >= period {
		begin = now
	}
	m.max.Show(m.shown(old))
	if m.start.CompareAndSwap(old, begin) {
		return begin
	}
	return m.start.Load()
}

// turn goes on to the period that began at start.
func (s *MeterShard) turn(start int64) {
	old := s.start.Load()
	if old == start {
		return
	}
	s.start.Store(changing)
	past := uint64(0)
	if start-old == period {
		past = s.curr.Load()
	}
	s.prev.Set(past)
	s.curr.Set(0)
	s.start.Store(start)
}

// in tells how many events there were in the period that began at start, as long as the shard knows of it.
func (s *MeterShard) in(start int64) uint64 {
	for {
		at, curr, prev := s.start.Load(), s.curr.Load(), s.prev.Load()
		switch {
		case at == changing || at != s.start.Load():
			continue
		case at == start:
			return curr
		case at == start+period:
			return prev
		}
		return 0
	}
}

func (m *Meter) in(start int64) uint64 {
	sum := uint64(0)
	for _, s := range m.shards {
		sum += s.in(start)
	}
	return sum
}

func (m *Meter) total(now, pend int64) uint64 {
	start := m.start.Load()
	return total(now, start, m.in(start), m.in(start-period), pend)
}

// PerSecond is the number of events over the last second.
func (m *Meter) PerSecond(now int64) uint32 { return uint32(m.total(now, -1) / period) }

// PerSecondFloat is PerSecond with what the division leaves out.
func (m *Meter) PerSecondFloat(now int64) float64 { return float64(m.total(now, -1)) / period }

// Left is how many more events keep the rate at or below limit per second.
func (m *Meter) Left(now int64, limit uint32) uint32 {
	return limit - uint32(min(m.total(now, 0)/period, uint64(limit)))
}

// shown is what the period that began at start shows to the maximum.
func (m *Meter) shown(start int64) uint64 {
	n := m.in(start)
	if start == m.clearedIn.Load() && n == m.clearedWith.Load() {
		return 0
	}
	return n
}

// Max is the most events that there were in one period.
func (m *Meter) Max() uint64 { return max(m.max.Load(), m.shown(m.start.Load())) }

// ClearMax forgets the maximum.
func (m *Meter) ClearMax() {
	start := m.start.Load()
	m.clearedWith.Store(m.in(start))
	m.clearedIn.Store(start)
	m.max.Clear()
}

// Clear forgets all events. A shard may miss it that goes on to another period at this very moment.
func (m *Meter) Clear() {
	m.start.Store(0)
	for _, s := range m.shards {
		s.start.Store(never)
	}
}

// Preload goes on from the rate that a former process had, before the loops run.
func (m *Meter) Preload(now int64, perSecond uint32) {
	s := m.shards[0]
	s.curr.Set(0)
	s.prev.Set(uint64(perSecond))
	s.start.Store(now)
	m.start.Store(now)
}
