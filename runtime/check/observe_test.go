package check_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/loop"
)

// TestObserve counts six connections that failed, with error-limit 2. The messages were
// recorded from the reference, where one session was active.
func TestObserve(t *testing.T) {
	const (
		failed = `WARNING Health check for server b/s failed, reason: Health analyze, info: "Detected 2 consecutive errors, last one was: L4 unsuccessful connection", status: `
		down   = "WARNING Server b/s is DOWN. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.\n" +
			"ALERT backend 'b' has no server available!\n"
	)
	for _, c := range []struct {
		onError string
		want    string
		hana    uint64
	}{
		{"mark-down", failed + "0/2 DOWN.\n" + down, 1},
		{"fail-check", failed + "2/3 UP.\n" + failed + "1/3 UP.\n" + failed + "0/2 DOWN.\n" + down, 3},
		{"sudden-death", failed + "1/3 UP.\n" + failed + "0/2 DOWN.\n" + down, 2},
		{"fastinter", "", 3},
	} {
		t.Run(c.onError, func(t *testing.T) {
			cfg := load(t, around("backend b\n option log-health-checks\n default-server fall 3 rise 2 inter 60s\n"+
				" server s 127.0.0.1:1 check observe layer4 error-limit 2 on-error "+c.onError+"\n"))
			p := &printed{}
			checks := check.New(cfg, check.Options{Print: p.print})
			build(cfg)
			srv := cfg.Proxies[0].Servers[0]
			srv.Health.Store(int32(srv.Rise + srv.Fall - 1))
			checks.Observe(srv, true, false, "L4 unsuccessful connection")
			checks.Observe(srv, true, true, "L4 successful connection") // makes up for the first
			checks.Observe(srv, false, false, "Wrong http response")    // is none of layer4's business
			for i := 0; i < 6 && srv.State.Load() != int32(runtime.ServerStopped); i++ {
				checks.Observe(srv, true, false, "L4 unsuccessful connection")
			}
			if diff := cmp.Diff(c.want, strings.Join(p.lines, "")); diff != "" {
				t.Errorf("(-reference +got):\n%s", diff)
			}
			if got := srv.FailedHana.Load(); got != c.hana {
				t.Errorf("failed_hana %d, want %d", got, c.hana)
			}
		})
	}
}

// TestSlowStart follows a server that comes up slowly: it begins with the smallest
// weight, and its slow start ends with a message of its own, as on the reference.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	cfg := load(t, around("backend b\n balance roundrobin\n server s 127.0.0.1:1 slowstart 1s weight 16\n server o 127.0.0.1:1\n"))
	p := &printed{want: 3, done: make(chan struct{})}
	checks := run(t, loop.Epoll, cfg, check.Options{Print: p.print})
	srv := cfg.Proxies[0].Servers[0]
	full := srv.Effective.Load()
	checks.SetHealth(srv, runtime.ServerStopped, "CLI")
	checks.SetHealth(srv, runtime.ServerRunning, "CLI")
	if got := srv.Effective.Load(); got != 16 || full != 16*16 {
		t.Errorf("effective weight %d of %d at the start", got, full)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		t.Fatalf("slow start does not end: %s", p.lines)
	}
	p.Lock()
	defer p.Unlock()
	if want := "WARNING Server b/s is UP. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.\n"; p.lines[2] != want {
		t.Errorf("got %q, want %q", p.lines[2], want)
	}
	if got := srv.Effective.Load(); got != full {
		t.Errorf("effective weight %d of %d at the end", got, full)
	}
}

// TestShutdown makes sure that streams are ended when and only when the server says so.
func TestShutdown(t *testing.T) {
	cfg := load(t, around("backend b\n server a 127.0.0.1:1 on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions\n"+
		" server n 127.0.0.1:1\n server k 127.0.0.1:1 backup\n server l 127.0.0.1:1 backup\n"))
	var got []string
	checks := check.New(cfg, check.Options{Shutdown: func(srv *runtime.Server, up bool) {
		if up {
			got = append(got, srv.Name+" up")
		} else {
			got = append(got, srv.Name+" down")
		}
	}})
	build(cfg)
	servers := cfg.Proxies[0].Servers
	for _, srv := range servers {
		checks.SetHealth(srv, runtime.ServerStopped, "CLI")
		checks.SetHealth(srv, runtime.ServerRunning, "CLI")
	}
	checks.SetMaint(servers[0])
	checks.SetReady(servers[0])
	if diff := cmp.Diff([]string{"a down", "k up", "l up", "a down", "k up", "l up"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCounters follows the numbers of a server and its backend over two outages.
func TestCounters(t *testing.T) {
	cfg := load(t, around("backend b\n server s 127.0.0.1:1\n"))
	checks := check.New(cfg, check.Options{})
	build(cfg)
	px := cfg.Proxies[0]
	srv := px.Servers[0]
	checks.SetHealth(srv, runtime.ServerStopped, "CLI")
	srv.LastChange.Add(-5)
	px.Live.LastChange.Add(-7)
	checks.SetHealth(srv, runtime.ServerRunning, "CLI")
	checks.SetMaint(srv)
	if srv.DownTrans.Load() != 2 || px.Live.DownTrans.Load() != 2 {
		t.Errorf("transitions: server %d, backend %d", srv.DownTrans.Load(), px.Live.DownTrans.Load())
	}
	if srv.DownTime.Load() != 5 || px.Live.DownTime.Load() != 7 {
		t.Errorf("time down: server %d, backend %d", srv.DownTime.Load(), px.Live.DownTime.Load())
	}
}
