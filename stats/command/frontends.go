package command

import (
	"hapax/runtime"
	"hapax/stats/cli"
)

var frontends = []cli.Command{
	{Doc: doc("disable frontend", "stop accepting on a frontend for a while"), Level: cli.Admin, Run: disableFrontend},
	{Doc: doc("enable frontend", "accept on a frontend again"), Level: cli.Admin, Run: enableFrontend},
	{Doc: doc("shutdown frontend", "stop a frontend for good"), Level: cli.Admin, Run: shutdownFrontend},
	{Doc: doc("set maxconn frontend", "change the limit of connections of a frontend"), Level: cli.Admin, Run: setFrontMaxConn},
}

func disableFrontend(c *cli.Conn, args []string) cli.Step {
	px := frontend(c, cli.Arg(args, 2))
	switch {
	case px == nil:
	case stopped(px):
		return c.Say(cli.Notice, "Frontend was previously shut down, cannot disable.")
	case runtime.ProxyState(px.State.Load()) == runtime.ProxyPaused:
		return c.Say(cli.Notice, "All sockets are already disabled.")
	case !process(c).Listeners.Pause(px):
		return c.Fail("Failed to pause frontend, check logs for precise cause.")
	}
	return nil
}

func enableFrontend(c *cli.Conn, args []string) cli.Step {
	px := frontend(c, cli.Arg(args, 2))
	switch {
	case px == nil:
	case stopped(px):
		return c.Fail("Frontend was previously shut down, cannot enable.")
	case runtime.ProxyState(px.State.Load()) == runtime.ProxyReady:
		return c.Say(cli.Notice, "All sockets are already enabled.")
	case !process(c).Listeners.Resume(px):
		return c.Fail("Failed to resume frontend, check logs for precise cause (port conflict?).")
	}
	return nil
}

func shutdownFrontend(c *cli.Conn, args []string) cli.Step {
	px := frontend(c, cli.Arg(args, 2))
	switch {
	case px == nil:
	case stopped(px):
		return c.Say(cli.Notice, "Frontend was already shut down.")
	default:
		process(c).Listeners.Stop(px)
	}
	return nil
}

func setFrontMaxConn(c *cli.Conn, args []string) cli.Step {
	px := frontend(c, cli.Arg(args, 3))
	if px == nil {
		return nil
	}
	text := cli.Arg(args, 4)
	if text == "" {
		return c.Fail("Integer value expected.")
	}
	n := number(text)
	if n < 0 {
		return c.Fail("Value out of range.")
	}
	process(c).Listeners.SetFrontMaxConn(px, n)
	return nil
}
