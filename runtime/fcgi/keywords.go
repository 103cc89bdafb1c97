// Package fcgi speaks FastCGI with applications: their sections and the lines that use them, the parameters that requests
// become, and the records on the wire. It does no I/O.
package fcgi

import (
	"fmt"
	"strings"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/logger"
)

// Domain holds the keywords of fcgi-app sections.
var Domain = config.Domain{
	Name: "fcgi",
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "fcgi-app", Ref: "10.2", Summary: "a FastCGI application"},
		Kind: config.FCGIApp, Start: start,
		Unknown: func(l *config.Loader, line *ast.Line) {
			l.AlertTight(line.Pos, "unknown keyword '%s' in 'fcgi-app' section", line.Arg(0))
		},
	}},
	Keywords: []config.Keyword{
		row("docroot", "where scripts lie", keyword.File, func(l *config.Loader, line *ast.Line) {
			if single(l, line, "path") {
				current(l).docroot = []byte(line.Arg(1))
			}
		}),
		row("path-info", "how paths are cut in two", keyword.Regex, func(l *config.Loader, line *ast.Line) {
			if !single(l, line, "regex") {
				return
			}
			regex, err := sample.CompileRegex(line.Arg(1), false)
			if err != nil {
				l.Alert(line.Pos, "'%s' : %s.", line.Arg(1), err)
			}
			current(l).pathInfo = regex
		}),
		row("index", "the script of folders", keyword.Str, func(l *config.Loader, line *ast.Line) {
			if single(l, line, "filename") {
				current(l).index = []byte(line.Arg(1))
			}
		}),
		row("acl", "a named condition", keyword.Opaque, readACL),
		row("set-param", "a parameter of each request", keyword.Opaque, setParam),
		row("pass-header", "a header field that is not hidden", keyword.Opaque, func(l *config.Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects <name> as arguments.", line.Arg(0))
				return
			}
			a := current(l)
			a.headers = append(a.headers, rule{name: strings.ToLower(line.Arg(1)), cond: condition(l, line, 2), pos: line.Pos})
		}),
		modified(row("option", "a switch", keyword.Opaque, option)),
		modified(row("log-stderr", "where is logged what the application complains about", keyword.Opaque, func(l *config.Loader, line *ast.Line) {
			logger.ReadTarget(l, line, current(l).Logs)
		})),
	},
	Fetches: fetches,
}

const example = "fcgi-app php\n  docroot /var/www\n"

func row(name, summary string, t keyword.ArgType, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "10.1.1", Summary: summary, Args: []keyword.Arg{{Name: "value", Type: t}},
			Examples: []keyword.Example{{Config: example + "  " + examples[name] + "\n"}}},
		In: config.FCGIApp, Parse: parse,
	}
}

// examples are lines of a section, by their first word.
var examples = map[string]string{
	"docroot":     "docroot /srv/app",
	"path-info":   `path-info ^(/.+\.php)(/.*)?$`,
	"index":       "index index.php",
	"acl":         "acl is_api path_beg /api",
	"set-param":   "set-param PHP_AUTH_DIGEST %[req.hdr(Authorization)] if { path /login }",
	"pass-header": "pass-header authorization",
	"option":      "option max-reqs 10\n  option mpxs-conns",
	"log-stderr":  "log-stderr 127.0.0.1:514 local0",
}

func modified(k config.Keyword) config.Keyword { k.No = true; return k }

// apps is what is known of all applications while a configuration is read.
type apps struct {
	all     []*App
	current *App
}

func (s *apps) named(name string) *App {
	for _, a := range s.all {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func current(l *config.Loader) *App {
	if a := config.State[apps](l).current; a != nil {
		return a
	}
	return newApp(l, "", ast.Pos{})
}

func start(l *config.Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.AlertTight(line.Pos, "'%s' expects <name> as argument.", line.Arg(0))
		return
	}
	if l.TooMany(line, 1, 1) {
		return
	}
	if c, bad := config.InvalidChar(name); bad {
		l.AlertTight(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, line.Arg(0), name)
		return
	}
	all := config.State[apps](l)
	if at, known := l.KnownAt(config.FCGIApp, name); known {
		l.Clash(line.Pos, false, "fcgi-app section '%s' has the same name as another one declared at %s:%d.", name, at.File, at.Line)
	}
	l.Know(config.FCGIApp, name, line.Pos)
	all.current = newApp(l, name, line.Pos)
	all.all = append(all.all, all.current)
	l.Config.Apps = append(l.Config.Apps, all.current.Logs)
}

// single checks a keyword with one argument.
func single(l *config.Loader, line *ast.Line, what string) bool {
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'%s' expects <%s> as argument.", line.Arg(0), what)
		return false
	}
	return !l.TooMany(line, 2, 0)
}

