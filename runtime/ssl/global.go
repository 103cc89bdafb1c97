package ssl

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/units"
	"hapax/runtime/config"
)

// passphraseWanted is told about a private key that is encrypted.
var passphraseWanted = diag.Diagnostic{Severity: diag.Alert, Text: "Trying to load a passphrase-protected private key without an 'ssl-passphrase-cmd' defined."}

// bindSettings are the global keywords that a listener with TLS gives a meaning to and
// that are not supported.
var bindSettings = []string{
	"issuers-chain-path", "maxsslconn", "maxsslrate", "ocsp-update.", "ssl-default-bind-client-sigalgs", "ssl-default-bind-sigalgs",
	"ssl-dh-param-file", "ssl-load-extra-", "ssl-mode-async", "ssl-passphrase-cmd", "ssl-propquery", "ssl-provider", "ssl-security-level",
	"tune.ssl.capture-", "tune.ssl.certificate-compression", "tune.ssl.hard-maxrecord", "tune.ssl.keylog", "tune.ssl.ocsp-update.",
}

// serverSettings are those that a server with TLS gives a meaning to.
var serverSettings = []string{
	"maxsslconn", "maxsslrate", "ssl-default-server-client-sigalgs", "ssl-default-server-sigalgs", "ssl-mode-async", "ssl-passphrase-cmd",
	"ssl-propquery", "ssl-provider", "ssl-security-level", "tune.ssl.certificate-compression", "tune.ssl.hard-maxrecord", "tune.ssl.keylog",
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

// parseDefaultOptions is "ssl-default-bind-options".
func parseDefaultOptions(l *config.Loader, line *ast.Line) {
	word, d := line.Arg(0), &of(l).bind
	if line.Arg(1) == "" {
		l.Alert(line.Pos, "global statement '%s' expects an option as an argument.", word)
		return
	}
	for i := 1; line.Arg(i) != ""; i++ {
		switch option := line.Arg(i); option {
		case "no-tls-tickets":
			d.noTickets = true
		case "tls-tickets":
			d.noTickets = false
		case "prefer-client-ciphers":
		case "strict-sni":
			d.strictSNI = true
		case "no-strict-sni":
			d.strictSNI = false
		case "ssl-min-ver", "ssl-max-ver":
			if err := d.versions.bound(option, line.Arg(i+1)); err != nil {
				l.Alert(line.Pos, "%s on global statement '%s'.", err, word)
				return
			}
			i++
		default:
			if !d.versions.exclude(option) {
				l.Alert(line.Pos, "unknown option '%s' on global statement '%s'.", option, word)
				return
			}
		}
	}
}

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

// parseDHParam is "tune.ssl.default-dh-param".
func parseDHParam(l *config.Loader, line *ast.Line) {
	value, ok := single(l, line, fmt.Sprintf("'%s' expects an integer argument.", line.Arg(0)))
	if ok && leadingInt(value) < 1024 {
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
		of(l).lifetime = d
	}
}
