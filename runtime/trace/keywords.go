// Package trace holds the section that switches traces of the program's inner life on,
// and the section of network namespaces. They are read and checked; nothing is traced.
package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime/config"
)

// Domain holds the keywords of traces.
var Domain = config.Domain{
	Name: "trace",
	Sections: []config.Section{{
		Doc:   keyword.Doc{Name: "traces", Ref: "3.11", Summary: "what is traced", Status: keyword.Missing},
		Kind:  config.Traces,
		Start: func(l *config.Loader, line *ast.Line) { l.TooMany(line, 1, 0) },
	}},
	Keywords: []config.Keyword{
		config.MissingRow(config.Traces, "trace", "3.11", "what is traced of one source", []keyword.Arg{
			{Name: "source", Type: keyword.Enum, Enum: names()}, {Name: "setting", Type: keyword.Opaque, Many: true,
				Doc: "event, level, lock, follow, pause, sink, start, stop, verbosity, each with a value"}},
			func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, read(l, line)) }),
	},
}

func names() []string {
	var all []string
	for _, s := range sources {
		all = append(all, s.name)
	}
	return append(all, "all", "0")
}

var levels = []string{"error", "user", "proto", "state", "data", "developer"}

func find(name string) *source {
	for i := range sources {
		if sources[i].name == name {
			return &sources[i]
		}
	}
	return nil
}

// read checks `trace <source> { <setting> <value> }*`. A setting without a value asks the
// reference for what may stand there, which it prints as a warning.
func read(l *config.Loader, line *ast.Line) error {
	name := line.Arg(1)
	switch name {
	case "":
		return nil
	case "0":
		l.List.Add(diag.Diagnostic{Severity: diag.Notice, Pos: line.Pos, Text: diag.At(line.Pos, "'%s': All traces now stopped", line.Arg(0))})
		return nil
	}
	src := find(name)
	if src == nil && name != "all" {
		return fmt.Errorf("No such trace source '%s'", name)
	}
	for i := 2; line.Arg(i) != ""; i += 2 {
		word, value := line.Arg(i), line.Arg(i+1)
		if src == nil && word != "follow" && word != "sink" && word != "level" {
			return fmt.Errorf("'%s' not applicable to meta-source 'all'", word)
		}
		if value == "" {
			if word == "event" || word == "follow" || word == "sink" || word == "level" || word == "verbosity" || word == "lock" || isState(word) {
				return nil
			}
			return fmt.Errorf("Unknown trace keyword '%s'", word)
		}
		if err := setting(src, name, word, value); err != nil {
			return err
		}
	}
	return nil
}

func isState(word string) bool { return word == "pause" || word == "start" || word == "stop" }

func setting(src *source, name, word, value string) error {
	switch {
	case word == "follow":
		if value != "none" && find(value) == nil {
			return fmt.Errorf("No such trace source '%s'", value)
		}
	case word == "event" || isState(word):
		event := strings.TrimLeft(value, "!-+")
		if event == "" || event == "none" || event == "any" || event == "now" && word != "event" || slices.Contains(src.events, event) {
			return nil
		}
		return fmt.Errorf("No such trace event '%s'", event)
	case word == "sink": // may be declared behind this line
	case word == "level":
		if !slices.Contains(levels, value) {
			return fmt.Errorf("No such trace level '%s'. Supported trace levels for source %s:\n%s\n", value, name, strings.Join(levels, "\n"))
		}
	case word == "verbosity":
		if !slices.Contains(src.verbosities, value) && value != "default" {
			return fmt.Errorf("No such trace verbosity '%s'. Supported trace verbosities for source %s:\n%s\n", value, name, strings.Join(src.verbosities, "\n"))
		}
	case word == "lock":
		if !slices.Contains(src.locks, value) {
			return errors.New("Unsupported lock-on criterion '" + value + "'")
		}
	default:
		return fmt.Errorf("Unknown trace keyword '%s'", word)
	}
	return nil
}
