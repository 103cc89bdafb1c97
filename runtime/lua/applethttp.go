package lua

import (
	"fmt"
	"strconv"
	"strings"

	"hapax/runtime/lua/lua54"
	"hapax/runtime/message"
)

func httpAppletMethods() []method {
	return append(appletMethods("AppletHTTP"),
		method{"set_status", func(c call) int {
			a := checkApplet(c, "AppletHTTP")
			status := c.CheckInt(2)
			if status < 100 || status > 599 {
				c.PushBool(false)
				return 1
			}
			a.status, a.reason = int(status), ""
			if c.Type(3) == lua54.TypeString {
				a.reason = c.Str(3)
			}
			c.PushBool(true)
			return 1
		}},
		method{"add_header", func(c call) int {
			checkApplet(c, "AppletHTTP")
			name := c.CheckString(2)
			c.CheckString(3)
			const what = "Lua: 'add_header' internal error: AppletHTTP['response'"
			if t := c.Field(1, "response"); t != lua54.TypeTable {
				return c.Errorf(what+"] is expected as an array. %s found", t)
			}
			return c.addValue(name, what+"]['%s'] is expected as an array. %s found")
		}},
		method{"start_response", func(c call) int { return checkApplet(c, "AppletHTTP").start(c) }},
	)
}

// start sends the head of the response.
func (a *applet) start(c call) int {
	if a.sent {
		return c.Errorf("Lua: 'start_response' the response is already started.")
	}
	s := a.stream(c)
	version := "1.0"
	if s.Req.Flags&message.Version11 != 0 {
		version = "1.1"
	}
	reason := a.reason
	if reason == "" {
		reason = message.ReasonOf(a.status)
	}
	head := fmt.Appendf(nil, "HTTP/%s %d %s\r\n", version, a.status, reason)
	if c.Field(1, "response") != lua54.TypeTable {
		return c.Errorf("Lua applet http '%s': AppletHTTP['response'] missing.\n", a.name)
	}
	sized := false
	for _, h := range a.responseHeaders(c, c.Top()) {
		switch strings.ToLower(h[0]) {
		case "transfer-encoding":
			continue // a body without a length goes in chunks anyway
		case "content-length":
			if _, err := strconv.ParseUint(h[1], 10, 63); err != nil {
				return c.Errorf("Lua applet http '%s': Invalid '%s' header.\n", a.name, h[0])
			}
			if sized {
				continue
			}
			sized = true
		}
		if strings.ContainsAny(h[0]+h[1], "\x00\r\n") {
			return c.Errorf("Lua applet http '%s': Failed to add header '%s' in the response.\n", a.name, h[0])
		}
		head = fmt.Appendf(head, "%s: %s\r\n", strings.ToLower(h[0]), h[1])
	}
	a.bare = s.Method == message.HEAD || a.status < 200 || a.status == 204 || a.status == 304
	a.sent = true
	a.io.Write(append(head, "\r\n"...))
	return 0
}

// responseHeaders are those of the table at i, in Lua's order.
func (a *applet) responseHeaders(c call, i int) (all [][2]string) {
	const what = "Lua applet http '%s': AppletHTTP['response']"
	for c.PushNil(); c.Next(i); c.Pop(1) {
		if t := c.Type(-2); t != lua54.TypeString {
			c.Errorf(what+"[] element must be a string. got %s.\n", a.name, t)
		}
		name := c.Str(-2)
		if t := c.Type(-1); t != lua54.TypeTable {
			c.Errorf(what+"['%s'] element must be an table. got %s.\n", a.name, name, t)
		}
		values := c.Top()
		for c.PushNil(); c.Next(values); c.Pop(1) {
			if t := c.Type(-2); t != lua54.TypeNumber {
				c.Errorf(what+"['%s'][] element must be a number. got %s.\n", a.name, name, t)
			}
			n, _ := c.Int(-2)
			// The reference takes only strings; add_header of a number has made it one there.
			if t := c.Type(-1); t != lua54.TypeString && t != lua54.TypeNumber {
				c.Errorf(what+"['%s'][%d] element must be a string. got %s.\n", a.name, name, n, t)
			}
			all = append(all, [2]string{name, c.Display(-1)})
		}
	}
	return all
}

// requestFields are what scripts find in an AppletHTTP, made when they first ask for it.
func requestFields() map[string]func(c call) {
	text := func(of func(m *message.Message) []byte) func(c call) {
		return func(c call) { c.PushBytes(of(&checkApplet(c, "AppletHTTP").stream(c).Req)) }
	}
	fields := appletFields("AppletHTTP")
	fields["method"] = text((*message.Message).MethodName)
	fields["version"] = text((*message.Message).Version)
	fields["path"] = text((*message.Message).Path)
	fields["qs"] = text((*message.Message).Query)
	fields["headers"] = func(c call) { c.pushHeaders(&checkApplet(c, "AppletHTTP").stream(c).Req) }
	fields["length"] = func(c call) {
		n := int64(0)
		if s := checkApplet(c, "AppletHTTP").stream(c); s.Req.Flags&message.ContentLength != 0 {
			n = int64(s.Req.BodyLength) - int64(len(s.Ctx.ReqBody.Data)) // what had not come with the head
		}
		c.PushInt(n)
	}
	fields["response"] = func(c call) { c.NewTable() }
	return fields
}
