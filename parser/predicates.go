package parser

import (
	"errors"
	"strings"
)

// Predicates answers what the conditions of .if, .elif and -cc ask of the program.
type Predicates struct {
	// Version is what version_atleast and version_before compare with: "3.4.0".
	Version string
	// Features lists what was built in: "+OPENSSL", "-LUA".
	Features []string
	// Enabled answers enabled(POLL), EPOLL, KQUEUE, EVPORTS, SPLICE, GETADDRINFO, REUSEPORT, FAST-FORWARD and
	// SERVER-SSL-VERIFY-NONE. May be nil: nothing is enabled.
	Enabled func(option string) bool
	// SSLVersion is what openssl_version_atleast and openssl_version_before compare with: "3.0.17". Empty: there is
	// no such library, and these predicates are refused.
	SSLVersion string
	// SSLName is the library's name with its version, whose start ssllib_name_startswith compares: "OpenSSL 3.0.17".
	SSLName string
	// AWSLC is the number of the AWS-LC interface, 0 when the library is another one: its predicates are refused.
	AWSLC int
}

// predicate is one question that a condition may ask (manual section 2.4).
type predicate struct {
	name  string
	args  int // how many strings it takes
	holds func(p *Predicates, env *Env, args []string) (bool, error)
}

// errArgument says that the first argument cannot be understood.
var errArgument = errors.New("invalid argument")

var predicates = [...]predicate{
	{"defined", 1, func(_ *Predicates, env *Env, args []string) (bool, error) {
		_, ok := env.Lookup(args[0])
		return ok, nil
	}},
	{"feature", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		for _, f := range p.Features {
			if f == "+"+args[0] {
				return true, nil
			}
		}
		return false, nil
	}},
	{"streq", 2, func(_ *Predicates, _ *Env, args []string) (bool, error) { return args[0] == args[1], nil }},
	{"strneq", 2, func(_ *Predicates, _ *Env, args []string) (bool, error) { return args[0] != args[1], nil }},
	{"strstr", 2, func(_ *Predicates, _ *Env, args []string) (bool, error) {
		return strings.Contains(args[0], args[1]), nil
	}},
	{"version_atleast", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		return compareVersion(args[0], p.Version) <= 0, nil
	}},
	{"version_before", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		return compareVersion(args[0], p.Version) > 0, nil
	}},
	{"openssl_version_atleast", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		order, err := compareSSL(args[0], p.SSLVersion)
		return order <= 0, err
	}},
	{"openssl_version_before", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		order, err := compareSSL(args[0], p.SSLVersion)
		return order > 0, err
	}},
	{"ssllib_name_startswith", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		return p.SSLName != "" && strings.HasPrefix(p.SSLName, args[0]), nil
	}},
	{"awslc_api_atleast", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		order, err := compareAWSLC(args[0], p.AWSLC)
		return order <= 0, err
	}},
	{"awslc_api_before", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		order, err := compareAWSLC(args[0], p.AWSLC)
		return order > 0, err
	}},
	{"enabled", 1, func(p *Predicates, _ *Env, args []string) (bool, error) {
		return p.Enabled != nil && p.Enabled(args[0]), nil
	}},
}