func readACL(l *config.Loader, line *ast.Line) {
	name := line.Arg(1)
	if c, bad := config.InvalidChar(name); bad {
		l.Alert(line.Pos, "character '%c' is not permitted in acl name '%s'.", c, name)
		return
	}
	if strings.EqualFold(name, "or") {
		l.Alert(line.Pos, "acl name '%s' will never match. 'or' is used to express a logical disjunction within a condition.", name)
		return
	}
	if err := l.ForeignACL(current(l).Logs, line.Texts(nil, 1)); err != nil {
		l.Alert(line.Pos, "error detected while parsing ACL '%s' : %s.", name, err)
	}
}

func setParam(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" || line.Arg(2) == "" {
		l.Alert(line.Pos, "'%s' expects <name> and <value> as arguments.", line.Arg(0))
		return
	}
	current(l).setParam(line.Arg(1), line.Arg(2), condition(l, line, 3), line.Pos)
}

// condition reads what may follow at word i; nil: nothing does. Another word than "if" or "unless" is
// refused without a reason.
func condition(l *config.Loader, line *ast.Line, i int) *acl.Cond {
	w := config.NewWords(line, i)
	if w.Done() {
		return nil
	}
	reason := "(null)"
	if w.AtCond() {
		cond, err := l.ForeignCond(current(l).Logs, &w)
		if err == nil {
			return cond
		}
		reason = err.Error()
	}
	l.Alert(line.Pos, "'%s' : %s.", line.Arg(1), reason)
	return nil
}

func option(l *config.Loader, line *ast.Line) {
	a := current(l)
	switch name := line.Arg(1); name {
	case "":
		l.AlertTight(line.Pos, "'%s' expects an option name.", line.Arg(0))
	case "keep-conn", "get-values", "mpxs-conns":
		if !l.TooMany(line, 2, 0) {
			*map[string]*bool{"keep-conn": &a.KeepConn, "get-values": &a.GetValues, "mpxs-conns": &a.Multiplexes}[name] = line.Modifier == ast.Plain
		}
	case "max-reqs":
		switch value := line.Arg(2); {
		case line.Modifier != ast.Plain:
			l.AlertTight(line.Pos, "negation/default is not supported for option '%s'.", name)
		case value == "":
			l.AlertTight(line.Pos, "option '%s' expects an integer argument.", name)
		case l.TooMany(line, 2, 1):
		default:
			if a.MaxRequests = int(uint32(config.Atol(value))); a.MaxRequests == 0 {
				l.AlertTight(line.Pos, "option '%s' expects a strictly positive integer argument.", name)
			}
		}
	default:
		l.Alert(line.Pos, "unknown option '%s'.", name)
	}
}

// Adopt gives a backend what it needs of the application that a filter names; sees tells whose messages the filter sees, by
// side.
func Adopt(l *config.Loader, px *runtime.Proxy, name string, sees [2]bool) {
	if a := config.State[apps](l).named(name); a != nil {
		px.FastCGI = a.use(l, px, sees)
	}
}

// CheckApps looks at the applications.
func CheckApps(l *config.Loader) {
	all := config.State[apps](l).all
	for i := len(all) - 1; i >= 0; i-- {
		a := all[i]
		if len(a.docroot) == 0 {
			l.List.Alertf(a.Logs.Pos, "fcgi-app '%s': no docroot configured.", a.Name)
			return
		}
		if !a.Multiplexes && !a.GetValues {
			if a.MaxRequests > 1 {
				// As in the reference, nothing starts for it.
				text := fmt.Sprintf("fcgi-app '%s': multiplexing not supported, ignore the option 'max-reqs'.", a.Name)
				l.List.Add(diag.Diagnostic{Severity: diag.Warning, Pos: a.Logs.Pos, Text: text, Fatal: true})
			}
			a.MaxRequests = 1
		}
	}
}
