package exchange

import "encoding/binary"

// wide is the first number that has more than one byte.
const wide = 0xf0

// appendNumber appends a number: one byte below 240; else four bits in the first byte, and seven in each of the others,
// whose uppermost bit tells that another one follows.
func appendNumber(dst []byte, v uint64) []byte {
	if v < wide {
		return append(dst, byte(v))
	}
	dst = append(dst, byte(v)|wide)
	for v = (v - wide) >> 4; v >= 0x80; v = (v - 0x80) >> 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}

// reader takes a message apart. failed tells that more was wanted than there is.
type reader struct {
	left   []byte
	failed bool
}

func (r *reader) number() (v uint64) {
	b := r.bytes(1)
	if b == nil {
		return 0
	}
	v = uint64(b[0])
	if v < wide {
		return v
	}
	for shift := 4; ; shift += 7 {
		if b = r.bytes(1); b == nil {
			return 0
		}
		v += uint64(b[0]) << shift
		if b[0] < 0x80 {
			return v
		}
	}
}

// word takes four bytes.
func (r *reader) word() uint32 {
	b := r.bytes(4)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

// bytes takes n bytes; nil when there are less.
func (r *reader) bytes(n uint64) []byte {
	if r.failed || n > uint64(len(r.left)) {
		r.left, r.failed = nil, true
		return nil
	}
	b := r.left[:n:n]
	r.left = r.left[n:]
	return b
}
