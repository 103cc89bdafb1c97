// Package hash has the hashes that configurations name, in the forms of the reference: what converters compute, servers are chosen
// by, and tables are ordered by.
package hash

import (
	"encoding/binary"
	"math/bits"
)

// Primes of the 32-bit xxHash.
const (
	prime1 uint32 = 2654435761
	prime2 uint32 = 2246822519
	prime3 uint32 = 3266489917
	prime4 uint32 = 668265263
	prime5 uint32 = 374761393
)

// DJB2 is Bernstein's hash: times 33, plus the byte.
func DJB2(b []byte) uint32 {
	h := uint32(5381)
	for _, c := range b {
		h = h*33 + uint32(c)
	}
	return h
}

// SDBM is the hash of the sdbm database library: times 65599, plus the byte.
func SDBM(b []byte) uint32 {
	h := uint32(0)
	for _, c := range b {
		h = h*65599 + uint32(c)
	}
	return h
}

// WT6 is a hash with two halves that rotate each other by amounts taken from their own bits.
func WT6(b []byte) uint32 {
	h0, h1 := uint32(0xa53c965a), uint32(0x5ca6953a)
	r0, r1 := 6, 18
	for _, c := range b {
		h0 = ^(h0 ^ uint32(c))
		h1 = ^(h1 + uint32(c))
		h0, h1 = bits.RotateLeft32(h1, r0), bits.RotateLeft32(h0, r1)
		mix := (h0>>16 ^ h1) & 0xffff
		r0, r1 = int(mix&31), int(mix>>11)
	}
	return h0 ^ h1
}

// Avalanche is Jenkins's full-avalanche hash of a 32-bit integer, spread over the whole range by a prime
// near to three quarters of it.
func Avalanche(a uint32) uint32 {
	a = a + 0x7ed55d16 + a<<12
	a = a ^ 0xc761c23c ^ a>>19
	a = a + 0x165667b1 + a<<5
	a = a + 0xd3a2646c ^ a<<9
	a = a + 0xfd7046c5 + a<<3
	a = a ^ 0xb55a4f09 ^ a>>16
	return a * 3221225473
}

// XXH32 is the 32-bit xxHash.
func XXH32(b []byte, seed uint32) uint32 {
	n := len(b)
	h := seed + prime5
	if n >= 16 {
		lanes := [4]uint32{seed + prime1 + prime2, seed + prime2, seed, seed - prime1}
		for ; len(b) >= 16; b = b[16:] {
			for i := range lanes {
				lanes[i] = bits.RotateLeft32(lanes[i]+binary.LittleEndian.Uint32(b[4*i:])*prime2, 13) * prime1
			}
		}
		h = bits.RotateLeft32(lanes[0], 1) + bits.RotateLeft32(lanes[1], 7) +
			bits.RotateLeft32(lanes[2], 12) + bits.RotateLeft32(lanes[3], 18)
	}
	h += uint32(n)
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*prime3, 17) * prime4
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>15) * prime2
	h = (h ^ h>>13) * prime3
	return h ^ h>>16
}
