// Package ssl is TLS on client and server connections: crypto/tls driven by the
// completion loop, without a goroutine for each connection, and the keywords that
// configure it.
package ssl

import (
	"cmp"
	"crypto"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/transport"
)

// Context makes the layers of one "bind" or "server" line. It is a runtime.TLSConfig and a
// transport.Maker.
type Context struct {
	config    *tls.Config   // what a handshake begins with
	maxRecord int           // tune.ssl.maxrecord, at most what TLS allows
	capture   int           // tune.ssl.capture-buffer-size
	keylog    bool          // tune.ssl.keylog
	lifetime  time.Duration // of sessions (tune.ssl.lifetime)
	stats     *runtime.GlobalStats
	counters  []*runtime.TLSCounters // of the frontend, or of the server and its backend
	uses      []*use                 // certificates
	most      int                    // connections with TLS of the process; 0: no limit

	// Of a bind line.
	pos       ast.Pos
	proxy     string
	bind      string   // its addresses, as written
	spoken    []string // protocols of ALPN where no line says
	line      *line
	span      span
	generator *generator
	sites     atomic.Pointer[sites]

	// Of a server line.
	toServers      bool
	own            atomic.Pointer[tls.Certificate] // that servers are shown
	sessions       sessionCache
	noTickets      bool                  // of TLS 1.2, so that its sessions are not resumed
	suites13       []uint16              // of TLS 1.3 that servers may choose; nil: all
	level          securityLevel         // of their certificates
	sni            *sample.Expr          // the name that servers are asked for
	checkName      string                // and that checks ask for
	noCheckSNI     bool                  // checks do not ask for the host of their request
	checkProtocols []string              // of ALPN, of checks
	checksOffer    bool                  // and they are not those of the traffic
	schemes        []tls.SignatureScheme // that the own certificate signs with; nil: all
	roots          *trusted              // that certificates of servers must lead to; nil: they are not verified
	revoked        *trusted              // lists of those that are not
	host           string                // "verifyhost"
}

// TLS marks a Context as a runtime.TLSConfig.
func (x *Context) TLS() {}

// Server makes the layer of a connection that a client opened.
func (x *Context) Server() transport.Layer {
	c := &Conn{of: x}
	c.info = unsettled
	c.info.Of = c
	return c
}

// unsettled is what OpenSSL would say of a connection before anything is agreed upon.
var unsettled = sample.TLS{Version: []byte(versionNames[tlsv13]), Cipher: []byte("(NONE)")}

// Client makes the layer of a connection to a server that is asked for the name; see transport.Maker.
func (x *Context) Client(name, protocol string) transport.Layer {
	c := &Conn{of: x, client: true, name: name, protocol: protocol}
	c.info = unsettled
	if newest := x.config.MaxVersion; newest != 0 {
		c.info.Version = []byte(versionName(newest))
	}
	c.info.Of, c.info.SNI = c, []byte(name)
	return c
}

// algorithms sets ciphers and curves of connections to servers.
func (x *Context) algorithms(l *config.Loader, pos ast.Pos, s *common, sp span) []error {
	p := profile{min: sp.min, max: sp.max}
	o := options{ciphers: s.ciphers, suites13: s.suites13, curves: s.curves}
	faults := p.algorithms(x.config, &o)
	x.level = p.level
	if s.suites13 != "" {
		x.suites13 = p.suites13
	}
	for _, what := range p.missing {
		l.Missing(pos, "server "+what)
	}
	p.tellLeftOut(l, pos, fmt.Sprintf("the server at [%s:%d]", pos.File, pos.Line))
	return faults
}

// opened counts a connection. Those of clients have been counted among all when they were accepted.
func (x *Context) opened(c *Conn) {
	x.stats.TLSConns.Inc()
	if c.client {
		x.stats.CumTLSConns.Inc()
	}
}

// closed ends what opened counted.
func (x *Context) closed() { x.stats.TLSConns.Dec() }

// shaken counts the end of a handshake.
func (x *Context) shaken(c *Conn) {
	for _, counters := range x.counters {
		switch {
		case c.phase == failed:
			counters.Failed.Inc()
		case c.info.Resumed:
			counters.Reused.Inc()
		default:
			counters.Sess.Inc()
		}
	}
	if c.phase == failed || c.info.Resumed {
		return
	}
	keys, most := &x.stats.TLSFrontKeys, &x.stats.TLSFrontKeysMax
	if c.client {
		keys, most = &x.stats.TLSBackKeys, &x.stats.TLSBackKeysMax
	}
	most.Show(uint64(keys.Add(c.loop.Now()/1e6, 1)))
}

// pick answers crypto/tls when the hello of a client is read: it finds the certificate, and
// with it how the handshake goes on, or why it does not.
func (x *Context) pick(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	c, s := (*Conn)(hello.Conn.(*wire)), x.sites.Load()
	if c.hello.raw == nil {
		return nil, c.refuse(errHelloLength) // whatever it was, it was not seen to come
	}
	c.site = s.choose(hello)
	if c.site == nil {
		c.info.SNI = []byte(strings.ToLower(hello.ServerName))
		return nil, c.refuse(errUnknownName)
	}
	if fault := c.agree(hello); fault != nil {
		return nil, c.refuse(fault)
	}
	return c.logging(c.site.profile.configFor(c, hello)), nil
}

