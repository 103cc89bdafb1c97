package command

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/stats/cli"
)

var general = []cli.Command{
	{Doc: doc("help", "list commands"), Run: help},
	{Doc: doc("echo", "answer with the given words"), Run: echo},
	{Doc: doc("prompt", "change how lines are read and prompted for"), Run: prompt},
	{Doc: doc("quit", "end the connection"), Run: quit},
	{Doc: doc("expert-mode", "show or switch the commands for experts"), Run: expertMode},
	{Doc: doc("experimental-mode", "show or switch the experimental commands"), Run: experimentalMode},
	{Doc: doc("mcli-debug-mode", "show or switch the worker's commands on the master's socket"), Run: masterDebugMode},
	{Doc: doc("operator", "lower the level of the connection to operator"), Run: lowerTo},
	{Doc: doc("user", "lower the level of the connection to user"), Run: lowerTo},
	{Doc: doc("set severity-output", "tell the severity of messages"), Run: setSeverityOutput},
	{Doc: doc("set timeout", "change the timeout of the connection"), Run: setTimeout},
	{Doc: doc("wait", "wait for a time"), Level: cli.Admin, Run: wait},
	{Doc: doc("show version", "version of the process"), Run: showVersion},
	{Doc: doc("show env", "environment variables"), Level: cli.Operator, Run: showEnv},
	{Doc: doc("show cli sockets", "stats sockets"), Run: showSockets},
	{Doc: doc("show cli level", "level of the connection"), Run: showLevel},
	{Doc: doc("show startup-logs", "messages of the start"), Level: cli.Operator, Run: showStartupLogs},
	{Doc: doc("get var", "value of a variable of the process"), Level: cli.Operator, Run: getVar},
}

func help(c *cli.Conn, args []string) cli.Step {
	c.Help(args[1:])
	return nil
}

func echo(c *cli.Conn, args []string) cli.Step { return c.Say(cli.Info, strings.Join(args[1:], " ")) }

const promptUsage = `Usage: prompt [help | n | i | p | timed]*
Changes the default prompt and interactive mode. Available options:
  help    display this help
  n       set to single-command mode (no prompt, single command)
  i       set to interactive mode only (no prompt, multi-command)
  p       set to prompt+interactive mode (prompt + multi-command)
  timed   toggle displaying the current date in the prompt
Without any argument, toggles between n/i->p, p->n.
`

func prompt(c *cli.Conn, args []string) cli.Step {
	mode, timed := byte(0), false
	for _, arg := range args[1:] {
		switch {
		case arg == "i" || arg == "p" || arg == "n":
			mode = arg[0]
		case arg == "timed":
			timed = true
		case arg == "help":
			return c.Say(cli.Info, promptUsage)
		default:
			return c.Fail(promptUsage)
		}
	}
	if timed {
		c.ToggleTimed()
		if mode == 0 {
			mode = 'p'
		}
	}
	c.SetMode(mode)
	return nil
}

func quit(c *cli.Conn, _ []string) cli.Step {
	c.Quit()
	return nil
}

func expertMode(c *cli.Conn, args []string) cli.Step       { return toggle(c, args, &c.Expert) }
func experimentalMode(c *cli.Conn, args []string) cli.Step { return toggle(c, args, &c.Experiment) }
func masterDebugMode(c *cli.Conn, args []string) cli.Step  { return toggle(c, args, &c.MasterDebug) }

// toggle shows a mode or switches it; a further "-" leaves the empty line out.
func toggle(c *cli.Conn, args []string, mode *bool) cli.Step {
	if cli.Arg(args, 2) == "-" {
		c.NoLineFeed()
	}
	if !c.Allow(cli.Admin) {
		return nil
	}
	if len(args) > 1 {
		*mode = cli.Arg(args, 1) == "on"
		return nil
	}
	if *mode {
		return c.Say(cli.Info, args[0]+" is ON")
	}
	return c.Say(cli.Info, args[0]+" is OFF")
}

// lowerTo lowers the level to the one that the command is named after; it never raises it.
func lowerTo(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 1) == "-" {
		c.NoLineFeed()
	}
	level := cli.User
	if args[0] == "operator" {
		level = cli.Operator
	}
	if c.Allow(level) {
		c.Level, c.Expert, c.Experiment = level, false, false
	}
	return nil
}

func setSeverityOutput(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 3) == "-" {
		c.NoLineFeed()
	}
	switch cli.Arg(args, 2) {
	case "none":
		c.Severity = c.SocketSeverity
	case "number":
		c.Severity = cli.SeverityNumber
	case "string":
		c.Severity = cli.SeverityString
	default:
		return c.Fail("one of 'none', 'number', 'string' is a required argument")
	}
	return nil
}

