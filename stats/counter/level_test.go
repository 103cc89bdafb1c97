package counter

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// shards makes one for each loop.
func shards[T any](loops int) func(loop int) *T {
	all := make([]struct {
		shard T
		_     [64]byte
	}, loops)
	return func(loop int) *T { return &all[loop].shard }
}

// TestLevelIsExact enters and leaves on several loops in turn: number and maximum are those of one counter for all.
func TestLevelIsExact(t *testing.T) {
	for _, loops := range []int{1, 2, 5} {
		r := rand.New(rand.NewPCG(2, uint64(loops)))
		var l Level
		own := shards[LevelShard](loops)
		l.Init(loops, own)
		on := make([]int, loops)
		now, most := int64(0), int64(0)
		for i := range 20000 {
			loop := r.IntN(loops)
			if on[loop] > 0 && r.IntN(100) < 48+4*((i>>9)&1) {
				on[loop]--
				now--
				l.Leave(own(loop))
			} else {
				on[loop]++
				now++
				l.Enter(own(loop))
				most = max(most, now)
			}
			switch i {
			case 9000:
				l.ClearMax()
				most = 0
			case 15000:
				l.Restart()
				most = now
			case 17000:
				l.Show(now + 20)
				most = max(most, now+20)
			}
			if l.Load() != now || l.Max() != uint64(most) {
				t.Fatalf("%d loops, step %d: %d now, %d at most; want %d, %d", loops, i, l.Load(), l.Max(), now, most)
			}
		}
	}
}

// TestLevelIsSafe enters and leaves on several loops at once.
func TestLevelIsSafe(t *testing.T) {
	const loops = 4
	var l Level
	own := shards[LevelShard](loops)
	l.Init(loops, own)
	var all sync.WaitGroup
	for i := range loops {
		all.Go(func() {
			for range 10000 {
				l.Enter(own(i))
				l.Enter(own(i))
				l.Leave(own(i))
				l.Leave(own(i))
			}
		})
	}
	all.Wait()
	if l.Load() != 0 || l.Max() < 2 || l.Max() > 2*loops {
		t.Errorf("%d now, %d at most", l.Load(), l.Max())
	}
}
