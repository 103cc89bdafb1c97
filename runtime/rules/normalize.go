package rules

import (
	"bytes"
	"cmp"
	"slices"
)

// mergeSlashes makes one slash of several in a row.
func mergeSlashes(dst, path []byte) ([]byte, bool) {
	for i, c := range path {
		if c == '/' && i > 0 && path[i-1] == '/' {
			continue
		}
		dst = append(dst, c)
	}
	return dst, true
}

// stripDot takes out segments that are one dot (RFC 3986, 6.2.2.3).
func stripDot(dst, path []byte) ([]byte, bool) {
	for more := true; more; {
		var segment []byte
		segment, path, more = bytes.Cut(path, []byte("/"))
		if len(segment) == 1 && segment[0] == '.' {
			continue
		}
		dst = append(dst, segment...)
		if more {
			dst = append(dst, '/')
		}
	}
	return dst, true
}

// stripDotDot merges segments of two dots with the segments before them. Those that lead above the root stay in
// front, unless all is true.
func stripDotDot(dst, path []byte, all bool) []byte {
	// Segments are read from the last to the first and written from the end of room as long as the path.
	n := len(path) + len("/")
	dst = slices.Grow(dst, n)[:n]
	head, up, at := n, 0, len(path)-1
	put := func(c byte) { head--; dst[head] = c }
	if at >= 2 && bytes.HasSuffix(path, []byte("/..")) {
		up++
		at -= 2
	}
	for at >= 0 {
		if at >= 3 && string(path[at-3:at+1]) == "/../" {
			up++
			at -= 3
			continue
		}
		if up > 0 {
			if at--; at >= 0 {
				up--
				for at >= 0 && path[at] != '/' {
					at--
				}
			}
			continue
		}
		put(path[at])
		for at--; at >= 0 && path[at] != '/'; at-- {
			put(path[at])
		}
	}
	if up > 0 {
		put('/')
		for ; up > 0 && !all; up-- {
			head -= len("/..")
			copy(dst[head:], "/..")
		}
	}
	return dst[head:]
}

// sortQuery sorts the parameters of a query by their names; equal ones keep their order.
func sortQuery(dst, query []byte) ([]byte, bool) {
	params := bytes.Split(query[1:], []byte("&"))
	if len(params[len(params)-1]) == 0 {
		params = params[:len(params)-1] // a separator at the end is dropped
	}
	slices.SortStableFunc(params, func(a, b []byte) int {
		x, _, _ := bytes.Cut(a, []byte("="))
		y, _, _ := bytes.Cut(b, []byte("="))
		n := min(len(x), len(y))
		return cmp.Or(bytes.Compare(x[:n], y[:n]), cmp.Compare(len(x), len(y)))
	})
	dst = append(dst, '?')
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p...)
	}
	return dst, true
}

// upperPercent puts the digits of percent encodings in upper case.
func upperPercent(dst, text []byte, strict bool) ([]byte, bool) {
	return percents(dst, text, strict, func(dst []byte, high, low byte) []byte {
		return append(dst, '%', upper(high), upper(low))
	})
}

// decodeUnreserved decodes percent encodings of characters that never need one (RFC 3986, 2.3).
func decodeUnreserved(dst, text []byte, strict bool) ([]byte, bool) {
	return percents(dst, text, strict, func(dst []byte, high, low byte) []byte {
		c := digit(high)<<4 | digit(low)
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			return append(dst, c)
		}
		return append(dst, '%', high, low)
	})
}

// percents copies text and lets put write its percent encodings. A percent sign without two digits is an error when
// strict, and a percent sign otherwise.
func percents(dst, text []byte, strict bool, put func(dst []byte, high, low byte) []byte) ([]byte, bool) {
	for i := 0; i < len(text); i++ {
		if text[i] == '%' {
			if i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
				dst = put(dst, text[i+1], text[i+2])
				i += 2
				continue
			}
			if strict {
				return dst, false
			}
		}
		dst = append(dst, text[i])
	}
	return dst, true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

func upper(c byte) byte {
	if c >= 'a' {
		return c - 0x20
	}
	return c
}

func digit(c byte) byte {
	if c >= 'A' {
		return c | 0x20 - 'a' + 10
	}
	return c - '0'
}

// stripFragment cuts a fragment off, which no request should have.
func stripFragment(dst, path []byte) ([]byte, bool) {
	path, _, _ = bytes.Cut(path, []byte("#"))
	return append(dst, path...), true
}

// encodeFragment makes number signs a part of the path.
func encodeFragment(dst, path []byte) ([]byte, bool) {
	for _, c := range path {
		if c == '#' {
			dst = append(dst, "%23"...)
		} else {
			dst = append(dst, c)
		}
	}
	return dst, true
}
