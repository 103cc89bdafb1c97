package fetch

import (
	"bytes"
	"encoding/binary"
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// A request that examples are evaluated on.
const getExample = "GET /a/b.html?x=1&y=2 HTTP/1.1\r\nHost: www.example.com\r\n\r\n"

var requestRows = []sample.Fetch{
	{Doc: doc("method", "7.3.6", "the method of the request", nil, "method", getExample, "GET"),
		Out: sample.Meth, From: sample.ReqLine, Eval: method},
	{Doc: doc("path", "7.3.6", "the path of the request, without query", nil, "path", getExample, "/a/b.html"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: path},
	{Doc: doc("pathq", "7.3.6", "the path of the request with the query", nil, "pathq", getExample, "/a/b.html?x=1&y=2"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: pathQuery},
	{Doc: doc("query", "7.3.6", "the query of the request", args(opt(keyword.Arg{Name: "options", Type: keyword.Str,
		Doc: "with_qm: from the question mark on"})), "query", getExample, "x=1&y=2", "query(with_qm)", getExample, "?x=1&y=2"),
		Check: checkQuery, Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: query},
	{Doc: doc("url", "7.3.6", "the request target as it stands", nil, "url", getExample, "/a/b.html?x=1&y=2"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: target},
	{Doc: doc("url_ip", "7.3.6", "the IPv4 address in an absolute target", nil, "url_ip", "GET http://192.0.2.9:81/ HTTP/1.1\r\n\r\n", "192.0.2.9"),
		Dir: sample.Request, Out: sample.IPv4, From: sample.ReqHeaders, Eval: targetIP},
	{Doc: doc("url_port", "7.3.6", "the port in an absolute target whose host is an IPv4 address", nil,
		"url_port", "GET http://192.0.2.9:81/ HTTP/1.1\r\n\r\n", "81", "url_port", "GET https://192.0.2.9/ HTTP/1.1\r\n\r\n", "443"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqHeaders, Eval: targetPort},
	{Doc: doc("base", "7.3.6", "the host and the path, without query", nil, "base", getExample, "www.example.com/a/b.html"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: base},
	{Doc: doc("baseq", "7.3.6", "the host and the path with the query", nil, "baseq", getExample, "www.example.com/a/b.html?x=1&y=2"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqHeaders, Eval: baseQuery},
	{Doc: doc("base32", "7.3.6", "a hash of host and path", nil, "base32", getExample, "587949375"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqHeaders, Eval: base32},
	{Doc: doc("base32+src", "7.3.6", "that hash and the client's address", nil, "base32+src,hex", getExample, "230B653FC0000201"),
		Dir: sample.Request, Out: sample.Bin, From: sample.ReqHeaders, Eval: withSource(base32)},
	{Doc: doc("url32", "7.3.6", "a hash of host, path and query", nil, "url32", getExample, "2171018047"),
		Dir: sample.Request, Out: sample.Int, From: sample.ReqHeaders, Eval: url32},
	{Doc: doc("url32+src", "7.3.6", "that hash and the client's address", nil, "url32+src,hex", getExample, "81671B3FC0000201"),
		Dir: sample.Request, Out: sample.Bin, From: sample.ReqHeaders, Eval: withSource(url32)},
	{Doc: doc("req.ver", "7.3.6", "the HTTP version of the request", nil, "req.ver", getExample, "1.1"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqLine, Eval: requestVersion},
	{Doc: doc("req_ver", "7.3.6", "the HTTP version of the request", nil, "req_ver", getExample, "1.1"),
		Dir: sample.Request, Out: sample.Str, From: sample.ReqLine, Eval: requestVersion},
	{Doc: doc("req.proto_http", "7.3.5", "true once the buffer holds an HTTP request", nil, "req.proto_http", getExample, "1"),
		Dir: sample.Request, Out: sample.Bool, From: sample.ReqLine, Eval: isRequest},
	{Doc: doc("req_proto_http", "7.3.5", "true once the buffer holds an HTTP request", nil, "req_proto_http", getExample, "1"),
		Dir: sample.Request, Out: sample.Bool, From: sample.ReqLine, Eval: isRequest},
}

// remembered gives the request for fetches of what is known of it also later.
func remembered(ctx *sample.Context, out *sample.Value) (*message.Message, bool) {
	if ctx.Req == nil {
		if !ctx.NotHTTP {
			out.Flags |= sample.MayChange
		}
		return nil, false
	}
	return ctx.Req, true
}

// knownMethods are the names of the methods that have a number.
var knownMethods = func() (names [message.OtherMethod][]byte) {
	for i := range names {
		names[i] = []byte(message.Method(i).String())
	}
	return names
}()

// method is the one that was received, whatever rules made of the request line since. Of one that has no number only the
// text follows the request line, and it is gone with that once the request is answered.
func method(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := remembered(ctx, out)
	switch {
	case !ok:
	case m.Method < message.OtherMethod:
		out.SetMethod(knownMethods[m.Method])
	case ctx.Dir == sample.Response:
		return false
	default:
		out.SetMethod(m.MethodName())
		out.Int = int64(message.OtherMethod)
	}
	return ok
}

func path(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	p := m.Path()
	out.SetConst(p)
	return p != nil
}

func pathQuery(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	p := m.PathQuery()
	out.SetConst(p)
	return p != nil
}

func checkQuery(_ *sample.Compiler, a []sample.Arg) error {
	switch a[0].Str {
	case "":
	case "with_qm":
		a[0].Int = 1
	default:
		return errors.New("supported options are: 'with_qm'")
	}
	return nil
}

func query(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	uri := m.URI()
	i := bytes.IndexByte(uri, '?')
	if i < 0 {
		return false
	}
	if a[0].Int == 0 || i+1 == len(uri) {
		i++
	}
	out.SetConst(uri[i:])
	return true
}

func target(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if ok {
		out.SetConst(m.URI())
	}
	return ok
}

// splitTarget finds the IPv4 address and the port in a target "http://..." or "https://...".
func splitTarget(uri []byte) (host []byte, port int64, ok bool) {
	i := bytes.Index(uri, []byte("://"))
	if i < 0 {
		return nil, 0, false
	}
	switch {
	case message.EqualFold(uri[:i], "http"):
		port = 80
	case message.EqualFold(uri[:i], "https"):
		port = 443
	default:
		return nil, 0, false
	}
	host = uri[i+len("://"):]
	n := 0
	for n < len(host) && (host[n] == '.' || host[n]-'0' <= 9) {
		n++
	}
	rest := host[n:]
	if len(rest) > 0 && rest[0] == ':' {
		rest = rest[1:]
		port = 0
		for len(rest) > 0 && rest[0]-'0' <= 9 {
			port = (port*10 + int64(rest[0]-'0')) & 0xffffffff
			rest = rest[1:]
		}
	}
	return host[:n], port & 0xffff, true
}

func targetIP(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	host, _, ok := splitTarget(m.URI())
	if !ok {
		return false
	}
	a, ok := sample.ParseIPv4(host)
	return ok && out.SetAddr(a)
}

func targetPort(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	host, port, ok := splitTarget(m.URI())
	if !ok {
		return false
	}
	out.SetInt(port)
	_, ok = sample.ParseIPv4(host)
	return ok
}

// host is the first value of the first Host header.
func host(m *message.Message) []byte {
	i := m.FindID(message.Host, 0)
	if i < 0 {
		return nil
	}
	v := m.Value(i)
	return bytes.TrimRight(v[:message.ValueEnd(v)], " \t")
}

func base(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	if len(host(m)) == 0 {
		return path(ctx, a, out)
	}
	return hostAnd(ctx, m, m.Path(), out)
}

func baseQuery(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	if len(host(m)) == 0 {
		return pathQuery(ctx, a, out)
	}
	return hostAnd(ctx, m, m.PathQuery(), out)
}

// hostAnd puts the host and a path that begins with a slash together.
func hostAnd(ctx *sample.Context, m *message.Message, path []byte, out *sample.Value) bool {
	h := host(m)
	if len(path) > 0 && path[0] != '/' {
		path = nil
	}
	b := ctx.Scratch.Alloc(len(h) + len(path))
	if b == nil {
		return false
	}
	copy(b[copy(b, h):], path)
	out.SetStr(b)
	return true
}

// sdbm goes on with a hash over bytes that count as signed.
func sdbm(sum uint32, b []byte) uint32 {
	for _, c := range b {
		sum = uint32(int32(int8(c))) + sum<<6 + sum<<16 - sum
	}
	return sum
}

// mix spreads the bits of a hash (Bob Jenkins' 6-shift avalanche).
func mix(a uint32) uint32 {
	a += 0x7ed55d16 + a<<12
	a = a ^ 0xc761c23c ^ a>>19
	a += 0x165667b1 + a<<5
	a = (a + 0xd3a2646c) ^ a<<9
	a += 0xfd7046c5 + a<<3
	a = a ^ 0xb55a4f09 ^ a>>16
	return a * 3221225473
}

func base32(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	sum := sdbm(0, host(m))
	if p := m.Path(); len(p) > 0 && p[0] == '/' {
		sum = sdbm(sum, p)
	}
	out.SetInt(int64(mix(sum)))
	return true
}

func url32(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := request(ctx, out)
	if !ok {
		return false
	}
	sum := sdbm(0, m.GetID(message.Host))
	if p := m.PathQuery(); len(p) > 0 && p[0] == '/' {
		sum = sdbm(sum, p)
	}
	out.SetInt(int64(mix(sum)))
	return true
}

// withSource appends the client's address to a 32-bit hash in network order.
func withSource(hash func(*sample.Context, []sample.Arg, *sample.Value) bool) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
		addr := ctx.Src.Addr()
		if !addr.IsValid() || !hash(ctx, a, out) {
			return false
		}
		b := binary.BigEndian.AppendUint32(ctx.Scratch.Room(), uint32(out.Int))
		if addr.Is4() {
			raw := addr.As4()
			b = append(b, raw[:]...)
		} else {
			raw := addr.As16()
			b = append(b, raw[:]...)
		}
		out.SetBin(ctx.Scratch.Take(b))
		return true
	}
}

// setVersion gives the number of a version of HTTP behind a prefix; there is no value without a number.
func setVersion(ctx *sample.Context, number, prefix string, out *sample.Value) bool {
	if number == "" {
		return false
	}
	b := ctx.Scratch.Alloc(len(prefix) + len(number))
	if b == nil {
		return false
	}
	copy(b[copy(b, prefix):], number)
	out.SetStr(b)
	return true
}

func requestVersion(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := remembered(ctx, out)
	return ok && setVersion(ctx, m.VersionNumber(), "", out)
}

func isRequest(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	_, ok := request(ctx, out)
	out.SetBool(true)
	return ok
}
