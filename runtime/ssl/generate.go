package ssl

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// signerConf is "ca-sign-file" and "ca-sign-pass".
type signerConf struct{ file, pass string }

// generator makes certificates for names that none is there for ("generate-certificates"):
// signed by an authority of its own, with the key of the first default certificate.
type generator struct {
	authority *certificate
	most      int // how many are kept ("tune.ssl.ssl-ctx-cache-size")
	serial    atomic.Int64

	mu   sync.Mutex
	made map[string]*site
	age  []string // the names in made, the oldest first
}

// newGenerator reads the authority. where is the place of the line; the text of a fault
// stands behind the name of the proxy.
func newGenerator(g *settings, conf signerConf, where string) (n *generator, fault string) {
	if conf.file == "" {
		return nil, fmt.Sprintf("cannot enable certificate generation, no CA certificate File configured at [%s].", where)
	}
	with := *g
	if conf.pass != "" {
		with.passphrases.known = append([]string{conf.pass}, g.passphrases.known...)
	}
	cert, err := with.load(conf.file, &loadConf{})
	if err != nil {
		return nil, fmt.Sprintf("Failed to read CA certificate file '%s' at [%s]. Chain loading failed: %s\n", conf.file, where, err)
	}
	n = &generator{authority: cert, most: g.generated, made: map[string]*site{}}
	n.serial.Store(time.Now().UnixMilli() & 0xffffffff)
	return n, ""
}

// site finds or makes the certificate for a name; nil when it cannot be made.
func (n *generator) site(name string, s *sites) *site {
	if !hostName(name) {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if made := n.made[name]; made != nil {
		return made
	}
	base := s.find("", true, true)
	if base == nil {
		return nil
	}
	made := n.make(name, base)
	if made == nil || n.most == 0 {
		return made
	}
	if len(n.age) >= n.most {
		delete(n.made, n.age[0])
		n.age = n.age[1:]
	}
	n.made[name] = made
	n.age = append(n.age, name)
	return made
}

// hostName tells whether a name consists of what names of hosts do.
func hostName(name string) bool {
	for i := 0; i < len(name); i++ {
		if c := name[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return name != ""
}

// make signs a certificate like base for another name.
func (n *generator) make(name string, base *site) *site {
	ca := n.authority.leaf
	template := &x509.Certificate{
		SerialNumber: big.NewInt(n.serial.Add(1)),
		NotBefore:    time.Now().Add(-24 * time.Hour), NotAfter: time.Now().Add(365 * 24 * time.Hour),
		ExtraExtensions: madeExtensions(name, ca, base.cert.leaf),
	}
	switch n.authority.kind() {
	case rsaKey:
		template.SignatureAlgorithm = x509.SHA256WithRSA
	case ecdsaKey:
		template.SignatureAlgorithm = x509.ECDSAWithSHA256
	}
	var subject pkix.RDNSequence
	if _, err := asn1.Unmarshal(ca.RawSubject, &subject); err != nil {
		return nil
	}
	if len(name) <= 64 {
		subject = append(subject, pkix.RelativeDistinguishedNameSET{{Type: commonName, Value: name}})
	}
	raw, err := asn1.Marshal(subject)
	if err != nil {
		return nil
	}
	template.RawSubject = raw
	der, err := x509.CreateCertificate(rand.Reader, template, ca, base.cert.key.Public(), n.authority.key)
	if err != nil {
		return nil
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	cert := &certificate{leaf: leaf, key: base.cert.key, chain: append([]*x509.Certificate{ca}, n.authority.chain...)}
	made := *base
	made.cert = cert
	made.use = &use{entry: &entry{cert: cert}, at: base.use.at}
	made.shown = cert.present(false)
	made.shown.SupportedSignatureAlgorithms = base.shown.SupportedSignatureAlgorithms
	return &made
}

// madeExtensions are those of a certificate that is made for a name, with the key of another one.
func madeExtensions(name string, ca, withKey *x509.Certificate) []pkix.Extension {
	marshal := func(value any) []byte {
		der, _ := asn1.Marshal(value) // cannot fail: the values are of known types
		return der
	}
	var key struct {
		Algorithm pkix.AlgorithmIdentifier
		Bits      asn1.BitString
	}
	_, _ = asn1.Unmarshal(withKey.RawSubjectPublicKeyInfo, &key) // it was parsed before
	keyID := sha1.Sum(key.Bits.Bytes)
	tagged := func(tag int, compound bool, der []byte) asn1.RawValue {
		return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: compound, Bytes: der}
	}
	const directoryName = 4
	issuer := tagged(1, true, marshal(tagged(directoryName, true, ca.RawIssuer)))
	var serial asn1.RawValue
	_, _ = asn1.Unmarshal(marshal(ca.SerialNumber), &serial)
	authority := []asn1.RawValue{issuer, tagged(2, false, serial.Bytes)}
	if len(ca.SubjectKeyId) > 0 {
		authority = slices.Insert(authority, 0, tagged(0, false, ca.SubjectKeyId))
	}
	const dnsName = 2
	const signsAndEnciphers = 0xE0 // digitalSignature, nonRepudiation, keyEncipherment
	return []pkix.Extension{
		{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: marshal(struct{}{})},
		{Id: asn1.ObjectIdentifier{2, 16, 840, 1, 113730, 1, 13}, Value: marshal(asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(`"OpenSSL Generated Certificate"`)})},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 14}, Value: marshal(keyID[:])},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 35}, Value: marshal(authority)},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Value: marshal(asn1.BitString{Bytes: []byte{signsAndEnciphers}, BitLength: 3})},
		{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: marshal([]asn1.RawValue{tagged(dnsName, false, []byte(name))})},
	}
}
