package loop

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestWheel compares the wheel with the plain meaning of timers: at each advance exactly those expire whose deadline has come.
func TestWheel(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l := &Loop{now: rnd.Int64N(int64(1000 * time.Hour))}
		l.wheel.init(l.now)
		timers := make([]modelTimer, 200)
		for i := range timers {
			timers[i].Init(l, &timers[i])
		}
		spans := []int64{1, 5, 63, 64, 65, 1000, 4095, 4096, 5000, 300000, 20000000, 3000000000}
		for step := range 3000 {
			for range rnd.IntN(4) {
				m := &timers[rnd.IntN(len(timers))]
				switch rnd.IntN(8) {
				case 0:
					m.want = 0
					m.Stop()
				case 1:
					m.want = 0
					m.Remove()
				default:
					m.want = l.now + rnd.Int64N(spans[rnd.IntN(len(spans))]*int64(time.Millisecond))
					m.Set(m.want)
				}
			}
			before := l.now
			switch rnd.IntN(3) {
			case 0:
				l.now += rnd.Int64N(int64(3 * time.Millisecond))
			case 1:
				l.now += rnd.Int64N(int64(time.Second))
			default:
				if at := l.wheel.next(); at != noDeadline {
					l.now = max(l.now, at)
				}
			}
			if rnd.IntN(500) == 0 {
				l.now += rnd.Int64N(int64(20000 * time.Hour))
			}
			l.wheel.advance(l.now)
			for i := range timers {
				m := &timers[i]
				// What is set for a tick that is over expires at the next one.
				due := m.want != 0 && max((m.want+tickLen-1)/tickLen, before/tickLen+1) <= l.now/tickLen
				if m.fired != due {
					t.Fatalf("seed %d step %d: timer for %d expired: %v, at %d", seed, step, m.want, m.fired, l.now)
				}
				if m.fired {
					m.fired, m.want = false, 0
				}
				if m.Deadline() != m.want {
					t.Fatalf("seed %d: deadline %d, want %d", seed, m.Deadline(), m.want)
				}
				if m.want != 0 && l.wheel.next() > (max(m.want, l.now)/tickLen+2)*tickLen {
					t.Fatalf("seed %d: the wheel sleeps until %d, a timer is set for %d", seed, l.wheel.next(), m.want)
				}
			}
		}
	}
}

type modelTimer struct {
	Timer
	want  int64
	fired bool
}

func (m *modelTimer) Expired(*Timer) { m.fired = true }

// BenchmarkTimerRenew is what every byte of traffic costs a timeout.
func BenchmarkTimerRenew(b *testing.B) {
	l := &Loop{now: 1}
	l.wheel.init(l.now)
	var m modelTimer
	m.Init(l, &m)
	b.ReportAllocs()
	for b.Loop() {
		l.now += 1000
		m.Set(l.now + int64(time.Minute))
	}
}
