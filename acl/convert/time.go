package convert

import (
	"fmt"
	"strconv"
	"time"
	"unsafe"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var timeRows = []sample.Converter{
	strftime("utime", "seconds since 1970 as a date in UTC", time.Second, false, `int(1785681855),utime("%Y-%m-%d %H:%M:%S")`, "2026-08-02 14:44:15"),
	strftime("ms_utime", "milliseconds since 1970 as a date in UTC, %N being nanoseconds", time.Millisecond, false,
		`int(1785681855123),ms_utime("%S.%3N")`, "15.123"),
	strftime("us_utime", "microseconds since 1970 as a date in UTC, %N being nanoseconds", time.Microsecond, false,
		`int(1785681855123456),us_utime("%S.%N")`, "15.123456000"),
	strftime("ltime", "seconds since 1970 as a local date", time.Second, true, `int(1785681855),ltime("%S")`, "15"),
	strftime("ms_ltime", "milliseconds since 1970 as a local date, %N being nanoseconds", time.Millisecond, true,
		`int(1785681855123),ms_ltime("%S.%6N")`, "15.123000"),
	strftime("us_ltime", "microseconds since 1970 as a local date, %N being nanoseconds", time.Microsecond, true,
		`int(1785681855123456),us_ltime("%S.%6N")`, "15.123456"),
	{Doc: doc("http_date", "seconds since 1970 as a date for HTTP headers",
		args(opt(number("offset")), opt(keyword.Arg{Name: "unit", Type: keyword.Str, Default: "s", Doc: "s, ms or us"})),
		"int(784111777),http_date", "Sun, 06 Nov 1994 08:49:37 GMT"),
		Check: checkUnit, In: sample.Int, Out: sample.Str, Eval: httpDate},
	{Doc: doc("date", "seconds since 1970 from a date of an HTTP header", nil,
		"str('Sun, 06 Nov 1994 08:49:37 GMT'),date", "784111777", "str('Sun Nov  6 08:49:37 1994'),date", "784111777"),
		In: sample.Str, Out: sample.Int, Eval: parseDate},
}

func strftime(name, summary string, unit time.Duration, local bool, examples ...string) sample.Converter {
	per := int64(time.Second / unit)
	return sample.Converter{
		Doc: doc(name, summary, args(keyword.Arg{Name: "format", Type: keyword.Str, Doc: "as strftime(3) reads it"},
			opt(keyword.Arg{Name: "offset", Type: keyword.Int, Doc: "seconds"})), examples...),
		In: sample.Int, Out: sample.Str,
		Eval: func(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
			sec, ns := v.Int&maxSeconds, int64(0)
			if per > 1 {
				sec, ns = v.Int/per, v.Int%per*int64(unit)
			}
			t := time.Unix(sec+a[1].Int, 0)
			if local {
				t = t.Local()
			} else {
				t = t.In(greenwich)
			}
			format := a[0].Str
			if per > 1 {
				b := ctx.Scratch.Take(appendNanoseconds(ctx.Scratch.Room(), format, ns))
				format = unsafe.String(unsafe.SliceData(b), len(b))
			}
			out := appendTime(ctx.Scratch.Room(), format, t)
			if len(out) >= ctx.Scratch.Most() {
				out = out[:0]
			}
			v.SetStr(ctx.Scratch.Take(out))
			return true
		},
	}
}

// maxSeconds keeps dates in a range that calendars can express.
const maxSeconds = 0x007fffffffffffff

// greenwich is UTC under the name that gmtime(3) gives it.
var greenwich = time.FixedZone("GMT", 0)

// appendNanoseconds writes a format with each %N replaced by the nanoseconds, or as many of their digits as a
// number before the N says. It looks at nothing else: in %%N the second half is replaced. Quirk: a negative number
// stands there without its sign bit.
func appendNanoseconds(dst []byte, format string, ns int64) []byte {
	for i := 0; i < len(format); i++ {
		end := i + 1
		for format[i] == '%' && end < len(format) && format[end]-'0' <= 9 {
			end++
		}
		if format[i] != '%' || end == len(format) || format[end] != 'N' {
			dst = append(dst, format[i])
			continue
		}
		width := 9
		if end > i+1 {
			n, _ := sample.ReadInt(format[i+1 : end])
			width = int(min(n, 9))
		}
		var room [20]byte
		digits := strconv.AppendUint(room[:0], uint64(ns), 10)
		for n := len(digits); n < 9 && width > 0; n++ {
			dst = append(dst, '0')
			width--
		}
		dst = append(dst, digits[:min(width, len(digits))]...)
		i = end
	}
	return dst
}

// appendTime writes a time by a format of strftime(3), in the C locale. A conversion that does not exist
// stays as it is.
func appendTime(dst []byte, format string, t time.Time) []byte {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			dst = append(dst, format[i])
			continue
		}
		start := i
		i++
		pad, width, fold := byte(0), 0, byte(0)
		for ; i < len(format); i++ {
			if c := format[i]; c == '_' || c == '-' || c == '0' {
				pad = c
			} else if c == '^' || c == '#' {
				fold = c
			} else {
				break
			}
		}
		for i < len(format) && format[i]-'0' <= 9 {
			width = min(width*10+int(format[i]-'0'), maxWidth)
			i++
		}
		if i < len(format) && (format[i] == 'E' || format[i] == 'O') {
			i++
		}
		at := len(dst)
		var ok bool
		if i < len(format) {
			dst, ok = appendField(dst, format[i], t, pad, width)
		}
		if !ok {
			dst = appendPadded(dst, format[start:min(i+1, len(format))], pad, width)
			continue
		}
		switch fold {
		case '^':
			upperASCII(dst[at:])
		case '#':
			if format[i] == 'p' || format[i] == 'Z' {
				lowerASCII(dst[at:])
			} else {
				upperASCII(dst[at:])
			}
		}
	}
	return dst
}

