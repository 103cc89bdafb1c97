package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// serverWords say how the name of a server is resolved.
var serverWords = []config.ServerWord{
	word("resolvers", "the name servers that are asked at run time", keyword.Name, func(l *config.Loader, value string, srv *runtime.Server) error {
		s := config.State[sections](l)
		s.uses = append(s.uses, use{srv, value})
		return nil
	}),
	word("resolve-prefer", "the address family that is preferred", keyword.Enum, func(_ *config.Loader, value string, _ *runtime.Server) error {
		if value != "ipv4" && value != "ipv6" {
			return errors.New("'resolve-prefer' expects either ipv4 or ipv6 as argument.")
		}
		return nil
	}),
	word("resolve-opts", "which answers are taken", keyword.Str, resolveOptions),
	word("resolve-net", "networks that are preferred", keyword.Str, resolveNetworks),
}

// use is a server whose name is to be resolved.
type use struct {
	srv  *runtime.Server
	name string
}

func word(name, summary string, t keyword.ArgType, parse func(l *config.Loader, value string, srv *runtime.Server) error) config.ServerWord {
	return config.ServerWord{
		Doc: keyword.Doc{Name: name, Ref: "5.2", Summary: summary, Status: keyword.Missing, Args: []keyword.Arg{{Name: "value", Type: t}}},
		Parse: func(l *config.Loader, w *config.Words, srv *runtime.Server) error {
			return parse(l, w.Take(), srv)
		},
	}
}

func resolveOptions(_ *config.Loader, value string, _ *runtime.Server) error {
	for _, option := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' }) {
		switch option {
		case "allow-dup-ip", "ignore-weight", "prevent-dup-ip":
		default:
			return fmt.Errorf("'resolve-opts' : unknown resolve-opts option '%s', supported methods are 'allow-dup-ip', 'ignore-weight', and 'prevent-dup-ip'.", option)
		}
	}
	return nil
}

func resolveNetworks(_ *config.Loader, value string, _ *runtime.Server) error {
	if value == "" {
		return errors.New("'resolve-net' expects a list of networks.")
	}
	for _, network := range strings.Split(value, ",") {
		_, prefixed := netip.ParsePrefix(network)
		if _, err := netip.ParseAddr(network); err != nil && prefixed != nil {
			return fmt.Errorf("'resolve-net' invalid network '%s'.", network)
		}
	}
	return nil
}

// checkUses looks for the sections that servers name.
func checkUses(l *config.Loader) {
	for _, u := range config.State[sections](l).uses {
		if u.srv.Name != "default-server" && !l.Known(config.Resolvers, u.name) {
			px := u.srv.Proxy
			l.List.Alertf(u.srv.Pos, "%s '%s', server '%s': unable to find required resolvers '%s'", px.Kind, px.Name, u.srv.Name, u.name)
		}
	}
}

// doResolve is the action that resolves a name into a variable.
func doResolve() config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: "do-resolve", Prefix: true, Ref: "4.4", Summary: "resolve a name into a variable", Status: keyword.Missing,
			Args: []keyword.Arg{{Name: "name", Type: keyword.Sample}}},
		In: runtime.TCPReqRules | runtime.HTTPReqRules,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			fail := func(reason string) error {
				return fmt.Errorf("Can't parse '%s'%s. Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. Available options are 'ipv4' and 'ipv6'", a.Name, reason)
			}
			inner, opened := strings.CutPrefix(a.Name, "do-resolve(")
			inner, closed := strings.CutSuffix(inner, ")")
			parts := strings.Split(inner, ",")
			if !opened || !closed || len(parts) < 2 || parts[0] == "" || parts[1] == "" {
				return nil, fail("")
			}
			for _, option := range parts[2:] {
				if option != "ipv4" && option != "ipv6" {
					return nil, fail("")
				}
			}
			first := a.Peek()
			if _, err := l.Expr(&a.Words); err != nil {
				return nil, fmt.Errorf("Can't parse '%s': %w. Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. Available options are 'ipv4' and 'ipv6'", first, err)
			}
			l.CheckRule(func() error {
				if !l.Known(config.Resolvers, parts[1]) {
					return fmt.Errorf("Can't find resolvers section '%s' for do-resolve action", parts[1])
				}
				return nil
			})
			return nil, nil
		},
	}
}
