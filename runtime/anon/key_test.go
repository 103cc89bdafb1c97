package anon

import (
	"net/netip"
	"testing"
)

// TestHidden has words as the reference shows them with key 1234.
func TestHidden(t *testing.T) {
	const k = Key(1234)
	ip := func(text string) string {
		a, _ := netip.ParseAddrPort(text)
		return k.IP(text, a)
	}
	for _, tt := range []struct{ got, want string }{
		{k.ID("b"), "ID(c359d4)"},
		{k.ID(""), ""},
		{k.ID(" "), " "},
		{k.Path("http://a"), "PATH(c6adbd)"},
		{k.Word("ring@r"), "b2deed"},
		{Key(0).ID("b"), "b"},
		{Key(0).IP("10.0.0.1:80", netip.MustParseAddrPort("10.0.0.1:80")), "10.0.0.1:80"},
		{ip("10.0.0.1:80"), "IPV4(bc89b0):80"},
		{ip("1.2.3.4:0"), "IPV4(3a16fc)"},
		{ip("[2001:db8::1]:80"), "IPV6(6671b5):80"},
		{ip("[::1]:80"), "[::1]:80"},
		{ip("127.0.0.1:80"), "127.0.0.1:80"},
		{ip("255.1.1.1:1"), "255.1.1.1:1"},
		{ip("0.0.0.0:1"), "0.0.0.0:1"},
		{ip("fd@4"), "fd@4"},
		{ip("stdout"), "stdout"},
		{ip("/path"), "ff9225"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}
