// Package acme holds the sections of certificate authorities that certificates are
// asked from. They are read and checked; none is asked for.
package acme

import (
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/config"
)

// Domain holds the keywords of acme sections.
var Domain = config.Domain{
	Name: "acme",
	Sections: []config.Section{{
		Doc:  keyword.Doc{Name: "acme", Ref: "12.8", Summary: "a certificate authority", Status: keyword.Missing},
		Kind: config.ACME, Dormant: true, Experimental: true, Strict: true, Start: start, End: end,
	}},
	Keywords: []config.Keyword{
		row("directory", "the authority's directory", keyword.Str, text("an argument", func(s *section, value string) { s.directory = value })),
		row("contact", "who is to be told", keyword.Str, text("an argument", nil)),
		row("account-key", "the file with the account's key", keyword.File, text("a filename argument", nil)),
		row("challenge", "how the names are proved", keyword.Enum, challenge),
		row("keytype", "the type of certificates' keys", keyword.Enum, oneOf("either 'RSA' or 'ECDSA' argument", "RSA", "ECDSA")),
		row("bits", "bits of RSA keys", keyword.Int, bits),
		row("curves", "the curve of ECDSA keys", keyword.Enum, curves),
		row("map", "the map that answers challenges", keyword.Map, text("an argument", nil)),
		row("profile", "what the authority calls the sort of certificate", keyword.Str, profile),
		row("reuse-key", "keep the key when a certificate is renewed", keyword.Bool, oneOf("either the 'on' or 'off' parameter", "on", "off")),
		row("challenge-ready", "what makes a challenge ready", keyword.Str, challengeReady),
		row("dns-delay", "how long after a DNS record is looked for", keyword.Time, dnsTime),
		row("dns-timeout", "how long a DNS record is looked for", keyword.Time, dnsTime),
		row("eab-key-id", "the file with the number of the external account", keyword.File, text("an argument", func(s *section, value string) { s.keyID = value })),
		row("eab-mac-key", "the file with the key of the external account", keyword.File, text("an argument", func(s *section, value string) { s.macKey = value })),
		row("eab-mac-alg", "how the external account signs", keyword.Enum, macAlgorithm),
		row("acme-vars", "text for programs that answer challenges", keyword.Str, text("an argument", nil)),
		row("provider-name", "the provider's name for programs that answer challenges", keyword.Str, text("an argument", nil)),
		{Doc: keyword.Doc{Name: "acme.scheduler", Ref: "3.1", Summary: "whether certificates are renewed", Status: keyword.Missing,
			Args: []keyword.Arg{{Name: "mode", Type: keyword.Enum, Enum: []string{"auto", "off"}}}}, In: config.Global, Dormant: true, Parse: scheduler},
	},
}

// row is that of a line of the section. An error in one stops the reading.
func row(name, summary string, t keyword.ArgType, parse func(l *config.Loader, line *ast.Line, s *section)) config.Keyword {
	return config.MissingRow(config.ACME, name, "12.8", summary, []keyword.Arg{{Name: "value", Type: t}}, func(l *config.Loader, line *ast.Line) {
		before := l.List.Fatal()
		parse(l, line, current(l))
		if l.List.Fatal() > before {
			l.Alert(line.Pos, "(null)") // as the reference, which then looks for a text that it has printed already
		}
	})
}

// sections is what is known of all sections while a configuration is read.
type sections struct {
	current *section
}

type section struct {
	name, directory, keyID, macKey string
	challenge                      string
	ready                          bool // a challenge wants to be told ready
}

func current(l *config.Loader) *section {
	if s := config.State[sections](l).current; s != nil {
		return s
	}
	return &section{challenge: defaultChallenge}
}

const defaultChallenge = "http-01"

func start(l *config.Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	name := line.Arg(1)
	if name == "" {
		l.AlertTight(line.Pos, "section '%s' requires an ID argument.", line.Arg(0))
		return
	}
	all := config.State[sections](l)
	if at, known := l.KnownAt(config.ACME, name); known {
		l.AlertTight(line.Pos, "acme section '%s' already exists (%s:%d).", name, at.File, at.Line)
		return
	}
	all.current = &section{name: name, challenge: defaultChallenge}
	l.Know(config.ACME, name, line.Pos)
}

func end(l *config.Loader) {
	s := config.State[sections](l).current
	config.State[sections](l).current = nil
	switch {
	case s == nil:
	case (s.keyID == "") != (s.macKey == ""):
		l.List.Alertf(ast.Pos{}, "acme: section '%s': EAB MAC key and key id are mutually dependent, specify both or neither.", s.name)
	case s.directory == "":
		l.List.Alertf(ast.Pos{}, "acme: No directory defined in ACME section '%s'.", s.name)
	}
}

// wants reports an argument that is not there, or one too many.
func wants(l *config.Loader, line *ast.Line, what string) (refused bool) {
	if line.Arg(1) == "" {
		l.AlertTight(line.Pos, "keyword '%s' in 'acme' section requires %s", line.Arg(0), what)
		return true
	}
	return l.TooMany(line, 1, 1)
}

