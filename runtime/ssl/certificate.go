package ssl

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// certificate is what a listener or a server line proves who it is with.
type certificate struct {
	tls.Certificate
	away  bool // operations of its key run beside the loop
	names []string
}

// loadError is the text of a file that cannot be loaded.
type loadError struct {
	text      string
	encrypted bool // the key wants a password
}

func (e *loadError) Error() string { return e.text }

func refusal(format string, args ...any) *loadError {
	return &loadError{text: fmt.Sprintf(format, args...)}
}

// loadCertificate reads a PEM file that holds a certificate, those that lead to its root,
// and the private key, which may also stand in a file of its own, with ".key" behind the
// name. skipRoots leaves self-issued ones out.
func loadCertificate(path string, skipRoots bool) (*certificate, *loadError) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, refusal("cannot open the file '%s'.\n", path)
	}
	c := &certificate{}
	key, encrypted := privateKey(text)
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" && block.Type != "X509 CERTIFICATE" && block.Type != "TRUSTED CERTIFICATE" {
			continue
		}
		parsed, err := x509.ParseCertificate(block.Bytes)
		switch {
		case err != nil && c.Leaf == nil:
			return nil, refusal("unable to load certificate from file '%s': %s.\n", path, asn1Reason(block.Bytes))
		case err != nil:
			return nil, refusal("unable to load certificate chain from file '%s': %s\n", path, asn1Reason(block.Bytes))
		case c.Leaf == nil:
			c.Leaf = parsed
		case skipRoots && string(parsed.RawSubject) == string(parsed.RawIssuer):
			continue
		}
		c.Certificate.Certificate = append(c.Certificate.Certificate, block.Bytes)
	}
	if c.Leaf == nil {
		return nil, refusal("unable to load certificate from file '%s': no start line.\n", path)
	}
	if key == nil {
		if text, err := os.ReadFile(path + ".key"); err == nil {
			if key, encrypted = privateKey(text); key == nil {
				return nil, &loadError{encrypted: encrypted, text: fmt.Sprintf(
					"unable to load private key from file '%s.key' (error:00000000:lib(0)::reason(0)).\n '%s.key' is present but cannot be read or parsed'.\n", path, path)}
			}
		}
	}
	if key == nil {
		return nil, &loadError{encrypted: encrypted, text: fmt.Sprintf("No Private Key found in '%s.key'.\n", path)}
	}
	if public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !public.Equal(c.Leaf.PublicKey) {
		return nil, refusal("inconsistencies between private key and certificate loaded '%s'.\n", path)
	}
	c.PrivateKey, c.away = key, slow(key)
	for _, name := range append([]string{c.Leaf.Subject.CommonName}, c.Leaf.DNSNames...) {
		if name = strings.ToLower(name); name != "" && !slices.Contains(c.names, name) {
			c.names = append(c.names, name)
		}
	}
	return c, nil
}

// asn1Reason words what is wrong with a certificate whose PEM armour is right, as near as
// a length tells.
func asn1Reason(der []byte) string {
	if len(der) > 4 && der[0] == 0x30 && der[1] == 0x82 && 4+int(der[2])<<8+int(der[3]) > len(der) {
		return "too long"
	}
	return "asn1 encoding routines"
}

// privateKey finds the first private key; nil when there is none that can be read.
func privateKey(text []byte) (key crypto.Signer, encrypted bool) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, encrypted
		}
		var parsed any
		err := errors.New("not a key")
		switch block.Type {
		case "PRIVATE KEY":
			parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				encrypted = true
				continue
			}
			parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			if block.Headers["DEK-Info"] != "" {
				encrypted = true
				continue
			}
			parsed, err = x509.ParseECPrivateKey(block.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			encrypted = true
			continue
		}
		if err == nil {
			key, _ = parsed.(crypto.Signer)
			return key, false
		}
	}
}

// found tells how stat sees a file; "" when it is there.
func found(path string) (dir bool, reason string) {
	st, err := os.Stat(path)
	if err != nil {
		var errno unix.Errno
		if errors.As(err, &errno) {
			return false, strerror(errno)
		}
		return false, err.Error()
	}
	return st.IsDir(), ""
}

// strerror is the text of an error of the system as C programs print it.
func strerror(errno unix.Errno) string {
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// chooser finds the certificate for a name that a client asks for.
type chooser struct {
	exact    map[string][]*certificate
	wildcard map[string][]*certificate // by what follows the star: ".example.com"
	fallback []*certificate            // those of the first "crt", or of each "default-crt"
	strict   bool                      // an unknown name is refused
}

func (h *chooser) add(c *certificate) {
	if h.exact == nil {
		h.exact, h.wildcard = map[string][]*certificate{}, map[string][]*certificate{}
	}
	for _, name := range c.names {
		if suffix, star := strings.CutPrefix(name, "*"); star {
			h.wildcard[suffix] = append(h.wildcard[suffix], c)
		} else {
			h.exact[name] = append(h.exact[name], c)
		}
	}
}

func (h *chooser) empty() bool {
	return len(h.exact) == 0 && len(h.wildcard) == 0 && len(h.fallback) == 0
}

// choose finds the certificate of a handshake; nil when the name is unknown and that
// matters.
func (h *chooser) choose(hello *tls.ClientHelloInfo) *certificate {
	name := strings.ToLower(hello.ServerName)
	if list := h.exact[name]; len(list) > 0 {
		return best(list, hello)
	}
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		if list := h.wildcard[name[dot:]]; len(list) > 0 {
			return best(list, hello)
		}
	}
	if h.strict || len(h.fallback) == 0 {
		return nil
	}
	return best(h.fallback, hello)
}

// best prefers a key of elliptic curves, where the client can verify it.
func best(list []*certificate, hello *tls.ClientHelloInfo) *certificate {
	if len(list) == 1 {
		return list[0]
	}
	for _, elliptic := range []bool{true, false} {
		for _, c := range list {
			if _, ok := c.PrivateKey.(*ecdsa.PrivateKey); ok == elliptic && hello.SupportsCertificate(&c.Certificate) == nil {
				return c
			}
		}
	}
	return list[0]
}
