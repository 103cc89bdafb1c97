package resolver

import (
	"hapax/parser/keyword"
	"hapax/stats/cli"
)

// commands answer as a process without any name server does, for none is asked.
func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show resolvers", Ref: "9.3", Summary: "name servers: none is asked"}, Run: showResolvers}}
}

func showResolvers(c *cli.Conn, args []string) cli.Step {
	if len(args) > 2 {
		return c.Fail("Can't find that resolvers section")
	}
	return nil
}
