package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// foreignKeywords load files of other languages. What they load is not supported;
// that a file is not there is told all the same, as what follows depends on it.
func foreignKeywords() []Keyword {
	lua := func(name, summary string) Keyword {
		k := global(name, summary, []keyword.Arg{{Name: "file", Type: keyword.File}, {Name: "argument", Type: keyword.Str, Many: true, Opt: true}}, reporting(loadLua))
		k.Status = keyword.Missing
		return k
	}
	conversion := global("tune.lua.bool-sample-conversion", "how Lua sees booleans", []keyword.Arg{{Name: "mode", Type: keyword.Enum, Enum: []string{"normal", "pre-3.1-bug"}}},
		reporting(func(l *Loader, line *ast.Line) error {
			if l.TooMany(line, 1, 1) {
				return nil
			}
			if mode := line.Arg(1); mode != "normal" && mode != "pre-3.1-bug" {
				return fmt.Errorf("'%s' expects either 'normal' or 'pre-3.1-bug' but got '%s'.", line.Arg(0), mode)
			}
			l.foreign.luaBooleans = true
			return nil
		}))
	conversion.Status, conversion.Dormant = keyword.Missing, true
	return []Keyword{lua("lua-load", "a Lua program"), lua("lua-load-per-thread", "a Lua program for each thread"), conversion}
}

// foreignState is what is known of files of other languages.
type foreignState struct {
	luaSeen     bool // a lua-load line
	luaLoaded   bool // whose file is there
	luaBooleans bool // tune.lua.bool-sample-conversion
	noSections  bool // a filter's file is not there
}

func loadLua(l *Loader, line *ast.Line) error {
	file := line.Arg(1)
	if file == "" {
		name := " name"
		if line.Arg(0) != "lua-load" {
			name = ""
		}
		return fmt.Errorf("'%s' expects a file%s as parameter.", line.Arg(0), name)
	}
	if !l.foreign.luaSeen && !l.foreign.luaBooleans {
		l.List.Warnf(line.Pos, "hlua: please set \"tune.lua.bool-sample-conversion\" tunable to either \"normal\" or \"pre-3.1-bug\" explicitly to avoid "+
			"ambiguities. This must be set before any \"lua-load\" or \"lua-load-per-thread\" directive. Defaulting to \"pre-3.1-bug\".")
	}
	l.foreign.luaSeen = true
	f, err := os.Open(file)
	if err != nil {
		if path, bad := filepath.Abs(file); bad == nil && line.Arg(0) != "lua-load" {
			file = path
		}
		return fmt.Errorf("error in Lua file '%s': cannot open %s: %s", file, file, errnoText(cause(err)))
	}
	f.Close()
	l.foreign.luaLoaded = true
	return nil
}

// cause is the operating system's error inside of one about a path.
func cause(err error) error {
	if p, ok := err.(*os.PathError); ok {
		return p.Err
	}
	return err
}

// LuaWord tells whether an action or a filter is one that a Lua program may have declared.
func (l *Loader) LuaWord(word string) bool {
	return l.foreign.luaLoaded && strings.HasPrefix(word, "lua.")
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

// missingLua makes the rule of an action that a Lua program declares.
func missingLua(kind runtime.RulesetKind, word string) *Action {
	return &Action{Doc: keyword.Doc{Name: word, Status: keyword.Missing}, In: kind}
}
