package check

import (
	"errors"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Healthcheck sections describe checks that servers refer to by name (manual section 12.9).
// What a section says is kept as that of a proxy is, on a proxy of its own.

func healthcheckSection() config.Section {
	return config.Section{
		Doc:  keyword.Doc{Name: "healthcheck", Ref: "12.9", Summary: "a health check that servers refer to"},
		Kind: config.Healthcheck, Strict: true, Start: startSection, End: endSection,
	}
}

func healthcheckKeywords() []config.Keyword {
	step := []keyword.Arg{{Name: "step", Type: keyword.Opaque, Many: true, Doc: "as of the keyword of that name in proxies"}}
	row := func(name, summary string, args []keyword.Arg, example string, parse func(*config.Loader, *ast.Line)) config.Keyword {
		return config.Keyword{
			Doc: keyword.Doc{Name: name, Ref: "12.9", Summary: summary, Args: args, Examples: []keyword.Example{{Config: example + "backend b\n  server s 127.0.0.1:80 check healthcheck h\n"}}},
			In:  config.Healthcheck, Parse: parse,
		}
	}
	return []config.Keyword{
		row("type", "the protocol of the check",
			[]keyword.Arg{{Name: "type", Type: keyword.Enum, Enum: types}, {Name: "argument", Type: keyword.Opaque, Many: true, Opt: true, Doc: "as of the option of that name"}},
			"healthcheck h\n  type smtpchk EHLO example.org\n", parseType),
		row("tcp-check", "a step of the check", step, "healthcheck h\n  type tcp-check\n  tcp-check send PING\\r\\n\n  tcp-check expect string +PONG\n",
			func(l *config.Loader, line *ast.Line) { parseStep(l, line, "tcp-check", "http-check", parseTCPCheck) }),
		row("http-check", "a step of the check", step, "healthcheck h\n  type httpchk\n  http-check send meth GET uri /health\n  http-check expect status 200\n",
			func(l *config.Loader, line *ast.Line) { parseStep(l, line, "httpchk", "tcp-check", parseHTTPCheck) }),
	}
}

// types are the protocols of checks.
var types = []string{"tcp-check", "httpchk", "ssl-hello-chk", "smtpchk", "pgsql-check", "redis-check", "mysql-check", "ldap-check", "spop-check"}

// sections is what is known of all sections while a configuration is read.
type sections struct {
	proxies map[string]*runtime.Proxy // what they say, by their names
	current *section
}

type section struct {
	name  string
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
	if px := all.proxies[name]; px != nil {
		l.Alert(line.Pos, "healthcheck section '%s' already defined at %s:%d.", name, px.Pos.File, px.Pos.Line)
		return
	}
	if all.proxies == nil {
		all.proxies = map[string]*runtime.Proxy{}
	}
	px := l.Scratch("TCPCHECKS", line.Pos)
	all.proxies[name] = px
	all.current = &section{name: name, proxy: px}
}

// endSection completes the check. Steps that no type makes use of are told, which refuses nothing.
func endSection(l *config.Loader) {
	all := config.State[sections](l)
	s := all.current
	all.current = nil
	if s == nil {
		return
	}
	if said, ok := s.proxy.Check.(*settings); ok && said.use != nil {
		said.use.settle()
	}
	if s.kind == "" && s.steps != "" {
		l.Complain(s.proxy.Pos, "healthcheck section '*healthcheck-%s' : %s rules without 'type %[2]s', so the rules are ignored.", s.name, s.steps)
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
			if row.Status == keyword.Missing {
				l.Missing(line.Pos, "healthcheck type "+kind)
			}
			defer l.Within(s.proxy)()
			row.Parse(l, line)
		}
	}
}

// typeTitle is what messages call a type of checks.
func typeTitle(kind string) string {
	switch kind {
	case "httpchk":
		return "HTTP"
	case "smtpchk":
		return "SMTP"
	case "ssl-hello-chk":
		return "SSL3"
	}
	return strings.ToUpper(strings.TrimSuffix(kind, "-check"))
}

// parseStep reads a step for checks of one type; other is the keyword of those that it
// does not go with.
func parseStep(l *config.Loader, line *ast.Line, kind, other string, parse func(*config.Loader, *ast.Line)) {
	s := current(l)
	switch {
	case s.kind != "" && s.kind != kind:
		l.Alert(line.Pos, "unable to configure '%s' rule for '%s' healthcheck", line.Arg(0), typeTitle(s.kind))
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
		Doc: keyword.Doc{Name: "healthcheck", Ref: "5.2", Summary: "the section that describes the check",
			Args:     []keyword.Arg{{Name: "name", Type: keyword.Name}},
			Examples: []keyword.Example{{Config: "healthcheck ping\n  type redis-check\nbackend b\n  server s 127.0.0.1:6379 check healthcheck ping\n"}}},
		Parse: func(l *config.Loader, w *config.Words, srv *runtime.Server) error {
			if srv.Healthcheck = w.Take(); srv.Healthcheck == "" {
				return errors.New("'healthcheck' expects a healthcheck name as argument.")
			}
			return nil
		},
	}
}
