package config

import (
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// deprecatedKeywords still work on the reference, with a warning, and are missing
// here, but for two that tell what to write instead.
func deprecatedKeywords() []Keyword {
	return []Keyword{
		deprecated("transparent", "connect to where the client wanted to", func(l *Loader, line *ast.Line) {
			l.state(l.Proxy).transparent = true
			if !l.TooMany(line, 1, 0) {
				l.warnTransparent(line.Pos, "'"+line.Arg(0)+"'")
			}
		}),
		deprecated("dispatch", "the address of the only server", dispatch),
		onProxy("monitor-net", "4.2", "not supported anymore", nil, func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'monitor-net' doesn't exist anymore. Please use 'http-request return status 200 if { src %s }' instead.", line.Arg(1))
		}),
		onProxy("usesrc", "4.2", "belongs to source", nil, func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'usesrc' only allowed after a 'source' statement.")
		}),
	}
}

// deprecated is a keyword that the reference still carries out and that is missing here.
func deprecated(name, summary string, parse func(*Loader, *ast.Line)) Keyword {
	k := onProxy(name, "4.2", summary, nil, parse)
	k.Status = keyword.Missing
	return k
}

func dispatch(l *Loader, line *ast.Line) {
	if l.RefusedInDefaults(line.Pos, line.Arg(0)) {
		return
	}
	l.IgnoredWithout(runtime.CapBack, line.Pos, line.Arg(0), "")
	if _, err := l.Address(line.Arg(1), AddrResolve|AddrPort|AddrNeedPort|AddrStream|AddrConnect, ""); err != nil {
		l.Alert(line.Pos, "'%s' : %s", line.Arg(0), err)
		return
	}
	if l.TooMany(line, 1, 1) {
		return
	}
	l.state(l.Proxy).dispatch = true
	if l.Deprecated() {
		l.WarnTight(line.Pos, "%s", fmt.Sprintf("'%s' is deprecated in 3.3 and will be removed in 3.5. "+
			"The modern way to do the same is to create a server with the same address, and "+
			"possibly to assign any extra server a weight of zero if any:\n"+
			"    server dispatch %s\n"+
			"Note that it is still possible to silence this warning by setting "+
			"'expose-deprecated-directives' in the 'global' section, but do not wait to fix "+
			"your configuration!\n", line.Arg(0), line.Arg(1)))
	}
}
