package userlist

import (
	"crypto/subtle"
	"strings"
)

// alphabet is how crypt(3) writes six bits.
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// checkDES checks a hash of the traditional crypt(3): two characters of salt and eleven that are the result of 25
// rounds of DES over a block of zeroes, with the salt swapping bits of the expansion.
func checkDES(hash string, password []byte) bool {
	if len(hash) != 13 {
		return false
	}
	salt := 0
	for i := range 2 {
		n := strings.IndexByte(alphabet, hash[i])
		if n < 0 {
			return false
		}
		salt |= n << (6 * i)
	}
	got := hash[:2] + encodeDES(desCrypt(password, salt))
	return subtle.ConstantTimeCompare([]byte(got), []byte(hash)) == 1
}

// bitset holds one bit a byte, the first one the most significant.
type bitset []byte

// permute picks bits of b by the numbers of a table, which count from 1 as the standard does.
func (b bitset) permute(table []byte) bitset {
	out := make(bitset, len(table))
	for i, from := range table {
		out[i] = b[from-1]
	}
	return out
}

func desCrypt(password []byte, salt int) bitset {
	key := make(bitset, 64)
	for i := 0; i < 8 && i < len(password); i++ {
		for j := range 7 {
			key[8*i+j] = password[i] >> (6 - j) & 1
		}
	}
	subkeys := desSubkeys(key)
	expand := append([]byte{}, desExpand...)
	for i := range 12 {
		if salt>>i&1 != 0 {
			expand[i], expand[i+24] = expand[i+24], expand[i]
		}
	}
	block := make(bitset, 64)
	for range 25 {
		block = block.permute(desInitial)
		left, right := block[:32], block[32:]
		for _, k := range subkeys {
			next := desRound(right, k, expand)
			for i := range next {
				next[i] ^= left[i]
			}
			left, right = right, next
		}
		block = append(append(make(bitset, 0, 64), right...), left...).permute(desFinal)
	}
	return block
}

func desSubkeys(key bitset) (keys [16]bitset) {
	cd := key.permute(desChoice1)
	c, d := cd[:28], cd[28:]
	for i, shift := range desShifts {
		c = append(append(make(bitset, 0, 28), c[shift:]...), c[:shift]...)
		d = append(append(make(bitset, 0, 28), d[shift:]...), d[:shift]...)
		keys[i] = append(append(make(bitset, 0, 56), c...), d...).permute(desChoice2)
	}
	return keys
}

func desRound(right, key bitset, expand []byte) bitset {
	wide := right.permute(expand)
	out := make(bitset, 0, 32)
	for box := range 8 {
		var six byte
		for i := range 6 {
			six = six<<1 | (wide[6*box+i] ^ key[6*box+i])
		}
		row, column := six>>4&2|six&1, six>>1&15
		four := desBoxes[box][16*row+column]
		for i := 3; i >= 0; i-- {
			out = append(out, four>>i&1)
		}
	}
	return out.permute(desPermutation)
}

// encodeDES writes 64 bits and two zeroes in eleven characters.
func encodeDES(b bitset) string {
	b = append(b, 0, 0)
	out := make([]byte, 0, 11)
	for i := 0; i < len(b); i += 6 {
		n := 0
		for _, bit := range b[i : i+6] {
			n = n<<1 | int(bit)
		}
		out = append(out, alphabet[n])
	}
	return string(out)
}

// The tables of the Data Encryption Standard (FIPS 46-3).
var (
	desInitial = []byte{
		58, 50, 42, 34, 26, 18, 10, 2, 60, 52, 44, 36, 28, 20, 12, 4, 62, 54, 46, 38, 30, 22, 14, 6, 64, 56, 48, 40, 32, 24, 16, 8,
		57, 49, 41, 33, 25, 17, 9, 1, 59, 51, 43, 35, 27, 19, 11, 3, 61, 53, 45, 37, 29, 21, 13, 5, 63, 55, 47, 39, 31, 23, 15, 7,
	}
	desFinal = []byte{
		40, 8, 48, 16, 56, 24, 64, 32, 39, 7, 47, 15, 55, 23, 63, 31, 38, 6, 46, 14, 54, 22, 62, 30, 37, 5, 45, 13, 53, 21, 61, 29,
		36, 4, 44, 12, 52, 20, 60, 28, 35, 3, 43, 11, 51, 19, 59, 27, 34, 2, 42, 10, 50, 18, 58, 26, 33, 1, 41, 9, 49, 17, 57, 25,
	}
	desExpand = []byte{
		32, 1, 2, 3, 4, 5, 4, 5, 6, 7, 8, 9, 8, 9, 10, 11, 12, 13, 12, 13, 14, 15, 16, 17,
		16, 17, 18, 19, 20, 21, 20, 21, 22, 23, 24, 25, 24, 25, 26, 27, 28, 29, 28, 29, 30, 31, 32, 1,
	}
	desPermutation = []byte{
		16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
	}
	desChoice1 = []byte{
		57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
		63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
	}
	desChoice2 = []byte{
		14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
		41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
	}
	desShifts = [16]int{1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1}
	desBoxes  = [8][64]byte{
		{14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, 0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8,
			4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, 15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13},
		{15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, 3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5,
			0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, 13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9},
		{10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, 13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1,
			13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, 1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12},
		{7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, 13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9,
			10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, 3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14},
		{2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, 14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6,
			4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, 11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3},
		{12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, 10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8,
			9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, 4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13},
		{4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, 13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6,
			1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, 6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12},
		{13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, 1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2,
			7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, 2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11},
	}
)
