package ssl

import (
	"bytes"
	"crypto/tls"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// sampleHello is the body of a hello: two suites, and lists of groups, formats, versions and
// schemes, with GREASE among them.
var sampleHello = func() []byte {
	b, _ := hex.DecodeString("0303" + "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" + "00" + "00061a1a1301c02f" + "0100" +
		"002f" + "2a2a0000" + "000a0006" + "00044a4a001d" + "000b00020100" + "002b0005" + "0403040303" + "000d0006" + "000404030804" + "00230000" + "00150000")
	return b
}()

func TestHello(t *testing.T) {
	full := readHello(sampleHello, 200)
	for _, c := range []struct {
		what string
		got  []byte
		want string
	}{
		{"suites", full.suites, "1a1a1301c02f"},
		{"suites without GREASE", appendPlain(nil, full.suites), "1301c02f"},
		{"types", full.types, "2a2a000a000b002b000d0023"}, // the last one is not looked at, as in the reference
		{"groups", full.groups, "4a4a001d"},
		{"formats", full.formats, "00"},
		{"versions", full.versions, "03040303"},
		{"schemes", full.schemes, "04030804"},
	} {
		if got := hex.EncodeToString(c.got); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
	if full.version != 0x0303 {
		t.Errorf("version %x", full.version)
	}
	short := readHello(sampleHello, 9)
	if hex.EncodeToString(short.suites) != "1a1a1301c02f" || hex.EncodeToString(short.types) != "2a2a" || len(short.groups) != 0 {
		t.Errorf("what fits into 9 bytes: %x %x %x", short.suites, short.types, short.groups)
	}
}

// TestKeyShares finds the groups of the keys of a client.
func TestKeyShares(t *testing.T) {
	if groups := keyShares(sampleHello); len(groups) != 0 {
		t.Errorf("%v", groups)
	}
	with := []byte("\x03\x03" + strings.Repeat("r", 32) + "\x00" + "\x00\x02\x13\x01" + "\x01\x00" + "\x00\x12" + "\x00\x17\x00\x00" + "\x00\x33\x00\x0A" + "\x00\x08\x00\x18\x00\x01k\x00\x17\x00")
	if groups := keyShares(with); len(groups) != 0 {
		t.Errorf("of a list that is cut: %v", groups)
	}
	with = append(with[:len(with)-len("\x00\x0A\x00\x08\x00\x18\x00\x01k\x00\x17\x00")], "\x00\x0B\x00\x09\x00\x18\x00\x01k\x00\x17\x00\x00"...)
	with[2+32+1+4+2+1]++ // the extensions
	if groups := keyShares(with); !slices.Equal(groups, []tls.CurveID{tls.CurveP384, tls.CurveP256}) {
		t.Errorf("%v", groups)
	}
}

// FuzzHello: whatever a client begins with, what is kept is a part of it, and not more than
// there is room for.
func FuzzHello(f *testing.F) {
	f.Add(sampleHello, 100)
	f.Add(sampleHello, 7)
	f.Fuzz(func(t *testing.T, body []byte, size int) {
		if size < 1 || size > 1<<14 {
			return
		}
		if groups := keyShares(body); 4*len(groups) > len(body) {
			t.Fatalf("%d groups in %d bytes", len(groups), len(body))
		}
		h := readHello(body, size)
		if h == nil {
			return
		}
		n := 0
		for _, list := range [][]byte{h.suites, h.groups, h.formats, h.versions, h.schemes} {
			n += len(list)
			if !bytes.Contains(body, list) {
				t.Fatalf("%x is no part of %x", list, body)
			}
		}
		if n+len(h.types) > size || len(h.types)%2 != 0 {
			t.Fatalf("%d bytes of %d", n+len(h.types), size)
		}
	})
}

// FuzzOpening: whatever both sides begin with, it is looked at safely.
func FuzzOpening(f *testing.F) {
	f.Add(byte(clientHello), sampleHello)
	f.Add(byte(serverHello), sampleHello)
	f.Add(byte(serverHello), slices.Concat([]byte("\x03\x03"), make([]byte, 32), []byte("\xff"), make([]byte, 300)))
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		message := append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...)
		record := append([]byte{handshakeRecord, 3, 1, byte(len(message) >> 8), byte(len(message))}, message...)
		for _, client := range []bool{false, true} {
			c := &Conn{client: client, of: &Context{capture: 100, line: &line{options: options{curves: "P-256"}}}}
			c.observe(record)
			if c.hello.raw != nil {
				c.hello.legacy()
				c.hello.withoutSuites()
				c.hello.compressions()
				looseHello(c.hello.raw)
			}
		}
	})
}

// TestObserve: whatever a record looks like, it is looked at safely, and what is encrypted is
// not taken for a message.
func TestObserve(t *testing.T) {
	record := append([]byte{handshakeRecord, 3, 1, 0, byte(len(sampleHello) + 4), clientHello, 0, 0, byte(len(sampleHello))}, sampleHello...)
	for n := range record {
		c := &Conn{of: &Context{capture: 100, line: &line{}}}
		c.observe(record[:n])
	}
	c := &Conn{of: &Context{capture: 100, line: &line{}}}
	c.observe(record)
	if c.seen.clientRandom[31] != 0x1f || c.seen.hello == nil || !c.begun() {
		t.Errorf("%+v", c.seen)
	}
	parts := &Conn{of: &Context{capture: 100, line: &line{}}}
	for i := recordHead; i < len(record); i += 7 {
		part := record[i:min(i+7, len(record))]
		parts.observe(append([]byte{handshakeRecord, 3, 1, 0, byte(len(part))}, part...))
	}
	if parts.seen.clientRandom[31] != 0x1f || parts.seen.hello == nil || parts.seen.parts != nil {
		t.Errorf("a hello in parts: %+v", parts.seen)
	}
	later := bytes.Clone(record)
	later[8]++ // a length that is not that of the record
	later[11] = 0xFF
	c.observe(later)
	if c.seen.clientRandom[0] != 0 {
		t.Error("something else was taken for a second hello")
	}
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, host string
		want          bool
	}{
		{"a.test", "A.TEST", true}, {"a.test", "b.test", false}, {"*.test", "a.test", true}, {"*.test", "a.b.test", false},
		{"*.a.test", "a.test", false}, {"f*o.test", "fo.test", true}, {"f*o.test", "foo.test", true}, {"f*o.test", "f.test", false},
		{"**.test", "a.test", false}, {"a.*.test", "a.b.test", false}, {"*", "test", false}, {"*.test", ".test", true}, {"localhost", "localhost", true},
	} {
		if got := covers(c.pattern, c.host); got != c.want {
			t.Errorf("%s covers %s: %v", c.pattern, c.host, got)
		}
	}
}
