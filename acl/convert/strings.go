package convert

import (
	"bytes"
	"errors"
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var stringRows = []sample.Converter{
	{Doc: doc("lower", "ASCII letters in lower case", nil, "str(ABC-xyz),lower", "abc-xyz"),
		In: sample.Str, Out: sample.Str, Eval: lower},
	{Doc: doc("upper", "ASCII letters in upper case", nil, "str(abc-XYZ),upper", "ABC-XYZ"),
		In: sample.Str, Out: sample.Str, Eval: upper},
	{Doc: doc("length", "number of bytes", nil, "str(hello),length", "5"),
		In: sample.Str, Out: sample.Int, Eval: length},
	{Doc: doc("reverse", "the bytes in reverse order", nil, "str(abc),reverse", "cba"),
		In: sample.Str, Out: sample.Str, Eval: reverse},
	{Doc: doc("reverse_dom", "the labels of a domain name in reverse order; none if one is empty", nil,
		"str(www.example.com),reverse_dom", "com.example.www", "str(a.b.),reverse_dom", "b.a"),
		In: sample.Str, Out: sample.Str, Eval: reverseDomain},
	{Doc: doc("concat", "the string followed by a text, a variable and another text",
		args(text("start"), opt(variable("var")), opt(text("end"))),
		"str(a),concat(<,,>)", "a<>", "str(b),concat(-x)", "b-x"),
		Check: checkConcat, In: sample.Str, Out: sample.Str, Eval: concat},
	{Doc: doc("add_item", "a variable and a suffix appended to the string, behind a delimiter unless it is empty",
		args(text("delim"), variable("var"), opt(text("suffix"))),
		`str(a),add_item(";",,b)`, "a;b", `str(),add_item(";",,b)`, "b"),
		Check: checkAddItem, In: sample.Str, Out: sample.Str, Eval: addItem},
	{Doc: doc("ltrim", "without the leading characters of a set", args(text("chars")), `str(//a/),ltrim(/)`, "a/"),
		In: sample.Str, Out: sample.Str, Eval: ltrim},
	{Doc: doc("rtrim", "without the trailing characters of a set", args(text("chars")), `str(//a//),rtrim(/)`, "//a"),
		In: sample.Str, Out: sample.Str, Eval: rtrim},
	{Doc: doc("cut_crlf", "what stands before the first carriage return or line feed", nil, `bin(61620d0a63),cut_crlf`, "ab"),
		In: sample.Str, Out: sample.Str, Eval: cutLine},
	{Doc: doc("regsub", "matches of a regular expression replaced", args(
		keyword.Arg{Name: "regex", Type: keyword.Regex}, text("subst"),
		opt(keyword.Arg{Name: "flags", Type: keyword.Str, Doc: "g: all matches; i: ignore case"})),
		`str(/a//b),regsub(/+,-,g)`, "-a-b", `str(abc),regsub('(.)(.)','\2\1')`, "bac"),
		Check: checkRegsub, In: sample.Str, Out: sample.Str, Eval: regsub},
	{Doc: doc("strcmp", "0 when equal to the string in a variable, else the sign of the difference", args(variable("var")),
		"str(a),set-var(txn.x),strcmp(txn.x)", "0"),
		Check: checkCompare, In: sample.Str, Out: sample.Int, Eval: compare},
	{Doc: doc("host_only", "the host of a Host header, in lower case and without port", nil,
		"str(WWW.Example.com:80),host_only", "www.example.com", "str([::1]:443),host_only", "[::1]"),
		In: sample.Str, Out: sample.Str, Eval: hostOnly},
	{Doc: doc("port_only", "the port of a Host header, 0 without one", nil,
		"str(example.com:8080),port_only", "8080", "str(example.com),port_only", "0"),
		In: sample.Str, Out: sample.Int, Eval: portOnly},
	{Doc: doc("iif", "one of two texts, by a boolean", args(text("true"), text("false")),
		"bool(true),iif(yes,no)", "yes", "int(0),iif(yes,no)", "no"),
		In: sample.Bool, Out: sample.Str, Eval: choose},
	{Doc: doc("language", "the entry of a list that an Accept-Language header prefers", args(
		keyword.Arg{Name: "list", Type: keyword.Str, Doc: "separated by semicolons"}, opt(text("default"))),
		`str('fr;q=0.8, en;q=0.9'),language('en;fr')`, "en", `str(de),language('en;fr',en)`, "en"),
		In: sample.Str, Out: sample.Str, Eval: language},
}

func lower(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	for i, c := range v.Bytes {
		if c >= 'A' && c <= 'Z' {
			if !v.Own(ctx) {
				return false
			}
			lowerASCII(v.Bytes[i:])
			break
		}
	}
	return true
}

func lowerASCII(b []byte) {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

func upper(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	if !v.Own(ctx) {
		return false
	}
	for i, c := range v.Bytes {
		if c >= 'a' && c <= 'z' {
			v.Bytes[i] = c - 'a' + 'A'
		}
	}
	return true
}

func length(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	v.SetInt(int64(len(v.Bytes)))
	return true
}

func reverse(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	n := len(v.Bytes)
	out := ctx.Scratch.Alloc(n)
	if out == nil {
		return false
	}
	for i, c := range v.Bytes {
		out[n-1-i] = c
	}
	v.SetStr(out)
	return true
}

func reverseDomain(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	name := bytes.TrimSuffix(v.Bytes, []byte{'.'})
	if len(name) == 0 {
		return false
	}
	out := ctx.Scratch.Alloc(len(name))
	if out == nil {
		return false
	}
	at := len(name)
	for rest, more := name, true; more; {
		var label []byte
		label, rest, more = bytes.Cut(rest, []byte{'.'})
		if len(label) == 0 {
			return false
		}
		at -= len(label)
		copy(out[at:], label)
		if more {
			at--
			out[at] = '.'
		}
	}
	v.SetStr(out)
	return true
}

func checkConcat(c *sample.Compiler, a []sample.Arg) error {
	if a[1].Str == "" {
		return nil
	}
	return checkVariable(c, &a[1])
}

func concat(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	var middle []byte
	if a[1].Type == keyword.Var {
		middle, _ = varText(ctx, a[1].Var)
	}
	return join(ctx, v, a[0].Str, middle, a[2].Str)
}

// join appends three pieces to the string; what does not fit in a buffer is cut off.
func join(ctx *sample.Context, v *sample.Value, first string, middle []byte, last string) bool {
	out := ctx.Scratch.Room()
	most := cap(out) - 1
	out = append(out, v.Bytes[:min(len(v.Bytes), most)]...)
	out = append(out, first[:min(len(first), most-len(out))]...)
	out = append(out, middle[:min(len(middle), most-len(out))]...)
	out = append(out, last[:min(len(last), most-len(out))]...)
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

func checkAddItem(c *sample.Compiler, a []sample.Arg) error {
	if a[1].Str != "" {
		return checkVariable(c, &a[1])
	}
	if a[2].Str == "" {
		return errors.New("one of the optional arguments has to be nonempty")
	}
	return nil
}

func addItem(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	var item []byte
	if a[1].Type == keyword.Var {
		item, _ = varText(ctx, a[1].Var)
	}
	delim := a[0].Str
	if len(v.Bytes) == 0 || len(item) == 0 && a[2].Str == "" {
		delim = ""
	}
	return join(ctx, v, delim, item, a[2].Str)
}

func ltrim(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	for len(v.Bytes) > 0 && contains(a[0].Str, v.Bytes[0]) {
		v.Bytes = v.Bytes[1:]
	}
	return true
}

func rtrim(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	for len(v.Bytes) > 0 && contains(a[0].Str, v.Bytes[len(v.Bytes)-1]) {
		v.Bytes = v.Bytes[:len(v.Bytes)-1]
	}
	return true
}

func contains(set string, c byte) bool {
	for i := 0; i < len(set); i++ {
		if set[i] == c {
			return true
		}
	}
	return false
}

func cutLine(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	for i, c := range v.Bytes {
		if c == '\r' || c == '\n' {
			v.Bytes = v.Bytes[:i]
			break
		}
	}
	return true
}

// checkRegsub leaves in Int of the flags whether all matches are replaced.
func checkRegsub(_ *sample.Compiler, a []sample.Arg) error {
	for i := 0; i < len(a[2].Str); i++ {
		switch c := a[2].Str[i]; c {
		case 'i':
			a[0].Fold = true
		case 'g':
			a[2].Int = 1
		default:
			return fmt.Errorf("invalid regex flag '%c', only 'i' and 'g' are supported", c)
		}
	}
	return nil
}

func regsub(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	all := a[2].Int != 0
	in := v.Bytes
	out := ctx.Scratch.Room()
	most := cap(out)
	var g sample.Groups
	for first := true; ; first = false {
		if !first && !all || !a[0].Regex.Find(in, first, &g) {
			out = append(out, in...)
			break
		}
		out = append(out, in[:g[0]]...)
		before := len(out)
		var ok bool
		if out, ok = sample.AppendReplacement(out, a[1].Str, in, &g); !ok {
			out = out[:before]
			break
		}
		if len(in) == 0 {
			break
		}
		end := g[1]
		if end == 0 { // an empty match stands before a byte, which is copied
			out = append(out, in[0])
			end = 1
		}
		in = in[end:]
		if len(out) >= most {
			break
		}
	}
	v.SetStr(ctx.Scratch.Take(out[:min(len(out), most)]))
	return true
}

func checkCompare(c *sample.Compiler, a []sample.Arg) error {
	if a[0].Str == "" {
		return errors.New("missing variable name")
	}
	return checkVariable(c, &a[0])
}

// compare gives the difference of the first differing bytes, as strncmp does, and else -1 or 1 by the
// lengths.
func compare(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	other, ok := varText(ctx, a[0].Var)
	if !ok {
		return false
	}
	n := min(len(v.Bytes), len(other))
	for i := range n {
		if d := int64(v.Bytes[i]) - int64(other[i]); d != 0 {
			v.SetInt(d)
			return true
		}
		if v.Bytes[i] == 0 {
			break
		}
	}
	switch {
	case len(v.Bytes) < len(other):
		v.SetInt(-1)
	case len(v.Bytes) > len(other):
		v.SetInt(1)
	default:
		v.SetInt(0)
	}
	return true
}

// portColon is where the port of a host begins with its colon, -1 without one.
func portColon(host []byte) int {
	for i := len(host) - 1; i >= 0; i-- {
		switch host[i] {
		case ':':
			return i
		case ']':
			return -1
		}
	}
	return -1
}

func hostOnly(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	if i := portColon(v.Bytes); i >= 0 {
		v.Bytes = v.Bytes[:i]
	}
	return lower(ctx, nil, v)
}

func portOnly(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	n := uint32(0)
	if i := portColon(v.Bytes); i >= 0 {
		n = rawNumber(v.Bytes[i+1:])
	}
	v.SetInt(int64(n))
	return true
}

// rawNumber reads a number of 32 bits without looking at its characters: what is not a digit counts by
// its distance from 0, and what does not fit wraps around.
func rawNumber(b []byte) uint32 {
	n := uint32(0)
	for _, c := range b {
		n = n*10 + uint32(c) - '0'
	}
	return n
}

func choose(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	chosen := a[1].Str
	if v.Int != 0 {
		chosen = a[0].Str
	}
	return setText(ctx, v, chosen)
}

// setText makes v a copy of a text that is not to be changed.
func setText[T ~string | ~[]byte](ctx *sample.Context, v *sample.Value, s T) bool {
	b := ctx.Scratch.Alloc(len(s))
	if b == nil {
		return false
	}
	copy(b, s)
	v.SetStr(b)
	return true
}

// language walks through the ranges of an Accept-Language header and keeps the best known one.
func language(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	best, quality := "", 0
	for rest, more := v.Bytes, true; more; {
		var item []byte
		item, rest, more = bytes.Cut(rest, []byte{','})
		item = trimLeft(item)
		n := 0
		for n < len(item) && item[n] != ';' && !isSpace(item[n]) {
			n++
		}
		if n == 0 {
			continue
		}
		entry, known := matchRange(a[0].Str, item[:n])
		if !known {
			continue
		}
		q, ok := rangeQuality(item[n:])
		if ok && q > quality {
			best, quality = entry, q
			if q >= 1000 {
				break
			}
		}
	}
	if best == "" && a[1].Present {
		best = a[1].Str
	}
	if best == "" {
		v.Bytes = nil
		return false
	}
	return setText(ctx, v, best)
}

// matchRange finds the entry of a list that a language range names: an equal one, or one that the
// range goes on from with a dash.
func matchRange(list string, name []byte) (string, bool) {
	for start := 0; start <= len(list); {
		end := start
		for end < len(list) && list[end] != ';' {
			end++
		}
		entry := list[start:end]
		if len(name) >= len(entry) && string(name[:len(entry)]) == entry && (len(name) == len(entry) || name[len(entry)] == '-') {
			return entry, true
		}
		start = end + 1
	}
	return "", false
}

// rangeQuality reads ";q=0.8" in thousandths. What is not understood counts as 1; text that is not a
// parameter at all makes the range void.
func rangeQuality(b []byte) (q int, ok bool) {
	b = trimLeft(b)
	if len(b) == 0 {
		return 1000, true
	}
	if b[0] != ';' {
		return 0, false
	}
	b = trimLeft(b[1:])
	if len(b) == 0 || b[0] != 'q' {
		return 1000, true
	}
	b = trimLeft(b[1:])
	if len(b) == 0 || b[0] != '=' {
		return 1000, true
	}
	b = trimLeft(b[1:])
	if len(b) == 0 || b[0]-'0' > 9 {
		return 1000, true
	}
	q = int(b[0]-'0') * 1000
	if len(b) > 1 && b[1] == '.' {
		unit := 100
		for i := 2; i < len(b) && i < 5 && b[i]-'0' <= 9; i++ {
			q += int(b[i]-'0') * unit
			unit /= 10
		}
	}
	return min(q, 1000), true
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}
