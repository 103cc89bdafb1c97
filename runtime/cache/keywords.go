// Package cache holds the sections of HTTP caches and the rules that use them. They are
// read and checked; nothing is cached.
package cache

import (
	"errors"
	"math"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/filter"
)

// Domain holds the keywords of cache sections and the actions that refer to them.
var Domain = config.Domain{
	Name:     "cache",
	Commands: commands(),
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "cache", Ref: "6.2.1", Summary: "a cache of responses", Status: keyword.Missing},
		Kind: config.Cache, Dormant: true, Start: start, End: end,
	}},
	Keywords: []config.Keyword{
		row("total-max-size", "megabytes of the whole cache", keyword.Int, totalSize),
		row("max-age", "most seconds that a response is kept", keyword.Int, maxAge),
		row("max-object-size", "most bytes of a response", keyword.Int, objectSize),
		row("process-vary", "keep responses apart that vary", keyword.Bool, processVary),
		row("max-secondary-entries", "most variants of a response", keyword.Int, secondaryEntries),
	},
	Actions: []config.Action{
		action("cache-use", "answer from a cache", runtime.HTTPReqRules),
		action("cache-store", "keep the response in a cache", runtime.HTTPResRules),
	},
}

func row(name, summary string, t keyword.ArgType, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.MissingRow(config.Cache, name, "6.2.1", summary, []keyword.Arg{{Name: "value", Type: t}},
		func(l *config.Loader, line *ast.Line) {
			if l.TooMany(line, 1, 1) {
				l.List.Stop()
				return
			}
			parse(l, line)
		})
}

// sections is what is known of all sections while a configuration is read.
type sections struct {
	names   map[string]bool
	current *section
}

// section is the one being read. A second header before an end would go on with it,
// which only the reference's parser could make happen.
type section struct {
	name               string
	megabytes, objSize uint64
}

const (
	blockSize = 1024
	nameSize  = 32 // bytes of a name that count
)

func start(l *config.Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.Abort(line.Pos, "'%s' expects a <name> argument", line.Arg(0))
		return
	}
	if l.TooMany(line, 1, 1) {
		l.List.Stop()
		return
	}
	if len(name) > nameSize {
		name = name[:nameSize]
		l.WarnTight(line.Pos, "cache name is limited to 32 characters, truncate to '%s'.", name)
	}
	all := config.State[sections](l)
	if all.names[name] {
		l.AbortTight(line.Pos, "Duplicate cache name '%s'.", name)
		return
	}
	all.current = &section{name: name}
}

// end checks the section as a whole.
func end(l *config.Loader) {
	all := config.State[sections](l)
	s := all.current
	all.current = nil
	if s == nil {
		return
	}
	if s.megabytes == 0 {
		l.List.Alertf(ast.Pos{}, "Size not specified for cache '%s'", s.name)
		return
	}
	blocks := s.megabytes * (1 << 20 / blockSize)
	if most := blocks * blockSize / 2; s.objSize > most {
		l.List.Alertf(ast.Pos{}, "\"max-object-size\" is limited to an half of \"total-max-size\" => %d", most)
		return
	}
	if all.names == nil {
		all.names = map[string]bool{}
	}
	all.names[s.name] = true
	l.Know(config.Cache, s.name)
}

// current is the section that lines belong to; one that was refused takes them too.
func current(l *config.Loader) *section {
	if s := config.State[sections](l).current; s != nil {
		return s
	}
	return &section{}
}

// number reads what must be a whole number. What is said about a bad one is a warning,
// and nothing is read behind it all the same.
func number(l *config.Loader, line *ast.Line) (uint64, bool) {
	n, rest := config.Strtol(line.Arg(1), 10)
	if line.Arg(1) == "" || rest != "" {
		l.WarnTight(line.Pos, "%s wrong value '%s'", line.Arg(0), line.Arg(1))
		l.List.Stop()
		return 0, false
	}
	return uint64(n), true
}

func totalSize(l *config.Loader, line *ast.Line) {
	n, ok := number(l, line)
	if !ok {
		return
	}
	if n > math.MaxUint32>>20 {
		l.WarnTight(line.Pos, "\"total-max-size\" (%s) must not be greater than %d", line.Arg(1), math.MaxUint32>>20)
		l.List.Stop()
		return
	}
	current(l).megabytes = n
}

func maxAge(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.WarnTight(line.Pos, "'%s' expects an age parameter in seconds.", line.Arg(0))
	}
}

func objectSize(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.WarnTight(line.Pos, "'%s' expects a maximum file size parameter in bytes.", line.Arg(0))
	}
	if n, ok := number(l, line); ok {
		current(l).objSize = uint64(uint32(n))
	}
}

func processVary(l *config.Loader, line *ast.Line) {
	switch line.Arg(1) {
	case "on", "off":
		return
	case "":
		l.WarnTight(line.Pos, "'%s' expects \"on\" or \"off\" (enable or disable vary processing).", line.Arg(0))
	}
	l.WarnTight(line.Pos, "'%s' expects \"on\" or \"off\" (enable or disable vary processing).", line.Arg(0))
}

func secondaryEntries(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.WarnTight(line.Pos, "'%s' expects a strictly positive number.", line.Arg(0))
	}
	if n, rest := config.Strtol(line.Arg(1), 10); line.Arg(1) == "" || rest != "" || uint32(n) == 0 {
		l.WarnTight(line.Pos, "max-secondary-entries wrong value '%s'", line.Arg(1))
		l.List.Stop()
	}
}

func action(name, summary string, in runtime.RulesetKind) config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: name, Ref: "4.4", Summary: summary, Status: keyword.Missing, Args: []keyword.Arg{{Name: "cache", Type: keyword.Name}}},
		In:  in,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			if a.Done() || a.AtCond() {
				return nil, errors.New("expects a cache name")
			}
			filter.UseCache(l, a.Proxy, a.Take())
			return nil, nil
		},
	}
}
