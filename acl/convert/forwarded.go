package convert

import (
	"bytes"
	"net/netip"
	"strconv"

	"hapax/acl/sample"
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

// node is a node of RFC 7239, section 6: a name and perhaps a port.
type node struct {
	text []byte
	addr netip.Addr // valid when the name is an address
	name []byte     // "unknown", or an obfuscated name with its underscore
	port int        // 0 without one, or with an obfuscated one
	hide []byte     // an obfuscated port with its underscore
}

// forwarded is one element of a Forwarded header; a nil text says that the parameter is absent.
type forwarded struct {
	forNode, byNode node
	host, proto     []byte
}

// parseForwarded reads an element strictly: each parameter at most once, nothing but the four known
// ones, no blanks. It stops after the fourth.
func parseForwarded(b []byte, f *forwarded) bool {
	for n := 0; len(b) > 0 && n < 4; n++ {
		if n > 0 {
			if b[0] != ';' {
				return false
			}
			b = b[1:]
		}
		var ok bool
		switch {
		case len(b) > 4 && f.forNode.text == nil && bytes.HasPrefix(b, []byte("for=")):
			b, ok = quoted(b[4:], func(b []byte, quoted bool) ([]byte, bool) { return parseNode(b, &f.forNode, quoted) })
		case len(b) > 3 && f.byNode.text == nil && bytes.HasPrefix(b, []byte("by=")):
			b, ok = quoted(b[3:], func(b []byte, quoted bool) ([]byte, bool) { return parseNode(b, &f.byNode, quoted) })
		case len(b) > 5 && f.host == nil && bytes.HasPrefix(b, []byte("host=")):
			b, ok = quoted(b[5:], func(b []byte, quoted bool) ([]byte, bool) {
				rest, ok := parseHost(b, quoted)
				f.host = b[:len(b)-len(rest)]
				return rest, ok
			})
		case len(b) > 6 && f.proto == nil && bytes.HasPrefix(b, []byte("proto=http")):
			n := len("http")
			if value := b[6:]; len(value) > n && value[n] == 's' {
				n++
			}
			f.proto, b, ok = b[6:6+n], b[6+n:], true
		}
		if !ok {
			return false
		}
	}
	return true
}

// quoted reads a value that may stand between quotes.
func quoted(b []byte, read func(b []byte, quoted bool) ([]byte, bool)) ([]byte, bool) {
	if len(b) == 0 || b[0] != '"' {
		return read(b, false)
	}
	rest, ok := read(b[1:], true)
	if !ok || len(rest) == 0 || rest[0] != '"' {
		return rest, false
	}
	return rest[1:], true
}

// parseNode reads a node. Ports and IPv6 addresses are allowed between quotes only.
func parseNode(b []byte, n *node, quoted bool) ([]byte, bool) {
	all := b
	if len(b) == 0 {
		return b, false
	}
	switch {
	case b[0] == '_':
		end := 1 + obfuscated(b[1:])
		n.name, b = b[:end], b[end:]
		if end == 1 {
			return b, false
		}
	case b[0] == 'u':
		if !bytes.HasPrefix(b, []byte("unknown")) {
			return b, false
		}
		n.name, b = b[:7], b[7:]
	case quoted && b[0] == '[':
		var ok bool
		if n.addr, b, ok = parseBracketed(b); !ok {
			return b, false
		}
	default:
		end := 0
		for end < len(b) && end < len("255.255.255.255") && (b[end]-'0' <= 9 || b[end] == '.') {
			end++
		}
		a, err := netip.ParseAddr(string(b[:end]))
		if err != nil || !a.Is4() {
			return b, false
		}
		n.addr, b = a, b[end:]
	}
	if len(b) > 0 && b[0] == ':' {
		if !quoted || len(b) == 1 {
			return b, false
		}
		b = b[1:]
		if b[0] == '_' {
			end := 1 + obfuscated(b[1:])
			if end == 1 {
				return b, false
			}
			n.hide, b = b[:end], b[end:]
		} else {
			var ok bool
			if n.port, b, ok = parsePort(b); !ok {
				return b, false
			}
		}
	}
	n.text = all[:len(all)-len(b)]
	return b, true
}

// obfuscated is how many bytes of an obfuscated identifier start b, its underscore not among them.
func obfuscated(b []byte) int {
	n := 0
	for n < len(b) && (isAlnum(b[n]) || b[n] == '.' || b[n] == '-' || b[n] == '_') {
		n++
	}
	return n
}

func isAlnum(c byte) bool { return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' }

func parseBracketed(b []byte) (netip.Addr, []byte, bool) {
	end := 1
	for end < len(b) && end < 46 && (isAlnum(b[end]) || b[end] == ':') {
		end++
	}
	if end >= len(b) || b[end] != ']' {
		return netip.Addr{}, b, false
	}
	a, ok := sample.ParseIPv6(b[1:end])
	return a, b[end+1:], ok
}

func parsePort(b []byte) (port int, rest []byte, ok bool) {
	n := 0
	for n < len(b) && b[n]-'0' <= 9 {
		if port = port*10 + int(b[n]-'0'); port > 65535 {
			return 0, b, false
		}
		n++
	}
	return port, b[n:], port > 0
}

func parseHost(b []byte, quoted bool) ([]byte, bool) {
	if len(b) == 0 {
		return b, false
	}
	if quoted && b[0] == '[' {
		var ok bool
		if _, b, ok = parseBracketed(b); !ok {
			return b, false
		}
	} else {
		for len(b) > 0 && (isAlnum(b[0]) || b[0] == '.') {
			b = b[1:]
		}
	}
	if len(b) == 0 || b[0] != ':' {
		return b, true
	}
	if !quoted {
		return b, false
	}
	_, rest, ok := parsePort(b[1:])
	return rest, ok
}

func forwardedValid(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	var f forwarded
	v.SetBool(len(v.Bytes) > 0 && parseForwarded(v.Bytes, &f))
	return true
}

func forwardedField(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
	var f forwarded
	if !parseForwarded(v.Bytes, &f) {
		return false
	}
	var found []byte
	switch a[0].Str {
	case "proto":
		found = f.proto
	case "host":
		found = f.host
	case "for":
		found = f.forNode.text
	case "by":
		found = f.byNode.text
	}
	v.Bytes = found
	return found != nil
}

func nodeName(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	var n node
	if _, ok := parseNode(v.Bytes, &n, true); !ok {
		return false
	}
	if n.addr.IsValid() {
		return v.SetAddr(n.addr)
	}
	v.Bytes = n.name
	return true
}

func nodePort(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	var n node
	_, ok := parseNode(v.Bytes, &n, true)
	switch {
	case !ok:
		return false
	case n.hide != nil:
		v.Bytes = n.hide
		return true
	case n.port > 0:
		v.SetInt(int64(n.port))
		return true
	}
	return false
}

// hide writes a text as an obfuscated identifier.
func hide(ctx *sample.Context, v *sample.Value) bool {
	if len(v.Bytes) == 0 || obfuscated(v.Bytes) != len(v.Bytes) {
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
