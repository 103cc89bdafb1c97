package counter

import "sync/atomic"

// Rate counts events over a sliding period, the way HAProxy's frequency
// counters do: the events of the current period plus those of the previous one,
// weighted by how much of the previous one still lies within the window.
//
// Times are milliseconds of one monotonic clock; the zero Rate is ready and
// has the period of one second.
type Rate struct {
	start atomic.Int64 // when the current period began, in ms
	curr  atomic.Uint32
	prev  atomic.Uint32
}

const second = 1000

// Add counts n events at time now and returns the count of the current period.
func (r *Rate) Add(now int64, n uint32) uint32 {
	r.rotate(now, second)
	return r.curr.Add(n)
}

// rotate makes the current period hold now.
func (r *Rate) rotate(now, period int64) {
	for {
		start := r.start.Load()
		age := now - start
		if age < period {
			return
		}
		next := now - age%period
		if !r.start.CompareAndSwap(start, next) {
			continue
		}
		last := r.curr.Swap(0)
		if age >= 2*period {
			last = 0
		}
		r.prev.Store(last)
		return
	}
}

// PerSecond is the number of events over the last second.
func (r *Rate) PerSecond(now int64) uint32 { return r.over(now, second, 0) }

// over reads the rate over a period; pend are events that wait to be counted.
func (r *Rate) over(now, period int64, pend uint32) uint32 {
	start, curr, past := r.start.Load(), r.curr.Load(), r.prev.Load()
	age := now - start
	switch {
	case age >= 2*period:
		return pend
	case age >= period:
		past, curr = curr, 0
		age -= period
	}
	if past == 0 && pend == 0 {
		return curr
	}
	// A rate below one event per period must not flap between 0 and 1.
	if past <= 1 && curr == 0 {
		return past + pend
	}
	remain := period - age
	return uint32((uint64(past)*uint64(remain)+uint64(period)/2)/uint64(period)) + curr + pend
}

// Left is how many more events keep the rate at or below limit per second.
func (r *Rate) Left(now int64, limit, pend uint32) uint32 {
	used := r.over(now, second, pend)
	if used >= limit {
		return 0
	}
	return limit - used
}

// NextDelay is how long, in ms, to wait before one more event fits under limit.
func (r *Rate) NextDelay(now int64, limit, pend uint32) int64 {
	used := r.over(now, second, pend)
	if used < limit {
		return 0
	}
	wait := int64(second) / int64(max(limit, 1))
	return max(wait, 1)
}

// Clear forgets all events.
func (r *Rate) Clear() {
	r.start.Store(0)
	r.curr.Store(0)
	r.prev.Store(0)
}

// Average is HAProxy's sliding sum over a number of samples (1024 for the
// times in show stat): sum += value - ceil(sum/n). One writer at a time.
type Average struct{ sum atomic.Uint64 }

// AverageWindow is the number of samples that show stat averages over.
const AverageWindow = 1024

// Show adds one sample.
func (a *Average) Show(v uint64) {
	for {
		old := a.sum.Load()
		if a.sum.CompareAndSwap(old, old-(old+AverageWindow-1)/AverageWindow+v) {
			return
		}
	}
}

// Load is the average, rounded up, while fewer than n samples were seen n of them.
func (a *Average) Load() uint64 { return (a.sum.Load() + AverageWindow - 1) / AverageWindow }

// Sum is the sliding sum itself.
func (a *Average) Sum() uint64 { return a.sum.Load() }

// Clear forgets all samples.
func (a *Average) Clear() { a.sum.Store(0) }
