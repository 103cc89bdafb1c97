package ssl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"math/rand"
	"net"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// testCertificate makes a self-signed certificate.
func testCertificate(t testing.TB, key crypto.Signer, names ...string) *certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(crand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &certificate{leaf: leaf, key: key}
}

var testKeys = sync.OnceValue(func() (keys struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}) {
	keys.rsa, _ = rsa.GenerateKey(crand.Reader, 2048)
	keys.ec, _ = ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	return keys
})

// setup is what a bind line of a test says, and its certificates.
type setup struct {
	line
	lifetime time.Duration
	certs    []*certificate
}

// testContext is what a bind line with the key makes.
func testContext(t testing.TB, key crypto.Signer, tune func(*setup)) *Context {
	t.Helper()
	s := &setup{lifetime: defaultLifetime, certs: []*certificate{testCertificate(t, key, "site.test")}}
	if tune != nil {
		tune(s)
	}
	g := &settings{extra: extraAll, store: newStore()}
	x := &Context{maxRecord: maxRecord, lifetime: s.lifetime, stats: &runtime.GlobalStats{}, line: &s.line, span: s.versions.span()}
	x.config = &tls.Config{GetConfigForClient: x.pick, DynamicRecordSizingDisabled: true}
	for i, cert := range s.certs {
		fb := noFallback
		if i == 0 {
			fb = implicitFallback
		}
		if _, err := g.place(&entry{name: "test", cert: cert}, x, nil, fb); err != nil {
			t.Fatal(err)
		}
	}
	sites, faults := x.build(g, x.uses, nil)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	x.sites.Store(sites)
	return x
}

// rig is a loop that serves TLS connections with handlers of the test.
type rig struct {
	t    testing.TB
	l    *loop.Loop
	ln   net.Listener
	of   *Context
	make func() *peer
	mu   sync.Mutex
	ends []error // what Connected said
}

// peer is the server's end of a connection.
type peer struct {
	transport.Conn
	r         *rig
	connected func(p *peer)
	received  func(p *peer, b *loop.Buffer)
	ended     func(p *peer, err error)
	high      atomic.Int64 // the most that was ever queued
}

const testHigh, testLow = 256 << 10, 64 << 10

func (p *peer) Connected(err error) {
	p.r.mu.Lock()
	p.r.ends = append(p.r.ends, err)
	p.r.mu.Unlock()
	if err != nil {
		p.Close(0)
		return
	}
	if p.connected != nil {
		p.connected(p)
	}
	if !p.IsOpen() {
		return
	}
	p.Receive()
}

func (p *peer) Received(b *loop.Buffer, err error) {
	if b == nil {
		if p.ended != nil {
			p.ended(p, err)
			return
		}
		p.Close(time.Second)
		return
	}
	if p.received != nil {
		p.received(p, b)
		return
	}
	p.Send(b) // an echo
	p.high.Store(max(p.high.Load(), int64(p.Queued())))
	if p.Queued() > testHigh {
		p.Pause()
		p.NotifySent(testLow)
	}
}

func (p *peer) Sent(err error) {
	if err != nil {
		p.Close(0)
		return
	}
	p.Receive()
}

// serve starts a loop; check runs when it is over.
func serve(t testing.TB, engine string, x *Context, make func(r *rig) *peer) *rig {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, ln: ln, of: x}
	r.make = func() *peer { p := make(r); p.r = r; return p }
	ready, over := chanErr(), chanErr()
	go func() {
		goruntime.LockOSThread()
		l, err := loop.New(loop.Options{Engine: engine})
		r.l = l
		ready <- err
		if err == nil {
			l.Run()
			l.Close()
		}
		over <- nil
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f, err := c.(*net.TCPConn).File()
			c.Close()
			if err != nil {
				return
			}
			fd, err := unix.Dup(int(f.Fd()))
			f.Close()
			if err != nil {
				return
			}
			unix.SetNonblock(fd, true)
			unix.CloseOnExec(fd)
			r.l.PostFunc(func() {
				p := r.make()
				p.Open(r.l, fd, p, x.Server())
				p.Receive()
			})
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		r.eventually("buffers", func() bool { return r.l.Stats().Buffers.Load() == 0 })
		r.eventually("connections", func() bool { return x.stats.TLSConns.Load() == 0 })
		r.l.Stop()
		<-over
	})
	return r
}

