package convert

import (
	"strconv"

	"hapax/acl/sample"
	"hapax/runtime/message"
)

var forwardedRows = []sample.Converter{
	{Doc: doc("rfc7239_is_valid", "whether a Forwarded header has one element of known parameters only", nil,
		`str('for=192.0.2.1;proto=https'),rfc7239_is_valid`, "1", "str(for=x),rfc7239_is_valid", "0"),
		In: sample.Str, Out: sample.Bool, Eval: forwardedValid},
	{Doc: doc("rfc7239_field", "a parameter of a Forwarded header: proto, host, for or by", args(text("field")),
		`str('for=192.0.2.1;proto=https'),rfc7239_field(proto)`, "https"),
		In: sample.Str, Out: sample.Str, Eval: forwardedField},
	{Doc: doc("rfc7239_n2nn", "the name part of a node: an address, unknown or an obfuscated name", nil,
		"str(192.0.2.1:80),rfc7239_n2nn", "192.0.2.1", "str(_x:_y),rfc7239_n2nn", "_x"),
		In: sample.Str, Out: sample.Any, Eval: nodeName},
	{Doc: doc("rfc7239_n2np", "the port part of a node: a number or an obfuscated name", nil,
		"str(192.0.2.1:80),rfc7239_n2np", "80", "str(_x:_y),rfc7239_n2np", "_y"),
		In: sample.Str, Out: sample.Any, Eval: nodePort},
	{Doc: doc("rfc7239_nn", "an address or an obfuscated name as the name part of a node", nil,
		"ipv6(::1),rfc7239_nn", "[::1]", "str(x),rfc7239_nn", "_x", "str(),rfc7239_nn", "unknown"),
		In: sample.Any, Out: sample.Str, Eval: makeNodeName},
	{Doc: doc("rfc7239_np", "a number or an obfuscated name as the port part of a node", nil,
		"int(80),rfc7239_np", "80", "str(x),rfc7239_np", "_x"),
		In: sample.Any, Out: sample.Str, Eval: makeNodePort},
}

func forwardedValid(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	var f message.Forwarded
	v.SetBool(len(v.Bytes) > 0 && message.ParseForwarded(v.Bytes, &f))
	return true
}

func forwardedField(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	var f message.Forwarded
	if !message.ParseForwarded(v.Bytes, &f) {
		return false
	}
	var found []byte
	switch a[0].Str {
	case "proto":
		found = f.Proto
	case "host":
		found = f.Host
	case "for":
		found = f.For.Text
	case "by":
		found = f.By.Text
	}
	v.Bytes = found
	return found != nil
}

func nodeName(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	var n message.Node
	if _, ok := n.Parse(v.Bytes, true); !ok {
		return false
	}
	if n.Addr.IsValid() {
		return v.SetAddr(n.Addr)
	}
	v.Bytes = n.Name
	return true
}

func nodePort(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	var n message.Node
	_, ok := n.Parse(v.Bytes, true)
	switch {
	case !ok:
		return false
	case n.Hidden != nil:
		v.Bytes = n.Hidden
		return true
	case n.Port > 0:
		v.SetInt(int64(n.Port))
		return true
	}
	return false
}

// hide writes a text as an obfuscated identifier.
func hide(ctx *sample.Context, v *sample.Value) bool {
	if len(v.Bytes) == 0 || message.Obfuscated(v.Bytes) != len(v.Bytes) {
		return false
	}
	v.SetStr(ctx.Scratch.Take(append(append(ctx.Scratch.Room(), '_'), v.Bytes...)))
	return true
}

func makeNodeName(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	switch v.Type {
	case sample.IPv4:
		return sample.Cast(ctx, v, sample.Str)
	case sample.IPv6:
		out := append(ctx.Scratch.Room(), '[')
		v.SetStr(ctx.Scratch.Take(append(sample.AppendAddr(out, v.IP), ']')))
		return true
	}
	if !sample.Cast(ctx, v, sample.Str) {
		return false
	}
	if len(v.Bytes) == 0 {
		return setText(ctx, v, "unknown")
	}
	return hide(ctx, v)
}

func makeNodePort(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	if v.Type == sample.Int {
		v.SetStr(ctx.Scratch.Take(strconv.AppendUint(ctx.Scratch.Room(), uint64(uint32(v.Int)), 10)))
		return true
	}
	return sample.Cast(ctx, v, sample.Str) && hide(ctx, v)
}
