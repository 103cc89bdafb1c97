package ssl_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"hapax/runtime"
	"hapax/runtime/engine"
	"hapax/runtime/ssl"
)

// start runs the engine with a configuration whose listeners, in their order, are bound
// to free ports; it returns their addresses. %s in the text is the address of a server.
func start(t *testing.T, loopEngine, text, server string) (addrs []string, cfg *runtime.Config) {
	t.Helper()
	cfg, said := ssl.Load(t, strings.ReplaceAll(text, "%s", server))
	if cfg == nil {
		t.Fatal(said)
	}
	for _, px := range cfg.Proxies {
		for _, ln := range px.Listeners {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ln.Sock, err = l.(*net.TCPListener).File()
			l.Close()
			if err != nil {
				t.Fatal(err)
			}
			addrs = append(addrs, l.Addr().String())
		}
		for _, srv := range px.Servers {
			srv.State.Store(int32(runtime.ServerRunning))
			srv.UserWeight.Store(int32(srv.Weight))
		}
	}
	e := engine.New(cfg, engine.Options{Loop: loopEngine})
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for end := time.Now().Add(5 * time.Second); ; {
			left := int64(0)
			for _, l := range e.Loops() {
				turn := make(chan struct{})
				l.PostFunc(func() { close(turn) })
				<-turn
				left += l.Stats().Buffers.Load()
			}
			if left == 0 && cfg.Stats.Conns.Load() == 0 {
				break
			}
			if time.Now().After(end) {
				t.Errorf("left: %d buffers, %d connections", left, cfg.Stats.Conns.Load())
				break
			}
		}
		e.Close()
	})
	return addrs, cfg
}

const exchangeConfig = `global
  nbthread 1
  maxconn 100
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend f
  bind 127.0.0.1:1 ssl crt site.pem
  http-request set-header x-tls "%[ssl_fc] %[ssl_fc_protocol] %[ssl_fc_alpn] %[ssl_fc_sni] %[ssl_fc_is_resumed]"
  http-request return status 200 content-type text/plain lf-string "%[ssl_fc_cipher]" if { path /cipher }
  default_backend clear
  use_backend encrypted if { path_beg /encrypted }
backend clear
  server s %s
backend encrypted
  server s %s ssl verify none
`

// TestExchanges: requests over a TLS listener, to clear servers and to such with TLS.
func TestExchanges(t *testing.T) {
	ssl.WriteFiles(t)
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		name := ""
		if r.TLS != nil {
			name = r.TLS.ServerName
		}
		w.Header().Set("x-seen", fmt.Sprintf("%s|%s|%d", r.Header.Get("x-tls"), name, len(body)))
		w.Write(body)
	})
	clear, encrypted := httptest.NewServer(echo), httptest.NewTLSServer(echo)
	defer clear.Close()
	defer encrypted.Close()
	text := strings.Replace(exchangeConfig, "server s %s ssl", "server s "+encrypted.Listener.Addr().String()+" ssl", 1)
	ssl.Engines(t, func(t *testing.T, loopEngine string) {
		addrs, cfg := start(t, loopEngine, text, clear.Listener.Addr().String())
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			c, err := tls.Dial("tcp", addrs[0], &tls.Config{InsecureSkipVerify: true, MaxVersion: version, ServerName: "site.test", NextProtos: []string{"x", "http/1.1"}})
			if err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(20 * time.Second))
			br := bufio.NewReader(c)
			for _, path := range []string{"/", "/encrypted"} {
				for _, size := range []int{0, 1, 1000, 16384, 300000, 3 << 20} {
					body := string(ssl.Noise(size))
					go fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: www.test:8443\r\nContent-Length: %d\r\n\r\n%s", path, size, body)
					res, err := http.ReadResponse(br, nil)
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(res.Body)
					if err != nil || string(got) != body {
						t.Fatalf("%s: %d bytes of %d, %v", path, len(got), size, err)
					}
					name := ""
					if path == "/encrypted" {
						name = "www.test"
					}
					want := fmt.Sprintf("1 %s http/1.1 site.test 0|%s|%d", ssl.VersionName(version), name, size)
					if seen := res.Header.Get("x-seen"); seen != want {
						t.Errorf("%s: the server saw %q, want %q", path, seen, want)
					}
				}
			}
			fmt.Fprintf(c, "GET /cipher HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			res, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatal(err)
			}
			if cipher, _ := io.ReadAll(res.Body); string(cipher) != ssl.SuiteNames[c.ConnectionState().CipherSuite] {
				t.Errorf("cipher %q", cipher)
			}
			if rest, err := io.ReadAll(br); err != nil || len(rest) > 0 {
				t.Errorf("behind the last response: %q, %v", rest, err)
			}
			c.Close()
		}
		srv := cfg.Proxies[2].Servers[0]
		if n := srv.Stats[0].Connects.Load(); n > 4 {
			t.Errorf("%d connections to the server with TLS for 12 requests", n)
		}
	})
}

// TestNamesArePooledApart: a connection that asked for one name serves no other.
func TestNamesArePooledApart(t *testing.T) {
	ssl.WriteFiles(t)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.TLS.ServerName, r.RemoteAddr)
	}))
	defer srv.Close()
	ssl.Engines(t, func(t *testing.T, loopEngine string) {
		addrs, _ := start(t, loopEngine, "defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"+
			"listen l\n bind 127.0.0.1:1\n http-reuse always\n server s %s ssl verify none sni req.hdr(x-name) pool-low-conn 9\n", srv.Listener.Addr().String())
		from := map[string]string{}
		for _, name := range []string{"a.test", "b.test", "a.test", "c.test", "b.test", "a.test"} {
			req, _ := http.NewRequest("GET", "http://"+addrs[0]+"/", nil)
			req.Header.Set("x-name", name)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			res.Body.Close()
			asked, addr, _ := strings.Cut(string(body), " ")
			if asked != name {
				t.Errorf("name %s: the server was asked for %s", name, asked)
			}
			if from[name] != "" && from[name] != addr {
				t.Errorf("name %s: another connection", name)
			}
			from[name] = addr
		}
		http.DefaultClient.CloseIdleConnections()
	})
}

// TestTunnel: TCP mode with TLS on both sides, with half-closes.
func TestTunnel(t *testing.T) {
	ssl.WriteFiles(t)
	ln, _ := ssl.Server(t, &tls.Config{})
	ssl.Engines(t, func(t *testing.T, loopEngine string) {
		addrs, _ := start(t, loopEngine, "defaults\n mode tcp\n timeout client 5s\n timeout server 5s\n timeout connect 5s\n"+
			"listen l\n bind 127.0.0.1:1 ssl crt site.pem\n server s %s ssl verify none\n", ln.Addr().String())
		c, err := tls.Dial("tcp", addrs[0], &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		data := ssl.Noise(2 << 20)
		go func() {
			c.Write(data)
			c.CloseWrite()
		}()
		got, err := io.ReadAll(c)
		if err != nil || string(got) != string(data) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		c.Close()
	})
}