// maxWidth is beyond any buffer: a field that wide makes the whole date empty.
const maxWidth = 1 << 20

func appendPadded(dst []byte, s string, pad byte, width int) []byte {
	fill := byte(' ')
	if pad == '0' {
		fill = '0'
	}
	for j := len(s); j < width; j++ {
		dst = append(dst, fill)
	}
	return append(dst, s...)
}

func upperASCII(b []byte) {
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
}

// appendField writes one conversion of strftime(3).
func appendField(dst []byte, conv byte, t time.Time, pad byte, width int) ([]byte, bool) {
	num := func(n, digits int, fill byte) ([]byte, bool) {
		if pad == '_' {
			fill = ' '
		} else if pad == '0' {
			fill = '0'
		}
		if width > 0 {
			digits = width
		}
		if pad == '-' {
			digits = 0
		}
		var room [20]byte
		text := strconv.AppendInt(room[:0], int64(n), 10)
		for j := len(text); j < digits; j++ {
			dst = append(dst, fill)
		}
		return append(dst, text...), true
	}
	text := func(s string) ([]byte, bool) { return appendPadded(dst, s, pad, width), true }
	hour12 := (t.Hour()+11)%12 + 1
	half := "AM"
	if t.Hour() >= 12 {
		half = "PM"
	}
	isoYear, isoWeek := t.ISOWeek()
	weekday := int(t.Weekday())
	switch conv {
	case '%':
		return text("%")
	case 'n':
		return text("\n")
	case 't':
		return text("\t")
	case 'a':
		return text(t.Format("Mon"))
	case 'A':
		return text(t.Format("Monday"))
	case 'b', 'h':
		return text(t.Format("Jan"))
	case 'B':
		return text(t.Format("January"))
	case 'c':
		return text(t.Format("Mon Jan _2 15:04:05 2006"))
	case 'C':
		return num(t.Year()/100, 2, '0')
	case 'd':
		return num(t.Day(), 2, '0')
	case 'D', 'x':
		return text(t.Format("01/02/06"))
	case 'e':
		return num(t.Day(), 2, ' ')
	case 'F':
		return text(strconv.Itoa(t.Year()) + t.Format("-01-02"))
	case 'g':
		return num((isoYear%100+100)%100, 2, '0')
	case 'G':
		return num(isoYear, 1, '0')
	case 'H':
		return num(t.Hour(), 2, '0')
	case 'I':
		return num(hour12, 2, '0')
	case 'j':
		return num(t.YearDay(), 3, '0')
	case 'k':
		return num(t.Hour(), 2, ' ')
	case 'l':
		return num(hour12, 2, ' ')
	case 'm':
		return num(int(t.Month()), 2, '0')
	case 'M':
		return num(t.Minute(), 2, '0')
	case 'p':
		return text(half)
	case 'P':
		return text(t.Format("pm"))
	case 'r':
		return text(t.Format("03:04:05 PM"))
	case 'R':
		return text(t.Format("15:04"))
	case 's':
		return num(int(t.Unix()), 1, '0')
	case 'S':
		return num(t.Second(), 2, '0')
	case 'T', 'X':
		return text(t.Format("15:04:05"))
	case 'u':
		return num((weekday+6)%7+1, 1, '0')
	case 'U':
		return num((t.YearDay()+6-weekday)/7, 2, '0')
	case 'V':
		return num(isoWeek, 2, '0')
	case 'w':
		return num(weekday, 1, '0')
	case 'W':
		return num((t.YearDay()+6-(weekday+6)%7)/7, 2, '0')
	case 'y':
		return num((t.Year()%100+100)%100, 2, '0')
	case 'Y':
		return num(t.Year(), 1, '0')
	case 'z':
		return text(t.Format("-0700"))
	case 'Z':
		name, _ := t.Zone()
		return text(name)
	}
	return dst, false
}

