package httpclient

import (
	"net/netip"
	"strings"

	"hapax/runtime/config"
)

// target is where a URL leads.
type target struct {
	secret    bool           // by TLS
	authority string         // without the user
	to        netip.AddrPort // 0.0.0.0 when a name stands there
}

// parse takes a URL apart: a scheme, an authority, and what is no matter here. Every scheme is HTTP.
func parse(url string) (t target, ok bool) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || !isScheme(scheme) {
		return t, false
	}
	authority, _, _ := strings.Cut(rest, "/")
	if i := strings.IndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	if authority == "" {
		return t, false
	}
	t.authority = authority
	port := 0
	switch {
	case strings.EqualFold(scheme, "http"):
		port = 80
	case strings.EqualFold(scheme, "https"):
		port, t.secret = 443, true
	}
	host := authority
	if name := strings.TrimRight(authority, "0123456789"); strings.HasSuffix(name, ":") {
		host, port = name[:len(name)-1], config.Atol(authority[len(name):])
	}
	t.to = netip.AddrPortFrom(address(host), uint16(port))
	return t, true
}

// isScheme tells whether a word may stand in front of "://" (RFC 3986, 3.1).
func isScheme(word string) bool {
	for i, c := range []byte(word) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", rune(c))) {
			return false
		}
	}
	return word != ""
}

// address reads an address; a name has none yet. Any address of this machine is its own.
func address(host string) netip.Addr {
	inner := strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip, err := netip.ParseAddr(inner)
	switch {
	case host == "", err == nil && ip.Is4() && ip.IsUnspecified():
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case err != nil || ip.Zone() != "":
		return netip.IPv4Unspecified()
	}
	return ip
}
