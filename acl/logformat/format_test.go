package logformat_test

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/logformat"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// aliases are a few rows of each kind; those of logs stand with their domain.
func aliases() []logformat.Alias {
	row := func(name string, eval func(*sample.Context, []byte, logformat.Flags) []byte) logformat.Alias {
		return logformat.Alias{Doc: keyword.Doc{Name: name}, Need: logformat.NeedInit, Eval: eval}
	}
	nothing := func(_ *sample.Context, dst []byte, _ logformat.Flags) []byte { return dst }
	return []logformat.Alias{
		row("ci", func(ctx *sample.Context, dst []byte, f logformat.Flags) []byte {
			return logformat.AppendIP(dst, ctx.Src.Addr(), f)
		}),
		row("cp", func(ctx *sample.Context, dst []byte, f logformat.Flags) []byte {
			return logformat.AppendPort(dst, ctx.Src.Port(), f)
		}),
		row("HM", func(ctx *sample.Context, dst []byte, f logformat.Flags) []byte {
			dst = logformat.BeginText(dst, f)
			dst = logformat.AppendRequest(dst, ctx.Req.MethodName(), f|logformat.InText)
			return logformat.EndText(dst, f)
		}),
		row("B", func(_ *sample.Context, dst []byte, f logformat.Flags) []byte { return logformat.AppendInt(dst, 0, f) }),
		row("hr", nothing), row("hrl", nothing), row("T", nothing), row("ID", nothing),
	}
}

func newCompiler(t testing.TB) *logformat.Compiler {
	t.Helper()
	fetches, err := keyword.NewTable(fetch.Rows)
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable(append(append([]sample.Converter(nil), convert.Rows...), pattern.Converters...))
	if err != nil {
		t.Fatal(err)
	}
	table, err := keyword.NewTable(aliases())
	if err != nil {
		t.Fatal(err)
	}
	return &logformat.Compiler{Aliases: table, Samples: &sample.Compiler{
		Fetches: fetches, Converters: converters, Names: new(sample.VarNames), LookUp: maps{}, Pos: ast.Pos{File: "e.cfg", Line: 10},
	}}
}

type maps struct{}

func (maps) Patterns() *pattern.Refs { return new(pattern.Refs) }

// golden is what the reference says about formats, and what it writes: in a body, in a header and in a log line.
type golden struct {
	Errors  []struct{ Format, Header, Body, Log string }
	Request string
	Values  []struct{ Format, Header, Body, Log string } // in hexadecimal
}

func readGolden(t testing.TB) (g golden) {
	t.Helper()
	data, err := os.ReadFile("testdata/formats-3.4.0.json")
	if err == nil {
		err = json.Unmarshal(data, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestErrors(t *testing.T) {
	c := newCompiler(t)
	for _, x := range readGolden(t).Errors {
		check := func(where, want string, flags logformat.Flags, at sample.Checkpoint) {
			got := ""
			if _, err := c.Compile(x.Format, flags, at); err != nil {
				got = err.Error() + "."
			}
			if got != want {
				t.Errorf("%s in a %s:\n got %s\nwant %s", x.Format, where, got, want)
			}
		}
		check("header", x.Header, logformat.ForHTTP, sample.FrontReqHeaders)
		check("body", x.Body, 0, sample.FrontReqHeaders)
		check("log", x.Log, logformat.ForLog, sample.LogEnd)
	}
}

// newContext holds the variables that the formats of the golden file use.
func newContext(t testing.TB, c *logformat.Compiler, request string) *sample.Context {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(request, "\r\n\r\n"), "\r\n")
	words := strings.Split(lines[0], " ")
	m := new(message.Message)
	m.Reset(make([]byte, 0, 4096), make([]message.Field, 0, 16))
	if err := m.SetRequestLine(words[0], words[1], words[2]); err != nil {
		t.Fatal(err)
	}
	ctx := &sample.Context{Scratch: sample.NewScratch(0), Req: m, Src: netip.MustParseAddrPort("127.0.0.1:40000")}
	ctx.Vars[sample.TxnScope] = new(sample.Vars)
	set := func(name string, v sample.Value) {
		id, err := c.Samples.Variable("txn." + name)
		if err != nil {
			t.Fatal(err)
		}
		ctx.SetVar(id, &v, 0)
	}
	header := func(name string) []byte {
		for _, line := range lines[1:] {
			if n, v, _ := strings.Cut(line, ": "); strings.EqualFold(n, name) {
				b := make([]byte, 0, len(v)) // the file holds bytes as Latin-1
				for _, r := range v {
					b = append(b, byte(r))
				}
				return b
			}
		}
		return nil
	}
	set("s", sample.Value{Type: sample.Str, Bytes: header("x-s")})
	set("utf", sample.Value{Type: sample.Str, Bytes: header("x-u")})
	set("ctl", sample.Value{Type: sample.Str, Bytes: header("x-ctl")})
	set("bin", sample.Value{Type: sample.Bin, Bytes: []byte("a\x01\xff\\\"]\n")})
	set("n", sample.Value{Type: sample.Int, Int: 42})
	set("neg", sample.Value{Type: sample.Int, Int: -500})
	set("big", sample.Value{Type: sample.Int, Int: 5000000000})
	set("b", sample.Value{Type: sample.Bool, Int: 1})
	set("ip", sample.Value{Type: sample.IPv6, IP: netip.MustParseAddr("2001:db8::1")})
	return ctx
}

func TestValues(t *testing.T) {
	g, c := readGolden(t), newCompiler(t)
	ctx := newContext(t, c, g.Request)
	for _, x := range g.Values {
		check := func(where, wantHex string, flags logformat.Flags, at sample.Checkpoint) {
			f, err := c.Compile(x.Format, flags, at)
			if err != nil {
				t.Errorf("%s in a %s: %v", x.Format, where, err)
				return
			}
			want, err := hex.DecodeString(wantHex)
			if err != nil {
				t.Fatal(err)
			}
			got := string(f.Append(nil, ctx))
			if where == "log" {
				if strings.HasPrefix(string(want), "Connect from ") {
					return // a format without items falls back to the default line, which the logger makes
				}
				got = strings.TrimRight(got, "\n")
			}
			if got != string(want) {
				t.Errorf("%s in a %s:\n got %q\nwant %q", x.Format, where, got, want)
			}
		}
		check("header", x.Header, logformat.ForHTTP, sample.FrontReqHeaders)
		check("body", x.Body, 0, sample.FrontReqHeaders)
		check("log", x.Log, logformat.ForLog, sample.LogEnd)
	}
}

func TestEscapes(t *testing.T) {
	const odd = "a\"#{|}\\]\x01\x7f\xc3 b"
	cases := []struct{ name, got, want string }{
		{"request", string(logformat.AppendRequest(nil, odd, 0)), "a#22#23{|}\\]#01#7F#C3 b"},
		{"header", string(logformat.AppendHeader(nil, odd, 0)), "a#22#23#7B#7C#7D\\]#01#7F#C3 b"},
		{"request, JSON", string(logformat.AppendRequest(nil, odd, logformat.JSON)), "a#22#23{|}\\\\]#01#7F#C3 b"},
		{"request, +E", string(logformat.AppendRequest(nil, odd, logformat.Escape)), "a#22#23{|}\\\\\\]#01#7F#C3 b"},
		{"text", string(logformat.AppendText(nil, "a\x00b", logformat.Quote)), `"a"`},
		{"empty", string(logformat.AppendText(nil, "", logformat.Mandatory)), "-"},
		{"empty, quoted", string(logformat.AppendText(nil, "", logformat.Mandatory|logformat.Quote)), `""`},
		{"port", string(logformat.AppendPort(nil, 80, logformat.Hexa)), "0050"},
		{"padded", string(logformat.AppendPadded(nil, 7, 3, 0)), "007"},
		{"no address", string(logformat.AppendIP(nil, netip.Addr{}, logformat.Mandatory)), "-"},
		{"IPv6", string(logformat.AppendIP(nil, netip.MustParseAddr("2001:db8::1"), logformat.Hexa)), "20010DB8000000000000000000000001"},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.name, c.got, c.want)
		}
	}
}