func setTimeout(c *cli.Conn, args []string) cli.Step {
	if cli.Arg(args, 2) != "cli" {
		return c.Fail("'set timeout' only supports 'cli'.")
	}
	if len(args) < 4 {
		return c.Fail("Expects an integer value.")
	}
	d, ok := duration(args[3], time.Second)
	if !ok || d == 0 {
		return c.Fail("Invalid timeout value.")
	}
	c.Timeout = d
	return nil
}

const waitUsage = `Usage: wait {-h|<duration>} [condition [args...]]
  - '-h' displays this help
  - <duration> is the maximum wait time, optionally suffixed by the unit among
    'us', 'ms', 's', 'm', 'h', and 'd'. ; the default unit is milliseconds.
  - <condition> indicates what to wait for, no longer than the specified
    duration. Supported conditions are:
    - <none> : by default, just sleep for the specified duration.
    - srv-removable <px>/<sv> : wait for this server to become removable.
`

func wait(c *cli.Conn, args []string) cli.Step {
	if len(args) < 2 {
		return c.Fail("Expects a duration in milliseconds.")
	}
	if args[1] == "-h" {
		return c.Say(cli.Info, waitUsage)
	}
	d, ok := duration(args[1], time.Millisecond)
	switch {
	case !ok || d == 0:
		return c.Fail("Invalid duration.")
	case cli.Arg(args, 2) == "srv-removable":
		return waitServer(c, cli.Arg(args, 3), time.Now().Add(d))
	case cli.Arg(args, 2) == "be-removable":
		return waitBackend(c, cli.Arg(args, 3), time.Now().Add(d))
	case len(args) > 2:
		return c.Fail(waitUsage)
	}
	end := time.Now().Add(d)
	return func(c *cli.Conn) bool {
		left := time.Until(end)
		switch {
		case left <= 0:
			c.Say(cli.Info, "Done.")
		case c.Ended():
			c.Fail("Interrupted. (null)") // the reference has nothing to say here
		default:
			c.Pause(left)
			return false
		}
		return true
	}
}

func showVersion(c *cli.Conn, _ []string) cli.Step { return c.Say(cli.Info, runtime.Version) }

func showEnv(c *cli.Conn, args []string) cli.Step {
	env := process(c).environment()
	if len(args) > 2 {
		for _, v := range env {
			if name, _, _ := strings.Cut(v, "="); name == args[2] {
				c.Printf("%s\n", v)
				return nil
			}
		}
		return c.Fail("Variable not found")
	}
	i := 0
	return rows(func(c *cli.Conn) bool {
		if i == len(env) {
			return false
		}
		c.Printf("%s\n", env[i])
		i++
		return true
	})
}

func showLevel(c *cli.Conn, _ []string) cli.Step { return c.Say(cli.Info, c.Level.String()) }

func showSockets(c *cli.Conn, _ []string) cli.Step {
	p := process(c)
	socks := p.Config.Global.StatsSocks
	if len(socks) == 0 && p.Link == "" {
		return nil
	}
	c.WriteString("# socket lvl processes\n")
	if p.Link != "" {
		c.Printf("%s %s all\n", p.Link, cli.Admin)
	}
	for _, l := range socks {
		c.Printf("%s %s all\n", cmp.Or(l.Addr.Typed(), "unknown"), cli.Level(l.Bind.Level))
	}
	return nil
}

func showStartupLogs(c *cli.Conn, _ []string) cli.Step {
	if f := process(c).StartLog; f != nil {
		c.Write(f())
	}
	return nil
}

func getVar(c *cli.Conn, args []string) cli.Step {
	if len(args) < 3 {
		return c.Fail("Missing process-wide variable identifier.")
	}
	cfg := process(c).Config
	ctx := sample.Context{Scratch: sample.NewScratch(cfg.Global.Tune.BufSize)}
	var v sample.Value
	name, err := cfg.Vars.Parse(args[2])
	if err != nil || name.Scope != sample.ProcScope || cfg.ProcVars == nil || !cfg.ProcVars.Get(&ctx, name.ID, &v) {
		return c.Fail("Variable not found.")
	}
	kind := v.Type
	if !sample.Cast(&ctx, &v, sample.Str) {
		return c.Say(cli.Info, fmt.Sprintf("%s: type=%s value=(undisplayable)", args[2], kind))
	}
	shown := bytes.Clone(v.Bytes)
	for i, b := range shown {
		if b < ' ' || b > '~' {
			shown[i] = '.'
		}
	}
	return c.Say(cli.Info, fmt.Sprintf("%s: type=%s value=<%s>", args[2], kind, shown))
}
