package ssl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"
)

// dummy is how a certificate is made that stands in for a file which is not there yet
// ("generate-dummy", "keytype", "bits", "curves").
type dummy struct {
	on      bool
	keyType string
	bits    int
	curves  string
}

// fill makes a key and a certificate that has expired, which nobody takes for a real one.
func (d *dummy) fill(cert *certificate) error {
	key, err := d.key()
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "expired"},
		NotBefore:    now.Add(-48 * time.Hour), NotAfter: now.Add(-24 * time.Hour),
		SignatureAlgorithm: x509.SHA256WithRSA,
	}
	if _, elliptic := key.(*ecdsa.PrivateKey); elliptic {
		template.SignatureAlgorithm = x509.ECDSAWithSHA256
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err == nil {
		cert.leaf, err = x509.ParseCertificate(der)
	}
	if err != nil {
		return refusal("Couldn't generate a keypair.")
	}
	cert.key = key
	return nil
}

// unasked tells whether a key is described that nobody makes.
func (d *dummy) unasked() bool { return !d.on && (d.keyType != "" || d.bits != 0 || d.curves != "") }

func (d *dummy) key() (crypto.Signer, error) {
	switch d.keyType {
	case "", "RSA":
		return d.rsaKey()
	case "ECDSA":
		return d.ecdsaKey()
	}
	return nil, refusal("keyword 'keytype' requires either 'RSA' or 'ECDSA'.")
}

// leastRSA is the size from which on keys of RSA are taken, here and by crypto/rsa.
const leastRSA = 2048

func (d *dummy) rsaKey() (crypto.Signer, error) {
	bits := d.bits
	if bits == 0 {
		bits = leastRSA
	}
	if bits < leastRSA {
		return nil, refusal("Can't set the bits on the new private key.\n")
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

func (d *dummy) ecdsaKey() (crypto.Signer, error) {
	name := d.curves
	if name == "" {
		name = "P-384"
	}
	curve := map[tls.CurveID]elliptic.Curve{tls.CurveP256: elliptic.P256(), tls.CurveP384: elliptic.P384(), tls.CurveP521: elliptic.P521()}[curves[name]]
	if curve == nil {
		return nil, refusal("unsupported curves '%s'.", name)
	}
	return ecdsa.GenerateKey(curve, rand.Reader)
}
