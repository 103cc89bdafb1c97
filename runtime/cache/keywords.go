package cache

import (
	"errors"
	"math"

	"hapax/acl/sample"
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
	Fetches: []sample.Fetch{
		{
			Doc: keyword.Doc{Name: "res.cache_hit", Ref: "7.3.6", Summary: "whether the response comes from a cache",
				Examples: []keyword.Example{{Expr: "res.cache_hit"}}},
			Out: sample.Bool, From: sample.ResLine | sample.ServerChosen,
			Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
				s, ok := ctx.Owner.(*runtime.Stream)
				out.SetBool(ok && Answers(s))
				return true
			},
		},
		{
			Doc: keyword.Doc{Name: "res.cache_name", Ref: "7.3.6", Summary: "the name of the cache that the response comes from",
				Examples: []keyword.Example{{Expr: "res.cache_name"}}},
			Out: sample.Str, From: sample.ResLine | sample.ServerChosen,
			Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
				s, ok := ctx.Owner.(*runtime.Stream)
				if !ok || !Answers(s) {
					return false
				}
				out.SetText(s.Cache.(*Exchange).from.Name)
				return true
			},
		},
	},
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "cache", Ref: "6.2.1", Summary: "a cache of responses"},
		Kind: config.Cache, Start: start, End: end,
	}},
	Keywords: []config.Keyword{
		row("total-max-size", "megabytes of the whole cache", keyword.Int, totalSize),
		row("max-age", "most seconds that a response is kept", keyword.Int, maxAge),
		row("max-object-size", "most bytes of a response", keyword.Int, objectSize),
		row("process-vary", "keep responses apart that vary", keyword.Bool, processVary),
		row("max-secondary-entries", "most variants of a response", keyword.Int, secondaryEntries),
	},
	Actions: []config.Action{
		action("cache-use", "answer from a cache", runtime.HTTPReqRules, (*Cache).Use, (*Cache).Use),
		action("cache-store", "keep the response in a cache", runtime.HTTPResRules, (*Cache).Store, (*Cache).Forget),
	},
}

func row(name, summary string, t keyword.ArgType, parse func(*config.Loader, *ast.Line)) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "6.2.1", Summary: summary, Args: []keyword.Arg{{Name: "value", Type: t}}, Examples: example},
		In:  config.Cache,
		Parse: func(l *config.Loader, line *ast.Line) {
			if l.TooMany(line, 1, 1) {
				l.List.Stop()
				return
			}
			parse(l, line)
		},
	}
}

var example = []keyword.Example{{Config: "cache c\n  total-max-size 4\n  max-age 240\n  max-object-size 100000\n  process-vary on\n  max-secondary-entries 5\n" +
	"backend b\n  mode http\n  http-request cache-use c\n  http-response cache-store c\n  server s 127.0.0.1:1\n"}}

// sections is where the reading of a section goes on.
type sections struct {
	current *section
}

// section is the one being read. A second header before an end would go on with it,
// which only the reference's parser could make happen.
type section struct {
	name               string
	pos                ast.Pos
	megabytes, objSize uint64
	made               Cache // its limits
}

const nameSize = 32 // bytes of a name that count

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
	if l.Known(config.Cache, name) {
		l.AbortTight(line.Pos, "Duplicate cache name '%s'.", name)
		return
	}
	all.current = &section{name: name, pos: line.Pos}
	all.current.made.MaxAge, all.current.made.MaxVariant = 60, 10
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
	l.Know(config.Cache, s.name, s.pos)
	size := int(s.objSize)
	if size == 0 {
		size = int(blocks * blockSize >> 8)
	}
	c := New(s.name, int(s.megabytes))
	c.MaxAge, c.MaxVariant, c.Vary, c.MaxObject = s.made.MaxAge, s.made.MaxVariant, s.made.Vary, size
	caches, _ := l.Config.Caches.([]*Cache)
	l.Config.Caches = append(caches, c)
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
	n, _ := config.Strtol(line.Arg(1), 10)
	current(l).made.MaxAge = int64(uint32(n))
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
		current(l).made.Vary = line.Arg(1) == "on"
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
	n, rest := config.Strtol(line.Arg(1), 10)
	if line.Arg(1) == "" || rest != "" || uint32(n) == 0 {
		l.WarnTight(line.Pos, "max-secondary-entries wrong value '%s'", line.Arg(1))
		l.List.Stop()
		return
	}
	current(l).made.MaxVariant = int(uint32(n))
}

// action is a row that does something with a cache; alone is what it does while "filter-sequence" keeps responses from the cache.
func action(name, summary string, in runtime.RulesetKind, do, alone func(*Cache, *runtime.Stream)) config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: name, Ref: "4.4", Summary: summary, Args: []keyword.Arg{{Name: "cache", Type: keyword.Name}}, Examples: example},
		In:  in,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			if a.Done() || a.AtCond() {
				return nil, errors.New("expects a cache name")
			}
			name, px, run := a.Take(), a.Proxy, do
			filter.UseCache(l, px, name)
			var c *Cache // the section may stand further down; that there is one is the filter's to check
			l.CheckRule(func() error {
				c = named(l.Config, name)
				if !filter.KeepsResponses(px, name) {
					run = alone
				}
				return nil
			})
			return func(s *runtime.Stream) runtime.Verdict {
				run(c, s)
				return runtime.Continue
			}, nil
		},
	}
}

func named(cfg *runtime.Config, name string) *Cache {
	caches, _ := cfg.Caches.([]*Cache)
	for _, c := range caches {
		if c.Name == name {
			return c
		}
	}
	return nil
}
