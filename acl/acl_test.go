package acl_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// loader is the part of a configuration that ACLs ask for.
type loader struct {
	acls *acl.Compiler
	set  acl.Set
	says []string
}

func (l *loader) Patterns() *pattern.Refs         { return l.acls.Patterns }
func (l *loader) ACLs() (*acl.Compiler, *acl.Set) { return l.acls, &l.set }

func newLoader(t testing.TB, line int) *loader {
	t.Helper()
	rows := append(append([]sample.Fetch(nil), fetch.Rows...), acl.Fetches...)
	fetches, err := keyword.NewTable(rows)
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable(append(append([]sample.Converter(nil), convert.Rows...), pattern.Converters...))
	if err != nil {
		t.Fatal(err)
	}
	l := new(loader)
	samples := &sample.Compiler{Fetches: fetches, Converters: converters, Names: new(sample.VarNames), LookUp: l}
	samples.Pos = ast.Pos{File: "e.cfg", Line: line}
	l.acls = &acl.Compiler{Samples: samples, Patterns: &pattern.Refs{Dir: "testdata"}}
	l.acls.Warn = func(text string) { l.says = append(l.says, "WARNING "+strings.TrimRight(text, "\n")) }
	return l
}

func readGolden(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type users struct{}

func (users) Check(user, password []byte) bool {
	return string(user) == "bob" && string(password) == "secret"
}
func (users) Member(user []byte, group string) bool { return string(user) == "bob" && group == "g1" }
func (users) HasGroup(name string) bool             { return name == "g1" || name == "g2" }

// diagnostics are lines and what the reference says about them.
type diagnostics struct {
	ACLs, Conditions []struct {
		Line string
		Says []string
	}
}

func TestDiagnostics(t *testing.T) {
	var g diagnostics
	readGolden(t, "diagnostics-3.4.0.json", &g)
	for _, c := range g.ACLs {
		l := newLoader(t, 11)
		words := strings.Fields(c.Line)
		if _, err := l.acls.ACL(&l.set, words[0], words[1:]); err != nil {
			l.says = append(l.says, fmt.Sprintf("ALERT parsing [e.cfg:11] : error detected while parsing ACL '%s' : %s.", words[0], err))
		}
		for _, u := range l.acls.Samples.Take() {
			u.Arg.Ref = users{}
		}
		for _, text := range l.set.CheckGroups("f") {
			l.says = append(l.says, "ALERT "+text)
		}
		compare(t, "acl "+c.Line, l.says, c.Says)
	}
	for _, c := range g.Conditions {
		l := newLoader(t, 14)
		for _, line := range []string{"b1 status 200", "b2 status 200", "b2 path x"} {
			words := strings.Fields(line)
			if _, err := l.acls.ACL(&l.set, words[0], words[1:]); err != nil {
				t.Fatal(err)
			}
		}
		cond, err := l.acls.Cond(&l.set, strings.Fields(c.Line))
		switch {
		case err != nil:
			l.says = append(l.says, fmt.Sprintf("ALERT parsing [e.cfg:14] : error detected while parsing an 'http-request deny' condition : %s.", err))
		case cond.Warning(sample.FrontReqHeaders) != "":
			// The reference prints this one with its line feed inside the quotes.
			l.says = append(l.says, fmt.Sprintf("WARNING parsing [e.cfg:14] : '%s.\n'", cond.Warning(sample.FrontReqHeaders)))
		}
		compare(t, c.Line, l.says, c.Says)
	}
}

func compare(t *testing.T, line string, got, want []string) {
	t.Helper()
	if len(got)+len(want) > 0 {
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-reference +here)\n%s", line, diff)
		}
	}
}

