package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// ruleSets are the words that begin a rule of each kind.
var ruleSets = []struct {
	kind  runtime.RulesetKind
	words string
}{
	{runtime.TCPConnRules, "tcp-request connection"}, {runtime.TCPSessRules, "tcp-request session"},
	{runtime.TCPReqRules, "tcp-request content"}, {runtime.TCPResRules, "tcp-response content"},
	{runtime.HTTPReqRules, "http-request"}, {runtime.HTTPResRules, "http-response"}, {runtime.HTTPAfterRules, "http-after-response"},
}

// refused are the rules that have a row and can be in no case: their places refuse them, or nothing is there for them.
var refused = map[string]string{
	"tcp-request connection capture":           "has no stream",
	"tcp-request session capture":              "has no stream",
	"tcp-request session expect-proxy":         "the address is asked for when the connection comes",
	"tcp-request session expect-netscaler-cip": "the address is asked for when the connection comes",
	"tcp-request content expect-proxy":         "the address is asked for when the connection comes",
	"tcp-request content expect-netscaler-cip": "the address is asked for when the connection comes",
	"tcp-request content use-service":          "all services speak HTTP",
}

// TestActionsHaveExamples asks for a case, recorded from the reference, of each action in each set of rules where it may
// stand.
func TestActionsHaveExamples(t *testing.T) {
	files, err := filepath.Glob("../../compat-tests/testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	used := map[string]bool{} // "http-request set-header", as cases begin their lines; the argument of a name left out
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		config, _, _ := strings.Cut(string(data), "\n-- script --\n")
		for line := range strings.Lines(config) {
			words := strings.Fields(line)
			for n := 2; n <= min(3, len(words)); n++ {
				action, _, _ := strings.Cut(words[n-1], "(")
				used[strings.Join(append(words[:n-1:n-1], action), " ")] = true
			}
		}
	}
	for _, set := range ruleSets {
		rows := allTables(t).Actions(set.kind)
		for i := range rows.Len() {
			row := rows.Row(i)
			if rule := set.words + " " + row.Name; row.Status != keyword.Missing && refused[rule] == "" && !used[rule] && !usedByPrefix(used, rule, row.Prefix) {
				t.Errorf("%q stands in no case under compat-tests/testdata", rule)
			}
		}
	}
}

// usedByPrefix looks for a rule whose action begins as a row says whose name is the beginning of many.
func usedByPrefix(used map[string]bool, rule string, prefix bool) bool {
	if prefix {
		for line := range used {
			if strings.HasPrefix(line, rule) {
				return true
			}
		}
	}
	return false
}
