package command

import "hapax/stats/cli"

var limits = []cli.Command{
	{Doc: doc("set maxconn global", "change the limit of connections of the process"), Level: cli.Admin, Run: setMaxConn},
	{Doc: doc("set rate-limit", "change a limit of rates of the process"), Level: cli.Admin, Run: setRateLimit},
}

func setMaxConn(c *cli.Conn, args []string) cli.Step {
	text := cli.Arg(args, 3)
	if text == "" {
		return c.Fail("Expects an integer value.")
	}
	n, hard := number(text), process(c).Config.Global.HardMaxConn
	if n > hard {
		return c.Fail("Value out of range.")
	}
	if n <= 0 {
		n = hard
	}
	process(c).Listeners.SetProcessMaxConn(n)
	return nil
}

const rateLimitUsage = `'set rate-limit' only supports :
   - 'connections global' to set the per-process maximum connection rate
   - 'sessions global' to set the per-process maximum session rate
   - 'ssl-sessions global' to set the per-process maximum SSL session rate
   - 'http-compression global' to set the per-process maximum compression speed in kB/s
`

func setRateLimit(c *cli.Conn, args []string) cli.Step {
	what := cli.Arg(args, 2)
	known := cli.Arg(args, 3) == "global" &&
		(what == "connections" || what == "sessions" || what == "ssl-sessions" || what == "http-compression")
	if !known {
		return c.Fail(rateLimitUsage)
	}
	text := cli.Arg(args, 4)
	switch n := number(text); {
	case text == "":
		return c.Fail("Expects an integer value.")
	case n < 0:
		return c.Fail("Value out of range.")
	default:
		process(c).Listeners.SetRateLimit(what, n)
	}
	return nil
}
