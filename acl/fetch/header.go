package fetch

import (
	"bytes"
	"errors"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
	"hapax/runtime/varint"
)

var (
	nameArg  = opt(keyword.Arg{Name: "name", Type: keyword.Str, Doc: "of the header, in any case; empty for all headers"})
	occArg   = opt(keyword.Arg{Name: "occ", Type: keyword.Int, Doc: "1 is the first, -1 the last; not below -10"})
	delimArg = opt(keyword.Arg{Name: "delim", Type: keyword.Str, Default: ","})
)

// eval is the function of a row.
type eval = func(*sample.Context, []sample.Arg, *sample.Value) bool

// A request and a response with lists that examples are evaluated on.
const (
	listRequest  = "GET / HTTP/1.1\r\nX-List: a, \"b,c\"\r\nX-List: d\r\nX-Num: 42\r\nX-Ip: 192.0.2.7:80\r\n\r\n"
	listResponse = "HTTP/1.1 200 OK\r\nX-List: a, \"b,c\"\r\nX-List: d\r\nX-Num: 42\r\nX-Ip: 192.0.2.7:80\r\n\r\n"
)

var headerRows = []sample.Fetch{
	valueRow("hdr", sample.AsRule), valueRow("req.hdr", sample.Request), valueRow("res.hdr", sample.Response), valueRow("shdr", sample.Response),
	lineRow("req.fhdr", sample.Request), lineRow("res.fhdr", sample.Response),
	headerRow("hdr_cnt", sample.Request, args(nameArg), sample.Int, headerCount, "how many values the header has", "x-list", "3"),
	headerRow("req.hdr_cnt", sample.Request, args(nameArg), sample.Int, headerCount, "how many values the header has", "x-list", "3"),
	headerRow("res.hdr_cnt", sample.Response, args(nameArg), sample.Int, headerCount, "how many values the header has", "x-list", "3"),
	headerRow("shdr_cnt", sample.Response, args(nameArg), sample.Int, headerCount, "how many values the header has", "x-list", "3"),
	headerRow("req.fhdr_cnt", sample.Request, args(nameArg), sample.Int, lineCount, "how many lines the header has", "x-list", "2"),
	headerRow("res.fhdr_cnt", sample.Response, args(nameArg), sample.Int, lineCount, "how many lines the header has", "x-list", "2"),
	headerRow("hdr_ip", sample.Request, args(nameArg, occArg), sample.Addr, headerIP, "a value of the header as an address", "x-ip", "192.0.2.7"),
	headerRow("req.hdr_ip", sample.Request, args(nameArg, occArg), sample.Addr, headerIP, "a value of the header as an address", "x-ip", "192.0.2.7"),
	headerRow("res.hdr_ip", sample.Response, args(nameArg, occArg), sample.Addr, headerIP, "a value of the header as an address", "x-ip", "192.0.2.7"),
	headerRow("shdr_ip", sample.Response, args(nameArg, occArg), sample.Addr, headerIP, "a value of the header as an address", "x-ip", "192.0.2.7"),
	headerRow("hdr_val", sample.Request, args(nameArg, occArg), sample.Int, headerInt, "a value of the header as an integer", "x-num", "42"),
	headerRow("req.hdr_val", sample.Request, args(nameArg, occArg), sample.Int, headerInt, "a value of the header as an integer", "x-num", "42"),
	headerRow("res.hdr_val", sample.Response, args(nameArg, occArg), sample.Int, headerInt, "a value of the header as an integer", "x-num", "42"),
	headerRow("shdr_val", sample.Response, args(nameArg, occArg), sample.Int, headerInt, "a value of the header as an integer", "x-num", "42"),
	headerRow("req.hdr_names", sample.Request, args(delimArg), sample.Str, headerNames, "the names of all headers", ";", "x-list;x-list;x-num;x-ip"),
	headerRow("res.hdr_names", sample.Response, args(delimArg), sample.Str, headerNames, "the names of all headers", ";", "x-list;x-list;x-num;x-ip"),
	headerRow("req.hdrs", sample.Request, nil, sample.Bin, allHeaders, "all headers and the empty line", "", ""),
	headerRow("res.hdrs", sample.Response, nil, sample.Bin, allHeaders, "all headers and the empty line", "", ""),
	headerRow("req.hdrs_bin", sample.Request, nil, sample.Bin, headersBinary, "all headers, each name and value behind its length", "", ""),
	headerRow("res.hdrs_bin", sample.Response, nil, sample.Bin, headersBinary, "all headers, each name and value behind its length", "", ""),
}

