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

// TestRowsHaveExamples asks for a case, recorded from the reference, of each fetch and each converter that works.
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
	}
	out, _ := exec.Command(hapax, "-dKsmp,cnv", "-c", "-f", os.DevNull).Output()
	rows := 0
	for what, line := range map[string]*regexp.Regexp{"fetch": dumpedFetch, "converter": dumpedConverter} {
		for _, m := range line.FindAllStringSubmatch(string(out), -1) {
			rows++
			if !used[m[1]] {
				t.Errorf("the %s %s stands in no case under testdata", what, m[1])
			}
		}
	}
	if rows < 500 {
		t.Errorf("only %d rows were listed", rows)
	}
}
