package check

import (
	"strings"
	"testing"

	"hapax/runtime/spoe/frame"
)

func FuzzMySQL(f *testing.F) {
	f.Add([]byte("\x0a\x00\x00\x00\x0a5.5.5-10\x00"), 0)
	f.Add([]byte("\x0a\x00\x00\x00\xff\x15\x04#08004Too many"), 0)
	f.Add([]byte("\x01\x00\x00\x00\xff\x07\x00\x00\x02\xff\x15\x04deny"), 5)
	f.Fuzz(func(t *testing.T, b []byte, offset int) {
		if offset < 0 || offset > 1<<25 {
			return
		}
		p := readMySQL(b, offset)
		switch {
		case p.whole && p.end > len(b):
			t.Errorf("%d bytes, packet until %d", len(b), p.end)
		case !p.whole && (p.failed || p.message != ""):
			t.Errorf("half a packet fails: %+v", p)
		}
	})
}

func FuzzBindResponse(f *testing.F) {
	f.Add([]byte("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"))
	f.Add([]byte("\x30\x84\x00\x00\x00\x10\x02\x01\x01\x61\x84\x00\x00\x00\x07\x0a\x01\x31\x04\x00\x04\x00"))
	f.Add([]byte("\x30\x82\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		p := readBindResponse(b)
		if p.valid && !p.whole || p.code != 0 && !p.valid {
			t.Errorf("%+v", p)
		}
		// What is understood stays so when more comes.
		if q := readBindResponse(append(b[:len(b):len(b)], "more"...)); p.whole && p != q {
			t.Errorf("%+v, with more bytes %+v", p, q)
		}
	})
}

func TestQuote(t *testing.T) {
	var b strings.Builder
	quote(&b, "a\x00\"<b>\xe9~ ")
	if got, want := b.String(), "a<00><22><3C>b<3E><E9>~ "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLogins(t *testing.T) {
	for _, c := range []struct{ version, want string }{
		{"pre-41", "\n\x00\x00\x01\x00\x80\x00\x00\x01foo\x00\x00\x01\x00\x00\x00\x01"},
		{"", "%\x00\x00\x01\x00\x82\x00\x00\x00\x80\x00\x01!" + strings.Repeat("\x00", 23) + "foo\x00\x00\x01\x00\x00\x00\x01"},
		{"post-80", ";\x00\x00\x01\x00\x82\x08\x00\x00\x80\x00\x01!" + strings.Repeat("\x00", 23) + "foo\x00\x00mysql_native_password\x00\x01\x00\x00\x00\x01"},
	} {
		if got, _ := mysqlLogin("foo", c.version); string(got) != c.want {
			t.Errorf("%s: got %q, want %q", c.version, got, c.want)
		}
	}
}

func FuzzSPOP(f *testing.F) {
	const hello = "\x00\x00\x00\x36\x65\x00\x00\x00\x01\x00\x00\x07version\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\x00"
	f.Add([]byte(hello))
	f.Add([]byte(hello[:30]))
	f.Add([]byte("\x00\x00\x00\x1b\x66\x00\x00\x00\x01\x00\x00\x0bstatus-code\x03\x04\x07message\x08\x03bad"))
	f.Add([]byte("\x00\x00\x00\x10\x65\x00\x00\x00\x01\x00\x00\x01x\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fault, whole := readSPOP(b, 16380)
		if !whole && fault != frame.Fine {
			t.Errorf("half an answer is refused: %v", fault)
		}
		if whole && fault == frame.Fine && !strings.Contains(string(b), "2.0") {
			t.Errorf("good without a version: %q", b)
		}
	})
}
