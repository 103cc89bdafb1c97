package check

import (
	"errors"
	"slices"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Healthcheck sections describe checks that servers refer to by name. They are read and
// checked; servers are checked as their proxies say.

func healthcheckSection() config.Section {
	return config.Section{
		Doc:  keyword.Doc{Name: "healthcheck", Ref: "12.9", Summary: "a health check that servers refer to", Status: keyword.Missing},
		Kind: config.Healthcheck, Dormant: true, Strict: true, Start: startSection, End: endSection,
	}
}

func healthcheckKeywords() []config.Keyword {
	step := []keyword.Arg{{Name: "step", Type: keyword.Opaque, Many: true}}
	return []config.Keyword{
		config.MissingRow(config.Healthcheck, "type", "12.9", "the protocol of the check",
			[]keyword.Arg{{Name: "type", Type: keyword.Enum, Enum: types}, {Name: "argument", Type: keyword.Opaque, Many: true, Opt: true, Doc: "as of the option of that name"}}, parseType),
		config.MissingRow(config.Healthcheck, "tcp-check", "12.9", "a step of the check", step, func(l *config.Loader, line *ast.Line) {
			parseStep(l, line, "tcp-check", "http-check", parseTCPCheck)
		}),
		config.MissingRow(config.Healthcheck, "http-check", "12.9", "a step of the check", step, func(l *config.Loader, line *ast.Line) {
			parseStep(l, line, "httpchk", "tcp-check", parseHTTPCheck)
		}),
	}
}

// types are the protocols of checks.
var types = []string{"tcp-check", "httpchk", "ssl-hello-chk", "smtpchk", "pgsql-check", "redis-check", "mysql-check", "ldap-check", "spop-check"}

// sections is what is known of all sections while a configuration is read.
type sections struct {
	places  map[string]ast.Pos
	current *section
}

type section struct {
	proxy *runtime.Proxy // has the rule sets
	kind  string         // the type, "" before it was given
	steps string         // which sort of steps there are: "tcp-check" or "http-check"
}

func startSection(l *config.Loader, line *ast.Line) {
	name, ok := l.SectionName(line)
	if !ok {
		return
	}
	all := config.State[sections](l)
	if at, known := all.places[name]; known {
		l.Alert(line.Pos, "healthcheck section '%s' already defined at %s:%d.", name, at.File, at.Line)
		return
	}
	if all.places == nil {
		all.places = map[string]ast.Pos{}
	}
	all.places[name] = line.Pos
	all.current = &section{proxy: l.Scratch("TCPCHECKS", line.Pos)}
	l.Know(config.Healthcheck, name)
}

// endSection tells about steps that no type makes use of. It is an alert that refuses
// nothing.
func endSection(l *config.Loader) {
	all := config.State[sections](l)
	s := all.current
	all.current = nil
	if s == nil || s.kind != "" || s.steps == "" {
		return
	}
	for name, pos := range all.places {
		if pos == s.proxy.Pos {
			l.Complain(pos, "healthcheck section '*healthcheck-%s' : %s rules without 'type %[2]s', so the rules are ignored.", name, s.steps)
		}
	}
}

func current(l *config.Loader) *section {
	if s := config.State[sections](l).current; s != nil {
		return s
	}
	return &section{proxy: l.Scratch("TCPCHECKS", ast.Pos{})}
}

func parseType(l *config.Loader, line *ast.Line) {
	s, kind := current(l), line.Arg(1)
	switch {
	case kind == "":
		l.Alert(line.Pos, "'%s' expects a healthcheck type.", line.Arg(0))
	case s.kind != "":
		l.Alert(line.Pos, "healthcheck type already defined.")
	case kind != "tcp-check" && s.steps == "tcp-check", kind != "httpchk" && s.steps == "http-check":
		l.Alert(line.Pos, "cannot set '%s' type with '%s' rules", kind, s.steps)
	case !slices.Contains(types, kind):
		l.Alert(line.Pos, "unknown healthcheck type '%s' (expects 'tcp-check', 'httpchk', 'ssl-hello-chk', "+
			"'smtpchk', 'pgsql-check', 'redis-check', 'mysql-check', 'ldap-check', 'spop-check').", kind)
	default:
		s.kind = kind
		if row := l.Tables.Options.Get(kind); row != nil && row.Parse != nil {
			defer l.Within(s.proxy)()
			row.Parse(l, line)
		}
	}
}

// parseStep reads a step for checks of one type; other is the keyword of those that it
// does not go with.
func parseStep(l *config.Loader, line *ast.Line, kind, other string, parse func(*config.Loader, *ast.Line)) {
	s := current(l)
	switch {
	case s.kind != "" && s.kind != kind:
		l.Alert(line.Pos, "unable to configure '%s' rule for '%s' healthcheck", line.Arg(0), s.kind)
	case s.steps == other:
		l.Alert(line.Pos, "cannot mix '%s' and '%s' rules", line.Arg(0), other)
	default:
		defer l.Within(s.proxy)()
		parse(l, line)
		if s.kind == "" {
			s.steps = line.Arg(0)
		}
	}
}

// healthcheckWord is the option of servers that refers to a section.
func healthcheckWord() config.ServerWord {
	return config.ServerWord{
		Doc: keyword.Doc{Name: "healthcheck", Ref: "5.2", Summary: "the section that describes the check", Status: keyword.Missing,
			Args: []keyword.Arg{{Name: "name", Type: keyword.Name}}},
		Parse: func(l *config.Loader, w *config.Words, srv *runtime.Server) error {
			if w.Take() == "" {
				return errors.New("'healthcheck' expects a healthcheck name as argument.")
			}
			return nil
		},
	}
}
