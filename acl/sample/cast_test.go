package sample

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
)

func testContext() *Context { return &Context{Final: true, Scratch: NewScratch(0)} }

func ip(s string) netip.Addr { return netip.MustParseAddr(s) }

func TestCast(t *testing.T) {
	str := func(s string) Value { return Value{Type: Str, Bytes: []byte(s), Flags: Const} }
	number := func(n int64) Value { return Value{Type: Int, Int: n} }
	addr := func(s string) Value { v := Value{}; v.SetAddr(ip(s)); return v }
	none := Value{Type: Any}
	cases := []struct {
		from Value
		to   Type
		want Value
	}{
		{number(-5), Str, str("-5")},
		{number(1), Bin, Value{Type: Bin, Bytes: []byte{0, 0, 0, 0, 0, 0, 0, 1}}},
		{number(0x01020304), IPv4, addr("1.2.3.4")},
		{number(0x01020304), Addr, addr("1.2.3.4")},
		{number(0x01020304), IPv6, addr("::ffff:1.2.3.4")},
		{number(7), Bool, number(7)},
		{Value{Type: Bool, Int: 7}, Bin, Value{Type: Bin, Bytes: []byte{0, 0, 0, 0, 0, 0, 0, 1}}},
		{Value{Type: Bool, Int: 1}, Str, str("1")},
		{Value{Type: Bool, Int: 1}, Addr, none},
		{addr("1.2.3.4"), Int, number(0x01020304)},
		{addr("1.2.3.4"), IPv6, addr("::ffff:1.2.3.4")},
		{addr("1.2.3.4"), Str, str("1.2.3.4")},
		{addr("::ffff:1.2.3.4"), IPv4, addr("1.2.3.4")},
		{addr("::1.2.3.4"), IPv4, addr("1.2.3.4")},
		{addr("2002:102:304::1"), IPv4, addr("1.2.3.4")},
		{addr("2001:db8::1"), IPv4, none},
		{addr("2001:db8::1"), Int, none},
		{addr("2001:db8::1"), Addr, addr("2001:db8::1")},
		{str("12x"), Int, number(12)},
		{str("x"), Int, number(0)},
		{str(""), Int, none},
		{str("-99999999999999999999"), Int, number(-1 << 63)},
		{str("99999999999999999999"), Int, number(1<<63 - 1)},
		{str("1.2.3.4"), Addr, addr("1.2.3.4")},
		{str("1.2.3.4/8"), IPv4, addr("1.2.3.4")},
		{str("1.2.3"), Addr, none},
		{str("::1"), Addr, addr("::1")},
		{str("::1"), IPv4, none},
		{str("fe80::1%lo"), IPv6, none},
		{str("GET"), Meth, Value{Type: Meth, Int: 1, Bytes: []byte("GET")}},
		{Value{Type: Meth, Int: 1, Bytes: []byte("GET")}, Str, str("GET")},
		{Value{Type: Bin, Bytes: []byte("a\x00b")}, Str, str("a")},
		{Value{Type: Bin, Bytes: []byte("1")}, Int, none},
		{str("a\x00b"), Bin, Value{Type: Str, Bytes: []byte("a\x00b")}},
	}
	for _, c := range cases {
		v := c.from
		ok := Cast(testContext(), &v, c.to)
		if ok != (c.want.Type != Any) {
			t.Errorf("%v to %s: %v", c.from, c.to, ok)
			continue
		}
		if ok && (v.Type != c.want.Type || (v.Type == Int || v.Type == Bool || v.Type == Meth) && v.Int != c.want.Int || !bytes.Equal(v.Bytes, c.want.Bytes) && c.want.Bytes != nil || v.IP != c.want.IP && c.want.IP.IsValid()) {
			t.Errorf("%v to %s: got %v, want %v", c.from, c.to, v, c.want)
		}
	}
}

func TestAddrText(t *testing.T) {
	for _, s := range []string{"::1", "::", "::1.2.3.4", "::ffff:1.2.3.4", "2001:db8::1", "1.2.3.4", "::1:0", "1::"} {
		if got := string(AppendAddr(nil, ip(s))); got != s && !(s == "::1:0" && got == "::0.1.0.0") {
			t.Errorf("%s: got %s", s, got)
		}
	}
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range []string{"1.2.3.4", "::1", "1::2::3", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:1.2.3.4", ":1", "1:", "12345::", "::1%x", "g::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := ParseIPv6(s)
		if want := net.ParseIP(s); ok != (want != nil && bytes.IndexByte([]byte(s), ':') >= 0) {
			t.Fatalf("%q: %v, the library says %v", s, ok, want)
		} else if ok && !want.Equal(net.IP(a.AsSlice())) {
			t.Fatalf("%q: %v, the library says %v", s, a, want)
		}
		if a, ok := ParseIPv4(s); ok && !a.Is4() {
			t.Fatalf("%q: %v", s, a)
		}
	})
}
