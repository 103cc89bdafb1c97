package convert

import (
	"bytes"
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var urlRows = []sample.Converter{
	{Doc: doc("url_dec", "the string with its percent sequences resolved", args(
		opt(keyword.Arg{Name: "in_form", Type: keyword.Int, Doc: "not 0: a plus is a space before the question mark too"})),
		"str(/a%20b+c?d+e),url_dec", "/a b+c?d e", "str(a+b),url_dec(1)", "a b"),
		In: sample.Str, Out: sample.Str, Eval: urlDecode},
	{Doc: doc("url_enc", "the string with all but unreserved characters as percent sequences",
		args(keyword.Arg{Name: "type", Type: keyword.Str, Doc: "query"}), "str(a b/c~),url_enc", "a%20b%2Fc~"),
		Check: func(_ *sample.Compiler, a []sample.Arg) error {
			if a[0].Str != "" && a[0].Str != "query" {
				return errors.New("Unexpected encode type. Allowed value is 'query'")
			}
			return nil
		},
		In: sample.Str, Out: sample.Str, Eval: urlEncode},
}

// urlDecode takes a plus for a space behind a question mark, where forms are.
func urlDecode(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	in := v.Bytes
	if i := bytes.IndexByte(in, 0); i >= 0 {
		in = in[:i]
	}
	form := a[0].Int != 0
	out := ctx.Scratch.Alloc(len(in))
	if out == nil {
		return false
	}
	n := 0
	for i := 0; i < len(in); i++ {
		c := in[i]
		switch c {
		case '+':
			if form {
				c = ' '
			}
		case '%':
			if i+2 >= len(in) {
				return false
			}
			hi, ok1 := hexDigit(in[i+1])
			lo, ok2 := hexDigit(in[i+2])
			if !ok1 || !ok2 {
				return false
			}
			c = hi<<4 | lo
			i += 2
		case '?':
			form = true
		}
		out[n] = c
		n++
	}
	v.SetStr(out[:n])
	return true
}

func urlEncode(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	out := ctx.Scratch.Room()
	for _, c := range v.Bytes {
		if len(out)+3 > cap(out) {
			return false
		}
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			out = append(out, c)
		} else {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}
