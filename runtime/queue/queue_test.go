package queue

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hapax/runtime"
)

// balancer takes any usable server.
type balancer struct{}

func (balancer) Pick(*runtime.Stream, *runtime.Server) *runtime.Server { return nil }
func (balancer) Update(*runtime.Server)                                {}
func (balancer) Taken(*runtime.Server)                                 {}
func (balancer) Released(*runtime.Server)                              {}
func (balancer) Takes(srv *runtime.Server) bool                        { return srv.Usable() }

// waiter counts its wake-ups.
type waiter struct {
	Ticket
	runtime.Stream
	wakes int
}

func (w *waiter) Wake() { w.wakes++ }

func backend(limits ...int) *runtime.Proxy {
	px := &runtime.Proxy{Name: "b", LB: balancer{}}
	for i, n := range limits {
		srv := &runtime.Server{Name: fmt.Sprintf("s%d", i+1), Proxy: px, MinConn: n}
		srv.MaxConn.Store(int32(n))
		srv.State.Store(int32(runtime.ServerRunning))
		srv.Effective.Store(16)
		px.Servers = append(px.Servers, srv)
	}
	Build(px)
	return px
}

func (w *waiter) reserve(srv *runtime.Server, px *runtime.Proxy) Result {
	w.Back = px
	return Reserve(&w.Ticket, &w.Stream, srv, w)
}

func TestOrder(t *testing.T) {
	px := backend(1)
	srv := px.Servers[0]
	var first waiter
	if got := first.reserve(srv, px); got != Ready {
		t.Fatal(got)
	}
	// name, class, offset
	wishes := []struct {
		class, offset int32
		any           bool
	}{{0, 0, false}, {0, 0, true}, {-1, 0, true}, {0, -50000, false}, {1, -50000, false}, {0, 50000, true}, {-1, 0, false}}
	want := []int{2, 6, 3, 0, 1, 5, 4}
	ws := make([]waiter, len(wishes))
	for i, wish := range wishes {
		ws[i].PrioClass, ws[i].PrioOffset = wish.class, wish.offset
		to := srv
		if wish.any {
			to = nil
		}
		if got := ws[i].reserve(to, px); got != Queued {
			t.Fatalf("ticket %d: %v", i, got)
		}
		time.Sleep(time.Millisecond) // tickets of different ms: those of the same one go to the server's own line first
	}
	if q, total := srv.Queued.Load(), px.Live.TotalQueued.Load(); q != 4 || total != 7 || px.Live.Queued.Load() != 3 {
		t.Errorf("queued %d, total %d", q, total)
	}
	for n, i := range want {
		Release(srv)
		w := &ws[i]
		if w.wakes != 1 || w.Ticket.State() != Granted || w.Ticket.Server() != srv {
			t.Fatalf("turn %d: ticket %d was not served", n, i)
		}
	}
	Release(srv)
	if srv.Served.Load() != 0 || px.Live.Served.Load() != 0 || px.Live.TotalQueued.Load() != 0 {
		t.Errorf("left: %d served, %d queued", srv.Served.Load(), px.Live.TotalQueued.Load())
	}
	if ws[5].BackendQueue != 4-1 || ws[4].ServerQueue != 4 {
		t.Errorf("positions %d, %d", ws[5].BackendQueue, ws[4].ServerQueue)
	}
}

func TestPositions(t *testing.T) {
	px := backend(1)
	srv := px.Servers[0]
	var a, b, c waiter
	a.reserve(srv, px)
	b.reserve(srv, px)
	c.reserve(srv, px)
	Release(srv)
	Cancel(&c.Ticket)
	if b.ServerQueue != 1 || c.ServerQueue != 2 {
		t.Errorf("positions %d, %d", b.ServerQueue, c.ServerQueue)
	}
}

func TestMaxQueue(t *testing.T) {
	px := backend(1)
	srv := px.Servers[0]
	srv.MaxQueue = 1
	var a, b, c waiter
	got := []Result{a.reserve(srv, px), b.reserve(srv, px), c.reserve(srv, px)}
	if got[0] != Ready || got[1] != Queued || got[2] != Full {
		t.Error(got)
	}
	if c.Ticket.State() != Idle {
		t.Error(c.Ticket.State())
	}
}

// TestCancelGranted: a slot that was granted to a stream that gives up goes on.
func TestCancelGranted(t *testing.T) {
	px := backend(1)
	srv := px.Servers[0]
	var a, b, c waiter
	a.reserve(srv, px)
	b.reserve(srv, px)
	c.reserve(srv, px)
	Release(srv)
	Cancel(&b.Ticket)
	Cancel(&b.Ticket)
	if c.Ticket.State() != Granted || srv.Served.Load() != 1 {
		t.Errorf("%d served", srv.Served.Load())
	}
}

