package lua

import (
	"strconv"

	"hapax/runtime"
	"hapax/runtime/lua/lua54"
)

// listing is a table of objects by name that follows what the program has: nothing of it is kept.
type listing struct {
	names func() []string
	push  func(c call, name string) // nil when there is none of the name
}

// declareObjects makes the classes Proxy and Server, and the tables of proxies in the "core" on the top of the stack.
func (st *state) declareObjects() {
	s := st.main
	st.class("Proxy", proxyMethods())
	st.lazy("Proxy", map[string]func(c call){
		"name":    func(c call) { c.PushString(self[*runtime.Proxy](c, 1, "Proxy").Name) },
		"uuid":    func(c call) { c.PushString(strconv.Itoa(self[*runtime.Proxy](c, 1, "Proxy").ID)) },
		"servers": func(c call) { c.list(servers(self[*runtime.Proxy](c, 1, "Proxy"))) },

		"listeners": pushListeners, "stktable": pushTable,
	})
	st.class("Server", serverMethods())
	st.lazy("Server", map[string]func(c call){
		"name": func(c call) { c.PushString(self[*runtime.Server](c, 1, "Server").Name) },
		"puid": func(c call) { c.PushString(strconv.Itoa(self[*runtime.Server](c, 1, "Server").ID)) },
	})
	st.class("Listener", []method{statistics[*runtime.Listener]("Listener")})
	st.class("StickTable", tableMethods())
	s.NewTable()
	st.push(s, func(c call) int {
		if l, ok := c.held(1).(*listing); ok {
			l.push(c, c.Str(2))
			return 1
		}
		return 0
	})
	s.SetField(-2, "__index")
	st.push(s, func(c call) int { return 0 }) // nothing can be put there
	s.SetField(-2, "__newindex")
	st.push(s, pairs)
	s.SetField(-2, "__pairs")
	st.keepClass(s, "Listing")
	for name, caps := range map[string]runtime.Cap{"proxies": runtime.CapFront | runtime.CapBack, "frontends": runtime.CapFront, "backends": runtime.CapBack} {
		call{s, st}.list(st.m.proxies(caps))
		s.SetField(-2, name)
	}
}

// list pushes a listing.
func (c call) list(l *listing) { c.object("Listing", l) }

// pairs walks through a listing as it is now.
func pairs(c call) int {
	l := self[*listing](c, 1, "Listing")
	names := l.names()
	at := 0
	c.st.push(c.State, func(c call) int {
		for at < len(names) {
			name := names[at]
			at++
			c.PushString(name)
			l.push(c, name)
			if c.Type(-1) != lua54.TypeNil {
				return 2
			}
			c.Pop(2)
		}
		c.PushNil()
		return 1
	})
	return 1
}

// proxies are those that have one of some sides.
func (m *machine) proxies(caps runtime.Cap) *listing {
	return &listing{
		names: func() (names []string) {
			for _, px := range m.cfg.AllProxies() {
				if px.Caps&caps != 0 {
					names = append(names, px.Name)
				}
			}
			return names
		},
		push: func(c call, name string) {
			for _, px := range m.cfg.AllProxies() {
				if px.Name == name && px.Caps&caps != 0 {
					c.object("Proxy", px)
					return
				}
			}
			c.PushNil()
		},
	}
}

// servers are those of a backend.
func servers(px *runtime.Proxy) *listing {
	return &listing{
		names: func() (names []string) {
			for _, srv := range px.AllServers() {
				names = append(names, srv.Name)
			}
			return names
		},
		push: func(c call, name string) {
			if srv := px.ServerByName([]byte(name)); srv != nil {
				c.object("Server", srv)
				return
			}
			c.PushNil()
		},
	}
}

// on makes a method that tells something of an object.
func on[T any](class, name string, push func(c call, v T)) method {
	return method{name, func(c call) int {
		push(c, self[T](c, 1, class))
		return 1
	}}
}
