package logger

import (
	"fmt"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/stats/cli"
)

func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show events", Ref: "9.3", Summary: "rings, or the messages in one"}, Run: showEvents}}
}

const eventsUsage = "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n"

const tooManyWatchers = "Sorry, too many watchers (254) on this ring buffer. What could it have so interesting to attract so many watchers ?"

// eventsPace is how often a command that waits looks for new messages.
const eventsPace = 20 * time.Millisecond

// showEvents is `show events [<sink>] [-w] [-n] [-0]`.
func showEvents(c *cli.Conn, args []string) cli.Step {
	all := sinksOf(c.Owner.(interface{ RunningConfig() *runtime.Config }).RunningConfig())
	name := cli.Arg(args, 2)
	if name == "" {
		text := eventsUsage
		for _, x := range all.all {
			text += fmt.Sprintf("    %-10s : type=%s, %d dropped, %s\n", x.Name, x.kind, x.Dropped(), x.Desc)
		}
		return c.Say(cli.Warning, text)
	}
	if !c.Allow(cli.Operator) {
		return nil
	}
	x := all.named(name)
	switch {
	case x == nil:
		return c.Fail("No such event sink")
	case x.ring == nil:
		return c.Say(cli.Notice, "Nothing to report for this sink")
	}
	var wait, fresh bool
	end := byte('\n')
	for _, option := range args[3:] {
		switch option {
		case "-w":
			wait = true
		case "-n":
			fresh = true
		case "-0":
			end = 0
		case "-nw", "-wn":
			wait, fresh = true, true
		default:
			return c.Fail("unknown option")
		}
	}
	from := x.Attach(fresh)
	if from == nil {
		return c.Fail(tooManyWatchers)
	}
	c.OnRelease(from.Detach)
	var message []byte
	return func(c *cli.Conn) bool {
		for !c.Full() {
			var ok bool
			if message, ok = from.Next(message[:0]); !ok {
				if !wait || c.Interrupted() {
					return true
				}
				c.Pause(eventsPace)
				return false
			}
			c.Write(append(message, end))
		}
		return wait && c.Interrupted()
	}
}
