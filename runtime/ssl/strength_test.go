package ssl

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
)

// TestWeakness: what OpenSSL 3.0 says of weak certificates, recorded with HAProxy 3.4.0.
func TestWeakness(t *testing.T) {
	issued := 0
	made := func(key any, digest x509.SignatureAlgorithm) *x509.Certificate {
		issued++
		return &x509.Certificate{PublicKey: key, SignatureAlgorithm: digest, RawSubject: []byte{byte(issued)}, RawIssuer: []byte{0}}
	}
	size := func(bits uint) *rsa.PublicKey { return &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), bits-1)} }
	root := made(size(2048), x509.SHA1WithRSA)
	root.RawIssuer = root.RawSubject
	good := made(size(2048), x509.SHA256WithRSA)
	for _, c := range []struct {
		name    string
		leaf    *x509.Certificate
		chain   []*x509.Certificate
		want    string
		inChain bool
	}{
		{"RSA 2048", good, nil, "", false},
		{"RSA 1024", made(size(1024), x509.SHA256WithRSA), nil, "ee key too small", false},
		{"P-256", made(&ecdsa.PublicKey{Curve: elliptic.P256()}, x509.ECDSAWithSHA256), nil, "", false},
		{"signed with SHA-1", made(size(2048), x509.SHA1WithRSA), nil, "ca md too weak", false},
		{"behind RSA 1024", good, []*x509.Certificate{made(size(1024), x509.SHA256WithRSA)}, "ca key too small", true},
		{"behind SHA-1", good, []*x509.Certificate{made(size(2048), x509.ECDSAWithSHA1)}, "ca md too weak", true},
		{"behind a root that signed itself with SHA-1", good, []*x509.Certificate{root}, "", false},
	} {
		reason, inChain := (&certificate{leaf: c.leaf, chain: c.chain}).weakness()
		if reason != c.want || inChain != c.inChain {
			t.Errorf("%s: %q, in its chain %v; want %q, %v", c.name, reason, inChain, c.want, c.inChain)
		}
	}
}

// TestWeakKeyFirst: a key that is too weak is met before a chain is built, which has the
// certificate alone then.
func TestWeakKeyFirst(t *testing.T) {
	weak := &x509.Certificate{PublicKey: &rsa.PublicKey{N: big.NewInt(7)}}
	met := 0
	v := verification{given: []*x509.Certificate{weak}, level: defaultLevel, judge: func(verdict, depth int) bool {
		met = verdict
		return false
	}}
	if v.run() || met != leafKeyTooSmall || len(v.chain) != 1 || v.chain[0] != weak {
		t.Errorf("%d, %d in the chain", met, len(v.chain))
	}
}
