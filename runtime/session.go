package runtime

import (
	"net/netip"

	"hapax/acl/sample"
)

// Session is one client connection. It lives on one loop.
type Session struct {
	ID           uint64
	Front        *Proxy
	Listener     *Listener
	Loop         int
	Src, Dst     netip.AddrPort // as the kernel tells; zero for UNIX sockets
	SrcAs, DstAs netip.AddrPort // after set-src, set-dst, PROXY protocol; zero: unchanged
	Vars         sample.Vars    // sess scope
	Accepted     int64          // when it was accepted: loop clock, ns
	AcceptedWall int64          // the same, unix µs
	Handshake    int64          // when TLS and PROXY protocol were done: loop clock, ns
	Requests     int            // on this connection so far
	Unix         bool
	TLS          TLSState // nil: clear
}

// TLSState answers questions about a TLS connection; runtime/ssl implements it.
type TLSState interface {
	Version() string
	Cipher() string
	SNI() string
	ALPN() string
	Resumed() bool
	Info() *sample.TLS // the same for fetches; it lives as long as the session
}

// Client is the client's address as rules see it.
func (s *Session) Client() netip.AddrPort {
	if s.SrcAs.IsValid() {
		return s.SrcAs
	}
	return s.Src
}

// Local is the address that the client connected to, as rules see it.
func (s *Session) Local() netip.AddrPort {
	if s.DstAs.IsValid() {
		return s.DstAs
	}
	return s.Dst
}
