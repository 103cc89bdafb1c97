// Package ssl is TLS on client and server connections: crypto/tls driven by the
// completion loop, without a goroutine for each connection, and the keywords that
// configure it.
package ssl

import (
	"crypto"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
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
	config    *tls.Config
	maxRecord int // tune.ssl.maxrecord, at most what TLS allows
	choose    chooser
	sni       *sample.Expr // the name that servers are asked for
	checkName string       // and that checks ask for
	roots     *authorities // that certificates of servers must lead to; nil: they are not verified
	host      string       // "verifyhost"
	stats     *runtime.GlobalStats
	counters  []*runtime.TLSCounters // of the frontend, or of the server and its backend
}

// TLS marks a Context as a runtime.TLSConfig.
func (x *Context) TLS() {}

// Server makes the layer of a connection that a client opened.
func (x *Context) Server() transport.Layer { return &Conn{of: x} }

// Client makes the layer of a connection to a server that is asked for the name.
func (x *Context) Client(name string) transport.Layer { return &Conn{of: x, client: true, name: name} }

// algorithms sets ciphers and curves. what is the kind of the line.
func (x *Context) algorithms(l *config.Loader, what string, pos ast.Pos, s *common, sp span) error {
	list := cipherList("DEFAULT")
	if s.ciphers != "" {
		if list = cipherList(s.ciphers); len(list) == 0 {
			return fmt.Errorf("unable to set SSL cipher list to '%s'", s.ciphers)
		}
	}
	x.config.CipherSuites, _ = usable(list)
	if len(x.config.CipherSuites) == 0 && sp.min < tlsv13 {
		l.Missing(pos, what+" ciphers "+s.ciphers)
	}
	if s.suites13 != "" {
		left, ok := suiteList13(s.suites13)
		if !ok {
			return fmt.Errorf("unable to set TLS 1.3 cipher suites to '%s'", s.suites13)
		}
		if len(left) > 0 && sp.max == tlsv13 {
			l.Missing(pos, what+" ciphersuites without "+strings.Join(left, " and "))
		}
	}
	if s.curves != "" {
		groups, err := x.groups(l, what+" curves", pos, s.curves)
		if err != nil {
			return err
		}
		x.config.CurvePreferences = groups
	}
	return nil
}

// groups reads a list of groups.
func (x *Context) groups(l *config.Loader, what string, pos ast.Pos, text string) ([]tls.CurveID, error) {
	list, ok := curveList(text)
	if !ok {
		return nil, fmt.Errorf("unable to set SSL curves list to '%s'", text)
	}
	if len(list) == 0 {
		l.Missing(pos, what+" "+text)
	}
	return list, nil
}

// opened counts a connection. Rates are of clients only.
func (x *Context) opened(c *Conn) {
	x.stats.TLSConns.Inc()
	x.stats.CumTLSConns.Inc()
	if !c.client {
		x.stats.TLSRateMax.Show(uint64(x.stats.TLSRate.Add(c.loop.Now()/1e6, 1)))
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

// certificate answers crypto/tls in a handshake. A slow key is wrapped for this one.
func (x *Context) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c := x.choose.choose(hello)
	if c == nil {
		return nil, errUnknownName
	}
	if !c.away {
		return &c.Certificate, nil
	}
	with := c.Certificate
	with.PrivateKey = &awayKey{c: (*Conn)(hello.Conn.(*wire)), key: c.PrivateKey.(crypto.Signer)}
	return &with, nil
}

var errUnknownName = errors.New("no certificate for the name")

// withProtocols sets the protocols of ALPN. A client that offers only others is served
// without one: crypto/tls would refuse it.
func withProtocols(config *tls.Config, protocols []string) {
	plain := config.Clone()
	config.NextProtos = protocols
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		for _, theirs := range hello.SupportedProtos {
			for _, ours := range protocols {
				if theirs == ours {
					return nil, nil
				}
			}
		}
		return plain, nil
	}
}

// withLifetime makes sessions resumable for so long only ("tune.ssl.lifetime"): the
// moment when a session began goes into its ticket.
func withLifetime(config *tls.Config, lifetime time.Duration) {
	config.WrapSession = func(state tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		if !state.DidResume || !hasBirth(session) {
			session.Extra = append(session.Extra, binary.BigEndian.AppendUint64([]byte(birthMark), uint64(time.Now().Unix())))
		}
		return config.EncryptTicket(state, session)
	}
	config.UnwrapSession = func(ticket []byte, state tls.ConnectionState) (*tls.SessionState, error) {
		session, err := config.DecryptTicket(ticket, state)
		if err != nil || session == nil {
			return nil, err
		}
		for _, extra := range session.Extra {
			if len(extra) == len(birthMark)+8 && string(extra[:len(birthMark)]) == birthMark {
				born := int64(binary.BigEndian.Uint64(extra[len(birthMark):]))
				if time.Now().Unix()-born < int64(lifetime/time.Second) {
					return session, nil
				}
			}
		}
		return nil, nil
	}
}

// birthMark begins the entry of a session's Extra that holds when it began, unix seconds.
const birthMark = "begun"

func hasBirth(session *tls.SessionState) bool {
	for _, extra := range session.Extra {
		if len(extra) == len(birthMark)+8 && string(extra[:len(birthMark)]) == birthMark {
			return true
		}
	}
	return false
}

// settled notes what the handshake has agreed upon.
func (c *Conn) settled() {
	state := c.tls.ConnectionState()
	c.info = sample.TLS{
		SNI:     []byte(state.ServerName),
		ALPN:    []byte(state.NegotiatedProtocol),
		Version: []byte(versionName(state.Version)),
		Cipher:  []byte(suiteNames[state.CipherSuite]),
		Resumed: state.DidResume,
	}
	if c.client {
		c.info.SNI = []byte(c.name)
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