func text(what string, set func(*section, string)) func(*config.Loader, *ast.Line, *section) {
	return func(l *config.Loader, line *ast.Line, s *section) {
		if !wants(l, line, what) && set != nil {
			set(s, line.Arg(1))
		}
	}
}

// oneOf is a keyword with a few values; what is said about another one.
func oneOf(what string, values ...string) func(*config.Loader, *ast.Line, *section) {
	return func(l *config.Loader, line *ast.Line, _ *section) {
		if wants(l, line, "an argument") {
			return
		}
		for _, v := range values {
			if line.Arg(1) == v {
				return
			}
		}
		l.AlertTight(line.Pos, "keyword '%s' in 'acme' section requires %s", line.Arg(0), what)
	}
}

func challenge(l *config.Loader, line *ast.Line, s *section) {
	kind := strings.ToLower(line.Arg(1))
	if kind != "http-01" && kind != "dns-01" && kind != "dns-persist-01" {
		l.AlertTight(line.Pos, "keyword '%s' in 'acme' must be one of the following: http-01, dns-01, dns-persist-01", line.Arg(0))
		return
	}
	if l.TooMany(line, 1, 1) {
		return
	}
	s.challenge = kind
	if kind != "http-01" {
		s.ready = true
	} else if s.ready {
		incompatible(l, line)
	}
}

func incompatible(l *config.Loader, line *ast.Line) {
	l.AlertTight(line.Pos, "keyword '%s' in 'acme' section, \"http-01\" is not compatible with the \"challenge-ready\" option", line.Arg(0))
}

func challengeReady(l *config.Loader, line *ast.Line, s *section) {
	if wants(l, line, "an argument") {
		return
	}
	s.ready = false
	words := strings.FieldsFunc(line.Arg(1), func(c rune) bool { return c == ',' })
	for _, word := range words {
		switch word {
		case "cli", "dns", "delay":
			s.ready = true
		case "none":
			if len(words) > 1 {
				l.AlertTight(line.Pos, "keyword '%s' in 'acme' can't combine 'none' with other keywords.", line.Arg(0))
				return
			}
		default:
			l.AlertTight(line.Pos, "keyword '%s' in 'acme' section requires parameter separated by commas: 'cli', 'dns' or 'none'", line.Arg(0))
			return
		}
	}
	if s.challenge == "http-01" && s.ready {
		incompatible(l, line)
	}
}

func bits(l *config.Loader, line *ast.Line, _ *section) {
	if line.Arg(1) == "" {
		wants(l, line, "an argument")
		return
	}
	if _, rest := config.Strtol(line.Arg(1), 10); rest != "" {
		l.Alert(line.Pos, "cannot parse '%s' value '%s', an integer is expected.", line.Arg(0), line.Arg(1))
		return
	}
	l.TooMany(line, 1, 1)
}

func curves(l *config.Loader, line *ast.Line, _ *section) {
	if wants(l, line, "an argument") {
		return
	}
	switch line.Arg(1) {
	case "P-256", "P-384", "P-521":
	default:
		l.AlertTight(line.Pos, "unsupported curves '%s'", line.Arg(1))
	}
}

func profile(l *config.Loader, line *ast.Line, _ *section) {
	if wants(l, line, "an argument") {
		return
	}
	for _, c := range []byte(line.Arg(1)) {
		switch {
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z', c == '-', c == '_':
		default:
			l.AlertTight(line.Pos, "keyword '%s' in 'acme' section contains unauthorized character '%c'", line.Arg(0), c)
			return
		}
	}
}

func macAlgorithm(l *config.Loader, line *ast.Line, _ *section) {
	if wants(l, line, "an argument") {
		return
	}
	switch line.Arg(1) {
	case "HS256", "HS384", "HS512":
	default:
		l.AlertTight(line.Pos, "keyword '%s' in 'acme' must be one of the following: HS256, HS384, HS512", line.Arg(0))
	}
}

func dnsTime(l *config.Loader, line *ast.Line, _ *section) {
	if wants(l, line, "an argument") {
		return
	}
	_, fault := l.Time(line.Arg(1), time.Second)
	switch {
	case fault == nil:
	case fault.Over:
		l.AlertTight(line.Pos, "timer overflow in argument <%s> to '%s'", line.Arg(1), line.Arg(0))
	case fault.Under:
		l.AlertTight(line.Pos, "timer underflow in argument <%s> to '%s'", line.Arg(1), line.Arg(0))
	default:
		l.AlertTight(line.Pos, "unexpected character '%c' in argument to '%s'", fault.Char, line.Arg(0))
	}
}

// scheduler names the place of the line twice, as ever.
func scheduler(l *config.Loader, line *ast.Line) {
	switch {
	case line.Arg(1) == "":
		l.Alert(line.Pos, "parsing [%s:%d]: keyword '%s' in 'global' section requires an argument", line.Pos.File, line.Pos.Line, line.Arg(0))
	case l.TooMany(line, 1, 1):
	case line.Arg(1) != "auto" && line.Arg(1) != "off":
		l.Alert(line.Pos, "parsing [%s:%d]: keyword '%s' in 'global' section requires either 'auto' or 'off' argument", line.Pos.File, line.Pos.Line, line.Arg(0))
	}
}
