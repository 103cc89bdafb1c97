package logformat

import (
	"net/netip"
	"strconv"
)

// byteSet is a set of byte values.
type byteSet [256]bool

func setOf(special string, in func(c int) bool) (set byteSet) {
	for c := range set {
		set[c] = in(c)
	}
	for i := range len(special) {
		set[special[i]] = true
	}
	return set
}

// Which bytes are not written as they are: in requests and in captured headers of logs, in HTTP messages, in
// structured data, and in JSON strings.
var (
	urlUnsafe     = setOf(`"#`, unprintable)
	headerUnsafe  = setOf(`"#{|}`, unprintable)
	httpUnsafe    = setOf("", func(c int) bool { return c < 32 && c != '\t' || c == 127 })
	structUnsafe  = setOf(`"\]`, func(int) bool { return false })
	jsonUnsafe    = setOf(`"\`, func(int) bool { return false })
	nothingUnsafe byteSet
)

func unprintable(c int) bool { return c < 32 || c >= 127 }

const upperHex = "0123456789ABCDEF"

// bytesOrString is what texts come as.
type bytesOrString interface{ ~string | ~[]byte }

// AppendText writes a text item: quoted, escaped and encoded as the flags say. It ends at a NUL, and an empty
// one is "-" with Mandatory.
func AppendText[T bytesOrString](dst []byte, s T, f Flags) []byte {
	if f&(Quote|JSON) != 0 {
		return append(appendPlain(append(dst, '"'), s, f), '"')
	}
	start := len(dst)
	dst = appendPlain(dst, s, f)
	if len(dst) == start && f&CBOR == 0 && f&Mandatory != 0 {
		dst = append(dst, '-')
	}
	return dst
}

// AppendPlain is AppendText for what is never quoted or missing: dates, states, names of protocols. JSON quotes
// it all the same.
func AppendPlain[T bytesOrString](dst []byte, s T, f Flags) []byte {
	if f&InText == 0 && f&JSON != 0 {
		return append(appendPlain(append(dst, '"'), s, f), '"')
	}
	return appendPlain(dst, s, f)
}

func appendPlain[T bytesOrString](dst []byte, s T, f Flags) []byte {
	for i := range len(s) {
		if s[i] == 0 {
			s = s[:i]
			break
		}
	}
	if len(s) == 0 {
		return dst
	}
	set := &structUnsafe
	switch {
	case f&JSON != 0:
		set = &jsonUnsafe
	case f&CBOR != 0:
		return appendChunk(dst, cborText, s, f)
	case f&Escape == 0:
		return append(dst, s...)
	}
	for i := range len(s) {
		if set[s[i]] {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return dst
}

// BeginText starts a text that is made of several pieces; those are appended with InText among the flags, and
// EndText ends it.
func BeginText(dst []byte, f Flags) []byte {
	switch {
	case f&CBOR != 0:
		return cborByte(dst, cborText|cborOpen, f)
	case f&(Quote|JSON) != 0:
		return append(dst, '"')
	}
	return dst
}

// EndText ends what BeginText began.
func EndText(dst []byte, f Flags) []byte {
	switch {
	case f&CBOR != 0:
		return cborByte(dst, cborBreak, f)
	case f&(Quote|JSON) != 0:
		return append(dst, '"')
	}
	return dst
}

// AppendByte writes one byte of a text begun with BeginText.
func AppendByte(dst []byte, c byte, f Flags) []byte {
	if f&CBOR != 0 && f&InText != 0 {
		return cborByte(cborByte(dst, cborText|1, f), c, f)
	}
	return append(dst, c)
}

// AppendMark writes a byte that is no part of the value, such as the '+' of a counter that still runs. Encoded
// values go without.
func AppendMark(dst []byte, c byte, f Flags) []byte {
	if f&encode != 0 {
		return dst
	}
	return append(dst, c)
}

// AppendRequest writes bytes of a request: what is not printable, '"' and '#' become #XX.
func AppendRequest[T bytesOrString](dst []byte, s T, f Flags) []byte {
	return appendEscaped(dst, s, '#', &urlUnsafe, f)
}

// AppendHeader writes bytes of a captured header: '{', '|' and '}' become #XX too.
func AppendHeader[T bytesOrString](dst []byte, s T, f Flags) []byte {
	return appendEscaped(dst, s, '#', &headerUnsafe, f)
}

// appendBinary writes bytes as they are, as far as the encoding allows.
func appendBinary(dst, b []byte, f Flags) []byte {
	return appendEscaped(dst, b, 0, &nothingUnsafe, f)
}

// appendEscaped writes the bytes of set as mark and two hexadecimal digits, and escapes what the flags demand.
func appendEscaped[T bytesOrString](dst []byte, s T, mark byte, set *byteSet, f Flags) []byte {
	if f&CBOR != 0 {
		return appendChunks(dst, s, mark, set, f)
	}
	quoted := &nothingUnsafe
	switch {
	case f&JSON != 0:
		quoted = &jsonUnsafe
	case f&Escape != 0:
		quoted = &structUnsafe
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case set[c]:
			dst = append(dst, mark, upperHex[c>>4], upperHex[c&15])
		case quoted[c]:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// AppendInt writes a number.
func AppendInt(dst []byte, n int64, f Flags) []byte {
	switch {
	case f&encode != 0 && f&AsBool != 0:
		return AppendBool(dst, n != 0, f)
	case f&CBOR != 0:
		return cborInt(dst, n, f)
	case f&JSON != 0 && f&AsStr != 0:
		return append(strconv.AppendInt(append(dst, '"'), n, 10), '"')
	}
	return strconv.AppendInt(dst, n, 10)
}

// AppendPadded writes a number of at least width digits; encoded ones are not padded.
func AppendPadded(dst []byte, n int64, width int, f Flags) []byte {
	if f&encode != 0 {
		return AppendInt(dst, n, f)
	}
	for limit := int64(10); width > 1; width-- {
		if n < limit {
			dst = append(dst, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(dst, n, 10)
}

// AppendHex writes a number as hexadecimal digits without a prefix, as +X demands of counters and times.
func AppendHex(dst []byte, n uint64, width int, f Flags) []byte {
	var b [16]byte
	i := len(b)
	for ; n > 0 || i == len(b) || len(b)-i < width; n >>= 4 {
		i--
		b[i] = upperHex[n&15]
	}
	return AppendPlain(dst, b[i:], f)
}

// AppendBool writes a boolean, which only encoded lines know as a type of its own.
func AppendBool(dst []byte, b bool, f Flags) []byte {
	switch {
	case f&CBOR != 0 && b:
		return cborByte(dst, cborTrue, f)
	case f&CBOR != 0:
		return cborByte(dst, cborFalse, f)
	}
	return strconv.AppendBool(dst, b)
}

// AppendIP writes an address; an invalid one is missing.
func AppendIP(dst []byte, a netip.Addr, f Flags) []byte {
	if !a.IsValid() {
		return AppendText(dst, "", f)
	}
	if f&Hexa == 0 {
		var b [64]byte
		return AppendText(dst, a.AppendTo(b[:0]), f)
	}
	raw := a.As16()
	from := 0
	if a.Is4() {
		from = 12
	}
	var b [32]byte
	n := 0
	for _, c := range raw[from:] {
		b[n], b[n+1] = upperHex[c>>4], upperHex[c&15]
		n += 2
	}
	return AppendPlain(dst, b[:n], f)
}

// AppendPort writes the port of an address.
func AppendPort(dst []byte, port uint16, f Flags) []byte {
	if f&Hexa == 0 {
		return AppendInt(dst, int64(port), f)
	}
	return AppendHex(dst, uint64(port), 4, f)
}

// BeginArray starts a list of texts, NextInArray separates them, EndArray ends it.
func BeginArray(dst []byte, f Flags) []byte {
	switch {
	case f&JSON != 0:
		return append(dst, '[')
	case f&CBOR != 0:
		return cborByte(dst, cborArray|cborOpen, f)
	}
	return dst
}

// NextInArray stands between two texts of a list.
func NextInArray(dst []byte, f Flags) []byte {
	switch {
	case f&JSON != 0:
		return append(dst, ", "...)
	case f&CBOR != 0:
		return dst
	}
	return append(dst, ' ')
}

// EndArray ends what BeginArray began.
func EndArray(dst []byte, f Flags) []byte {
	switch {
	case f&JSON != 0:
		return append(dst, ']')
	case f&CBOR != 0:
		return cborByte(dst, cborBreak, f)
	}
	return dst
}

// beginMap, appendKey, appendNull and endMap make an encoded line: one map of names and values.
func beginMap(dst []byte, f Flags) []byte {
	switch {
	case f&JSON != 0:
		return append(dst, '{')
	case f&CBOR != 0:
		return cborByte(dst, cborMap|cborOpen, f)
	}
	return dst
}

func appendKey(dst []byte, name string, first bool, f Flags) []byte {
	if f&CBOR != 0 {
		return appendChunk(dst, cborText, name, f)
	}
	if !first {
		dst = append(dst, ", "...)
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	return append(dst, `": `...)
}

func appendNull(dst []byte, f Flags) []byte {
	switch {
	case f&JSON != 0:
		return append(dst, "null"...)
	case f&CBOR != 0:
		return cborByte(dst, cborNull, f)
	}
	return dst
}

func endMap(dst []byte, f Flags) []byte {
	switch {
	case f&JSON != 0:
		return append(dst, '}')
	case f&CBOR != 0:
		return cborByte(dst, cborBreak, f)
	}
	return dst
}
