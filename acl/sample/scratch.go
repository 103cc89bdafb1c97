package sample

// Scratch hands out bytes that live until Reset: the results of converters. A loop owns one and lends
// it to its contexts; the caller of an evaluation resets it once the values have been used.
type Scratch struct {
	// Limit is the longest block, tune.bufsize: a longer result does not exist, as in a buffer of
	// that size.
	Limit int

	block []byte
	used  int

	values []*Value // lent out, the first lent of them
	lent   int
}

// DefaultLimit stands for a Limit of 0: the default of tune.bufsize.
const DefaultLimit = 16384

// NewScratch makes a Scratch for values of up to limit bytes (tune.bufsize). Its room is taken on
// first use.
func NewScratch(limit int) *Scratch { return &Scratch{Limit: limit} }

// Alloc gives n bytes of unspecified content, nil when n is above the limit. The capacity is n too.
func (s *Scratch) Alloc(n int) []byte {
	if n > s.limit() {
		return nil
	}
	if s.used+n > len(s.block) || s.block == nil {
		s.grow()
	}
	b := s.block[s.used : s.used+n : s.used+n]
	s.used += n
	return b
}

// Room gives an empty slice with the capacity of a whole block, to append to; Take tells how much of
// it is to be kept. Who finds the room too small has no result. Nothing else may be taken in between.
func (s *Scratch) Room() []byte {
	n := s.limit()
	if s.used+n > len(s.block) {
		s.grow()
	}
	return s.block[s.used : s.used : s.used+n]
}

// Most is the length of the longest block.
func (s *Scratch) Most() int { return s.limit() }

// Take keeps b, which was appended to the slice of the last Room, and returns it. It gives nil when b
// outgrew that room.
func (s *Scratch) Take(b []byte) []byte {
	if len(b) > s.limit() {
		return nil
	}
	s.used += len(b)
	return b[:len(b):len(b)]
}

// Reset takes everything back. Values whose bytes lie in the scratch buffer are void from then on.
func (s *Scratch) Reset() { s.used = 0 }

// Borrow gives a Value for an evaluation inside another one, where a local variable would escape to the
// heap. Values go back in the reverse order.
func (s *Scratch) Borrow() *Value {
	if s.lent == len(s.values) {
		s.values = append(s.values, new(Value))
	}
	s.lent++
	return s.values[s.lent-1]
}

// Return takes the last borrowed Value back.
func (s *Scratch) Return() { s.lent-- }

// Mark and Rewind free what was taken in between, for an evaluation inside another one.
func (s *Scratch) Mark() int { return s.used }

// Rewind goes back to a Mark. When a new block was begun in between, what was taken of it before the
// mark stays taken until Reset.
func (s *Scratch) Rewind(mark int) {
	if mark <= s.used {
		s.used = mark
	}
}

func (s *Scratch) limit() int {
	if s.Limit > 0 {
		return s.Limit
	}
	return DefaultLimit
}

// grow begins a new block. The old one lives on in the values that point to it, so nothing moves; the
// new one is larger, so that a loop stops growing once it has seen its longest evaluation.
func (s *Scratch) grow() {
	n := max(4*s.limit(), 2*len(s.block))
	if most := 64 * s.limit(); n > most {
		n = most
	}
	s.block, s.used = make([]byte, n), 0
}
