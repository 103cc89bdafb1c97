// Package x509text tells of certificates what OpenSSL tells of them, in its words.
package x509text

import (
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// attribute is one part of a name in a certificate.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// attributeSET is what stands at one level of a name: one attribute as a rule. The name
// tells encoding/asn1 that it is a SET.
type attributeSET []attribute

// readName takes a name apart.
func readName(der []byte) []attributeSET {
	var name []attributeSET
	if _, err := asn1.Unmarshal(der, &name); err != nil {
		return nil
	}
	return name
}

// shortName is what OpenSSL calls an attribute.
func (a *attribute) shortName() string {
	oid := a.Type.String()
	if name, known := attributeNames[oid]; known {
		return name
	}
	return oid
}

// AppendName appends a name as "/C=FR/O=Company/CN=host".
func AppendName(dst, der []byte) []byte {
	for _, set := range readName(der) {
		for i := range set {
			dst = append(append(append(dst, '/'), set[i].shortName()...), '=')
			dst = append(dst, set[i].Value.Bytes...)
		}
	}
	return dst
}

// NameEntry finds the n-th attribute of a name that is called so, counted from 1, or from
// the end and -1.
func NameEntry(der []byte, called string, n int64) ([]byte, bool) {
	var found []*attribute
	for _, set := range readName(der) {
		for i := range set {
			if strings.EqualFold(set[i].shortName(), called) {
				found = append(found, &set[i])
			}
		}
	}
	if n < 0 {
		n += int64(len(found)) + 1
	}
	if n < 1 || n > int64(len(found)) {
		return nil, false
	}
	return found[n-1].Value.Bytes, true
}

// AppendRFC2253 appends a name in the form of RFC 2253, as OpenSSL writes it.
func AppendRFC2253(dst, der []byte) []byte {
	name := readName(der)
	for i := len(name) - 1; i >= 0; i-- {
		if i < len(name)-1 {
			dst = append(dst, ',')
		}
		set := name[i]
		for j := len(set) - 1; j >= 0; j-- {
			if j < len(set)-1 {
				dst = append(dst, '+')
			}
			dst = append(append(dst, set[j].shortName()...), '=')
			dst = set[j].appendRFC2253(dst)
		}
	}
	return dst
}

// appendRFC2253 appends the value of one attribute: in hexadecimal when it is no text, or
// that of an attribute without a name.
func (a *attribute) appendRFC2253(dst []byte) []byte {
	text, ok := textOf(&a.Value)
	if _, known := attributeNames[a.Type.String()]; !known || !ok {
		dst = append(dst, '#')
		return append(dst, strings.ToUpper(hex.EncodeToString(a.Value.FullBytes))...)
	}
	for i, c := range []byte(text) {
		switch {
		case c < ' ' || c > '~':
			dst = append(dst, '\\', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
			continue
		case strings.IndexByte(",+\"\\<>;", c) >= 0, c == '#' && i == 0, c == ' ' && (i == 0 || i == len(text)-1):
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return dst
}

// textOf is the text of an ASN.1 string in UTF-8; false: it is no string.
func textOf(v *asn1.RawValue) (string, bool) {
	const universalString = 28
	switch v.Tag {
	case asn1.TagUTF8String:
		return string(v.Bytes), true
	case asn1.TagNumericString, asn1.TagPrintableString, asn1.TagT61String, asn1.TagIA5String, asn1.TagUTCTime, asn1.TagGeneralizedTime, 26:
		var b []byte
		for _, c := range v.Bytes {
			b = utf8.AppendRune(b, rune(c))
		}
		return string(b), true
	case asn1.TagBMPString:
		var units []uint16
		for i := 0; i+1 < len(v.Bytes); i += 2 {
			units = append(units, uint16(v.Bytes[i])<<8|uint16(v.Bytes[i+1]))
		}
		return string(utf16.Decode(units)), true
	case universalString:
		var b []byte
		for i := 0; i+3 < len(v.Bytes); i += 4 {
			b = utf8.AppendRune(b, rune(v.Bytes[i])<<24|rune(v.Bytes[i+1])<<16|rune(v.Bytes[i+2])<<8|rune(v.Bytes[i+3]))
		}
		return string(b), true
	}
	return "", false
}

// CommonName is the first common name of a certificate.
func CommonName(c *x509.Certificate) string {
	name, _ := NameEntry(c.RawSubject, "CN", 1)
	return string(name)
}

// KeyAlgorithm is the kind and the size of a certificate's key: "RSA2048".
func KeyAlgorithm(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return "RSA" + strconv.Itoa(k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC" + strconv.Itoa(k.Curve.Params().BitSize)
	case *dsa.PublicKey:
		return "DSA" + strconv.Itoa(k.P.BitLen())
	}
	return ""
}

// algorithm is an AlgorithmIdentifier of which the name counts.
type algorithm struct {
	OID    asn1.ObjectIdentifier
	Params asn1.RawValue `asn1:"optional"`
}

func (a algorithm) name() string {
	if name, known := algorithmNames[a.OID.String()]; known {
		return name
	}
	return "UNDEF"
}

// SignatureAlgorithm is what OpenSSL calls the algorithm that a certificate is signed with.
func SignatureAlgorithm(c *x509.Certificate) string {
	var cert struct {
		Body asn1.RawValue
		Alg  algorithm
		Sig  asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.Raw, &cert); err != nil {
		return ""
	}
	return cert.Alg.name()
}

// PublicKeyAlgorithm is what OpenSSL calls the algorithm of a certificate's key.
func PublicKeyAlgorithm(c *x509.Certificate) string {
	var info struct {
		Alg algorithm
		Key asn1.BitString
	}
	if _, err := asn1.Unmarshal(c.RawSubjectPublicKeyInfo, &info); err != nil {
		return ""
	}
	return info.Alg.name()
}

// Serial is the serial number of a certificate, in bytes.
func Serial(c *x509.Certificate) []byte {
	if b := c.SerialNumber.Bytes(); len(b) > 0 {
		return b
	}
	return []byte{0}
}

// Time is a date of a certificate without its century; false: it is not of this one.
func Time(t time.Time) (string, bool) {
	t = t.UTC()
	return t.Format("060102150405Z"), t.Year() >= 2000 && t.Year() < 2100
}

// subjectAltName is the extension that AppendAltNames reads.
var subjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}

// AppendAltNames appends the names of a certificate beside its subject, as OpenSSL prints
// them.
func AppendAltNames(dst []byte, c *x509.Certificate) []byte {
	for _, e := range c.Extensions {
		if !e.Id.Equal(subjectAltName) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(e.Value, &names); err != nil {
			return dst
		}
		for i := range names {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendGeneralName(dst, &names[i])
		}
	}
	return dst
}

// appendGeneralName appends one alternative name.
func appendGeneralName(dst []byte, n *asn1.RawValue) []byte {
	switch n.Tag {
	case 0:
		return append(dst, "othername:<unsupported>"...)
	case 1:
		return append(append(dst, "email:"...), n.Bytes...)
	case 2:
		return append(append(dst, "DNS:"...), n.Bytes...)
	case 3:
		return append(dst, "X400Name:<unsupported>"...)
	case 4:
		return appendDirName(append(dst, "DirName:"...), n.Bytes)
	case 5:
		return append(dst, "EdiPartyName:<unsupported>"...)
	case 6:
		return append(append(dst, "URI:"...), n.Bytes...)
	case 7:
		return appendAddress(append(dst, "IP Address:"...), n.Bytes)
	case 8:
		var oid asn1.ObjectIdentifier
		full := append([]byte{6, byte(len(n.Bytes))}, n.Bytes...)
		if _, err := asn1.Unmarshal(full, &oid); err == nil {
			return append(append(dst, "Registered ID:"...), oid.String()...)
		}
	}
	return dst
}

// appendDirName appends a name as "C = FR, CN = host".
func appendDirName(dst, der []byte) []byte {
	first := true
	for _, set := range readName(der) {
		for i := range set {
			switch {
			case first:
			case i > 0:
				dst = append(dst, " + "...)
			default:
				dst = append(dst, ", "...)
			}
			first = false
			dst = append(append(dst, set[i].shortName()...), " = "...)
			text, _ := textOf(&set[i].Value)
			dst = append(dst, text...)
		}
	}
	return dst
}

// appendAddress appends an IP address; those of IPv6 are not shortened.
func appendAddress(dst, ip []byte) []byte {
	a, ok := netip.AddrFromSlice(ip)
	switch {
	case !ok:
		return append(dst, "<invalid>"...)
	case a.Is4():
		return a.AppendTo(dst)
	}
	for i := 0; i < len(ip); i += 2 {
		if i > 0 {
			dst = append(dst, ':')
		}
		dst = append(dst, strings.ToUpper(strconv.FormatUint(uint64(ip[i])<<8|uint64(ip[i+1]), 16))...)
	}
	return dst
}
