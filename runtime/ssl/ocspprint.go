package ssl

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
)

// printOCSP writes a response as OpenSSL does, with a space in each empty line, which would
// end the answer of the runtime API.
func printOCSP(der []byte) string {
	r, err := readOCSP(der)
	if err != nil {
		return "Unable to parse OCSP response"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "OCSP Response Data:\n    OCSP Response Status: %s (0x%x)\n", responseStatus(int(r.Status)), int(r.Status))
	if r.basic == nil {
		return b.String()
	}
	tbs := &r.basic.TBS
	fmt.Fprintf(&b, "    Response Type: Basic OCSP Response\n    Version: %d (0x%x)\n    Responder Id: %s\n    Produced At: %s\n    Responses:\n",
		tbs.Version+1, tbs.Version, responder(tbs.ResponderID), showTime(tbs.ProducedAt))
	for i := range tbs.Responses {
		printSingle(&b, &tbs.Responses[i])
	}
	printExtensions(&b, "    Response Extensions:\n", tbs.Extensions, 8)
	printSignature(&b, 4, r.basic.Algorithm.Algorithm, r.basic.Signature)
	for _, c := range r.basic.Certificates {
		printCertificate(&b, c.FullBytes)
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.FullBytes})
	}
	return strings.ReplaceAll(b.String(), "\n\n", "\n \n")
}

func responseStatus(status int) string {
	names := []string{"successful", "malformedrequest", "internalerror", "trylater", "(UNKNOWN)", "sigrequired", "unauthorized"}
	if status < 0 || status >= len(names) {
		return "(UNKNOWN)"
	}
	return names[status]
}

// responder is who has signed: a name, or the digest of a key.
func responder(id asn1.RawValue) string {
	if id.Tag == 1 {
		return spacedName(id.Bytes)
	}
	var key []byte
	asn1.Unmarshal(id.Bytes, &key)
	return strings.ToUpper(hex.EncodeToString(key))
}

// spacedName is a name as "C = FR, O = Company, CN = host".
func spacedName(raw []byte) string {
	return strings.ReplaceAll(joinedName(raw), "=", " = ")
}

// joinedName is a name as "C=FR, O=Company, CN=host".
func joinedName(raw []byte) string {
	parts := strings.Split(strings.TrimPrefix(oneLine(raw), "/"), "/")
	return strings.Join(parts, ", ")
}

func printSingle(b *strings.Builder, r *singleResponse) {
	algorithm := r.ID.Algorithm.Algorithm.String()
	if algorithm == "1.3.14.3.2.26" {
		algorithm = "sha1"
	} else if algorithm == "2.16.840.1.101.3.4.2.1" {
		algorithm = "sha256"
	}
	fmt.Fprintf(b, "    Certificate ID:\n      Hash Algorithm: %s\n      Issuer Name Hash: %X\n      Issuer Key Hash: %X\n      Serial Number: %s\n",
		algorithm, r.ID.NameHash, r.ID.KeyHash, hexNumber(r.ID.Serial))
	status := "good"
	switch {
	case bool(r.Unknown):
		status = "unknown"
	case !r.Revoked.At.IsZero():
		status = "revoked"
	}
	fmt.Fprintf(b, "    Cert Status: %s", status)
	if status == "revoked" {
		fmt.Fprintf(b, "\n    Revocation Time: %s\n", showTime(r.Revoked.At))
		if r.Revoked.Reason != 0 {
			fmt.Fprintf(b, "    Revocation Reason: %s (0x%x)\n", revocationReason(int(r.Revoked.Reason)), int(r.Revoked.Reason))
		}
	} else {
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "    This Update: %s\n", showTime(r.ThisUpdate))
	if !r.NextUpdate.IsZero() {
		fmt.Fprintf(b, "    Next Update: %s\n", showTime(r.NextUpdate))
	}
	b.WriteString("\n")
	printExtensions(b, "    Response Single Extensions:\n", r.Extensions, 8)
}

func revocationReason(code int) string {
	names := []string{"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded", "cessationOfOperation",
		"certificateHold", "(UNKNOWN)", "removeFromCRL", "privilegeWithdrawn", "aACompromise"}
	if code < 0 || code >= len(names) {
		return "(UNKNOWN)"
	}
	return names[code]
}

func printExtensions(b *strings.Builder, title string, list []pkix.Extension, indent int) {
	if len(list) == 0 {
		return
	}
	b.WriteString(title)
	for _, e := range list {
		name := e.Id.String()
		if name == "1.3.6.1.5.5.7.48.1.2" {
			name = "OCSP Nonce"
		}
		critical := ""
		if e.Critical {
			critical = "critical"
		}
		fmt.Fprintf(b, "%*s%s: %s\n%*s%X\n", indent, "", name, critical, indent+4, "", e.Value)
	}
}

// printSignature writes the bytes of a signature, eighteen a line.
func printSignature(b *strings.Builder, indent int, algorithm asn1.ObjectIdentifier, signature asn1.BitString) {
	fmt.Fprintf(b, "%*sSignature Algorithm: %s\n%*sSignature Value:", indent, "", signatureName(algorithm), indent, "")
	printBytes(b, indent+4, 18, signature.Bytes)
	b.WriteString("\n")
}

// printBytes writes bytes as hexadecimal numbers with colons, so many a line.
func printBytes(b *strings.Builder, indent, many int, p []byte) {
	for i, c := range p {
		if i%many == 0 {
			fmt.Fprintf(b, "\n%*s", indent, "")
		}
		fmt.Fprintf(b, "%02x", c)
		if i+1 < len(p) {
			b.WriteByte(':')
		}
	}
}
