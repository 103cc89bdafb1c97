package command

import (
	"strings"
	"time"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/config"
	"hapax/runtime/cookie"
	"hapax/stats/cli"
)

var dynamic = []cli.Command{
	{Doc: doc("add server", "make a server"), Level: cli.Admin, Run: addServer},
	{Doc: doc("del server", "delete a server that nothing uses any more"), Level: cli.Admin, Run: delServer},
	{Doc: doc("publish backend", "let frontends choose a backend"), Level: cli.Admin, Run: publishBackend},
	{Doc: doc("unpublish backend", "let no frontend choose a backend"), Level: cli.Admin, Run: unpublishBackend},
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
	if !balance.Dynamic(px) {
		return c.Failf("Backend does not support dynamic servers : %s '%s' uses a non dynamic load balancing method.", px.Side(), px.Name)
	}
	if px.ServerByName([]byte(name)) != nil {
		return c.Fail("Already exists a server with the same name in backend.")
	}
	srv, fault := config.MakeServer(px, p.Config, append([]string{name}, args[3:]...))
	if srv == nil {
		return c.Fail(fault)
	}
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

func publishBackend(c *cli.Conn, args []string) cli.Step { return publish(c, cli.Arg(args, 2), true) }

func unpublishBackend(c *cli.Conn, args []string) cli.Step {
	return publish(c, cli.Arg(args, 2), false)
}

// publish opens a backend for frontends to choose, or closes it.
func publish(c *cli.Conn, name string, on bool) cli.Step {
	px := process(c).proxyWith(name, runtime.CapBack)
	switch {
	case px == nil:
		return c.Fail("No such backend.")
	case px.Disabled:
		return c.Fail("No effect on a disabled backend.")
	}
	px.Unpublished.Store(!on)
	if on {
		return c.Say(cli.Info, "Backend published.")
	}
	return c.Say(cli.Info, "Backend unpublished.")
}

// removable finds a server that is to be deleted. Why tells what is against that; later, that
// this may change by itself.
func removable(p *Process, back, name string) (srv *runtime.Server, why string, later bool) {
	px := p.proxyWith(back, runtime.CapBack)
	if px == nil {
		return nil, "No such backend.", false
	}
	if srv = px.ServerByName([]byte(name)); srv == nil {
		return nil, "No such server.", false
	}
	switch {
	case srv.Pinned:
		return srv, "This server cannot be removed at runtime due to other configuration elements pointing to it.", false
	case srv.AdminState.Load()&uint32(runtime.Maint) == 0:
		return srv, "Only servers in maintenance mode can be deleted.", false
	case srv.Used.Load() > 0 || srv.Idle.Load() > 0 || srv.Queued.Load() > 0 || srv.Current.Load() > 0 || srv.Served.Load() > 0:
		return srv, "Server still has connections attached to it, cannot remove it.", true
	}
	return srv, "", false
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
	return c.Say(cli.Info, "Server deleted.")
}

// waitStep is how often a condition is looked at that somebody waits for.
const waitStep = 50 * time.Millisecond

// waitRemovable waits until a server can be deleted.
func waitRemovable(c *cli.Conn, text string, end time.Time) cli.Step {
	if text == "" {
		return c.Fail("Missing server name (<backend>/<server>).")
	}
	back, name, _ := strings.Cut(text, "/")
	if name == "" {
		return c.Fail("Require 'backend/server'.")
	}
	p := process(c)
	return func(c *cli.Conn) bool {
		_, why, later := removable(p, back, name)
		left := time.Until(end)
		switch {
		case why == "":
			c.Say(cli.Info, "Done.")
		case !later:
			c.Fail("Failed. " + why)
		case left <= 0:
			c.Fail("Wait delay expired. " + why)
		case c.Ended():
			c.Fail("Interrupted.")
		default:
			c.Pause(min(left, waitStep))
			return false
		}
		return true
	}
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
