package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// inventory is what the reference prints with -dKall.
const inventory = "../../compat-tests/testdata/reference/3.4.0/keywords.txt"

func allTables(t *testing.T) *config.Tables {
	tables, err := config.NewTables(domains())
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

// inventoryPart is the lines below one heading of the inventory.
func inventoryPart(t *testing.T, heading string) []string {
	data, err := os.ReadFile(inventory)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "# List of registered "+heading+":\n")
	if !found {
		t.Fatalf("the inventory has no %s", heading)
	}
	part, _, _ := strings.Cut(rest, "# List of registered ")
	return slices.DeleteFunc(strings.Split(strings.TrimRight(part, "\n"), "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
}

// bothWays tells what only one of two lists of names has.
func bothWays(t *testing.T, what string, ours, theirs []string) {
	t.Helper()
	for _, name := range theirs {
		if !slices.Contains(ours, name) {
			t.Errorf("%s: the reference knows %q, no row does", what, name)
		}
	}
	for _, name := range ours {
		if !slices.Contains(theirs, name) {
			t.Errorf("%s: %q is a row, the reference does not know it", what, name)
		}
	}
}

func TestSamplesAreThoseOfTheReference(t *testing.T) {
	tables := allTables(t)
	var fetches, converters []string
	fetch := regexp.MustCompile(`^\[[ Y.]+\] ([^(:]+)`)
	for _, l := range inventoryPart(t, "sample fetch functions") {
		fetches = append(fetches, fetch.FindStringSubmatch(l)[1])
	}
	for _, l := range inventoryPart(t, "sample converter functions") {
		name, _, _ := strings.Cut(l, ":")
		name, _, _ = strings.Cut(name, "(")
		converters = append(converters, name)
	}
	bothWays(t, "fetches", tables.Fetches.Names(), fetches)
	bothWays(t, "converters", tables.Converters.Names(), converters)
}

// TestKeywordsAreThoseOfTheReference looks up each registered keyword of the sections
// where configurations are written. The listing does not know those that the reference
// matches by hand ("mode", "balance"), so that it is no bound from above.
func TestKeywordsAreThoseOfTheReference(t *testing.T) {
	tables := allTables(t)
	known := func(table *keyword.Table[config.Keyword], words []string) bool {
		row, _ := table.Match(func(i int) string {
			if i < len(words) {
				return words[i]
			}
			return ""
		})
		if row != nil {
			return true
		}
		// A row may refine a word: "timeout client" covers "timeout".
		return slices.ContainsFunc(table.Names(), func(name string) bool { return strings.HasPrefix(name, words[0]+" ") })
	}
	section := ""
	for _, l := range inventoryPart(t, "configuration keywords") {
		if !strings.HasPrefix(l, "\t") {
			section = l
			continue
		}
		words := strings.Fields(l)
		var ok bool
		switch {
		case section == "listen" && words[0] == "bind" && len(words) > 2:
			ok = slices.Contains(tables.BindWords.Names(), bindWord(words[2:]))
		case section == "listen" && words[0] == "server" && len(words) > 3:
			ok = slices.Contains(tables.ServerWords.Names(), bindWord(words[3:]))
		case section == "listen" && actionSets[strings.Join(words[:len(words)-1], " ")] != 0:
			kind := actionSets[strings.Join(words[:len(words)-1], " ")]
			ok = hasAction(tables, kind, words[len(words)-1])
		case section == "listen":
			ok = known(tables.Keywords(config.Backend), words)
		case section == "global":
			ok = known(tables.Keywords(config.Global), words)
		case section == "userlist":
			ok = known(tables.Keywords(config.Userlist), words)
		default:
			continue // sections that are Missing as a whole
		}
		if !ok {
			t.Errorf("%s: no row for %q", section, strings.TrimSpace(l))
		}
	}
}

// bindWord is the option's own word of "[ssl] WORD [+1]".
func bindWord(words []string) string {
	if words[0] == "ssl" && len(words) > 1 && !strings.HasPrefix(words[1], "+") {
		words = words[1:]
	}
	return strings.TrimSuffix(words[0], "*")
}

// actionSets are the lists of actions by the words in front of them.
var actionSets = map[string]runtime.RulesetKind{
	"tcp-request connection": runtime.TCPConnRules, "tcp-request session": runtime.TCPSessRules, "tcp-request content": runtime.TCPReqRules,
	"tcp-response content": runtime.TCPResRules, "http-request": runtime.HTTPReqRules, "http-response": runtime.HTTPResRules,
	"http-after-response": runtime.HTTPAfterRules,
}

func hasAction(tables *config.Tables, kind runtime.RulesetKind, name string) bool {
	table := tables.Actions(kind)
	name = strings.TrimSuffix(strings.TrimSuffix(name, "*"), "(")
	for _, d := range table.Docs() {
		if d.Name == name {
			return true
		}
	}
	return false
}

// TestRows makes sure that each row says what it is, and that one that works can do
// something.
func TestRows(t *testing.T) {
	tables := allTables(t)
	check := func(what string, d *keyword.Doc, does bool) {
		t.Helper()
		switch {
		case d.Status == keyword.Missing:
			return
		case d.Summary == "":
			t.Errorf("%s %q has no summary", what, d.Name)
		case strings.HasSuffix(d.Summary, "."):
			t.Errorf("%s %q: a summary ends without a full stop", what, d.Name)
		case d.Ref == "":
			t.Errorf("%s %q names no section of the manual", what, d.Name)
		case d.Status == keyword.Full && !does:
			t.Errorf("%s %q is said to work and does nothing", what, d.Name)
		case d.Status == keyword.Inert && d.Note == "":
			t.Errorf("%s %q is inert and does not say why", what, d.Name)
		}
	}
	for _, d := range tables.Domains {
		if d.Name == "missing" {
			continue
		}
		for i := range d.Sections {
			check("section", &d.Sections[i].Doc, d.Sections[i].Start != nil)
		}
		for i := range d.Fetches {
			check("fetch", &d.Fetches[i].Doc, d.Fetches[i].Eval != nil)
		}
		for i := range d.Converters {
			check("converter", &d.Converters[i].Doc, d.Converters[i].Eval != nil)
		}
		for i := range d.Keywords {
			check("keyword", &d.Keywords[i].Doc, d.Keywords[i].Parse != nil)
		}
		for i := range d.Options {
			check("option", &d.Options[i].Doc, d.Options[i].Parse != nil || d.Options[i].Flag != 0)
		}
		for i := range d.BindWords {
			check("bind option", &d.BindWords[i].Doc, d.BindWords[i].Parse != nil)
		}
		for i := range d.ServerWords {
			check("server option", &d.ServerWords[i].Doc, d.ServerWords[i].Parse != nil)
		}
		for i := range d.Actions {
			check("action", &d.Actions[i].Doc, d.Actions[i].Parse != nil)
		}
		for i := range d.Aliases {
			check("log alias", &d.Aliases[i].Doc, d.Aliases[i].Eval != nil)
		}
		for i := range d.Commands {
			check("command", &d.Commands[i].Doc, d.Commands[i].Run != nil)
		}
	}
}

func TestCommandsAreThoseOfTheReference(t *testing.T) {
	table, err := commandTable(nil)
	if err != nil {
		t.Fatal(err)
	}
	var ours, theirs []string
	for i := range table.Len() {
		ours = append(ours, table.Row(i).Name)
	}
	for _, l := range inventoryPart(t, "CLI keywords") {
		name, _, _ := strings.Cut(l, " [")
		if name != "show quic" { // of builds with QUIC; the transcripts were recorded from one without
			theirs = append(theirs, name)
		}
	}
	bothWays(t, "commands", ours, theirs)
}

// The keywords of configurations are listed as the reference lists them, line by line.
func TestConfigurationKeywordsAreListed(t *testing.T) {
	var out strings.Builder
	config.WriteKeywords(&out, allTables(t))
	got := strings.Split(strings.TrimRight(out.String(), "\n"), "\n")
	if d := cmp.Diff(inventoryPart(t, "configuration keywords"), got); d != "" {
		t.Errorf("(-reference +here)\n%s", d)
	}
}
