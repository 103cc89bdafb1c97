package ssl

import (
	"bytes"
	"os"
	"testing"

	"hapax/runtime"
)

// TestTicketKeys: a ticket is taken with all keys of a file, also those that came at run time,
// until its key has gone.
func TestTicketKeys(t *testing.T) {
	keys, err := readTicketKeys("testdata/certs/keys")
	if err != nil {
		t.Fatal(err)
	}
	ticket := keys.encrypt([]byte("session"))
	if !bytes.Equal(ticket[:ticketKeyName], bytes.Repeat([]byte{'2'}, ticketKeyName)) {
		t.Errorf("the ticket begins with %q, not with the name of the last key but one", ticket[:ticketKeyName])
	}
	for i := range 3 {
		if i < 2 && string(keys.decrypt(ticket)) != "session" {
			t.Errorf("the ticket is not taken after %d new keys", i)
		}
		key, _ := newTicketKey(bytes.Repeat([]byte{byte('a' + i)}, 48))
		if !keys.rotate(key) {
			t.Error("a key of the right size is refused")
		}
	}
	if keys.decrypt(ticket) != nil {
		t.Error("a ticket is taken whose key has gone")
	}
	if key, ok := newTicketKey(make([]byte, 80)); !ok || keys.rotate(key) {
		t.Error("a key of another size is taken")
	}
	ticket = keys.encrypt([]byte("session"))
	for i := range ticket {
		forged := bytes.Clone(ticket)
		forged[i] ^= 1
		if keys.decrypt(forged) != nil {
			t.Errorf("a ticket with another byte %d is taken", i)
		}
	}
}

// TestSites: the certificate for a name, as it was seen on HAProxy 3.4.0.
func TestSites(t *testing.T) {
	s := newSites(false, nil)
	for _, c := range []struct {
		name    string
		kind    keyKind
		filters []string
	}{
		{"a-rsa", rsaKey, []string{"a.test", "*.w.test"}},
		{"b-ec", ecdsaKey, []string{"a.test", "b.test"}},
		{"d-ec", ecdsaKey, []string{"*.w.test"}},
		{"e-ed", otherKey, []string{"e.test"}},
		{"f-rsa", rsaKey, []string{"*.f.test", "!x.f.test", "f.test"}},
		{"g-ec", ecdsaKey, []string{"*.f.test"}},
		{"dflt", ecdsaKey, []string{"*"}},
	} {
		u := &use{entry: &entry{name: c.name}, names: siteNames(c.filters, func(string) {})}
		s.add(&site{use: u, kind: c.kind})
	}
	for _, c := range []struct {
		name       string
		rsa, ecdsa bool
		want       string
	}{
		{"a.test", true, true, "b-ec"}, {"a.test", true, false, "a-rsa"}, {"b.test", true, false, "b-ec"},
		{"y.w.test", true, true, "d-ec"}, {"y.w.test", true, false, "a-rsa"}, {"y.y.w.test", true, true, ""},
		{"e.test", true, true, "e-ed"}, {"q.f.test", true, false, "f-rsa"}, {"x.f.test", true, false, "g-ec"},
		{"f.test", true, true, "f-rsa"}, {"", true, true, "dflt"}, {"none", true, true, ""},
	} {
		got := ""
		if x := s.find(c.name, c.rsa, c.ecdsa); x != nil {
			got = x.use.entry.name
		}
		if got != c.want {
			t.Errorf("%q, rsa %v, ecdsa %v: %q, want %q", c.name, c.rsa, c.ecdsa, got, c.want)
		}
	}
}

// TestCipherOrder: lists are in the order of OpenSSL 3.0.
func TestCipherOrder(t *testing.T) {
	for list, want := range map[string]string{
		"ECDHE+AESGCM:ECDHE+CHACHA20:!PSK": "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305",
		"kEECDH+aRSA+AES:kRSA+AES:+AES256": "ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-SHA256 ECDHE-RSA-AES128-SHA AES128-GCM-SHA256 AES128-CCM8 AES128-CCM AES128-SHA256 AES128-SHA",
		"AES128:AES256:-AES256-SHA":        "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 DHE-DSS-AES128-GCM-SHA256 DHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-CCM8 ECDHE-ECDSA-AES128-CCM DHE-RSA-AES128-CCM8 DHE-RSA-AES128-CCM",
	} {
		got := ""
		selected, _ := cipherList(list)
		for _, s := range selected {
			got += s.name + " "
		}
		if len(got) < len(want) || got[:len(want)] != want {
			t.Errorf("%s begins with %s, want %s", list, got, want)
		}
	}
}

// TestPassphrase: an encrypted key is read with what the program says, which is asked once.
func TestPassphrase(t *testing.T) {
	dir := t.TempDir()
	script := dir + "/pass"
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s' \"$1\" >> "+dir+"/asked\nprintf secret\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("testdata/certs/encrypted.pem")
	if err != nil {
		t.Fatal(err)
	}
	g := &settings{passphrases: passphrases{command: []string{script}}}
	for range 2 {
		c := &certificate{}
		if err := c.readPEM(g, "x.pem", text); err != nil || c.key == nil || !c.encrypted || !c.fits() {
			t.Fatalf("%v, %+v", err, c)
		}
	}
	if asked, _ := os.ReadFile(dir + "/asked"); string(asked) != "x.pem" {
		t.Errorf("asked for %q", asked)
	}
}

// TestKeptSessions: a session is found on its line as long as there is room, and those that
// are used stay longest.
func TestKeptSessions(t *testing.T) {
	stats := &runtime.GlobalStats{}
	kept, line := newKeptSessions(5, stats), &Context{}
	text := func(blocks int) []byte { return make([]byte, blocks*sessionBlock) }
	a, b := kept.put(line, text(2)), kept.put(line, text(2))
	if kept.get(line, a) == nil || kept.get(line, b) == nil || kept.get(line, a) == nil {
		t.Error("a session is not found")
	}
	if kept.get(&Context{}, a) != nil || kept.get(line, a[1:]) != nil {
		t.Error("a session is found on another line, or by a part of its key")
	}
	c := kept.put(line, text(3)) // b goes, a was used later
	if kept.get(line, a) == nil || kept.get(line, b) != nil || kept.get(line, c) == nil {
		t.Error("not the session that was idle longest has gone")
	}
	if huge := kept.put(line, text(6)); kept.get(line, huge) != nil {
		t.Error("a session is kept that is larger than all room")
	}
	if lookups, misses := stats.TLSLookups.Load(), stats.TLSMisses.Load(); lookups != 9 || misses != 4 {
		t.Errorf("%d lookups, %d misses", lookups, misses)
	}
}
