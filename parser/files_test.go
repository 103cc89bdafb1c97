package parser

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hapax/parser/ast"
	"hapax/parser/diag"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.cfg", "a.cfg", "A.cfg", ".hidden.cfg", "x.cfg.cfg", "notes.txt", "a.cfg~", "one.conf", "d.cfg/in.cfg"} {
		path := filepath.Join(dir, name)
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(name+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var list diag.List
	files, ok := Files([]string{filepath.Join(dir, "one.conf"), dir, dir + "/"}, &list)
	if !ok {
		t.Fatal(list.String())
	}
	var names []string
	for _, f := range files {
		names = append(names, strings.TrimPrefix(f.Name, dir))
	}
	want := []string{"/one.conf", "/A.cfg", "/a.cfg", "/b.cfg", "//A.cfg", "//a.cfg", "//b.cfg"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	if files[1].Source != "A.cfg\n" {
		t.Errorf("read %q", files[1].Source)
	}
}

func TestFilesErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "nope")
	broken := filepath.Join(dir, "broken.cfg")
	if err := os.Symlink(missing, broken); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		missing: "ALERT: Cannot open configuration file/directory " + missing + " : No such file or directory",
		dir:     "ALERT: Cannot open configuration file " + dir + " : No such file or directory",
	} {
		var list diag.List
		if files, ok := Files([]string{path}, &list); ok || files != nil || list.String() != want {
			t.Errorf("%s: %v %q, want %q", path, ok, list.String(), want)
		}
	}
}

func TestSections(t *testing.T) {
	f := Parse("x", "# head\nglobal\n daemon\n\nlisten 'a b' # c\n mode http\nbackend\n")
	got := Sections(f, func(w string) bool { return w == "global" || w == "listen" || w == "backend" })
	want := []ast.Section{{Kind: "global", First: 1, Last: 4}, {Kind: "listen", Name: "a b", First: 4, Last: 6},
		{Kind: "backend", First: 6, Last: 7}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	lines := 0
	ast.Walk(f, func(l ast.Line) bool {
		lines++
		return l.Pos.Line < 3
	})
	if lines != 3 {
		t.Errorf("Walk went on to line %d", lines)
	}
}

func TestWordPlaces(t *testing.T) {
	var list diag.List
	env := NewEnv([]string{"L=x y"})
	x := NewExpander(Parse("f", "listen l\n  no option \"a ${L[*]} b\"c # why\n"), env, &list,
		Options{IsSection: func(w string) bool { return w == "listen" }})
	header, ok := x.Next()
	if !ok || !header.Header || header.Arg(1) != "l" || header.NumArgs() != 1 {
		t.Fatalf("header is %+v", header)
	}
	l, ok := x.Next()
	if !ok || l.Modifier != ast.No || l.Header || l.Comment != "# why" || x.Section() != "l" {
		t.Fatalf("line is %+v", l)
	}
	if got, want := l.Texts(nil, 0), []string{"option", "a x", "y bc"}; !slices.Equal(got, want) {
		t.Errorf("words are %q, want %q", got, want)
	}
	for i, w := range l.Words[1:] {
		if w.Col != 13 || w.Raw != `"a ${L[*]} b"c` {
			t.Errorf("word %d is %+v", i+1, w)
		}
	}
	if p := l.At(1); p != (ast.Pos{File: "f", Line: 2, Col: 13}) {
		t.Errorf("place is %+v", p)
	}
	if _, ok := x.Next(); ok || x.Stopped() || !x.Close() || list.Failed() {
		t.Errorf("the end: %s", list.String())
	}
}
