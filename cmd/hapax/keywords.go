package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/config"
)

// dumpKeywords lists what the configuration language and the runtime API know, by
// classes (-dK).
func dumpKeywords(w io.Writer, tables *config.Tables, classes string) {
	all := false
	for class := range strings.SplitSeq(classes, ",") {
		switch class {
		case "":
			continue
		case "help":
			fmt.Fprint(w, keywordClasses)
			continue
		case "all":
			all = true
		}
		for _, l := range listings {
			if all || class == l.class {
				fmt.Fprintln(w, "# List of "+l.title+":")
				l.write(w, tables)
			}
		}
	}
}

const keywordClasses = `# List of supported keyword classes:
all: list all keywords
acl: ACL keywords
cfg: configuration keywords
cli: CLI keywords
cnv: sample converter keywords
flt: filter names
smp: sample fetch functions
svc: service names
`

// listings are the classes in the order of their output.
var listings = []struct {
	class, title string
	write        func(io.Writer, *config.Tables)
}{
	{"acl", "registered ACL keywords", func(w io.Writer, _ *config.Tables) { acl.WriteAliases(w) }},
	{"cli", "registered CLI keywords", func(w io.Writer, _ *config.Tables) { listCommands(w) }},
	{"cnv", "registered sample converter functions", func(w io.Writer, t *config.Tables) { sample.WriteConverters(w, t.Converters) }},
	{"smp", "registered sample fetch functions", func(w io.Writer, t *config.Tables) { sample.WriteFetches(w, t.Fetches) }},
}

// listCommands lists the commands of the stats sockets and of the master's.
func listCommands(w io.Writer) {
	table, err := commandTable(nil)
	if err != nil {
		return // a row is declared twice, which the start of the program reports
	}
	var lines []string
	for i := range table.Len() {
		c := table.Row(i)
		if c.Status == keyword.Missing {
			continue
		}
		line := c.Name
		if c.Master || c.MasterOnly {
			line += " [MASTER]"
		}
		if !c.MasterOnly {
			line += " [WORKER]"
		}
		if c.Expert {
			line += " [EXPERT]"
		}
		if c.Experiment {
			line += " [EXPERIM]"
		}
		lines = append(lines, line+" ")
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}
