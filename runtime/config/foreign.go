package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"hapax/parser/ast"
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
	spoeFailed  bool // a filter's file is not there
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

// luaAction tells whether a rule calls what a Lua program may have declared.
func (l *Loader) LuaAction(word string) bool {
	return l.foreign.luaLoaded && strings.HasPrefix(word, "lua.")
}

// SPOEFilter reads the words behind "filter spoe". When its file is not there the
// reference knows no section any more from then on.
func (l *Loader) SPOEFilter(w *Words) error {
	file := ""
	for !w.Done() {
		word := w.Take()
		if word != "config" && word != "engine" {
			return fmt.Errorf("unknown keyword '%s'", word)
		}
		value := w.Take()
		if value == "" {
			return fmt.Errorf("'spoe' : '%s' option without value", word)
		}
		if word == "config" {
			file = value
		}
	}
	if file == "" {
		return errors.New("'spoe' : missing config file")
	}
	if _, err := os.Stat(file); err != nil {
		l.List.Alertf(w.Pos(), "stat() failed for configuration file %s : %s", file, errnoText(cause(err)))
		l.foreign.spoeFailed = true
		return errors.New("error encountered while processing 'spoe'")
	}
	return nil
}

// missingLua makes the rule of an action that a Lua program declares.
func missingLua(kind runtime.RulesetKind, word string) *Action {
	return &Action{Doc: keyword.Doc{Name: word, Status: keyword.Missing}, In: kind}
}
