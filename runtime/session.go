package runtime

import (
	"crypto/x509"
	"net/netip"

	"hapax/acl/sample"
	"hapax/runtime/netns"
)

// Session is one client connection. It lives on one loop.
type Session struct {
	ID           uint64
	Front        *Proxy
	Listener     *Listener
	Src, Dst     netip.AddrPort // as the kernel tells; zero for UNIX sockets
	Told         *Told          // addresses that replace Src and Dst; nil: none do
	Vars         sample.Vars    // sess scope
	Accepted     int64          // when it was accepted: loop clock, ns
	AcceptedWall int64          // the same, unix µs
	Handshake    int64          // when TLS and PROXY protocol were done: loop clock, ns
	Loop         int32
	Fd           int32 // of its socket
	Requests     int32 // on this connection so far
	Unix         bool
	Expect       Prologue   // what the client is still to send before anything else
	TLS          TLSState   // nil: clear
	Failure      error      // that ended its handshake, for error-log-format
	Tracked      *[]Tracker // by number; nil: none. Of runtime/sticktable
}

// Told are the addresses of a session after set-src, set-dst or a PROXY
// protocol header. The zero address leaves the connection's own in force. They
// are rare, and most connections are idle: they stand apart.
type Told struct {
	Src, Dst netip.AddrPort
	Proxied  bool   // a PROXY header was read
	TLVs     []byte // its extensions: see proxyproto/header.Next

	Namespace *netns.Namespace // that the header names; nil: none that is known
}

// NetNamespace is the network namespace of the client; nil: the process's own.
func (s *Session) NetNamespace() *netns.Namespace {
	switch {
	case s.Told != nil && s.Told.Namespace != nil:
		return s.Told.Namespace
	case s.Listener != nil:
		return s.Listener.Bind.Namespace
	}
	return nil
}

// Tell replaces the session's addresses by those that are valid.
func (s *Session) Tell(src, dst netip.AddrPort) {
	if s.Told == nil {
		s.Told = &Told{}
	}
	if src.IsValid() {
		s.Told.Src = src
	}
	if dst.IsValid() {
		s.Told.Dst = dst
	}
}

// TLSState answers questions about a TLS connection; runtime/ssl implements it.
type TLSState interface {
	Version() string
	Cipher() string
	SNI() string
	ALPN() string
	Resumed() bool
	Info() *sample.TLS // the same for fetches; it lives as long as the session

	// Certificates are what was shown to the other side and what it has shown; nil: nothing.
	Certificates() (own, peer *x509.Certificate)
	// VerifyResult is what OpenSSL would say of the other side's certificate: 0 is good.
	VerifyResult() int
}

// Client is the client's address as rules see it.
func (s *Session) Client() netip.AddrPort {
	if s.Told != nil && s.Told.Src.IsValid() {
		return s.Told.Src
	}
	return s.Src
}

// Local is the address that the client connected to, as rules see it.
func (s *Session) Local() netip.AddrPort {
	if s.Told != nil && s.Told.Dst.IsValid() {
		return s.Told.Dst
	}
	return s.Dst
}

// Counters is where what happens to the session is counted on a loop.
func (s *Session) Counters(loop int) *FrontCounters {
	if s.Listener != nil {
		return s.Listener.Counters(loop)
	}
	return &s.Front.Live.Front[loop]
}
