package ssl

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/loop"
)

// tlsServer echoes what its clients send, until they say goodbye.
func tlsServer(t *testing.T, config *tls.Config) (net.Listener, chan tls.ConnectionState) {
	t.Helper()
	states := make(chan tls.ConnectionState, 10)
	if config.Certificates == nil {
		config.Certificates = []tls.Certificate{testCertificate(t, testKeys().ec, "site.test").present(false)}
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				c.SetDeadline(time.Now().Add(10 * time.Second))
				if c.(*tls.Conn).Handshake() != nil {
					return
				}
				states <- c.(*tls.Conn).ConnectionState()
				io.Copy(c, c)
				c.(*tls.Conn).CloseWrite()
			}()
		}
	}()
	return ln, states
}

// trustedTest is a file of one authority.
func trustedTest(c *certificate) *trusted {
	a := newAnchors()
	a.put(anchor{cert: c.leaf, key: canonical(c.leaf.RawSubject)})
	t := &trusted{name: "test"}
	t.data.Store(a)
	return t
}

func clientContext(tune func(*tls.Config)) *Context {
	x := &Context{maxRecord: maxRecord, stats: &runtime.GlobalStats{}}
	x.config = &tls.Config{InsecureSkipVerify: true, DynamicRecordSizingDisabled: true}
	x.sessions.empty()
	if tune != nil {
		tune(x.config)
	}
	return x
}

// connect opens a connection of the loop to an address.
func (r *rig) connect(x *Context, to net.Addr, name string, p *peer) {
	r.t.Helper()
	p.r = r
	r.l.PostFunc(func() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			panic(err)
		}
		addr := loop.AddrFrom(netip.MustParseAddrPort(to.String()))
		p.Connect(r.l, fd, &addr, p, x.Client(name, ""))
	})
}

func TestClient(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			ln, states := tlsServer(t, &tls.Config{MaxVersion: version, NextProtos: []string{"http/1.1"}})
			x := clientContext(func(c *tls.Config) { c.NextProtos = []string{"http/1.1"} })
			r := serve(t, engine, x, echo)
			data := noise(1 << 20)
			for i := range 3 {
				var got bytes.Buffer
				end := make(chan error, 1)
				r.connect(x, ln.Addr(), "site.test", &peer{
					connected: func(p *peer) {
						p.SendStatic(data)
						p.Shutdown()
					},
					received: func(_ *peer, b *loop.Buffer) { got.Write(b.Data); b.Release() },
					ended:    func(p *peer, err error) { p.Close(0); end <- err },
				})
				if err := <-end; err != io.EOF || !bytes.Equal(got.Bytes(), data) {
					t.Fatalf("%d bytes, %v", got.Len(), err)
				}
				state := <-states
				if state.ServerName != "site.test" || state.NegotiatedProtocol != "http/1.1" || state.DidResume != (i > 0) {
					t.Errorf("connection %d: name %q, protocol %q, resumed %v", i, state.ServerName, state.NegotiatedProtocol, state.DidResume)
				}
			}
		}
	})
}

func TestClientVerification(t *testing.T) {
	own := testCertificate(t, testKeys().ec, "site.test", "*.other.test")
	known, stranger := trustedTest(own), trustedTest(testCertificate(t, testKeys().rsa, "site.test"))
	ln, _ := tlsServer(t, &tls.Config{Certificates: []tls.Certificate{own.present(false)}})
	for _, c := range []struct {
		name, host string
		roots      *trusted
		ok         bool
	}{
		{"site.test", "", known, true},
		{"", "", known, true}, // without any name, only the chain counts
		{"a.other.test", "", known, true},
		{"nobody.test", "", known, false},
		{"nobody.test", "site.test", known, false}, // the name comes before verifyhost
		{"site.test", "nobody.test", known, true},
		{"127.0.0.1", "", known, false}, // an address is not sent, but verified
		{"", "site.test", known, true},
		{"", "nobody.test", known, false},
		{"site.test", "", stranger, false},
	} {
		x := clientContext(nil)
		x.roots, x.host = c.roots, c.host
		r := serve(t, loop.Epoll, x, echo)
		r.connect(x, ln.Addr(), c.name, &peer{connected: func(p *peer) { p.Close(0) }})
		if err := r.outcome(0); (err == nil) != c.ok {
			t.Errorf("name %q, verifyhost %q: %v", c.name, c.host, err)
		}
	}
}

