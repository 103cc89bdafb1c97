package fetch

import (
	"bytes"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

var cookieArg = opt(keyword.Arg{Name: "name", Type: keyword.Str, Doc: "of the cookie; empty for all cookies"})

const (
	cookieRequest  = "GET / HTTP/1.1\r\nCookie: a=1; b=2\r\nCookie: a=3\r\n\r\n"
	cookieResponse = "HTTP/1.1 200 OK\r\nSet-Cookie: a=1; path=/\r\nSet-Cookie: b=2\r\nSet-Cookie: a=3\r\n\r\n"
)

var cookieRows = []sample.Fetch{
	cookieRow("cook", sample.Request, cookieArg, sample.Str, cookie, "the value of a cookie, the last one", "a", "3"),
	cookieRow("cookie", sample.AsRule, cookieArg, sample.Str, cookie, "the value of a cookie, the last one", "a", "3"),
	cookieRow("req.cook", sample.Request, cookieArg, sample.Str, cookie, "the value of a cookie, the last one", "a", "3"),
	cookieRow("res.cook", sample.Response, cookieArg, sample.Str, cookie, "the value of a set cookie, the last one", "a", "3"),
	cookieRow("scook", sample.Response, cookieArg, sample.Str, cookie, "the value of a set cookie, the last one", "a", "3"),
	cookieRow("cook_cnt", sample.Request, cookieArg, sample.Int, cookieCount, "how many cookies of the name there are", "a", "2"),
	cookieRow("req.cook_cnt", sample.Request, cookieArg, sample.Int, cookieCount, "how many cookies of the name there are", "a", "2"),
	cookieRow("res.cook_cnt", sample.Response, cookieArg, sample.Int, cookieCount, "how many cookies of the name are set", "a", "2"),
	cookieRow("scook_cnt", sample.Response, cookieArg, sample.Int, cookieCount, "how many cookies of the name are set", "a", "2"),
	cookieRow("cook_val", sample.Request, cookieArg, sample.Int, cookieInt, "the value of a cookie as an integer", "b", "2"),
	cookieRow("req.cook_val", sample.Request, cookieArg, sample.Int, cookieInt, "the value of a cookie as an integer", "b", "2"),
	cookieRow("res.cook_val", sample.Response, cookieArg, sample.Int, cookieInt, "the value of a set cookie as an integer", "b", "2"),
	cookieRow("scook_val", sample.Response, cookieArg, sample.Int, cookieInt, "the value of a set cookie as an integer", "b", "2"),
	cookieRow("req.cook_names", sample.Request, delimArg, sample.Str, cookieNames, "the names of all cookies", ";", "a;b;a"),
	cookieRow("res.cook_names", sample.Response, delimArg, sample.Str, cookieNames, "the names of all set cookies", ";", "a;b;a"),
}

func cookieRow(name string, dir sample.Dir, arg keyword.Arg, out sample.Type, f eval, summary, with, want string) sample.Fetch {
	from, on := sample.ReqHeaders, cookieRequest
	switch dir {
	case sample.Response:
		from, on = sample.ResHeaders, cookieResponse
	case sample.AsRule:
		from |= sample.ResHeaders
	}
	return sample.Fetch{Doc: doc(name, "7.3.6", summary, args(arg), name+"("+with+")", on, want), Dir: dir, Out: out, From: from, Eval: f}
}

// cookieHeader is the header that holds cookies in the direction of the evaluation; list tells that one line of
// it holds several.
func cookieHeader(ctx *sample.Context) (id sample.Arg, list bool) {
	if ctx.Dir == sample.Response {
		return sample.Arg{Int: int64(message.SetCookie)}, false
	}
	return sample.Arg{Int: int64(message.Cookie)}, true
}

// cookies walks over the values of cookies of one name, or of all.
type cookies struct {
	m      *message.Message
	header sample.Arg
	list   bool
	name   string
	at     sample.Cursor // of the values of the header
	rest   []byte        // of the current value
	end    int32         // offset of its end
}

// walk begins at the first cookie.
func walk(ctx *sample.Context, a *sample.Arg, out *sample.Value) (c cookies, ok bool) {
	m, ok := head(ctx, out)
	if !ok {
		return c, false
	}
	id, list := cookieHeader(ctx)
	return cookies{m: m, header: id, list: list, name: a.Str}, true
}

func (c *cookies) next() (value []byte, ok bool) {
	for {
		if value, rest, ok := message.CookieValue(c.rest, c.name, c.list); ok {
			c.rest = rest
			return value, true
		}
		c.rest = nil
		v, more := next(c.m, &c.header, false, &c.at)
		if !more {
			return nil, false
		}
		if len(v) > len(c.name) {
			c.rest = v
			c.end = int32(len(bytes.TrimRight(c.m.Buf[:c.at.At], " \t\r\n")))
		}
	}
}

// save leaves the place in a cursor: the field, where its next value begins, and where the next cookie does.
func (c *cookies) save(to *sample.Cursor) {
	to.Started, to.N, to.At, to.End = true, c.at.N, c.at.At, c.end-int32(len(c.rest))
}

// restore goes back to a saved place.
func (c *cookies) restore(from *sample.Cursor) {
	if !from.Started {
		return
	}
	c.at = sample.Cursor{Started: true, N: from.N, At: from.At, End: int32(c.m.Fields[from.N].Value.End())}
	c.rest = bytes.TrimRight(c.m.Buf[from.End:from.At], " \t\r\n")
	c.end = from.End + int32(len(c.rest))
}

// cookie gives the last cookie of the name, or the first of all without one. An ACL takes them one by one.
func cookie(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := findCookie(ctx, &a[0], out)
	if ok {
		out.SetConst(v)
	}
	return ok
}

func findCookie(ctx *sample.Context, a *sample.Arg, out *sample.Value) (value []byte, ok bool) {
	c, ok := walk(ctx, a, out)
	if !ok {
		return nil, false
	}
	if ctx.Iter.On {
		c.restore(&ctx.Iter)
		if value, ok = c.next(); ok {
			c.save(&ctx.Iter)
			out.Flags |= sample.NotLast
		}
		return value, ok
	}
	found := false
	for {
		v, ok := c.next()
		if !ok {
			return value, found
		}
		value, found = v, true
		if a.Str == "" {
			return value, true
		}
	}
}

func cookieInt(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	v, ok := findCookie(ctx, &a[0], out)
	if ok {
		out.SetInt(int64(leadingInt(v)))
	}
	return ok
}

func cookieCount(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	c, ok := walk(ctx, &a[0], out)
	if !ok {
		return false
	}
	n := 0
	for {
		if _, ok := c.next(); !ok {
			break
		}
		n++
	}
	out.SetInt(int64(n))
	return true
}

func cookieNames(ctx *sample.Context, a []sample.Arg, out *sample.Value) bool {
	m, ok := head(ctx, out)
	if !ok {
		return false
	}
	id, list := cookieHeader(ctx)
	b := ctx.Scratch.Room()
	var at sample.Cursor
	for {
		v, ok := next(m, &id, !list, &at)
		if !ok {
			break
		}
		for len(v) > 0 {
			name, rest, ok := message.CookieName(v, list)
			if !ok {
				break
			}
			if len(b) > 0 {
				b = append(b, delimiter(&a[0]))
			}
			b = append(b, name...)
			v = rest
		}
	}
	return takeStr(ctx, b, out)
}
