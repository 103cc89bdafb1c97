package lua

import (
	"errors"
	"strings"

	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
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
	a.io = a.pipe
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
	io    ends // the pipe; of a command, what has asked for it
	timer loop.Timer
	t     *thread // nil: not begun, or over
	begun bool
	priv  int // reference; 0: none

	status int
	reason string
	sent   bool // the head of the response
	bare   bool // the response has no body, whatever is sent
}

// ends is what an applet reads from and writes to.
type ends interface {
	In() (in []byte, more bool) // what came and was not taken, and whether more may come
	Take(n int)
	Write(p []byte)
	Room() bool // for some more
	Gone() bool // nobody reads any more
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
	if a.f.kind == command {
		a.m.complain(nil, "Lua cli '%s': %s.", a.name, text)
		return
	}
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
	most := a.m.service
	if a.f.kind == command {
		most = a.m.session
	}
	a.t = a.st.thread(most, a.s)
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
	if a.pipe != nil {
		a.timer.Stop()
	}
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
