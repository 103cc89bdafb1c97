package userlist

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"math/bits"
	"strings"
	"sync"
)

// yescrypt is a memory-hard hash built on scrypt (openwall.com/yescrypt). Hashes of the one flavor that systems use
// are known: read and write access, six rounds on four lanes of two, boxes of 12 KiB; no read-only memory.
type yescrypt struct {
	n       uint64 // blocks, a power of two
	r, p, t int
	prehash bool

	v []uint64 // the large memory: pairs of words, the first one low
	x []uint64 // the block that is worked on
}

// The flavor, as hashes encode it, and what it stands for.
const (
	yescryptFlavor = 47
	pwxRounds      = 6
	pwxGather      = 4
	pwxSimple      = 2
	pwxLanes       = pwxGather * pwxSimple // of 64 bits
	boxEntries     = 256 * pwxSimple       // of 64 bits, in each of the three boxes
)

// yescryptMemory bounds the memory of a hash, in 32-bit words: 1 GiB.
const yescryptMemory = 1 << 28

// memory is reused: it is 16 MiB with the usual parameters.
var memory = sync.Pool{New: func() any { return new([]uint64) }}

// checkYescrypt checks a hash of the form $y$<parameters>$<salt>$<hash>.
func checkYescrypt(hash string, password []byte) bool {
	end := strings.LastIndexByte(hash, '$')
	parts := strings.Split(hash[:end], "$") // "", y, parameters, salt
	if len(parts) != 4 {
		return false
	}
	y, ok := yescryptParams(parts[2])
	if !ok {
		return false
	}
	salt, ok := decode64(parts[3])
	if !ok {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(encode64(y.hash(password, salt))), []byte(hash[end+1:])) == 1
}

// yescryptParams reads the flavor, log2 of N, r, and what follows them: a set of bits and p, t and g as it says.
func yescryptParams(text string) (*yescrypt, bool) {
	next := func(low uint32) (n uint32) {
		n, text = decodeNumber(text, low)
		return n
	}
	if next(0) != yescryptFlavor {
		return nil, false
	}
	log := next(1)
	y := &yescrypt{r: int(next(1)), p: 1}
	if text != "" {
		have := next(1)
		if have&^3 != 0 {
			return nil, false // upgraded hashes and those with read-only memory
		}
		if have&1 != 0 {
			y.p = int(next(2))
		}
		if have&2 != 0 {
			y.t = int(next(1))
		}
	}
	if text != "" || log < 1 || log > 30 || y.r < 1 || y.p < 1 {
		return nil, false
	}
	y.n = 1 << log
	if y.r > yescryptMemory || y.p > yescryptMemory || uint64(y.r)*y.n*32 > yescryptMemory || uint64(y.r)*uint64(y.p)*32 > yescryptMemory || y.n/uint64(y.p) <= 1 {
		return nil, false
	}
	return y, true
}

// decodeNumber reads a number of variable length: the first character tells how many there are. A fault leaves a
// text that is no end.
func decodeNumber(text string, low uint32) (uint32, string) {
	start, end, chars, shift := uint32(0), uint32(47), 1, 0
	digit := func() uint32 {
		if text == "" {
			text = "?"
		}
		n := strings.IndexByte(alphabet, text[0])
		if n < 0 {
			return 0
		}
		text = text[1:]
		return uint32(n)
	}
	c, n := digit(), low
	for c > end {
		n += (end + 1 - start) << shift
		start, end = end+1, end+1+(62-end)/2
		chars++
		shift += 6
	}
	n += (c - start) << shift
	for chars--; chars > 0; chars-- {
		shift -= 6
		n += digit() << shift
	}
	return n, text
}

// decode64 reads bytes, three of them in four characters, the low bits first.
func decode64(text string) ([]byte, bool) {
	var out []byte
	for len(text) > 0 {
		value, n := uint32(0), 0
		for ; n < 24 && len(text) > 0; n += 6 {
			c := strings.IndexByte(alphabet, text[0])
			if c < 0 {
				return nil, false
			}
			value |= uint32(c) << n
			text = text[1:]
		}
		if n < 12 {
			return nil, false
		}
		for ; n >= 8; n -= 8 {
			out = append(out, byte(value))
			value >>= 8
		}
		if value != 0 {
			return nil, false
		}
	}
	return out, len(out) <= 64
}

func encode64(b []byte) string {
	var out []byte
	for len(b) > 0 {
		value, n := uint32(0), 0
		for ; n < 24 && len(b) > 0; n += 8 {
			value |= uint32(b[0]) << n
			b = b[1:]
		}
		for ; n > 0; n -= 6 {
			out = append(out, alphabet[value&63])
			value >>= 6
		}
	}
	return string(out)
}

