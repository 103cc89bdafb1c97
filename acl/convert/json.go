package convert

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"

	"hapax/acl/sample"
)

var jsonRows = []sample.Converter{
	{Doc: doc("json", "the string escaped for use between the quotes of a JSON string", args(text("encoding")),
		`str('a"b/c'),json(utf8)`, `a\"b\/c`),
		Check: checkJSON, In: sample.Str, Out: sample.Str, Eval: escapeJSON},
	{Doc: doc("json_query", "the value that a path finds in a JSON text", args(text("path"), opt(text("type"))),
		`str('{"a":{"b":[1,"x"]}}'),json_query('$.a.b[1]')`, "x", `str('{"a":1.5}'),json_query('$.a')`, "1.5",
		`str('{"a":7}'),json_query('$.a','int'),add(1)`, "8"),
		Check: checkJSONQuery, In: sample.Str, Out: sample.Any, Eval: queryJSON},
}

// jsonInput says how the bytes of a string are read, by the letters of the encoding's name.
type jsonInput struct {
	utf8   bool
	skip   bool // s: what is invalid is left out, instead of giving no value
	permit bool // p: overlong sequences pass
}

var jsonInputs = map[string]jsonInput{
	"": {}, "ascii": {}, "utf8": {utf8: true}, "utf8s": {utf8: true, skip: true},
	"utf8p": {utf8: true, permit: true}, "utf8ps": {utf8: true, skip: true, permit: true},
}

func checkJSON(_ *sample.Compiler, a []sample.Arg) error {
	in, ok := jsonInputs[a[0].Str]
	if !ok {
		return errors.New("Unexpected input code type. Allowed value are 'ascii', 'utf8', 'utf8s', 'utf8p' and 'utf8ps'")
	}
	a[0].Data = in
	return nil
}

