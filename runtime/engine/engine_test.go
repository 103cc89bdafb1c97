package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	goruntime "runtime"
	"strings"
	"testing"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/loop"
)

// rig is a running engine in front of a server of the test.
type rig struct {
	*Engine
	addr string
	cfg  *runtime.Config
}

// start runs an engine of one thread with one frontend and one backend whose server is at addr.
func start(t testing.TB, engine string, server string, tune func(fe, be *runtime.Proxy)) *rig {
	t.Helper()
	return startThreads(t, engine, 1, server, tune)
}

func startThreads(t testing.TB, engine string, threads int, server string, tune func(fe, be *runtime.Proxy)) *rig {
	t.Helper()
	cfg := &runtime.Config{Vars: &sample.VarNames{}}
	cfg.ProcVars = sample.NewProcVars(&cfg.VarLimits)
	g := &cfg.Global
	g.NbThread, g.MaxPipes = threads, 100
	g.Tune.BufSize, g.Tune.MaxRewrite, g.Tune.MaxHdr, g.Tune.LogURILen = 16384, 1024, 101, 1023
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := ln.(*net.TCPListener).File()
	ln.Close()
	if err != nil {
		t.Fatal(err)
	}
	fe := &runtime.Proxy{Name: "f", Caps: runtime.CapFront, Mode: runtime.ModeHTTP}
	be := &runtime.Proxy{Name: "b", Caps: runtime.CapBack, Mode: runtime.ModeHTTP, Retries: 3}
	be.Options = runtime.OptAbortOnClose
	be.Balance.Algo = "roundrobin"
	for _, px := range []*runtime.Proxy{fe, be} {
		px.Timeout.Client, px.Timeout.Server, px.Timeout.Connect = 5*time.Second, 5*time.Second, 5*time.Second
	}
	fe.DefaultBack = be
	l := &runtime.Listener{Proxy: fe, Bind: &runtime.Bind{}, Sock: f}
	l.Addr = runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.MustParseAddrPort(ln.Addr().String())}
	fe.Listeners = append(fe.Listeners, l)
	srv := &runtime.Server{Name: "s", Proxy: be, Weight: 1, MaxReuse: -1, PoolMax: -1, PoolPurge: 5 * time.Second}
	srv.UserWeight.Store(1)
	srv.State.Store(int32(runtime.ServerRunning))
	srv.Addr.Store(&runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.MustParseAddrPort(server)})
	be.Servers = append(be.Servers, srv)
	cfg.Proxies = []*runtime.Proxy{fe, be}
	if tune != nil {
		tune(fe, be)
	}
	e := New(cfg, Options{Loop: engine})
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return &rig{Engine: e, addr: ln.Addr().String(), cfg: cfg}
}

// engines runs a test on both loop engines.
func engines(t *testing.T, f func(t *testing.T, engine string)) {
	for _, name := range []string{loop.Uring, loop.Epoll} {
		t.Run(name, func(t *testing.T) {
			goruntime.LockOSThread() // a ring belongs to the thread that made it
			defer goruntime.UnlockOSThread()
			if l, err := loop.New(loop.Options{Engine: name}); err != nil {
				if os.Getenv("CI") == "" {
					t.Skip(err)
				}
				t.Fatal(err)
			} else {
				l.Close()
			}
			f(t, name)
		})
	}
}

func TestKeepAlive(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %d", r.Method, r.URL, len(b))
		}))
		defer srv.Close()
		r := start(t, engine, srv.Listener.Addr().String(), nil)
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		br := bufio.NewReader(c)
		for i, body := range []string{"", "x", strings.Repeat("y", 100), strings.Repeat("z", 300000)} {
			fmt.Fprintf(c, "POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body)
			c.SetReadDeadline(time.Now().Add(5 * time.Second))
			res, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := io.ReadAll(res.Body)
			if want := fmt.Sprintf("POST /%d %d", i, len(body)); string(got) != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	})
}

func TestLargeResponse(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, chunked := range []bool{false, true} {
			big := strings.Repeat("0123456789abcdef", 1<<18)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !chunked {
					w.Header().Set("Content-Length", fmt.Sprint(len(big)))
				}
				io.WriteString(w, big)
			}))
			r := start(t, engine, srv.Listener.Addr().String(), nil)
			res, err := http.Get("http://" + r.addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			if err != nil || string(got) != big {
				t.Errorf("chunked %v: %d bytes, %v", chunked, len(got), err)
			}
			res.Body.Close()
			srv.Close()
		}
	})
}

func TestRefusedServer(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		ln, _ := net.Listen("tcp", "127.0.0.1:0")
		addr := ln.Addr().String()
		ln.Close()
		r := start(t, engine, addr, func(fe, be *runtime.Proxy) { be.Retries = 0 })
		res, err := http.Get("http://" + r.addr + "/")
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != 503 {
			t.Errorf("status %d, want 503", res.StatusCode)
		}
	})
}
