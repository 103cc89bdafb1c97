package ssl

import (
	"cmp"
	"encoding/pem"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/units"
	"hapax/runtime/config"
)

// bindSettings are the global keywords that a listener with TLS gives a meaning to and
// that are not supported.
var bindSettings = []string{
	"ssl-mode-async", "ssl-propquery", "ssl-provider", "ssl-security-level",
	"tune.ssl.certificate-compression",
}

// serverSettings are those that a server with TLS gives a meaning to.
var serverSettings = []string{
	"ssl-mode-async",
	"ssl-propquery", "ssl-provider", "ssl-security-level", "tune.ssl.certificate-compression",
}

// single checks that a line has one argument; missing is said when it has none.
func single(l *config.Loader, line *ast.Line, missing string) (value string, ok bool) {
	if l.TooMany(line, 1, 1) {
		return "", false
	}
	if value = line.Arg(1); value == "" {
		l.Alert(line.Pos, "%s", missing)
		return "", false
	}
	return value, true
}

// parseBase is "crt-base" and its like.
func parseBase(target func(*settings) *string) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		word := line.Arg(0)
		if l.TooMany(line, 1, 1) {
			return
		}
		base := target(of(l))
		if *base != "" {
			l.Alert(line.Pos, "'%s' already specified.", word)
			return
		}
		if *base = line.Arg(1); *base == "" {
			l.Alert(line.Pos, "global statement '%s' expects a directory path as an argument.", word)
		}
	}
}

// parseDefault is "ssl-default-bind-ciphers" and its like.
func parseDefault(what string, target func(*settings) *string) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		if value, ok := single(l, line, fmt.Sprintf("global statement '%s' expects %s.", line.Arg(0), what)); ok {
			*target(of(l)) = value
		}
	}
}

// parseDefaultOptions is "ssl-default-bind-options" and "ssl-default-server-options": words among flags, and those about versions.
func parseDefaultOptions(versions func(*settings) *filter, flags map[string]func(*settings)) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		word, g := line.Arg(0), of(l)
		if line.Arg(1) == "" {
			l.Alert(line.Pos, "global statement '%s' expects an option as an argument.", word)
			return
		}
		for i := 1; line.Arg(i) != ""; i++ {
			option := line.Arg(i)
			switch set := flags[option]; {
			case set != nil:
				set(g)
			case option == "ssl-min-ver", option == "ssl-max-ver":
				i++
				if err := versions(g).bound(option, line.Arg(i)); err != nil {
					l.Alert(line.Pos, "%s on global statement '%s'.", err, word)
					return
				}
			case !versions(g).exclude(option):
				l.Alert(line.Pos, "unknown option '%s' on global statement '%s'.", option, word)
				return
			}
		}
	}
}

var parseBindOptions = parseDefaultOptions(func(g *settings) *filter { return &g.bind.versions }, map[string]func(*settings){
	"no-tls-tickets":        func(g *settings) { g.bind.noTickets = true },
	"tls-tickets":           func(g *settings) { g.bind.noTickets = false },
	"prefer-client-ciphers": func(g *settings) { g.bind.clientsOrder = true },
	"strict-sni":            func(g *settings) { g.bind.strictSNI = true },
	"no-strict-sni":         func(g *settings) { g.bind.strictSNI = false },
})

var parseServerOptions = parseDefaultOptions(func(g *settings) *filter { return &g.server.versions }, map[string]func(*settings){
	"no-tls-tickets": func(g *settings) { g.server.noTickets = true },
	"renegotiate":    func(g *settings) { g.server.renegotiation = renegotiationAllowed },
	"no-renegotiate": func(g *settings) { g.server.renegotiation = renegotiationRefused },
})

// parseCount is a keyword with a number that is not negative.
func parseCount(set func(*settings, int)) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		value, ok := single(l, line, fmt.Sprintf("'%s' expects an integer argument.", line.Arg(0)))
		if !ok {
			return
		}
		n := leadingInt(value)
		if n < 0 {
			l.Alert(line.Pos, "'%s' expects a positive numeric value.", line.Arg(0))
			return
		}
		set(of(l), n)
	}
}

