package ssl

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// trusted is a file, or a directory, of certificates of authorities ("ca-file") or of lists
// of what they have revoked ("crl-file"). It is known by its name, and may be replaced while
// connections are verified by it.
type trusted struct {
	name string
	kind trustedKind
	data atomic.Pointer[anchors] // nil: made by "new ssl ca-file" and still empty
}

// trustedKind tells authorities from lists of revoked certificates.
type trustedKind uint8

const (
	authorityKind trustedKind = iota
	revokedKind
)

// String is what messages of the configuration call it.
func (k trustedKind) String() string { return [...]string{"CAfile", "CRLfile"}[k] }

// anchors are the contents of such a file. They do not change.
type anchors struct {
	objects []anchor // in the order in which they are shown
	subject map[string][]*x509.Certificate
	issuer  map[string][]*revocations
}

// revocations are a list of revoked certificates, of either version: crypto/x509 reads the
// second alone.
type revocations struct {
	raw, issuer []byte
	list        *pkix.CertificateList
}

func readRevocations(der []byte) (*revocations, error) {
	r := &revocations{raw: der, list: &pkix.CertificateList{}}
	if rest, err := asn1.Unmarshal(der, r.list); err != nil || len(rest) > 0 {
		return nil, errors.New("no list of revoked certificates")
	}
	var err error
	r.issuer, err = asn1.Marshal(r.list.TBSCertList.Issuer)
	return r, err
}

// has tells whether a certificate of the list's issuer is revoked.
func (r *revocations) has(serial *big.Int) bool {
	for i := range r.list.TBSCertList.RevokedCertificates {
		if r.list.TBSCertList.RevokedCertificates[i].SerialNumber.Cmp(serial) == 0 {
			return true
		}
	}
	return false
}

// anchor is a certificate or a list of revoked ones.
type anchor struct {
	cert *x509.Certificate
	list *revocations
	key  string // its name in the form in which names are compared
}

func newAnchors() *anchors {
	return &anchors{subject: map[string][]*x509.Certificate{}, issuer: map[string][]*revocations{}}
}

// clone makes a copy that may be added to.
func (a *anchors) clone() *anchors {
	c := newAnchors()
	if a != nil {
		for _, o := range a.objects {
			c.put(o)
		}
	}
	return c
}

// put adds one object, unless it is there. The one that was added last is put into the order
// of all first, as the reference's library does when it looks whether it has it.
func (a *anchors) put(o anchor) {
	if n := len(a.objects); n > 0 {
		last := a.objects[n-1]
		at, _ := slices.BinarySearchFunc(a.objects[:n-1], last, anchor.compare)
		copy(a.objects[at+1:], a.objects[at:n-1])
		a.objects[at] = last
	}
	for _, c := range a.subject[o.key] {
		if o.cert != nil && c.Equal(o.cert) {
			return
		}
	}
	for _, l := range a.issuer[o.key] {
		if o.list != nil && bytes.Equal(l.raw, o.list.raw) {
			return
		}
	}
	a.objects = append(a.objects, o)
	if o.cert != nil {
		a.subject[o.key] = append(a.subject[o.key], o.cert)
	} else {
		a.issuer[o.key] = append(a.issuer[o.key], o.list)
	}
}

// compare is the order of objects: certificates first, then short names.
func (o anchor) compare(p anchor) int {
	return cmp.Or(cmp.Compare(bit(o.list != nil), bit(p.list != nil)), cmp.Compare(len(o.key), len(p.key)), cmp.Compare(o.key, p.key))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// read adds what a PEM text has, up to what cannot be read. n is how much it is; fault is not "" when
// something cannot be read.
func (a *anchors) read(text []byte) (n int, fault string) {
	r := pemReader{text}
	for {
		block, reason := r.next()
		switch {
		case reason == noStartLine:
			return n, ""
		case block == nil:
			return n, reason
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return n, refusedAs(err, block.Bytes)
			}
			a.put(anchor{cert: c, key: canonical(c.RawSubject)})
		case "X509 CRL":
			l, err := readRevocations(block.Bytes)
			if err != nil {
				return n, asn1Reason(block.Bytes)
			}
			a.put(anchor{list: l, key: canonical(l.issuer)})
		case "RSA PRIVATE KEY", "EC PRIVATE KEY":
			if _, err := parseTraditional(block.Type, block.Bytes); err != nil {
				return n, "unsupported"
			}
			continue
		default:
			continue
		}
		n++
	}
}

// load reads one file; reason tells why nothing was found.
func (a *anchors) load(path string) (reason string) {
	text, err := os.ReadFile(path)
	if err != nil {
		return "system lib"
	}
	n, fault := a.read(text)
	if fault == "" && n == 0 {
		return "no certificate or crl found"
	}
	return fault
}

// pool is the certificates for crypto/tls, which tells clients their names.
func (a *anchors) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, o := range a.objects {
		if o.cert != nil {
			pool.AddCert(o.cert)
		}
	}
	return pool
}

// systemAuthorities is the name of those that the system trusts.
const systemAuthorities = "@system-ca"

// systemDirectory is where they are.
func systemDirectory() string {
	if dir := os.Getenv("SSL_CERT_DIR"); dir != "" {
		return dir
	}
	return "/etc/ssl/certs"
}

// loadAnchors reads a PEM file, or all files of a directory. fault is the text of what
// could not be opened; warn is called for what is skipped.
func loadAnchors(path string, warn func(format string, args ...any)) (a *anchors, fault string) {
	a = newAnchors()
	where := path
	if path == systemAuthorities {
		where = systemDirectory()
	} else {
		dir, reason := found(path)
		if reason == "" && !dir {
			if reason = a.load(path); reason == "" {
				return a, ""
			}
		}
		if reason != "" {
			return nil, fmt.Sprintf("Couldn't open the ca-file '%s' (%s)", path, reason)
		}
	}
	entries, err := os.ReadDir(where)
	if err != nil {
		return nil, ""
	}
	for _, e := range entries {
		if !slices.Contains([]string{".pem", ".crt", ".cer", ".crl"}, filepath.Ext(e.Name())) || e.Name()[0] == '.' {
			continue
		}
		if reason := a.load(filepath.Join(where, e.Name())); reason != "" {
			warn("ca-file: '%s' couldn't load '%s' (%s)", path, where+"/"+e.Name(), reason)
		}
	}
	if len(a.objects) == 0 {
		warn("ca-file: 0 CA were loaded from '%s'", path)
	}
	return a, ""
}

// canonical is a distinguished name in the form in which OpenSSL compares names: letters
// small, spaces joined, and without the outer header.
func canonical(raw []byte) string {
	var name []asn1.RawValue
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return string(raw)
	}
	var out []byte
	for _, set := range name {
		var attributes []struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		if _, err := asn1.UnmarshalWithParams(set.FullBytes, &attributes, "set"); err != nil {
			return string(raw)
		}
		for i := range attributes {
			v := &attributes[i].Value
			switch v.Tag {
			case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagT61String:
				text := strings.ToLower(strings.Join(strings.Fields(string(v.Bytes)), " "))
				*v = asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(text)}
			}
		}
		if b, err := asn1.MarshalWithParams(attributes, "set"); err == nil {
			out = append(out, b...)
		}
	}
	return string(out)
}
