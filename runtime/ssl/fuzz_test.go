package ssl

import (
	"os"
	"testing"
)

// FuzzListLine: no line of a list is too strange.
func FuzzListLine(f *testing.F) {
	for _, s := range []string{"a.pem [alpn h2,http/1.1 verify required] *.a !b", "a [", "a ]", "[", "a [[", "a [alpn]", "a [ocsp-update on key x] y", "\t a b\x00"} {
		f.Add(s)
	}
	g := &settings{store: newStore()}
	f.Fuzz(func(t *testing.T, text string) {
		_, line, _, err := g.parseListLine(text, &reader{set: g}, "list", 1)
		if err != nil || line == nil {
			return
		}
		siteNames(line.filters, func(string) {})
		line.entry = &entry{name: "x"}
		line.show(true)
	})
}

// FuzzTicket: what clients bring as a ticket is refused, or is one that was sealed here.
func FuzzTicket(f *testing.F) {
	ring := &keyRing{}
	for i := range ring.keys {
		text := make([]byte, 48)
		text[0] = byte(i)
		ring.keys[i], _ = newTicketKey(text)
	}
	keys := &ticketKeys{}
	keys.now.Store(ring)
	f.Add([]byte("session"))
	f.Add(keys.encrypt([]byte("session")))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys.decrypt(data)
		if got := keys.decrypt(keys.encrypt(data)); string(got) != string(data) {
			t.Errorf("%q came back as %q", data, got)
		}
	})
}

// FuzzPEM: no file of certificates, keys or lists of revoked ones is too strange.
func FuzzPEM(f *testing.F) {
	for _, name := range []string{"a.pem", "b.pem", "ca.crl", "ca.crt"} {
		if text, err := os.ReadFile("testdata/certs/" + name); err == nil {
			f.Add(text)
		}
	}
	g := &settings{store: newStore()}
	f.Fuzz(func(t *testing.T, text []byte) {
		c := &certificate{}
		if c.readPEM(g, "x", text) == nil && c.key != nil {
			c.fits()
		}
		newAnchors().read(text)
	})
}

// FuzzResponse: no response of an authority is too strange.
func FuzzResponse(f *testing.F) {
	if der, err := os.ReadFile("testdata/certs/c.pem.ocsp"); err == nil {
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		readResponse(der)
		printOCSP(der)
	})
}
