package cache

import (
	"hapax/parser/keyword"
	"hapax/stats/cli"
)

// commands answer as a process without any cache does, for there can be none.
func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show cache", Ref: "9.3", Summary: "caches: there are none"}, Run: showCache}}
}

func showCache(*cli.Conn, []string) cli.Step { return nil }
