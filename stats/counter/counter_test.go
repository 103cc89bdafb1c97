package counter

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestRate(t *testing.T) {
	type event struct {
		at int64
		n  uint32
	}
	tests := []struct {
		name   string
		events []event
		now    int64
		want   uint32
	}{
		{"nothing", nil, 5000, 0},
		{"current period only", []event{{5000, 10}}, 5400, 10},
		{"half of the previous period", []event{{5000, 10}, {6000, 4}}, 6500, 9},
		{"rounded down", []event{{5000, 3}, {6000, 1}}, 6500, 2},
		{"after the period without events", []event{{5000, 10}}, 6500, 5},
		{"two periods later", []event{{5000, 10}}, 7001, 0},
		{"one event does not flap", []event{{5000, 1}}, 6900, 1},
		{"the period starts anew after a gap", []event{{5000, 10}, {7300, 2}}, 7300, 2},
	}
	for _, tt := range tests {
		var r Rate
		for _, e := range tt.events {
			r.Add(e.at, e.n)
		}
		if got := r.PerSecond(tt.now); got != tt.want {
			t.Errorf("%s: PerSecond = %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestRateLimit(t *testing.T) {
	var r Rate
	r.Add(5000, 10)
	if got := r.Left(5100, 12, 1); got != 1 {
		t.Errorf("Left = %d, want 1", got)
	}
	if got := r.Left(5100, 8, 0); got != 0 {
		t.Errorf("Left above the limit = %d, want 0", got)
	}
	if got := r.NextDelay(5100, 11, 0); got != 0 {
		t.Errorf("NextDelay below the limit = %d, want 0", got)
	}
	if got := r.NextDelay(5100, 5, 0); got != 1000 {
		t.Errorf("NextDelay = %d, want 1000", got)
	}
}

func TestRateIsSafe(t *testing.T) {
	var r Rate
	var clock atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 10000 {
				now := clock.Add(5)
				r.Add(now, 1)
				r.PerSecond(now)
			}
		})
	}
	wg.Wait()
	if got := r.PerSecond(clock.Load()); got < 195 || got > 205 {
		t.Errorf("PerSecond = %d, want about 200: one event each 5 ms", got)
	}
}

func TestTimes(t *testing.T) {
	var a Times
	show := func(ms uint64) { a.Show(&Sample{ResponseTime: ms}) }
	mean := func() uint64 {
		m := Mean{Kind: ResponseTime}
		m.Add(&a)
		return m.Value()
	}
	for range 3 {
		show(7)
	}
	show(8)
	if got := mean(); got != 8 {
		t.Errorf("mean of 7 7 7 8 = %d, want 8 (rounded up)", got)
	}
	for range 3000 {
		show(100)
	}
	if got := mean(); got < 93 || got > 100 {
		t.Errorf("mean after 3000 samples of 100 = %d", got)
	}
	show(120)
	show(3)
	if got := a.Longest(ResponseTime); got != 120 {
		t.Errorf("longest = %d", got)
	}
	if got := a.Longest(TotalTime); got != 0 {
		t.Errorf("longest of another kind = %d", got)
	}
	a.ClearLongest()
	if got := a.Longest(ResponseTime); got != 0 {
		t.Errorf("longest when it was cleared = %d", got)
	}
	a.Clear()
	if got := mean(); got != 0 {
		t.Errorf("mean of nothing = %d", got)
	}
}
