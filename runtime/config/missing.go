package config

import (
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
)

// missingDomain declares every word of HAProxy that no domain declares, as Missing: a configuration that uses one is
// told so, and no word of that language is ever unknown. A keyword counts as declared too when rows refine it:
// "timeout client" covers "timeout".
func missingDomain(domains []*Domain) *Domain {
	m := &Domain{Name: "missing"}
	addSections(m, domains)
	addKeywords(m, domains)
	addOptions(m, domains)
	addLineWords(m, domains)
	addActions(m, domains)
	addSamples(m, domains)
	return m
}

// names is a set of declared names, and of the first words of those that have several.
type names map[string]bool

func (n names) add(name string) {
	n[name] = true
	n[firstWord(name)] = true
}

func missing(name string) keyword.Doc { return keyword.Doc{Name: name, Status: keyword.Missing} }

func addSections(m *Domain, domains []*Domain) {
	have := names{}
	for _, d := range domains {
		for i := range d.Sections {
			have.add(d.Sections[i].Name)
		}
	}
	for _, s := range knownSections {
		if !have[s.name] {
			m.Sections = append(m.Sections, Section{Doc: missing(s.name), Kind: s.kind, Dormant: s.dormant})
		}
	}
}

// addKeywords declares the keywords of all sections. Removed ones have a row with the refusal that tells what to use
// instead.
func addKeywords(m *Domain, domains []*Domain) {
	isSection := names{}
	for _, s := range knownSections {
		isSection.add(s.name)
	}
	for _, k := range knownKeywords {
		have := names{}
		for _, d := range domains {
			for i := range d.Keywords {
				if d.Keywords[i].In&k.in != 0 {
					have.add(d.Keywords[i].Name)
				}
			}
		}
		for _, r := range removedKeywords {
			if r.in == k.in && !have[r.name] {
				have.add(r.name)
				m.Keywords = append(m.Keywords, Keyword{
					Doc: keyword.Doc{Name: r.name, Summary: "removed", Note: r.text}, In: k.in, Parse: refuse(r.text, r.tight)})
			}
		}
		for _, words := range [][]string{k.suggested, k.unlisted} {
			for _, word := range words {
				if have[word] || isSection[word] {
					continue
				}
				m.Keywords = append(m.Keywords, Keyword{Doc: missing(word), In: k.in, Dormant: k.in == Global && dormant(word)})
			}
		}
	}
}

// refuse makes the Parse of a keyword that is no more.
func refuse(text string, tight bool) func(*Loader, *ast.Line) {
	return func(l *Loader, line *ast.Line) {
		told := diag.At(line.Pos, "%s", text)
		if tight {
			told = diag.AtTight(line.Pos, "%s", text)
		}
		l.List.Alertf(line.Pos, "%s", told)
	}
}

// dormantPrefixes start the global words that only configure features: they mean nothing while nothing uses these.
var dormantPrefixes = []string{
	"51degrees-", "acme.", "ca-base", "crt-base", "deviceatlas-", "dns-accept-family", "httpclient.",
	"issuers-chain-path", "jwt.", "key-base", "localpeer", "lua-prepend-path", "maxssl", "maxzlibmem",
	"ocsp-update.", "ssl-default-", "ssl-dh-param-file", "ssl-load-extra-", "ssl-mode-async", "ssl-passphrase-cmd",
	"ssl-propquery", "ssl-provider", "ssl-security-level", "ssl-server-verify", "ssl-skip-self-issued-ca", "tune.applet.",
	"tune.fcgi.", "tune.h2.", "tune.lua.", "tune.quic.", "tune.ssl.", "tune.zlib.", "wurfl-",
}

