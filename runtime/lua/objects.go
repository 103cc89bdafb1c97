package lua

import (
	"strconv"

	"hapax/runtime"
	"hapax/runtime/balance"
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

		"listeners": missingField("listeners"), "stktable": missingField("stktable"), "mailers": missingField("mailers"),
	})
	st.class("Server", serverMethods())
	st.lazy("Server", map[string]func(c call){
		"name": func(c call) { c.PushString(self[*runtime.Server](c, 1, "Server").Name) },
		"puid": func(c call) { c.PushString(strconv.Itoa(self[*runtime.Server](c, 1, "Server").ID)) },
	})
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

func proxyMethods() []method {
	px := func(name string, push func(c call, px *runtime.Proxy)) method { return on("Proxy", name, push) }
	all := []method{
		px("get_name", func(c call, px *runtime.Proxy) { c.PushString(px.Name) }),
		px("get_uuid", func(c call, px *runtime.Proxy) { c.PushString(strconv.Itoa(px.ID)) }),
		px("get_cap", func(c call, px *runtime.Proxy) { c.PushString(px.Kind) }),
		px("get_mode", func(c call, px *runtime.Proxy) {
			c.PushString(map[runtime.Mode]string{runtime.ModeHTTP: "http", runtime.ModeTCP: "tcp"}[px.Mode])
		}),
		px("get_srv_act", func(c call, px *runtime.Proxy) {
			active, _ := balance.Counts(px)
			c.PushInt(int64(active))
		}),
		px("get_srv_bck", func(c call, px *runtime.Proxy) {
			_, backup := balance.Counts(px)
			c.PushInt(int64(backup))
		}),
	}
	for _, name := range []string{"pause", "resume", "stop", "shut_bcksess", "get_stats", "get_mailers"} {
		all = append(all, missing(name))
	}
	return all
}

func serverMethods() []method {
	srv := func(name string, push func(c call, srv *runtime.Server)) method { return on("Server", name, push) }
	all := []method{
		srv("get_name", func(c call, srv *runtime.Server) { c.PushString(srv.Name) }),
		srv("get_puid", func(c call, srv *runtime.Server) { c.PushString(strconv.Itoa(srv.ID)) }),
		srv("is_draining", func(c call, srv *runtime.Server) {
			c.PushBool(runtime.Admin(srv.AdminState.Load())&runtime.Drain != 0 || srv.UserWeight.Load() == 0)
		}),
		srv("is_backup", func(c call, srv *runtime.Server) { c.PushBool(srv.Backup) }),
		srv("get_cur_sess", func(c call, srv *runtime.Server) { c.PushInt(srv.Current.Load()) }),
		srv("get_pend_conn", func(c call, srv *runtime.Server) { c.PushInt(srv.Queued.Load()) }),
		srv("get_maxconn", func(c call, srv *runtime.Server) { c.PushInt(int64(srv.MaxConn.Load())) }),
		srv("get_weight", func(c call, srv *runtime.Server) { c.PushInt(int64(srv.UserWeight.Load())) }),
		srv("get_proxy", func(c call, srv *runtime.Server) { c.object("Proxy", srv.Proxy) }),
		srv("get_addr", func(c call, srv *runtime.Server) { c.PushString(addressOf(srv)) }),
	}
	for _, name := range []string{"get_rid", "is_dynamic", "set_maxconn", "set_weight", "set_addr", "get_stats", "shut_sess", "set_drain", "set_maint", "set_ready",
		"check_enable", "check_disable", "check_force_up", "check_force_nolb", "check_force_down", "agent_enable", "agent_disable", "agent_force_up",
		"agent_force_down", "tracking", "get_trackers", "event_sub"} {
		all = append(all, missing(name))
	}
	return all
}

// addressOf is the address of a server as scripts see it.
func addressOf(srv *runtime.Server) string {
	a := srv.Addr.Load()
	switch {
	case a == nil:
	case a.Family == runtime.FamilyIPv4 || a.Family == runtime.FamilyIPv6:
		return a.IP.Addr().String() + ":" + strconv.Itoa(int(a.IP.Port()))
	case a.Path != "":
		return a.Path
	}
	return "<unknown>"
}