// certificateOf answers crypto/tls with what was picked. A slow key is wrapped for this
// handshake.
func certificateOf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := (*Conn)(hello.Conn.(*wire))
	s := c.site
	s.profile.signed(hello)
	shown := &s.shown
	if t := s.use.staple; t != nil {
		if response := t.fresh(time.Now()); response != nil {
			with := *shown
			with.OCSPStaple = response
			shown = &with
		}
	}
	if !s.away {
		return shown, nil
	}
	with := *shown
	with.PrivateKey = away(c, shown.PrivateKey.(crypto.Signer))
	return &with, nil
}

// build makes what a bind line serves out of its certificates as they are now, or (with) as
// they shall be. Nothing that is served changes.
func (x *Context) build(g *settings, uses []*use, with map[*entry]*certificate) (s *sites, faults []error) {
	line, faults := x.profile(g, nil, nil)
	profiles := map[*options]*profile{nil: line}
	s = newSites(x.line.strict, line)
	s.generator = x.generator
	for _, u := range uses {
		own := u.own()
		p := profiles[own]
		if p == nil {
			p, _ = x.profile(g, own, line)
			profiles[own] = p
		}
		cert := u.entry.cert
		if c := with[u.entry]; c != nil {
			cert = c
		}
		s.add(&site{use: u, cert: cert, shown: cert.show(g, p), kind: cert.kind(), curve: cert.curve(), away: slow(cert.key), profile: p})
	}
	return s, faults
}

// show is what crypto/tls is given of a certificate.
func (c *certificate) show(g *settings, p *profile) tls.Certificate {
	t := c.present(g.skipRoots)
	t.SupportedSignatureAlgorithms = p.schemes
	return t
}

// sessionCache holds the sessions of connections to servers. It can be emptied. The zero one
// holds none.
type sessionCache struct {
	now atomic.Pointer[tls.ClientSessionCache]
}

func (s *sessionCache) empty() {
	cache := tls.NewLRUClientSessionCache(0)
	s.now.Store(&cache)
}

// Get is tls.ClientSessionCache.
func (s *sessionCache) Get(key string) (*tls.ClientSessionState, bool) {
	if cache := s.now.Load(); cache != nil {
		return (*cache).Get(key)
	}
	return nil, false
}

// Put is tls.ClientSessionCache.
func (s *sessionCache) Put(key string, state *tls.ClientSessionState) {
	if cache := s.now.Load(); cache != nil {
		(*cache).Put(key, state)
	}
}

// ticketed is the side of a connection to a server that is asked for a session, and told of one.
type ticketed Conn

// Get is tls.ClientSessionCache.
func (t *ticketed) Get(key string) (*tls.ClientSessionState, bool) { return t.of.sessions.Get(key) }

// Put is tls.ClientSessionCache.
func (t *ticketed) Put(key string, state *tls.ClientSessionState) {
	if state != nil {
		if t.of.noTickets && versionOf(state) < tls.VersionTLS13 {
			return
		}
		t.seen.ticket = state
	}
	t.of.sessions.Put(key, state)
}

// versionOf is the version of TLS that a session is of: its text begins with it.
func versionOf(state *tls.ClientSessionState) uint16 {
	_, s, err := state.ResumptionState()
	if err != nil {
		return 0
	}
	text, err := s.Bytes()
	if err != nil {
		return 0
	}
	return binary.BigEndian.Uint16(text)
}

// settled notes what the handshake has agreed upon.
func (c *Conn) settled() {
	state := c.tls.ConnectionState()
	if c.client && state.DidResume && c.seen.ticket == nil {
		c.seen.ticket, _ = c.of.sessions.Get(cmp.Or(c.name, noName))
	}
	c.peers, c.unique, c.group = state.PeerCertificates, state.TLSUnique, state.CurveID
	c.info = sample.TLS{
		SNI:     []byte(state.ServerName),
		ALPN:    []byte(state.NegotiatedProtocol),
		Version: []byte(versionName(state.Version)),
		Cipher:  []byte(suiteNames[state.CipherSuite]),
		Resumed: state.DidResume,
		Of:      c,
	}
	if c.client {
		c.info.SNI = []byte(c.name)
	}
}

// agreedSoFar notes what a handshake with a server had agreed upon when it failed. What was shown
// counts when it was accepted, the suite from TLS 1.3 on at once, and before when it was in use.
func (c *Conn) agreedSoFar() {
	state := c.tls.ConnectionState()
	if state.Version == 0 {
		return
	}
	c.info.Version, c.info.ALPN = []byte(versionName(state.Version)), []byte(state.NegotiatedProtocol)
	c.peers = nil
	if c.fault == nil {
		c.peers = state.PeerCertificates
	}
	if state.Version == tls.VersionTLS13 || len(c.peers) > 0 {
		c.info.Cipher = []byte(suiteNames[state.CipherSuite])
	}
}

// Info is what fetches ask for.
func (c *Conn) Info() *sample.TLS { return &c.info }

// Version, Cipher, SNI, ALPN and Resumed are runtime.TLSState.
func (c *Conn) Version() string { return string(c.info.Version) }
func (c *Conn) Cipher() string  { return string(c.info.Cipher) }
func (c *Conn) SNI() string     { return string(c.info.SNI) }
func (c *Conn) ALPN() string    { return string(c.info.ALPN) }
func (c *Conn) Resumed() bool   { return c.info.Resumed }
