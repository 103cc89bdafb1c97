package balance

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
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
		h = djb2(key)
	case WT6:
		h = wt6(key)
	case CRC32:
		h = crc32.ChecksumIEEE(key)
	case None:
		h = number(key)
	default:
		h = sdbm(key)
	}
	return t.spread(h)
}

// spread applies the avalanche modifier.
func (t *HashType) spread(h uint32) uint32 {
	if t.Avalanche {
		return avalanche(h)
	}
	return h
}

func sdbm(key []byte) uint32 {
	var h uint32
	for _, c := range key {
		h = uint32(c) + h<<6 + h<<16 - h
	}
	return h
}

func djb2(key []byte) uint32 {
	h := uint32(5381)
	for _, c := range key {
		h = h*33 + uint32(c)
	}
	return h
}

// wt6 is a hash by Willy Tarreau with rotations that depend on the data.
func wt6(key []byte) uint32 {
	h0, h1 := uint32(0xa53c965a), uint32(0x5ca6953a)
	r0, r1 := 6, 18
	for _, c := range key {
		a, b := ^(h0 ^ uint32(c)), ^(h1 + uint32(c))
		h0, h1 = rotateWithin(b, r0), rotateWithin(a, r1)
		t := (h0>>16 ^ h1) & 0xffff
		r0, r1 = int(t&31), int(t>>11)
	}
	return h0 ^ h1
}

// rotateWithin rotates left by 0 to 31.
func rotateWithin(v uint32, n int) uint32 { return bits.RotateLeft32(v, n) }

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

// avalanche is one of Bob Jenkins' integer hashes: each bit of the input changes half
// of those of the result. The last factor spreads near results over the whole range.
func avalanche(a uint32) uint32 {
	a = (a + 0x7ed55d16) + a<<12
	a = (a ^ 0xc761c23c) ^ a>>19
	a = (a + 0x165667b1) + a<<5
	a = (a + 0xd3a2646c) ^ a<<9
	a = (a + 0xfd7046c5) + a<<3
	a = (a ^ 0xb55a4f09) ^ a>>16
	return a * 3221225473
}

// Primes of xxHash.
const (
	prime1 = 2654435761
	prime2 = 2246822519
	prime3 = 3266489917
	prime4 = 668265263
	prime5 = 374761393
)

// xxh32 is the 32-bit xxHash, which places servers by address or GUID.
func xxh32(p []byte, seed uint32) uint32 {
	n := uint32(len(p))
	h := seed + prime5
	if n >= 16 {
		v := [4]uint32{seed + prime1, seed + prime2, seed, seed - prime1}
		v[0] += prime2
		for ; len(p) >= 16; p = p[16:] {
			for i := range v {
				v[i] = bits.RotateLeft32(v[i]+binary.LittleEndian.Uint32(p[4*i:])*prime2, 13) * prime1
			}
		}
		h = bits.RotateLeft32(v[0], 1) + bits.RotateLeft32(v[1], 7) + bits.RotateLeft32(v[2], 12) + bits.RotateLeft32(v[3], 18)
	}
	h += n
	for ; len(p) >= 4; p = p[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(p)*prime3, 17) * prime4
	}
	for _, c := range p {
		h = bits.RotateLeft32(h+uint32(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>15) * prime2
	h = (h ^ h>>13) * prime3
	return h ^ h>>16
}