// hash gives the 32 bytes of the hash.
func (y *yescrypt) hash(password, salt []byte) []byte {
	if y.n/uint64(y.p) >= 0x100 && y.n/uint64(y.p)*uint64(y.r) >= 0x20000 {
		pre := &yescrypt{n: y.n >> 6, r: y.r, p: y.p, prehash: true}
		password = pre.derive(password, salt)
	}
	return y.derive(password, salt)
}

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)
}

func stretch(password, salt []byte, n int) []byte {
	key, err := pbkdf2.Key(sha256.New, string(password), salt, 1, n)
	if err != nil {
		panic(err) // only for a key that is too long for the hash
	}
	return key
}

func (y *yescrypt) derive(password, salt []byte) []byte {
	name := "yescrypt"
	if y.prehash {
		name = "yescrypt-prehash"
	}
	blocks := stretch(mac([]byte(name), password), salt, 128*y.r*y.p)
	key := append([]byte{}, blocks[:32]...)
	b := make([]uint32, len(blocks)/4)
	for i := range b {
		b[i] = binary.LittleEndian.Uint32(blocks[4*i:])
	}
	key = y.mix(b, key)
	for i := range b {
		binary.LittleEndian.PutUint32(blocks[4*i:], b[i])
	}
	out := stretch(key, blocks, 32)
	if y.prehash {
		return out
	}
	stored := sha256.Sum256(mac(out, []byte("Client Key")))
	return stored[:]
}

// mix is the memory-hard part: it fills the memory and then reads and writes it in an order that depends on the
// password. It gives the key for the last step.
func (y *yescrypt) mix(b []uint32, key []byte) []byte {
	s := 32 * y.r
	mem := memory.Get().(*[]uint64)
	defer memory.Put(mem)
	if need := s / 2 * int(y.n); cap(*mem) < need {
		*mem = make([]uint64, need)
	}
	y.v = (*mem)[:s/2*int(y.n)]
	y.x = make([]uint64, s/2)

	chunk := y.n / uint64(y.p)
	loops := chunk
	switch {
	case y.t == 0:
		loops = (loops + 2) / 3
	case y.t == 1:
		loops = (2*loops + 2) / 3
	default:
		loops *= uint64(y.t - 1)
	}
	rw := loops / uint64(y.p)
	even := func(n uint64) uint64 { return (n + 1) &^ 1 }
	chunk, loops, rw = chunk&^1, even(loops), even(rw)

	boxes := make([]*substitution, y.p)
	for i := range y.p {
		part := b[i*s : (i+1)*s]
		from, n := uint64(i)*chunk, chunk
		if i == y.p-1 {
			n = y.n - from
		}
		v := y.v[from*uint64(s/2):]
		boxes[i] = newSubstitution(part)
		if i == 0 {
			var last [64]byte
			for j, w := range part[s-16:] {
				binary.LittleEndian.PutUint32(last[4*j:], w)
			}
			key = mac(last[:], key)
		}
		y.fill(part, n, v, boxes[i])
		y.walk(part, 1<<(bits.Len64(n)-1), rw, v, boxes[i], true)
	}
	if loops > rw {
		for i := range y.p {
			y.walk(b[i*s:(i+1)*s], y.n, loops-rw, y.v, boxes[i], false)
		}
	}
	return key
}

// load and store bring a block into the order that the mixing works in, and back.
func load(x []uint64, b []uint32) {
	for k := 0; k < len(b); k += 16 {
		for i := 0; i < 16; i += 2 {
			x[(k+i)/2] = uint64(b[k+i*5%16]) | uint64(b[k+(i+1)*5%16])<<32
		}
	}
}

func store(b []uint32, x []uint64) {
	for k := 0; k < len(b); k += 16 {
		for i := 0; i < 16; i += 2 {
			b[k+i*5%16], b[k+(i+1)*5%16] = uint32(x[(k+i)/2]), uint32(x[(k+i)/2]>>32)
		}
	}
}

// integerify reads a number from the last 64 bytes of a block.
func integerify(x []uint64) uint64 {
	last := x[len(x)-8:]
	return last[6]&^(1<<32-1) | last[0]&(1<<32-1)
}

func xor(dst, src []uint64) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] ^= src[i]
	}
}

// fill writes n blocks of memory, one from the other and from an earlier one.
func (y *yescrypt) fill(b []uint32, n uint64, v []uint64, boxes *substitution) {
	s := uint64(len(y.x))
	load(y.x, b)
	for i := uint64(0); i < n; i++ {
		copy(v[i*s:], y.x)
		if i > 1 {
			whole := uint64(1) << (bits.Len64(i) - 1)
			j := integerify(y.x)&(whole-1) + i - whole
			xor(y.x, v[j*s:])
		}
		boxes.mix(y.x)
	}
	store(b, y.x)
}

