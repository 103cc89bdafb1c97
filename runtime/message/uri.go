package message

import "bytes"

// Form is the form of a request target (RFC 9112, 3.2), told from its first byte and its scheme.
type Form uint8

const (
	EmptyForm     Form = iota
	OriginForm         // /path?query
	AbsoluteForm       // http://host/path?query
	AuthorityForm      // host:port
	AsteriskForm       // *
)

// URI is a request target split into its parts, which are slices of it.
type URI struct {
	Form      Form
	Scheme    []byte // with "://", as in "http://"; nil without
	Authority []byte // with the user information; nil without
	Path      []byte // from the first slash on, query included; nil without
}

// SplitURI splits a request target.
func SplitURI(uri []byte) URI {
	if len(uri) == 0 {
		return URI{}
	}
	switch uri[0] {
	case '*':
		return URI{Form: AsteriskForm}
	case '/':
		return URI{Form: OriginForm, Path: uri}
	}
	n := schemeLen(uri)
	rest := uri[n:]
	end := bytes.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	u := URI{Form: AuthorityForm, Authority: rest[:end]}
	if n > 0 {
		u.Form, u.Scheme = AbsoluteForm, uri[:n]
		if end < len(rest) {
			u.Path = rest[end:]
		}
	}
	return u
}

// schemeLen is the length of a leading "scheme://", 0 when there is none.
func schemeLen(uri []byte) int {
	if !isAlpha(uri[0]) {
		return 0
	}
	i := 1
	for i < len(uri) && (isAlpha(uri[i]) || isDigit(uri[i]) || uri[i] == '+' || uri[i] == '-' || uri[i] == '.') {
		i++
	}
	if !bytes.HasPrefix(uri[i:], []byte("://")) {
		return 0
	}
	return i + len("://")
}

// Host is the authority without user information.
func (u URI) Host() []byte {
	if i := bytes.LastIndexByte(u.Authority, '@'); i >= 0 {
		return u.Authority[i+1:]
	}
	return u.Authority
}

// HostPort finds the port at the end of a host, without its colon. It is nil when the host has no
// port, and empty when nothing follows the colon.
func HostPort(host []byte) []byte {
	i := len(host)
	for i > 0 && isDigit(host[i-1]) {
		i--
	}
	if i == 0 || host[i-1] != ':' {
		return nil
	}
	return host[i:]
}

// DefaultPort tells whether port is the one that scheme ("http://", "https://", any case) implies. An
// empty port always is; without a scheme both 80 and 443 are.
func DefaultPort(scheme, port []byte) bool {
	switch string(port) {
	case "":
		return true
	case "80":
		return scheme == nil || EqualFold(scheme, "http://")
	case "443":
		return scheme == nil || EqualFold(scheme, "https://")
	}
	return false
}

// ValidAuthority tells whether a host, as found in a Host header or a URI, is free of bytes that could
// be read differently by the next one: blanks, controls, non-ASCII, a comma, or any delimiter of URIs;
// brackets may only stand around a leading IP literal.
func ValidAuthority(host []byte) bool {
	inside := false
	for i, c := range host {
		if !authorityStop[c] {
			continue
		}
		switch {
		case c == '[' && i == 0:
		case c == ']' && (i == len(host)-1 || host[i+1] == ':'):
		default:
			return false
		}
		inside = !inside
	}
	return !inside
}

var authorityStop = func() (t [256]bool) {
	for c := range t {
		t[c] = c < 0x21 || c > 0x7e || bytes.IndexByte([]byte(`,#/?@[\]`), byte(c)) >= 0
	}
	return t
}()

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
