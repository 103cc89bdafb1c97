package ssl

import (
	"crypto/tls"
	"crypto/x509"
	"strconv"
)

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

// errorCode is the number that OpenSSL has for the failure of the handshake, 0 for none.
func (c *Conn) errorCode() int {
	if c.fault == nil {
		return 0
	}
	return c.fault.reason.number()
}

// errorText is the failure in OpenSSL's words.
func (c *Conn) errorText() string {
	if c.fault == nil {
		return ""
	}
	return c.fault.reason.String()
}

// curve is what OpenSSL calls the group of the key exchange.
func (c *Conn) curve() string {
	return groupNames[c.group]
}

var groupNames = map[tls.CurveID]string{
	tls.X25519: "X25519", tls.CurveP256: "prime256v1", tls.CurveP384: "secp384r1", tls.CurveP521: "secp521r1", tls.X25519MLKEM768: "X25519MLKEM768",
}

// certificateFile is the name of the certificate that the client was shown.
func (c *Conn) certificateFile() string {
	if c.site == nil {
		return ""
	}
	return c.site.use.entry.name
}

func appendUint(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }
