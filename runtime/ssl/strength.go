package ssl

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
)

// securityLevel is one of OpenSSL's ("@SECLEVEL" in a list of ciphers), from 0 to 5.
type securityLevel int

// defaultLevel is the one that systems set.
const defaultLevel securityLevel = 2

// bits are how strong keys and digests have to be.
func (l securityLevel) bits() int { return [...]int{0, 80, 112, 128, 192, 256}[l] }

// keyBits tell how strong the key of a certificate is, as the length of one of a symmetric cipher.
func keyBits(c *x509.Certificate) int {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		for _, size := range []struct{ modulus, bits int }{{15360, 256}, {7680, 192}, {3072, 128}, {2048, 112}, {1024, 80}} {
			if key.N.BitLen() >= size.modulus {
				return size.bits
			}
		}
		return 0
	case *ecdsa.PublicKey:
		return key.Params().BitSize / 2
	}
	return 128 // Ed25519
}

// digestBits tell how strong the digest is that a certificate is signed with. What two of them can
// have in common has been found for MD5 and SHA-1 in less time than their lengths promise.
func digestBits(c *x509.Certificate) int {
	switch c.SignatureAlgorithm {
	case x509.MD2WithRSA, x509.MD5WithRSA:
		return 39
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1:
		return 63
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		return 192
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		return 256
	}
	return 128
}

// weakness words what OpenSSL does not serve a certificate for, and whether that lies in its chain.
func (c *certificate) weakness() (reason string, inChain bool) {
	least := defaultLevel.bits()
	switch {
	case keyBits(c.leaf) < least:
		return "ee key too small", false
	case signedWeakly(c.leaf, least):
		return "ca md too weak", false
	}
	for _, link := range c.chain {
		switch {
		case keyBits(link) < least:
			return "ca key too small", true
		case signedWeakly(link, least):
			return "ca md too weak", true
		}
	}
	return "", false
}

// signedWeakly tells whether the signature of a certificate is worth too little; nobody relies on
// the one of a root.
func signedWeakly(c *x509.Certificate, least int) bool {
	return !bytes.Equal(c.RawSubject, c.RawIssuer) && digestBits(c) < least
}