func chanErr() chan error { return make(chan error, 1) }

// eventually waits for what the loop has still to do; it wakes the loop to see its
// counters.
func (r *rig) eventually(what string, done func() bool) {
	r.t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		turn := make(chan struct{})
		r.l.PostFunc(func() { close(turn) })
		<-turn
		if done() {
			return
		}
		goruntime.Gosched()
	}
	r.t.Errorf("%s left: %d buffers, %d connections", what, r.l.Stats().Buffers.Load(), r.of.stats.TLSConns.Load())
}

// outcome waits for the end of the n-th handshake.
func (r *rig) outcome(n int) (err error) {
	r.t.Helper()
	r.eventually("handshake", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.ends) <= n {
			return false
		}
		err = r.ends[n]
		return true
	})
	return err
}

func (r *rig) dial(config *tls.Config, wrap func(net.Conn) net.Conn) *tls.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.ln.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if wrap != nil {
		c = wrap(c)
	}
	if config == nil {
		config = &tls.Config{}
	}
	config.InsecureSkipVerify = true
	return tls.Client(c, config)
}

func echo(*rig) *peer { return &peer{} }

// engines runs a test on both loop engines.
func engines(t *testing.T, f func(t *testing.T, engine string)) {
	for _, name := range []string{loop.Uring, loop.Epoll} {
		t.Run(name, func(t *testing.T) {
			goruntime.LockOSThread() // a ring belongs to the thread that made it
			defer goruntime.UnlockOSThread()
			l, err := loop.New(loop.Options{Engine: name})
			if err != nil {
				if os.Getenv("CI") == "" {
					t.Skip(err)
				}
				t.Fatal(err)
			}
			l.Close()
			f(t, name)
		})
	}
}

// converse sends data and wants it back.
func converse(t *testing.T, c *tls.Conn, data []byte) {
	t.Helper()
	failed := make(chan error, 1)
	go func() {
		_, err := c.Write(data)
		failed <- err
	}()
	got := make([]byte, len(data))
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatal("the echo is not what was sent")
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(int64(n))).Read(b)
	return b
}

func TestEcho(t *testing.T) {
	keys := testKeys()
	engines(t, func(t *testing.T, engine string) {
		for _, key := range []crypto.Signer{keys.rsa, keys.ec} {
			for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
				t.Run(fmt.Sprintf("%T %s", key, versionName(version)), func(t *testing.T) {
					r := serve(t, engine, testContext(t, key, nil), echo)
					c := r.dial(&tls.Config{MaxVersion: version, ServerName: "site.test"}, nil)
					defer c.Close()
					for _, n := range []int{1, 5, 1000, 16383, 16384, 16385, 50000, 3 << 20} {
						converse(t, c, noise(n))
					}
				})
			}
		}
	})
}

// TestRSAKeyExchange uses the key to decrypt.
func TestRSAKeyExchange(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		suites := []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}
		r := serve(t, engine, testContext(t, testKeys().rsa, func(s *setup) { s.ciphers = "AES128-GCM-SHA256" }), echo)
		c := r.dial(&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: suites}, nil)
		defer c.Close()
		converse(t, c, noise(100))
	})
}

// cut writes in pieces of random sizes, which arrive on their own.
type cut struct {
	net.Conn
	rnd  *rand.Rand
	most int
}

func (c *cut) Write(p []byte) (int, error) {
	for at := 0; at < len(p); {
		n := min(1+c.rnd.Intn(c.most), len(p)-at)
		if _, err := c.Conn.Write(p[at : at+n]); err != nil {
			return at, err
		}
		at += n
		goruntime.Gosched()
	}
	return len(p), nil
}

func TestRecordsCutAnywhere(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for _, most := range []int{1, 7, 300, 5000} {
				r := serve(t, engine, testContext(t, testKeys().ec, nil), echo)
				c := r.dial(&tls.Config{MaxVersion: version, DynamicRecordSizingDisabled: true},
					func(c net.Conn) net.Conn { return &cut{c, rand.New(rand.NewSource(int64(most))), most} })
				for range 3 {
					converse(t, c, noise(most*2000))
				}
				c.Close()
			}
		}
	})
}

