package ssl

import "crypto/x509"

// Certificates are what was shown to the other side, and what it has shown.
func (c *Conn) Certificates() (own, peer *x509.Certificate) {
	switch {
	case c.site != nil:
		own = c.site.cert.leaf
	case c.client && c.of.own.Load() != nil:
		own = c.of.own.Load().Leaf
	}
	if len(c.peers) > 0 {
		peer = c.peers[0]
	}
	return own, peer
}

// VerifyResult is what OpenSSL would say of the other side's certificate.
func (c *Conn) VerifyResult() int { return c.judged.result }