func escapeJSON(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	mode := a[0].Data.(jsonInput)
	out := ctx.Scratch.Room()
	for in := v.Bytes; len(in) > 0; {
		c, n := rune(in[0]), 1
		if mode.utf8 {
			var fault utf8Fault
			c, n, fault = nextRune(in)
			if fault&(outOfRange|badSequence) != 0 || fault != 0 && !mode.permit || c > 0xffff {
				if !mode.skip {
					return false
				}
				in = in[n:]
				continue
			}
		}
		in = in[n:]
		if len(out)+6 > cap(out) {
			return false
		}
		switch c {
		case '"', '\\', '/':
			out = append(out, '\\', byte(c))
		case '\b':
			out = append(out, '\\', 'b')
		case '\f':
			out = append(out, '\\', 'f')
		case '\r':
			out = append(out, '\\', 'r')
		case '\n':
			out = append(out, '\\', 'n')
		case '\t':
			out = append(out, '\\', 't')
		default:
			if c >= ' ' && c < 0x7f {
				out = append(out, byte(c))
				continue
			}
			out = append(out, '\\', 'u', lowerHex[c>>12&15], lowerHex[c>>8&15], lowerHex[c>>4&15], lowerHex[c&15])
		}
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

const lowerHex = "0123456789abcdef"

// utf8Fault tells what is wrong with a sequence of UTF-8.
type utf8Fault uint8

const (
	overlong    utf8Fault = 1 << iota // longer than the code point needs
	outOfRange                        // a surrogate, or one of the two last points of the first plane
	badSequence                       // not a sequence at all
)

// nextRune reads one code point of up to six bytes and tells how many it took; a broken sequence ends
// before the byte that breaks it.
func nextRune(b []byte) (c rune, n int, fault utf8Fault) {
	first := b[0]
	switch {
	case first < 0x80:
		return rune(first), 1, 0
	case first >= 0xc0 && first < 0xe0:
		n, c = 2, rune(first&0x1f)
	case first >= 0xe0 && first < 0xf0:
		n, c = 3, rune(first&0x0f)
	case first >= 0xf0 && first < 0xf8:
		n, c = 4, rune(first&0x07)
	case first >= 0xf8 && first < 0xfc:
		n, c = 5, rune(first&0x03)
	case first >= 0xfc && first < 0xfe:
		n, c = 6, rune(first&0x01)
	default:
		return rune(first), 1, badSequence
	}
	for i := 1; i < n; i++ {
		if i == len(b) || b[i]&0xc0 != 0x80 {
			return c, i, badSequence
		}
		c = c<<6 | rune(b[i]&0x3f)
	}
	least := [...]rune{2: 0x80, 3: 0x800, 4: 0x10000, 5: 0x200000, 6: 0x4000000}
	if c < least[n] {
		fault |= overlong
	}
	if c >= 0xd800 && c <= 0xdfff || c == 0xfffe || c == 0xffff {
		fault |= outOfRange
	}
	return c, n, fault
}

func checkJSONQuery(_ *sample.Compiler, a []sample.Arg) error {
	if a[0].Str == "" {
		return errors.New("json_path must not be empty")
	}
	return checkJSONType(&a[1])
}

func checkJSONType(a *sample.Arg) error {
	if a.Str != "" && a.Str != "int" {
		return errors.New("output_type only supports \"int\" as argument")
	}
	return nil
}

// maxJSONInt is the largest integer that all implementations of JSON agree on (RFC 7159, section 6).
const maxJSONInt = 1<<53 - 1

func queryJSON(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	found, kind := findJSON(v.Bytes, a[0].Str)
	switch kind {
	case jsonTrue, jsonFalse:
		v.SetBool(kind == jsonTrue)
		return true
	case jsonNumber:
		if a[1].Str == "int" {
			n, ok := cInteger(found)
			v.SetInt(n)
			return ok && n <= maxJSONInt && n >= -maxJSONInt
		}
		v.SetStr(ctx.Scratch.Take(appendShort(ctx.Scratch.Room(), jsonFloat(found))))
		return true
	case jsonString:
		out, ok := unescapeJSON(ctx.Scratch.Room(), found[1:len(found)-1])
		if !ok || len(out) >= cap(out) {
			return false
		}
		v.SetStr(ctx.Scratch.Take(out))
		return true
	case jsonArray:
		return setText(ctx, v, found)
	}
	return false
}

// jsonFloat reads a number. An exponent without digits, or nothing but a sign, counts as 0.
func jsonFloat(b []byte) float64 {
	f, _ := strconv.ParseFloat(strings.TrimRight(string(b), "eE+-"), 64)
	return f
}

// appendShort writes a number with six significant digits, as "%g" does.
func appendShort(dst []byte, f float64) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	return strconv.AppendFloat(dst, f, 'g', 6, 64)
}

// cInteger reads the integer at the start of a number the way C does: 0 leads an octal one.
func cInteger(b []byte) (int64, bool) {
	digits := bytes.TrimPrefix(b, []byte{'-'})
	if len(digits) < 2 || digits[0] != '0' {
		n, _ := sample.ReadInt(b)
		return n, true
	}
	n := int64(0)
	for _, c := range digits[1:] {
		if c < '0' || c > '7' {
			break
		}
		if n = n<<3 | int64(c-'0'); n > maxJSONInt {
			return n, true
		}
	}
	if len(digits) < len(b) {
		n = -n
	}
	return n, true
}

// unescapeJSON resolves the escapes of a string; those of code points above 255 cannot be.
func unescapeJSON(dst, b []byte) ([]byte, bool) {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			dst = append(dst, b[i])
			continue
		}
		if b[i+1] == 'u' && i+5 < len(b) {
			if b[i+2] != '0' || b[i+3] != '0' {
				return dst, false
			}
			hi, _ := hexDigit(b[i+4])
			lo, _ := hexDigit(b[i+5])
			dst = append(dst, hi<<4|lo)
			i += 5
			continue
		}
		at := strings.IndexByte(`bfnrt\"`, b[i+1])
		if at < 0 {
			return dst, false
		}
		dst = append(dst, "\b\f\n\r\t\\\""[at])
		i++
	}
	return dst, true
}

// jsonKind is what a token of JSON, or a found value, is.
type jsonKind uint8

const (
	jsonNone jsonKind = iota
	jsonString
	jsonNumber
	jsonTrue
	jsonFalse
	jsonNull
	jsonObject
	jsonArray
)

// jsonSearch follows a path such as $.a.b[1] through the tokens of a text. Depths count open objects
// and arrays; path[at:] is what remains to be found.
type jsonSearch struct {
	path     string
	at       int
	depth    int // of the token
	matched  int // how many steps of the path are behind us
	index    int // in the array that the current step counts
	want     int
	from     int // where the object or array that the path names starts, -1 before
	value    []byte
	kind     jsonKind
	finished bool
}

// findJSON gives the first value that the path names. What follows it is not looked at.
func findJSON(text []byte, path string) ([]byte, jsonKind) {
	if !strings.HasPrefix(path, "$") {
		return nil, jsonNone
	}
	s := jsonSearch{path: path, at: 1, from: -1}
	s.scan(text)
	return s.value, s.kind
}

func (s *jsonSearch) left() byte {
	if s.at < len(s.path) {
		return s.path[s.at]
	}
	return 0
}

// maxJSONDepth is how deep objects and arrays may nest.
const maxJSONDepth = 20

