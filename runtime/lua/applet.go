package lua

import (
	"bytes"

	"hapax/acl/sample"
	"hapax/runtime"
)

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
	switch {
	case a.s != nil:
	case a.pipe == nil:
		c.Errorf("variables and samples of commands are not supported by hapax yet")
	default:
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
			if a.f.kind == command {
				return 0 // as on the reference, a command keeps nothing
			}
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
	in, more := a.io.In()
	n, whole := take(in)
	got = append(got, in[:n]...)
	a.io.Take(n)
	if whole || !more {
		c.PushBytes(got)
		return 1
	}
	return c.wait(pause{}, func(c call) int { return a.receive(c, got, take) })
}

// send takes the text at 2 from offset at on.
func (a *applet) send(c call, at int) int {
	text := c.Bytes(2)
	for at < len(text) && a.io.Room() && !a.io.Gone() {
		n := min(len(text)-at, 16<<10)
		if !a.bare {
			a.io.Write(text[at : at+n])
		}
		at += n
	}
	if at < len(text) && !a.io.Gone() {
		return c.wait(pause{}, func(c call) int { return a.send(c, at) })
	}
	c.PushInt(int64(at))
	return 1
}

func tcpMethods() []method {
	return append(appletMethods("AppletTCP"), method{"try_receive", func(c call) int {
		a := checkApplet(c, "AppletTCP")
		in, more := a.io.In()
		if len(in) == 0 && more {
			c.PushNil()
			return 1
		}
		c.PushBytes(in)
		a.io.Take(len(in))
		return 1
	}})
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