// TestSlowReader: what is queued for a client that does not read is limited, and nothing
// is lost.
func TestSlowReader(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		p := &peer{}
		r := serve(t, engine, testContext(t, testKeys().ec, nil), func(*rig) *peer { return p })
		c := r.dial(nil, func(c net.Conn) net.Conn { c.(*net.TCPConn).SetReadBuffer(64 << 10); return c })
		defer c.Close()
		data := noise(16 << 20)
		sent := make(chan error, 1)
		go func() { _, err := c.Write(data); sent <- err }()
		r.eventually("room", func() bool { return p.high.Load() > testHigh })
		got := make([]byte, len(data))
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
		if err := <-sent; err != nil || !bytes.Equal(got, data) {
			t.Error("not what was sent", err)
		}
		if high := p.high.Load(); high > testHigh+64<<10 {
			t.Errorf("%d bytes were queued", high)
		}
	})
}

// TestHalfClose: the client says goodbye, the server answers what it has still to say.
func TestHalfClose(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			var end error
			r := serve(t, engine, testContext(t, testKeys().ec, nil), func(*rig) *peer {
				return &peer{
					received: func(_ *peer, b *loop.Buffer) { b.Release() },
					ended: func(p *peer, err error) {
						end = err
						p.SendStatic([]byte("goodbye "))
						p.SendStatic(bytes.Repeat([]byte("x"), 100000))
						p.Close(time.Second)
					}}
			})
			c := r.dial(&tls.Config{MaxVersion: version}, nil)
			c.Write([]byte("hello"))
			c.CloseWrite()
			got, err := io.ReadAll(c)
			if err != nil || len(got) != 100008 || !strings.HasPrefix(string(got), "goodbye xxx") {
				t.Errorf("%d bytes, %v", len(got), err)
			}
			if end != io.EOF {
				t.Errorf("the server was told %v", end)
			}
			c.Close()
		}
	})
}

// TestServerShutdown: the server ends its side and still reads.
func TestServerShutdown(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		got := make(chan string, 1)
		r := serve(t, engine, testContext(t, testKeys().ec, nil), func(*rig) *peer {
			var text []byte
			return &peer{
				connected: func(p *peer) { p.SendStatic([]byte("all")); p.Shutdown(); p.SendStatic([]byte("lost")) },
				received:  func(_ *peer, b *loop.Buffer) { text = append(text, b.Data...); b.Release() },
				ended:     func(p *peer, err error) { got <- string(text); p.Close(0) }}
		})
		c := r.dial(nil, nil)
		if text, err := io.ReadAll(c); err != nil || string(text) != "all" {
			t.Errorf("client got %q, %v", text, err)
		}
		c.Write([]byte("still here"))
		c.Close()
		if text := <-got; text != "still here" {
			t.Errorf("server got %q", text)
		}
	})
}

// TestNoGoodbye: a connection that ends without close_notify ends all the same.
func TestNoGoodbye(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, part := range []int{0, 3, 40} {
			ends := make(chan error, 1)
			r := serve(t, engine, testContext(t, testKeys().ec, nil), func(*rig) *peer {
				return &peer{ended: func(p *peer, err error) { ends <- err; p.Close(0) }}
			})
			var raw net.Conn
			c := r.dial(nil, func(c net.Conn) net.Conn { raw = c; return c })
			converse(t, c, noise(10))
			raw.Write(append([]byte{23, 3, 3, 0, 100}, noise(100)...)[:part])
			raw.Close()
			if err := <-ends; err != io.EOF {
				t.Errorf("after %d bytes of a record: %v", part, err)
			}
		}
	})
}

