package h2

import "strings"

const (
	lowerByte = 1
	upperByte = 2
)

// token tells what may stand in a token.
var token = func() (t [256]uint8) {
	for _, b := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") {
		t[b] = lowerByte
	}
	for b := 'A'; b <= 'Z'; b++ {
		t[b] = upperByte
	}
	return t
}()

// lowerToken tells whether a field name holds nothing but what may stand in one, without capitals.
func lowerToken(name string) bool {
	for i := 0; i < len(name); i++ {
		if token[name[i]] != lowerByte {
			return false
		}
	}
	return true
}

func isToken(p []byte) bool {
	for _, b := range p {
		if token[b] == 0 {
			return false
		}
	}
	return true
}

// plain tells whether a value is free of what ends a line.
func plain(v string) bool {
	for i := 0; i < len(v); i++ {
		if b := v[i]; b <= '\r' && (b == '\r' || b == '\n' || b == 0) {
			return false
		}
	}
	return true
}

// plainURI tells whether a URI is free of blanks and controls.
func plainURI(p []byte) bool {
	for _, b := range p {
		if b <= ' ' || b == 0x7f {
			return false
		}
	}
	return true
}

func validScheme(s []byte) bool {
	for i, b := range s {
		alpha := b|0x20 >= 'a' && b|0x20 <= 'z'
		if !alpha && (i == 0 || (b < '0' || b > '9') && b != '+' && b != '-' && b != '.') {
			return false
		}
	}
	return len(s) > 0
}

// trim takes surrounding blanks off a value.
func trim(v string) string { return strings.Trim(v, " \t") }
