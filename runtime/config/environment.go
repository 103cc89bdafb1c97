package config

import (
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
)

func envArgs() []keyword.Arg {
	return []keyword.Arg{{Name: "name", Type: keyword.Str}, {Name: "value", Type: keyword.Str}}
}

func setenv(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 2) {
		return nil
	}
	name, value := line.Arg(1), line.Arg(2)
	switch {
	case name == "":
		return fmt.Errorf("'%s' expects environment variable name.\n.", line.Arg(0))
	case value == "":
		return fmt.Errorf("'%s' expects environment variable value for '%s'.\n.", line.Arg(0), name)
	}
	set := l.Env.Set
	if line.Arg(0) == "presetenv" {
		set = l.Env.Preset
	}
	if err := set(name, value); err != nil {
		return fmt.Errorf("'%s' failed on variable '%s' : %s.\n", line.Arg(0), name, err)
	}
	return nil
}

func unsetenv(l *Loader, line *ast.Line) error {
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects at least one variable name.\n", line.Arg(0))
	}
	for _, name := range line.Texts(nil, 1) {
		if err := l.Env.Unset(name); err != nil {
			return fmt.Errorf("'%s' failed on variable '%s' : %s.\n", line.Arg(0), name, err)
		}
	}
	return nil
}
