package h1

import "strings"

// Classes of bytes, as RFC 9110 and RFC 9112 tell them apart.
const (
	token       uint8 = 1 << iota // may stand in a method or field name
	blank                         // SP, HT
	crlf                          // CR, LF
	versionByte                   // may stand in a version: digits, capital letters, slash and dot
	uriByte                       // may stand in a URI: printable ASCII except the number sign
	valueEnd                      // ends the scan of a value: CR, LF, NUL
	control                       // 0 to 31 and 127
)

var class = func() (t [256]uint8) {
	for c := range 128 {
		if c < 32 || c == 127 {
			t[c] |= control
		} else if !strings.ContainsRune("\"(),/:;<=>?@[\\]{} ", rune(c)) {
			t[c] |= token
		}
		if c > ' ' && c < 127 && c != '#' {
			t[c] |= uriByte
		}
		if c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c == '/' || c == '.' {
			t[c] |= versionByte
		}
	}
	t[' '] |= blank
	t['\t'] |= blank
	t['\r'] |= crlf | valueEnd
	t['\n'] |= crlf | valueEnd
	t[0] |= valueEnd
	return t
}()
