package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/process"
)

var update = flag.Bool("update", false, "write the generated tables into GRAMMAR.md and README.md")

// mend is the command that brings the documents up to date.
const mend = "go test ./cmd/hapax -run Documents -update"

// part is one generated table of a document.
type part struct {
	name string // of its markers
	what string // in the table of README.md
	docs []*keyword.Doc
}

func parts(t *testing.T) []part {
	tables := allTables(t)
	commands, err := commandTable(append(process.Commands(), process.MasterCommands()...))
	if err != nil {
		t.Fatal(err)
	}
	var commandDocs []*keyword.Doc
	for i := range commands.Len() {
		commandDocs = append(commandDocs, &commands.Row(i).Doc)
	}
	var all []part
	add := func(name, what string, docs []*keyword.Doc) { all = append(all, part{name, what, docs}) }
	add("sections", "sections", tables.Sections.Docs())
	add("global", "keywords of `global`", tables.Keywords(config.Global).Docs())
	add("proxies", "keywords of proxies", tables.Keywords(config.Backend).Docs())
	add("options", "options of proxies", tables.Options.Docs())
	add("bind", "options of `bind`", tables.BindWords.Docs())
	add("server", "options of `server`", tables.ServerWords.Docs())
	for _, set := range []struct {
		kind runtime.RulesetKind
		name string
	}{
		{runtime.HTTPReqRules, "http-request"}, {runtime.HTTPResRules, "http-response"}, {runtime.HTTPAfterRules, "http-after-response"},
		{runtime.TCPConnRules, "tcp-request connection"}, {runtime.TCPSessRules, "tcp-request session"},
		{runtime.TCPReqRules, "tcp-request content"}, {runtime.TCPResRules, "tcp-response content"},
	} {
		add(set.name, "actions of `"+set.name+"`", tables.Actions(set.kind).Docs())
	}
	add("fetches", "sample fetches", tables.Fetches.Docs())
	add("converters", "converters", tables.Converters.Docs())
	add("aliases", "aliases of log formats", tables.Aliases.Docs())
	add("commands", "commands of the runtime API", commandDocs)
	return all
}

// table is the Markdown of what works and, behind it, the names of what is missing.
func (p part) table() string {
	var b bytes.Buffer
	var known, missing []string
	var docs []*keyword.Doc
	for _, d := range p.docs {
		switch {
		case d.Status == keyword.Missing:
			missing = append(missing, "`"+d.Name+"`")
		case slices.Contains(known, d.Name): // of several sections
		default:
			known = append(known, d.Name)
			docs = append(docs, d)
		}
	}
	keyword.Markdown(&b, docs)
	if len(missing) > 0 {
		fmt.Fprintf(&b, "\nMissing: %s\n", strings.Join(missing, ", "))
	}
	return b.String()
}

// counts is the table of README.md.
func counts(all []part) string {
	var b strings.Builder
	b.WriteString("| | work | accepted without a meaning here | missing |\n|---|---|---|---|\n")
	for _, p := range all {
		var n [3]int
		for _, d := range p.docs {
			n[d.Status]++
		}
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", p.what, n[keyword.Full], n[keyword.Inert], n[keyword.Missing])
	}
	return b.String()
}

func TestDocumentsAreUpToDate(t *testing.T) {
	all := parts(t)
	fill := func(file string, contents map[string]string) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := string(data)
		for name, content := range contents {
			if text, err = keyword.Fill(text, name, content); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		switch {
		case text == string(data):
		case *update:
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s is stale: run %s", file, mend)
		}
	}
	tables := map[string]string{}
	for _, p := range all {
		tables[p.name] = p.table()
	}
	fill("../../GRAMMAR.md", tables)
	fill("../../README.md", map[string]string{"supported": counts(all)})
}

// TestDocumentsExamples loads every block of configuration in the documents, and the
// demo.
func TestDocumentsExamples(t *testing.T) {
	tables := allTables(t)
	load := func(name, text string) {
		var out bytes.Buffer
		list := &diag.List{Out: &diag.Writer{W: &out, Version: version, ExecPath: "haproxy"}, Prefix: "config"}
		_, ok := config.Load(tables, []*ast.File{parser.Parse(name, text)}, parser.NewEnv(nil), list, config.Options{Predicates: parser.Predicates{Version: version}})
		if !ok || list.Warnings() > 0 {
			t.Errorf("%s:\n%s\n%s", name, text, &out)
		}
	}
	for _, file := range []string{"../../README.md", "../../GRAMMAR.md"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		blocks := strings.Split(string(data), "```haproxy\n")
		for _, b := range blocks[1:] {
			block, _, _ := strings.Cut(b, "```")
			load(file, block)
		}
	}
	demo, err := os.ReadFile("demo.cfg")
	if err != nil {
		t.Fatal(err)
	}
	load("demo.cfg", string(demo))
}
