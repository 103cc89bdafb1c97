package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// forServer is the configuration of a handshake with a server.
func (c *Conn) forServer() *tls.Config {
	x := c.of
	with := x.config.Clone()
	with.ServerName = c.name
	with.ClientSessionCache = (*ticketed)(c)
	switch {
	case c.checks:
		with.NextProtos = c.offers
	case c.protocol != "":
		with.NextProtos = []string{c.protocol}
	}
	switch {
	case x.roots != nil:
		with.VerifyConnection = c.refusing(c.verifyServer)
	case x.suites13 != nil:
		with.VerifyConnection = c.refusing(c.permitted)
	}
	return c.logging(with)
}

// refusing makes a check that refuses a server.
func (c *Conn) refusing(check func(tls.ConnectionState) *fault) func(tls.ConnectionState) error {
	return func(state tls.ConnectionState) error {
		c.records = min(state.Version, tls.VersionTLS12)
		if f := check(state); f != nil {
			return c.refuse(f)
		}
		return nil
	}
}

// verifyServer checks that the certificates of a server lead to a root, that none of them is
// revoked, and that they are those of the name that it was asked for, or else of
// "verifyhost", if any.
func (c *Conn) verifyServer(state tls.ConnectionState) *fault {
	x := c.of
	if f := c.permitted(state); f != nil {
		return f
	}
	c.peers = state.PeerCertificates
	v := verification{given: c.peers, roots: appendAnchors(nil, x.roots), usage: x509.ExtKeyUsageServerAuth, level: x.level, now: time.Now()}
	if x.revoked != nil {
		v.lists = x.revoked.data.Load()
	}
	c.judged = verdict{complete: true}
	v.judge = func(result, depth int) bool {
		c.judged.result = result
		return false
	}
	name, otherwise := c.name, errOtherName
	if name == "" {
		name, otherwise = x.host, errOtherHost
	}
	switch {
	case !v.run():
		return errServerCertificate.over(c.judged.result)
	case name != "" && !isOf(c.peers[0], name):
		return otherwise.over(unspecified)
	}
	return nil
}

// isOf tells whether a certificate is that of a host: one of its names covers it.
func isOf(c *x509.Certificate, host string) bool {
	covered := func(pattern string) bool { return covers(pattern, host) }
	return slices.ContainsFunc(c.DNSNames, covered) || covered(c.Subject.CommonName)
}

// covers tells whether a name in a certificate stands for a host: it may have one star in its
// first label (RFC 6125, 6.4.3).
func covers(pattern, host string) bool {
	if strings.EqualFold(pattern, host) {
		return true
	}
	first, rest, ok := strings.Cut(pattern, ".")
	before, after, star := strings.Cut(first, "*")
	label, domain, dotted := strings.Cut(host, ".")
	n := len(label) - len(after)
	return ok && star && dotted && !strings.Contains(after, "*") && strings.EqualFold(rest, domain) && n >= len(before) &&
		strings.EqualFold(label[:len(before)], before) && strings.EqualFold(label[n:], after)
}

// permitted tells whether the suite that a server has chosen is one of "ciphersuites":
// crypto/tls offers all of TLS 1.3.
func (c *Conn) permitted(state tls.ConnectionState) *fault {
	if list := c.of.suites13; state.Version == tls.VersionTLS13 && list != nil && !slices.Contains(list, state.CipherSuite) {
		return errOtherSuite
	}
	return nil
}