// context makes the context of an http-request rule out of a request as it was received.
func context(t testing.TB, text string) *sample.Context {
	t.Helper()
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	words := strings.Split(lines[0], " ")
	m := new(message.Message)
	m.Reset(make([]byte, 0, 1<<16), make([]message.Field, 0, 64))
	if err := m.SetRequestLine(words[0], words[1], words[2]); err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		if err := m.AddString(strings.ToLower(name), strings.TrimSpace(value)); err != nil {
			t.Fatal(err)
		}
	}
	if string(m.Get("transfer-encoding")) == "chunked" {
		whole := ""
		for {
			size, rest, _ := strings.Cut(body, "\r\n")
			n, err := strconv.ParseUint(size, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				break
			}
			whole, body = whole+rest[:n], rest[n+2:]
		}
		body = whole
	}
	loopback := netip.MustParseAddrPort("127.0.0.1:1234")
	return &sample.Context{
		Scratch: sample.NewScratch(0), Final: true, Checkpoint: sample.FrontReqHeaders, Req: m, Src: loopback, Dst: loopback,
		Front:   sample.Conn{Src: loopback, Dst: loopback, HTTP: 1},
		ReqBody: sample.Body{Data: []byte(body), Size: int64(len(body)), Complete: true},
	}
}

// condition compiles one: an ACL's name, or a test that is put between braces.
func condition(t testing.TB, text string) *acl.Cond {
	t.Helper()
	l := newLoader(t, 1)
	words := []string{"if", text}
	if strings.ToUpper(text) != text {
		words = append(append([]string{"if", "{"}, strings.Fields(text)...), "}")
	}
	c, err := l.acls.Cond(&l.set, words)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, u := range l.acls.Samples.Take() {
		u.Arg.Ref = users{}
	}
	return c
}

// passes are conditions and on which requests they pass in the reference: one letter each, Y or a dot.
type passes struct {
	Requests []string
	Passes   map[string]string
}

func TestConditions(t *testing.T) {
	var g passes
	readGolden(t, "conditions-3.4.0.json", &g)
	var texts []string
	for text := range g.Passes {
		texts = append(texts, text)
	}
	sort.Strings(texts)
	for _, text := range texts {
		c := condition(t, text)
		got := ""
		for _, r := range g.Requests {
			if c.Eval(context(t, r)) == acl.Pass {
				got += "Y"
			} else {
				got += "."
			}
		}
		if got != g.Passes[text] {
			t.Errorf("%s: passes on %s, want %s", text, got, g.Passes[text])
		}
	}
}

// TestLogic checks how terms combine; T passes, F fails, M waits for data.
func TestLogic(t *testing.T) {
	cases := []struct{ words, want string }{
		{"if", "fail"}, {"unless", "pass"},
		{"if T", "pass"}, {"if F", "fail"}, {"if M", "miss"}, {"unless M", "miss"},
		{"if !T", "fail"}, {"if !F", "pass"}, {"if !M", "miss"}, {"if !!T", "pass"}, {"if ! T", "fail"},
		{"if T F", "fail"}, {"if T M", "miss"}, {"if F M", "fail"}, {"if M F", "miss"},
		{"if F or T", "pass"}, {"if F || M", "miss"}, {"if M or T", "pass"}, {"if M or F", "miss"},
		{"unless F or T", "fail"}, {"if or T", "pass"}, {"if T F or T T", "pass"},
		{"if { bool(1) }", "pass"}, {"if !{ bool(1) }", "fail"},
		{"if B", "miss"}, // fails, or waits
		{"if C", "pass"}, // waits, or passes
	}
	for _, c := range cases {
		l := newLoader(t, 1)
		for _, line := range []string{"T always_true", "F always_false", "M wait_end", "B always_false", "B wait_end", "C wait_end", "C always_true"} {
			words := strings.Fields(line)
			if _, err := l.acls.ACL(&l.set, words[0], words[1:]); err != nil {
				t.Fatal(err)
			}
		}
		cond, err := l.acls.Cond(&l.set, strings.Fields(c.words))
		if err != nil {
			t.Errorf("%s: %v", c.words, err)
			continue
		}
		if got := cond.Eval(&sample.Context{Scratch: sample.NewScratch(0)}).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.words, got, c.want)
		}
		if cond.Eval(&sample.Context{Scratch: sample.NewScratch(0), Final: true}) == acl.Miss {
			t.Errorf("%s: waits though nothing follows", c.words)
		}
	}
}

func TestRecursion(t *testing.T) {
	l := newLoader(t, 1)
	var last error
	for _, line := range []string{"a always_false", "b acl(a)", "a acl(b)"} {
		words := strings.Fields(line)
		_, last = l.acls.ACL(&l.set, words[0], words[1:])
	}
	if last == nil || last.Error() != "have a recursive loop" {
		t.Errorf("a asks for itself: %v", last)
	}
}

