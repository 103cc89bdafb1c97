package convert

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var binaryRows = []sample.Converter{
	{Doc: doc("hex", "two upper-case hexadecimal digits for each byte", nil, "str(abc/),hex", "6162632F"),
		In: sample.Bin, Out: sample.Str, Eval: hexadecimal},
	{Doc: doc("hex2i", "the number that hexadecimal digits stand for", nil, "str(1F),hex2i", "31"),
		In: sample.Str, Out: sample.Int, Eval: hexToInt},
	{Doc: doc("base2", "eight binary digits for each byte", nil, "str(a),base2", "01100001"),
		In: sample.Bin, Out: sample.Str, Eval: base2},
	{Doc: doc("base64", "the block in base64", nil, "str(hi there),base64", "aGkgdGhlcmU="),
		In: sample.Bin, Out: sample.Str, Eval: base64Encode},
	{Doc: doc("b64dec", "the block that base64 stands for", nil, "str(aGk=),b64dec", "hi"),
		In: sample.Str, Out: sample.Bin, Eval: base64Decode},
	{Doc: doc("ub64enc", "the block in the URL-safe variant of base64, without padding", nil, "bin(fbff),ub64enc", "-_8"),
		In: sample.Bin, Out: sample.Str, Eval: base64URLEncode},
	{Doc: doc("ub64dec", "the block that URL-safe base64 stands for", nil, "str(aGk),ub64dec", "hi"),
		In: sample.Str, Out: sample.Bin, Eval: base64URLDecode},
	{Doc: doc("be2dec", "groups of bytes as decimal numbers, the first byte counting most", groupArgs,
		"bin(01020304),be2dec(:,2)", "258:772", "bin(010203),be2dec(-,2,1)", "258"),
		Check: checkDecimal, In: sample.Bin, Out: sample.Str, Eval: bigDecimal},
	{Doc: doc("le2dec", "groups of bytes as decimal numbers, the first byte counting least", groupArgs,
		"bin(01020304),le2dec(:,2)", "513:1027", "bin(010203),le2dec(-,2)", "513-3"),
		Check: checkDecimal, In: sample.Bin, Out: sample.Str, Eval: littleDecimal},
	{Doc: doc("be2hex", "groups of bytes as hexadecimal digits", []keyword.Arg{text("separator"), opt(number("size")), opt(truncate)},
		"bin(01020304050607),be2hex(:,3)", "010203:040506:07", "bin(0102030405),be2hex(,2,1)", "01020304"),
		Check: checkHexGroups, In: sample.Bin, Out: sample.Str, Eval: hexGroups},
	{Doc: doc("htonl", "a number as four bytes in network order", nil, "int(258),htonl,hex", "00000102"),
		In: sample.Int, Out: sample.Bin, Eval: networkOrder},
}

var (
	truncate  = keyword.Arg{Name: "truncate", Type: keyword.Int, Doc: "1: an incomplete last group is left out"}
	groupArgs = []keyword.Arg{text("separator"), opt(number("size")), opt(truncate)}
)

const upperHex = "0123456789ABCDEF"

