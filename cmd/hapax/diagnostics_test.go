package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/parser"
	"hapax/parser/diag"
	"hapax/runtime/config"
	"hapax/runtime/process"
)

var (
	reference = flag.String("haproxy", "", "check the recorded diagnostics against this HAProxy instead of hapax")
	record    = flag.Bool("record", false, "with -haproxy: write what it says into the cases")
)

// diagnosticsCase is a configuration and what is said about it.
type diagnosticsCase struct{ config, want string }

// TestDiagnostics replays configurations with mistakes that were recorded from
// HAProxy 3.4.0: all messages, their order and the exit status.
func TestDiagnostics(t *testing.T) {
	files, err := filepath.Glob("../../compat-tests/testdata/diagnostics/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for i, file := range files {
		files[i], _ = filepath.Abs(file)
	}
	t.Chdir(t.TempDir())
	tables, err := config.NewTables(domains())
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		title, cases := readCases(t, file)
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s/%03d", strings.TrimSuffix(filepath.Base(file), ".txt"), i+1), func(t *testing.T) {
				got := diagnose(t, tables, c.config)
				if *reference != "" {
					got = ask(t, *reference, c.config)
				}
				if *record {
					cases[i].want = got
					return
				}
				if d := cmp.Diff(strings.Split(c.want, "\n"), strings.Split(got, "\n")); d != "" {
					t.Errorf("%s\n(-recorded +now)\n%s", c.config, d)
				}
			})
		}
		if *record {
			writeCases(t, file, title, cases)
		}
	}
}

// readCases reads the files "NNN.cfg" and "NNN.out" of an archive.
func readCases(t testing.TB, path string) (title string, cases []diagnosticsCase) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile(`(?m)^-- \d+\.(?:cfg|out) --\n`).Split(string(data), -1)
	for i := 1; i+1 < len(parts); i += 2 {
		cases = append(cases, diagnosticsCase{parts[i], parts[i+1]})
	}
	return parts[0], cases
}

func writeCases(t *testing.T, path, title string, cases []diagnosticsCase) {
	var b strings.Builder
	b.WriteString(title)
	for i, c := range cases {
		fmt.Fprintf(&b, "-- %03d.cfg --\n%s-- %03d.out --\n%s", i+1, c.config, i+1, c.want)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

const configName = "haproxy.cfg"

// writeConfig writes a configuration, and the files that it refers to: what stands behind
// a line "#-> name" is the file of that name.
func writeConfig(t *testing.T, text string) {
	for i, part := range strings.Split(text, "#-> ") {
		name := configName
		if i > 0 {
			name, part, _ = strings.Cut(part, "\n")
		}
		if err := os.WriteFile(name, []byte(part), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// diagnose loads a configuration as the program does with -c.
func diagnose(t *testing.T, tables *config.Tables, text string) string {
	writeConfig(t, text)
	var out bytes.Buffer
	list := &diag.List{Out: &diag.Writer{W: &out, Version: version, ExecPath: "haproxy"}, Prefix: "config"}
	status := process.ExitFailure
	if files, ok := parser.Files([]string{configName}, list); ok {
		c, ok := config.Load(tables, files, parser.NewEnv([]string{"LANG=C"}), list, config.Options{Predicates: parser.Predicates{Version: version}})
		switch {
		case ok && c.Listens():
			status = process.ExitOK
		case ok:
			status = process.ExitNoBind
		}
	}
	return recorded(status, out.String())
}

// ask is diagnose by another program.
func ask(t *testing.T, program, text string) string {
	writeConfig(t, text)
	cmd := exec.Command(program, "-c", "-f", configName)
	cmd.Env = []string{"LANG=C"}
	var out bytes.Buffer
	cmd.Stderr = &out
	status := 0
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		status = exit.ExitCode()
	}
	said := regexp.MustCompile(`haproxy version is \S+`).ReplaceAllString(out.String(), "haproxy version is "+version)
	return recorded(status, strings.ReplaceAll(said, program, "haproxy"))
}

// recorded is the form in which the cases keep what was said.
func recorded(status int, said string) string {
	said = regexp.MustCompile(`\(\d+\) :`).ReplaceAllString(said, "(PID) :")
	said = withoutTimes(said)
	if said != "" && !strings.HasSuffix(said, "\n") {
		said += "\n"
	}
	return fmt.Sprintf("exit %d\n%s", status, said)
}

// withoutTimes leaves out how long a password took.
func withoutTimes(said string) string {
	return regexp.MustCompile(`takes \d+ milliseconds`).ReplaceAllString(said, "takes N milliseconds")
}
