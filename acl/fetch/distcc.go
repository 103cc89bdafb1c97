package fetch

import (
	"encoding/binary"
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var distccArgs = args(
	keyword.Arg{Name: "token", Type: keyword.Str, Doc: "four characters, such as ARGC"},
	opt(keyword.Arg{Name: "occ", Type: keyword.Int, Doc: "which of several, counted from 1; the first one without it"}))

// distccExample is the start of a compilation job: its version, two arguments.
const distccExample = "DIST00000001ARGC00000002ARGV00000002ccARGV00000003a.c"

var distccRows = []sample.Fetch{
	{Doc: doc("distcc_body", "7.3.5", "the body of a token in a distcc message", distccArgs, "distcc_body(ARGV,2)", distccExample, "a.c"),
		Check: checkToken, Out: sample.Bin, From: sample.ReqBuffer | sample.ResBuffer, Eval: distccBody},
	{Doc: doc("distcc_param", "7.3.5", "the parameter of a token in a distcc message", distccArgs, "distcc_param(ARGC)", distccExample, "2"),
		Check: checkToken, Out: sample.Int, From: sample.ReqBuffer | sample.ResBuffer, Eval: distccParam},
}

func checkToken(_ *sample.Compiler, a []sample.Arg) error {
	if len(a[0].Str) != 4 {
		return errors.New("token name must be exactly 4 characters")
	}
	a[0].Int = int64(binary.BigEndian.Uint32([]byte(a[0].Str)))
	return nil
}

// distccHead is what a token takes: its name and eight hexadecimal digits.
const distccHead = 12

// bodyless tells whether the parameter of a token is not the length of a body.
func bodyless(token string) bool {
	switch token {
	case "ARGC", "DIST", "NFIL", "STAT", "DONE":
		return true
	}
	return false
}

// distcc finds a token in a message of the distcc protocol. rest is what follows its parameter, size the length
// of its body.
func distcc(ctx *sample.Context, a []sample.Arg, out *sample.Value) (param, size uint32, rest []byte, ok bool) {
	r, ok := raw(ctx)
	if !ok {
		return 0, 0, nil, false
	}
	b := r.Data
	for occ := int64(0); ; {
		if len(b) < distccHead {
			if !r.Full {
				out.Flags |= sample.MayChange
			}
			return 0, 0, nil, false
		}
		param = 0
		for _, c := range b[4:distccHead] {
			digit, ok := hexDigit(c)
			if !ok {
				return 0, 0, nil, false
			}
			param = param<<4 | digit
		}
		if size = param; bodyless(string(b[:4])) {
			size = 0
		}
		token := int64(binary.BigEndian.Uint32(b))
		b = b[distccHead:]
		if token == a[0].Int {
			if occ++; a[1].Int == 0 || a[1].Int == occ {
				return param, size, b, true
			}
		}
		if int64(size) > int64(len(b)) {
			return 0, 0, nil, false
		}
		b = b[size:]
	}
}

func hexDigit(c byte) (uint32, bool) {
	switch {
	case c >= '0' && c <= '9':
		return uint32(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return uint32(c|0x20-'a') + 10, true
	}
	return 0, false
}

func distccParam(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	param, _, _, ok := distcc(ctx, a, out)
	out.SetInt(int64(param))
	return ok
}

// distccBody gives as much of the body as is there, and asks for the rest while it can come.
func distccBody(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	_, size, rest, ok := distcc(ctx, a, out)
	if !ok {
		return false
	}
	if int64(size) > int64(len(rest)) {
		if !ctx.Raw().Full {
			out.Flags |= sample.MayChange
		}
		size = uint32(len(rest))
	}
	out.SetConstBin(rest[:size])
	return true
}
