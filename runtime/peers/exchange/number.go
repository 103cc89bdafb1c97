package exchange

import (
	"encoding/binary"

	"hapax/runtime/varint"
)

// reader takes a message apart. failed tells that more was wanted than there is.
type reader struct {
	left   []byte
	failed bool
}

func (r *reader) number() uint64 {
	n, rest, ok := varint.Read(r.left)
	r.left, r.failed = rest, r.failed || !ok
	return n
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
