package convert

import (
	"os"
	"strings"
	"testing"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// common are chains of converters that stand in the rules of ordinary configurations.
var common = []string{
	"var(txn.s),lower", "var(txn.s),upper,length", "var(txn.s),field(1,.),word(1,/)", "var(txn.s),concat(-,txn.n,+)",
	"var(txn.s),regsub(x,y),lower", "var(txn.s),hex", "var(txn.s),base64,b64dec", "var(txn.s),url_dec", "var(txn.s),url_enc(query)",
	"var(txn.s),crc32(1),mod(10)", "var(txn.s),xxh64", "var(txn.s),xxh3", "var(txn.s),sdbm", "var(txn.s),sha1,hex", "var(txn.s),sha2(256),base64",
	"var(txn.s),host_only", "var(txn.s),json(utf8)", "var(txn.s),ltrim(/),rtrim(/)", "var(txn.s),param(a)", "var(txn.s),bytes(1,2)",
	"var(txn.s),strcmp(txn.s)", "var(txn.s),set-var(txn.x)", "var(txn.n),add(1),mul(3),iif(a,b)", "var(txn.n),http_date", "var(txn.i),ipmask(24,64)",
	"var(txn.i),lower", "var(txn.s),language(en;fr)", "var(txn.s),json_query('$.a')", "var(txn.a),ipmask(8)", "var(txn.v6),ipmask(8,64)",
}

func TestAllocations(t *testing.T) {
	c := compiler(t)
	ctx := newContext(c)
	for name, v := range map[string]sample.Value{
		"txn.i":  {Type: sample.Int, Int: 1 << 24},
		"txn.a":  {Type: sample.Str, Bytes: []byte("10.1.2.3")},
		"txn.v6": {Type: sample.Str, Bytes: []byte("2001:db8::1")},
	} {
		id, err := c.Variable(name)
		if err != nil {
			t.Fatal(err)
		}
		ctx.SetVar(id, &v, 0)
	}
	for _, text := range common {
		e, err := c.ParseWord(text)
		if err != nil {
			t.Fatal(err)
		}
		resolve(t, c)
		var v sample.Value
		if n := testing.AllocsPerRun(100, func() {
			ctx.Scratch.Reset()
			e.EvalAs(ctx, sample.Str, &v)
		}); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	c := compiler(b)
	ctx := newContext(c)
	for _, text := range []string{"var(txn.s)", "var(txn.s),lower", "var(txn.s),concat(-,txn.n,+)", "var(txn.s),regsub(x,y)", "var(txn.n),add(1),mul(3)"} {
		e, err := c.ParseWord(text)
		if err != nil {
			b.Fatal(err)
		}
		resolve(b, c)
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			var v sample.Value
			for b.Loop() {
				ctx.Scratch.Reset()
				e.EvalAs(ctx, sample.Str, &v)
			}
		})
	}
}

func FuzzExpression(f *testing.F) {
	for _, path := range []string{"testdata/values.txt", "testdata/errors.txt"} {
		file, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for i, line := range strings.Split(string(file), "\n") {
			if expr, _, ok := strings.Cut(line, "\t"); ok && (i%40 == 0 || path == "testdata/errors.txt") {
				f.Add(expr)
			}
		}
	}
	for _, text := range common {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 400 || strings.Contains(text, "jwt_verify") { // that one opens files
			return
		}
		c := compiler(t)
		e, rest, err := c.ParsePrefix(text)
		if err != nil {
			return
		}
		if !strings.HasSuffix(text, rest) {
			t.Fatalf("%q: what is left is %q", text, rest)
		}
		for _, u := range c.Take() {
			if u.Arg.Type != keyword.Regex || len(u.Arg.Str) > 20 || u.Resolve(noObjects{}) != nil {
				return
			}
		}
		ctx := newContext(c)
		var v sample.Value
		if e.EvalAs(ctx, sample.Str, &v) && len(v.Bytes) > len(text)*8+ctx.Scratch.Most() {
			t.Fatalf("%q: a value of %d bytes", text, len(v.Bytes))
		}
	})
}

// FuzzInput gives arbitrary bytes to every converter that takes any.
func FuzzInput(f *testing.F) {
	for i := range Rows {
		f.Add(uint8(i), []byte(`{"a":[1,"x"]}`))
		f.Add(uint8(i), []byte("GET /a?b=c%41&d"))
		f.Add(uint8(i), []byte("\x10\x10\x00\x04MQTT\x04\x02\x00<\x00\x04name\xc3\xa9"))
	}
	c := compiler(f)
	var exprs []*sample.Expr
	for i := range Rows {
		text := Rows[i].Examples[0].Expr
		e, err := c.ParseWord("var(txn.in)" + text[strings.Index(text, ","+Rows[i].Name):])
		if err != nil {
			f.Fatal(err)
		}
		resolve(f, c)
		exprs = append(exprs, e)
	}
	in, _ := c.Variable("txn.in")
	f.Fuzz(func(t *testing.T, i uint8, input []byte) {
		ctx := newContext(c)
		ctx.SetVar(in, &sample.Value{Type: sample.Bin, Bytes: input}, 0)
		var v sample.Value
		exprs[int(i)%len(exprs)].EvalAs(ctx, sample.Str, &v)
	})
}
