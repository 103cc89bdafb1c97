package compat

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// layers are the packages of the house from below to above: a package imports only
// from its own layer and from those before it. An entry that ends in "*" is for what
// no other layer names.
var layers = []struct {
	name     string
	packages []string
}{
	{"leaves", []string{"parser/ast", "parser/diag", "parser/units", "parser/keyword", "runtime/message", "runtime/loop", "runtime/h1", "runtime/h2",
		"runtime/transport", "runtime/netns", "runtime/logger/ring", "runtime/logger/syslog", "runtime/proxyproto/header", "runtime/ssl/x509text", "runtime/ssl/libcrypto", "runtime/userlist", "runtime/varint", "runtime/event", "runtime/process/boot", "runtime/spoe/frame", "stats/counter"}},
	{"files and samples", []string{"parser", "acl/sample"}},
	{"expressions, the language of the runtime API", []string{"acl", "acl/*", "stats/cli"}},
	{"stick tables", []string{"runtime/sticktable/table"}},
	{"their exchange", []string{"runtime/peers/exchange"}},
	{"object model", []string{"runtime", "runtime/anon"}},
	{"loader", []string{"runtime/config"}},
	{"domains", []string{"runtime/*"}},
	{"engine", []string{"runtime/engine"}},
	{"statistics", []string{"stats", "stats/command"}},
	{"process", []string{"runtime/process"}},
	{"program", []string{"cmd/hapax"}},
}

// rank is the place of a package, or -1 for one that has none.
func rank(pkg string) int {
	for i, l := range layers {
		if slices.Contains(l.packages, pkg) {
			return i
		}
	}
	for i, l := range layers {
		if slices.Contains(l.packages, path.Dir(pkg)+"/*") {
			return i
		}
	}
	return -1
}

// listed is what "go list" tells of a package.
type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func packages(t *testing.T) []listed {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", "./...")
	cmd.Dir = ".."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// forExpressions are the leaves that those may use.
var forExpressions = []string{"hapax/runtime/message", "hapax/runtime/varint", "hapax/runtime/event"}

func TestImportsRunOneWay(t *testing.T) {
	for _, p := range packages(t) {
		pkg := strings.TrimPrefix(p.ImportPath, "hapax/")
		if strings.HasPrefix(pkg, "compat-tests") {
			continue
		}
		place := rank(pkg)
		if place < 0 {
			t.Errorf("%s has no place in the house: name it in the layers of this test", pkg)
			continue
		}
		for _, imp := range p.Imports {
			below, ours := strings.CutPrefix(imp, "hapax/")
			if ours && rank(below) > place {
				t.Errorf("%s imports %s, which stands above it", pkg, below)
			}
		}
		if pkg == "acl" || strings.HasPrefix(pkg, "acl/") {
			for _, dep := range p.Deps {
				if strings.HasPrefix(dep, "hapax/runtime") && !slices.Contains(forExpressions, dep) {
					t.Errorf("%s needs %s: expressions see a sample.Context only", pkg, dep)
				}
			}
		}
	}
}

// sources are all Go files of the project, by their path below its root.
func sources(t *testing.T) map[string][]byte {
	files := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		files[name], err = os.ReadFile(filepath.Join("..", name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var (
	unnamed    = []string{"types.go", "utils.go", "util.go", "helpers.go", "helper.go", "common.go", "misc.go"}
	unfinished = regexp.MustCompile(`\b(` + "TO" + `DO|FIX` + `ME|HA` + `CK)\b`)
)

func TestSources(t *testing.T) {
	for name, text := range sources(t) {
		if bytes.HasPrefix(text, []byte("// Code generated ")) {
			continue
		}
		if slices.Contains(unnamed, path.Base(name)) {
			t.Errorf("%s: name the file after what is in it", name)
		}
		if word := unfinished.Find(text); word != nil {
			t.Errorf("%s: %s", name, word)
		}
		if formatted, err := format.Source(text); err != nil || !bytes.Equal(formatted, text) {
			t.Errorf("%s is not formatted: gofmt -w it", name)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: func init: order of initialization is no place for behaviour", name)
			}
		}
	}
}

var declaresDomain = regexp.MustCompile(`(?m)^(?:var )?\t?Domain = config\.Domain\{|^var Domain\b|^func Domain\(`)

// TestRegistry makes sure that no domain is forgotten in the one list of them.
func TestRegistry(t *testing.T) {
	files := sources(t)
	registry := string(files["cmd/hapax/registry.go"])
	for name, text := range files {
		pkg := path.Base(path.Dir(name))
		if strings.HasPrefix(name, "runtime/") && !strings.HasSuffix(name, "_test.go") && declaresDomain.Match(text) && !strings.Contains(registry, pkg+".Domain") {
			t.Errorf("%s declares a domain that cmd/hapax/registry.go does not list", name)
		}
	}
}

// TestRoot holds the folders of the first level to those of the design.
func TestRoot(t *testing.T) {
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	allowed := []string{"parser", "runtime", "acl", "stats", "compat-tests", "cmd", "go.mod", "go.sum", "GRAMMAR.md", "README.md"}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".test") || strings.HasSuffix(e.Name(), ".prof") {
			continue // left by the Go tool, never committed
		}
		if !strings.HasPrefix(e.Name(), ".") && !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s has no place at the root", e.Name())
		}
	}
}
