package lua

import (
	"bytes"
	"errors"
	"fmt"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/lua/lua54"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

func registerService(c call) int {
	c.wants(3, "register_service")
	c.inBody("register_service")
	name, env := c.CheckString(1), c.CheckString(2)
	ref := c.checkFunction(3)
	if env != "tcp" && env != "http" {
		return c.Errorf("Lua service environment '%s' is unknown. 'tcp' or 'http' are expected.", env)
	}
	c.st.register(function{kind: service, name: name, http: env == "http"}, ref)
	return 0
}

// Service is the action that lets a service of a script answer; nil when no script has registered one of that name, which
// begins with "lua.".
func Service(l *config.Loader, a *config.ActionLine, name string) (runtime.Exec, error) {
	m := of(l.Config)
	name, ok := strings.CutPrefix(name, "lua.")
	if m == nil || !ok {
		return nil, nil
	}
	for _, f := range m.functions {
		if f.kind != service || f.name != name {
			continue
		}
		switch {
		case f.http && a.Kind != runtime.HTTPReqRules:
			return nil, errors.New("HTTP applets are forbidden from 'tcp-request' rulesets")
		case !f.http && a.Proxy.Mode == runtime.ModeHTTP:
			return nil, errors.New("Lua TCP services cannot be used on HTTP proxies")
		}
		served := &served{m: m, f: f, name: "<lua." + name + ">"}
		return func(s *runtime.Stream) runtime.Verdict {
			s.Applet = served
			return runtime.Serve
		}, nil
	}
	return nil, nil
}

// served is a service of a script: a runtime.Applet.
type served struct {
	m    *machine
	f    *function
	name string
}

// Name implements runtime.Applet.
func (v *served) Name() string { return v.name }

// Open implements runtime.Applet.
func (v *served) Open(s *runtime.Stream, l *loop.Loop) *transport.Pipe {
	a := &applet{served: v, st: v.m.stateOf(v.f, s.Loop), s: s, who: int32(s.Loop + 1), loop: l, status: 200}
	a.timer.Init(l, a)
	a.pipe = transport.NewPipe(l, a)
	scriptOf(s).applet = a
	return a.pipe
}

// applet is one call of a service: it serves one stream. It is what scripts know as AppletHTTP or AppletTCP.
type applet struct {
	*served
	st    *state
	s     *runtime.Stream // nil: it is over
	who   int32           // the loop, for the lock
	loop  *loop.Loop
	pipe  *transport.Pipe
	timer loop.Timer
	t     *thread // nil: not begun, or over
	begun bool
	priv  int // reference; 0: none

	status int
	reason string
	sent   bool // the head of the response
	bare   bool // the response has no body, whatever is sent
}

// class is what scripts know it as.
func (a *applet) class() string {
	if a.f.http {
		return "AppletHTTP"
	}
	return "AppletTCP"
}

// leave tells that the stream is over: what the script still does is for nobody.
func (a *applet) leave() {
	a.s = nil
	if a.t != nil {
		a.t.s = nil
	}
}

// Expired goes on with a script that slept.
func (a *applet) Expired(*loop.Timer) { a.Progress() }

// Progress runs the script on. What it waits for it looks at itself.
func (a *applet) Progress() {
	if a.begun && a.t == nil {
		a.drain()
		return
	}
	a.st.lock(a.who)
	defer a.st.unlock()
	if !a.begun {
		a.begun = true
		if !a.begin() {
			a.fail()
			return
		}
	}
	t := a.t
	if a.s == nil && a.pipe.Gone() { // as with the reference, nothing goes on for a stream that is over
		a.end()
		return
	}
	e, fault := t.run(true)
	switch e {
	case again:
		a.waitFor(t)
		return
	case done:
		a.end()
		a.finish()
		return
	case failed:
		a.complain(fault)
	default:
		a.complain(e.String())
	}
	a.end()
	a.fail()
}

func (a *applet) complain(text string) {
	kind := "tcp"
	if a.f.http {
		kind = "http"
	}
	var px *runtime.Proxy
	if a.s != nil {
		px = a.s.Back
	}
	a.m.complain(px, "Lua applet %s '%s': %s.", kind, a.name, text)
}

// begin prepares the call.
func (a *applet) begin() bool {
	a.t = a.st.thread(a.m.service, a.s)
	if a.t == nil {
		a.complain("can't initialize Lua context")
		return false
	}
	fault, ok := a.t.co.Protect(func() {
		a.t.co.PushRef(a.f.refs[a.st.id])
		call{a.t.co, a.st}.object(a.class(), a)
		a.t.args = 1
	})
	if !ok {
		a.complain(fault)
		a.end()
	}
	return ok
}

// end gives the coroutine back.
func (a *applet) end() {
	a.timer.Stop()
	a.t.co.Unref(a.priv)
	a.t.end()
	a.t = nil
}

// waitFor has the script go on when its pause is over, or something came.
func (a *applet) waitFor(t *thread) {
	switch {
	case t.forced:
		a.pipe.Wake()
		return
	case t.pause.until > 0:
		a.timer.After(t.pause.until)
	}
	if begin := t.pause.begin; begin != nil {
		begin(func() { a.loop.PostFunc(a.Progress) })
	}
}

// drain takes what nobody reads any more.
func (a *applet) drain() {
	in, _ := a.pipe.In()
	a.pipe.Take(len(in))
}

// finish ends the response.
func (a *applet) finish() {
	a.drain()
	switch {
	case !a.f.http:
		a.pipe.Finish(true)
	case !a.sent:
		a.fail()
	default:
		a.pipe.Finish(true)
	}
}

// fail ends the response in the middle; one that has not begun is a 500.
func (a *applet) fail() {
	a.drain()
	if a.s != nil && a.s.End.Cause == runtime.EndNone {
		a.s.End.Cause = runtime.EndResource
	}
	if a.f.http && !a.sent {
		a.sent = true
		a.pipe.Write([]byte(h1.ReplyFor(500).Raw))
		a.pipe.Finish(true)
		return
	}
	a.pipe.Finish(false)
}

// checkApplet gives the applet that a method is called on.
func checkApplet(c call, class string) *applet {
	a := self[*applet](c, 1, class)
	if a.class() != class {
		c.ArgError(1, class+" expected, got "+a.class())
	}
	return a
}

// stream is that which the applet serves; one that is gone has no variables any more.
func (a *applet) stream(c call) *runtime.Stream {
	if a.s == nil {
		c.Errorf("the stream of this applet is over")
	}
	return a.s
}

// appletMethods are those of both classes.
func appletMethods(class string) []method {
	return []method{
		{"set_priv", func(c call) int {
			c.wants(2, "set_priv")
			a := checkApplet(c, class)
			c.Unref(a.priv)
			c.Copy(2)
			a.priv = c.Ref()
			return 0
		}},
		{"get_priv", func(c call) int {
			c.wants(1, "get_priv")
			a := checkApplet(c, class)
			if a.priv == 0 {
				c.PushNil()
				return 1
			}
			c.PushRef(a.priv)
			return 1
		}},
		{"set_var", func(c call) int {
			c.between(3, 4, "set_var")
			a := checkApplet(c, class)
			return c.setVar(&a.stream(c).Ctx, c.CheckString(2), 3, c.Top() == 4 && c.Bool(4))
		}},
		{"unset_var", func(c call) int {
			c.wants(2, "unset_var")
			a := checkApplet(c, class)
			return c.unsetVar(&a.stream(c).Ctx, c.CheckString(2))
		}},
		{"get_var", func(c call) int {
			c.wants(2, "get_var")
			a := checkApplet(c, class)
			return c.getVar(&a.stream(c).Ctx, c.CheckString(2))
		}},
		{"getline", func(c call) int {
			a := checkApplet(c, class)
			return a.receive(c, nil, func(in []byte) (n int, whole bool) {
				if i := bytes.IndexByte(in, '\n'); i >= 0 {
					return i + 1, true
				}
				return len(in), false
			})
		}},
		{"receive", func(c call) int {
			a := checkApplet(c, class)
			if c.Top() > 2 {
				return c.Errorf("The 'recv' function requires between 1 and 2 arguments.")
			}
			left := -1
			if c.Top() == 2 {
				left = int(c.CheckInt(2))
			}
			return a.receive(c, nil, func(in []byte) (n int, whole bool) {
				n = len(in)
				if left >= 0 {
					n = min(n, left)
					left -= n
				}
				return n, left == 0
			})
		}},
		{"send", func(c call) int {
			a := checkApplet(c, class)
			c.CheckString(2)
			if a.f.http && !a.sent {
				return c.Errorf("Lua: 'send' you must call start_response() before sending data.")
			}
			c.SetTop(2)
			return a.send(c, 0)
		}},
	}
}

// receive gives the script what take wants of what comes, until that is whole or nothing more comes. got is what it has
// already.
func (a *applet) receive(c call, got []byte, take func(in []byte) (n int, whole bool)) int {
	in, more := a.pipe.In()
	n, whole := take(in)
	got = append(got, in[:n]...)
	a.pipe.Take(n)
	if whole || !more {
		c.PushBytes(got)
		return 1
	}
	return c.wait(pause{}, func(c call) int { return a.receive(c, got, take) })
}

// send takes the text at 2 from offset at on.
func (a *applet) send(c call, at int) int {
	text := c.Bytes(2)
	for at < len(text) && a.pipe.Room() && !a.pipe.Gone() {
		n := min(len(text)-at, 16<<10)
		if !a.bare {
			a.pipe.Write(text[at : at+n])
		}
		at += n
	}
	if at < len(text) && !a.pipe.Gone() {
		return c.wait(pause{}, func(c call) int { return a.send(c, at) })
	}
	c.PushInt(int64(at))
	return 1
}

func tcpMethods() []method {
	return append(appletMethods("AppletTCP"), method{"try_receive", func(c call) int {
		a := checkApplet(c, "AppletTCP")
		in, more := a.pipe.In()
		if len(in) == 0 && more {
			c.PushNil()
			return 1
		}
		c.PushBytes(in)
		a.pipe.Take(len(in))
		return 1
	}})
}

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
			switch t := c.Field(-1, name); t {
			case lua54.TypeNil:
				c.Pop(1)
				c.NewTable()
				c.Copy(-1)
				c.SetField(-3, name)
			case lua54.TypeTable:
			default:
				return c.Errorf(what+"]['%s'] is expected as an array. %s found", name, t)
			}
			c.Copy(3)
			c.RawSetInt(-2, c.RawLen(-2)+1)
			c.PushBool(true)
			return 1
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
	a.pipe.Write(append(head, "\r\n"...))
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

// appletFields are those of both classes.
func appletFields(class string) map[string]func(c call) {
	of := func(kind string, text bool) func(c call) {
		return func(c call) {
			a := checkApplet(c, class)
			s := a.stream(c)
			c.object(kind, &samples{txn: &txn{t: a.t, s: s, px: s.Back, dir: sample.Request}, text: text, service: true})
		}
	}
	return map[string]func(c call){"f": of("Fetches", false), "sf": of("Fetches", true), "c": of("Converters", false), "sc": of("Converters", true)}
}

// registerTask starts a function beside all streams.
func registerTask(c call) int {
	n := c.Top()
	switch {
	case n < 1:
		return c.Errorf("register_task: <func> argument is required")
	case n > 5:
		return c.Errorf("register_task: no more that 4 optional arguments may be provided")
	case c.Type(1) != lua54.TypeFunction:
		return c.ArgError(1, "function expected, got "+c.typeName(1))
	}
	m := c.st.m
	t := c.st.thread(m.task, nil)
	if t == nil {
		return c.Errorf("%s.", errNoMemory)
	}
	c.Move(t.co, n)
	t.args = n - 1
	if m.started.Load() {
		go t.live()
	} else {
		m.tasks = append(m.tasks, t)
	}
	return 0
}

// live runs a task to its end, outside of the loops.
func (t *thread) live() {
	m := t.st.m
	for {
		t.st.lock(0)
		e, fault := t.run(true)
		if e != again {
			t.end()
		}
		p, forced := t.pause, t.forced
		t.st.unlock()
		switch e {
		case done:
			return
		case again:
			if forced {
				goruntime.Gosched()
			} else {
				p.pass()
			}
			continue
		case failed:
			m.complain(nil, "Lua task: %s.", fault)
		default:
			m.complain(nil, "Lua task: %s.", e)
		}
		return
	}
}

// pass waits until the pause is over.
func (p *pause) pass() {
	var over <-chan time.Time
	if p.until > 0 {
		timer := time.NewTimer(p.until)
		defer timer.Stop()
		over = timer.C
	}
	if p.begin == nil {
		<-over
		return
	}
	told := make(chan struct{}, 1)
	p.begin(func() {
		select {
		case told <- struct{}{}:
		default:
		}
	})
	select {
	case <-told:
	case <-over:
	}
}
