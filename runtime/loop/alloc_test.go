package loop

import (
	"fmt"
	goruntime "runtime"
	"testing"
)

// echo is one connection of the allocation test and the benchmark: the client end of it sends again what comes back, until the
// rounds are used up.
type echo struct {
	Socket
	bench  *echoBench
	client bool
}

type echoBench struct {
	left int // round trips to go
	open int // ends of connections
	r    *rig
	end  func()
}

func (e *echo) Connected(error) {}

func (e *echo) Sent(err error) { e.bench.r.fail("Sent(%v)", err) }

func (e *echo) Received(b *Buffer, err error) {
	if err != nil {
		e.Close(0)
		if e.bench.open--; e.bench.open == 0 {
			e.bench.r.done()
		}
		return
	}
	if e.client {
		if e.bench.left--; e.bench.left <= 0 {
			b.Release()
			if e.bench.left == 0 {
				e.bench.end()
			}
			return
		}
	}
	e.Send(b)
}

// start opens n connections.
func (eb *echoBench) start(n int) []*echo {
	var clients []*echo
	for range n {
		fa, fb := pair(eb.r.t)
		c, s := &echo{bench: eb, client: true}, &echo{bench: eb}
		c.Open(eb.r.Loop, fa, c)
		s.Open(eb.r.Loop, fb, s)
		c.Receive()
		s.Receive()
		clients = append(clients, c)
	}
	eb.open = 2 * n
	return clients
}

var ping = []byte("ping, a request of about a hundred bytes, which is what most requests of health checkers and the like have")

// TestNoAllocation makes 100,000 round trips, with timers and tasks, without an allocation.
func TestNoAllocation(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		const rounds = 100000
		eb := &echoBench{r: r, left: 20000}
		clients := eb.start(32)
		var before, after goruntime.MemStats
		attempts := 0
		var tick Timer
		tick.Init(r.Loop, alarm(func() { tick.After(1e6) }))
		tick.After(1e6)
		again := func() {
			for _, c := range clients {
				c.SendStatic(ping)
			}
		}
		eb.end = func() {
			goruntime.ReadMemStats(&after)
			n := after.Mallocs - before.Mallocs
			switch {
			case attempts > 0 && n == 0, attempts == 4:
				if n != 0 {
					r.fail("%d allocations in %d round trips", n, rounds)
				}
				for _, c := range clients {
					c.Shutdown()
				}
				return
			}
			// The first time warms up. The runtime itself allocates now and then: what the loop allocates would show every time.
			attempts++
			eb.left = rounds
			r.PostFunc(func() {
				goruntime.ReadMemStats(&before)
				again()
			})
		}
		again()
	})
}

// BenchmarkEcho measures round trips of a hundred bytes: two receives and two sends each.
func BenchmarkEcho(b *testing.B) {
	for _, name := range engines() {
		for _, conns := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d", name, conns), func(b *testing.B) {
				runRig(b, Options{Engine: name}, func(r *rig) {
					r.guard.Remove()
					eb := &echoBench{r: r, left: 1000}
					clients := eb.start(conns)
					var calls, turns int64
					warm := true
					again := func() {
						for _, c := range clients {
							c.SendStatic(ping)
						}
					}
					eb.end = func() {
						if !warm {
							b.StopTimer()
							b.ReportMetric(float64(r.Stats().Syscalls.Load()-calls)/float64(b.N), "syscalls/op")
							b.ReportMetric(float64(r.Stats().Turns.Load()-turns)/float64(b.N), "turns/op")
							for _, c := range clients {
								c.Shutdown()
							}
							return
						}
						warm = false
						eb.left = b.N
						r.PostFunc(func() {
							calls, turns = r.Stats().Syscalls.Load(), r.Stats().Turns.Load()
							b.ReportAllocs()
							b.ResetTimer()
							again()
						})
					}
					again()
				})
			})
		}
	}
}
