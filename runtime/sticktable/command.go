package sticktable

import (
	"hapax/parser/keyword"
	"hapax/stats/cli"
)

// commands answer as a process without any table does, for there can be none.
func commands() []cli.Command {
	row := func(name, summary, usage string) cli.Command {
		return cli.Command{Doc: keyword.Doc{Name: name, Ref: "9.3", Summary: summary}, Run: func(c *cli.Conn, args []string) cli.Step {
			switch {
			case len(args) > 2:
				return c.Fail("No such table")
			case usage != "":
				return c.Fail(usage)
			}
			return nil
		}}
	}
	return []cli.Command{
		row("show table", "stick tables and their entries: there are none", ""),
		row("clear table", "remove entries of a stick table: there are none",
			`Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key> or <table> ptr <ptr>`),
		row("set table", "change an entry of a stick table: there are none",
			"Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> [data.<store_data_type> <value>]*"),
	}
}
