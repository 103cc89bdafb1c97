package convert

import (
	"encoding/hex"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var (
	reference = flag.String("haproxy", "", "record testdata/values.txt and testdata/errors.txt again from this HAProxy program")
)

// constants are the fetches that examples start from.
var constants = []sample.Fetch{
	{Doc: keyword.Doc{Name: "str", Args: args(text("string"))}, Out: sample.Str, From: sample.Constant,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
			v.SetConst([]byte(a[0].Str))
			return true
		}},
	{Doc: keyword.Doc{Name: "bin", Args: args(text("hex"))}, Out: sample.Bin, From: sample.Constant,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
			b, err := hex.DecodeString(a[0].Str)
			v.SetConstBin(b)
			return err == nil
		}},
	{Doc: keyword.Doc{Name: "int", Args: args(number("n"))}, Out: sample.Int, From: sample.Constant,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool { v.SetInt(a[0].Int); return true }},
	{Doc: keyword.Doc{Name: "bool", Args: args(text("b"))}, Out: sample.Bool, From: sample.Constant,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool {
			v.SetBool(a[0].Str == "true" || a[0].Str == "1")
			return true
		}},
	{Doc: keyword.Doc{Name: "ipv4", Args: args(keyword.Arg{Name: "a", Type: keyword.IPv4})}, Out: sample.IPv4, From: sample.Constant,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool { return v.SetAddr(a[0].IP) }},
	{Doc: keyword.Doc{Name: "ipv6", Args: args(keyword.Arg{Name: "a", Type: keyword.IPv6})}, Out: sample.IPv6, From: sample.Constant,
		Eval: func(_ *sample.Context, a []sample.Arg, v *sample.Value) bool { return v.SetAddr(a[0].IP) }},
	{Doc: keyword.Doc{Name: "var", Args: args(keyword.Arg{Name: "name", Type: keyword.Var}, opt(text("default")))}, Out: sample.Any, From: sample.Constant,
		Eval: func(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
			if ctx.GetVar(a[0].Var, v) {
				return true
			}
			v.SetConst([]byte(a[1].Str))
			return a[1].Present
		}},
	{Doc: keyword.Doc{Name: "method"}, Out: sample.Meth, From: sample.Constant,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool { v.SetMethod([]byte("GET")); return true }},
}

func compiler(t testing.TB) *sample.Compiler {
	t.Helper()
	fetches, err := keyword.NewTable(constants)
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable(Rows)
	if err != nil {
		t.Fatal(err)
	}
	return &sample.Compiler{Fetches: fetches, Converters: converters, Names: &sample.VarNames{}, Proc: sample.NewProcVars(nil)}
}

// newContext has the variables txn.s, txn.n and txn.key that the recorded expressions use.
func newContext(c *sample.Compiler) *sample.Context {
	ctx := &sample.Context{Final: true, Scratch: sample.NewScratch(16384), Now: time.Unix(1785681855, 0)}
	ctx.Vars[sample.ProcScope] = c.Proc
	for _, s := range []sample.Scope{sample.SessScope, sample.TxnScope, sample.ReqScope} {
		ctx.Vars[s] = &sample.Vars{}
	}
	set := func(name string, v sample.Value) {
		id, err := c.Names.Parse(name)
		if err != nil {
			panic(err)
		}
		ctx.SetVar(id, &v, 0)
	}
	set("txn.s", sample.Value{Type: sample.Str, Bytes: []byte("hello")})
	set("txn.n", sample.Value{Type: sample.Int, Int: 17})
	set("txn.key", sample.Value{Type: sample.Str, Bytes: []byte("MDEyMzQ1Njc4OWFiY2RlZg==")})
	return ctx
}

// noObjects is the directory of expressions that name no object, only regular expressions.
type noObjects struct{ sample.Directory }

func (noObjects) Name() string { return "f" }

