package main

import (
	"bufio"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// encrypted is a listener with TLS; CERTS is where the certificates are.
const encrypted = `frontend f
    bind %%s ssl crt CERTS/%s.pem
    default_backend b
backend b
    server s %%s
`

// tlsScenarios are the rows about TLS.
var tlsScenarios = []scenario{
	{name: "TLS, keep-alive, 64 clients: CPU us per request", config: certified("ec"), measure: tlsKeepAlive, format: micros},
	{name: "TLS 1.3, full handshakes, P-256: CPU us per connection with a request", config: certified("ec"), measure: handshakes(false), format: micros},
	{name: "TLS 1.3, resumed handshakes: CPU us per connection with a request", config: certified("ec"), measure: handshakes(true), format: micros},
	{name: "TLS 1.3, full handshakes, RSA-2048: CPU us per connection with a request", config: certified("rsa"), measure: handshakes(false), format: micros},
	{name: "TLS, 1 MiB bodies: MiB per CPU second", config: certified("ec"), measure: tlsBodies, format: whole},
	{name: "2,000 idle TLS connections: bytes of memory each", config: certified("ec"), measure: tlsIdle, format: whole},
}

func certified(name string) string { return threads(1, fmt.Sprintf(encrypted, name)) }

// writeCertificates makes a certificate with each kind of key.
func writeCertificates(dir string) error {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	for name, key := range map[string]crypto.Signer{"ec": ec, "rsa": rs} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bench"}, DNSNames: []string{"bench"},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			return err
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			return err
		}
		text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
		if err := os.WriteFile(filepath.Join(dir, name+".pem"), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) secureURL(path string) string { return "https://" + p.addr + path }

func tlsKeepAlive(b *bench, p *process, _ float64) (float64, error) {
	return b.perRequest(p, "-c64", "-t1", p.secureURL("/api/small"))
}

func tlsBodies(b *bench, p *process, _ float64) (float64, error) {
	w, err := b.wrk(p, "-c16", "-t1", p.secureURL("/big"))
	if err != nil {
		return 0, err
	}
	return w.requests / w.cpu.Seconds(), nil
}

// handshakes is microseconds of CPU for each connection with one request.
func handshakes(resumed bool) func(*bench, *process, float64) (float64, error) {
	return func(b *bench, p *process, _ float64) (float64, error) {
		config := &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}}
		if _, err := connectFor(time.Second, p.addr, config, resumed); err != nil {
			return 0, err
		}
		before, err := p.cpu()
		if err != nil {
			return 0, err
		}
		n, err := connectFor(b.duration, p.addr, config, resumed)
		if err != nil {
			return 0, err
		}
		after, err := p.cpu()
		return (after - before).Seconds() * 1e6 / float64(n), err
	}
}

// connectFor makes connections one after the other, on sixteen goroutines, and counts them.
func connectFor(d time.Duration, addr string, config *tls.Config, resumed bool) (int64, error) {
	var n atomic.Int64
	var failure atomic.Pointer[error]
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for range 16 {
		own := config.Clone()
		if resumed {
			own.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		}
		wg.Go(func() {
			for first := true; time.Now().Before(end) && failure.Load() == nil; first = false {
				if err := converse(addr, own, resumed && !first); err != nil {
					failure.Store(&err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if err := failure.Load(); err != nil {
		return 0, *err
	}
	return n.Load(), nil
}

// converse makes one request on a connection of its own.
func converse(addr string, config *tls.Config, resumed bool) error {
	c, err := tls.Dial("tcp4", addr, config)
	if err != nil {
		return err
	}
	defer c.Close()
	if got := c.ConnectionState().DidResume; got != resumed {
		return fmt.Errorf("resumed: %v", got)
	}
	if _, err := c.Write([]byte("GET /api/small HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// tlsIdle is the resident memory that connections add which have shaken hands and wait.
func tlsIdle(_ *bench, p *process, _ float64) (float64, error) {
	const warm, n = 100, 2000
	var conns []*tls.Conn
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	open := func(count int) error {
		for range count {
			c, err := tls.Dial("tcp4", p.addr, &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				return err
			}
			conns = append(conns, c)
		}
		return converse(p.addr, &tls.Config{InsecureSkipVerify: true}, false)
	}
	if err := open(warm); err != nil {
		return 0, err
	}
	before, err := p.resident()
	if err != nil {
		return 0, err
	}
	if err := open(n); err != nil {
		return 0, err
	}
	after, err := p.resident()
	return float64(after-before) / n, err
}
