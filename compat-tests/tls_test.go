package compat

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// certificates is the folder of certificates that scripts use as "${TLS}". All but the roots
// have their keys with them:
//
//	ca.pem        a root
//	site.pem      site.test and *.site.test
//	rsa.pem       the same with a key of RSA
//	joe.pem       a client with a long name, behind an intermediate
//	old.pem       a client that has expired
//	stranger.pem  a client of another root
//	self.pem      one that nobody has signed
func certificates(t testing.TB) string {
	path, err := filepath.Abs("testdata/tls")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// session is what one client may resume.
type session struct{ kept *tls.ClientSessionState }

func (s *session) Get(string) (*tls.ClientSessionState, bool)  { return s.kept, s.kept != nil }
func (s *session) Put(_ string, state *tls.ClientSessionState) { s.kept = state }

var tlsVersions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// secure makes TLS of a connection, as a client.
func (s *script) secure(c *peer, words []string) (string, error) {
	config := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: &session{}, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "sni":
			config.ServerName = value
		case "alpn":
			config.NextProtos = strings.Split(value, ",")
		case "min":
			config.MinVersion = tlsVersions[value]
		case "max":
			config.MaxVersion = tlsVersions[value]
		case "cert":
			pair, err := tls.LoadX509KeyPair(filepath.Join(certificates(s.t), value), filepath.Join(certificates(s.t), value))
			if err != nil {
				return "", err
			}
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
		case "suite":
			for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				if suite.Name == value {
					config.CipherSuites = []uint16{suite.ID}
				}
			}
		case "as":
			config.ClientSessionCache = s.conns[value].session
		default:
			return "", errScript
		}
	}
	c.session = config.ClientSessionCache
	conn := tls.Client(buffered{c.Conn, c.r}, config)
	conn.SetDeadline(time.Now().Add(patience))
	if err := conn.Handshake(); err != nil {
		return "failed: " + strings.TrimSpace(handshakeEnd(err)) + "\n", nil
	}
	state := conn.ConnectionState()
	result := fmt.Sprintf("%s %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite))
	if state.NegotiatedProtocol != "" {
		result += " " + state.NegotiatedProtocol
	}
	if state.DidResume {
		result += " resumed"
	}
	c.Conn, c.r = conn, bufio.NewReader(conn)
	return result + "\n", nil
}

// buffered is a connection of which something has been read already.
type buffered struct {
	net.Conn
	r *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.r.Read(p) }

// handshakeEnd tells why a handshake ended: the alert of the other side, or that it left.
func handshakeEnd(err error) string {
	if text, ok := strings.CutPrefix(err.Error(), "remote error: "); ok {
		return text
	}
	return ending(err)
}

// told are the lines of "openssl s_client" that tell what was agreed upon, up to what differs
// from run to run.
var told = regexp.MustCompile(`(?m)^(?:New, |subject=|Peer sign|Server Temp Key: |ALPN protocol: ).*|:SSL routines:\w*:([^:]+)`)

// probe is what the client of OpenSSL agrees upon with a listener, in a line.
func (s *script) probe(listener string, args []string) string {
	out, _ := s.client(listener, args).CombinedOutput() // its status tells no more than that
	return toldBy(out)
}

// renegotiate is what that client comes to that begins another handshake and waits for its end.
func (s *script) renegotiate(listener string, args []string) (string, error) {
	input, wish, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer input.Close()
	defer wish.Close() // it leaves when there is nothing more to read
	cmd := s.client(listener, args)
	cmd.Stdin = input
	wish.WriteString("R\n")
	out, _ := cmd.CombinedOutput()
	return toldBy(out), nil
}

// ticket is how many seconds a session may be resumed for that a listener ends behind the handshake.
func (s *script) ticket(listener string, args []string) string {
	out, _ := s.client(listener, append(args, "-ign_eof")).CombinedOutput()
	hint := regexp.MustCompile(`lifetime hint: (\d+)`).FindSubmatch(out)
	if hint == nil {
		return "none"
	}
	return string(hint[1])
}

// client is that of OpenSSL, among the certificates.
func (s *script) client(listener string, args []string) *exec.Cmd {
	cmd := exec.Command("openssl", append([]string{"s_client", "-connect", s.fronts[listener]}, args...)...)
	cmd.Dir = certificates(s.t)
	return cmd
}

func toldBy(out []byte) string {
	var parts []string
	for _, m := range told.FindAllStringSubmatch(string(out), -1) {
		text := m[0]
		if m[1] != "" {
			text = m[1]
		}
		for _, known := range []string{"New, ", "Cipher is ", "Peer ", "Server Temp Key: ", "protocol: "} {
			text = strings.Replace(text, known, "", 1)
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
