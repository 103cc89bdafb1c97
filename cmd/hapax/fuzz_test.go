package main

import (
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// FuzzLoad makes sure that no configuration, whatever is in it, stops the program
// otherwise than by a diagnostic, and that the verdict is stable: what was parsed and
// printed again is the same configuration, with the same to be said about it.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("../../compat-tests/testdata/diagnostics/*.txt")
	for _, file := range files {
		_, cases := readCases(f, file)
		for _, c := range cases {
			f.Add(c.config)
		}
	}
	tables, err := config.NewTables(domains())
	if err != nil {
		f.Fatal(err)
	}
	load := func(file *ast.File) (*runtime.Config, bool, *diag.List) {
		list := &diag.List{}
		c, ok := config.Load(tables, []*ast.File{file}, parser.NewEnv(nil), list, config.Options{
			Predicates: parser.Predicates{Version: version},
			LookUp:     func(string, runtime.Family) (netip.Addr, bool) { return netip.Addr{}, false },
		})
		return c, ok, list
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		t.Chdir(dir) // a configuration may name files that are made
		file := parser.Parse("f.cfg", text)
		c, ok, list := load(file)
		if ok != (c != nil) || !ok && list.Alerts()+list.Fatal() == 0 {
			t.Errorf("accepted %v with configuration %v after %s", ok, c != nil, list)
		}
		var printed strings.Builder
		if err := ast.Print(&printed, file); err != nil {
			t.Fatal(err)
		}
		again, stable, second := load(parser.Parse("f.cfg", printed.String()))
		if stable != ok || withoutTimes(second.String()) != withoutTimes(list.String()) {
			t.Errorf("accepted %v after\n%s\nprinted and read again %v after\n%s", ok, list, stable, second)
		}
		if ok && !equal(c, again) {
			t.Error("printed and read again it is another configuration")
		}
	})
}

// equal compares what two configurations consist of.
func equal(a, b *runtime.Config) bool {
	return slices.EqualFunc(a.Proxies, b.Proxies, func(a, b *runtime.Proxy) bool {
		return a.Name == b.Name && a.Mode == b.Mode && a.Timeout == b.Timeout && a.Options == b.Options && len(a.HTTPReq) == len(b.HTTPReq) &&
			len(a.Listeners) == len(b.Listeners) &&
			slices.EqualFunc(a.Servers, b.Servers, func(a, b *runtime.Server) bool {
				return a.Name == b.Name && *a.Addr.Load() == *b.Addr.Load() && a.ID == b.ID
			})
	})
}
