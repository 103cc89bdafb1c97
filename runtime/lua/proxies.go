package lua

import (
	"strconv"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/mailer"
)

// does makes a method that does something with an object, and tells nothing.
func does[T any](class, name string, run func(c call, v T)) method {
	return method{name, func(c call) int {
		run(c, self[T](c, 1, class))
		return 0
	}}
}

func proxyMethods() []method {
	px := func(name string, push func(c call, px *runtime.Proxy)) method { return on("Proxy", name, push) }
	do := func(name string, run func(c call, px *runtime.Proxy)) method { return does("Proxy", name, run) }
	return []method{
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
		statistics[*runtime.Proxy]("Proxy"),
		do("pause", func(c call, px *runtime.Proxy) { go c.host("pause").Listeners.Pause(px) }),
		do("resume", func(c call, px *runtime.Proxy) { go c.host("resume").Listeners.Resume(px) }),
		do("stop", func(c call, px *runtime.Proxy) { go c.host("stop").Listeners.Stop(px) }),
		do("shut_bcksess", func(c call, px *runtime.Proxy) {
			checks := c.host("shut_bcksess").Checks
			for _, srv := range px.AllServers() {
				if srv.Backup {
					checks.EndStreams(srv)
				}
			}
		}),
		px("get_mailers", pushMailers),
	}
}

// pushMailers pushes what the lines on alerts by mail say of a proxy; nothing where there are none.
func pushMailers(c call, px *runtime.Proxy) {
	a := mailer.Of(px)
	if a == nil {
		c.PushNil()
		return
	}
	c.NewTable()
	c.setBool("track_server_health", px.Options&runtime.OptLogHealth != 0)
	c.setInt("log_level", a.Level)
	c.setString("smtp_hostname", a.Hostname)
	c.setString("smtp_from", a.From)
	c.setString("smtp_to", a.To)
	c.setInt("mailservers_timeout", int(a.Servers.Timeout.Milliseconds()))
	c.NewTable()
	for _, s := range a.Servers.List {
		c.setString(s.Name, s.Addr)
	}
	c.SetField(-2, "mailservers")
}

// pushListeners pushes a table of the listeners of a proxy by name: "sock-" and a number for those that have none.
func pushListeners(c call) {
	px := self[*runtime.Proxy](c, 1, "Proxy")
	c.NewTable()
	unnamed := 0
	for _, ln := range px.Listeners {
		name := ln.Name
		if name == "" {
			unnamed++
			name = "sock-" + strconv.Itoa(unnamed)
		}
		c.object("Listener", ln)
		c.SetField(-2, name)
	}
}

// pushTable pushes the stick table of a proxy.
func pushTable(c call) {
	px := self[*runtime.Proxy](c, 1, "Proxy")
	for _, t := range c.st.m.cfg.Tables {
		if t.Name == px.Name {
			c.object("StickTable", t)
			return
		}
	}
	c.PushNil()
}
