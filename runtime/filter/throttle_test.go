package filter

import (
	"testing"

	"hapax/runtime"
)

// TestThrottle sends as fast as a limit allows, in simulated time.
func TestThrottle(t *testing.T) {
	tests := []struct {
		name         string
		most, period uint32
		least        uint32
		piece        int // bytes that are there at once
		bytes        int
		min, max     int64 // ms
	}{
		{"steady", 100_000, 1000, 0, 16384, 300_000, 2800, 3050},
		{"short period", 10_000, 100, 0, 16384, 300_000, 2800, 3050},
		{"least", 100_000, 1000, 4096, 16384, 300_000, 2700, 3050},
		{"small pieces", 100_000, 1000, 0, 100, 200_000, 1950, 2050},
		{"least above the limit", 1000, 1000, 5000, 16384, 5000, 3900, 12000},
		{"limit of a byte", 1, 1000, 0, 10, 5, 3000, 6000},
		{"all at once", 1_000_000, 1000, 0, 16384, 10_000, 0, 0},
	}
	for _, tt := range tests {
		for _, begin := range []int64{0, 1, 123_456_789} {
			x := throttle{of: &limit{least: tt.least}, most: tt.most, period: tt.period}
			now := begin
			for left := tt.bytes; left > 0; {
				n, wait := x.Allow(min(left, tt.piece), now)
				if n == 0 && wait <= 0 || n > tt.piece {
					t.Fatalf("%s: Allow = %d, %v", tt.name, n, wait)
				}
				x.Passed(n, 0, now)
				left -= n
				if left > 0 {
					now += wait.Milliseconds()
				}
			}
			if took := now - begin; took < tt.min || took > tt.max {
				t.Errorf("%s from %d: took %d ms, want %d to %d", tt.name, begin, took, tt.min, tt.max)
			}
		}
	}
}

// TestThrottleOf puts each limit on a stream once.
func TestThrottleOf(t *testing.T) {
	var s runtime.Stream
	a, b := &limit{side: runtime.Download}, &limit{side: runtime.Download}
	if x := throttleOf(&s, a); throttleOf(&s, a) != x || throttleOf(&s, b) == x {
		t.Error("the throttle of a limit is not found again")
	}
	if n := len(s.Throttles[runtime.Download]); n != 2 || len(s.Throttles[runtime.Upload]) != 0 {
		t.Errorf("%d throttles, want 2", n)
	}
}
