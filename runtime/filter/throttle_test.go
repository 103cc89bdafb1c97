package filter

import (
	"testing"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
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
	px := &runtime.Proxy{}
	s := runtime.Stream{Front: px}
	a, b := &limit{side: runtime.Download}, &limit{side: runtime.Download}
	if x := throttleOf(&s, a, px); throttleOf(&s, a, px) != x || throttleOf(&s, b, px) == x {
		t.Error("the throttle of a limit is not found again")
	}
	if n := len(s.Throttles[runtime.Download]); n != 2 || len(s.Throttles[runtime.Upload]) != 0 {
		t.Errorf("%d throttles, want 2", n)
	}
}

// TestShared sends as fast as streams may that share a limit, in simulated time.
func TestShared(t *testing.T) {
	tests := []struct {
		name     string
		streams  int
		most     uint32
		period   uint32
		least    uint32
		unit     uint32
		bytes    int // of each stream
		min, max int64
	}{
		{"one", 1, 100_000, 1000, 0, 1, 300_000, 2800, 3050},
		{"three", 3, 100_000, 1000, 0, 1, 100_000, 2700, 3200},
		{"three, short period", 3, 10_000, 100, 0, 1, 100_000, 2700, 3200},
		{"pieces above a stream's part", 8, 20_000, 1000, 2896, 1, 8_000, 2700, 9000},
		{"units", 2, 25_000, 1000, 0, 4, 150_000, 2700, 3100},
		{"no period", 2, 1, 0, 0, 1, 100_000, 0, 0},
	}
	for _, tt := range tests {
		now := int64(123_456_789)
		begin := now
		shared := table.New("t")
		shared.Type, shared.KeySize, shared.Size, shared.BytesFactor = sample.Int, 4, 1, tt.unit
		shared.Clock = func() uint32 { return uint32(now) }
		shared.Store(table.BytesOutRate, 1, tt.period)
		of := &limit{key: new(sample.Expr), table: shared, data: table.BytesOutRate, least: tt.least}
		type sender struct {
			throttle
			left int
			next int64
		}
		var all []*sender
		for range tt.streams {
			e, ok := shared.Make([]byte{1, 0, 0, 0})
			if !ok {
				t.Fatal("no entry")
			}
			all = append(all, &sender{throttle{of: of, most: tt.most, period: tt.period, entry: e.Hold()}, tt.bytes, now})
			e.Unlock()
		}
		for senders := tt.streams; senders > 0; now++ {
			for _, x := range all {
				for x.left > 0 && x.next <= now {
					n, wait := x.Allow(min(x.left, 16384), now)
					if n == 0 && wait <= 0 || n > x.left {
						t.Fatalf("%s: Allow = %d, %v", tt.name, n, wait)
					}
					x.Passed(n, 0, now)
					x.next = now + wait.Milliseconds()
					if x.left -= n; x.left == 0 {
						x.Leave()
						senders--
					}
				}
			}
		}
		if took := now - 1 - begin; took < tt.min || took > tt.max {
			t.Errorf("%s: took %d ms, want %d to %d", tt.name, took, tt.min, tt.max)
		}
		if e, _ := shared.Find([]byte{1, 0, 0, 0}); e.Holders() != 0 {
			t.Errorf("%s: %d streams hold the entry, want none", tt.name, e.Holders())
		}
	}
}