// checkUnit leaves in Int of the unit how many of them make a second.
func checkUnit(_ *sample.Compiler, a []sample.Arg) error {
	if !a[1].Present {
		return nil
	}
	per, ok := map[string]int64{"s": 1, "ms": 1e3, "us": 1e6}[a[1].Str]
	if !ok {
		return fmt.Errorf("expects 's', 'ms' or 'us', got '%s'", a[1].Str)
	}
	a[1].Int = per
	return nil
}

func httpDate(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	n := v.Int + a[0].Int
	per := max(a[1].Int, 1)
	rest := n % per
	t := time.Unix(n/per&maxSeconds, 0).UTC()
	out := t.AppendFormat(ctx.Scratch.Room(), "Mon, 02 Jan 2006 15:04:05")
	if per > 1 {
		// Quirk: the fraction is written as a plain number, without leading zeroes.
		out = strconv.AppendInt(append(out, '.'), rest, 10)
	}
	v.SetStr(ctx.Scratch.Take(append(out, " GMT"...)))
	return true
}

// dateReader takes an HTTP date apart; bad says that something was not as expected.
type dateReader struct {
	text []byte
	bad  bool
}

func (r *dateReader) expect(s string) {
	if len(r.text) < len(s) || string(r.text[:len(s)]) != s {
		r.bad = true
		return
	}
	r.text = r.text[len(s):]
}

func (r *dateReader) digits(n int) int {
	if len(r.text) < n {
		r.bad = true
		return 0
	}
	sum := 0
	for _, c := range r.text[:n] {
		if c-'0' > 9 {
			r.bad = true
			return 0
		}
		sum = sum*10 + int(c-'0')
	}
	r.text = r.text[n:]
	return sum
}

// oneOf reads one of the names and gives its place in the list.
func (r *dateReader) oneOf(names []string) int {
	for i, name := range names {
		if len(r.text) >= len(name) && string(r.text[:len(name)]) == name {
			r.text = r.text[len(name):]
			return i
		}
	}
	r.bad = true
	return 0
}

func (r *dateReader) clock() (h, m, s int) {
	h = r.digits(2)
	r.expect(":")
	m = r.digits(2)
	r.expect(":")
	s = r.digits(2)
	return h, m, s
}

var (
	dayNames     = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}
	longDayNames = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	monthNames   = []string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}
)

// parseDate reads the three forms of RFC 9110, section 5.6.7. Names of days are not compared with the
// date, and what follows it is ignored.
func parseDate(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	for form := range dateForms {
		r := dateReader{text: v.Bytes}
		if t := r.read(form); !r.bad {
			sec := t.Unix()
			if sec < 0 {
				sec += 24 * 60 * 60 << 32 // Quirk: days are counted in 32 bits without a sign.
			}
			v.SetInt(sec)
			return true
		}
	}
	return false
}

const dateForms = 3

// read reads a date in one of the forms.
func (r *dateReader) read(form int) time.Time {
	switch form { // calls by name: the reader stays on the stack
	case 0:
		return imfDate(r)
	case 1:
		return rfc850Date(r)
	}
	return asctimeDate(r)
}

func imfDate(r *dateReader) time.Time {
	r.oneOf(dayNames)
	r.expect(", ")
	day := r.digits(2)
	r.expect(" ")
	month := r.oneOf(monthNames)
	r.expect(" ")
	year := r.digits(4)
	r.expect(" ")
	h, m, s := r.clock()
	r.expect(" GMT")
	return time.Date(year, time.Month(month+1), day, h, m, s, 0, time.UTC)
}

// rfc850Date takes two-digit years up to 60 for those of this century; four digits are fine too.
func rfc850Date(r *dateReader) time.Time {
	r.oneOf(longDayNames)
	r.expect(", ")
	day := r.digits(2)
	r.expect("-")
	month := r.oneOf(monthNames)
	r.expect("-")
	year := r.digits(2)
	switch {
	case len(r.text) > 0 && r.text[0] != ' ':
		year = year*100 + r.digits(2)
	case year <= 60:
		year += 2000
	default:
		year += 1900
	}
	r.expect(" ")
	h, m, s := r.clock()
	r.expect(" GMT")
	return time.Date(year, time.Month(month+1), day, h, m, s, 0, time.UTC)
}

func asctimeDate(r *dateReader) time.Time {
	r.oneOf(dayNames)
	r.expect(" ")
	month := r.oneOf(monthNames)
	r.expect(" ")
	width := 2
	if len(r.text) > 0 && r.text[0] == ' ' {
		r.expect(" ")
		width = 1
	}
	day := r.digits(width)
	r.expect(" ")
	h, m, s := r.clock()
	r.expect(" ")
	year := r.digits(4)
	return time.Date(year, time.Month(month+1), day, h, m, s, 0, time.UTC)
}
