package command

import (
	"strings"

	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/cookie"
	"hapax/stats/cli"
)

var dynamic = []cli.Command{
	{Doc: doc("add server", "make a server"), Level: cli.Admin, Run: addServer},
	{Doc: doc("del server", "delete a server that nothing uses any more"), Level: cli.Admin, Run: delServer},
	{Doc: doc("enable dynamic-cookie backend", "make cookies of the addresses of servers"), Level: cli.Admin, Run: enableDynamicCookie},
	{Doc: doc("disable dynamic-cookie backend", "make no cookies of the addresses of servers"), Level: cli.Admin, Run: disableDynamicCookie},
	{Doc: doc("set dynamic-cookie-key backend", "change the key of cookies that are made of addresses"), Level: cli.Admin, Run: setDynamicCookieKey},
}

func addServer(c *cli.Conn, args []string) cli.Step {
	name := cli.Arg(args, 2)
	if name == "help" {
		c.WriteString("List of keywords supported for dynamic server:\n")
		for _, word := range config.DynamicWords(process(c).Config) {
			c.Printf("%s\n", word)
		}
		return nil
	}
	p := process(c)
	p.making.Lock()
	defer p.making.Unlock()
	px, name := backendOf(c, name)
	if px == nil {
		return nil
	}
	if why := noDynamicServers(px); why != "" {
		return c.Fail("Backend does not support dynamic servers : " + why + ".")
	}
	if px.ServerByName([]byte(name)) != nil {
		return c.Fail("Already exists a server with the same name in backend.")
	}
	srv, fault := config.MakeServer(px, p.Config, append([]string{name}, args[3:]...))
	if srv == nil {
		return c.Fail(fault)
	}
	if p.deleted {
		p.revision, p.deleted = p.revision+1, false
	}
	srv.Revision = p.revision
	p.Servers.Join(srv, p.Listeners.JoinServer)
	return c.Say(cli.Info, "New server registered.")
}

// backendOf splits "backend/server" and finds the backend, or answers why not.
func backendOf(c *cli.Conn, text string) (px *runtime.Proxy, server string) {
	back, server, _ := strings.Cut(text, "/")
	if server == "" {
		c.Fail("Require 'backend/server'.")
		return nil, ""
	}
	if px = process(c).proxyWith(back, runtime.CapBack); px == nil {
		c.Fail("No such backend.")
	}
	return px, server
}

// removable finds a server that is to be deleted. Why tells what is against that; later, that
// this may change by itself.
func removable(p *Process, back, name string) (srv *runtime.Server, why string, later bool) {
	px := p.proxyWith(back, runtime.CapBack)
	if px == nil {
		return nil, "No such backend.", false
	}
	if srv = findServer(px, name); srv == nil {
		return nil, "No such server.", false
	}
	switch {
	case srv.Pinned:
		return srv, "This server cannot be removed at runtime due to other configuration elements pointing to it.", false
	case srv.AdminState.Load()&uint32(runtime.Maint) == 0:
		return srv, "Only servers in maintenance mode can be deleted.", false
	case srv.Used.Load() > 0 || hasIdle(srv) || srv.Queued.Load() > 0 || srv.Current.Load() > 0 || srv.Served.Load() > 0:
		return srv, "Server still has connections attached to it, cannot remove it.", true
	}
	return srv, "", false
}

func hasIdle(srv *runtime.Server) bool {
	idle, _ := srv.Idle()
	return idle > 0
}

func delServer(c *cli.Conn, args []string) cli.Step {
	p := process(c)
	p.making.Lock()
	defer p.making.Unlock()
	back, name, _ := strings.Cut(cli.Arg(args, 2), "/")
	if name == "" {
		return c.Fail("Require 'backend/server'.")
	}
	srv, why, _ := removable(p, back, name)
	if why != "" {
		return c.Fail(why)
	}
	p.Servers.Leave(srv, p.Listeners.LeaveServer)
	config.LeaveServer(p.Config, srv)
	p.deleted = true
	return c.Say(cli.Info, "Server deleted.")
}

// cookieBackend finds the backend of a command about dynamic cookies, or answers why not.
func cookieBackend(c *cli.Conn, name string) *runtime.Proxy {
	if name == "" {
		c.Fail("A backend name is expected.")
		return nil
	}
	px := process(c).proxyWith(name, runtime.CapBack)
	switch {
	case px == nil:
		c.Fail("No such backend.")
	case px.Mode != runtime.ModeTCP && px.Mode != runtime.ModeHTTP:
		c.Fail("Not available.")
		return nil
	}
	return px
}

func enableDynamicCookie(c *cli.Conn, args []string) cli.Step {
	if px := cookieBackend(c, cli.Arg(args, 3)); px != nil {
		cookie.SetDynamic(px, true)
	}
	return nil
}

func disableDynamicCookie(c *cli.Conn, args []string) cli.Step {
	if px := cookieBackend(c, cli.Arg(args, 3)); px != nil {
		cookie.SetDynamic(px, false)
	}
	return nil
}

func setDynamicCookieKey(c *cli.Conn, args []string) cli.Step {
	px := cookieBackend(c, cli.Arg(args, 3))
	if px == nil {
		return nil
	}
	key := cli.Arg(args, 4)
	if key == "" {
		return c.Fail("String value expected.")
	}
	cookie.SetDynamicKey(px, key)
	return nil
}
