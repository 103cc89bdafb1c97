package diag

import (
	"bytes"
	"strings"
	"testing"

	"hapax/parser/ast"
)

var here = ast.Pos{File: "t.cfg", Line: 7}

func TestShapes(t *testing.T) {
	for got, want := range map[string]string{
		At(here, "unknown keyword '%s'", "x"):                     "parsing [t.cfg:7] : unknown keyword 'x'",
		AtTight(here, "lone '%s'.", ".else"):                      "parsing [t.cfg:7]: lone '.else'.",
		AtObject(here, "server x/a", "unknown keyword '%s'", "y"): "[t.cfg:7] : 'server x/a' : unknown keyword 'y'",
		AtObject(here, "", "text"):                                "[t.cfg:7] : text",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// The bytes are those of HAProxy 3.4.0, with the process number that the test gives.
func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := &Writer{W: &out, PID: 42, Version: "3.4.0", ExecPath: "/usr/sbin/haproxy"}
	l := &List{Out: w, Prefix: "config"}
	l.Noticef(here, "Hint")
	l.Diagf(here, "not asked for")
	l.Alert(here, "first")
	l.Diag = true
	l.Diagf(here, "asked for")
	l.Prefix = ""
	l.Warnf(ast.Pos{}, "two\nlines\n")
	want := "[NOTICE]   (42) : config : Hint\n" +
		"[NOTICE]   (42) : haproxy version is 3.4.0\n" +
		"[NOTICE]   (42) : path to executable is /usr/sbin/haproxy\n" +
		"[ALERT]    (42) : config : parsing [t.cfg:7] : first\n" +
		"[DIAG]     (42) : config : asked for\n" +
		"[WARNING]  (42) : two\nlines\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	if w.Log() != want {
		t.Errorf("the log is\n%s", w.Log())
	}
	if l.Alerts() != 1 || l.Fatal() != 1 || l.Warnings() != 2 || l.Aborted() || !l.Failed() || len(l.All()) != 4 {
		t.Errorf("counted %d alerts, %d fatal, %d warnings in %d", l.Alerts(), l.Fatal(), l.Warnings(), len(l.All()))
	}
}

func TestQuietAndRunning(t *testing.T) {
	var out bytes.Buffer
	w := &Writer{W: &out, PID: 1, Version: "3.4.0", Quiet: true}
	l := &List{Out: w}
	l.Abort(here, "x")
	if out.Len() != 0 || !strings.Contains(w.Log(), "parsing [t.cfg:7] : x\n") {
		t.Errorf("quiet printed %q and kept %q", out.String(), w.Log())
	}
	w.Verbose = true
	l.Alertf(here, "y")
	if out.String() != "[ALERT]    (1) : y\n" {
		t.Errorf("verbose printed %q", out.String())
	}
	out.Reset()
	kept := w.Log()
	w.Running = true
	l.Warn(here, "z")
	if out.String() != "[WARNING]  (1) : parsing [t.cfg:7] : z\n" || w.Log() != kept {
		t.Errorf("running printed %q", out.String())
	}
	w.Restore("before\n")
	if w.Log() != "before\n"+kept {
		t.Errorf("restored %q", w.Log())
	}
}

func TestLogIsBounded(t *testing.T) {
	w := &Writer{PID: 1}
	for range 2000 {
		w.Print(Diagnostic{Severity: Warning, Text: strings.Repeat("x", 100)})
	}
	if n := len(w.Log()); n > logSize || n < logSize-200 {
		t.Errorf("kept %d bytes", n)
	}
}

func TestOnce(t *testing.T) {
	var l List
	if !l.Once("a") || l.Once("a") || !l.Once("b") {
		t.Error("Once is not true once")
	}
}
