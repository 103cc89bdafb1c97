package ring

// Lengths take as few bytes as they can: one below 240; of others the first byte has the upper four bits set and the lowest
// four of the length, which is less 240 then, and each further one seven more, with the upper bit set but in the last one.
const (
	small     = 240
	firstBits = 4
	nextBits  = 7
	goesOn    = 1 << nextBits
)

func appendLength(b []byte, n uint64) []byte {
	if n < small {
		return append(b, byte(n))
	}
	b = append(b, byte(n)|small)
	for n = (n - small) >> firstBits; n >= goesOn; n = (n - goesOn) >> nextBits {
		b = append(b, byte(n)|goesOn)
	}
	return append(b, byte(n))
}

// lengthOf is how many bytes the length n takes.
func lengthOf(n uint64) int {
	if n < small {
		return 1
	}
	size := 2
	for n = (n - small) >> firstBits; n >= goesOn; n = (n - goesOn) >> nextBits {
		size++
	}
	return size
}

// length reads the length at an offset and how many bytes it takes.
func (r *Ring) length(at uint64) (n uint64, size int) {
	next := func() uint64 {
		b := r.area[(at+uint64(size))%uint64(len(r.area))]
		size++
		return uint64(b)
	}
	if n = next(); n < small {
		return n, size
	}
	for shift := firstBits; shift < 64; shift += nextBits {
		b := next()
		n += b << shift
		if b < goesOn {
			break
		}
	}
	return n, size
}
