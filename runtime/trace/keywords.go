package trace

import (
	"errors"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime/config"
	"hapax/runtime/logger"
	"hapax/stats/cli"
)

const example = "traces\n  trace h1 sink buf0 level user verbosity simple start now\n  trace h2 sink buf0 lock h2s start rx_hdr pause h2s_end\n"

// Domain holds the keywords and commands of traces.
var Domain = config.Domain{
	Name: "trace",
	Sections: []config.Section{{
		Doc: keyword.Doc{Name: "traces", Ref: "3.11", Summary: "what is traced",
			Examples: []keyword.Example{{Config: example}}},
		Kind:  config.Traces,
		Start: func(l *config.Loader, line *ast.Line) { l.TooMany(line, 1, 0) },
	}},
	Keywords: []config.Keyword{{
		Doc: keyword.Doc{Name: "trace", Ref: "3.11", Summary: "what is traced of one source", Args: []keyword.Arg{
			{Name: "source", Type: keyword.Enum, Enum: names()}, {Name: "setting", Type: keyword.Opaque, Many: true,
				Doc: "event, level, lock, follow, pause, sink, start, stop, verbosity, each with a value"}},
			Examples: []keyword.Example{{Config: example}}},
		In:    config.Traces,
		Parse: func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, read(l, line)) },
	}},
	Commands: commands(),
	Check:    checkSinks,
}

func names() []string {
	var all []string
	for _, s := range sources {
		all = append(all, s.name)
	}
	return append(all, "all", "0")
}

// read carries out a line of a file. What the statement only tells is a warning.
func read(l *config.Loader, line *ast.Line) error {
	t := Of(l.Config)
	var args []string
	for i := range line.Words {
		args = append(args, line.Arg(i))
	}
	a := t.execute(args, statement{file: true, sink: func(name string) (*logger.Sink, *answer) {
		return logger.SinkToBe(l.Config, name, "traces", line.Pos), nil
	}})
	switch {
	case a == nil:
		return nil
	case a.severity == cli.Err:
		return errors.New(a.text)
	}
	severity := diag.Warning
	if a.severity == cli.Notice {
		severity = diag.Notice
	}
	l.List.Add(diag.Diagnostic{Severity: severity, Pos: line.Pos, Text: diag.At(line.Pos, "'%s': %s", line.Arg(0), lines(a.text))})
	return nil
}

// lines ends a text of whole lines by an empty one, as such diagnostics end.
func lines(text string) string {
	if strings.HasSuffix(text, "\n") {
		return text + "\n"
	}
	return text
}

// checkSinks refuses sinks that no section has declared, when the process is to start.
func checkSinks(l *config.Loader) {
	if l.Starting() {
		logger.CheckSinks(l)
	}
}
