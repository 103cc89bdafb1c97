package balance

import (
	"hash/crc32"
	"math/bits"

	"hapax/acl/hash"
)

// Func is the hash function of "hash-type".
type Func uint8

const (
	SDBM Func = iota // the default
	DJB2
	WT6
	CRC32
	None // the key is a number already
)

// HashType is "hash-type".
type HashType struct {
	Consistent bool
	Func       Func
	Avalanche  bool
}

// Sum hashes a key.
func (t *HashType) Sum(key []byte) uint32 {
	var h uint32
	switch t.Func {
	case DJB2:
		h = hash.DJB2(key)
	case WT6:
		h = hash.WT6(key)
	case CRC32:
		h = crc32.ChecksumIEEE(key)
	case None:
		h = number(key)
	default:
		h = hash.SDBM(key)
	}
	return t.spread(h)
}

// spread applies the avalanche modifier.
func (t *HashType) spread(h uint32) uint32 {
	if t.Avalanche {
		return hash.Avalanche(h)
	}
	return h
}

// number reads a decimal number at the start of key, as 64 bits that do not overflow.
func number(key []byte) uint32 {
	negative := false
	if len(key) > 0 && (key[0] == '-' || key[0] == '+') {
		negative = key[0] == '-'
		key = key[1:]
	}
	var n uint64
	for _, c := range key {
		d := uint64(c - '0')
		if d > 9 {
			break
		}
		if hi, lo := bits.Mul64(n, 10); hi != 0 || lo+d < lo {
			n = 1<<64 - 1
			break
		} else {
			n = lo + d
		}
	}
	switch {
	case negative && n > 1<<63:
		n = 1 << 63
	case negative:
		n = -n
	case n > 1<<63-1:
		n = 1<<63 - 1
	}
	return uint32(n)
}
