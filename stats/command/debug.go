package command

import (
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hapax/parser/keyword"
	"hapax/stats/cli"
)

var debugging = []cli.Command{
	{Doc: doc("debug counters", "counters of what should never happen: there are none"), Level: cli.Operator, Run: debugCounters},
	{Doc: doc("debug dev bug", "crash"), Level: cli.Admin, Run: debugCrash},
	{Doc: doc("debug dev panic", "crash"), Level: cli.Admin, Run: debugCrash},
	{Doc: doc("debug dev check", "warn of what should never happen"), Level: cli.Admin, Run: debugWarn},
	{Doc: doc("debug dev warn", "warn of what should never happen"), Level: cli.Admin, Run: debugWarn},
	{Doc: doc("debug dev close", "close a descriptor"), Level: cli.Admin, Run: debugClose},
	{Doc: doc("debug dev delay", "answer later"), Level: cli.Admin, Run: debugDelay},
	{Doc: doc("debug dev loop", "keep a loop busy, or all of them"), Level: cli.Admin, Run: debugLoop},
	{Doc: doc("debug dev exit", "end the process at once"), Level: cli.Admin, Run: debugExit},
	{Doc: doc("debug dev tkill", "send the process a signal"), Level: cli.Admin, Run: debugKill},
	{Doc: doc("debug dev write", "answer with that many bytes"), Run: debugWrite},
	{Doc: pointless("debug dev deadlock", "no watchdog looks for tasks that wait for each other"), Level: cli.Admin},
	{Doc: pointless("debug dev hex", "no command tells addresses of memory"), Level: cli.Admin},
	{Doc: pointless("debug dev sym", "no command tells addresses of memory"), Level: cli.Admin},
	{Doc: pointless("debug dev sched", "there is no scheduler of tasks to be stressed"), Level: cli.Admin},
	{Doc: pointless("debug dev task", "there are no tasks behind addresses"), Level: cli.Admin},
	{Doc: pointless("debug dev stream", "streams have no such flags"), Level: cli.Admin},
}

// pointless makes the row of a command that will not come, and why.
func pointless(name, why string) keyword.Doc {
	return keyword.Doc{Name: name, Summary: "not here", Ref: "9.3", Status: keyword.Missing, Note: why}
}

// issued counts a command that is a danger to the process.
func issued(c *cli.Conn) { process(c).Config.Stats.DebugCommands.Inc() }

func debugCounters(c *cli.Conn, args []string) cli.Step {
	changes, all := false, false
	for _, word := range args[2:] {
		switch word {
		case "reset", "on", "off":
			changes = true
		case "all":
			all = true
		case "show":
			changes = false
		case "bug", "chk", "cnt", "glt":
		default:
			return c.Fail("Expects an optional action ('reset','show','on','off'), optional types ('bug','chk','cnt','glt')" +
				" and optionally 'all' to even dump null counters.")
		}
	}
	if changes {
		c.Allow(cli.Admin)
	} else if all {
		c.WriteString("Count     Type Location function(): \"condition\" [comment]\n")
	}
	return nil
}

// debugCrash ends the process as a panic of the program does.
func debugCrash(c *cli.Conn, args []string) cli.Step {
	issued(c)
	panic("This was triggered on purpose from the CLI '" + strings.Join(args[:3], " ") + "' command.")
}

func debugWarn(c *cli.Conn, args []string) cli.Step {
	issued(c)
	os.Stderr.WriteString("\nWARNING: This was triggered on purpose from the CLI '" + strings.Join(args[:3], " ") + "' command.\n")
	return nil
}

// debugClose closes a descriptor behind the back of its owner, "hard" or not: the owner sees the errors that follow.
func debugClose(c *cli.Conn, args []string) cli.Step {
	text := cli.Arg(args, 3)
	if text == "" {
		return c.Fail("Missing file descriptor number (optionally followed by 'hard').")
	}
	fd := number(text)
	if fd < 0 || fd >= process(c).Config.Global.MaxSock {
		return c.Fail("File descriptor out of range.")
	}
	if err := unix.Close(fd); err != nil && cli.Arg(args, 4) != "hard" {
		return c.Say(cli.Info, "File descriptor was already closed.")
	}
	issued(c)
	return nil
}

func debugDelay(c *cli.Conn, args []string) cli.Step {
	issued(c)
	end := time.Now().Add(time.Duration(number(cli.Arg(args, 3))) * time.Millisecond)
	return func(c *cli.Conn) bool {
		left := time.Until(end)
		if left > 0 {
			c.Pause(left)
		}
		return left <= 0
	}
}

// debugLoop keeps the first loop busy for some milliseconds, all of them when it is "isolated".
func debugLoop(c *cli.Conn, args []string) cli.Step {
	issued(c)
	process(c).Streams.Spin(time.Duration(number(cli.Arg(args, 3)))*time.Millisecond, cli.Arg(args, 4) == "isolated")
	return nil
}

func debugExit(c *cli.Conn, args []string) cli.Step {
	os.Exit(number(cli.Arg(args, 3)) & 0xff)
	return nil
}

// debugKill signals the process, whatever the thread: all threads of a Go program share their handlers.
func debugKill(c *cli.Conn, args []string) cli.Step {
	thread, loops, signal := number(cli.Arg(args, 3)), process(c).Config.Global.NbThread, unix.SIGABRT
	if thread < 0 || thread > loops {
		return c.Fail("Thread number out of range (use 0 for current).")
	}
	if text := cli.Arg(args, 4); text != "" {
		signal = unix.Signal(number(text))
	}
	issued(c)
	unix.Kill(os.Getpid(), signal)
	return nil
}

func debugWrite(c *cli.Conn, args []string) cli.Step {
	text := cli.Arg(args, 3)
	if text == "" {
		return c.Fail("Missing output size.")
	}
	n := pointer(text)
	if n >= uint64(process(c).Config.Global.Tune.BufSize) {
		return c.Fail("Output too large, must be <tune.bufsize.")
	}
	issued(c)
	dots := []byte(strings.Repeat(".", int(n)))
	for i := 64; i < len(dots); i += 64 {
		dots[i] = '\n'
	}
	return c.Say(cli.Info, string(dots))
}
