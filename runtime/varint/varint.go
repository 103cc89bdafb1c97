// Package varint has the numbers of the protocols of peers and of agents, and of binary headers: one byte below 240; else four
// bits in the first byte and seven in each of the others, the lowest first, whose uppermost bit tells that another one follows.
package varint

// wide is the first number that has more than one byte.
const wide = 0xf0

// Append writes a number.
func Append(b []byte, n uint64) []byte {
	if n < wide {
		return append(b, byte(n))
	}
	b = append(b, byte(n)|wide)
	for n = (n - wide) >> 4; n >= 0x80; n = (n - 0x80) >> 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

// AppendText writes bytes behind their number.
func AppendText[T ~string | ~[]byte](b []byte, text T) []byte {
	return append(Append(b, uint64(len(text))), text...)
}

// Read reads a number, and gives what is behind it; false: it is not whole, or larger than any.
func Read(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	n = uint64(b[0])
	if b = b[1:]; n < wide {
		return n, b, true
	}
	for shift := 4; ; shift += 7 {
		if len(b) == 0 || shift > 63 {
			return 0, nil, false
		}
		c := b[0]
		b = b[1:]
		if n += uint64(c) << shift; c < 0x80 {
			return n, b, true
		}
	}
}

// ReadText reads bytes behind their number.
func ReadText(b []byte) (text, rest []byte, ok bool) {
	n, b, ok := Read(b)
	if !ok || n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
