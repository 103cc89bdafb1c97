package engine_test

import (
	"bytes"
	"fmt"
	"net"
	goruntime "runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/config"
	"hapax/runtime/cookie"
	"hapax/runtime/engine"
	"hapax/runtime/fcgi"
	"hapax/runtime/filter"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/objects"
	"hapax/runtime/queue"
	"hapax/runtime/rules"
	"hapax/runtime/sticktable"
)

// load reads a configuration with the domains that requests need.
func load(t testing.TB, text string) *runtime.Config {
	t.Helper()
	tables, err := config.NewTables([]*config.Domain{
		config.Rows(), {Name: "acl", Fetches: acl.Fetches}, {Name: "fetch", Fetches: fetch.Rows}, {Name: "convert", Converters: convert.Rows},
		&cookie.Domain, &balance.Domain, &queue.Domain, &rules.Domain, &logger.Domain, &sticktable.Domain, &engine.Domain, &objects.Domain,
		&filter.Domain, &fcgi.Domain,
	})
	if err != nil {
		t.Fatal(err)
	}
	var list diag.List
	cfg, ok := config.Load(tables, []*ast.File{parser.Parse("test.cfg", text)}, parser.NewEnv(nil), &list, config.Options{Variables: logger.Variables})
	if !ok {
		t.Fatal(list.String())
	}
	return cfg
}

// TestNoAllocation sends the requests of the benchmark through the real loop: rules, a log line each, two threads. They come in
// rounds, and one round must see no allocation at all: the runtime of Go makes objects of its own now and then (for the threads
// that it starts, for a loop that first waits for a lock), requests make some each time or never.
func TestNoAllocation(t *testing.T) {
	for _, c := range []struct {
		name, global, bind, backend, server string
		answer                              func(net.Listener)
		ask                                 func(*testing.T, net.Conn) func() bool
	}{
		{"HTTP1", "", "", "", "", answerAll, askH1},
		{"HTTP2 to HTTP1", "", "proto h2", "", "", answerAll, askH2},
		{"HTTP1 to HTTP2", "", "", "", "proto h2", answerAllH2, askH1},
		{"HTTP2", "", "proto h2", "", "proto h2", answerAllH2, askH2},
		// On one loop: a connection to an application takes memory when it moves to another.
		{"HTTP1 to FastCGI", "nbthread 1", "", "use-fcgi-app php", "proto fcgi", answerAllFCGI, askH1},
	} {
		for _, name := range []string{loop.Uring, loop.Epoll} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				goruntime.LockOSThread() // a ring belongs to the thread that made it
				l, err := loop.New(loop.Options{Engine: name})
				if err != nil {
					t.Fatal(err)
				}
				l.Close()
				goruntime.UnlockOSThread()
				origin, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer origin.Close()
				go c.answer(origin)
				logs, err := net.ListenPacket("udp", "127.0.0.1:0") // nobody reads: what does not fit is dropped
				if err != nil {
					t.Fatal(err)
				}
				defer logs.Close()
				addr := serve(t, name, fmt.Sprintf(`
global
	log %s local0
	nbthread 2
	%s
defaults
	mode http
	log global
	option httplog
	timeout client 10s
	timeout server 10s
	timeout connect 10s
frontend f
	bind fd@${LISTENER} %s
	option forwardfor
	stick-table type ip size 1k expire 1h store conn_cur,http_req_rate(10s),bytes_out_cnt
	http-request track-sc0 src
	http-request deny if { sc_http_req_rate(0) gt 1000000 } || { src_conn_cur gt 1000 }
	acl static path_beg /static/
	acl agent hdr_sub(user-agent) -i tester
	use_backend b if static agent
backend b
	%s
	http-reuse always
	balance roundrobin
	server s1 %s %s
	server s2 %[5]s %[6]s
fcgi-app php
	docroot /var/www
	index index.php
`, logs.LocalAddr(), c.global, c.bind, c.backend, origin.Addr(), c.server))
				countAllocations(t, addr, c.ask)
			})
		}
	}
}

// countAllocations makes the requests.
func countAllocations(t *testing.T, addr string, asks func(*testing.T, net.Conn) func() bool) {
	const clients, rounds, each = 8, 26, 500 // the first round is for warming up
	var begin [rounds]chan struct{}
	for i := range begin {
		begin[i] = make(chan struct{})
	}
	var done sync.WaitGroup
	var enough atomic.Bool
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ask := asks(t, c)
		go func() {
			for round := range rounds {
				<-begin[round]
				if enough.Load() {
					return
				}
				for range each {
					if !ask() {
						break
					}
				}
				done.Done()
			}
		}()
	}
	var seen []uint64
	for round := range rounds {
		if round == 1 {
			goruntime.GC() // of what warming up left
		}
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		done.Add(clients)
		close(begin[round])
		done.Wait()
		goruntime.ReadMemStats(&after)
		seen = append(seen, after.Mallocs-before.Mallocs)
		if round > 0 && seen[round] == 0 {
			t.Logf("allocations in rounds of %d requests: %d", clients*each, seen)
			enough.Store(true)
			for _, b := range begin[round+1:] {
				close(b)
			}
			return
		}
	}
	t.Errorf("each round of %d requests made allocations: %d", clients*each, seen)
}

// askH1 makes the same request again and again.
func askH1(t *testing.T, c net.Conn) func() bool {
	req := []byte("GET /static/x HTTP/1.1\r\nHost: a\r\nUser-Agent: the tester\r\n\r\n")
	buf := make([]byte, 4096)
	return func() bool {
		if _, err := c.Write(req); err != nil {
			t.Error(err)
			return false
		}
		n, err := c.Read(buf)
		if err != nil || !bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 200")) {
			t.Errorf("%q %v", buf[:n], err)
			return false
		}
		return true
	}
}

// serve runs a configuration whose one listener, fd@${LISTENER}, is made here, and returns its address.
func serve(t testing.TB, engineName, text string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := ln.(*net.TCPListener).File()
	ln.Close()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Dup(int(f.Fd())) // the listener's own from here on
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	cfg := load(t, strings.ReplaceAll(text, "${LISTENER}", fmt.Sprint(fd)))
	for _, px := range cfg.Proxies {
		for _, l := range px.Listeners {
			if err := engine.Bind(&cfg.Global, l, nil); err != nil {
				t.Fatal(err)
			}
			if err := engine.Listen(&cfg.Global, l); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := logger.Start(cfg, cfg.Global.NbThread, nil); err != nil {
		t.Fatal(err)
	}
	for _, px := range cfg.Proxies {
		for _, srv := range px.Servers {
			srv.State.Store(int32(runtime.ServerRunning))
		}
	}
	e := engine.New(cfg, engine.Options{Loop: engineName})
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.Close()
		logger.Stop(cfg)
	})
	return ln.Addr().String()
}

// answerAll answers every request on every connection with the same bytes, without allocating.
func answerAll(ln net.Listener) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 4096)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				for k := bytes.Count(buf[:n], []byte("\r\n\r\n")); k > 0; k-- {
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}
		}()
	}
}