// scan reads the text token by token until the value is found, cannot be any more, or the text is
// broken.
func (s *jsonSearch) scan(text []byte) {
	const value, key, colon, comma = 0, 1, 2, 3
	var nest [maxJSONDepth]byte
	depth, expect := 0, value
	for i := 0; i < len(text) && !s.finished; i++ {
		c := text[i]
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			continue
		}
		closing := false
		switch expect {
		case value:
			switch {
			case c == '{' || c == '[':
				if depth == len(nest) {
					return
				}
				nest[depth] = c
				depth++
				if c == '{' {
					expect = key
				}
				s.open(c, i)
				continue
			case c == ']' && depth > 0:
				closing = true
			default:
				kind, n := jsonScalar(text[i:])
				if kind != jsonNone {
					s.scalar(kind, text[i:i+n])
				}
				if n == 0 || depth == 0 {
					return
				}
				i += n - 1
				expect = comma
				continue
			}
		case key:
			switch c {
			case '"':
				n := jsonStringEnd(text[i:])
				if n == 0 {
					return
				}
				s.key(text[i+1 : i+n-1])
				i += n - 1
				expect = colon
				continue
			case '}':
				closing = true
			default:
				return
			}
		case colon:
			if c != ':' {
				return
			}
			expect = value
			continue
		case comma:
			if depth == 0 {
				return
			}
			if c == ',' {
				expect = value
				if nest[depth-1] == '{' {
					expect = key
				}
				s.comma()
				continue
			}
			closing = c == ']' || c == '}'
		}
		if !closing || c != nest[depth-1]+2 {
			return
		}
		depth--
		s.close(c, text, i)
		if depth == 0 {
			return
		}
		expect = comma
	}
}

// jsonScalar tells what starts b and how long it is, jsonNone for nothing known. A number may be but a sign, of
// length 0: it can be found, but nothing can follow.
func jsonScalar(b []byte) (jsonKind, int) {
	switch c := b[0]; {
	case bytes.HasPrefix(b, []byte("true")):
		return jsonTrue, 4
	case bytes.HasPrefix(b, []byte("false")):
		return jsonFalse, 5
	case bytes.HasPrefix(b, []byte("null")):
		return jsonNull, 4
	case c == '"':
		if n := jsonStringEnd(b); n > 0 {
			return jsonString, n
		}
	case c == '-' || c-'0' <= 9:
		return jsonNumber, jsonNumberEnd(b)
	}
	return jsonNone, 0
}

// jsonStringEnd is the length of the string that starts b, quotes included, 0 for one without end.
func jsonStringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			if i+1 < len(b) && (b[i+1] == '"' || b[i+1] == '\\') {
				i++
			}
		case 0:
			return 0
		case '"':
			return i + 1
		}
	}
	return 0
}

func jsonNumberEnd(b []byte) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(b) && b[i]-'0' <= 9 {
			i++
		}
		return i > from
	}
	if b[0] == '-' {
		i++
	}
	if !digits() && !(i < len(b) && b[i] == '.') {
		return 0
	}
	if i < len(b) && b[i] == '.' {
		i++
		digits()
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		digits()
	}
	return i
}

func (s *jsonSearch) open(c byte, i int) {
	if c == '[' && s.depth == s.matched && s.left() == '[' {
		n, _ := sample.ReadInt(s.path[s.at+1:])
		s.index, s.want = 0, int(n)
		if s.want == 0 {
			s.matched++
			s.at += len("[0]")
		}
	}
	if s.at >= len(s.path) && s.depth == s.matched {
		s.from = i
	}
	s.depth++
}

func (s *jsonSearch) comma() {
	if s.depth != s.matched+1 {
		return
	}
	s.index++
	if s.index == s.want {
		if end := strings.IndexByte(s.path[min(s.at, len(s.path)):], ']'); end >= 0 {
			s.at += end + 1
			s.matched++
		}
	}
}

func (s *jsonSearch) key(name []byte) {
	if s.depth == s.matched {
		s.finished = true // the object that the path led to has no such key
		return
	}
	if s.depth != s.matched+1 || s.left() != '.' {
		return
	}
	if n, same := matchKey(s.path[s.at+1:], name); same {
		s.matched++
		s.at += 1 + n
	}
}

// matchKey compares the next step of a path, in which a backslash takes the special meaning from the
// character after it, and tells how long the step is.
func matchKey(path string, name []byte) (n int, same bool) {
	same = true
	at := 0
	for n < len(path) && path[n] != '.' && path[n] != '[' {
		if path[n] == '\\' && n+1 < len(path) {
			n++
		}
		if at >= len(name) || name[at] != path[n] {
			same = false
		}
		at++
		n++
	}
	return n, same && at == len(name)
}

func (s *jsonSearch) close(c byte, text []byte, i int) {
	s.depth--
	if s.at < len(s.path) || s.depth != s.matched || s.from < 0 {
		return
	}
	s.kind = jsonArray
	if c == '}' {
		s.kind = jsonObject
	}
	s.value, s.finished = text[s.from:i+1], true
}

func (s *jsonSearch) scalar(kind jsonKind, b []byte) {
	if s.depth == s.matched && s.at >= len(s.path) {
		s.value, s.kind, s.finished = b, kind, true
	}
}
