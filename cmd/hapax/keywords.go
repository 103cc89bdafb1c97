package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/config"
	"hapax/runtime/filter"
	"hapax/stats"
)

// dumpKeywords lists what the configuration language and the runtime API know, by
// classes (-dK), in the established form. What is Missing is left out, but for the
// keywords of configurations, which are all read.
func dumpKeywords(out io.Writer, tables *config.Tables, classes string) {
	w := bufio.NewWriter(out)
	defer w.Flush()
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
	{"cfg", "registered configuration keywords", config.WriteKeywords},
	{"cli", "registered CLI keywords", listCommands},
	{"cnv", "registered sample converter functions", func(w io.Writer, t *config.Tables) { sample.WriteConverters(w, t.Converters) }},
	{"flt", "registered filter names", listFilters},
	{"smp", "registered sample fetch functions", func(w io.Writer, t *config.Tables) { sample.WriteFetches(w, t.Fetches) }},
	{"svc", "registered service names", func(w io.Writer, _ *config.Tables) { fmt.Fprintln(w, stats.Exporter) }},
}

// listFilters tells the families of the filters.
func listFilters(w io.Writer, _ *config.Tables) {
	for _, k := range filter.Kinds {
		fmt.Fprintf(w, "%s [%s]\n", k.Name, k.Family)
	}
}

// listCommands tells on which sockets and in which modes commands are found.
func listCommands(w io.Writer, _ *config.Tables) {
	table, err := commandTable(nil)
	if err != nil {
		return
	}
	var lines []string
	for i := range table.Len() {
		row := table.Row(i)
		if row.Status == keyword.Missing {
			continue
		}
		line := row.Name + " "
		switch {
		case row.MasterOnly:
			line += "[MASTER] "
		case row.Master:
			line += "[MASTER] [WORKER] "
		default:
			line += "[WORKER] "
		}
		if row.Experiment {
			line += "[EXPERIM] "
		}
		if row.Expert {
			line += "[EXPERT] "
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}
