package lua

import (
	"slices"
	"strconv"
	"strings"

	"hapax/runtime"
	"hapax/runtime/check"
)

// by is who changes servers, as messages tell it.
const by = "Lua script"

func serverMethods() []method {
	srv := func(name string, push func(c call, srv *runtime.Server)) method { return on("Server", name, push) }
	checks := func(name string, run func(checks *check.Checks, srv *runtime.Server)) method {
		return does("Server", name, func(c call, srv *runtime.Server) { run(c.host(name).Checks, srv) })
	}
	health := func(name string, state runtime.ServerState) method {
		return checks(name, func(checks *check.Checks, srv *runtime.Server) {
			if srv.Track == nil {
				checks.SetHealth(srv, state, by)
			}
		})
	}
	agent := func(name string, up bool) method {
		return checks(name, func(checks *check.Checks, srv *runtime.Server) {
			if srv.Agent.Asked() {
				checks.SetAgentHealth(srv, up, by)
			}
		})
	}
	return []method{
		srv("get_name", func(c call, srv *runtime.Server) { c.PushString(srv.Name) }),
		srv("get_puid", func(c call, srv *runtime.Server) { c.PushString(strconv.Itoa(srv.ID)) }),
		srv("get_rid", func(c call, srv *runtime.Server) { c.PushString(strconv.Itoa(srv.Revision)) }),
		srv("is_draining", func(c call, srv *runtime.Server) {
			c.PushBool(runtime.Admin(srv.AdminState.Load())&runtime.Drain != 0 || srv.UserWeight.Load() == 0)
		}),
		srv("is_backup", func(c call, srv *runtime.Server) { c.PushBool(srv.Backup) }),
		srv("is_dynamic", func(c call, srv *runtime.Server) { c.PushBool(srv.Dynamic) }),
		srv("get_cur_sess", func(c call, srv *runtime.Server) { c.PushInt(srv.Current.Load()) }),
		srv("get_pend_conn", func(c call, srv *runtime.Server) { c.PushInt(srv.Queued.Load()) }),
		srv("get_maxconn", func(c call, srv *runtime.Server) { c.PushInt(int64(uint32(srv.MaxConn.Load()))) }),
		srv("get_weight", func(c call, srv *runtime.Server) { c.PushInt(int64(srv.UserWeight.Load())) }),
		srv("get_proxy", func(c call, srv *runtime.Server) { c.object("Proxy", srv.Proxy) }),
		srv("get_addr", func(c call, srv *runtime.Server) { c.PushString(addressOf(srv)) }),
		statistics[*runtime.Server]("Server"),
		srv("set_maxconn", func(c call, srv *runtime.Server) {
			n, fault := check.ParseMaxConn(c.CheckString(2))
			if fault == "" {
				c.host("set_maxconn").Checks.SetMaxConn(srv, n)
			}
			c.pushFault(strings.TrimSpace(fault))
		}),
		srv("set_weight", func(c call, srv *runtime.Server) {
			w, fault := check.ParseWeight(srv, c.CheckString(2))
			if fault == "" {
				c.host("set_weight").Checks.SetWeight(srv, w)
			}
			c.pushFault(strings.TrimSpace(fault))
		}),
		srv("set_addr", setAddr),
		checks("shut_sess", (*check.Checks).EndStreams),
		checks("set_drain", (*check.Checks).SetDrain),
		checks("set_maint", (*check.Checks).SetMaint),
		checks("set_ready", (*check.Checks).SetReady),
		checks("check_enable", func(checks *check.Checks, srv *runtime.Server) {
			if srv.CheckOn {
				checks.SetChecks(srv, true)
			}
		}),
		checks("check_disable", func(checks *check.Checks, srv *runtime.Server) {
			if srv.CheckOn {
				checks.SetChecks(srv, false)
			}
		}),
		health("check_force_up", runtime.ServerRunning),
		health("check_force_nolb", runtime.ServerStopping),
		health("check_force_down", runtime.ServerStopped),
		checks("agent_enable", func(checks *check.Checks, srv *runtime.Server) {
			if srv.Agent.On {
				checks.SetAgent(srv, true)
			}
		}),
		checks("agent_disable", func(checks *check.Checks, srv *runtime.Server) {
			if srv.Agent.On {
				checks.SetAgent(srv, false)
			}
		}),
		agent("agent_force_up", true),
		agent("agent_force_down", false),
		srv("tracking", func(c call, srv *runtime.Server) {
			if srv.Track == nil {
				c.PushNil()
				return
			}
			c.object("Server", srv.Track)
		}),
		srv("get_trackers", pushTrackers),
		{"event_sub", func(c call) int {
			srv := self[*runtime.Server](c, 1, "Server")
			c.Remove(1)
			return c.subscribe(followServers(&srv.Events))
		}},
	}
}

// setAddr moves a server: what was wrong with that, or what has changed, is told as the runtime API does.
func setAddr(c call, srv *runtime.Server) {
	line := "set server " + srv.Proxy.Name + "/" + srv.Name + " addr " + word(c.CheckString(2))
	if c.Top() >= 3 {
		line += " port " + word(c.CheckString(3))
	}
	said := strings.TrimSpace(c.host("set_addr").Run(line))
	c.pushFault(strings.Replace(said, "'stats socket command'", "'"+by+"'", 1))
}

// word writes a text as one word of a command.
func word(text string) string {
	return strings.NewReplacer("\\", "\\\\", " ", "\\ ", ";", "\\;", "\n", "\\ ", "<", "\\<").Replace(text)
}

// pushTrackers pushes a list of the servers that track one, those that came last first.
func pushTrackers(c call, srv *runtime.Server) {
	c.NewTable()
	n := 0
	for _, px := range slices.Backward(c.st.m.cfg.AllProxies()) {
		for _, other := range slices.Backward(px.AllServers()) {
			if other.Track == srv {
				n++
				c.object("Server", other)
				c.RawSetInt(-2, n)
			}
		}
	}
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
