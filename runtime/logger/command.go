package logger

import (
	"hapax/parser/keyword"
	"hapax/stats/cli"
)

func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show events", Ref: "9.3", Summary: "where events may go"}, Run: showEvents}}
}

// sinks are what events may go to.
var sinks = []struct{ name, desc string }{{"stdout", "standard output (fd#1)"}, {"stderr", "standard output (fd#2)"}}

// showEvents lists the sinks. None of them keeps what went to it.
func showEvents(c *cli.Conn, args []string) cli.Step {
	name := cli.Arg(args, 2)
	if name == "" {
		text := "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n"
		for _, s := range sinks {
			text += "    " + s.name + "     : type=fd, 0 dropped, " + s.desc + "\n"
		}
		return c.Say(cli.Warning, text)
	}
	if !c.Allow(cli.Operator) {
		return nil
	}
	for _, s := range sinks {
		if s.name == name {
			return c.Say(cli.Notice, "Nothing to report for this sink")
		}
	}
	return c.Fail("No such event sink")
}
