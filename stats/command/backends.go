package command

import (
	"slices"
	"strings"
	"time"

	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/config"
	"hapax/runtime/sticktable/table"
	"hapax/stats/cli"
)

var backendCommands = []cli.Command{
	{Doc: doc("add backend", "make a backend"), Level: cli.Admin, Run: addBackend},
	{Doc: doc("del backend", "delete a backend that has no server and that nothing uses any more"), Level: cli.Admin, Run: delBackend},
	{Doc: doc("publish backend", "let frontends choose a backend"), Level: cli.Admin, Run: publishBackend},
	{Doc: doc("unpublish backend", "let no frontend choose a backend"), Level: cli.Admin, Run: unpublishBackend},
}

// addBackend is `add backend <name> from <defaults> [mode <mode>] [guid <guid>]`.
func addBackend(c *cli.Conn, args []string) cli.Step {
	want := config.NewBackend{Name: cli.Arg(args, 2), Defaults: cli.Arg(args, 4)}
	if fault := config.CheckBackendName(want.Name); fault != "" {
		return c.Fail(fault)
	}
	if cli.Arg(args, 3) != "from" || want.Defaults == "" {
		return c.Fail("Usage: add backend <name> from <defproxy>.")
	}
	for i := 5; i < len(args); i += 2 {
		value := cli.Arg(args, i+1)
		switch {
		case value != "" && args[i] == "mode" && want.Mode == "":
			want.Mode = value
			switch value {
			case "tcp", "http":
			case "log", "spop":
				return c.Fail("Dynamic backends are compatible with only TCP or HTTP mode.")
			default:
				return c.Fail("Unknown proxy mode.")
			}
		case value != "" && args[i] == "guid" && want.GUID == "":
			want.GUID = value
		default:
			return c.Fail("Usage: add backend <name> from <defproxy> [mode <px_mode>] [guid <val>].")
		}
	}
	p := process(c)
	p.making.Lock()
	defer p.making.Unlock()
	px, said := config.MakeBackend(p.Config, want)
	if px == nil {
		return c.Fail(said)
	}
	px.Unpublished.Store(true)
	p.Listeners.JoinProxy(px)
	if why := noDynamicServers(px); why != "" {
		return c.Say(cli.Info, said+"New backend registered (no support for dynamic servers: "+why+").")
	}
	return c.Say(cli.Info, said+"New backend registered.")
}

// noDynamicServers tells why no server can be added to a backend, "" when one can.
func noDynamicServers(px *runtime.Proxy) string {
	switch {
	case px.Mode == runtime.ModeSyslog:
		return px.Side() + " '" + px.Name + "' uses mode log"
	case balance.Dynamic(px):
		return ""
	}
	return px.Side() + " '" + px.Name + "' uses a non dynamic load balancing method"
}

// removableBackend finds a backend that is to be deleted. Why tells what is against that; later, that this may change
// by itself.
func removableBackend(p *Process, name string) (px *runtime.Proxy, why string, later bool) {
	px = p.proxyWith(name, runtime.CapBack)
	switch {
	case px == nil:
		return nil, "No such backend.", false
	case px.Caps&runtime.CapFront != 0:
		return px, "Cannot delete a listen section.", false
	case px.Dispatch != nil:
		return px, "Deletion of backend with deprecated dispatch/transparent options is not supported.", false
	case p.hasTable(px):
		return px, "Cannot remove a backend with stick-table.", false
	case px.Pinned:
		return px, "This proxy cannot be removed at runtime due to other configuration elements pointing to it.", false
	case px.Mode != runtime.ModeTCP && px.Mode != runtime.ModeHTTP:
		return px, "Only TCP or HTTP proxies can be removed at runtime.", false
	case !px.Unpublished.Load():
		return px, "Backend must be unpublished prior to its deletion.", false
	case len(px.AllServers()) > 0:
		return px, "Only a backend without server can be deleted.", false
	case px.Live.BackConns.Load() > 0:
		return px, "Backend still has attached streams on it.", true
	}
	return px, "", false
}

// hasTable tells whether a backend has a stick table.
func (p *Process) hasTable(px *runtime.Proxy) bool {
	return slices.ContainsFunc(p.Config.Tables, func(t *table.Table) bool { return t.Name == px.Name })
}

func delBackend(c *cli.Conn, args []string) cli.Step {
	if len(args) > 3 {
		return c.Fail("Usage: del backend <name>.")
	}
	p := process(c)
	p.making.Lock()
	defer p.making.Unlock()
	px, why, _ := removableBackend(p, cli.Arg(args, 2))
	if why != "" {
		return c.Fail(why)
	}
	p.Listeners.LeaveProxy(px)
	config.ForgetBackend(p.Config, px)
	return c.Say(cli.Info, "Backend deleted.")
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

// waitStep is how often a condition is looked at that somebody waits for.
const waitStep = 50 * time.Millisecond

// waitUntil waits for what look tells not to be in the way any more: why says what is, later that it may go by itself.
func waitUntil(end time.Time, look func() (why string, later bool)) cli.Step {
	return func(c *cli.Conn) bool {
		why, later := look()
		left := time.Until(end)
		switch {
		case why == "":
			c.Say(cli.Info, "Done.")
		case !later:
			c.Fail("Failed. " + why)
		case left <= 0:
			c.Fail("Wait delay expired. " + why)
		case c.Ended():
			c.Fail("Interrupted. " + why)
		default:
			c.Pause(min(left, waitStep))
			return false
		}
		return true
	}
}

// waitBackend waits until a backend can be deleted.
func waitBackend(c *cli.Conn, name string, end time.Time) cli.Step {
	if name == "" {
		return c.Fail("Missing backend name.")
	}
	p := process(c)
	return waitUntil(end, func() (string, bool) {
		_, why, later := removableBackend(p, name)
		return why, later
	})
}

// waitServer waits until a server can be deleted.
func waitServer(c *cli.Conn, text string, end time.Time) cli.Step {
	if text == "" {
		return c.Fail("Missing server name (<backend>/<server>).")
	}
	back, name, _ := strings.Cut(text, "/")
	if name == "" {
		return c.Fail("Require 'backend/server'.")
	}
	p := process(c)
	return waitUntil(end, func() (string, bool) {
		_, why, later := removable(p, back, name)
		return why, later
	})
}
