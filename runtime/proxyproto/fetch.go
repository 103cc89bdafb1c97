package proxyproto

import (
	"fmt"
	"strconv"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/proxyproto/header"
)

var fetches = []sample.Fetch{
	{Doc: fetchDoc("fc_rcvd_proxy", "whether the client's connection began with a PROXY protocol header", "fc_rcvd_proxy"),
		Out: sample.Bool, From: sample.ClientAddr, Eval: received},
	{Doc: fetchDoc("fc_pp_authority", "the name that the client asked for, as its PROXY header says", "fc_pp_authority"),
		Out: sample.Str, From: sample.ClientAddr, Eval: firstTLV(header.TypeAuthority)},
	{Doc: fetchDoc("fc_pp_unique_id", "the unique id in the PROXY header", "fc_pp_unique_id"),
		Out: sample.Str, From: sample.ClientAddr, Eval: firstTLV(header.TypeUniqueID)},
	{Doc: fetchDoc("fc_pp_tlv", "extensions of this type in the PROXY header", "fc_pp_tlv(0xE1)",
		keyword.Arg{Name: "type", Type: keyword.Str, Doc: "a number or a name of the specification"}),
		Check: checkTLV, Out: sample.Str, From: sample.ClientConn, Eval: eachTLV},
}

func fetchDoc(name, summary, example string, args ...keyword.Arg) keyword.Doc {
	return keyword.Doc{Name: name, Ref: "7.3.3", Summary: summary, Args: args,
		Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:65500 accept-proxy\n  http-request set-header x-tlv %[" + example + "]\n"}}}
}

// tlvNames are the types that have names.
var tlvNames = map[string]int64{
	"ALPN": header.TypeALPN, "AUTHORITY": header.TypeAuthority, "CRC32C": header.TypeCRC32C, "NOOP": header.TypeNoop,
	"UNIQUE_ID": header.TypeUniqueID, "SSL": header.TypeSSL, "SSL_VERSION": header.TypeSSLVersion, "SSL_CN": header.TypeSSLName,
	"SSL_CIPHER": header.TypeSSLCipher, "SSL_SIG_ALG": header.TypeSSLSigAlg, "SSL_KEY_ALG": header.TypeSSLKeyAlg, "NETNS": header.TypeNetNS,
}

func checkTLV(_ *sample.Compiler, args []sample.Arg) error {
	text := args[0].Str
	kind, known := tlvNames[strings.ToUpper(text)]
	if !known {
		n, err := strconv.ParseInt(text, 0, 64)
		if err != nil && text != "" {
			return fmt.Errorf("Could not convert type '%s'", text)
		}
		kind = n
	}
	if kind < 0 || kind > 255 {
		return fmt.Errorf("Invalid TLV Type '%s'", text)
	}
	args[0].Int = kind
	return nil
}

// told gives what the client's header said, nil for nothing; false where it may still
// come, or where there is no client.
func told(ctx *sample.Context, out *sample.Value) (*runtime.Told, bool) {
	s, ok := ctx.Owner.(*runtime.Stream)
	switch {
	case !ok || s.Session == nil || s.Session.Listener == nil:
		return nil, false
	case s.Session.Expect != 0 || isFault(s.Session.Failure):
		out.Flags |= sample.MayChange
		return nil, false
	}
	return s.Session.Told, true
}

func isFault(err error) bool {
	_, ok := err.(header.Fault)
	return ok
}

func received(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	t, ok := told(ctx, out)
	out.SetBool(t != nil && t.Proxied)
	return ok
}

// tlvs are the extensions of the client's header.
func tlvs(ctx *sample.Context, out *sample.Value) []byte {
	if t, _ := told(ctx, out); t != nil {
		return t.TLVs
	}
	return nil
}

// firstTLV makes an Eval of the first extension of a type.
func firstTLV(kind byte) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		list := tlvs(ctx, out)
		value, _, found := find(list, kind)
		if found {
			out.SetConst(value)
		}
		return found
	}
}

// eachTLV goes through all extensions of the type.
func eachTLV(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
	list := tlvs(ctx, out)
	kind := byte(args[0].Int)
	if it := &ctx.Iter; it.On {
		list = list[it.At:]
		it.Started = true
	}
	value, rest, found := find(list, kind)
	if !found {
		return false
	}
	if it := &ctx.Iter; it.On {
		it.At += int32(len(list) - len(rest))
		if _, _, more := find(rest, kind); more {
			out.Flags |= sample.NotLast
		}
	}
	out.SetConst(value)
	return true
}

// find looks for the first extension of a type; rest is what follows it.
func find(list []byte, kind byte) (value, rest []byte, found bool) {
	for {
		k, value, rest, ok := header.Next(list)
		if !ok {
			return nil, nil, false
		}
		if k == kind {
			return value, rest, true
		}
		list = rest
	}
}
