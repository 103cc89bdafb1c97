package engine

import (
	"bytes"
	"fmt"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
)

// counted makes a stream of each loop of an engine whose loops do not run, with a backend and a server to count them.
func counted(t testing.TB, loops int) ([]*stream, *runtime.Server) {
	r := startThreads(t, loop.Epoll, loops, "127.0.0.1:1", nil)
	fe, be := r.cfg.Proxies[0], r.cfg.Proxies[1]
	var streams []*stream
	for id := range loops {
		l, err := loop.New(loop.Options{Engine: loop.Epoll})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(l.Close)
		s := newStream(newWorker(r.Engine, id, l))
		s.c = &client{w: s.w}
		s.Session = &runtime.Session{Front: fe, Listener: fe.Listeners[0]}
		s.fe = s.Session.Counters(id)
		s.Front, s.http, s.replied, s.Status = fe, true, true, 200
		now := int64(time.Second)
		s.Time = runtime.Timing{Accept: now, Request: now, Queue: now, Connect: now, Response: now, Close: now}
		s.BytesIn, s.ReqToServer, s.ResFromServer, s.BytesOut = 100, 100, 200, 200
		streams = append(streams, s)
	}
	return streams, be.Servers[0]
}

// count is all that is counted of a request and its response.
func (s *stream) count(srv *runtime.Server) {
	s.countHTTP()
	s.countRequest()
	s.started()
	s.enterBackend(srv.Proxy)
	s.Server = srv
	s.enterServer(srv)
	s.occupy(srv)
	s.back().LBTotal.Inc()
	srv.Stats[s.w.id].LBTotal.Inc()
	s.back().Reuses.Inc()
	srv.Stats[s.w.id].Reuses.Inc()
	s.countStatus(200)
	s.account()
	s.leaveCounts()
	s.counts().Ended.Inc()
}

// BenchmarkCounting is what counting a request costs one of the loops that count at the same time. min-ns/op is that of the
// quickest batch: on a busy machine the mean is up to twice as much, cpu-ns/op too where two processors are one core.
func BenchmarkCounting(b *testing.B) {
	const batch = 500
	for _, loops := range []int{1, 2} {
		b.Run(fmt.Sprintf("loops=%d", loops), func(b *testing.B) {
			goruntime.LockOSThread()
			defer goruntime.UnlockOSThread()
			streams, srv := counted(b, loops)
			var over atomic.Bool
			for _, s := range streams[1:] {
				go func() {
					for !over.Load() {
						s.count(srv)
					}
				}()
			}
			var before, after unix.Rusage
			unix.Getrusage(unix.RUSAGE_THREAD, &before)
			least, n, began := time.Hour, 0, time.Now()
			for b.Loop() {
				streams[0].count(srv)
				if n++; n == batch {
					now := time.Now()
					least, n, began = min(least, now.Sub(began)), 0, now
				}
			}
			unix.Getrusage(unix.RUSAGE_THREAD, &after)
			over.Store(true)
			b.ReportMetric(float64(after.Utime.Nano()-before.Utime.Nano())/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(least)/batch, "min-ns/op")
		})
	}
}

// TestCounting looks at what requests on two loops leave in the counters.
func TestCounting(t *testing.T) {
	streams, srv := counted(t, 2)
	for range 3 {
		for _, s := range streams {
			s.count(srv)
		}
	}
	for i, s := range streams {
		st, b, f := &srv.Stats[i], s.back(), s.front()
		for name, got := range map[string]uint64{"server req": st.Req.Load(), "server 2xx": st.Rsp[runtime.Status2xx].Load(), "backend req": b.Req.Load(),
			"backend sess": b.Sess.Load(), "frontend 2xx": f.Rsp[runtime.Status2xx].Load(), "streams": s.counts().Streams.Load(), "samples": st.Times.Window(),
			"bytes": st.ResOut.Load() / 200} {
			if got != 3 {
				t.Errorf("loop %d, %s: %d, want 3", i, name, got)
			}
		}
	}
	live := &srv.Proxy.Live
	for name, got := range map[string]uint64{"server": srv.Current.Max(), "backend": live.BackConns.Max()} {
		if got != 1 {
			t.Errorf("%s: %d streams at once, want 1", name, got)
		}
	}
	for name, got := range map[string]uint64{"server": srv.Rate.Max(), "backend": live.BackRate.Max(), "frontend": streams[0].Front.Live.ReqRate.Max()} {
		if got != 6 {
			t.Errorf("%s: %d in a second, want 6", name, got)
		}
	}
	if n := srv.Current.Load() + live.BackConns.Load(); n != 0 {
		t.Errorf("%d streams are still counted", n)
	}
}

// TestCountingWritesNothingShared counts on one loop and looks at the memory of all that loops share: when nothing new is
// reached, no maximum and no second, none of it changes. What loops count in lies apart.
func TestCountingWritesNothingShared(t *testing.T) {
	streams, srv := counted(t, 2)
	s := streams[0]
	for _, s := range streams {
		s.count(srv)
		s.count(srv)
	}
	shared := map[string][]byte{
		"server":   memory(srv),
		"backend":  memory(srv.Proxy),
		"frontend": memory(s.Front),
		"listener": memory(s.Session.Listener),
		"process":  memory(s.w.cfg),
	}
	for what, now := range shared {
		before := bytes.Clone(now)
		s.count(srv)
		for i := range now {
			if now[i] != before[i] {
				t.Errorf("%s: byte %d of %d changed", what, i, len(now))
			}
		}
	}
}

// memory is that of an object, without what it points to.
func memory[T any](object *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(object)), unsafe.Sizeof(*object))
}
