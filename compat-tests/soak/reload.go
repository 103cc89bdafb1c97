package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// reloadKinds are what clients do while a master reloads. Each worker of a kind makes its
// own client, which keeps its connections from one run to the next.
var reloadKinds = []struct {
	name   string
	client func(t target) func() (int, error)
}{
	{"new connections", func(t target) func() (int, error) { return func() (int, error) { return newConnection(t) } }},
	{"keep-alive", func(t target) func() (int, error) { return fetch("http://"+t.http, &http.Transport{}) }},
	{"new connections, TLS", func(t target) func() (int, error) {
		return fetch("https://"+t.tls, &http.Transport{TLSClientConfig: unverified(), DisableKeepAlives: true})
	}},
	{"keep-alive, TLS", func(t target) func() (int, error) {
		return fetch("https://"+t.tls, &http.Transport{TLSClientConfig: unverified()})
	}},
	{"HTTP/2, TLS", func(t target) func() (int, error) {
		return fetch("https://"+t.tls, &http.Transport{TLSClientConfig: unverified(), ForceAttemptHTTP2: true})
	}},
}

func unverified() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// fetch makes requests as browsers do: one whose kept connection was closed before
// the answer began is repeated on another one.
func fetch(base string, transport *http.Transport) func() (int, error) {
	client := &http.Client{Transport: transport, Timeout: limit}
	return func() (int, error) {
		res, err := client.Get(base + "/100")
		if err != nil {
			return 1, err
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		switch {
		case err != nil:
			return 1, err
		case res.StatusCode != 200 || len(body) != 100:
			return 1, fmt.Errorf("status %d", res.StatusCode)
		}
		return 1, nil
	}
}

// Each client begins a request every reloadPace, and a reload comes every reloadEvery, or as soon as the one before is over:
// all programs have the same load, however fast they are.
const (
	reloadPace  = 20 * time.Millisecond
	reloadEvery = time.Second
)

// reloadUnderLoad reloads a master again and again while clients make requests.
func reloadUnderLoad(dir, program string, reloads int) (*result, error) {
	p, err := start(dir, program, "-W")
	if err != nil {
		return nil, err
	}
	defer p.stop()
	res := &result{requests: map[string]int{}, failures: map[string]int{}}
	stop := make(chan struct{})
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, k := range reloadKinds {
		for range 2 {
			run := k.client(p.target)
			all.Go(func() {
				pace := time.NewTicker(reloadPace)
				defer pace.Stop()
				for {
					select {
					case <-stop:
						return
					case <-pace.C:
					}
					n, err := run()
					mu.Lock()
					res.requests[k.name] += n
					if err != nil {
						res.failures[k.name+": "+failure(err)]++
					}
					mu.Unlock()
				}
			})
		}
	}
	begin := time.Now()
	err = p.reload(reloads)
	res.took = time.Since(begin)
	close(stop)
	all.Wait()
	return res, err
}

// reload reloads the master a number of times.
func (p *proxy) reload(times int) error {
	every := time.NewTicker(reloadEvery)
	defer every.Stop()
	for range times {
		<-every.C
		loaded := bytes.Count(p.said.bytes(), []byte("Loading success"))
		if err := p.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
			return err
		}
		for end := time.Now().Add(10 * time.Second); bytes.Count(p.said.bytes(), []byte("Loading success")) == loaded; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				return fmt.Errorf("a reload does not end\n%s", p.said.bytes())
			}
		}
	}
	return nil
}

// writeCertificate writes a certificate that nobody has to trust, with its key.
func writeCertificate(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...)
	return os.WriteFile(file, text, 0o600)
}
