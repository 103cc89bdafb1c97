package parser

import (
	"bytes"
	"strings"
	"testing"

	"hapax/parser/ast"
	"hapax/parser/diag"
)

// lexicalCase is a file and its diagnostics as the reference prints them, without its closing summaries.
type lexicalCase struct {
	config  string
	want    []string
	differs string // why the text of this case differs on purpose from the reference's
}

var testEnv = []string{"HOME=/root", "PATH=/bin:/usr/bin", "LIST=a b  c", "SP= x ", "EMPTY=", "ONE=1", `Q=it's "q"`, "LONGNAME_VAR=v"}

var testPredicates = Predicates{Version: "3.4.0", Features: []string{"+SSL", "-LUA"}, SSLVersion: "3.0.19",
	SSLName: "OpenSSL 3.0.19 27 Jan 2026", Enabled: func(option string) bool { return option == "EPOLL" }}

// load reads a file the way a program does: once for the global section's environment, once in full.
func load(config string) *diag.List {
	list := &diag.List{Diag: true}
	env := NewEnv(testEnv)
	file := Parse("t.cfg", config)
	for _, discovery := range []bool{true, false} {
		x := NewExpander(file, env, list, Options{Discovery: discovery, Predicates: testPredicates,
			IsSection: func(word string) bool { return word == "global" || word == "defaults" || word == "listen" }})
		for l, ok := x.Next(); ok; l, ok = x.Next() {
			words := l.Texts(nil, 1)
			switch l.Arg(0) {
			case "setenv":
				env.Set(l.Arg(1), l.Arg(2))
			case "presetenv":
				env.Preset(l.Arg(1), l.Arg(2))
			case "unsetenv":
				env.Unset(l.Arg(1))
			case "resetenv":
				env.Reset(words)
			}
		}
		x.Close()
		if list.Failed() {
			break
		}
	}
	return list
}

func TestLexical(t *testing.T) {
	for _, c := range lexicalCases {
		var got []string
		for _, d := range load(c.config).All() {
			if strings.HasPrefix(d.Text, "Error(s) found") {
				continue
			}
			got = append(got, d.Severity.String()+": "+d.Text)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%q\n got %q\nwant %q", abbreviate(c.config), got, c.want)
		}
	}
}

func abbreviate(s string) string {
	if len(s) > 300 {
		return s[:150] + " ... " + s[len(s)-150:]
	}
	return s
}

func FuzzParsePrint(f *testing.F) {
	for _, c := range lexicalCases {
		f.Add(c.config)
	}
	f.Fuzz(func(t *testing.T, source string) {
		var b bytes.Buffer
		file := Parse("x", source)
		if err := ast.Print(&b, file); err != nil || b.String() != source {
			t.Fatalf("%q was printed as %q, %v", source, b.String(), err)
		}
		if n := strings.Count(source, "\n"); source != "" && file.NumLines() != n && file.NumLines() != n+1 {
			t.Fatalf("%q has %d lines", source, file.NumLines())
		}
	})
}

func FuzzTokenizer(f *testing.F) {
	for _, c := range lexicalCases {
		f.Add(c.config)
	}
	f.Add("0000 0\n\\x00")
	f.Fuzz(func(t *testing.T, source string) {
		load(source)
		words, comment, err := Split(source)
		if err != nil {
			return
		}
		line, _, _ := strings.Cut(source, "\n")
		if !strings.HasSuffix(line, comment) {
			t.Fatalf("comment %q is not the end of %q", comment, line)
		}
		end := 0
		for _, w := range words {
			if w.Col < 1 || !strings.HasPrefix(line[w.Col-1:], w.Raw) || w.Col-1 < end {
				t.Fatalf("%q: word %q at %d is not there", line, w.Raw, w.Col)
			}
			end = w.Col - 1 + len(w.Raw)
		}
	})
}
