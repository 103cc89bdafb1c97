package config

import (
	"os"
	"slices"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
)

// foreignState is what is known of files of other languages.
type foreignState struct {
	noSections bool // a filter's file is not there
}

// cause is the operating system's error inside of one about a path.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

// ReadOther reads a file of sections of another language while a line of this one is
// read: each is given its lines and the scope that they stand in. Errors in it abort
// nothing here. When the file cannot be read no section at all is known from then on.
func (l *Loader) ReadOther(path string, sections []string, each func(scope string, line *ast.Line)) (readable, ok bool) {
	outer, pos := l.List, l.pos
	l.List = &diag.List{Prefix: outer.Prefix, Out: outer.Out, Diag: outer.Diag}
	defer func() {
		outer.Adopt(l.List)
		l.List, l.pos, l.Samples.Pos = outer, pos, pos
	}()
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return true, true // there is nothing in it
	}
	if err != nil {
		l.List.Alertf(ast.Pos{}, "stat() failed for configuration file %s : %s", path, errnoText(cause(err)))
		l.foreign.noSections = true
		return false, false
	}
	files, readable := parser.Files([]string{path}, l.List)
	if !readable || len(files) == 0 {
		l.foreign.noSections = true
		return false, false
	}
	x := parser.NewExpander(files[0], l.Env, l.List, parser.Options{
		IsSection:  func(word string) bool { return slices.Contains(sections, word) },
		Predicates: l.options.Predicates,
	})
	for {
		line, more := x.Next()
		if !more {
			break
		}
		l.pos, l.Samples.Pos = line.Pos, line.Pos
		each(x.Scope(), line)
	}
	x.Finish()
	return true, l.List.Fatal() == 0
}