// walk reads loops blocks of the first n, and writes them when write is set.
func (y *yescrypt) walk(b []uint32, n, loops uint64, v []uint64, boxes *substitution, write bool) {
	s := uint64(len(y.x))
	load(y.x, b)
	for range loops {
		j := integerify(y.x) & (n - 1)
		block := v[j*s : (j+1)*s]
		xor(y.x, block)
		if write {
			copy(block, y.x)
		}
		boxes.mix(y.x)
	}
	store(b, y.x)
}

// substitution are the three boxes that the mixing looks up and rewrites in turn.
type substitution struct {
	s0, s1, s2 *[boxEntries]uint64
	w          int // next entry of s2 that is written
}

// newSubstitution fills the boxes from the first 128 bytes of a block, which change by that.
func newSubstitution(b []uint32) *substitution {
	var all [3 * boxEntries]uint64
	var x [16]uint64
	b = b[:32]
	load(x[:], b)
	for i := 0; i < len(all); i += len(x) {
		copy(all[i:], x[:])
		mixSalsa(&x)
	}
	store(b, x[:])
	c := &substitution{new([boxEntries]uint64), new([boxEntries]uint64), new([boxEntries]uint64), 0}
	copy(c.s2[:], all[:])
	copy(c.s1[:], all[boxEntries:])
	copy(c.s0[:], all[2*boxEntries:])
	return c
}

// mixSalsa is scrypt's mixing of a block of 128 bytes.
func mixSalsa(x *[16]uint64) {
	var t [8]uint64
	copy(t[:], x[8:])
	for i := 0; i < 16; i += 8 {
		xor(t[:], x[i:i+8])
		salsa(&t, 8)
		copy(x[i:], t[:])
	}
}

// mix is yescrypt's mixing of a block.
func (c *substitution) mix(b []uint64) {
	var x [pwxLanes]uint64
	copy(x[:], b[len(b)-pwxLanes:])
	for i := 0; i < len(b); i += pwxLanes {
		part := (*[pwxLanes]uint64)(b[i:])
		for j := range x {
			x[j] ^= part[j]
		}
		c.transform(&x)
		*part = x
	}
	salsa((*[8]uint64)(b[len(b)-8:]), 2)
}

// transform multiplies and substitutes the lanes.
func (c *substitution) transform(x *[pwxLanes]uint64) {
	s0, s1, s2, w := c.s0, c.s1, c.s2, c.w
	for round := range pwxRounds {
		for j := 0; j < pwxLanes; j += pwxSimple {
			i0, i1 := x[j]>>3&0x1fe, x[j]>>35&0x1fe
			a, b := x[j], x[j+1]
			a = (a>>32*(a&(1<<32-1)) + s0[i0]) ^ s1[i1]
			b = (b>>32*(b&(1<<32-1)) + s0[i0|1]) ^ s1[i1|1]
			x[j], x[j+1] = a, b
			if round != 0 && round != pwxRounds-1 {
				s2[w&(boxEntries-1)], s2[(w+1)&(boxEntries-1)] = a, b
				w += pwxSimple
			}
		}
	}
	c.s0, c.s1, c.s2 = s2, s0, s1
	c.w = w & (boxEntries - 1)
}

// salsa is the core of Salsa20 with so many rounds, over words in the order of load.
func salsa(b *[8]uint64, rounds int) {
	var x [16]uint32
	for i := 0; i < 16; i += 2 {
		x[i*5%16], x[(i+1)*5%16] = uint32(b[i/2]), uint32(b[i/2]>>32)
	}
	before := x
	quarter := func(a, b, c, d int) {
		x[b] ^= bits.RotateLeft32(x[a]+x[d], 7)
		x[c] ^= bits.RotateLeft32(x[b]+x[a], 9)
		x[d] ^= bits.RotateLeft32(x[c]+x[b], 13)
		x[a] ^= bits.RotateLeft32(x[d]+x[c], 18)
	}
	for range rounds / 2 {
		quarter(0, 4, 8, 12)
		quarter(5, 9, 13, 1)
		quarter(10, 14, 2, 6)
		quarter(15, 3, 7, 11)
		quarter(0, 1, 2, 3)
		quarter(5, 6, 7, 4)
		quarter(10, 11, 8, 9)
		quarter(15, 12, 13, 14)
	}
	for i := range x {
		x[i] += before[i]
	}
	for i := 0; i < 16; i += 2 {
		b[i/2] = uint64(x[i*5%16]) | uint64(x[(i+1)*5%16])<<32
	}
}
