package counter

import "sync/atomic"

// Rate counts events over a sliding second, the way HAProxy's frequency counters do: the events of the current
// second plus those of the previous one, weighted by how much of the previous one still lies within the window.
//
// Times are milliseconds of one monotonic clock, the same for all who write and read. The zero Rate is ready.
type Rate struct {
	// start is when the current period began, in ms, doubled; its lowest bit is set while a writer closes the period.
	start atomic.Int64
	curr  atomic.Uint32
	prev  atomic.Uint32
}

const period = 1000

// Add counts n events at time now and returns the count of the current period.
func (r *Rate) Add(now int64, n uint32) uint32 {
	for {
		start := r.start.Load()
		if now-start>>1 < period {
			return r.curr.Add(n)
		}
		if start&1 == 0 && r.start.CompareAndSwap(start, start|1) {
			last, begin := r.curr.Swap(n), start>>1+period
			if now-begin >= period {
				last, begin = 0, now
			}
			r.prev.Store(last)
			r.start.Store(begin << 1)
			return n
		}
	}
}

// values reads the three parts at one moment.
func (r *Rate) values() (start int64, curr, prev uint64) {
	for {
		s, c, p := r.start.Load(), r.curr.Load(), r.prev.Load()
		if s&1 == 0 && s == r.start.Load() && c == r.curr.Load() {
			return s >> 1, uint64(c), uint64(p)
		}
	}
}

func (r *Rate) total(now int64, pend int64) uint64 {
	start, curr, past := r.values()
	return total(now, start, curr, past, pend)
}

// total is the number of events of the period that began at start and of the one before it within the window, times the
// period. A negative pend asks for what is shown to people: a rate of at most one event in the period must not flap between
// 0 and 1.
func total(now, start int64, curr, past uint64, pend int64) uint64 {
	remain := start + period - now
	if remain < 0 {
		remain += period
		past, curr = curr, 0
		if remain < 0 {
			past = 0
		}
	}
	if pend < 0 {
		pend = 0
		if curr == 0 && past <= 1 {
			return past * period
		}
	}
	return past*uint64(max(remain, 0)) + (curr+uint64(pend))*period
}

// PerSecond is the number of events over the last second.
func (r *Rate) PerSecond(now int64) uint32 { return uint32(r.total(now, -1) / period) }

// PerSecondFloat is PerSecond with what the division leaves out.
func (r *Rate) PerSecondFloat(now int64) float64 { return float64(r.total(now, -1)) / period }

// Left is how many more events keep the rate at or below limit per second, when pend wait already.
func (r *Rate) Left(now int64, limit, pend uint32) uint32 {
	used := r.total(now, int64(pend)) / period
	return limit - uint32(min(used, uint64(limit)))
}

// NextDelay is how long, in ms, to wait before one more event fits under limit; 0: it fits now.
func (r *Rate) NextDelay(now int64, limit, pend uint32) int64 {
	total, most := r.total(now, int64(pend)), uint64(limit)*period
	if total < most {
		return 0
	}
	return max(int64((total-most)/uint64(max(limit, 1))), 1)
}

// Preload goes on from the rate that a former process had.
func (r *Rate) Preload(now int64, perSecond uint32) {
	r.curr.Store(0)
	r.prev.Store(perSecond)
	r.start.Store(now << 1)
}

// Clear forgets all events.
func (r *Rate) Clear() {
	r.start.Store(0)
	r.curr.Store(0)
	r.prev.Store(0)
}
