package check

import (
	"errors"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// serverWords are the options of servers that tell by what connections they are checked, and by which section.
func serverWords() []config.ServerWord {
	reuse := func(name, summary, example string, on bool) config.ServerWord {
		return config.ServerWord{
			Doc: poolDoc(name, summary, example),
			Parse: func(_ *config.Loader, _ *config.Words, srv *runtime.Server) error {
				srv.CheckReusePool = on
				return nil
			},
		}
	}
	off := reuse("no-check-reuse-pool", "checks make connections of their own", "check-reuse-pool no-check-reuse-pool", false)
	off.NotDynamic = true
	named := config.ServerWord{Doc: poolDoc("check-pool-conn-name", "what connections of the pool that checks use were made for", "check-reuse-pool check-pool-conn-name probe"), Parse: parsePoolName}
	named.Args = []keyword.Arg{{Name: "name", Type: keyword.Str}}
	return []config.ServerWord{healthcheckWord(), reuse("check-reuse-pool", "checks use idle connections of the traffic, and leave theirs to it", "check-reuse-pool", true), off, named}
}

func poolDoc(name, summary, example string) keyword.Doc {
	return keyword.Doc{Name: name, Ref: "5.2", Summary: summary, Examples: []keyword.Example{{Config: "backend b\n  mode http\n  http-reuse aggressive\n  option httpchk\n  server s 127.0.0.1:80 check " + example + "\n"}}}
}

func parsePoolName(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
	if srv.CheckPoolName = w.Take(); srv.CheckPoolName == "" {
		return errors.New("'check-pool-conn-name' : missing value")
	}
	return nil
}

// diagnosePools tells with -dD of checks that are to use the pool and cannot.
func diagnosePools(l *config.Loader, px *runtime.Proxy) {
	for _, srv := range px.Servers {
		if !srv.CheckOn || !srv.CheckReusePool {
			continue
		}
		rules, ok := srv.CheckRules.(*ruleset)
		switch {
		case !ok || rules.kind != kindHTTP:
			l.List.Diagf(srv.Pos, "parsing [%s:%d] : 'server %s': check-reuse-pool is ineffective for non http-check rulesets.", srv.Pos.File, srv.Pos.Line, srv.Name)
		case !srv.Reversed && (px.Reuse == runtime.ReuseNever || px.Reuse == runtime.ReuseSafe):
			l.List.Diagf(srv.Pos, "parsing [%s:%d] : 'server %s': check-reuse-pool is ineffective due to http-reuse policy.", srv.Pos.File, srv.Pos.Line, srv.Name)
		}
	}
}
