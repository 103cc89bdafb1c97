package pattern_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"hapax/acl/convert"
	"hapax/acl/fetch"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// loader holds the maps of one configuration.
type loader struct{ refs pattern.Refs }

func (l *loader) Patterns() *pattern.Refs { return &l.refs }

func compiler(t testing.TB, dir string) *sample.Compiler {
	t.Helper()
	fetches, err := keyword.NewTable(fetch.Rows)
	if err != nil {
		t.Fatal(err)
	}
	converters, err := keyword.NewTable(append(append([]sample.Converter(nil), convert.Rows...), pattern.Converters...))
	if err != nil {
		t.Fatal(err)
	}
	return &sample.Compiler{Fetches: fetches, Converters: converters, Names: new(sample.VarNames), LookUp: &loader{pattern.Refs{Dir: dir}}}
}

// TestMapGolden compares map converters with what the reference gives for keys.
func TestMapGolden(t *testing.T) {
	var g struct {
		Keys   []string
		Files  map[string]string
		Values map[string][]string // of each expression, one a key; empty for none
	}
	data, err := os.ReadFile("testdata/maps-3.4.0.json")
	if err == nil {
		err = json.Unmarshal(data, &g)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range g.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := compiler(t, dir)
	key, err := c.Variable("txn.key")
	if err != nil {
		t.Fatal(err)
	}
	ctx := &sample.Context{Scratch: sample.NewScratch(0), Final: true}
	ctx.Vars[sample.TxnScope] = new(sample.Vars)
	for text, want := range g.Values {
		e, err := c.ParseWord("var(txn.key)," + text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for i, k := range g.Keys {
			ctx.Scratch.Reset()
			v := sample.Value{Type: sample.Str, Bytes: []byte(k)}
			ctx.SetVar(key, &v, 0)
			got := ""
			if e.EvalAs(ctx, sample.Str, &v) {
				got = string(v.Bytes)
			}
			if got != want[i] {
				t.Errorf("%s of %q: %q, want %q", text, k, got, want[i])
			}
		}
	}
}

func TestMapDiagnostics(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "m"), []byte("k v\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ expr, want string }{
		{"path,map(none)", "invalid args in converter 'map' : failed to open pattern file <none>"},
		{"path,map_str_int(m)", "invalid args in converter 'map_str_int' : unable to parse 'v' at line 1 of file 'm'"},
		{"path,map_ip(m)", "invalid args in converter 'map_ip' : 'k' is not a valid IPv4 or IPv6 address at line 1 of file 'm'"},
		{"path,map_str_ip(opt@none,x)", "invalid args in converter 'map_str_ip' : map: cannot parse default ip <x>."},
		{"path,map(m,x)", "<nil>"},
	}
	for _, x := range cases {
		_, err := compiler(t, dir).ParseWord(x.expr)
		if got := fmt.Sprint(err); got != x.want {
			t.Errorf("%s: %s, want %s", x.expr, got, x.want)
		}
	}
}

// TestConverters compares names, arguments and types with what the reference lists, and runs the examples.
func TestConverters(t *testing.T) {
	data, err := os.ReadFile("testdata/converters-3.4.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range pattern.Converters {
		spec := sample.ArgName(row.Args[0].Type)
		if len(row.Args) > 1 {
			spec += "[," + sample.ArgName(row.Args[1].Type) + "]"
		}
		// The reference prints the output in front of the arrow.
		got = append(got, fmt.Sprintf("%s(%s): %s => %s", row.Name, spec, row.Out, row.In))
		if row.Summary == "" || len(row.Examples) == 0 {
			t.Errorf("%s: incomplete row", row.Name)
		}
		for _, x := range row.Examples {
			e, err := compiler(t, "").ParseWord(x.Expr)
			if err != nil {
				t.Errorf("%s: %v", x.Expr, err)
				continue
			}
			var v sample.Value
			value := ""
			if e.EvalAs(&sample.Context{Scratch: sample.NewScratch(0)}, sample.Str, &v) {
				value = string(v.Bytes)
			}
			if value != x.Want {
				t.Errorf("%s: %q, want %q", x.Expr, value, x.Want)
			}
		}
	}
	want := strings.Split(strings.TrimSpace(string(data)), "\n")
	sort.Strings(want)
	sort.Strings(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("map converters (-reference +here)\n%s", diff)
	}
}
