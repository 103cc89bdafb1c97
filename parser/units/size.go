package units

import "math"

// Size reads a number of bytes below 4 GiB with k, m or g behind it, in either case. rest is where reading failed:
// what messages quote. It may be empty: an empty text is no size.
func Size(text string) (size uint32, rest string, ok bool) {
	n, rest, ok := readSize(text, math.MaxUint32)
	return uint32(n), rest, ok
}

// Size64 is Size without its limit.
func Size64(text string) (size uint64, rest string, ok bool) { return readSize(text, math.MaxUint64) }

func readSize(text string, limit uint64) (value uint64, rest string, ok bool) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		digit := uint64(text[i] - '0')
		if value > limit/10 || value*10 > limit-digit {
			return 0, text[i:], false
		}
		value = value*10 + digit
		i++
	}
	if i == 0 {
		return 0, text, false
	}
	if i == len(text) {
		return value, "", true
	}
	shift := 0
	switch text[i] | 0x20 {
	case 'k':
		shift = 10
	case 'm':
		shift = 20
	case 'g':
		shift = 30
	}
	if shift == 0 || value > limit>>shift {
		return 0, text[i:], false
	}
	if rest = text[i+1:]; rest != "" {
		return 0, rest, false
	}
	return value << shift, "", true
}