func resolve(t testing.TB, c *sample.Compiler) {
	t.Helper()
	for _, u := range c.Take() {
		if err := u.Resolve(noObjects{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRows(t *testing.T) {
	known := map[string]string{} // name -> signature
	file, err := os.ReadFile("testdata/converters.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(file)), "\n") {
		known[strings.FieldsFunc(line, func(r rune) bool { return r == '(' || r == ':' })[0]] = line
	}
	for i := range Rows {
		row := &Rows[i]
		if got, want := sample.ConverterLine(row), known[row.Name]; got != want {
			t.Errorf("%s: got %q, the reference has %q", row.Name, got, want)
		}
		if row.Summary == "" || row.Ref == "" || row.Eval == nil || len(row.Examples) == 0 {
			t.Errorf("%s: incomplete row", row.Name)
		}
		delete(known, row.Name)
	}
	for name := range known {
		if !elsewhere(name) {
			t.Errorf("%s is known to the reference, not declared here and of no other domain", name)
		}
	}
}

// elsewhere tells which converters are declared by the domain whose objects they need.
func elsewhere(name string) bool {
	switch name {
	case "capture-req", "capture-res", "debug", "fe_exists", "in_table", "nbsrv", "srv_is_up", "srv_queue", "when",
		"jwt_decrypt_cert", "jwt_decrypt_jwk", "jwt_decrypt_secret", "jwt_verify_cert", "x509_v_err_str":
		return true
	}
	return name == "map" || strings.HasPrefix(name, "map_") || strings.HasPrefix(name, "table_")
}

func TestExamples(t *testing.T) {
	c := compiler(t)
	for i := range Rows {
		for _, ex := range Rows[i].Examples {
			e, err := c.ParseWord(ex.Expr)
			if err != nil {
				t.Errorf("%s: %v", ex.Expr, err)
				continue
			}
			resolve(t, c)
			ctx := newContext(c)
			var v sample.Value
			if !e.EvalAs(ctx, sample.Str, &v) {
				t.Errorf("%s: no value, want %q", ex.Expr, ex.Want)
			} else if string(v.Bytes) != ex.Want {
				t.Errorf("%s: got %q, want %q", ex.Expr, v.Bytes, ex.Want)
			}
		}
	}
}

// evaluate gives the value as hexadecimal digits of its binary form, "-" for none.
func evaluate(t testing.TB, c *sample.Compiler, expr string) string {
	e, err := c.ParseWord(expr)
	if err != nil {
		return "! " + err.Error()
	}
	resolve(t, c)
	ctx := newContext(c)
	var v sample.Value
	if !e.EvalAs(ctx, sample.Bin, &v) {
		return "-"
	}
	return strings.ToUpper(hex.EncodeToString(v.Bytes))
}

func TestValues(t *testing.T) {
	cases := readCases(t, "testdata/values.txt")
	if *reference != "" {
		recordValues(t, "testdata/values.txt", cases)
		return
	}
	c := compiler(t)
	for _, tc := range cases {
		if got := evaluate(t, c, tc.expr); got != tc.want {
			t.Errorf("%s\n  got  %s\n  want %s", tc.expr, show(got), show(tc.want))
		}
	}
}

func TestErrors(t *testing.T) {
	cases := readCases(t, "testdata/errors.txt")
	if *reference != "" {
		recordErrors(t, "testdata/errors.txt", cases)
		return
	}
	c := compiler(t)
	for _, tc := range cases {
		_, err := c.ParseWord(tc.expr)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s\n  got  %s\n  want %s", tc.expr, got, tc.want)
		}
	}
}

// show adds the text that hexadecimal digits stand for.
func show(digits string) string {
	if b, err := hex.DecodeString(digits); err == nil {
		return digits + " " + strings.ToValidUTF8(string(b), "?")
	}
	return digits
}

type recorded struct{ expr, want string }

// readCases reads lines of an expression, a tab and what the reference made of it.
func readCases(t *testing.T, path string) (cases []recorded) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(file)), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		expr, want, _ := strings.Cut(line, "\t")
		cases = append(cases, recorded{expr, want})
	}
	return cases
}
