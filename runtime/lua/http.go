package lua

import (
	"strings"

	"hapax/acl/sample"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/message"
)

// checkHTTP gives the transaction of an object of class HTTP. The message of a direction is only there in rules of that
// direction.
func (c call) checkHTTP(dir sample.Dir) (*txn, *message.Message) {
	x := self[*txn](c, 1, "HTTP")
	if x.t.s != x.s {
		c.Errorf("this transaction is over")
	}
	m := x.s.Ctx.Req
	if dir == sample.Response {
		m = x.s.Ctx.Res
	}
	if x.dir != dir || m == nil {
		c.PushNil()
		c.Raise()
	}
	return x, m
}

// httpMethods are those of class HTTP, for both directions.
func httpMethods() []method {
	all := []method{
		{"req_set_method", onRequest((*message.Message).SetMethod)},
		{"req_set_path", onRequest((*message.Message).SetPath)},
		{"req_set_query", onRequest(setQuery)},
		{"req_set_uri", onRequest((*message.Message).SetURI)},
		{"res_set_status", func(c call) int {
			x, m := c.checkHTTP(sample.Response)
			status := c.CheckInt(2)
			reason := message.ReasonOf(int(status))
			if c.Type(3) == lua54.TypeString {
				reason = c.Str(3)
			}
			if m.SetStatus(int(status), []byte(reason)) == nil {
				x.s.Status = int(status)
			}
			return 0
		}},
	}
	for prefix, dir := range map[string]sample.Dir{"req_": sample.Request, "res_": sample.Response} {
		on := func(run func(c call, m *message.Message) int) func(call) int {
			return func(c call) int {
				_, m := c.checkHTTP(dir)
				return run(c, m)
			}
		}
		all = append(all,
			method{prefix + "get_headers", on(func(c call, m *message.Message) int { c.pushHeaders(m); return 1 })},
			method{prefix + "del_header", on(delHeader)},
			method{prefix + "add_header", on(addHeader)},
			method{prefix + "set_header", on(func(c call, m *message.Message) int {
				delHeader(c, m)
				return addHeader(c, m)
			})},
			method{prefix + "rep_header", on(func(c call, m *message.Message) int { return replace(c, m, (*message.Message).Lines) })},
			method{prefix + "rep_value", on(func(c call, m *message.Message) int { return replace(c, m, (*message.Message).Values) })},
		)
	}
	return all
}

// onRequest makes the method that changes a part of the request's first line.
func onRequest(set func(m *message.Message, text []byte) error) func(call) int {
	return func(c call) int {
		_, m := c.checkHTTP(sample.Request)
		c.PushBool(set(m, []byte(c.CheckString(2))) == nil)
		return 1
	}
}

// setQuery sets the query, whose question mark may be left out.
func setQuery(m *message.Message, text []byte) error {
	if len(text) > 0 && text[0] != '?' {
		text = append([]byte{'?'}, text...)
	}
	return m.SetQuery(text)
}

// pushHeaders pushes a table of the headers of a message: lists of values, which begin at 0, by name.
func (c call) pushHeaders(m *message.Message) {
	c.NewTable()
	for i := range m.Fields {
		name := string(m.Name(i))
		if name == "" {
			continue // removed
		}
		name = strings.ToLower(name)
		at := 0
		if c.Field(-1, name) == lua54.TypeNil {
			c.Pop(1)
			c.NewTable()
			c.Copy(-1)
			c.SetField(-3, name)
		} else {
			at = c.RawLen(-1) + 1
		}
		c.PushBytes(m.Value(i))
		c.RawSetInt(-2, at)
		c.Pop(1)
	}
}

func delHeader(c call, m *message.Message) int {
	m.RemoveAll(strings.ToLower(c.CheckString(2)))
	return 0
}

func addHeader(c call, m *message.Message) int {
	name, value := c.CheckString(2), c.CheckString(3)
	if strings.ContainsAny(name, "\x00\r\n") || strings.ContainsAny(value, "\x00\r\n") {
		return c.Raise()
	}
	m.AddString(strings.ToLower(name), value)
	return 0
}

// replace rewrites the values of a header by a regular expression.
func replace(c call, m *message.Message, each func(*message.Message, string) message.Values) int {
	name, pattern, with := c.CheckString(2), c.CheckString(3), c.CheckString(4)
	re, err := sample.CompileRegex(pattern, false)
	if err != nil {
		return c.ArgError(3, "invalid regex")
	}
	var groups sample.Groups
	for v := each(m, strings.ToLower(name)); v.Next(); {
		src := v.Bytes()
		if !re.Find(src, true, &groups) {
			continue
		}
		if out, ok := sample.AppendReplacement(nil, with, src, &groups); ok {
			v.Replace(out)
		}
	}
	return 0
}
