package compat

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// settings are the structs of package runtime that hold what a configuration says.
var settings = []string{"Global", "Tune", "H2Tune", "Proxy", "Server", "Bind", "Agent", "CookieConfig", "BalanceConfig", "StatsPage", "RetryOn", "ForwardFor"}

// unread are settings that nothing acts on, with the reason why lines that set them are accepted.
var unread = map[string]string{
	"IdleTimer":          "tune.idletimer: inert",
	"Nice":               "nice: inert",
	"OptContStats":       "contstats: inert",
	"OptNoDelay":         "http-no-delay: inert",
	"OptTCPSmartAccept":  "tcp-smart-accept: inert",
	"OptTCPSmartConnect": "tcp-smart-connect: inert",
}

// TestSettingsAreRead holds the house to its law that nothing which is used is ignored: what lines of a configuration set,
// options and fields alike, is read by something. It goes by names, without types.
func TestSettingsAreRead(t *testing.T) {
	var names []string
	read := map[string]bool{}
	walkSources(t, func(path string, f *ast.File) {
		dir := filepath.ToSlash(filepath.Dir(path))
		if dir == "runtime" {
			names = append(names, optionsOf(f)...)
			names = append(names, fieldsOf(f)...)
		}
		reads(f, dir == "runtime/config", read)
	})
	if len(names) < 300 {
		t.Fatalf("%d settings were found", len(names))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if _, known := unread[name]; read[name] == known {
			t.Errorf("%s: read %t, among those that nothing acts on %t", name, read[name], known)
		}
	}
}

// walkSources parses all files of the module that are no tests.
func walkSources(t *testing.T, visit func(path string, f *ast.File)) {
	fset := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err == nil {
			path, err = filepath.Rel("..", path)
			visit(path, f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// optionsOf gives the constants that stand for "option" lines.
func optionsOf(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(name.Name, "Opt") {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}

// fieldsOf gives the fields of the structs of settings, but for what they hold of a running process.
func fieldsOf(f *ast.File) (names []string) {
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.TypeSpec)
		if !ok || !slices.Contains(settings, s.Name.Name) {
			return true
		}
		if fields, ok := s.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					if name.Name != "_" {
						names = append(names, name.Name)
					}
				}
			}
		}
		return true
	})
	return names
}

// reads adds the names that a file reads: those behind a dot which are not just given a value. The loader, which gives them,
// also takes their address for rows and copies them from defaults; rows of options name these.
func reads(f *ast.File, loader bool, to map[string]bool) {
	given := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, e := range n.Lhs {
				given[e] = n.Tok == token.ASSIGN
				if left, ok := e.(*ast.SelectorExpr); ok && loader && i < len(n.Rhs) {
					right, ok := n.Rhs[i].(*ast.SelectorExpr)
					if ok && right.Sel.Name == left.Sel.Name {
						given[right] = true
					}
				}
			}
		case *ast.UnaryExpr:
			given[n.X] = loader && n.Op == token.AND
		case *ast.CallExpr:
			for _, e := range n.Args {
				given[e] = given[e] || loader && isOption(e)
			}
		case *ast.SelectorExpr:
			if !given[n] {
				to[n.Sel.Name] = true
			}
		}
		return true
	})
}

// isOption tells whether an expression is the name of an option alone.
func isOption(e ast.Expr) bool {
	s, ok := e.(*ast.SelectorExpr)
	return ok && strings.HasPrefix(s.Sel.Name, "Opt")
}