func TestRedistribute(t *testing.T) {
	px := backend(1, 1)
	srv := px.Servers[0]
	var a, b, forced, any waiter
	a.reserve(srv, px)
	b.reserve(srv, px)
	forced.ForcePersist = true
	forced.reserve(srv, px)
	new(waiter).reserve(px.Servers[1], px)
	any.reserve(nil, px)

	srv.State.Store(int32(runtime.ServerStopped))
	Redistribute(srv)
	if b.wakes != 0 {
		t.Error("moved without option redispatch")
	}
	px.Options |= runtime.OptRedispatch
	Redistribute(srv)
	if b.Ticket.State() != Moved || b.wakes != 1 || forced.wakes != 0 || any.wakes != 0 {
		t.Errorf("%v %d %d %d", b.state, b.wakes, forced.wakes, any.wakes)
	}
	px.Servers[1].AdminState.Store(uint32(runtime.ForcedMaint))
	Redistribute(px.Servers[1])
	if any.Ticket.State() != Moved {
		t.Error("no server is left, and the backend's queue waits on")
	}
}

func TestDynamicMaxConn(t *testing.T) {
	now := time.Now().Unix()
	for _, c := range []struct {
		min, max, full, on int
		state              runtime.ServerState
		since, slow        int64
		want               int
	}{
		{10, 10, 100, 5, runtime.ServerRunning, 0, 0, 10},
		{1, 10, 100, 0, runtime.ServerRunning, 0, 0, 1},
		{1, 10, 100, 55, runtime.ServerRunning, 0, 0, 5},
		{1, 10, 100, 100, runtime.ServerRunning, 0, 0, 10},
		{1, 10, 100, 500, runtime.ServerRunning, 0, 0, 10},
		{1, 10, 0, 0, runtime.ServerRunning, 0, 0, 10},
		{100, 100, 0, 0, runtime.ServerStarting, 25, 100, 25},
		{100, 100, 0, 0, runtime.ServerStarting, 0, 100, 1},
		{100, 100, 0, 0, runtime.ServerStarting, 200, 100, 100},
	} {
		px := backend(c.max)
		srv := px.Servers[0]
		srv.MinConn, px.FullConn = c.min, c.full
		px.Live.MakeCounters(1)
		for range c.on {
			px.Live.BackConns.Enter(&px.Live.Back[0].Active)
		}
		srv.State.Store(int32(c.state))
		srv.LastChange.Store(now - c.since)
		srv.SlowStart = time.Duration(c.slow) * time.Second
		if got := DynamicMaxConn(srv); got != c.want && (c.slow == 0 || got != c.want+1) { // the second may turn
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// stream is a goroutine that wants a slot.
type stream struct {
	Ticket
	runtime.Stream
	wake chan struct{}
}

func (s *stream) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// TestNoLostWakeUp: many goroutines share few slots; each is served, and the limit holds.
func TestNoLostWakeUp(t *testing.T) {
	px := backend(2, 1)
	var wg sync.WaitGroup
	var over atomic.Int32
	for g := range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := &stream{wake: make(chan struct{}, 1)}
			s.Back = px
			rnd := rand.New(rand.NewPCG(uint64(g), 1))
			for range 500 {
				want := []*runtime.Server{nil, px.Servers[0], px.Servers[1]}[rnd.IntN(3)]
				srv := want
				if Reserve(&s.Ticket, &s.Stream, want, s) == Queued {
					if rnd.IntN(4) == 0 {
						Cancel(&s.Ticket)
						continue
					}
					for srv = nil; srv == nil; {
						select {
						case <-s.wake:
						case <-time.After(20 * time.Second):
							t.Error("never woken")
							return
						}
						if s.Ticket.State() == Granted {
							srv = s.Ticket.Server()
						}
					}
				}
				if srv.Served.Load() > int64(srv.MaxConn.Load()) {
					over.Add(1)
				}
				Release(srv)
			}
		}()
	}
	wg.Wait()
	if over.Load() != 0 || px.Live.TotalQueued.Load() != 0 || px.Live.Served.Load() != 0 {
		t.Errorf("%d over the limit, %d queued, %d served", over.Load(), px.Live.TotalQueued.Load(), px.Live.Served.Load())
	}
}

func BenchmarkReserve(b *testing.B) {
	px := backend(1)
	var w waiter
	b.ReportAllocs()
	for b.Loop() {
		w.reserve(px.Servers[0], px)
		Release(px.Servers[0])
	}
}
