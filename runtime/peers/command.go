package peers

import (
	"hapax/parser/keyword"
	"hapax/stats/cli"
)

// commands answer as a process without any peer does, for there can be none.
func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show peers", Ref: "9.3", Summary: "peers: there are none"}, Run: showPeers}}
}

func showPeers(c *cli.Conn, args []string) cli.Step {
	name := cli.Arg(args, 2)
	if name == "dict" || name == "-" {
		name = cli.Arg(args, 3)
	}
	if name != "" {
		return c.Fail("No such peers")
	}
	return nil
}