// headerRow makes a row with an example whose argument is arg.
func headerRow(name string, dir sample.Dir, a []keyword.Arg, out sample.Type, f eval, summary, arg, want string) sample.Fetch {
	from, on := sample.ReqHeaders, listRequest
	switch dir {
	case sample.Response:
		from, on = sample.ResHeaders, listResponse
	case sample.AsRule:
		from |= sample.ResHeaders
	}
	row := sample.Fetch{Dir: dir, Out: out, From: from, Eval: f}
	if len(a) > 0 && a[0].Name == "name" {
		row.Check = checkHeader
	}
	switch {
	case want != "":
		row.Doc = doc(name, "7.3.6", summary, a, name+"("+arg+")", on, want)
	default:
		row.Doc = doc(name, "7.3.6", summary, a, name+",length,bool", on, "1")
	}
	return row
}

func valueRow(name string, dir sample.Dir) sample.Fetch {
	return headerRow(name, dir, args(nameArg, occArg), sample.Str, headerValue,
		"a comma-separated value of a header; the last one unless an occurrence is given", "x-list,2", `"b,c"`)
}

func lineRow(name string, dir sample.Dir) sample.Fetch {
	return headerRow(name, dir, args(nameArg, occArg), sample.Str, headerLine,
		"the whole value of a header line; the last one unless an occurrence is given", "x-list,1", `a, "b,c"`)
}

// maxHistory is how far back an occurrence may be counted from the end.
const maxHistory = 10

// checkHeader puts the name in lower case and its number, where it is a well-known one, in Int.
func checkHeader(_ *sample.Compiler, a []sample.Arg) error {
	a[0].Str = strings.ToLower(a[0].Str)
	a[0].Int = int64(message.HeaderIDOf(a[0].Str))
	if len(a) > 1 && a[1].Present && a[1].Int < -maxHistory {
		return errors.New("header occurrence must be >= -10")
	}
	return nil
}

// find gives the next field of the name in an argument.
func find(m *message.Message, a *sample.Arg, from int) int {
	if a.Int != int64(message.Other) {
		return m.FindID(message.HeaderID(a.Int), from)
	}
	return m.Find(a.Str, from)
}

// next goes to the next value of the header in a, or with whole to its next line. The cursor stands on what
// follows the last value: field N, from offset At to the end of the field's value.
func next(m *message.Message, a *sample.Arg, whole bool, c *sample.Cursor) (value []byte, ok bool) {
	from := int(c.N)
	if !c.Started {
		c.Started = true
		from = 0
	} else if !whole && c.At < c.End {
		return item(m, c), true
	} else {
		from++
	}
	i := find(m, a, from)
	if i < 0 {
		c.N, c.At, c.End = int32(len(m.Fields)), 0, 0
		return nil, false
	}
	v := m.Fields[i].Value
	c.N, c.At, c.End = int32(i), int32(v.Off), int32(v.End())
	if whole {
		return bytes.Trim(m.Value(i), " \t\r\n"), true // a rule may have written blanks around it
	}
	return cut(m, c), true
}

// item skips the comma behind the last value.
func item(m *message.Message, c *sample.Cursor) []byte {
	if m.Buf[c.At] == ',' {
		c.At++
	}
	return cut(m, c)
}

