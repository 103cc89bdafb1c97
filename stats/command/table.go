package command

import (
	"fmt"

	"hapax/parser/keyword"
	"hapax/stats/cli"
)

// Assemble makes the table of all commands: those of the domains in the reference's order, and for each command of the
// reference that no domain has a row that says so. What the reference knows of a command, its usage line and the sockets
// that have it, need not be repeated in a row.
func Assemble(domains ...[]cli.Command) (*cli.Table, error) {
	byName := map[string]cli.Command{}
	for _, domain := range domains {
		for _, row := range domain {
			if _, twice := byName[row.Name]; twice {
				return nil, fmt.Errorf("command %q is declared twice", row.Name)
			}
			byName[row.Name] = row
		}
	}
	all := make([]cli.Command, 0, len(reference))
	for _, k := range reference {
		row, ours := byName[k.name]
		delete(byName, k.name)
		if !ours {
			row.Level = cli.Admin // as all of these ask for
			row.Doc = keyword.Doc{Name: k.name, Summary: "not supported yet", Ref: "9.3", Status: keyword.Missing}
		}
		row.Usage = k.usage
		row.Master, row.MasterOnly = k.where == both, k.where == masterOnly
		row.Expert, row.Experiment = k.where == expert, k.where == experimental
		all = append(all, row)
	}
	for name := range byName {
		return nil, fmt.Errorf("command %q is not one of the reference's", name)
	}
	return cli.NewTable(all)
}

// Commands are the rows of this package.
func Commands() []cli.Command {
	var all []cli.Command
	for _, part := range [][]cli.Command{general, show, servers, dynamic, backendCommands, frontends, streams, limits, anonymity, profiles, descriptors, pools, debugging, host} {
		all = append(all, part...)
	}
	return all
}

func doc(name, summary string) keyword.Doc {
	return keyword.Doc{Name: name, Summary: summary, Ref: "9.3"}
}
