package ssl

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"hapax/runtime/loop"
)

// askingServer is the server of OpenSSL, which asks for a new handshake at a line "R", with a
// certificate of the client.
type askingServer struct {
	t    *testing.T
	addr net.Addr
	in   io.Writer
	out  *bufio.Reader
}

func newAskingServer(t *testing.T) *askingServer {
	t.Helper()
	c := testCertificate(t, testKeys().ec, "site.test")
	key, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "site.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.leaf.Raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-cert", file, "-key", file)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	s := &askingServer{t: t, in: in, out: bufio.NewReader(out)}
	if s.addr, err = net.ResolveTCPAddr("tcp", strings.TrimPrefix(s.until("ACCEPT "), "ACCEPT ")); err != nil {
		t.Fatal(err)
	}
	return s
}

// until reads up to a line that begins so.
func (s *askingServer) until(begin string) string {
	s.t.Helper()
	for {
		line, err := s.out.ReadString('\n')
		if strings.HasPrefix(line, begin) {
			return strings.TrimSpace(line)
		}
		if err != nil {
			s.t.Fatalf("no line %q: %v", begin, err)
		}
	}
}

func (s *askingServer) say(line string) { io.WriteString(s.in, line+"\n") }

// TestRenewal: a server of TLS 1.2 asks for a new handshake, twice, between the bytes of both sides.
func TestRenewal(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		srv := newAskingServer(t)
		x := clientContext(func(c *tls.Config) { c.Renegotiation = tls.RenegotiateFreelyAsClient })
		r := serve(t, engine, x, echo)
		got, up := make(chan string, 10), make(chan *peer, 1)
		r.connect(x, srv.addr, "", &peer{
			connected: func(p *peer) { up <- p },
			received:  func(_ *peer, b *loop.Buffer) { got <- string(b.Data); b.Release() },
			ended:     func(p *peer, err error) { p.Close(0); got <- "end" },
		})
		p := <-up
		for _, word := range []string{"one", "two"} {
			r.l.PostFunc(func() { p.SendStatic([]byte(word + "\n")) })
			srv.until(word)
			srv.say("R")
			srv.until("SSL_do_handshake") // it has asked; it takes no two lines at once
			srv.say("answer " + word)
			if text := <-got; text != "answer "+word+"\n" {
				t.Fatalf("%q", text)
			}
		}
		r.l.PostFunc(func() { p.SendStatic([]byte("three\n")) })
		srv.until("three")
		srv.say("Q")
		<-got
	})
}

// TestRenewalRefused: the connection of a server that may not ask ends.
func TestRenewalRefused(t *testing.T) {
	srv := newAskingServer(t)
	x := clientContext(nil)
	r := serve(t, loop.Epoll, x, echo)
	end := make(chan error, 1)
	r.connect(x, srv.addr, "", &peer{
		connected: func(p *peer) { p.SendStatic([]byte("one\n")) },
		ended:     func(p *peer, err error) { p.Close(0); end <- err },
	})
	srv.until("one")
	srv.say("R")
	if err := <-end; err == nil || errors.Is(err, io.EOF) {
		t.Errorf("ended by %v", err)
	}
}
