// Package units reads numbers with a unit behind them: durations and sizes (manual sections 2.5 and 2.6). Which
// message a fault becomes is for the keyword to say; the most common wordings are here.
package units

import (
	"fmt"
	"time"
)

// TimeFault is why a duration cannot be read: exactly one of the fields is set, or none at the end of the text.
type TimeFault struct {
	Over  bool // 2^31 units or more
	Under bool // not zero, and still less than one unit
	Char  byte // the first character that does not belong there, 0 at the end of the text
}

func (f *TimeFault) Error() string {
	switch {
	case f.Over:
		return "time overflow (maximum value is 2147483647 ms or ~24.8 days)"
	case f.Under:
		return "time underflow (minimum non-null value is 1 ms)"
	}
	return fmt.Sprintf("unexpected character '%c'", f.Char)
}

// About words the fault of an argument of a keyword that takes milliseconds, as most of them do.
func (f *TimeFault) About(argument, keyword string) string {
	switch {
	case f.Over:
		return fmt.Sprintf("timer overflow in argument '%s' to '%s' (maximum value is 2147483647 ms or ~24.8 days)", argument, keyword)
	case f.Under:
		return fmt.Sprintf("timer underflow in argument '%s' to '%s' (minimum non-null value is 1 ms)", argument, keyword)
	}
	return fmt.Sprintf("unexpected character '%c' in '%s'", f.Char, keyword)
}

// Stray words the warning about a character that follows a complete duration.
func Stray(c byte, argument string) string {
	return fmt.Sprintf("unexpected character '%c' after the timer value '%s', only "+
		"(us=microseconds,ms=milliseconds,s=seconds,m=minutes,h=hours,d=days) are supported. "+
		"This will be reported as an error in next versions.", c, argument)
}

// Time reads a number with us, ms, s, m, h or d behind it, or without, which means unit. It is rounded up to whole
// units. stray is a character behind the unit, which the caller warns about with Stray; 0 if there is none.
//
// A number of more than 64 bits wraps around, as it always did.
func Time(text string, unit time.Duration) (d time.Duration, stray byte, fault *TimeFault) {
	value, i := uint64(0), 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		value = value*10 + uint64(text[i]-'0')
		i++
	}
	at := func(i int) byte {
		if i < len(text) {
			return text[i]
		}
		return 0
	}
	if i == 0 {
		return 0, 0, &TimeFault{Char: at(0)}
	}
	scale := unit
	switch c := at(i); c {
	case 0:
		i--
	case 's':
		scale = time.Second
	case 'm':
		scale = time.Minute
		if at(i+1) == 's' {
			scale = time.Millisecond
			i++
		}
	case 'h':
		scale = time.Hour
	case 'd':
		scale = 24 * time.Hour
	case 'u':
		if at(i+1) == 's' {
			scale = time.Microsecond
			i++
			break
		}
		fallthrough
	default:
		return 0, 0, &TimeFault{Char: c}
	}
	stray = at(i + 1)
	units := value
	if scale >= unit {
		units *= uint64(scale / unit)
	} else {
		per := uint64(unit / scale)
		units = (units + per - 1) / per
	}
	switch {
	case units >= 1<<31:
		return 0, stray, &TimeFault{Over: true}
	case units == 0 && value != 0:
		return 0, stray, &TimeFault{Under: true}
	}
	return time.Duration(units) * unit, stray, nil
}