// TestBadRecord: bytes that are no record end the connection with an error.
func TestBadRecord(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, bad := range []string{"GET / HTTP/1.1\r\n\r\n", "\x17\x03\x03\x00\x20" + strings.Repeat("z", 32), "\x17\x03\x03\xff\xff" + strings.Repeat("z", 100)} {
			ends := make(chan error, 1)
			r := serve(t, engine, testContext(t, testKeys().ec, nil), func(*rig) *peer {
				return &peer{ended: func(p *peer, err error) { ends <- err; p.Close(0) }}
			})
			var raw net.Conn
			c := r.dial(nil, func(c net.Conn) net.Conn { raw = c; return c })
			converse(t, c, noise(10))
			io.WriteString(raw, bad)
			if err := <-ends; err != unix.EPROTO {
				t.Errorf("%q: %v", bad, err)
			}
			raw.Close()
		}
	})
}

func TestHandshakeFailures(t *testing.T) {
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	cases := []struct {
		name, send, want string
		reset            bool
	}{
		{"nothing", "", "Connection closed during SSL handshake", false},
		{"two bytes", "AB", "Connection closed during SSL handshake", false},
		{"a part of a hello", hello, "Connection closed during SSL handshake", false},
		{"reset", hello, "SSL handshake failure", true},
		{"http", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "SSL handshake failure (error:0A00009C:SSL routines::http request)", false},
		{"connect", "CONNECT a:443 HTTP/1.1\r\n\r\n", "SSL handshake failure (error:0A00009B:SSL routines::https proxy request)", false},
		{"ssh", "SSH-2.0-OpenSSH_9.6\r\n", "SSL handshake failure (error:0A00010B:SSL routines::wrong version number)", false},
		{"zeroes", strings.Repeat("\x00", 100), "SSL handshake failure (error:0A00010B:SSL routines::wrong version number)", false},
		{"application data", "\x17\x03\x03\x00\x02\x02\x28", "SSL handshake failure (error:0A0000F4:SSL routines::unexpected message)", false},
		{"short hello", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "SSL handshake failure (error:0A0000A0:SSL routines::length too short)", false},
		{"long record", "\x16\x03\x01\xff\xff\x01\x00\x00\x01\x00", "SSL handshake failure (error:0A0000C6:SSL routines::packet length too long)", false},
	}
	engines(t, func(t *testing.T, engine string) {
		r := serve(t, engine, testContext(t, testKeys().ec, nil), echo)
		for i, c := range cases {
			raw, err := net.Dial("tcp", r.ln.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(raw, c.send)
			switch {
			case c.reset:
				raw.(*net.TCPConn).SetLinger(0)
				raw.Close()
			case strings.Contains(c.want, "closed"):
				raw.Close()
			}
			if err := r.outcome(i); err == nil || err.Error() != c.want {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			raw.Close()
		}
	})
}

func TestHandshakeRefusals(t *testing.T) {
	cases := []struct {
		name   string
		tune   func(*setup)
		client *tls.Config
		want   string
	}{
		{"version", func(s *setup) { s.versions.min = tlsv13 }, &tls.Config{MaxVersion: tls.VersionTLS12},
			"error:0A000102:SSL routines::unsupported protocol"},
		{"cipher", func(s *setup) { s.ciphers = "ECDHE-RSA-AES128-GCM-SHA256" }, &tls.Config{MaxVersion: tls.VersionTLS12},
			"error:0A0000C1:SSL routines::no shared cipher"},
		{"unknown name", func(s *setup) { s.strict = true }, &tls.Config{ServerName: "other.test"},
			"error:0A0000EA:SSL routines::callback failed"},
		{"client distrusts", nil, &tls.Config{VerifyConnection: func(tls.ConnectionState) error { return errors.New("no") }},
			"error:0A000412:SSL routines::sslv3 alert bad certificate"},
	}
	engines(t, func(t *testing.T, engine string) {
		for _, c := range cases {
			r := serve(t, engine, testContext(t, testKeys().ec, c.tune), echo)
			conn := r.dial(c.client, nil)
			if err := conn.Handshake(); err == nil {
				t.Errorf("%s: the handshake succeeded", c.name)
			}
			if err := r.outcome(0); err == nil || err.Error() != "SSL handshake failure ("+c.want+")" {
				t.Errorf("%s: %v, want %s", c.name, err, c.want)
			}
			conn.Close()
		}
	})
}

// TestCloseInHandshake: the owner loses patience, while the handshake waits for bytes or
// for its key.
func TestCloseInHandshake(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		waits := &waitingKey{Signer: testKeys().rsa, begun: make(chan struct{}, 1), go_: make(chan struct{})}
		for _, inKey := range []bool{false, true} {
			for _, abort := range []bool{false, true} {
				x := testContext(t, testKeys().ec, nil)
				if inKey {
					x = testContext(t, testKeys().rsa, func(s *setup) { s.certs[0].key = waits })
				}
				made := make(chan *peer, 1)
				r := serve(t, engine, x, func(*rig) *peer { p := &peer{}; made <- p; return p })
				raw, err := net.Dial("tcp", r.ln.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				p := <-made
				if inKey {
					go tls.Client(raw, &tls.Config{InsecureSkipVerify: true}).Handshake()
					<-waits.begun
				} else {
					io.WriteString(raw, "\x16\x03\x01\x02\x00\x01")
				}
				r.l.PostFunc(func() {
					if abort {
						p.Abort()
					} else {
						p.Close(0)
					}
				})
				r.eventually("connections", func() bool { return x.stats.TLSConns.Load() == 0 })
				if inKey {
					waits.go_ <- struct{}{}
				}
				raw.Close()
			}
		}
	})
}

// waitingKey signs when it is told to.
type waitingKey struct {
	crypto.Signer
	begun, go_ chan struct{}
}

func (k *waitingKey) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	k.begun <- struct{}{}
	<-k.go_
	return k.Signer.Sign(r, digest, opts)
}