func dormant(word string) bool {
	for _, prefix := range dormantPrefixes {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}

func addOptions(m *Domain, domains []*Domain) {
	have := names{"original-to": true}
	for _, d := range domains {
		for i := range d.Options {
			have.add(d.Options[i].Name)
		}
	}
	for _, r := range removedOptions {
		if !have[r.name] {
			have.add(r.name)
			m.Options = append(m.Options, Option{
				Doc: keyword.Doc{Name: r.name, Summary: "removed", Note: r.text}, No: true, Parse: refuse(r.text, true)})
		}
	}
	for _, words := range [][]string{suggestedOptions, knownOptions} {
		for _, word := range words {
			if !have[word] {
				m.Options = append(m.Options, Option{Doc: missing(word)})
			}
		}
	}
}

// addLineWords declares the options of "bind" and "server" lines.
func addLineWords(m *Domain, domains []*Domain) {
	binds, servers := names{}, names{}
	for _, d := range domains {
		for i := range d.BindWords {
			binds.add(d.BindWords[i].Name)
		}
		for i := range d.ServerWords {
			servers.add(d.ServerWords[i].Name)
		}
	}
	for _, w := range knownBindWords {
		if !binds[w.name] {
			doc := missing(w.name)
			doc.Args = anyArgs(w.args)
			m.BindWords = append(m.BindWords, BindWord{Doc: doc})
		}
	}
	for _, w := range knownServerWords {
		if !servers[w.name] {
			doc := missing(w.name)
			doc.Args = anyArgs(w.args)
			m.ServerWords = append(m.ServerWords, ServerWord{Doc: doc, NotDefault: !w.inDefault, NotDynamic: !w.inDynamic})
		}
	}
}

// anyArgs are n arguments of which nothing else is known: what a Missing word is followed by, and is to be skipped.
func anyArgs(n int) []keyword.Arg {
	args := make([]keyword.Arg, max(n, 0))
	for i := range args {
		args[i] = keyword.Arg{Name: "value"}
	}
	return args
}

func addActions(m *Domain, domains []*Domain) {
	for _, k := range knownActions {
		have := names{}
		for _, d := range domains {
			for i := range d.Actions {
				if d.Actions[i].In&k.in != 0 {
					have.add(d.Actions[i].Name)
				}
			}
		}
		for _, action := range k.actions {
			name, prefix := strings.CutSuffix(action, "(*)")
			if !have[name] {
				doc := missing(name)
				doc.Prefix = prefix
				m.Actions = append(m.Actions, Action{Doc: doc, In: k.in})
			}
		}
	}
}

func addSamples(m *Domain, domains []*Domain) {
	fetches, converters := names{}, names{}
	for _, d := range domains {
		for i := range d.Fetches {
			fetches.add(d.Fetches[i].Name)
		}
		for i := range d.Converters {
			converters.add(d.Converters[i].Name)
		}
	}
	for _, f := range knownFetches {
		if !fetches[f.name] {
			doc := missing(f.name)
			doc.Args = sampleArgs(f.args)
			m.Fetches = append(m.Fetches, sample.Fetch{Doc: doc, Out: f.out, From: f.from})
		}
	}
	for _, c := range knownConverters {
		if !converters[c.name] {
			doc := missing(c.name)
			doc.Args = sampleArgs(c.args)
			m.Converters = append(m.Converters, sample.Converter{Doc: doc, In: c.in, Out: c.out})
		}
	}
}

// sampleArgs reads the letters of knownFetches.
func sampleArgs(letters string) []keyword.Arg {
	types := map[rune]keyword.Arg{
		'i': {Name: "integer", Type: keyword.Int}, 's': {Name: "string", Type: keyword.Str},
		'n': {Name: "name", Type: keyword.Name}, '4': {Name: "address", Type: keyword.IPv4},
		'6': {Name: "address", Type: keyword.IPv6}, 'm': {Name: "mask", Type: keyword.Mask4},
		'M': {Name: "mask", Type: keyword.Mask6}, 't': {Name: "time", Type: keyword.Time},
		'k': {Name: "size", Type: keyword.Size}, 'f': {Name: "frontend", Type: keyword.Frontend},
		'b': {Name: "backend", Type: keyword.Backend}, 'T': {Name: "table", Type: keyword.StickTable},
		'S': {Name: "server", Type: keyword.Server}, 'u': {Name: "userlist", Type: keyword.Users},
		'a': {Name: "map", Type: keyword.Map}, 'r': {Name: "regex", Type: keyword.Regex},
		'v': {Name: "var", Type: keyword.Var}, 'p': {Name: "field", Type: keyword.Field},
	}
	var args []keyword.Arg
	optional := false
	for _, c := range letters {
		if c == '|' {
			optional = true
			continue
		}
		arg := types[c]
		arg.Opt = optional
		args = append(args, arg)
	}
	return args
}
