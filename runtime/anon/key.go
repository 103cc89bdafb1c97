// Package anon hides names and addresses in what is given to strangers: each becomes a hash that is the same wherever
// it stands. Keyword "anonkey", option -dC and command "set anon".
package anon

import (
	"fmt"
	"net/netip"
	"strings"

	"hapax/acl/hash"
)

// Key is what the hashes depend on; 0 hides nothing.
type Key uint32

// Word hides a name. Where there is nothing to hide the text stays: "" and " ".
func (k Key) Word(text string) string { return k.wrap("", text, "") }

// ID hides the name of a section, a server, a user.
func (k Key) ID(text string) string { return k.wrap("ID(", text, ")") }

// Path hides the name of a file or the target of a redirection.
func (k Key) Path(text string) string { return k.wrap("PATH(", text, ")") }

func (k Key) wrap(before, text, after string) string {
	if k == 0 || text == "" || text == " " {
		return text
	}
	return fmt.Sprintf("%s%06x%s", before, k.sum(text), after)
}

// sum has 24 bits only, so that many texts have the same.
func (k Key) sum(text string) uint32 { return hash.XXH32([]byte(text), uint32(k)) & 0xffffff }

// IP hides an address that was written as text, and shows its port unless that is 0. Addresses that say nothing of
// where they are stay: the host's own and the unspecified. An invalid one is hidden as a word.
func (k Key) IP(text string, a netip.AddrPort) string {
	ip := a.Addr()
	switch {
	case k == 0 || Public(text):
		return text
	case !ip.IsValid():
		return k.Word(text)
	case ip == netip.IPv6Loopback():
		return text
	}
	family := "IPV6"
	if ip.Is4() {
		family = "IPV4"
		if first := ip.As4()[0]; first == 0 || first == 127 || first == 255 {
			return text
		}
	}
	hidden := fmt.Sprintf("%s(%06x)", family, k.sum(ip.String()))
	if a.Port() != 0 {
		hidden += fmt.Sprintf(":%d", a.Port())
	}
	return hidden
}

// Public tells that a place for an address holds a word that hides nothing: a descriptor, an output, this host.
func Public(text string) bool {
	switch text {
	case "localhost", "stdout", "stderr":
		return true
	}
	return strings.HasPrefix(text, "fd@") || strings.HasPrefix(text, "sockpair@")
}
