package h1

// Preface is what a client that speaks HTTP/2 sends first (RFC 9113, 3.4).
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// PrefaceBegins tells whether the first bytes of a connection are the begin of an HTTP/2 preface.
func PrefaceBegins(b []byte) bool { return len(b) < len(Preface) && string(b) == Preface[:len(b)] }

// HasPreface tells whether the first bytes of a connection are an HTTP/2 preface, in whole. Where
// HTTP/2 is not to be had, the answer is 405.
func HasPreface(b []byte) bool {
	return len(b) >= len(Preface) && string(b[:len(Preface)]) == Preface
}
