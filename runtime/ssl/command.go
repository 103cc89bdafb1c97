package ssl

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/stats/cli"
)

// owner is what the owner of a connection to a stats socket answers.
type owner interface {
	RunningConfig() *runtime.Config
}

// settingsOf finds the settings of the running configuration.
func settingsOf(c *cli.Conn) *settings {
	g := &c.Owner.(owner).RunningConfig().Global
	if s, ok := g.SSL.(*settings); ok {
		return s
	}
	return &settings{extra: extraAll, store: newStore()}
}

// run is a command that works on the store, which it has for itself.
func run(level cli.Level, f func(c *cli.Conn, g *settings, args []string) cli.Step) func(*cli.Conn, []string) cli.Step {
	return func(c *cli.Conn, args []string) cli.Step {
		if c.Level < level {
			// The reference says so of the commands that show something.
			return c.Fail("Can't allocate memory!")
		}
		g := settingsOf(c)
		g.store.mu.Lock()
		defer g.store.mu.Unlock()
		g.list = nil
		return f(c, g, args)
	}
}

// change is a command that only administrators may use.
func change(name, summary string, f func(c *cli.Conn, g *settings, args []string) cli.Step) cli.Command {
	return cli.Command{Doc: keyword.Doc{Name: name, Ref: "9.3", Summary: summary}, Level: cli.Admin, Run: run(cli.Admin, f)}
}

// show is a command that only reads.
func show(name, summary string, level cli.Level, f func(c *cli.Conn, g *settings, args []string) cli.Step) cli.Command {
	return cli.Command{Doc: keyword.Doc{Name: name, Ref: "9.3", Summary: summary}, Level: cli.User, Run: run(level, f)}
}

// commands are the rows of the runtime API.
func commands() []cli.Command {
	return []cli.Command{
		show("show ssl sni", "the names that certificates are served for", cli.User, showSNI),
		change("new ssl cert", "make an empty certificate", newCert),
		change("set ssl cert", "put a certificate, or a part of it, into a transaction", setCert),
		change("commit ssl cert", "serve what the transaction holds", commitCert),
		change("abort ssl cert", "drop the transaction", abortCert),
		change("del ssl cert", "forget a certificate that nothing uses", delCert),
		show("show ssl cert", "the certificates, or one in detail", cli.Operator, showCert),
		show("dump ssl cert", "a certificate with its key in PEM", cli.Admin, dumpCert),
		show("add ssl jwt", "use a certificate for tokens", cli.Admin, setJWT(true)),
		show("del ssl jwt", "use a certificate no longer for tokens", cli.Admin, setJWT(false)),
		show("show ssl jwt", "the certificates that are used for tokens", cli.Operator, showJWT),

		change("new ssl ca-file", "make an empty file of authorities", authorityFiles.create),
		change("add ssl ca-file", "add authorities in a transaction", authorityFiles.set),
		change("set ssl ca-file", "replace authorities in a transaction", authorityFiles.set),
		change("commit ssl ca-file", "verify by what the transaction holds", authorityFiles.commit),
		change("abort ssl ca-file", "drop the transaction", authorityFiles.abort),
		change("del ssl ca-file", "forget a file of authorities that nothing uses", authorityFiles.remove),
		show("show ssl ca-file", "the files of authorities, or one in detail", cli.Operator, authorityFiles.show),

		change("new ssl crl-file", "make an empty file of revoked certificates", revokedFiles.create),
		change("set ssl crl-file", "replace revoked certificates in a transaction", revokedFiles.set),
		change("commit ssl crl-file", "verify by what the transaction holds", revokedFiles.commit),
		change("abort ssl crl-file", "drop the transaction", revokedFiles.abort),
		change("del ssl crl-file", "forget a file of revoked certificates that nothing uses", revokedFiles.remove),
		show("show ssl crl-file", "the files of revoked certificates, or one in detail", cli.Operator, revokedFiles.show),

		change("add ssl crt-list", "add a line to a list of certificates", addLine),
		change("del ssl crt-list", "remove a line from a list of certificates", delLine),
		change("show ssl crt-list", "the lists of certificates, or the lines of one", showList),

		change("set ssl ocsp-response", "replace the response about a certificate", setResponse),
		change("show ssl ocsp-response", "the responses about certificates, or one in detail", showResponse),
		change("show ssl ocsp-updates", "when responses are fetched", showUpdates),
		change("update ssl ocsp-response", "fetch the response about a certificate at once", updateResponse),

		change("show tls-keys", "the keys of tickets", showTicketKeys),
		change("set ssl tls-key", "make a key the next one for tickets", setTicketKey),
		show("show ssl providers", "where algorithms are from", cli.User, showProviders),
	}
}

// rows streams the lines that it is given.
func rows(c *cli.Conn, lines []string) cli.Step {
	return func(c *cli.Conn) (done bool) {
		for len(lines) > 0 && !c.Full() {
			c.WriteString(lines[0])
			lines = lines[1:]
		}
		return len(lines) == 0
	}
}