// TestLoopGoesOnWhileKeyWorks: a slow key holds up nobody else.
func TestLoopGoesOnWhileKeyWorks(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		waits := &waitingKey{Signer: testKeys().rsa, begun: make(chan struct{}, 1), go_: make(chan struct{})}
		x := testContext(t, testKeys().rsa, func(s *setup) {
			s.certs[0].key = waits
			s.certs = append(s.certs, testCertificate(t, testKeys().ec, "other.test"))
		})
		r := serve(t, engine, x, echo)
		slow := r.dial(&tls.Config{ServerName: "site.test"}, nil)
		done := make(chan error, 1)
		go func() { done <- slow.Handshake() }()
		<-waits.begun
		quick := r.dial(&tls.Config{ServerName: "other.test"}, nil)
		converse(t, quick, noise(1000))
		quick.Close()
		waits.go_ <- struct{}{}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		converse(t, slow, noise(1000))
		slow.Close()
	})
}

func TestResumption(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			for _, lifetime := range []time.Duration{time.Minute, 0} {
				states := make(chan bool, 1)
				r := serve(t, engine, testContext(t, testKeys().rsa, func(s *setup) { s.lifetime = lifetime }), func(*rig) *peer {
					return &peer{connected: func(p *peer) { states <- p.Layer().(*Conn).Resumed() }}
				})
				cache := tls.NewLRUClientSessionCache(4)
				for i := range 3 {
					c := r.dial(&tls.Config{MaxVersion: version, ClientSessionCache: cache, ServerName: "site.test"}, nil)
					converse(t, c, noise(10)) // the ticket of TLS 1.3 comes first
					want := i > 0 && lifetime > 0
					if got := <-states; got != want || c.ConnectionState().DidResume != want {
						t.Errorf("%s, lifetime %v: connection %d resumed: %v", versionName(version), lifetime, i, got)
					}
					c.Close()
				}
			}
		}
	})
}

// TestALPN: as in OpenSSL, a client that offers only other protocols is served without one.
func TestALPN(t *testing.T) {
	for _, c := range []struct{ offer, want string }{{"", ""}, {"http/1.1", "http/1.1"}, {"h2,http/1.1", "http/1.1"}, {"h2", ""}, {"http/1.0,x", "x"}} {
		infos := make(chan string, 1)
		r := serve(t, loop.Epoll, testContext(t, testKeys().ec, func(s *setup) { s.ownALPN, s.protocols = true, []string{"http/1.1", "x"} }), func(*rig) *peer {
			return &peer{connected: func(p *peer) { infos <- p.Layer().(*Conn).ALPN() }}
		})
		config := &tls.Config{}
		if c.offer != "" {
			config.NextProtos = strings.Split(c.offer, ",")
		}
		conn := r.dial(config, nil)
		converse(t, conn, noise(10))
		if got := <-infos; got != c.want || conn.ConnectionState().NegotiatedProtocol != c.want {
			t.Errorf("offer %q: %q, want %q", c.offer, got, c.want)
		}
		conn.Close()
	}
}

