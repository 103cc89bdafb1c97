package fetch

import (
	"errors"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

var (
	payloadArgs = args(
		keyword.Arg{Name: "offset", Type: keyword.Int, Doc: "bytes from the start of the buffer"},
		keyword.Arg{Name: "length", Type: keyword.Int, Doc: "bytes; 0 for all that is there"})
	payloadLVArgs = args(
		keyword.Arg{Name: "offset1", Type: keyword.Int, Doc: "where the length stands"},
		keyword.Arg{Name: "length", Type: keyword.Int, Doc: "how many bytes it takes"},
		opt(keyword.Arg{Name: "offset2", Type: keyword.Str, Doc: "where the value stands; with a sign: from the end of the length on"}))
)

var payloadRows = []sample.Fetch{
	payloadRow("payload", sample.AsRule, sample.ReqBuffer|sample.ResBuffer),
	payloadRow("req.payload", sample.Request, sample.ReqBuffer),
	payloadRow("res.payload", sample.Response, sample.ResBuffer),
	payloadLVRow("payload_lv", sample.AsRule, sample.ReqBuffer|sample.ResBuffer),
	payloadLVRow("req.payload_lv", sample.Request, sample.ReqBuffer),
	payloadLVRow("res.payload_lv", sample.Response, sample.ResBuffer),
	{Doc: doc("req.len", "7.3.5", "the number of bytes in the request buffer", nil, "req.len", "hello", "5"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqBuffer, Eval: length},
	{Doc: doc("req_len", "7.3.5", "the number of bytes in the request buffer", nil, "req_len", "hello", "5"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqBuffer, Eval: length},
	{Doc: doc("res.len", "7.3.5", "the number of bytes in the response buffer", nil, "res.len", "", "0"),
		Dir: sample.Response, Out: sample.Int, From: sample.ResBuffer, Eval: length},
	rdpRow("rdp_cookie", rdpCookie, sample.Str, "the value of a cookie in an RDP request", "abc"),
	rdpRow("req.rdp_cookie", rdpCookie, sample.Str, "the value of a cookie in an RDP request", "abc"),
	rdpRow("rdp_cookie_cnt", rdpCookieCount, sample.Int, "1 when the RDP request has the cookie", "1"),
	rdpRow("req.rdp_cookie_cnt", rdpCookieCount, sample.Int, "1 when the RDP request has the cookie", "1"),
}

func payloadRow(name string, dir sample.Dir, from sample.Source) sample.Fetch {
	f := sample.Fetch{Doc: doc(name, "7.3.5", "bytes at a fixed place of the buffer", payloadArgs),
		Dir: dir, Out: sample.Bin, From: from, Eval: payload}
	if dir != sample.Response {
		f.Examples = []keyword.Example{{Expr: name + "(1,3)", Req: "hello", Want: "ell"}}
	} else {
		f.Examples = []keyword.Example{{Expr: name + "(1,3)", Want: ""}}
	}
	return f
}

func payloadLVRow(name string, dir sample.Dir, from sample.Source) sample.Fetch {
	f := sample.Fetch{Doc: doc(name, "7.3.5", "bytes whose length stands in the buffer too", payloadLVArgs),
		Check: checkPayloadLV, Dir: dir, Out: sample.Bin, From: from, Eval: payloadLV}
	if dir != sample.Response {
		f.Examples = []keyword.Example{{Expr: name + "(0,1)", Req: "\x02abc", Want: "ab"}}
	} else {
		f.Examples = []keyword.Example{{Expr: name + "(0,1)", Want: ""}}
	}
	return f
}

// rdpExample is a connection request of the remote desktop protocol: eleven bytes of transport, then a cookie.
const rdpExample = "\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=abc\r\n"

func rdpRow(name string, eval func(*sample.Context, []sample.Arg, *sample.Value) bool, out sample.Type, summary, want string) sample.Fetch {
	return sample.Fetch{Doc: doc(name, "7.3.5", summary, args(opt(text("name"))), name+"(mstshash)", rdpExample, want),
		Dir: sample.Request, Out: out, From: sample.ReqBuffer, Eval: eval}
}

// raw gives what waits in the direction of the evaluation. In HTTP mode there is nothing of that kind.
func raw(ctx *sample.Context) (*sample.Raw, bool) {
	r := ctx.Raw()
	return r, len(r.Data) > 0 || !isHTTP(ctx)
}

// isHTTP tells whether the streams hold messages instead of bytes.
func isHTTP(ctx *sample.Context) bool {
	return ctx.Front.HTTP != 0 || ctx.Req != nil || ctx.Dir == sample.Response && ctx.Res != nil
}

// bufferSize is tune.bufsize.
func bufferSize(ctx *sample.Context) int64 {
	if n := ctx.Scratch.Limit; n > 0 {
		return int64(n)
	}
	return sample.DefaultLimit
}

func payload(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	r, ok := raw(ctx)
	if !ok {
		return false
	}
	offset, n, have := int64(uint32(a[0].Int)), int64(uint32(a[1].Int)), int64(len(r.Data))
	if offset+n > bufferSize(ctx) {
		return false
	}
	if offset+n > have {
		out.Flags |= sample.MayChange
		return false
	}
	if n > 0 {
		out.SetConstBin(r.Data[offset : offset+n])
		return true
	}
	out.SetConstBin(r.Data[offset:])
	if !r.Closed && !r.Full {
		out.Flags |= sample.MayChange
	}
	return true
}

// relative marks a third argument that counts from the end of the length on.
type relative bool

func checkPayloadLV(_ *sample.Compiler, a []sample.Arg) error {
	switch {
	case a[0].Int < 0:
		return errors.New("payload offset1 must be positive")
	case a[1].Int == 0:
		return errors.New("payload length must be > 0")
	case a[2].Str == "":
		return nil
	}
	n, taken := sample.ReadInt(a[2].Str)
	if taken != len(a[2].Str) {
		return errors.New("payload offset2 is not a number")
	}
	if a[0].Int+a[1].Int+n < 0 {
		return errors.New("payload offset2 too negative")
	}
	a[2].Int = n
	a[2].Data = relative(strings.ContainsAny(a[2].Str[:1], "+-"))
	return nil
}

func payloadLV(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	r, ok := raw(ctx)
	if !ok {
		return false
	}
	most, have := bufferSize(ctx), int64(len(r.Data))
	at, width := int64(uint32(a[0].Int)), int64(uint32(a[1].Int))
	if at+width > have {
		out.Flags |= sample.MayChange
		return false
	}
	var n uint32
	for _, c := range r.Data[at : at+width] {
		n = n<<8 | uint32(c)
	}
	from := at + width
	if a[2].Data != nil {
		if a[2].Data.(relative) {
			from += a[2].Int
		} else {
			// The reference keeps an absolute offset in the same form as a relative one, without its mark
			// bit: it is halved.
			from = a[2].Int >> 1
			if a[2].Int&1 != 0 {
				from += at + width
			}
		}
	}
	size := int64(n)
	if size == 0 || size > most || from+size > most {
		return false
	}
	if from+size > have {
		out.Flags |= sample.MayChange
		return false
	}
	out.SetConstBin(r.Data[from : from+size])
	return true
}

// length is the number of bytes in the buffer. For messages it is what the reference's representation of them
// takes: rules compare it with 0.
func length(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	n := len(ctx.Raw().Data)
	if m := ctx.Message(); n == 0 && m != nil {
		n = messageSize(m, ctx)
	}
	out.SetInt(int64(n))
	out.Flags |= sample.MayChange
	return true
}

// What the reference's form of a message takes beside the words of its start line, its headers and its body: the
// numbers of the start line, a mark behind the headers, and one behind the chunks of a body.
const (
	startLine = 20
	headEnd   = 1
	bodyEnd   = 1
)

func messageSize(m *message.Message, ctx *sample.Context) int {
	n := startLine + headEnd
	if m.Flags&message.Chunked != 0 {
		n += bodyEnd
	}
	for _, word := range m.Line {
		n += int(word.Len)
	}
	for i := range m.Fields {
		n += int(m.Fields[i].Name.Len + m.Fields[i].Value.Len)
	}
	return n + len(bodyData(ctx, body(ctx)))
}

// rdpCookie finds a cookie in the connection request of the remote desktop protocol.
func rdpCookie(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	r, ok := raw(ctx)
	if !ok {
		return false
	}
	value, found, wait := RDPCookie(r.Data, a[0].Str)
	if wait {
		out.Flags |= sample.MayChange
	}
	if found {
		out.SetConst(value)
	}
	return found
}

func rdpCookieCount(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	found := rdpCookie(ctx, a, out)
	if out.Flags&sample.MayChange != 0 {
		return false
	}
	out.SetInt(0)
	if found {
		out.SetInt(1)
	}
	return true
}

// rdpHeader is the part of the connection request in front of the cookie: TPKT and X.224.
const rdpHeader = 11

// RDPCookie looks for `Cookie: name=value` in a connection request; any name will do when none is given. wait tells
// that the request is not there as a whole.
func RDPCookie(b []byte, name string) (value []byte, found, wait bool) {
	const intro = "Cookie:"
	if len(b) <= rdpHeader+len(intro) {
		return nil, false, true
	}
	b = b[rdpHeader:]
	if !message.EqualFold(b[:len(intro)], intro) {
		return nil, false, false
	}
	b = b[len(intro):]
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if name != "" {
		if len(b) <= len(name) {
			return nil, false, true
		}
		if b[len(name)] != '=' || !message.EqualFold(b[:len(name)], name) {
			return nil, false, false
		}
		b = b[len(name)+1:]
	} else {
		i := 0
		for i < len(b) && b[i] != '=' {
			if b[i] == '\r' || b[i] == '\n' {
				return nil, false, false
			}
			i++
		}
		if i == len(b) {
			return nil, false, true
		}
		b = b[i+1:]
	}
	i := 0
	for i < len(b) && b[i] != '\r' {
		i++
	}
	if len(b) < i+2 {
		return nil, false, true
	}
	return b[:i], b[i+1] == '\n', false
}