func TestPredefined(t *testing.T) {
	names := acl.Predefined()
	if len(names) != 23 {
		t.Errorf("%d predefined ACLs", len(names))
	}
	for _, name := range names {
		condition(t, name)
	}
}

// TestAliases compares the ACL keywords with what the reference lists.
func TestAliases(t *testing.T) {
	f, err := os.Open("testdata/keywords-3.4.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var want, got []string
	for s := bufio.NewScanner(f); s.Scan(); {
		want = append(want, s.Text())
	}
	for _, a := range acl.Aliases {
		got = append(got, fmt.Sprintf("%s = %s -m %s", a.Name, a.Fetch, a.Method))
	}
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ACL keywords (-reference +here)\n%s", diff)
	}
}

func TestEvalDoesNotAllocate(t *testing.T) {
	ctx := context(t, "GET /a/b.html?x=1 HTTP/1.1\r\nHost: www.example.com\r\nX-List: a, b, c\r\nX-Num: 42\r\nCookie: a=1; b=2\r\n\r\n")
	for _, text := range []string{
		"path_beg /a", "path_end .html .png", "hdr_dom(host) -i example.com", "req.hdr(x-num) -m int gt 10", "method POST PUT",
		"src 127.0.0.0/8", "url_param(x) -m found", "req.cook(b) -m beg 2", "hdr_cnt(x-list) ge 2", "path_reg ^/a/", "path_sub x y z",
		"path,length gt 20", "hdr(x-list) c", "METH_GET", "HTTP_1.1", "LOCALHOST", "hdr(host),lower -m str www.example.com",
	} {
		c := condition(t, text)
		c.Eval(ctx)
		if n := testing.AllocsPerRun(100, func() { ctx.Scratch.Reset(); c.Eval(ctx) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkCondition(b *testing.B) {
	words := strings.Fields("if { path_beg /api } !{ src 10.0.0.0/8 } or { hdr(host) -i example.com }")
	b.Run("compile", func(b *testing.B) {
		l := newLoader(b, 1)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.acls.Cond(new(acl.Set), words); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("eval", func(b *testing.B) {
		l := newLoader(b, 1)
		c, err := l.acls.Cond(&l.set, words)
		if err != nil {
			b.Fatal(err)
		}
		ctx := context(b, "GET /x HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: x\r\n\r\n")
		b.ReportAllocs()
		for b.Loop() {
			ctx.Scratch.Reset()
			c.Eval(ctx)
		}
	})
}

func FuzzCondition(f *testing.F) {
	var g diagnostics
	readGolden(f, "diagnostics-3.4.0.json", &g)
	for _, c := range g.Conditions {
		f.Add(c.Line)
	}
	for _, c := range g.ACLs {
		f.Add("if { " + c.Line[1:] + " }")
	}
	l := newLoader(f, 1)
	ctx := context(f, "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.Contains(line, "-f") || strings.Contains(line, "map") || strings.Contains(line, "src") || strings.Contains(line, "ip") {
			return // no files and no name resolution
		}
		l.acls.Patterns = new(pattern.Refs)
		c, err := l.acls.Cond(new(acl.Set), strings.Fields(line))
		for _, u := range l.acls.Samples.Take() {
			if u.Arg.Type == keyword.Regex {
				return
			}
			u.Arg.Ref = users{}
		}
		if err == nil && c.Supported() {
			ctx.Scratch.Reset()
			c.Eval(ctx)
		}
	})
}

func TestExamples(t *testing.T) {
	for _, row := range acl.Fetches {
		for _, x := range row.Examples {
			l := newLoader(t, 1)
			e, err := l.acls.Samples.ParseWord(x.Expr)
			if err != nil {
				t.Errorf("%s: %v", x.Expr, err)
				continue
			}
			var v sample.Value
			if !e.EvalAs(&sample.Context{Scratch: sample.NewScratch(0), Final: true}, sample.Str, &v) || string(v.Bytes) != x.Want {
				t.Errorf("%s: %q, want %q", x.Expr, v.Bytes, x.Want)
			}
		}
	}
}