// cut takes the value at the cursor.
func cut(m *message.Message, c *sample.Cursor) []byte {
	rest := m.Buf[c.At:c.End]
	lead := 0
	for lead < len(rest) && blank(rest[lead]) {
		lead++
	}
	end := lead + message.ValueEnd(rest[lead:])
	c.At += int32(end)
	for end > lead && blank(rest[end-1]) {
		end--
	}
	return rest[lead:end]
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// occurrence gives the value that a row with name and occurrence asks for.
func occurrence(ctx *sample.Context, a []sample.Arg, whole bool, out *sample.Value) (value []byte, ok bool) {
	m, ok := head(ctx, out)
	if !ok || !a[0].Present {
		return nil, false
	}
	occ := 0
	if a[1].Present {
		occ = int(a[1].Int)
	}
	if occ == 0 && ctx.Iter.On {
		if value, ok = next(m, &a[0], whole, &ctx.Iter); ok {
			out.Flags |= sample.NotLast
		}
		return value, ok
	}
	if occ < 0 || occ == 0 {
		if occ == 0 {
			occ = -1
		}
		return fromEnd(m, &a[0], whole, -occ)
	}
	var c sample.Cursor
	for ; occ > 0; occ-- {
		if value, ok = next(m, &a[0], whole, &c); !ok {
			return nil, false
		}
	}
	return value, true
}

// fromEnd gives the nth value from the end.
func fromEnd(m *message.Message, a *sample.Arg, whole bool, nth int) ([]byte, bool) {
	var last [maxHistory][]byte
	var c sample.Cursor
	n := 0
	for {
		v, ok := next(m, a, whole, &c)
		if !ok {
			break
		}
		last[n%maxHistory] = v
		n++
	}
	if nth > n {
		return nil, false
	}
	return last[(n-nth)%maxHistory], true
}

func headerValue(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := occurrence(ctx, a, false, out)
	if ok {
		out.SetConst(v)
	}
	return ok
}

func headerLine(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := occurrence(ctx, a, true, out)
	if ok {
		out.SetConst(v)
	}
	return ok
}

func headerInt(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := occurrence(ctx, a, false, out)
	if ok {
		out.SetInt(int64(leadingInt(v)))
	}
	return ok
}

// leadingInt reads a number as far as it goes. It wraps at 32 bits, and what sorts before the digits counts as
// a digit below zero, as the reference computes it.
func leadingInt(b []byte) int32 {
	n, sign := int32(0), int32(1)
	if len(b) > 0 && b[0] == '-' {
		sign = -1
		b = b[1:]
	}
	for _, c := range b {
		digit := int32(int8(c)) - '0'
		if digit > 9 {
			break
		}
		n = n*10 + sign*digit
	}
	return n
}

// headerIP skips values that are no address while further ones follow.
func headerIP(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	for {
		v, ok := occurrence(ctx, a, false, out)
		if !ok {
			out.Flags &^= sample.NotLast
			return false
		}
		if readAddr(v, out) {
			return true
		}
		if out.Flags&sample.NotLast == 0 {
			return false
		}
	}
}

// readAddr reads an IPv4 address that a port may follow, or an IPv6 address that brackets may surround.
func readAddr(v []byte, out *sample.Value) bool {
	n := 0
	for n < len(v) && (v[n] == '.' || v[n]-'0' <= 9) {
		n++
	}
	if a, ok := sample.ParseIPv4(v[:n]); ok && (n == len(v) || v[n] == ':' && isPort(v[n+1:])) {
		return out.SetAddr(a)
	}
	if len(v) >= 2 && v[0] == '[' && v[len(v)-1] == ']' {
		v = v[1 : len(v)-1]
	}
	a, ok := sample.ParseIPv6(v)
	return ok && out.SetAddr(a)
}

func isPort(b []byte) bool {
	n := 0
	for _, c := range b {
		if c -= '0'; c > 9 {
			return false
		}
		if n = n*10 + int(c); n > 65535 {
			return false
		}
	}
	return len(b) > 0
}

func headerCount(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	return countHeaders(ctx, a, false, out)
}

func lineCount(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	return countHeaders(ctx, a, true, out)
}

func countHeaders(ctx *sample.Context, a []sample.Arg, whole bool, out *sample.Value) bool {
	m, ok := head(ctx, out)
	if !ok {
		return false
	}
	n := 0
	var c sample.Cursor
	for {
		if _, ok := next(m, &a[0], whole, &c); !ok {
			break
		}
		n++
	}
	out.SetInt(int64(n))
	return true
}

// delimiter is the first byte of an optional argument.
func delimiter(a *sample.Arg) byte {
	switch {
	case !a.Present:
		return ','
	case a.Str == "":
		return 0
	}
	return a.Str[0]
}

func headerNames(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	m, ok := head(ctx, out)
	if !ok {
		return false
	}
	b := ctx.Scratch.Room()
	for i := range m.Fields {
		if len(b) > 0 {
			b = append(b, delimiter(&a[0]))
		}
		b = append(b, m.Name(i)...)
	}
	return takeStr(ctx, b, out)
}

// takeStr keeps a result that was appended to the scratch room; one that does not fit is no result.
func takeStr(ctx *sample.Context, b []byte, out *sample.Value) bool {
	b = ctx.Scratch.Take(b)
	out.SetStr(b)
	return b != nil
}

func allHeaders(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := head(ctx, out)
	if !ok {
		return false
	}
	b := ctx.Scratch.Room()
	for i := range m.Fields {
		b = append(append(append(b, m.Name(i)...), ": "...), m.Value(i)...)
		b = append(b, "\r\n"...)
	}
	return takeStr(ctx, append(b, "\r\n"...), out)
}

func headersBinary(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	m, ok := head(ctx, out)
	if !ok {
		return false
	}
	b := ctx.Scratch.Room()
	for i := range m.Fields {
		name, value := m.Name(i), m.Value(i)
		b = varint.AppendText(b, name)
		b = varint.AppendText(b, value)
	}
	b = ctx.Scratch.Take(append(b, 0, 0))
	out.SetBin(b)
	return b != nil
}