// TestClientRefused: the socket's error is told, and one of the server's handshake.
func TestClientRefused(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		x := clientContext(nil)
		r := serve(t, engine, x, echo)
		gone, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		gone.Close()
		r.connect(x, gone.Addr(), "", &peer{})
		if err := r.outcome(0); err != unix.ECONNREFUSED {
			t.Errorf("refused: %v", err)
		}
		clear, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer clear.Close()
		go func() {
			for {
				c, err := clear.Accept()
				if err != nil {
					return
				}
				io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
				c.Close()
			}
		}()
		r.connect(x, clear.Addr(), "", &peer{})
		if err := r.outcome(1); err == nil || !strings.Contains(err.Error(), "wrong version number") {
			t.Errorf("a clear server: %v", err)
		}
	})
}

// TestClientCertificate: the server sees the certificate of "crt".
func TestClientCertificate(t *testing.T) {
	own := testCertificate(t, testKeys().rsa, "client.test")
	roots := x509.NewCertPool()
	roots.AddCert(own.leaf)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		ln, states := tlsServer(t, &tls.Config{MaxVersion: version, ClientAuth: tls.RequireAnyClientCert})
		x := clientContext(func(c *tls.Config) {
			c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				shown := own.present(false)
				return &shown, nil
			}
		})
		r := serve(t, loop.Epoll, x, echo)
		r.connect(x, ln.Addr(), "", &peer{connected: func(p *peer) { p.Shutdown() }})
		if err := r.outcome(0); err != nil {
			t.Fatal(err)
		}
		if state := <-states; state.PeerCertificates[0].Subject.CommonName != "client.test" {
			t.Error(errors.New(state.PeerCertificates[0].Subject.String()))
		}
	}
}

// TestVerifyClients: clients with and without certificates, by the three methods.
func TestVerifyClients(t *testing.T) {
	own := testCertificate(t, testKeys().rsa, "client.test")
	known, stranger := trustedTest(own), trustedTest(testCertificate(t, testKeys().ec, "other.test"))
	const missing = "SSL handshake failure (error:0A0000C7:SSL routines::peer did not return a certificate)"
	const untrusted = "SSL client certificate not trusted"
	for _, c := range []struct {
		line options
		show bool
		want string
	}{
		{options{verify: verifyNone}, true, ""},
		{options{verify: verifyOptional, authorities: known}, true, ""},
		{options{verify: verifyOptional, authorities: known}, false, ""},
		{options{verify: verifyOptional, authorities: stranger, noNames: true}, true, untrusted},
		{options{verify: verifyRequired, authorities: known}, true, ""},
		{options{verify: verifyRequired, unnamed: known}, true, ""},
		{options{verify: verifyRequired, authorities: stranger, unnamed: known}, true, ""},
		{options{verify: verifyRequired, authorities: known}, false, missing},
		{options{verify: verifyRequired, authorities: stranger, noNames: true}, true, untrusted},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			x := testContext(t, testKeys().ec, func(s *setup) { s.options = c.line })
			r := serve(t, loop.Epoll, x, echo)
			config := &tls.Config{MaxVersion: version}
			if c.show {
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					shown := own.present(false)
					return &shown, nil
				}
			}
			conn := r.dial(config, nil)
			conn.Handshake()
			got := ""
			if err := r.outcome(0); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%+v, certificate shown %v: %q, want %q", c.line, c.show, got, c.want)
			}
			conn.Close()
		}
	}
}
