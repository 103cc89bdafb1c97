package ssl

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/runtime/ssl/x509text"
)

// certificate is what a listener or a server line proves who it is with: a certificate,
// those that lead to its root, its private key, and what may be sent along. It does not
// change; who is not finished (on the CLI) may lack a key, or everything.
type certificate struct {
	leaf      *x509.Certificate
	chain     []*x509.Certificate // without the leaf
	chainFile string              // of "issuers-chain-path", when the chain is from there
	dh        int                 // bits of the group of Diffie-Hellman that stands in the file, which is not used; 0: none
	key       crypto.Signer
	encrypted bool              // the key stood in its file encrypted
	issuer    *x509.Certificate // from a file of its own
	ocsp      []byte            // a response as it was given
	sctl      []byte            // a list of timestamps, as it is sent
	staple    *staple           // where the response is that is sent; nil: nowhere yet
}

// loadError is the text of a file that cannot be loaded.
type loadError struct{ text string }

func (e *loadError) Error() string { return e.text }

func refusal(format string, args ...any) *loadError {
	return &loadError{text: fmt.Sprintf(format, args...)}
}

// extra is a set of files that are looked for beside a certificate ("ssl-load-extra-files").
type extra uint8

const (
	extraBundle extra = 1 << iota
	extraSCTL
	extraOCSP
	extraIssuer
	extraKey
	extraAll = extraBundle | extraSCTL | extraOCSP | extraIssuer | extraKey
)

// load reads a PEM file and those beside it. conf, if any, learns the names of the files.
func (g *settings) load(path string, conf *loadConf) (*certificate, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, refusal("cannot open the file '%s'.\n", path)
	}
	c := &certificate{}
	if err := c.readPEM(g, path, text); err != nil {
		return nil, err
	}
	conf.crt, conf.key = path, path
	base := path
	if g.noExtension {
		base = strings.TrimSuffix(base, ".crt")
	}
	if c.key == nil {
		if g.extra&extraKey == 0 {
			return nil, refusal("No Private Key found in '%s'.\n", base)
		}
		file := base + ".key"
		if text, err := os.ReadFile(file); err == nil {
			if err := c.readKey(g, file, text); err != nil {
				return nil, refusal("%s '%s' is present but cannot be read or parsed'.\n", err, file)
			}
		} else if _, reason := found(file); reason == "" {
			return nil, refusal("%s '%s' is present but cannot be read or parsed'.\n", "", file)
		}
		if c.key == nil {
			return nil, refusal("No Private Key found in '%s'.\n", file)
		}
		conf.key = file
	}
	if !c.fits() {
		return nil, refusal("inconsistencies between private key and certificate loaded '%s'.\n", path)
	}
	return c, c.loadExtra(g, base, conf)
}

// loadExtra reads what may stand in files of its own.
func (c *certificate) loadExtra(g *settings, base string, conf *loadConf) error {
	if g.extra&extraSCTL != 0 {
		conf.sctl = base + ".sctl"
		if _, reason := found(conf.sctl); reason == "" {
			text, err := os.ReadFile(conf.sctl)
			if err != nil || !c.readSCTL(text) {
				return refusal(" '%s.sctl' is present but cannot be read or parsed'.\n", conf.sctl)
			}
		}
	}
	if g.extra&extraOCSP != 0 {
		conf.ocsp = base + ".ocsp"
		if _, reason := found(conf.ocsp); reason == "" {
			var err error
			if c.ocsp, err = os.ReadFile(conf.ocsp); err != nil {
				return refusal("Error opening OCSP response file")
			}
		}
	}
	if c.ocsp == nil || g.extra&extraIssuer == 0 {
		return nil
	}
	conf.issuer = base + ".issuer"
	if _, reason := found(conf.issuer); reason == "" {
		text, _ := os.ReadFile(conf.issuer)
		if err := c.readIssuer(conf.issuer, text); err != nil {
			return err
		}
		if !issued(c.issuer, c.leaf) {
			return refusal(" '%s' is not an issuer'.\n", conf.issuer)
		}
	}
	return nil
}

// readPEM reads a certificate, those that lead to its root, and its key, if it is there. What
// was read before is forgotten.
func (c *certificate) readPEM(g *settings, path string, text []byte) error {
	n := certificate{}
	if err := n.findKey(g, path, text); err != nil && err != errNoKey {
		n.key = nil // it may stand in a file of its own
	}
	r, reason := pemReader{text}, ""
	for reason == "" {
		var block *pem.Block
		if block, reason = r.next(); block == nil {
			break
		}
		n.dh = max(n.dh, dhBits(block))
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil && n.leaf == nil:
			return refusal("unable to load certificate from file '%s': %s.\n", path, refusedAs(err, block.Bytes))
		case err != nil:
			return refusal("unable to load certificate chain from file '%s': %s\n", path, asn1Reason(block.Bytes))
		case n.leaf == nil:
			n.leaf = parsed
		default:
			n.chain = append(n.chain, parsed)
		}
	}
	switch {
	case n.leaf == nil:
		return refusal("unable to load certificate from file '%s': %s.\n", path, reason)
	case reason != noStartLine:
		return refusal("unable to load certificate chain from file '%s': %s\n", path, reason)
	case !servable(n.leaf.PublicKey):
		return refusal("unable to load certificate from file '%s': a key of %s %s.\n", path, x509text.PublicKeyAlgorithm(n.leaf), notYet)
	}
	if n.chain == nil {
		n.chain, n.chainFile = g.issuers.chain(n.leaf)
	}
	*c = n
	return nil
}

// notYet is said of what hapax lacks.
const notYet = "is known to HAProxy but not supported by hapax yet"

