package lua

import (
	"fmt"
	"strings"
	"time"

	"hapax/runtime/httpclient"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/message"
)

// client is what scripts know as an HTTPClient: it makes one request.
type client struct{ used bool }

func newClient(c call) int {
	c.object("HTTPClient", &client{})
	return 1
}

func clientMethods() []method {
	var all []method
	for _, name := range []string{"get", "head", "put", "post", "delete"} {
		all = append(all, method{name, func(c call) int { return request(c, strings.ToUpper(name)) }})
	}
	return all
}

// answer is what came of a request.
type answer struct {
	status int
	reason string
	fields [][2]string
	body   []byte
}

// request makes the request that a table describes, and gives the response as a table.
func request(c call, name string) int {
	h := self[*client](c, 1, "HTTPClient")
	if c.Top() != 2 || c.Type(2) != lua54.TypeTable {
		return c.Errorf("'%s' needs a table as argument", strings.ToLower(name))
	}
	if h.used {
		return c.Errorf("The httpclient instance cannot be reused. It must be renewed using core.httpclient().")
	}
	r := &httpclient.Request{Method: name}
	var timeout time.Duration
	dst := ""
	for c.PushNil(); c.Next(2); c.Pop(1) {
		switch key := c.Str(-2); key {
		case "url":
			r.URL = c.Str(-1)
		case "body":
			r.Body = string(c.Bytes(-1))
		case "headers":
			if c.Type(-1) != lua54.TypeTable {
				return c.Errorf("invalid headers table")
			}
			r.Header = c.requestHeader(c.Top())
		case "timeout":
			n, _ := c.Int(-1)
			timeout = time.Duration(n) * time.Millisecond
		case "dst":
			dst = c.Str(-1)
		default:
			return c.Errorf("'%s' invalid parameter name", key)
		}
	}
	if r.URL == "" {
		return c.Errorf("'%s' need a 'url' argument", strings.ToLower(name))
	}
	of := httpclient.Of(c.st.m.cfg)
	if of == nil {
		return c.Errorf("Can't generate the HTTP request.")
	}
	h.used = true
	a := &answer{}
	if dst == "" {
		return c.send(func() { a.fetch(of, r, timeout) }, a.give)
	}
	secret := strings.HasPrefix(strings.ToLower(r.URL), "https:")
	port := 80
	if secret {
		port = 443
	}
	if strings.Contains(strings.TrimPrefix(dst, "["), ":") && !strings.HasSuffix(dst, "]") {
		port = 0 // it names its own
	}
	network, target, ok := destination(dst, port)
	if !ok {
		return c.Errorf("invalid 'dst' argument")
	}
	return c.send(func() {
		if r.Conn, _ = dial(network, target, socketTimeout, secret); r.Conn != nil {
			a.fetch(of, r, timeout)
		}
	}, a.give)
}

// requestHeader writes the headers of a table of names and lists of values.
func (c call) requestHeader(at int) string {
	var b strings.Builder
	for c.PushNil(); c.Next(at); c.Pop(1) {
		if c.Type(-1) != lua54.TypeTable {
			c.Errorf("invalid headers table")
		}
		name := c.Display(-2)
		values := c.Top()
		for c.PushNil(); c.Next(values); c.Pop(1) {
			value := c.Display(-1)
			if strings.ContainsAny(name+value, "\x00\r\n") {
				c.Errorf("invalid headers table")
			}
			fmt.Fprintf(&b, "%s: %s\r\n", strings.ToLower(name), value)
		}
	}
	return b.String()
}

// fetch makes the exchange; one that fails leaves a status of 0.
func (a *answer) fetch(of *httpclient.Client, r *httpclient.Request, timeout time.Duration) {
	x, err := of.Send(r)
	if err != nil {
		return
	}
	defer x.Close()
	patience := time.Hour
	if timeout > 0 {
		patience = timeout
	}
	for {
		part, data, err := x.Next(patience)
		switch {
		case err != nil || part == httpclient.Later || part == httpclient.End:
			return
		case part == httpclient.Head:
			a.keep(x.Response())
		default:
			a.body = append(a.body, data...)
		}
	}
}

// keep copies the head of a response.
func (a *answer) keep(m *message.Message) {
	a.status, a.reason = int(m.Status), string(m.Reason())
	for i := range m.Fields {
		if name := string(m.Name(i)); name != "" {
			a.fields = append(a.fields, [2]string{strings.ToLower(name), string(m.Value(i))})
		}
	}
}

// give pushes the response.
func (a *answer) give(c call) int {
	c.NewTable()
	c.PushInt(int64(a.status))
	c.SetField(-2, "status")
	c.PushString(a.reason)
	c.SetField(-2, "reason")
	c.PushBytes(a.body)
	c.SetField(-2, "body")
	c.NewTable()
	for _, f := range a.fields {
		at := 0
		if c.Field(-1, f[0]) == lua54.TypeNil {
			c.Pop(1)
			c.NewTable()
			c.Copy(-1)
			c.SetField(-3, f[0])
		} else {
			at = c.RawLen(-1) + 1
		}
		c.PushString(f[1])
		c.RawSetInt(-2, at)
		c.Pop(1)
	}
	c.SetField(-2, "headers")
	return 1
}
