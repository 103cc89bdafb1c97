package ssl

import (
	"errors"
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/config"
)

// absentKeywords are what the reference's library offers and crypto/tls does not: they are
// checked, and mean nothing as long as nothing uses TLS.
func absentKeywords() []config.Keyword {
	row := func(name, summary string, args []keyword.Arg, parse func(l *config.Loader, line *ast.Line) error) config.Keyword {
		k := config.MissingRow(config.Global, name, "3", summary, args, func(l *config.Loader, line *ast.Line) { l.Report(line.Pos, parse(l, line)) })
		k.Dormant = true
		return k
	}
	one := func(name string, t keyword.ArgType) []keyword.Arg { return []keyword.Arg{{Name: name, Type: t}} }
	wants := func(what string) func(*config.Loader, *ast.Line) error {
		return func(_ *config.Loader, line *ast.Line) error {
			if line.Arg(1) == "" {
				return fmt.Errorf("global statement '%s' expects %s as an argument.", line.Arg(0), what)
			}
			return nil
		}
	}
	return []config.Keyword{
		row("ssl-mode-async", "let engines work while connections wait", nil, func(*config.Loader, *ast.Line) error { return nil }),
		row("ssl-engine", "an engine of the library", one("name", keyword.Str), func(_ *config.Loader, line *ast.Line) error {
			return fmt.Errorf("'%s' is not supported (built without USE_ENGINE or with -DOPENSSL_NO_ENGINE).", line.Arg(0))
		}),
		row("ssl-propquery", "what algorithms are looked up by", one("query", keyword.Str), wants("a property string")),
		row("ssl-provider", "a provider of algorithms", one("name", keyword.Str), wants("a valid engine provider name")),
		row("ssl-provider-path", "where providers are looked for", one("path", keyword.File), wants("a directory path")),
		row("ssl-security-level", "the library's level of security", one("level", keyword.Int), checkSecurityLevel),
		row("tune.ssl.certificate-compression", "whether certificates are compressed", []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: []string{"auto", "off"}}},
			func(_ *config.Loader, line *ast.Line) error {
				return fmt.Errorf("'%s' is not supported by your TLS library. It is known to work only with OpenSSL >= 3.2.0.", line.Arg(0))
			}),
	}
}

// checkSecurityLevel reports in words of its own, and then in those of who finds no text.
func checkSecurityLevel(l *config.Loader, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	n, rest := config.Strtol(value, 10)
	switch {
	case value == "":
		l.Alert(line.Pos, "'%s' : missing value", word)
	case rest != "":
		l.Alert(line.Pos, "'%s' : expects an integer argument, found '%s'", word, value)
	case n < 0 || n > 5:
		l.Alert(line.Pos, "'%s' : expects a value between 0 and 5", word)
	default:
		return nil
	}
	return errors.New("(null)")
}
