package engine

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// sampled is a stream whose request was retried, denied and answered with an error.
func sampled() *runtime.Stream {
	px := &runtime.Proxy{Name: "f", Mode: runtime.ModeHTTP, Caps: runtime.CapFront}
	s := &runtime.Stream{Config: &runtime.Config{}, Session: &runtime.Session{}, Front: px, Back: px, Status: 503, ServerStatus: 200,
		LastRule: &runtime.Rule{Pos: ast.Pos{File: "f.cfg", Line: 12}}}
	s.Ctx = sample.Context{Owner: s, Scratch: sample.NewScratch(0), Final: true}
	s.Ctx.Front.HTTP = 1
	return s
}

func fetchCompiler(t testing.TB) *sample.Compiler {
	t.Helper()
	text := func(s string) func(*sample.Context, []sample.Arg, *sample.Value) bool {
		return func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			v.SetText(s)
			return true
		}
	}
	rows := append([]sample.Fetch{{Doc: keyword.Doc{Name: "str", Args: []keyword.Arg{{Name: "value", Type: keyword.Str}}},
		Out: sample.Str, From: sample.Constant, Eval: text("x")}}, Domain.Fetches...)
	fetches, err := keyword.NewTable(rows)
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable(Domain.Converters)
	if err != nil {
		t.Fatal(err)
	}
	return &sample.Compiler{Fetches: fetches, Converters: converters, Names: new(sample.VarNames)}
}

// TestFetchExamples evaluates the examples of all rows on a stream that never ran: what needs the engine has no value.
func TestFetchExamples(t *testing.T) {
	check := func(d *keyword.Doc) {
		if d.Summary == "" || d.Ref == "" || len(d.Examples) == 0 {
			t.Errorf("%s: incomplete row", d.Name)
		}
		for _, x := range d.Examples {
			e, err := fetchCompiler(t).ParseWord(x.Expr)
			if err != nil {
				t.Errorf("%s: %v", x.Expr, err)
				continue
			}
			s := sampled()
			var v sample.Value
			got := ""
			if e.Eval(&s.Ctx, &v) && sample.Cast(&s.Ctx, &v, sample.Str) {
				got = string(v.Bytes)
			}
			if got != x.Want {
				t.Errorf("%s: %q, want %q", x.Expr, got, x.Want)
			}
			if n := testing.AllocsPerRun(20, func() {
				s.Ctx.Scratch.Reset()
				e.Eval(&s.Ctx, &v)
			}); n != 0 {
				t.Errorf("%s: %v allocations", x.Expr, n)
			}
		}
	}
	for i := range Domain.Fetches {
		check(&Domain.Fetches[i].Doc)
	}
	for i := range Domain.Converters {
		check(&Domain.Converters[i].Doc)
	}
}

func TestWhen(t *testing.T) {
	c := fetchCompiler(t)
	for expr, want := range map[string]string{
		"str(x),when(never)":  "expects a supported keyword among {stopping,normal,error,forwarded,toapplet,processed,acl} but got 'never'",
		"str(x),when(acl)":    "'acl' selector requires an extra argument with the ACL name",
		"str(x),when(acl,a)":  "'acl' selector may only be used in the context of a proxy",
		"fc_rtt(s)":           "expects 'us' or 'ms', got 's'",
		"str(x),when(!error)": "",
	} {
		_, err := c.ParseWord(expr)
		if got := reasonOf(err); want != "" && (err == nil || !strings.Contains(got, want)) || want == "" && err != nil {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	s := sampled()
	for expr, want := range map[string]bool{
		"str(x),when(error)": true, "str(x),when(!error)": false, "str(x),when(normal)": false,
		"str(x),when(forwarded)": false, "str(x),when(toapplet)": true, "str(x),when(processed)": true, "str(x),when(stopping)": true,
	} {
		s.Service = "<STATS>"
		s.Config.Stats.Stopping.Store(true)
		e, err := c.ParseWord(expr)
		if err != nil {
			t.Fatal(err)
		}
		var v sample.Value
		if got := e.Eval(&s.Ctx, &v); got != want {
			t.Errorf("%s: %v, want %v", expr, got, want)
		}
	}
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		err    error
		number int64
		name   string
		text   string
	}{
		{nil, 0, "", "Success"},
		{errors.New("EOF"), 0, "", "Success"},
		{unix.ECONNREFUSED, 47, "EREFUSED", "ECONNREFUSED returned by OS"},
		{unix.EHOSTUNREACH, 49, "EUNREACH", "ENETUNREACH returned by OS"},
		{errors.New("SSL handshake failure (error:0A00009C:SSL routines::http request)"), 34, "SSL_HANDSHAKE", "SSL handshake failure"},
		{unix.ETIMEDOUT, 6, "SOCK_ERR", "General socket error"},
	} {
		if got := faultOf(c.err); got != (fault{c.number, c.name, c.text}) {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
