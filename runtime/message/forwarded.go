package message

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// Node is a node of a Forwarded header (RFC 7239, section 6): a name and perhaps a port.
type Node struct {
	Text   []byte     // all of it; nil when it is absent
	Addr   netip.Addr // valid when the name is an address
	Name   []byte     // "unknown", or an obfuscated name with its underscore
	Port   int        // 0 without one, or with an obfuscated one
	Hidden []byte     // an obfuscated port with its underscore
}

// Forwarded is one element of a Forwarded header; a nil text says that the parameter is absent.
type Forwarded struct {
	For, By     Node
	Host, Proto []byte
}

// ParseForwarded reads an element strictly: each parameter at most once, nothing but the four known
// ones, no blanks. It stops after the fourth. An empty element is one without parameters.
func ParseForwarded(b []byte, f *Forwarded) bool {
	for n := 0; len(b) > 0 && n < 4; n++ {
		if n > 0 {
			if b[0] != ';' {
				return false
			}
			b = b[1:]
		}
		var ok bool
		switch {
		case len(b) > 4 && f.For.Text == nil && bytes.HasPrefix(b, []byte("for=")):
			b, ok = f.For.parseQuoted(b[4:])
		case len(b) > 3 && f.By.Text == nil && bytes.HasPrefix(b, []byte("by=")):
			b, ok = f.By.parseQuoted(b[3:])
		case len(b) > 5 && f.Host == nil && bytes.HasPrefix(b, []byte("host=")):
			b, ok = f.parseHost(b[5:])
		case len(b) > 6 && f.Proto == nil && bytes.HasPrefix(b, []byte("proto=http")):
			n := len("http")
			if value := b[6:]; len(value) > n && value[n] == 's' {
				n++
			}
			f.Proto, b, ok = b[6:6+n], b[6+n:], true
		}
		if !ok {
			return false
		}
	}
	return true
}

// parseQuoted reads a node that may stand between quotes.
func (n *Node) parseQuoted(b []byte) ([]byte, bool) {
	open := len(b) > 0 && b[0] == '"'
	if open {
		b = b[1:]
	}
	rest, ok := n.Parse(b, open)
	return closeQuote(rest, open, ok)
}

func (f *Forwarded) parseHost(b []byte) ([]byte, bool) {
	open := len(b) > 0 && b[0] == '"'
	if open {
		b = b[1:]
	}
	rest, ok := ParseForwardedHost(b, open)
	f.Host = b[:len(b)-len(rest)]
	return closeQuote(rest, open, ok)
}

func closeQuote(rest []byte, open, ok bool) ([]byte, bool) {
	if !ok || !open {
		return rest, ok
	}
	if len(rest) == 0 || rest[0] != '"' {
		return rest, false
	}
	return rest[1:], true
}

// Parse reads a node and gives what follows it. Ports and IPv6 addresses are allowed between quotes only.
func (n *Node) Parse(b []byte, quoted bool) (rest []byte, ok bool) {
	all := b
	if b, ok = n.ParseName(b, quoted); !ok {
		return b, false
	}
	if len(b) > 0 && b[0] == ':' {
		if !quoted || len(b) == 1 {
			return b, false
		}
		if b, ok = n.ParsePort(b[1:]); !ok {
			return b, false
		}
	}
	n.Text = all[:len(all)-len(b)]
	return b, true
}

// ParseName reads the name of a node.
func (n *Node) ParseName(b []byte, quoted bool) (rest []byte, ok bool) {
	if len(b) == 0 {
		return b, false
	}
	switch {
	case b[0] == '_':
		end := 1 + Obfuscated(b[1:])
		n.Name = b[:end]
		return b[end:], end > 1
	case b[0] == 'u':
		if !bytes.HasPrefix(b, []byte("unknown")) {
			return b, false
		}
		n.Name = b[:7]
		return b[7:], true
	case quoted && b[0] == '[':
		n.Addr, b, ok = bracketed(b)
		return b, ok
	}
	end := 0
	for end < len(b) && end < len("255.255.255.255") && (isDigit(b[end]) || b[end] == '.') {
		end++
	}
	if end == 0 {
		return b, false
	}
	a, err := netip.ParseAddr(unsafe.String(&b[0], end))
	if err != nil || !a.Is4() {
		return b, false
	}
	n.Addr = a
	return b[end:], true
}

// ParsePort reads the port of a node, what stands behind the colon.
func (n *Node) ParsePort(b []byte) (rest []byte, ok bool) {
	if len(b) > 0 && b[0] == '_' {
		end := 1 + Obfuscated(b[1:])
		n.Hidden = b[:end]
		return b[end:], end > 1
	}
	n.Port, b, ok = forwardedPort(b)
	return b, ok
}

// Obfuscated is how many bytes of an obfuscated identifier start b, its underscore not among them.
func Obfuscated(b []byte) int {
	n := 0
	for n < len(b) && (isAlpha(b[n]) || isDigit(b[n]) || b[n] == '.' || b[n] == '-' || b[n] == '_') {
		n++
	}
	return n
}

func bracketed(b []byte) (netip.Addr, []byte, bool) {
	end := 1
	for end < len(b) && end < 46 && (isAlpha(b[end]) || isDigit(b[end]) || b[end] == ':') {
		end++
	}
	if end >= len(b) || b[end] != ']' {
		return netip.Addr{}, b, false
	}
	a, err := netip.ParseAddr(unsafe.String(&b[1], end-1))
	return a, b[end+1:], err == nil && a.Is6()
}

func forwardedPort(b []byte) (port int, rest []byte, ok bool) {
	n := 0
	for n < len(b) && isDigit(b[n]) {
		if port = port*10 + int(b[n]-'0'); port > 65535 {
			return 0, b, false
		}
		n++
	}
	return port, b[n:], port > 0
}

// ParseForwardedHost reads the host of an element and gives what follows it.
func ParseForwardedHost(b []byte, quoted bool) (rest []byte, ok bool) {
	if len(b) == 0 {
		return b, false
	}
	if quoted && b[0] == '[' {
		if _, b, ok = bracketed(b); !ok {
			return b, false
		}
	} else {
		for len(b) > 0 && (isAlpha(b[0]) || isDigit(b[0]) || b[0] == '.') {
			b = b[1:]
		}
	}
	if len(b) == 0 || b[0] != ':' {
		return b, true
	}
	if !quoted {
		return b, false
	}
	_, rest, ok = forwardedPort(b[1:])
	return rest, ok
}
