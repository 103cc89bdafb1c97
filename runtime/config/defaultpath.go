package config

import (
	"fmt"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
)

// defaultPath is where relative paths of the configuration start: the working
// directory is changed while a file is read. Section 3.1 "default-path".
type defaultPath struct {
	mode    string // "current", "config", "parent" or "origin"
	origin  string
	initial string // the directory that the process was started in, once it was left
}

func defaultPathRow() Keyword {
	k := global("default-path", "where relative paths start",
		[]keyword.Arg{{Name: "mode", Type: keyword.Enum, Enum: []string{"current", "config", "parent", "origin"}}, {Name: "path", Type: keyword.File, Opt: true, Doc: "with origin"}},
		reporting(setDefaultPath))
	k.Examples = []keyword.Example{{Config: "global\n  default-path config\n"}}
	return k
}

func setDefaultPath(l *Loader, line *ast.Line) error {
	mode, origin := line.Arg(1), line.Arg(2)
	switch mode {
	case "current", "config", "parent":
		l.paths.mode = mode
		if err := l.paths.enter(line.Pos.File); err != nil {
			return fmt.Errorf("couldn't set '%s' to '%s': %w.", line.Arg(0), mode, err)
		}
	case "origin":
		if origin == "" {
			return fmt.Errorf("'%s %s' expects a directory as an argument.", line.Arg(0), mode)
		}
		l.paths.mode, l.paths.origin = mode, origin
		if err := l.paths.enter(line.Pos.File); err != nil {
			return fmt.Errorf("couldn't set '%s' to origin '%s': %w.", line.Arg(0), origin, err)
		}
	default:
		what := "unsupported"
		if mode == "" {
			what = "missing"
		}
		return fmt.Errorf("%s default-path mode '%s' for '%s', supported modes include 'current', 'config', 'parent', and 'origin'.", what, mode, line.Arg(0))
	}
	return nil
}

// enter goes to the directory in which relative paths of a file start.
func (p *defaultPath) enter(file string) error {
	if p.mode == "" {
		return nil
	}
	if p.initial == "" {
		dir, err := os.Getwd()
		if err != nil {
			return fmt.Errorf("Impossible to retrieve startup directory name: %s", errnoText(cause(err)))
		}
		p.initial = dir
	} else if err := p.leave(); err != nil {
		return err
	}
	dir := ""
	if end := strings.LastIndexByte(file, '/'); end > 0 {
		dir = file[:end]
	}
	switch {
	case p.mode == "current":
		dir = ""
	case p.mode == "origin":
		dir = p.origin
	case p.mode == "parent" && dir == "":
		dir = ".."
	case p.mode == "parent":
		dir += "/.."
	}
	if dir == "" {
		return nil
	}
	if err := os.Chdir(dir); err != nil {
		return fmt.Errorf("Impossible to get back to directory '%s': %s", p.initial, errnoText(cause(err)))
	}
	return nil
}

// leave goes back to where the process was started.
func (p *defaultPath) leave() error {
	if p.initial == "" {
		return nil
	}
	if err := os.Chdir(p.initial); err != nil {
		return fmt.Errorf("Impossible to get back to initial directory '%s': %s", p.initial, errnoText(cause(err)))
	}
	return nil
}