// tap counts the records that come in.
type tap struct {
	net.Conn
	in bytes.Buffer
}

func (c *tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.Write(p[:n])
	return n, err
}

func (c *tap) records(kind byte) (sizes []int) {
	for p := c.in.Bytes(); len(p) > recordHead; {
		n := int(p[3])<<8 + int(p[4])
		if p[0] == kind {
			sizes = append(sizes, n)
		}
		p = p[min(recordHead+n, len(p)):]
	}
	return sizes
}

// TestRecordSizes: what is sent in one turn goes into as few records as tune.ssl.maxrecord
// allows.
func TestRecordSizes(t *testing.T) {
	const overhead = 8 + 16 // of AES-GCM in TLS 1.2
	for _, c := range []struct {
		limit int
		sends []int
		want  []int
	}{
		{maxRecord, []int{100, 200, 300}, []int{600}},
		{maxRecord, []int{100, 16384}, []int{100, 16384}},
		{maxRecord, []int{16384, 16384, 5}, []int{16384, 16384, 5}},
		{maxRecord, []int{40000}, []int{16384, 16384, 7232}},
		{1000, []int{300, 300, 300, 300, 1}, []int{900, 301}},
		{1000, []int{2500}, []int{1000, 1000, 500}},
	} {
		x := testContext(t, testKeys().ec, nil)
		x.maxRecord = c.limit
		r := serve(t, loop.Epoll, x, func(*rig) *peer {
			return &peer{connected: func(p *peer) {
				for _, n := range c.sends {
					p.SendStatic(noise(n))
				}
				p.Close(time.Second)
			}}
		})
		raw := &tap{}
		conn := r.dial(&tls.Config{MaxVersion: tls.VersionTLS12}, func(c net.Conn) net.Conn { raw.Conn = c; return raw })
		if _, err := io.ReadAll(conn); err != nil {
			t.Error(err)
		}
		got := raw.records(23)
		for i := range got {
			got[i] -= overhead
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("sends of %v in records of at most %d: %v, want %v", c.sends, c.limit, got, c.want)
		}
		conn.Close()
	}
}

// TestNoGoroutines: connections that wait have none.
func TestNoGoroutines(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		r := serve(t, engine, testContext(t, testKeys().ec, nil), echo)
		first := r.dial(nil, nil)
		converse(t, first, noise(1))
		before := goruntime.NumGoroutine()
		var all []net.Conn
		for range 50 {
			c := r.dial(nil, nil)
			converse(t, c, noise(10))
			all = append(all, c)
		}
		if n := goruntime.NumGoroutine(); n > before+5 {
			t.Errorf("%d goroutines more for 50 connections", n-before)
		}
		r.eventually("buffers", func() bool { return r.l.Stats().Buffers.Load() == 0 })
		for _, c := range append(all, first) {
			c.Close()
		}
	})
}

// TestPauseKeepsRecords: what comes while the owner has paused is delivered later.
func TestPauseKeepsRecords(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		got := make(chan string, 10)
		made := make(chan *peer, 1)
		r := serve(t, engine, testContext(t, testKeys().ec, nil), func(*rig) *peer {
			return &peer{
				connected: func(p *peer) { made <- p },
				received: func(p *peer, b *loop.Buffer) {
					got <- string(b.Data)
					b.Release()
					p.Pause() // one buffer at a time
				},
				ended: func(p *peer, err error) { got <- err.Error(); p.Close(0) },
			}
		})
		c := r.dial(&tls.Config{DynamicRecordSizingDisabled: true}, nil)
		want := [][]byte{noise(16384), noise(16384), noise(7)}
		c.Write(slices.Concat(want...))
		c.Close()
		p := <-made
		for _, w := range want {
			if text := <-got; text != string(w) {
				t.Fatalf("%d bytes, want %d", len(text), len(w))
			}
			r.l.PostFunc(p.Receive)
		}
		if text := <-got; text != "EOF" {
			t.Error(text)
		}
	})
}