// named strips what may stand before a name: "\" lets it begin with "*".
func named(text string) string { return strings.TrimPrefix(text, `\`) }

// detail appends what is shown of a certificate.
func detail(b *strings.Builder, c *certificate) {
	if c.chainFile != "" {
		fmt.Fprintf(b, "Chain Filename: %s\n", c.chainFile)
	}
	describe(b, c.leaf)
	for _, link := range c.chain {
		fmt.Fprintf(b, "Chain Subject: %s\nChain Issuer: %s\n", oneLine(link.RawSubject), oneLine(link.RawIssuer))
	}
}

func describe(b *strings.Builder, c *x509.Certificate) {
	fmt.Fprintf(b, "Serial: %X\nnotBefore: %s\nnotAfter: %s\n", c.SerialNumber.Bytes(), showTime(c.NotBefore), showTime(c.NotAfter))
	b.WriteString("Subject Alternative Name: ")
	for i, name := range alternatives(c) {
		if i > 0 {
			b.WriteString(", ")
		}
		if name != "" {
			b.WriteString("DNS:" + name)
		}
	}
	fmt.Fprintf(b, "\nAlgorithm: %s\nSHA1 FingerPrint: %X\nSubject: %s\nIssuer: %s\n",
		algorithm(c.PublicKey), sha1.Sum(c.Raw), oneLine(c.RawSubject), oneLine(c.RawIssuer))
}

// alternatives are the alternative names: "" for one that is no name of a host.
func alternatives(c *x509.Certificate) (names []string) {
	for _, e := range c.Extensions {
		if !e.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		var list []asn1.RawValue
		asn1.Unmarshal(e.Value, &list)
		for _, n := range list {
			if n.Class == asn1.ClassContextSpecific && n.Tag == 2 {
				names = append(names, string(n.Bytes))
			} else {
				names = append(names, "")
			}
		}
	}
	return names
}

func showTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// algorithm is what a public key is called: "RSA2048", "EC256".
func algorithm(key any) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return fmt.Sprintf("EC%d", k.Curve.Params().BitSize)
	case ed25519.PublicKey:
		return "ED25519"
	}
	return "DSA"
}

// oneLine is a distinguished name as "/C=FR/O=Company/CN=host".
func oneLine(raw []byte) string { return string(appendName(nil, raw)) }

// describeList appends what is shown of a list of revoked certificates.
func describeList(b *strings.Builder, r *revocations) {
	list := &r.list.TBSCertList
	fmt.Fprintf(b, "Version %d\nSignature Algorithm: %s\nIssuer: %s\nLast Update: %s\nNext Update: %s\n", list.Version+1,
		signatureName(r.list.SignatureAlgorithm.Algorithm), oneLine(r.issuer), showTime(list.ThisUpdate), showTime(list.NextUpdate))
	if len(list.RevokedCertificates) == 0 {
		b.WriteString("No Revoked Certificates.\n")
		return
	}
	b.WriteString("Revoked Certificates:\n")
	for i := range list.RevokedCertificates {
		e := &list.RevokedCertificates[i]
		fmt.Fprintf(b, "    Serial Number: %s\n        Revocation Date: %s\n", hexNumber(e.SerialNumber), showTime(e.RevocationTime))
	}
}

// hexNumber is a number in whole bytes.
func hexNumber(n *big.Int) string {
	if n.Sign() == 0 {
		return "00"
	}
	return fmt.Sprintf("%X", n.Bytes())
}

// signatureName is what OpenSSL calls a way to sign.
func signatureName(a asn1.ObjectIdentifier) string {
	if name := signatureNames[a.String()]; name != "" {
		return name
	}
	return a.String()
}

var signatureNames = map[string]string{
	"1.2.840.113549.1.1.5": "sha1WithRSAEncryption", "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
	"1.2.840.113549.1.1.12": "sha384WithRSAEncryption", "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
	"1.2.840.113549.1.1.10": "rsassaPss", "1.2.840.10045.4.1": "ecdsa-with-SHA1", "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
	"1.2.840.10045.4.3.3": "ecdsa-with-SHA384", "1.2.840.10045.4.3.4": "ecdsa-with-SHA512", "1.3.101.112": "ED25519",
}

// showStapled is "show ssl cert <name>.ocsp".
func showStapled(c *cli.Conn, g *settings, cert *certificate, pending bool) cli.Step {
	if cert == nil {
		return nil
	}
	if pending && cert.ocsp != nil {
		c.WriteString(printOCSP(cert.ocsp))
	} else if t := cert.staple; t != nil {
		if r := t.now.Load(); r != nil {
			c.WriteString(printOCSP(r.der))
		}
	}
	return nil
}

// appendName appends a distinguished name in one line.
func appendName(dst, der []byte) []byte {
	var name pkix.RDNSequence
	asn1.Unmarshal(der, &name)
	for _, set := range name {
		for _, a := range set {
			dst = fmt.Appendf(dst, "/%s=%v", attributeNames[a.Type.String()], a.Value)
		}
	}
	return dst
}

var attributeNames = map[string]string{
	"2.5.4.3": "CN", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU", "1.2.840.113549.1.9.1": "emailAddress",
}
