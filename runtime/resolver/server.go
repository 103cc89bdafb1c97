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
	word("resolvers", "the name servers that are asked at run time", keyword.Name, func(_ *config.Loader, value string, srv *runtime.Server) error {
		srv.Resolvers = value
		return nil
	}),
	word("resolve-prefer", "the address family that is preferred", keyword.Enum, func(_ *config.Loader, value string, srv *runtime.Server) error {
		optionsOf(srv).v4 = value == "ipv4"
		if value != "ipv4" && value != "ipv6" {
			return errors.New("'resolve-prefer' expects either ipv4 or ipv6 as argument.")
		}
		return nil
	}),
	word("resolve-opts", "which answers are taken", keyword.Str, resolveOptions),
	word("resolve-net", "networks that are preferred", keyword.Str, resolveNetworks),
}

func word(name, summary string, t keyword.ArgType, parse func(l *config.Loader, value string, srv *runtime.Server) error) config.ServerWord {
	return config.ServerWord{
		Doc:        keyword.Doc{Name: name, Ref: "5.2", Summary: summary, Args: []keyword.Arg{{Name: "value", Type: t}}},
		NotDynamic: true,
		Parse: func(l *config.Loader, w *config.Words, srv *runtime.Server) error {
			return parse(l, w.Take(), srv)
		},
	}
}

func resolveOptions(_ *config.Loader, value string, srv *runtime.Server) error {
	o := optionsOf(srv)
	for _, option := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' }) {
		switch option {
		case "allow-dup-ip":
			o.sameAddress = true
		case "prevent-dup-ip":
			o.sameAddress = false
		case "ignore-weight":
			o.ignoreWeight = true
		default:
			return fmt.Errorf("'resolve-opts' : unknown resolve-opts option '%s', supported methods are 'allow-dup-ip', 'ignore-weight', and 'prevent-dup-ip'.", option)
		}
	}
	return nil
}

func resolveNetworks(_ *config.Loader, value string, srv *runtime.Server) error {
	if value == "" {
		return errors.New("'resolve-net' expects a list of networks.")
	}
	for _, network := range strings.Split(value, ",") {
		prefix, err := netip.ParsePrefix(network)
		if err != nil {
			ip, err := netip.ParseAddr(network)
			if err != nil {
				return fmt.Errorf("'resolve-net' invalid network '%s'.", network)
			}
			prefix = netip.PrefixFrom(ip, ip.BitLen())
		}
		o := optionsOf(srv)
		o.networks = append(o.networks, prefix.Masked())
	}
	return nil
}

// copyServer gives a server the options of a template: a copy, for each follows its own name.
func copyServer(dst, src *runtime.Server) {
	dst.Resolvers = src.Resolvers
	if o, ok := src.Resolve.(*options); ok {
		own := *o
		dst.Resolve = &own
	}
}