// parseMaxConns is "maxsslconn".
func parseMaxConns(l *config.Loader, line *ast.Line) {
	parseCount(func(_ *settings, n int) { l.Config.Global.MaxTLSConn = n })(l, line)
}

// parseDHParam is "tune.ssl.default-dh-param".
func parseDHParam(l *config.Loader, line *ast.Line) {
	value, ok := single(l, line, fmt.Sprintf("'%s' expects an integer argument.", line.Arg(0)))
	if !ok {
		return
	}
	bits := uint32(leadingInt(value)) // of no sign: a negative one is large
	if of(l).shortDH = bits == 1024; bits < 1024 {
		l.Alert(line.Pos, "'%s' expects a value >= 1024.", line.Arg(0))
	}
}

// leadingInt reads the number that a text begins with, as atoi does.
func leadingInt(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '-' && r != '+' })
	if end >= 0 {
		text = text[:end]
	}
	n, _ := strconv.Atoi(text)
	return n
}

// parseLifetime is "tune.ssl.lifetime".
func parseLifetime(l *config.Loader, line *ast.Line) {
	word := line.Arg(0)
	value, ok := single(l, line, fmt.Sprintf("'%s' expects ssl sessions <lifetime> in seconds as argument.", word))
	if !ok {
		return
	}
	d, stray, fault := units.Time(value, time.Second)
	switch {
	case fault != nil && fault.Over:
		l.Alert(line.Pos, "timer overflow in argument '%s' to <%s> (maximum value is 2147483647 s or ~68 years).", value, word)
	case fault != nil && fault.Under:
		l.Alert(line.Pos, "timer underflow in argument '%s' to <%s> (minimum non-null value is 1 s).", value, word)
	case fault != nil:
		l.Alert(line.Pos, "unexpected character '%c' in argument to <%s>.", fault.Char, word)
	default:
		if stray != 0 {
			l.List.Warnf(line.Pos, "%s", units.Stray(stray, value))
		}
		of(l).lifetime = cmp.Or(d, defaultLifetime)
	}
}

// parseExtraFiles is "ssl-load-extra-files".
func parseExtraFiles(l *config.Loader, line *ast.Line) {
	word, set := line.Arg(0), extra(0)
	files := map[string]extra{"bundle": extraBundle, "sctl": extraSCTL, "ocsp": extraOCSP, "issuer": extraIssuer, "key": extraKey}
	for i := 1; i == 1 || line.Arg(i) != ""; i++ {
		name := line.Arg(i)
		switch {
		case name == "none" || name == "all":
			if set != 0 || line.Arg(i+1) != "" {
				l.Alert(line.Pos, "'%s' 'none' and 'all' can be only used alone", word)
				return
			}
			if name == "all" {
				set = extraAll
			}
		case files[name] != 0:
			set |= files[name]
		default:
			l.Alert(line.Pos, "'%s' expects one or multiple arguments (none, all, bundle, sctl, ocsp, issuer).", word)
			return
		}
	}
	of(l).extra = set
}

// parsePassphrase is "ssl-passphrase-cmd".
func parsePassphrase(l *config.Loader, line *ast.Line) {
	if line.Arg(1) == "" {
		l.Warn(line.Pos, "global statement '%s' expects a command line to a passphrase-providing tool (script/binary...) and its arguments.", line.Arg(0))
		return
	}
	of(l).passphrases.command = line.Texts(nil, 1)
}

// parseDHFile is "ssl-dh-param-file": what it holds is measured, and not used.
func parseDHFile(l *config.Loader, line *ast.Line) {
	word := line.Arg(0)
	path, ok := single(l, line, fmt.Sprintf("'%s' expects a file path as an argument.", word))
	if !ok {
		return
	}
	text, err := os.ReadFile(path)
	for err == nil {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if of(l).dhFile = dhBits(block); of(l).dhFile > 0 {
			return
		}
	}
	l.Alert(line.Pos, "'%s': unable to load DH parameters from file <%s>.", word, path)
}
