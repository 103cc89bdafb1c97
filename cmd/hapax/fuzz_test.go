package main

import (
	"net/netip"
	"path/filepath"
	"testing"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// FuzzLoad makes sure that no configuration, whatever is in it, stops the program
// otherwise than by a diagnostic.
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
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		t.Chdir(dir) // a configuration may name files that are made
		list := &diag.List{}
		c, ok := config.Load(tables, []*ast.File{parser.Parse("f.cfg", text)}, parser.NewEnv(nil), list, config.Options{
			Predicates: parser.Predicates{Version: version},
			LookUp:     func(string, runtime.Family) (netip.Addr, bool) { return netip.Addr{}, false },
		})
		if ok != (c != nil) || !ok && list.Alerts() == 0 {
			t.Errorf("accepted %v with configuration %v after %s", ok, c != nil, list)
		}
	})
}
