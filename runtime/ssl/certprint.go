package ssl

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// printCertificate writes a certificate as OpenSSL does.
func printCertificate(b *strings.Builder, der []byte) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return
	}
	serial := fmt.Sprintf(" %s (0x%s)", c.SerialNumber, c.SerialNumber.Text(16))
	if !c.SerialNumber.IsInt64() {
		serial = "\n            " + strings.TrimLeft(colons(c.SerialNumber.Bytes(), "%02x"), " ")
	}
	var outer struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	asn1.Unmarshal(der, &outer)
	fmt.Fprintf(b, "Certificate:\n    Data:\n        Version: %d (0x%x)\n        Serial Number:%s\n        Signature Algorithm: %s\n        Issuer: %s\n"+
		"        Validity\n            Not Before: %s\n            Not After : %s\n        Subject: %s\n        Subject Public Key Info:\n",
		c.Version, c.Version-1, serial, signatureName(outer.Algorithm.Algorithm), joinedName(c.RawIssuer), showTime(c.NotBefore), showTime(c.NotAfter), joinedName(c.RawSubject))
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		fmt.Fprintf(b, "            Public Key Algorithm: rsaEncryption\n                Public-Key: (%d bit)\n                Modulus:", key.N.BitLen())
		printBytes(b, 20, 15, append([]byte{0}, key.N.Bytes()...))
		fmt.Fprintf(b, "\n                Exponent: %d (0x%x)\n", key.E, key.E)
	case *ecdsa.PublicKey:
		name := map[int][2]string{256: {"prime256v1", "P-256"}, 384: {"secp384r1", "P-384"}, 521: {"secp521r1", "P-521"}}[key.Curve.Params().BitSize]
		fmt.Fprintf(b, "            Public Key Algorithm: id-ecPublicKey\n                Public-Key: (%d bit)\n                pub:", key.Curve.Params().BitSize)
		point, _ := key.Bytes()
		printBytes(b, 20, 15, point)
		fmt.Fprintf(b, "\n                ASN1 OID: %s\n                NIST CURVE: %s\n", name[0], name[1])
	default:
		b.WriteString("            Public Key Algorithm: ED25519\n")
	}
	if len(c.Extensions) > 0 {
		b.WriteString("        X509v3 extensions:\n")
	}
	for _, e := range c.Extensions {
		printExtension(b, c, e)
	}
	printSignature(b, 4, outer.Algorithm.Algorithm, outer.Signature)
}

func colons(p []byte, format string) string {
	parts := make([]string, len(p))
	for i, c := range p {
		parts[i] = fmt.Sprintf(format, c)
	}
	return strings.Join(parts, ":")
}

// printExtension writes an extension of a certificate.
func printExtension(b *strings.Builder, c *x509.Certificate, e pkix.Extension) {
	name, value := e.Id.String(), fmt.Sprintf("%X", e.Value)
	switch name {
	case "2.5.29.19":
		name, value = "X509v3 Basic Constraints", "CA:FALSE"
		if c.IsCA {
			value = "CA:TRUE"
		}
		if c.MaxPathLen > 0 || c.MaxPathLenZero {
			value += fmt.Sprintf(", pathlen:%d", c.MaxPathLen)
		}
	case "2.5.29.14":
		name, value = "X509v3 Subject Key Identifier", colons(c.SubjectKeyId, "%02X")
	case "2.5.29.35":
		name, value = "X509v3 Authority Key Identifier", authorityKey(e.Value)
	case "2.5.29.15":
		name, value = "X509v3 Key Usage", usages(c.KeyUsage)
	case "2.5.29.37":
		name, value = "X509v3 Extended Key Usage", extendedUsages(c)
	case "2.5.29.17":
		name, value = "X509v3 Subject Alternative Name", "DNS:"+strings.Join(c.DNSNames, ", DNS:")
	case "1.3.6.1.5.5.7.48.1.5":
		name, value = "OCSP No Check", ""
	}
	critical := ""
	if e.Critical {
		critical = "critical"
	}
	fmt.Fprintf(b, "            %s: %s\n                %s\n", name, critical, strings.ReplaceAll(value, "\n", "\n                "))
}

func authorityKey(der []byte) string {
	var id struct {
		Key    []byte          `asn1:"optional,tag:0"`
		Names  []asn1.RawValue `asn1:"optional,tag:1"`
		Serial asn1.RawValue   `asn1:"optional,tag:2"`
	}
	asn1.Unmarshal(der, &id)
	var lines []string
	if len(id.Key) > 0 {
		key := colons(id.Key, "%02X")
		if len(id.Names) > 0 {
			key = "keyid:" + key
		}
		lines = append(lines, key)
	}
	for _, n := range id.Names {
		if n.Tag == 4 {
			lines = append(lines, "DirName:"+oneLine(n.Bytes))
		}
	}
	if len(id.Serial.Bytes) > 0 {
		lines = append(lines, "serial:"+colons(id.Serial.Bytes, "%02X"))
	}
	return strings.Join(lines, "\n")
}

func usages(u x509.KeyUsage) string {
	var list []string
	for i, name := range []string{"Digital Signature", "Non Repudiation", "Key Encipherment", "Data Encipherment", "Key Agreement", "Certificate Sign", "CRL Sign", "Encipher Only", "Decipher Only"} {
		if u&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}

func extendedUsages(c *x509.Certificate) string {
	names := map[x509.ExtKeyUsage]string{x509.ExtKeyUsageAny: "Any Extended Key Usage", x509.ExtKeyUsageServerAuth: "TLS Web Server Authentication",
		x509.ExtKeyUsageClientAuth: "TLS Web Client Authentication", x509.ExtKeyUsageCodeSigning: "Code Signing", x509.ExtKeyUsageEmailProtection: "E-mail Protection",
		x509.ExtKeyUsageTimeStamping: "Time Stamping", x509.ExtKeyUsageOCSPSigning: "OCSP Signing"}
	var list []string
	for _, u := range c.ExtKeyUsage {
		list = append(list, names[u])
	}
	return strings.Join(list, ", ")
}
