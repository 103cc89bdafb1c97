package sample

import (
	"fmt"
	"strings"
	"testing"

	"hapax/parser/ast"
	"hapax/parser/keyword"
)

func textArg(name string) keyword.Arg { return keyword.Arg{Name: name, Type: keyword.Str} }

// testCompiler knows a fetch "list" that gives the letters of its argument one by one and a few rows
// more.
func testCompiler(t testing.TB) *Compiler {
	fetches, err := keyword.NewTable([]Fetch{
		{Doc: keyword.Doc{Name: "str", Args: []keyword.Arg{textArg("s")}}, Out: Str, From: Constant,
			Eval: func(_ *Context, a []Arg, v *Value) bool { v.SetConst([]byte(a[0].Str)); return true }},
		{Doc: keyword.Doc{Name: "list", Args: []keyword.Arg{textArg("s")}}, Out: Str, From: ReqHeaders, Dir: Request,
			Eval: func(ctx *Context, a []Arg, v *Value) bool {
				at := int(ctx.Iter.At)
				if at >= len(a[0].Str) {
					return false
				}
				ctx.Iter.At++
				if at+1 < len(a[0].Str) {
					v.Flags |= NotLast
				}
				v.SetConst([]byte(a[0].Str[at : at+1]))
				return true
			}},
		{Doc: keyword.Doc{Name: "later", Args: []keyword.Arg{{Name: "be", Type: keyword.Backend}}}, Out: Int, From: Internal,
			Eval: func(_ *Context, _ []Arg, v *Value) bool { v.Flags |= MayChange; return false }},
		{Doc: keyword.Doc{Name: "absent", Status: keyword.Missing, Args: []keyword.Arg{{Name: "n", Type: keyword.Int, Opt: true}}}, Out: Str, From: Internal},
		{Doc: keyword.Doc{Name: "dir"}, Out: Int, From: ReqHeaders, Dir: Response,
			Eval: func(ctx *Context, _ []Arg, v *Value) bool { v.SetInt(int64(ctx.Dir)); return true }},
		{Doc: keyword.Doc{Name: "many", Args: []keyword.Arg{{Name: "s", Type: keyword.Str, Many: true}}}, Out: Int, From: Constant,
			Eval: func(_ *Context, a []Arg, v *Value) bool {
				n := 0
				for n < len(a) && a[n].Present {
					n++
				}
				v.SetInt(int64(n))
				return true
			}},
	})
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable([]Converter{
		{Doc: keyword.Doc{Name: "length"}, In: Str, Out: Int,
			Eval: func(_ *Context, _ []Arg, v *Value) bool { v.SetInt(int64(len(v.Bytes))); return true }},
		{Doc: keyword.Doc{Name: "append", Args: []keyword.Arg{textArg("s")}}, In: Str, Out: Str,
			Eval: func(ctx *Context, a []Arg, v *Value) bool {
				v.SetStr(ctx.Scratch.Take(append(append(ctx.Scratch.Room(), v.Bytes...), a[0].Str...)))
				return true
			}},
		{Doc: keyword.Doc{Name: "same"}, In: Any, Out: Same, Eval: func(*Context, []Arg, *Value) bool { return true }},
		{Doc: keyword.Doc{Name: "sub", Args: []keyword.Arg{{Name: "re", Type: keyword.Regex}}}, In: Str, Out: Str,
			Eval: func(*Context, []Arg, *Value) bool { return true }},
		{Doc: keyword.Doc{Name: "not_b"}, In: Str, Out: Str,
			Eval: func(_ *Context, _ []Arg, v *Value) bool { return string(v.Bytes) != "b" }},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Compiler{Fetches: fetches, Converters: converters, Names: &VarNames{}, Proc: NewProcVars(nil)}
}

func TestParse(t *testing.T) {
	cases := []struct {
		words string // separated by blanks
		used  int
		want  string // the value, or "! " and the error
	}{
		{"str(a)", 1, "a"},
		{"str(a),append(b),append(c)", 1, "abc"},
		{"str(a) append(b) append(c) foo", 3, "abc"},
		{"str(a),append(b), append(c) len 5", 2, "abc"},
		{"str(a),, append(b)", 2, "ab"},
		{"str(a) foo,append(b)", 1, "a"},
		{"str(a) append(b)x", 0, "! missing comma after converter 'append'"},
		{"str(a)x", 0, "! missing comma after fetch keyword"},
		{"str(a),x", 0, "! unknown converter 'x'"},
		{`str("a,b)"),append('\t'),append("\t\\")`, 1, "a,b)\\t\t\\"},
		{"str", 1, ""},
		{"str()", 1, ""},
		{"str(a", 0, "! fetch method 'str' : expected ')'"},
		{"str(a,b)", 0, "! fetch method 'str' : expected ')' before ',b)'"},
		{"many(a,b,c)", 1, "3"},
		{"many(a,b,c,,,,,,,,,l)", 1, "12"},
		{"many(a,b,c,d,e,f,g,h,i,j,k,l,m)", 0, "! fetch method 'many' : expected ')' before ',m)'"},
		{"", 0, "! missing fetch method"},
		{"(x)", 0, "! missing fetch method"},
		{"foo", 0, "! unknown fetch method 'foo'"},
		{"dir", 1, "2"},
	}
	for _, c := range cases {
		compiler := testCompiler(t)
		e, used, err := compiler.Parse(strings.Split(c.words, " "))
		got := ""
		if err != nil {
			got = "! " + err.Error()
		} else {
			var v Value
			if e.EvalAs(testContext(), Str, &v) {
				got = string(v.Bytes)
			}
		}
		if got != c.want || used != c.used {
			t.Errorf("%s: got %q with %d words, want %q with %d", c.words, got, used, c.want, c.used)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{"str(a),length]x": "]x", "str(a)": "", "str(a) x": " x", "str(])]": "]"} {
		_, rest, err := testCompiler(t).ParsePrefix(text)
		if err != nil || rest != want {
			t.Errorf("%s: rest %q, %v", text, rest, err)
		}
	}
}

func TestParseAlias(t *testing.T) {
	c := testCompiler(t)
	e, err := c.ParseAlias(c.Fetches.Get("str"), "str_beg(a),length")
	if err != nil || e.Out() != Int || !e.Converted() {
		t.Error(e, err)
	}
	if _, err := c.ParseAlias(c.Fetches.Get("str"), "str_beg(a"); err == nil || err.Error() != "ACL keyword 'str_beg' : expected ')'" {
		t.Error(err)
	}
}

func TestOut(t *testing.T) {
	for text, want := range map[string]Type{"str(a)": Str, "str(a),length": Int, "str(a),length,same": Int, "str(a),same": Str, "str(a),length,append(b)": Str} {
		e, err := testCompiler(t).ParseWord(text)
		if err != nil || e.Out() != want {
			t.Errorf("%s: %v, %v", text, e.Out(), err)
		}
	}
}

func TestIteration(t *testing.T) {
	e, err := testCompiler(t).ParseWord("list(abc),not_b")
	if err != nil {
		t.Fatal(err)
	}
	ctx := testContext()
	var it Iter
	var v Value
	got := ""
	for {
		if e.Next(ctx, &it, &v) {
			got += string(v.Bytes)
		} else {
			got += "-"
		}
		if v.Flags&NotLast == 0 {
			break
		}
	}
	if got != "a-c" {
		t.Errorf("occurrences %q", got)
	}
	if ctx.Iter != (Cursor{}) {
		t.Error("an iteration must leave the context as it was")
	}
}

func TestMissing(t *testing.T) {
	c := testCompiler(t)
	var told []string
	c.Missing = func(kind string, d *keyword.Doc) { told = append(told, kind+" "+d.Name) }
	e, used, err := c.Parse([]string{"absent(5),append(x)", "if"})
	if err != nil || used != 1 || e.Supported() || len(told) != 1 || told[0] != "sample fetch absent" {
		t.Error(e, used, err, told)
	}
}

func TestWaiting(t *testing.T) {
	e, err := testCompiler(t).ParseWord("later")
	if err != nil {
		t.Fatal(err)
	}
	ctx := testContext()
	var v Value
	ctx.Final = false
	if e.Eval(ctx, &v) || v.Flags&MayChange == 0 {
		t.Error("a fetch that waits must say so")
	}
	ctx.Final = true
	if e.Eval(ctx, &v) || v.Flags&MayChange != 0 {
		t.Error("nobody waits for more than the final data")
	}
}

// directory is that of a backend "p". It knows a backend "b" with a server "s" and a table, a proxy without one, and a userlist "u".
type directory struct{ defaults bool }

func (directory) Name() string               { return "p" }
func (d directory) Defaults() bool           { return d.defaults }
func (directory) Self() any                  { return "self" }
func (d directory) Listens() bool            { return d.defaults }
func (directory) Balances() bool             { return true }
func (directory) Identifier(*Arg) error      { return fmt.Errorf("no") }
func (directory) Frontend(name string) any   { return find(name, "f") }
func (directory) Backend(name string) any    { return find(name, "b") }
func (directory) Userlist(name string) any   { return find(name, "u") }
func (directory) Server(_ any, n string) any { return find(n, "s") }
func (directory) Table(name string) (any, bool) {
	return find(name, "b"), name == "bare"
}

func find(name, known string) any {
	if name == known {
		return name
	}
	return nil
}

// TestResolve holds the diagnostics of HAProxy 3.4.0.
func TestResolve(t *testing.T) {
	cases := []struct {
		typ      keyword.ArgType
		text     string
		defaults bool
		ref      any
		want     string
	}{
		{typ: keyword.Backend, text: "b", ref: "b"},
		{typ: keyword.Backend, text: "", ref: "self"},
		{typ: keyword.Frontend, text: "", want: "proxy 'p', referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p', has not frontend capability."},
		{typ: keyword.Frontend, text: "", defaults: true, ref: "self"},
		{typ: keyword.Backend, text: "x", want: "unable to find backend 'x' referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Frontend, text: "x", want: "unable to find frontend 'x' referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Server, text: "b/s", ref: "s"},
		{typ: keyword.Server, text: "s", ref: "s"},
		{typ: keyword.Server, text: "", want: "missing server name in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Server, text: "x/s", want: "unable to find proxy 'x' referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Server, text: "b/x", want: "unable to find server 'x' in proxy 'b', referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Server, text: "s", defaults: true, want: "backend name must be set in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.StickTable, text: "b", ref: "b"},
		{typ: keyword.StickTable, text: "x", want: "unable to find table 'x' referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.StickTable, text: "bare", want: "no table in proxy 'bare' referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.StickTable, text: "", defaults: true, want: "table name must be set in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Users, text: "u", ref: "u"},
		{typ: keyword.Users, text: "", want: "missing userlist name in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Users, text: "x", want: "unable to find userlist 'x' referenced in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Regex, text: "", want: "missing regex in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p'."},
		{typ: keyword.Regex, text: "(", want: "error in regex '(' in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p' : regex '(' is invalid (error=missing closing parenthesis, erroffset=1)."},
		{typ: keyword.Name, text: "x", want: "error in identifier 'x' in arg 2 of sample fetch keyword 'k' in http-request expression in proxy 'p' : no."},
	}
	for _, c := range cases {
		a := Arg{Type: c.typ, Str: c.text}
		u := Unresolved{Arg: &a, Index: 1, Use: InHTTPRequest, Fetch: "k", Pos: ast.Pos{File: "f.cfg", Line: 7}}
		err := u.Resolve(directory{c.defaults})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if c.want != "" {
			c.want = "parsing [f.cfg:7]: " + c.want
		}
		if got != c.want || a.Ref != c.ref {
			t.Errorf("%s %q: %v\n got %s\nwant %s", c.typ, c.text, a.Ref, got, c.want)
		}
	}
	u := Unresolved{Arg: &Arg{Type: keyword.Backend, Str: "x"}, Use: InACL, Fetch: "k", Converter: "c", Pos: ast.Pos{File: "f.cfg", Line: 7}}
	if err := u.Resolve(directory{}); err.Error() != "parsing [f.cfg:7]: unable to find backend 'x' referenced in arg 1 of conversion keyword 'c' for ACL keyword 'k' in proxy 'p'." {
		t.Error(err)
	}
}

func TestScratch(t *testing.T) {
	s := NewScratch(100)
	if s.Alloc(101) != nil || s.Take(make([]byte, 101)) != nil {
		t.Error("longer than the limit")
	}
	var all [][]byte
	for i := range 50 {
		b := s.Alloc(90)
		for j := range b {
			b[j] = byte(i)
		}
		all = append(all, b)
	}
	for i, b := range all {
		if b[0] != byte(i) || b[89] != byte(i) {
			t.Fatalf("block %d was handed out twice", i)
		}
	}
	if n := testing.AllocsPerRun(100, func() {
		s.Reset()
		for range 20 {
			s.Take(append(s.Room(), "abc"...))
		}
	}); n != 0 {
		t.Errorf("%v allocations once it has grown", n)
	}
}

func TestLines(t *testing.T) {
	c := testCompiler(t)
	var b strings.Builder
	if err := WriteFetches(&b, c.Fetches); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	if lines[0] != "#                       _.---------------------- frontend tcp-request connection rule" ||
		lines[21] != "#  / / / / / / / / / / / / / / / / / / / / / _.- CLI parser" ||
		lines[22] != "# / / / / / / / / / / / / / / / / / / / / / /  " ||
		lines[23] != "# | | | | | | | | | | | | | | | | | | | | | | " {
		t.Errorf("wrong head:\n%s\n%s\n%q\n%q", lines[0], lines[21], lines[22], lines[23])
	}
	if lines[24] != "[ . . Y Y Y Y Y Y Y Y Y . . . . . . . . . . . ] dir: sint" || strings.Contains(b.String(), "absent") {
		t.Errorf("wrong row, or one that is Missing: %s", lines[24])
	}
	b.Reset()
	if err := WriteConverters(&b, c.Converters); err != nil || !strings.HasPrefix(b.String(), "append(string): str => str\nlength: sint => str\n") {
		t.Error(b.String(), err)
	}
}
