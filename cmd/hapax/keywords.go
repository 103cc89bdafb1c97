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
)

// dumpKeywords lists what the configuration language and the runtime API know, by
// classes (-dK), in the established form. What is Missing is left out.
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

// listings are the classes in the order of their output. There are no filters and
// no services.
var listings = []struct {
	class, title string
	write        func(io.Writer, *config.Tables)
}{
	{"acl", "registered ACL keywords", func(w io.Writer, _ *config.Tables) { acl.WriteAliases(w) }},
	{"cfg", "registered configuration keywords", listConfig},
	{"cli", "registered CLI keywords", listCommands},
	{"cnv", "registered sample converter functions", listConverters},
	{"flt", "registered filter names", func(io.Writer, *config.Tables) {}},
	{"smp", "registered sample fetch functions", listFetches},
	{"svc", "registered service names", func(io.Writer, *config.Tables) {}},
}

// sorted gives the present rows of a table in the order of the bytes of their names.
func sorted[T any](t *keyword.Table[T]) (rows []*T, docs []*keyword.Doc) {
	order := make([]int, 0, t.Len())
	for i := range t.Len() {
		if t.Doc(i).Status != keyword.Missing {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(t.Doc(a).Name, t.Doc(b).Name) })
	for _, i := range order {
		rows, docs = append(rows, t.Row(i)), append(docs, t.Doc(i))
	}
	return rows, docs
}

// signature writes the types of arguments: (string[,integer]).
func signature(args []keyword.Arg) string {
	if len(args) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteByte('(')
	open := false
	for i, a := range args {
		if a.Opt && !open {
			open = true
			b.WriteByte('[')
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(argumentType(a.Type))
	}
	if open {
		b.WriteByte(']')
	}
	b.WriteByte(')')
	return b.String()
}

// argumentType is the name of a type in listings, which know fewer of them.
func argumentType(t keyword.ArgType) string {
	switch t {
	case keyword.Int, keyword.Uint, keyword.Size, keyword.Time, keyword.Addr, keyword.IPv4, keyword.IPv6, keyword.Mask4, keyword.Mask6, keyword.Regex,
		keyword.Frontend, keyword.Backend, keyword.Server, keyword.StickTable, keyword.Users, keyword.Map:
		return t.String()
	}
	return "string"
}

// listFetches draws a column for each place that expressions stand at.
func listFetches(w io.Writer, tables *config.Tables) {
	names := sample.CheckpointNames()
	n := len(names)
	for i, name := range names {
		fmt.Fprintf(w, "#%s%s_.%s %s\n", strings.Repeat(" ", n+1-i), strings.Repeat("/ ", i), strings.Repeat("-", n-i), name)
	}
	fmt.Fprintf(w, "# %s \n# %s\n", strings.Repeat("/ ", n), strings.Repeat("| ", n))
	rows, _ := sorted(tables.Fetches)
	for _, f := range rows {
		at := f.From.ValidAt()
		fmt.Fprint(w, "[ ")
		for i := range names {
			fmt.Fprint(w, map[bool]string{false: ". ", true: "Y "}[at&(1<<i) != 0])
		}
		fmt.Fprintf(w, "] %s%s: %s\n", f.Name, signature(f.Args), f.Out)
	}
}

// listConverters writes the arrow from the result to the input, as is the custom.
func listConverters(w io.Writer, tables *config.Tables) {
	rows, _ := sorted(tables.Converters)
	for _, c := range rows {
		fmt.Fprintf(w, "%s%s: %s => %s\n", c.Name, signature(c.Args), c.Out, c.In)
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
			line += "[EXPERIMENTAL] "
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

// listConfig lists the keywords of the sections, then the words of bind and server
// lines and the actions.
func listConfig(w io.Writer, tables *config.Tables) {
	section := func(title string, docs []*keyword.Doc) {
		if len(docs) == 0 {
			return
		}
		fmt.Fprintln(w, title)
		for _, d := range docs {
			fmt.Fprintf(w, "\t%s%s\n", d.Name, strings.Repeat("*", map[bool]int{true: 1}[d.Prefix]))
		}
	}
	seen := map[config.Sections]bool{}
	for i := range tables.Sections.Len() {
		s := tables.Sections.Row(i)
		kind := s.Kind
		if kind&config.Proxies != 0 {
			kind = config.Proxies
		}
		if s.Status == keyword.Missing || seen[kind] {
			continue
		}
		seen[kind] = true
		if t := tables.Keywords(s.Kind); t != nil {
			_, docs := sorted(t)
			title := s.Name
			if kind == config.Proxies {
				title = "listen"
			}
			section(title, docs)
		}
	}
	_, docs := sorted(tables.BindWords)
	section("bind <addr>", docs)
	_, docs = sorted(tables.ServerWords)
	section("server <name> <addr>", docs)
	_, docs = sorted(tables.Options)
	section("option", docs)
}