// refusedAs words why a certificate cannot be read.
func refusedAs(err error, der []byte) string {
	if strings.Contains(err.Error(), "unsupported elliptic curve") {
		return "the curve of its key " + notYet
	}
	return asn1Reason(der)
}

// servable tells whether crypto/tls can show a certificate with a key.
func servable(key crypto.PublicKey) bool {
	switch key.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// nextPEM finds the next block of a PEM text, whose last line may lack its end.
func nextPEM(text []byte) (*pem.Block, []byte) {
	text = withoutMark(text)
	if n := len(text); n > 0 && text[n-1] != '\n' {
		text = append(text[:n:n], '\n')
	}
	return pem.Decode(text)
}

// readKey reads a private key.
func (c *certificate) readKey(g *settings, path string, text []byte) error {
	if err := c.findKey(g, path, text); err != nil {
		return refusal("unable to load private key from file '%s' (%s).\n", path, err)
	}
	return nil
}

// readSCTL reads a list of signed timestamps of certificate transparency (RFC 6962, 3.3),
// and tells whether it is one.
func (c *certificate) readSCTL(text []byte) bool {
	if len(text) < 4 || int(text[0])<<8|int(text[1]) != len(text)-2 || len(sctList(text)) == 0 {
		return false
	}
	c.sctl = text
	return true
}

// sctList takes such a list apart; nil when it cannot be read.
func sctList(text []byte) (list [][]byte) {
	for p := text[2:]; len(p) > 0; {
		if len(p) < 2 || int(p[0])<<8|int(p[1])+2 > len(p) {
			return nil
		}
		n := int(p[0])<<8 | int(p[1])
		list, p = append(list, p[2:2+n]), p[2+n:]
	}
	return list
}

// readOCSP reads a response in base64, as it is given on the CLI.
func (c *certificate) readOCSP(text []byte) error {
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\r"), nil), []byte("\n"), nil)
	der, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil {
		return refusal("Error reading OCSP response in base64 format")
	}
	c.ocsp = der
	return nil
}

// readIssuer reads the certificate of the issuer.
func (c *certificate) readIssuer(path string, text []byte) error {
	r := pemReader{text}
	if block, _ := r.next(); block != nil {
		if issuer, err := x509.ParseCertificate(block.Bytes); err == nil {
			c.issuer = issuer
			return nil
		}
	}
	return refusal("'%s' cannot be read or parsed'.\n", path)
}

// fits tells whether the key is that of the certificate.
func (c *certificate) fits() bool {
	public, ok := c.key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && c.leaf != nil && public.Equal(c.leaf.PublicKey)
}

// issued tells whether a certificate may have been issued by another one: by its name and the
// identifier of its key.
func issued(by, c *x509.Certificate) bool {
	return canonical(by.RawSubject) == canonical(c.RawIssuer) &&
		(len(c.AuthorityKeyId) == 0 || len(by.SubjectKeyId) == 0 || bytes.Equal(c.AuthorityKeyId, by.SubjectKeyId))
}

// present makes what crypto/tls shows. skipRoots leaves self-issued ones out of the chain.
func (c *certificate) present(skipRoots bool) tls.Certificate {
	t := tls.Certificate{Certificate: [][]byte{c.leaf.Raw}, PrivateKey: native(c.key), Leaf: c.leaf}
	for _, link := range c.chain {
		if !skipRoots || !bytes.Equal(link.RawSubject, link.RawIssuer) {
			t.Certificate = append(t.Certificate, link.Raw)
		}
	}
	if c.sctl != nil {
		t.SignedCertificateTimestamps = sctList(c.sctl)
	}
	return t
}

// keyKind is what clients choose certificates by.
type keyKind uint8

const (
	otherKey keyKind = iota // shown as DSA, and of the least preference
	rsaKey
	ecdsaKey
)

func (k keyKind) String() string { return [...]string{"dsa", "rsa", "ecdsa"}[k] }

func (c *certificate) kind() keyKind {
	switch c.leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		return rsaKey
	case *ecdsa.PublicKey:
		return ecdsaKey
	}
	return otherKey
}

// curve is that of a key of ECDSA; 0: it is another key.
func (c *certificate) curve() tls.CurveID {
	key, ok := c.leaf.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return 0
	}
	return map[int]tls.CurveID{256: tls.CurveP256, 384: tls.CurveP384, 521: tls.CurveP521}[key.Curve.Params().BitSize]
}

// names are those that clients may ask for: the alternative ones, and the common one.
func (c *certificate) names() []string {
	names := slices.Clone(c.leaf.DNSNames)
	for _, n := range c.leaf.Subject.Names {
		if n.Type.Equal(commonName) {
			names = append(names, fmt.Sprint(n.Value))
		}
	}
	return names
}

var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

// asn1Reason words what is wrong with a certificate whose PEM armour is right, as near as
// a length tells.
func asn1Reason(der []byte) string {
	const sequence = 0x30
	if len(der) > 0 && der[0] != sequence {
		return "wrong tag"
	}
	if len(der) > 4 && der[1] == 0x82 && 4+int(der[2])<<8+int(der[3]) > len(der) {
		return "too long"
	}
	return "asn1 encoding routines"
}

// found tells how stat sees a file; "" when it is there.
func found(path string) (dir bool, reason string) {
	st, err := os.Stat(path)
	if err != nil {
		return false, systemReason(err)
	}
	return st.IsDir(), ""
}

// contents reads a file. A directory can be opened as well, and has none.
func contents(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, unix.EISDIR) {
		return nil, nil
	}
	return text, err
}

// systemReason is the text of an error of the system.
func systemReason(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return strerror(errno)
	}
	return err.Error()
}

// strerror is the text of an error of the system as C programs print it.
func strerror(errno unix.Errno) string {
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
