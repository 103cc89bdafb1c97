// Package fcgi holds the sections of FastCGI applications and the lines that use them.
// They are read and checked; requests are not sent to such applications.
package fcgi

import (
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/filter"
	"hapax/runtime/logger"
)

// Domain holds the keywords of fcgi-app sections.
var Domain = config.Domain{
	Name: "fcgi",
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "fcgi-app", Ref: "10.2", Summary: "a FastCGI application", Status: keyword.Missing},
		Kind: config.FCGIApp, Dormant: true, Start: start,
		Unknown: func(l *config.Loader, line *ast.Line) {
			l.AlertTight(line.Pos, "unknown keyword '%s' in 'fcgi-app' section", line.Arg(0))
		},
	}},
	Keywords: []config.Keyword{
		row("docroot", "where scripts lie", keyword.File, func(l *config.Loader, line *ast.Line) {
			if single(l, line, "path") {
				current(l).docroot = line.Arg(1)
			}
		}),
		row("path-info", "how paths are cut in two", keyword.Regex, func(l *config.Loader, line *ast.Line) {
			if !single(l, line, "regex") {
				return
			}
			if _, err := sample.CompileRegex(line.Arg(1), false); err != nil {
				l.Alert(line.Pos, "'%s' : %s.", line.Arg(1), err)
			}
		}),
		row("index", "the script of folders", keyword.Str, func(l *config.Loader, line *ast.Line) { single(l, line, "filename") }),
		row("acl", "a named condition", keyword.Opaque, acl),
		row("set-param", "a parameter of each request", keyword.Opaque, setParam),
		row("pass-header", "a header field that is not hidden", keyword.Opaque, func(l *config.Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.Alert(line.Pos, "'%s' expects <name> as arguments.", line.Arg(0))
				return
			}
			condition(l, line, 2)
		}),
		modified(row("option", "a switch", keyword.Opaque, option)),
		modified(row("log-stderr", "where is logged what the application complains about", keyword.Opaque, func(l *config.Loader, line *ast.Line) {
			logger.ReadTarget(l, line, current(l).proxy)
		})),
		config.MissingRow(config.Proxies, "use-fcgi-app", "4.2", "the application that requests are for", []keyword.Arg{{Name: "name", Type: keyword.Name}},
			func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, use(l, line)) }),
	},
	Check: check,
}

func row(name, summary string, t keyword.ArgType, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.MissingRow(config.FCGIApp, name, "10.2", summary, []keyword.Arg{{Name: "value", Type: t}}, parse)
}

func modified(k config.Keyword) config.Keyword { k.No = true; return k }

// apps is what is known of all applications while a configuration is read.
type apps struct {
	all     []*app
	current *app
}

type app struct {
	name, docroot string
	proxy         *runtime.Proxy // has the log targets and the conditions
	multiplexed   bool           // an option that lets one connection carry several requests
	maxRequests   int
}

func current(l *config.Loader) *app {
	if a := config.State[apps](l).current; a != nil {
		return a
	}
	return &app{proxy: l.Scratch("", ast.Pos{})}
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
	all.current = &app{name: name, maxRequests: 1, proxy: l.Scratch(name, line.Pos)}
	all.all = append(all.all, all.current)
}

// single checks a keyword with one argument.
func single(l *config.Loader, line *ast.Line, what string) bool {
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "'%s' expects <%s> as argument.", line.Arg(0), what)
		return false
	}
	return !l.TooMany(line, 2, 0)
}

func acl(l *config.Loader, line *ast.Line) {
	name := line.Arg(1)
	if c, bad := config.InvalidChar(name); bad {
		l.Alert(line.Pos, "character '%c' is not permitted in acl name '%s'.", c, name)
		return
	}
	if strings.EqualFold(name, "or") {
		l.Alert(line.Pos, "acl name '%s' will never match. 'or' is used to express a logical disjunction within a condition.", name)
		return
	}
	if err := l.ForeignACL(current(l).proxy, line.Texts(nil, 1)); err != nil {
		l.Alert(line.Pos, "error detected while parsing ACL '%s' : %s.", name, err)
	}
}

func setParam(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" || line.Arg(2) == "" {
		l.Alert(line.Pos, "'%s' expects <name> and <value> as arguments.", line.Arg(0))
		return
	}
	condition(l, line, 3)
}

// condition reads what may follow at word i. Another word than "if" or "unless" is
// refused without a reason.
func condition(l *config.Loader, line *ast.Line, i int) {
	w := config.NewWords(line, i)
	if w.Done() {
		return
	}
	reason := "(null)"
	if w.AtCond() {
		_, err := l.ForeignCond(current(l).proxy, &w)
		if err == nil {
			return
		}
		reason = err.Error()
	}
	l.Alert(line.Pos, "'%s' : %s.", line.Arg(1), reason)
}

func option(l *config.Loader, line *ast.Line) {
	a := current(l)
	switch name := line.Arg(1); name {
	case "":
		l.AlertTight(line.Pos, "'%s' expects an option name.", line.Arg(0))
	case "keep-conn":
		l.TooMany(line, 2, 0)
	case "get-values", "mpxs-conns":
		if !l.TooMany(line, 2, 0) {
			a.multiplexed = a.multiplexed || line.Modifier == ast.Plain
		}
	case "max-reqs":
		switch value := line.Arg(2); {
		case line.Modifier != ast.Plain:
			l.AlertTight(line.Pos, "negation/default is not supported for option '%s'.", name)
		case value == "":
			l.AlertTight(line.Pos, "option '%s' expects an integer argument.", name)
		case l.TooMany(line, 2, 1):
		default:
			if a.maxRequests = config.Atol(value); a.maxRequests == 0 {
				l.AlertTight(line.Pos, "option '%s' expects a strictly positive integer argument.", name)
			}
		}
	default:
		l.Alert(line.Pos, "unknown option '%s'.", name)
	}
}

// use reads "use-fcgi-app".
func use(l *config.Loader, line *ast.Line) error {
	px, name := l.Proxy, line.Arg(1)
	if l.InDefaults() || px.Caps&runtime.CapBack == 0 {
		return fmt.Errorf("'%s' only available in backend or listen section", line.Arg(0))
	}
	if name == "" {
		return fmt.Errorf("'%s' expects <name> as argument", line.Arg(0))
	}
	for _, f := range filter.Of(px) {
		if f.Kind != filter.FCGI {
			continue
		}
		if f.Name != name {
			return fmt.Errorf("'%s' : only one fcgi-app supported per backend", line.Arg(0))
		}
		return nil
	}
	filter.Add(l, px, filter.Filter{Kind: filter.FCGI, Word: "fcgi-app", Name: name, Implicit: true})
	return nil
}

// check looks at the applications and at the proxies that use them.
func check(l *config.Loader) {
	for _, px := range l.Config.Proxies {
		for _, f := range filter.Of(px) {
			if f.Kind == filter.FCGI && px.Mode != runtime.ModeHTTP {
				l.List.Alertf(px.Pos, "proxy '%s': FCGI application cannot be used in non-HTTP mode.", px.Name)
				return
			}
		}
	}
	all := config.State[apps](l).all
	for i := len(all) - 1; i >= 0; i-- {
		a := all[i]
		if a.docroot == "" {
			l.List.Alertf(a.proxy.Pos, "fcgi-app '%s': no docroot configured.", a.name)
			return
		}
		if !a.multiplexed && a.maxRequests > 1 {
			l.List.Warnf(a.proxy.Pos, "fcgi-app '%s': multiplexing not supported, ignore the option 'max-reqs'.", a.name)
		}
	}
}
