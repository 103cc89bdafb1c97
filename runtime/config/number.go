package config

import (
	"errors"
	"fmt"
	"math"
	"time"

	"hapax/parser/units"
)

// atol reads a number as most keywords do: leading spaces, a sign, digits, and
// whatever follows them is ignored. Text that starts with no number is 0. Numbers
// wrap around at 32 bits.
func atol(text string) int {
	n, _ := strtol(text, 10)
	return int(int32(n))
}

// strtol reads the number at the start of text and gives what follows it. Base 0
// takes 0x for hexadecimal and a leading 0 for octal. Numbers out of range are
// clamped.
func strtol(text string, base int64) (n int64, rest string) {
	i := 0
	for i < len(text) && (text[i] == ' ' || text[i] >= '\t' && text[i] <= '\r') {
		i++
	}
	neg := false
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		neg = text[i] == '-'
		i++
	}
	hex := i+2 < len(text) && text[i] == '0' && text[i+1]|0x20 == 'x' && digitOf(text[i+2]) < 16
	switch {
	case (base == 0 || base == 16) && hex:
		base = 16
		i += 2
	case base == 0 && i < len(text) && text[i] == '0':
		base = 8
	case base == 0:
		base = 10
	}
	start, over := i, false
	for ; i < len(text) && digitOf(text[i]) < base; i++ {
		d := digitOf(text[i])
		if n > (math.MaxInt64-d)/base {
			over = true
			continue
		}
		n = n*base + d
	}
	if i == start {
		return 0, text
	}
	if over {
		n = math.MaxInt64
	}
	if neg {
		n = -n
	}
	return n, text[i:]
}

func digitOf(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int64(c|0x20-'a') + 10
	}
	return 99
}

// Time reads a duration and warns about what stands behind its unit.
func (l *Loader) Time(text string, unit time.Duration) (time.Duration, *units.TimeFault) {
	d, stray, fault := units.Time(text, unit)
	if stray != 0 {
		if l.speaker != nil {
			l.speaker.warn("%s", units.Stray(stray, text))
		} else {
			l.List.Warnf(l.pos, "%s", units.Stray(stray, text))
		}
	}
	return d, fault
}

// timeError is the commonest wording of a fault; char is what is said about a
// character.
func timeError(fault *units.TimeFault, value, what, char string) error {
	if fault.Over || fault.Under {
		return errors.New(fault.About(value, what))
	}
	return errors.New(char)
}

// bareBelow tells whether text is a number without unit that is not 0 and less
// than least: a probable mistake about the unit.
func bareBelow(text string, least int) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	n := atol(text)
	return n != 0 && n < least
}

func first(text string) byte {
	if text == "" {
		return 0
	}
	return text[0]
}

// invalidChar finds the first character that a name may not have; an empty name is
// at fault too.
func invalidChar(name string) (c Char, bad bool) {
	if name == "" {
		return 0, true
	}
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		case c == '.' || c == ':' || c == '_' || c == '-':
		default:
			return Char(c), true
		}
	}
	return 0, false
}

// Char is a byte of a file that messages show as it stands there, whatever its encoding.
type Char byte

// Format writes the byte.
func (c Char) Format(f fmt.State, _ rune) { f.Write([]byte{byte(c)}) }
