package fetch

import (
	"bytes"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

var parameterArgs = args(
	opt(keyword.Arg{Name: "name", Type: keyword.Str, Doc: "of the parameter; empty for any"}),
	opt(keyword.Arg{Name: "delim", Type: keyword.Str, Default: "?", Doc: "what the parameters begin behind"}),
	opt(keyword.Arg{Name: "options", Type: keyword.Str, Doc: "i: the case of the name does not count"}))

const formRequest = "POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\na=1&b=two&A"

var parameterRows = []sample.Fetch{
	{Doc: doc("url_param", "7.3.6", "the value of a parameter of the query", parameterArgs, "url_param(y)", getExample, "2"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: urlParameter},
	{Doc: doc("urlp", "7.3.6", "the value of a parameter of the query", parameterArgs, "urlp(X,,i)", getExample, "1"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: urlParameter},
	{Doc: doc("urlp_val", "7.3.6", "the value of a parameter of the query as an integer", parameterArgs, "urlp_val(y)", getExample, "2"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqHeaders, Eval: urlParameterInt},
	{Doc: doc("req.body_param", "7.3.6", "the value of a parameter of a form in the body", args(parameterArgs[0], parameterArgs[2]),
		"req.body_param(b)", formRequest, "two"),
		Dir: sample.Request, Out: sample.Bin, From: sample.ReqHeaders, Eval: bodyParameter},
}

// ends tells whether a byte ends a parameter.
func ends(c, delim byte) bool { return c == '&' || c == ';' || c == delim }

// parameter finds the next parameter of a name from offset at on, or of any name when it is empty. It gives the
// offsets of the value.
func parameter(b []byte, at int, name string, delim byte, fold bool) (from, to int, ok bool) {
	if name == "" {
		i := bytes.IndexByte(b[at:], '=')
		if i < 0 {
			return 0, 0, false
		}
		from = at + i + 1
	} else if from = findName(b, at, name, delim, fold); from < 0 {
		return 0, 0, false
	}
	for to = from; to < len(b) && !ends(b[to], delim); to++ {
	}
	return from, to, true
}

// findName gives the offset behind "name=", -1 when no parameter begins with it.
func findName(b []byte, at int, name string, delim byte, fold bool) int {
	n := len(name)
	for at < len(b) {
		if at+n >= len(b) {
			return -1
		}
		if b[at+n] == '=' {
			got := b[at : at+n]
			if string(got) == name || fold && message.EqualFold(got, name) {
				return at + n + 1
			}
			at += n + 1
		}
		for at < len(b) && !ends(b[at], delim) {
			at++
		}
		at++
	}
	return -1
}

// occurrenceIn gives a parameter of b. An ACL takes them one by one: the cursor then stands at the end of the
// last value.
func occurrenceIn(ctx *sample.Context, b []byte, name string, delim byte, fold bool, out *sample.Value) ([]byte, bool) {
	at := 0
	if ctx.Iter.On {
		at = int(ctx.Iter.At)
	}
	from, to, ok := parameter(b, at, name, delim, fold)
	if !ok {
		return nil, false
	}
	if ctx.Iter.On && to < len(b) {
		ctx.Iter.At = int32(to)
		out.Flags |= sample.NotLast
	}
	return b[from:to], true
}

func findURLParameter(ctx *sample.Context, a []sample.Arg, out *sample.Value) ([]byte, bool) {
	m, ok := request(ctx, out)
	if !ok {
		return nil, false
	}
	delim := byte('?')
	if a[1].Str != "" {
		delim = a[1].Str[0]
	}
	uri := m.URI()
	i := bytes.IndexByte(uri, delim)
	if i < 0 {
		return nil, false
	}
	return occurrenceIn(ctx, uri[i+1:], a[0].Str, delim, strings.HasPrefix(a[2].Str, "i"), out)
}

func urlParameter(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := findURLParameter(ctx, a, out)
	if ok {
		out.SetConst(v)
	}
	return ok
}

func urlParameterInt(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := findURLParameter(ctx, a, out)
	if ok {
		out.SetInt(int64(leadingInt(v)))
	}
	return ok
}

func bodyParameter(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	if _, ok := request(ctx, out); !ok {
		return false
	}
	v, ok := occurrenceIn(ctx, bodyData(ctx, &ctx.ReqBody), a[0].Str, '&', strings.HasPrefix(a[1].Str, "i"), out)
	if ok {
		out.SetConst(v)
	}
	return ok
}
