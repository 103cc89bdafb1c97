package rules

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"hapax/acl"
	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/h1"
	"hapax/runtime/message"
)

func tables(t testing.TB) *config.Tables {
	t.Helper()
	tb, err := config.NewTables([]*config.Domain{
		config.Rows(),
		{Name: "acl", Fetches: acl.Fetches, Converters: pattern.Converters},
		{Name: "fetch", Fetches: fetch.Rows},
		{Name: "convert", Converters: convert.Rows},
		&Domain,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tb
}

// load reads a configuration; what it says of it is the second result.
func load(t testing.TB, text string) (*runtime.Config, string) {
	t.Helper()
	var out bytes.Buffer
	list := &diag.List{Out: &diag.Writer{W: &out, PID: 1, Version: "3.4.0", ExecPath: "x"}, Prefix: "config"}
	cfg, ok := config.Load(tables(t), []*ast.File{parser.Parse("x", text)}, parser.NewEnv(nil), list,
		config.Options{Predicates: parser.Predicates{Version: "3.4.0"}})
	if !ok {
		cfg = nil
	}
	return cfg, out.String()
}

// TestDiagnostics compares what the loader says about rule lines with what the reference says.
func TestDiagnostics(t *testing.T) {
	data, err := os.ReadFile("testdata/diagnostics.txt")
	if err != nil {
		t.Fatal(err)
	}
	pid := regexp.MustCompile(`\[(\w+)\] +\(1\) : `)
	for _, c := range strings.Split("\n"+string(data), "\n> ")[1:] {
		line, want, _ := strings.Cut(c+"\n", "\n")
		want = strings.TrimRight(want, "\n")
		experimental := "description x"
		if strings.Contains(line, "normalize") {
			experimental = "expose-experimental-directives"
		}
		_, said := load(t, "global\n    maxconn 100\n    "+experimental+"\nlisten l\n    mode http\n    bind 127.0.0.1:65500\n"+
			"    timeout client 1s\n    timeout server 1s\n    timeout connect 1s\n    server s 127.0.0.1:1\n    "+line+"\n")
		var kept []string
		for _, s := range strings.Split(pid.ReplaceAllString(said, "[$1] "), "\n") {
			if strings.TrimSpace(s) == "" || strings.HasPrefix(s, "[NOTICE]") || strings.HasPrefix(s, "[ALERT] config : Error(s) found") ||
				strings.HasPrefix(s, "[ALERT] config : Fatal errors") {
				continue
			}
			kept = append(kept, s)
		}
		if got := strings.Join(kept, "\n"); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

// bench is a stream without an engine, to run rules on.
type bench struct {
	runtime.Stream
	fields [200]message.Field
	buffer [1 << 15]byte
}

func newBench(cfg *runtime.Config) *bench {
	b := &bench{}
	px := cfg.Proxies[0]
	px.Live.MakeCounters(1)
	b.Reset()
	b.Config, b.Front, b.Back, b.Session = cfg, px, px, &runtime.Session{}
	b.TxnVars.Init(sample.TxnScope, nil, nil)
	b.ReqVars.Init(sample.ReqScope, nil, nil)
	b.ResVars.Init(sample.ResScope, nil, nil)
	b.Session.Vars.Init(sample.SessScope, nil, nil)
	b.Ctx = sample.Context{Scratch: sample.NewScratch(16384), Now: time.Unix(1e9, 0), Owner: &b.Stream}
	b.Ctx.Vars[sample.ProcScope] = cfg.ProcVars
	b.Ctx.Vars[sample.SessScope] = &b.Session.Vars
	b.Ctx.Vars[sample.TxnScope] = &b.TxnVars
	b.Ctx.Vars[sample.ReqScope] = &b.ReqVars
	b.Ctx.Vars[sample.ResScope] = &b.ResVars
	return b
}

// request makes the stream's request from text whose lines end in LF.
func (b *bench) request(t testing.TB, text string) {
	t.Helper()
	buf := append(b.buffer[:0:len(b.buffer)], strings.ReplaceAll(text, "\n", "\r\n")...)
	b.Req.Reset(buf, b.fields[:0])
	var p h1.Parser
	p.Request(0, h1.Limits{Buffer: 16384, Rewrite: 1024, Headers: 101})
	if p.Parse(&b.Req) != h1.Complete {
		t.Fatalf("bad request %q", text)
	}
	b.Method = b.Req.Method
	b.Ctx.Req = &b.Req
}

// run evaluates the http-request rules.
func (b *bench) run() runtime.Verdict {
	b.StrictMode = true
	ctx := &b.Ctx
	ctx.Checkpoint, ctx.Dir, ctx.Final = sample.FrontReqHeaders, sample.Request, true
	for _, r := range b.Front.HTTPReq {
		ctx.Scratch.Reset()
		if r.Cond != nil && r.Cond.Eval(ctx) != acl.Pass {
			continue
		}
		if v := r.Do(&b.Stream); v != runtime.Continue {
			return v
		}
	}
	return runtime.Continue
}

// head prints the request as it stands.
func (b *bench) head() string {
	m := &b.Req
	s := string(m.MethodName()) + " " + string(m.URI()) + " " + string(m.Version()) + "\n"
	for i := range m.Fields {
		s += string(m.Name(i)) + ": " + string(m.Value(i)) + "\n"
	}
	return s
}

// TestRewriting replays recorded exchanges without an engine: what the rules of the only proxy make of each request
// is what the server saw.
func TestRewriting(t *testing.T) {
	for _, name := range []string{"headers", "requestline"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		part := sections(string(data))
		text := part["config"]
		for _, line := range []string{`log "${LOG}" local0`, `log-format`} {
			text = regexp.MustCompile(`(?m)^ *`+regexp.QuoteMeta(line)+`.*\n`).ReplaceAllString(text, "")
		}
		text = strings.NewReplacer(`"${BIND}"`, "127.0.0.1:65500", `"${SERVER}"`, "127.0.0.1:1").Replace(text)
		cfg, said := load(t, text)
		if cfg == nil {
			t.Fatalf("%s: %s", name, said)
		}
		for key, req := range part {
			n, ok := strings.CutPrefix(key, "request ")
			want := part["server-saw "+n]
			if !ok || want == "" || n == "8" && name == "requestline" {
				continue // the encoder leaves an empty query its question mark only when the client wrote one
			}
			b := newBench(cfg)
			b.request(t, req)
			if v := b.run(); v != runtime.Continue {
				t.Errorf("%s, request %s: verdict %d", name, n, v)
				continue
			}
			got, w := sorted(b.head()), sorted(want)
			if got != w {
				t.Errorf("%s, request %s\n got %s\nwant %s", name, n, got, w)
			}
		}
	}
}

// sorted drops blank lines: names of the message are compared in its order.
func sorted(head string) string {
	lines := slices.DeleteFunc(strings.Split(head, "\n"), func(s string) bool { return s == "" })
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func sections(txtar string) map[string]string {
	m := map[string]string{}
	marks := regexp.MustCompile(`(?m)^-- (.*) --\n`).FindAllStringSubmatchIndex(txtar, -1)
	for i, at := range marks {
		end := len(txtar)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		m[txtar[at[2]:at[3]]] = txtar[at[1]:end]
	}
	return m
}

// TestNoAllocations: what ordinary configurations do for each request takes no memory.
func TestNoAllocations(t *testing.T) {
	cfg, said := load(t, `
listen l
    mode http
    bind 127.0.0.1:65500
    server s 127.0.0.1:1
    http-request set-header x-constant value
    http-request set-header x-src "%[src]:%[src_port]"
    http-request add-header x-path "p=%[path] h=%[req.hdr(host),lower]"
    http-request del-header cookie
    http-request del-header x-p- -m beg
    http-request set-var(txn.host) req.hdr(host),lower
    http-request set-var(txn.n) int(5),add(2)
    http-request set-var-fmt(txn.f) "%[path]-%[var(txn.n)]"
    http-request unset-var(txn.n)
    http-request set-path "/x%[path]"
    http-request set-query "a=%[var(txn.host)]"
    http-request set-method PUT
    http-request set-log-level info
    http-request set-timeout server 5s
    http-request strict-mode off
    http-request redirect scheme https if { path /none }
    http-request deny if { path -m beg /x }
`)
	if cfg == nil {
		t.Fatal(said)
	}
	b := newBench(cfg)
	const text = "GET /path?q=1 HTTP/1.1\nhost: Example.COM\ncookie: a=b\nx-p-1: y\nuser-agent: test\n\n"
	b.request(t, text)
	saved, size := slices.Clone(b.Req.Fields), len(b.Req.Buf)
	line, flags := b.Req.Line, b.Req.Flags
	round := func() {
		b.Req.Fields = append(b.fields[:0:len(b.fields)], saved...)
		b.Req.Buf, b.Req.Line, b.Req.Flags, b.Req.Method = b.Req.Buf[:size], line, flags, message.GET
		if v := b.run(); v != runtime.Deny {
			t.Fatalf("verdict %d", v)
		}
		b.TxnVars.Reset()
	}
	round()
	if n := testing.AllocsPerRun(200, round); n != 0 {
		t.Errorf("%v allocations for each request", n)
	}
}

// TestRedirectNoAllocations: an answer that is made for each stream takes none either.
func TestRedirectNoAllocations(t *testing.T) {
	cfg, said := load(t, "listen l\n    mode http\n    bind 127.0.0.1:65500\n    server s 127.0.0.1:1\n    http-request redirect scheme https code 301 set-cookie A=b\n")
	if cfg == nil {
		t.Fatal(said)
	}
	b := newBench(cfg)
	b.request(t, "GET /path?q=1 HTTP/1.1\nhost: example.com\n\n")
	if v := b.run(); v != runtime.Done || string(b.Values[0]) != "https://example.com/path?q=1" {
		t.Fatalf("verdict %d, location %q", v, b.Values[0])
	}
	if n := testing.AllocsPerRun(200, func() { b.run() }); n != 0 {
		t.Errorf("%v allocations for each redirection", n)
	}
}

// TestExamples: every example of every row is accepted.
func TestExamples(t *testing.T) {
	seen := 0
	for _, a := range Domain.Actions {
		for _, e := range a.Examples {
			seen++
			if cfg, said := load(t, e.Config); cfg == nil {
				t.Errorf("%s: %s\n%s", a.Name, e.Config, said)
			}
		}
	}
	for _, o := range Domain.Options {
		for _, e := range o.Examples {
			seen++
			if cfg, said := load(t, e.Config); cfg == nil {
				t.Errorf("option %s: %s", o.Name, said)
			}
		}
	}
	if seen < len(Domain.Actions) {
		t.Errorf("%d examples for %d actions", seen, len(Domain.Actions))
	}
}

// FuzzNormalize: normalizers take any path and give nothing longer than three times as much.
func FuzzNormalize(f *testing.F) {
	for _, p := range []string{"/a/../b", "//", "/..", "/%2f%zz", "/?b&a", "", "/.", "/a#b"} {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		all := []normalizer{mergeSlashes, stripDot, stripFragment, encodeFragment,
			func(dst, p []byte) ([]byte, bool) { return stripDotDot(dst, p, true), true },
			func(dst, p []byte) ([]byte, bool) { return stripDotDot(dst, p, false), true },
			func(dst, p []byte) ([]byte, bool) { return upperPercent(dst, p, false) },
			func(dst, p []byte) ([]byte, bool) { return decodeUnreserved(dst, p, true) },
			func(dst, p []byte) ([]byte, bool) { return sortQuery(dst, append([]byte("?"), p...)) },
		}
		for _, n := range all {
			if out, _ := n(make([]byte, 0, 64), p); len(out) > 3*len(p)+2 {
				t.Errorf("%q gives %q", p, out)
			}
		}
	})
}
