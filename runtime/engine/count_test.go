package engine

import (
	goruntime "runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
)

// counted is a stream of an engine whose loops do not run, with a backend and a server to count it.
func counted(t testing.TB) (*stream, *runtime.Server) {
	goruntime.LockOSThread()
	t.Cleanup(goruntime.UnlockOSThread)
	r := start(t, loop.Epoll, "127.0.0.1:1", nil)
	l, err := loop.New(loop.Options{Engine: loop.Epoll})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	s := newStream(newWorker(r.Engine, 0, l))
	fe, be := r.cfg.Proxies[0], r.cfg.Proxies[1]
	s.c = &client{w: s.w}
	s.Session = &runtime.Session{Front: fe, Listener: fe.Listeners[0]}
	s.Front, s.http, s.replied = fe, true, true
	return s, be.Servers[0]
}

// count is all that is counted of a request and its response.
func (s *stream) count(srv *runtime.Server) {
	now := int64(time.Second)
	s.countHTTP()
	s.countRequest()
	s.started()
	s.enterBackend(srv.Proxy)
	s.Server = srv
	s.enterServer(srv)
	s.back().LBTotal.Inc()
	srv.Stats[0].LBTotal.Inc()
	s.back().Reuses.Inc()
	srv.Stats[0].Reuses.Inc()
	s.Status = 200
	s.countStatus(200)
	s.Time = runtime.Timing{Accept: now, Request: now, Queue: now, Connect: now, Response: now, Close: now}
	s.BytesIn, s.ReqToServer, s.ResFromServer, s.BytesOut = 100, 100, 200, 200
	s.account()
	s.leaveCounts()
	s.counts().Ended.Inc()
}

// BenchmarkCounting is what counting a request costs: cpu-ns/op is right on a busy machine too.
func BenchmarkCounting(b *testing.B) {
	s, srv := counted(b)
	var before, after unix.Rusage
	unix.Getrusage(unix.RUSAGE_THREAD, &before)
	for b.Loop() {
		s.count(srv)
	}
	unix.Getrusage(unix.RUSAGE_THREAD, &after)
	b.ReportMetric(float64(after.Utime.Nano()-before.Utime.Nano())/float64(b.N), "cpu-ns/op")
}

// TestCounting looks at what one request leaves in the counters.
func TestCounting(t *testing.T) {
	s, srv := counted(t)
	for range 3 {
		s.count(srv)
	}
	st, b, f := &srv.Stats[0], s.back(), s.front()
	for name, got := range map[string]uint64{"server req": st.Req.Load(), "server 2xx": st.Rsp[runtime.Status2xx].Load(), "backend req": b.Req.Load(),
		"backend sess": b.Sess.Load(), "frontend 2xx": f.Rsp[runtime.Status2xx].Load(), "streams": s.counts().Streams.Load(), "samples": st.TTime.Window(),
		"bytes": st.ResOut.Load() / 200} {
		if got != 3 {
			t.Errorf("%s: %d, want 3", name, got)
		}
	}
	if n := srv.Current.Load() + s.Back.Live.BackConns.Load(); n != 0 {
		t.Errorf("%d streams are still counted", n)
	}
}
