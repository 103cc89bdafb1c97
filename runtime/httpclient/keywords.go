// Package httpclient sends HTTP requests of the program's own: those of the runtime API's "httpclient", and those that
// ask for responses about certificates. They are served by the engine like those of clients, by a proxy that no file
// has. Section 3.4.
package httpclient

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/config"
	"hapax/runtime/resolver"
	"hapax/runtime/ssl"
	"hapax/stats/cli"
)

// Domain holds the settings of the client and its command.
var Domain = config.Domain{
	Name: "httpclient",
	Keywords: []config.Keyword{
		row("resolvers.disabled", "do not resolve names for the HTTP client", keyword.Arg{Type: keyword.Enum, Enum: []string{"on", "off"}}, parseDisabled),
		row("resolvers.id", "name servers of the HTTP client", keyword.Arg{Type: keyword.Name}, parseResolvers),
		row("resolvers.prefer", "the address family that the HTTP client prefers", keyword.Arg{Type: keyword.Enum, Enum: []string{"ipv4", "ipv6"}}, parsePrefer),
		row("retries", "retries of the HTTP client", keyword.Arg{Type: keyword.Int}, parseRetries),
		row("ssl.ca-file", "authorities that the HTTP client trusts", keyword.Arg{Type: keyword.File}, parseAuthorities),
		row("ssl.verify", "whether the HTTP client checks certificates", keyword.Arg{Type: keyword.Enum, Enum: []string{"none", "required"}}, parseVerify),
		row("timeout.connect", "how long the HTTP client waits for a connection", keyword.Arg{Type: keyword.Time}, parseTimeout),
	},
	Commands: []cli.Command{{
		Doc: keyword.Doc{Name: "httpclient", Ref: "9.3", Summary: "send an HTTP request and print the response", Args: []keyword.Arg{{Name: "method", Type: keyword.Name}, {Name: "URI", Type: keyword.Str}}},
		Run: run,
	}},
	Check: check,
}

func row(word, summary string, arg keyword.Arg, parse func(l *config.Loader, s *settings, word, value string) error) config.Keyword {
	arg.Name = "value"
	return config.Keyword{
		Doc: keyword.Doc{Name: "httpclient." + word, Ref: "3.4", Summary: summary, Args: []keyword.Arg{arg}},
		In:  config.Global,
		Parse: func(l *config.Loader, line *ast.Line) {
			if l.TooMany(line, 1, 1) {
				return
			}
			err := parse(l, of(l), line.Arg(0), line.Arg(1))
			if told := toldAlready(""); errors.As(err, &told) {
				l.Alert(line.Pos, "%s", told)
				err = errors.New("(null)") // as the reference, which then looks for a text that it has printed already
			}
			l.Report(line.Pos, err)
		},
	}
}

// settings are what the global section says of the client.
type settings struct {
	known       bool   // the defaults are in place
	unresolved  bool   // names are not looked up
	resolvers   string // a section
	prefer      string // "": the section's choice
	strict      bool   // it is an error when the section is not there
	trusting    bool   // certificates are not checked
	authorities string // a file, or those of the system
	chosen      bool   // somebody has named it
	broken      bool   // and it cannot be read
	retries     int
	connect     time.Duration
}

// of are the settings so far.
func of(l *config.Loader) *settings {
	s := config.State[settings](l)
	if !s.known {
		*s = settings{known: true, resolvers: "default", authorities: "@system-ca", retries: 3, connect: 5 * time.Second}
	}
	return s
}

// toldAlready is an error that is printed twice, the second time without words.
type toldAlready string

func (t toldAlready) Error() string { return string(t) }

func parseDisabled(_ *config.Loader, s *settings, word, value string) error {
	if value != "on" && value != "off" {
		return fmt.Errorf("'%s' expects either 'on' or 'off' but got '%s'.", word, value)
	}
	s.unresolved = value == "on"
	return nil
}

func parseResolvers(_ *config.Loader, s *settings, _, value string) error {
	s.resolvers, s.strict = value, true
	return nil
}

func parsePrefer(_ *config.Loader, s *settings, word, value string) error {
	if value != "ipv4" && value != "ipv6" {
		return toldAlready("'" + word + "' expects 'ipv4' or 'ipv6' as argument.")
	}
	s.prefer, s.strict = value, true
	return nil
}

func parseRetries(_ *config.Loader, s *settings, word, value string) error {
	if value == "" {
		return toldAlready("'" + word + "' expects an integer argument.")
	}
	s.retries = config.Atol(value)
	return nil
}

func parseVerify(_ *config.Loader, s *settings, word, value string) error {
	if value != "none" && value != "required" {
		return toldAlready("'" + word + "' expects 'none' or 'required' as argument.")
	}
	s.trusting = value == "none"
	return nil
}

func parseTimeout(l *config.Loader, s *settings, word, value string) error {
	if value == "" {
		return toldAlready("'" + word + "' expects an integer argument.")
	}
	d, fault := l.Time(value, time.Millisecond)
	if fault != nil {
		return errors.New(fault.About(value, word))
	}
	s.connect = d
	return nil
}

// parseAuthorities also sees to it that the file is read before anything else is checked.
func parseAuthorities(l *config.Loader, s *settings, _, value string) error {
	if !s.chosen {
		s.chosen = true
		l.Later(func() { s.loadAuthorities(l) })
	}
	s.authorities = value
	return nil
}

// loadAuthorities reads the file of authorities. Without it there is no client, which is not the end of the program;
// the reference says so for each of its two.
func (s *settings) loadAuthorities(l *config.Loader) {
	if s.trusting {
		return
	}
	fault := ssl.LoadAuthorities(l, s.authorities)
	if fault == "" {
		return
	}
	s.broken = true
	for range 2 {
		l.List.Complainf(ast.Pos{}, "%s.", fault)
		l.List.Complainf(ast.Pos{}, "httpclient: cannot initialize: cannot initialize SSL verify with 'ca-file \"%s\"'.", s.authorities)
	}
}

// lookUp are the lines of a proxy that look up the name of a host.
func (s *settings) lookUp() string {
	by := s.resolvers
	if s.prefer != "" {
		by += "," + s.prefer
	}
	return strings.Replace(resolving, "RESOLVERS", by, 1)
}

// check makes the clients.
func check(l *config.Loader) {
	s := of(l)
	resolves := !s.unresolved && resolver.Has(l.Config, s.resolvers)
	if s.strict && !s.unresolved && !resolves {
		l.List.Alertf(ast.Pos{}, "Proxy '<OCSP-UPDATE>': Can't find resolvers section '%s' for do-resolve action.", s.resolvers)
		return
	}
	if s.broken {
		return
	}
	lines := ""
	if resolves {
		lines = s.lookUp()
	}
	c, err := newClient(l, s, "<HTTPCLIENT>", lines)
	if err == nil {
		c.asks, err = newClient(l, s, "<OCSP-UPDATE>", lines+"option dontlog-normal\n")
	}
	if err != nil {
		l.List.Complainf(ast.Pos{}, "httpclient: cannot initialize: %s", err)
		return
	}
	if s.chosen || l.Config.Global.Chroot != "" {
		c.trust()
		c.asks.trust()
	}
	l.Config.Client = c
}
