package header

import (
	"bytes"
	"net/netip"
	"testing"
)

// addrs are pairs of addresses as headers tell them, and as they come back.
var addrs = []struct{ src, dst, wantSrc, wantDst string }{
	{"192.0.2.1:1234", "198.51.100.2:443", "", ""},
	{"[2001:db8::1]:1", "[2001:db8::2]:65535", "", ""},
	{"192.0.2.1:1234", "[2001:db8::2]:443", "[::ffff:192.0.2.1]:1234", ""},
	{"[2001:db8::1]:1", "198.51.100.2:443", "", "[::ffff:198.51.100.2]:443"},
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, a := range addrs {
		src, dst := netip.MustParseAddrPort(a.src), netip.MustParseAddrPort(a.dst)
		wantSrc, wantDst := src, dst
		if a.wantSrc != "" {
			wantSrc = netip.MustParseAddrPort(a.wantSrc)
		}
		if a.wantDst != "" {
			wantDst = netip.MustParseAddrPort(a.wantDst)
		}
		v2 := V2{Buf: []byte("before")}
		v2.Begin(src, dst)
		v2.Add(TypeAuthority, []byte("a.test"))
		v2.Checksum()
		v2.Add(TypeUniqueID, nil)
		v2.End()
		for name, b := range map[string][]byte{"v1": AppendV1(nil, src, dst), "v2": v2.Buf[len("before"):]} {
			h, n, err := Read(append(b, "more"...))
			if err != nil || n != len(b) || h.Src != wantSrc || h.Dst != wantDst {
				t.Errorf("%s of %s and %s: %v, %d, %v", name, a.src, a.dst, h, n, err)
			}
			if name == "v2" {
				if kind, value, _, ok := Next(h.TLVs); !ok || kind != TypeAuthority || string(value) != "a.test" {
					t.Errorf("%q", h.TLVs)
				}
			}
			for cut := range b {
				_, _, err := Read(bytes.Clone(b[:cut]))
				if err != Truncated && (name == "v2" || cut < 9 || cut > 10) { // half a name of a protocol is another one
					t.Errorf("%s cut after %d: %v", name, cut, err)
				}
			}
		}
	}
}

func TestLocal(t *testing.T) {
	v2 := V2{}
	v2.Begin(netip.AddrPort{}, netip.MustParseAddrPort("192.0.2.1:1"))
	v2.End()
	for _, b := range [][]byte{v2.Buf, AppendV1(nil, netip.AddrPort{}, netip.AddrPort{})} {
		if h, n, err := Read(b); err != nil || n != len(b) || h.Src.IsValid() || h.Dst.IsValid() || len(h.TLVs) > 0 {
			t.Errorf("%q: %v %d %v", b, h, n, err)
		}
	}
}

func TestWritingAllocatesNothing(t *testing.T) {
	src, dst := netip.MustParseAddrPort("192.0.2.1:1234"), netip.MustParseAddrPort("[2001:db8::2]:443")
	buf := make([]byte, 0, 200)
	if n := testing.AllocsPerRun(100, func() {
		buf = AppendV1(buf[:0], src, dst)
		h := V2{Buf: buf[:0]}
		h.Begin(src, dst)
		h.Checksum()
		h.End()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzRead(f *testing.F) {
	for _, a := range addrs {
		src, dst := netip.MustParseAddrPort(a.src), netip.MustParseAddrPort(a.dst)
		h := V2{}
		h.Begin(src, dst)
		h.Add(0xE1, []byte("x"))
		h.Checksum()
		h.End()
		f.Add(AppendV1(nil, src, dst))
		f.Add(h.Buf)
	}
	f.Add([]byte("PROXY UNKNOWN\r\n"))
	f.Add([]byte("PROXY TCP"))
	f.Add([]byte("PROXY TCP4 1..2.999 . 70000 \r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		again := bytes.Clone(b)
		h, n, err := Read(b)
		if n > len(b) || n < 0 || (err == nil) != (n > 0) {
			t.Fatalf("%q: %d, %v", b, n, err)
		}
		if err != nil {
			return
		}
		if h.Src.IsValid() != h.Dst.IsValid() {
			t.Fatalf("%q: one address", b)
		}
		if _, m, err := Read(again[:n]); m != n || err != nil {
			t.Fatalf("%q: behind it makes a difference: %d, %v", b, m, err)
		}
		for list := h.TLVs; len(list) > 0; {
			_, _, rest, ok := Next(list)
			if !ok || len(rest) >= len(list) {
				t.Fatalf("%q: extensions", b)
			}
			list = rest
		}
		if h.Src.IsValid() {
			if back, _, err := Read(AppendV1(nil, h.Src, h.Dst)); err != nil || back.Src != h.Src || back.Dst != h.Dst {
				t.Fatalf("%v written is %v, %v", h, back, err)
			}
		}
	})
}

func FuzzReadCIP(f *testing.F) {
	packet := append([]byte{0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 1, 2, 3, 10, 4, 5, 6, 0, 80, 1, 2}, make([]byte, 16)...)
	f.Add(append([]byte{0, 0, 0, 9, 0, 0, 0, 40}, packet...))
	f.Add(append([]byte{0, 0, 0, 9, 0, 0, 0, 52, 0, 0, 0, 40}, packet...))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n, err := ReadCIP(b, 9)
		if n > len(b) || n < 0 || (err == nil) != (n > 0) || err == nil && (!h.Src.IsValid() || !h.Dst.IsValid()) {
			t.Fatalf("%q: %v, %d, %v", b, h, n, err)
		}
	})
}