func hexadecimal(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	out := ctx.Scratch.Room()
	for _, c := range v.Bytes[:min(len(v.Bytes), cap(out)/2)] {
		out = append(out, upperHex[c>>4], upperHex[c&15])
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

// hexToInt keeps the lowest 64 bits of a longer number.
func hexToInt(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	n := int64(0)
	for _, c := range v.Bytes {
		d, ok := hexDigit(c)
		if !ok {
			return false
		}
		n = n<<4 | int64(d)
	}
	v.SetInt(n)
	return true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

func base2(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	out := ctx.Scratch.Room()
	for _, c := range v.Bytes[:min(len(v.Bytes), cap(out)/8)] {
		for bit := 7; bit >= 0; bit-- {
			out = append(out, '0'+c>>bit&1)
		}
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

const (
	base64Digits    = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	base64URLDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

func base64Encode(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	return encode64(ctx, v, base64Digits, true)
}

func base64URLEncode(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	return encode64(ctx, v, base64URLDigits, false)
}

func encode64(ctx *sample.Context, v *sample.Value, digits string, padded bool) bool {
	out := ctx.Scratch.Room()
	in := v.Bytes
	if (len(in)+2)/3*4 >= cap(out) {
		return false
	}
	for ; len(in) >= 3; in = in[3:] {
		out = append(out, digits[in[0]>>2], digits[in[0]&3<<4|in[1]>>4], digits[in[1]&15<<2|in[2]>>6], digits[in[2]&63])
	}
	switch len(in) {
	case 1:
		out = append(out, digits[in[0]>>2], digits[in[0]&3<<4])
	case 2:
		out = append(out, digits[in[0]>>2], digits[in[0]&3<<4|in[1]>>4], digits[in[1]&15<<2])
	}
	for padded && len(out)%4 != 0 {
		out = append(out, '=')
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

func base64Decode(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	out, ok := appendBase64(ctx.Scratch.Room(), v.Bytes)
	if !ok {
		return false
	}
	v.SetBin(ctx.Scratch.Take(out))
	return true
}

func base64URLDecode(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	out, ok := appendBase64URL(ctx.Scratch.Room(), v.Bytes)
	if !ok {
		return false
	}
	v.SetBin(ctx.Scratch.Take(out))
	return true
}

// appendBase64 decodes groups of four digits. Each group may be padded, not only the last one: several
// encoded blocks may follow each other.
func appendBase64[T ~string | ~[]byte](dst []byte, in T) ([]byte, bool) {
	if len(in)%4 != 0 {
		return dst, false
	}
	for i := 0; i < len(in); i += 4 {
		n, pad := uint32(0), 0
		for j := range 4 {
			c := in[i+j]
			n <<= 6
			if c == '=' && j >= 1 {
				pad++
				continue
			}
			d, ok := digit64(c, '+', '/')
			if !ok || pad > 0 {
				return dst, false
			}
			n |= uint32(d)
		}
		dst = append(dst, byte(n>>16), byte(n>>8), byte(n))
		dst = dst[:len(dst)-pad]
	}
	return dst, true
}

// appendBase64URL decodes digits without padding. Quirk: an equals sign counts as the last digit.
func appendBase64URL(dst, in []byte) ([]byte, bool) {
	if len(in)%4 == 1 {
		return dst, false
	}
	n, bits := uint32(0), 0
	for _, c := range in {
		if c == '=' {
			c = '_'
		}
		d, ok := digit64(c, '-', '_')
		if !ok {
			return dst, false
		}
		n = n<<6 | uint32(d)
		if bits += 6; bits >= 8 {
			bits -= 8
			dst = append(dst, byte(n>>bits))
		}
	}
	return dst, true
}

func digit64(c, d62, d63 byte) (byte, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A', true
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26, true
	case c >= '0' && c <= '9':
		return c - '0' + 52, true
	case c == d62:
		return 62, true
	case c == d63:
		return 63, true
	}
	return 0, false
}

func checkDecimal(_ *sample.Compiler, a []sample.Arg) error {
	if n := a[1].Int; n <= 0 || n > 8 {
		return fmt.Errorf("chunk_size out of [1..8] range (%d)", n)
	}
	return checkTruncate(&a[2])
}

func checkTruncate(a *sample.Arg) error {
	if a.Int != 0 && a.Int != 1 {
		return fmt.Errorf("Unsupported truncate value (%d)", a.Int)
	}
	return nil
}

func bigDecimal(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	return decimals(ctx, a, v, func(b []byte) uint64 {
		n := uint64(0)
		for _, c := range b {
			n = n<<8 | uint64(c)
		}
		return n
	})
}

func littleDecimal(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	return decimals(ctx, a, v, func(b []byte) uint64 {
		n := uint64(0)
		for i, c := range b {
			// Quirk: bytes are shifted as 32-bit integers, so the shift wraps at 32 bits and the sign
			// of the fourth byte spreads to the upper half.
			n |= uint64(int64(int32(uint32(c) << (8 * i % 32))))
		}
		return n
	})
}

func decimals(ctx *sample.Context, a []sample.Arg, v *sample.Value, number func([]byte) uint64) bool {
	size := int(a[1].Int)
	out := ctx.Scratch.Room()
	in := v.Bytes
	for first := true; len(in) > 0 && (a[2].Int == 0 || len(in) >= size); first = false {
		if len(out)+len(a[0].Str)+20 > cap(out) {
			break
		}
		if !first {
			out = append(out, a[0].Str...)
		}
		n := min(size, len(in))
		out = strconv.AppendUint(out, number(in[:n]), 10)
		in = in[n:]
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

func checkHexGroups(_ *sample.Compiler, a []sample.Arg) error {
	if a[1].Int <= 0 && (a[0].Str != "" || a[2].Int != 0) {
		return fmt.Errorf("chunk_size needs to be positive (%d)", a[1].Int)
	}
	return checkTruncate(&a[2])
}

func hexGroups(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	size := int(a[1].Int)
	in := v.Bytes
	if a[0].Str == "" && a[2].Int == 0 {
		size = len(in)
	}
	out := ctx.Scratch.Room()
	if 2*size > cap(out) {
		return false
	}
	for first := true; len(in) > 0 && (a[2].Int == 0 || len(in) >= size); first = false {
		if len(out)+len(a[0].Str)+2*size > cap(out) {
			break
		}
		if !first {
			out = append(out, a[0].Str...)
		}
		n := min(size, len(in))
		for _, c := range in[:n] {
			out = append(out, upperHex[c>>4], upperHex[c&15])
		}
		in = in[n:]
	}
	v.SetStr(ctx.Scratch.Take(out))
	return true
}

func networkOrder(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	v.SetBin(ctx.Scratch.Take(binary.BigEndian.AppendUint32(ctx.Scratch.Room(), uint32(v.Int))))
	return true
}
