package counter

import (
	"sync"
	"sync/atomic"
)

// Level is a number of things that exist now, and the most that there were at once. Each loop counts in a shard of its
// own; the reader sums them.
//
// The maximum belongs to all, yet no loop need look at what the others count: each has a share of it, and as long as no
// loop counts more than its share, all together are below the maximum. A loop that passes its share looks at the sum,
// raises the maximum if that is larger, and divides what is left of it anew. With one loop this is exact. With several, a
// maximum may be missed that stood for the nanoseconds in which the shares were divided.
type Level struct {
	mu     sync.Mutex // held to change the maximum and the shares
	max    atomic.Uint64
	shards []*LevelShard
}

// LevelShard is what one loop counts. It lies among the other counters of the loop.
type LevelShard struct {
	now   Own
	share atomic.Uint64
}

// Init tells where the shards of so many loops are.
func (l *Level) Init(loops int, shard func(loop int) *LevelShard) {
	l.shards = make([]*LevelShard, loops)
	for i := range l.shards {
		l.shards[i] = shard(i)
	}
}

// Enter counts one more thing, in the shard of the loop that calls it.
func (l *Level) Enter(own *LevelShard) {
	if own.now.Next() > own.share.Load() {
		l.pass(own)
	}
}

// Leave counts one thing less, in the shard that it was counted in.
func (l *Level) Leave(own *LevelShard) { own.now.Dec() }

// pass is for a loop that counts more than its share. Each gets what it counts now and an equal part of what is left of
// the maximum; the loop has the rest of that.
func (l *Level) pass(own *LevelShard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := uint64(0)
	for _, s := range l.shards {
		now := s.now.Load()
		s.share.Store(now)
		sum += now
	}
	l.max.Store(max(l.max.Load(), sum))
	left := l.max.Load() - sum
	part := left / uint64(len(l.shards))
	for _, s := range l.shards {
		s.share.Add(part)
	}
	own.share.Add(left - part*uint64(len(l.shards)))
}

// Load is how many things there are.
func (l *Level) Load() int64 {
	sum := int64(0)
	for _, s := range l.shards {
		sum += int64(s.now.Load())
	}
	return sum
}

// Max is the most that there were since the maximum was cleared.
func (l *Level) Max() uint64 { return l.max.Load() }

// Show raises the maximum to n when n is larger.
func (l *Level) Show(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.max.Store(max(l.max.Load(), uint64(n)))
}

// Restart makes the number of now the maximum.
func (l *Level) Restart() { l.restart(l.Load()) }

// ClearMax forgets the maximum: the next thing shows one.
func (l *Level) ClearMax() { l.restart(0) }

// restart begins with a maximum that is not above what is counted: the next thing passes its loop's share.
func (l *Level) restart(from int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.max.Store(uint64(from))
	for _, s := range l.shards {
		s.share.Store(0)
	}
}
