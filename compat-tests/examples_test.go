package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// variable is a line of a configuration that puts an expression into a variable of the process.
var variable = regexp.MustCompile(`(?m)^.* set-var\((proc\.\w+)\) (.+)$`)

// variables asks for each variable of the process that the configuration sets, and writes it behind its expression: this is
// the step "vars". A value that an expression does not have leaves the variable as it was.
func (s *script) variables() error {
	config, err := os.ReadFile(filepath.Join(s.dir, "haproxy.cfg"))
	if err != nil {
		return err
	}
	var out strings.Builder
	for _, m := range variable.FindAllStringSubmatch(string(config), -1) {
		answer, err := s.ask("get var " + m[1])
		if err != nil {
			return err
		}
		answer = strings.TrimSuffix(strings.TrimPrefix(answer, m[1]+": "), "\n\n")
		out.WriteString(m[2] + "\n    " + strings.ReplaceAll(answer, "\n", `\n`) + "\n")
	}
	s.say("vars", s.masked(out.String()))
	return nil
}

// A row of -dKsmp and -dKcnv.
var (
	dumpedFetch     = regexp.MustCompile(`(?m)^\[ [Y. ]+\] ([\w.+-]+)`)
	dumpedConverter = regexp.MustCompile(`(?m)^([\w.+-]+)(?:\(.*\))?: \w+ => \w+$`)
)

// action is the beginning of a rule, in a configuration or in what -dKcfg tells: its set and its word.
var action = regexp.MustCompile(`(?m)^\s*((?:http-request|http-response|http-after-response|tcp-request (?:connection|session|content)|tcp-response content) [\w-]+)`)

// TestRowsHaveExamples asks for a case, recorded from the reference, of each fetch, each converter and each action that works,
// of an action in each of its rule sets.
func TestRowsHaveExamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{} // words of the configurations of all cases
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		config, _, _ := strings.Cut(string(data), "\n-- script --\n")
		for _, word := range strings.FieldsFunc(config, func(r rune) bool { return strings.ContainsRune(" \t\n\"'()[],{}|%", r) }) {
			used[word] = true
		}
		for _, m := range action.FindAllStringSubmatch(config, -1) {
			used[m[1]], used[strings.TrimRight(m[1], "0123456789")] = true, true // track-sc0 is a row track-sc
		}
	}
	out, _ := exec.Command(hapax, "-dKsmp,cnv,cfg", "-c", "-f", os.DevNull).Output()
	rows := 0
	for what, line := range map[string]*regexp.Regexp{"fetch": dumpedFetch, "converter": dumpedConverter, "action": action} {
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			rows++
			if !used[m[1]] && !strings.HasSuffix(m[1], " send-spoe-group") { // which is Missing
				t.Errorf("the %s %s stands in no case under testdata", what, m[1])
			}
		}
	}
	if rows < 700 {
		t.Errorf("only %d rows were listed", rows)
	}
}
