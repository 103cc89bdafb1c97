package counter

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestMeterIsRate feeds the same events to a Meter that several loops count in and to a Rate: they tell the same at all
// times, and the maximum is that of the Rate's periods.
func TestMeterIsRate(t *testing.T) {
	for _, loops := range []int{1, 2, 5} {
		r := rand.New(rand.NewPCG(1, uint64(loops)))
		var m Meter
		own := shards[MeterShard](loops)
		m.Init(loops, own)
		var rate Rate
		most := Max{}
		now := int64(7000)
		for i := range 20000 {
			switch {
			case i%500 == 499:
				now += r.Int64N(3500) // nothing happens for a while
			default:
				now += r.Int64N(9)
			}
			for range 1 + r.Uint32N(3) {
				m.Inc(own(r.IntN(loops)), now)
				most.Show(uint64(rate.Add(now, 1)))
			}
			if i == 10000 {
				m.ClearMax()
				most.Clear()
				if got := m.Max(); got != 0 {
					t.Fatalf("a maximum of %d remains", got)
				}
				continue
			}
			at := now + r.Int64N(2500)
			if got, want := m.PerSecond(at), rate.PerSecond(at); got != want {
				t.Fatalf("%d loops, event %d, %d ms later: %d per second, want %d", loops, i, at-now, got, want)
			}
			if got, want := m.Left(at, 400), rate.Left(at, 400, 0); got != want {
				t.Fatalf("%d loops, event %d: %d left, want %d", loops, i, got, want)
			}
			if got, want := m.Max(), most.Load(); got != want {
				t.Fatalf("%d loops, event %d: maximum %d, want %d", loops, i, got, want)
			}
		}
	}
}

func TestMeterForgets(t *testing.T) {
	var m Meter
	own := shards[MeterShard](2)
	m.Init(2, own)
	m.Preload(5000, 30)
	if got := m.PerSecond(5500); got != 15 {
		t.Errorf("half a second after 30 per second: %d", got)
	}
	for range 4 {
		m.Inc(own(1), 5600)
	}
	if got := m.PerSecond(5600); got != 16 {
		t.Errorf("with four more: %d", got)
	}
	m.Clear()
	if got := m.PerSecond(5600); got != 0 {
		t.Errorf("cleared: %d", got)
	}
	m.Inc(own(1), 5700)
	m.Inc(own(0), 5700)
	if got := m.PerSecond(5700); got != 2 {
		t.Errorf("two since: %d", got)
	}
}

// TestMeterIsSafe counts on several loops at once.
func TestMeterIsSafe(t *testing.T) {
	const loops = 4
	var m Meter
	own := shards[MeterShard](loops)
	m.Init(loops, own)
	var clock atomic.Int64
	var all sync.WaitGroup
	for i := range loops {
		all.Go(func() {
			for range 10000 {
				now := clock.Add(5)
				m.Inc(own(i), now)
				m.PerSecond(now)
				m.Max()
			}
		})
	}
	all.Wait()
	if got := m.PerSecond(clock.Load()); got < 190 || got > 205 {
		t.Errorf("%d per second, want about 200: one event each 5 ms", got)
	}
}