func TestProperties(t *testing.T) {
	c := newCompiler(t)
	compile := func(text string, flags logformat.Flags) *logformat.Format {
		f, err := c.Compile(text, flags, sample.FrontReqHeaders)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return f
	}
	for text, want := range map[string]string{"a  b%%": "a b%", "": ""} {
		if got, ok := compile(text, logformat.ForLog).Literal(); !ok || got != want {
			t.Errorf("%q is the text %q, want %q", text, got, want)
		}
	}
	f := compile("%ci %[path] %HM", 0)
	if _, ok := f.Literal(); ok || f.Empty() || !f.From().HTTP() || f.Need()&logformat.NeedRequest == 0 || !f.Supported() {
		t.Errorf("properties of %s: from %s, needs %b", f, f.From(), f.Need())
	}
	if got := strings.Join(f.HTTPItems(), ","); got != "sample fetch 'path'" {
		t.Errorf("HTTP items: %s", got)
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	g, c := readGolden(t), newCompiler(t)
	ctx := newContext(t, c, g.Request)
	buf := make([]byte, 0, 4096)
	for _, text := range []string{
		"plain", "%ci:%cp [x] %HM %B", "%[path] %[var(txn.s)] %{+Q}[var(txn.n)]", "%{+json}o %(a)ci %(b)[path] %(c)[var(txn.n)]",
		"%{+cbor}o %(a)ci %(b)[path] %(c)[var(txn.n)]", "%[src] %[req.hdr(host),upper]",
	} {
		f, err := c.Compile(text, logformat.ForLog, sample.FrontReqHeaders)
		if err != nil {
			t.Fatal(err)
		}
		f.Append(buf, ctx)
		if n := testing.AllocsPerRun(100, func() { ctx.Scratch.Reset(); f.Append(buf[:0], ctx) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	g, c := readGolden(b), newCompiler(b)
	ctx := newContext(b, c, g.Request)
	f, err := c.Compile("%ci:%cp [%T] %B %HM %[path] %{+Q}[var(txn.s)]", logformat.ForLog, sample.FrontReqHeaders)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		ctx.Scratch.Reset()
		f.Append(buf[:0], ctx)
	}
}

func FuzzCompile(f *testing.F) {
	g := readGolden(f)
	for _, x := range g.Errors {
		f.Add(x.Format)
	}
	for _, x := range g.Values {
		f.Add(x.Format)
	}
	c := newCompiler(f)
	ctx := newContext(f, c, g.Request)
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "map") || strings.Contains(text, "local") {
			return // no files, no sockets
		}
		for _, flags := range []logformat.Flags{0, logformat.ForHTTP, logformat.ForLog} {
			format, err := c.Compile(text, flags, sample.FrontReqHeaders)
			for _, u := range c.Samples.Take() {
				if u.Arg.Type == keyword.Regex {
					return
				}
			}
			if err == nil && format.Supported() {
				ctx.Scratch.Reset()
				format.Append(nil, ctx)
			}
		}
	})
}
