package ssl

import (
	"errors"
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// options are what a "bind" line, and a line of a crt-list for its certificate alone, say
// about handshakes. What a crt-list does not say, the bind line decides.
type options struct {
	ciphers, suites13      string
	curves, ecdhe          string
	sigalgs, clientSigalgs string
	protocols              []string // of ALPN
	ownALPN                bool     // "alpn" or "no-alpn" is given: the default does not hold
	versions               filter
	verify                 verify
	authorities, unnamed   *trusted // "ca-file", "ca-verify-file"
	revoked                *trusted // "crl-file"
	early                  bool     // "allow-0rtt", which is only shown
	noNames                bool     // "no-ca-names": clients are not told the authorities
	authorityFile, crlFile string   // as they are shown
	verifyFile             string
	missing                []string // words that are known and not supported
}

// reader is what the words of options are read with: from a configuration or from a line of
// the CLI, where no file is opened.
type reader struct {
	set  *settings
	list *diag.List // where messages beside the error go; nil on the CLI
	pos  ast.Pos
	what string // in front of the name of a word that is not supported

	experimental func(what string) error // refuses what is not allowed; nil on the CLI
}

// optionWord is a word that both a "bind" line and a crt-list know.
type optionWord struct {
	name  string
	args  int
	parse func(r *reader, word, value string, o *options) error
}

// optionWords are in the order of the reference's documentation.
var optionWords = []optionWord{
	{"allow-0rtt", 0, func(_ *reader, _, _ string, o *options) error {
		o.early = true
		return nil
	}},
	{"alpn", 1, readALPN},
	{"ca-file", 1, func(r *reader, word, value string, o *options) (err error) {
		o.authorityFile, o.authorities, err = r.trusted(word, value, authorityKind)
		return err
	}},
	{"ca-verify-file", 1, func(r *reader, word, value string, o *options) (err error) {
		o.verifyFile, o.unnamed, err = r.trusted(word, value, authorityKind)
		return err
	}},
	{"ciphers", 1, readText("cipher suite", func(o *options) *string { return &o.ciphers })},
	{"ciphersuites", 1, readText("cipher suite", func(o *options) *string { return &o.suites13 })},
	{"client-sigalgs", 1, readText("signature algorithm list", func(o *options) *string { return &o.clientSigalgs })},
	{"crl-file", 1, func(r *reader, word, value string, o *options) (err error) {
		o.crlFile, o.revoked, err = r.trusted(word, value, revokedKind)
		return err
	}},
	{"curves", 1, readText("curve suite", func(o *options) *string { return &o.curves })},
	{"ecdhe", 1, readText("named curve", func(o *options) *string { return &o.ecdhe })},
	{"ktls", 1, readKTLS},
	{"no-alpn", 0, func(_ *reader, _, _ string, o *options) error {
		o.ownALPN, o.protocols = true, nil
		return nil
	}},
	{"no-ca-names", 0, func(_ *reader, _, _ string, o *options) error {
		o.noNames = true
		return nil
	}},
	{"npn", 1, readNPN},
	{"sigalgs", 1, readText("signature algorithm list", func(o *options) *string { return &o.sigalgs })},
	{"ssl-min-ver", 1, readBound(func(o *options) *version { return &o.versions.min })},
	{"ssl-max-ver", 1, readBound(func(o *options) *version { return &o.versions.max })},
	{"verify", 1, readVerify},
}

// findOption finds the row of a word; nil when there is none.
func findOption(word string) *optionWord {
	for i := range optionWords {
		if optionWords[i].name == word {
			return &optionWords[i]
		}
	}
	return nil
}

// onBind makes the parser of a word for "bind" lines.
func onBind(word string) func(*config.Loader, *config.Words, *runtime.Bind) error {
	return func(l *config.Loader, w *config.Words, b *runtime.Bind) error {
		row, value := findOption(word), ""
		if row.args > 0 {
			value = w.Take()
		}
		o := &lineOf(b).options
		err := row.parse(fileReader(l, w.Pos(), "bind"), word, value, o)
		o.report(l, w.Pos())
		return err
	}
}

// fileReader reads words of a configuration.
func fileReader(l *config.Loader, pos ast.Pos, what string) *reader {
	return &reader{set: of(l), list: l.List, pos: pos, what: what, experimental: l.Experimental}
}

// lacks notes the use of a word that is known and not supported.
func (o *options) lacks(r *reader, word string) error {
	o.missing = append(o.missing, strings.TrimSpace(r.what+" "+word))
	return nil
}

// report hands what was noted to the loader.
func (o *options) report(l *config.Loader, pos ast.Pos) {
	for _, what := range o.missing {
		l.Missing(pos, what)
	}
	o.missing = nil
}

// readText is a word with one argument that is looked at when all is read.
func readText(what string, target func(*options) *string) func(*reader, string, string, *options) error {
	return func(_ *reader, word, value string, o *options) error {
		if value == "" {
			return fmt.Errorf("'%s' : missing %s", word, what)
		}
		*target(o) = value
		return nil
	}
}

// readALPN is "alpn <protocols>". A protocol that is not spoken here is Missing.
func readALPN(r *reader, word, value string, o *options) error {
	protocols, err := config.ProtocolNames(word, value)
	if err != nil {
		return err
	}
	o.ownALPN, o.protocols = true, nil
	for _, protocol := range protocols {
		switch protocol {
		case "":
		case "h3":
			if r.experimental != nil {
				_ = r.experimental(word) // counts as a use; the line is refused anyway
			}
			o.lacks(r, word+" "+protocol)
		default:
			o.protocols = append(o.protocols, protocol)
		}
	}
	return nil
}

// readKTLS is "ktls { on | off }": the kernel encrypts if it can, and here it never does.
func readKTLS(r *reader, word, value string, _ *options) error {
	return checkKTLS(r.experimental, word, value)
}

func checkKTLS(experimental func(what string) error, word, value string) error {
	if value == "" {
		return fmt.Errorf("'%s' expects \"on\" or \"off\" as an argument.", word)
	}
	if experimental != nil {
		if err := experimental("'" + word + "' directive"); err != nil {
			return err
		}
	}
	if !strings.EqualFold(value, "on") && !strings.EqualFold(value, "off") {
		return fmt.Errorf("'%s' expects \"on\" or \"off\" as an argument, got '%s'.", word, value)
	}
	return nil
}

// readNPN is "npn <protocols>", the draft that ALPN replaced: no TLS library of today
// speaks it.
func readNPN(r *reader, word, value string, o *options) error {
	if value == "" {
		return fmt.Errorf("'%s' : missing the comma-delimited NPN protocol suite", word)
	}
	return o.lacks(r, word)
}

// readBound is "ssl-min-ver" and "ssl-max-ver".
func readBound(target func(*options) *version) func(*reader, string, string, *options) error {
	return func(_ *reader, word, value string, o *options) error {
		v, err := versionNamed(word, value)
		if err == nil {
			*target(o) = v
		}
		return err
	}
}

// readVerify is "verify <method>": whether clients have to show a certificate.
func readVerify(_ *reader, word, value string, o *options) error {
	switch value {
	case "none":
		o.verify = verifyNone
	case "optional":
		o.verify = verifyOptional
	case "required":
		o.verify = verifyRequired
	case "":
		return errors.New("'verify' : missing verify method")
	default:
		return fmt.Errorf("'verify' : unknown verify method '%s', only 'none', 'optional', and 'required' are supported\n", value)
	}
	return nil
}

// trusted finds or loads the file of "ca-file" and its like.
func (r *reader) trusted(word, value string, kind trustedKind) (string, *trusted, error) {
	if value == "" {
		return "", nil, fmt.Errorf("'%s' : missing %s path", word, kind)
	}
	name := based(r.set.caBase, value)
	t, fault := r.set.store.trusted(r, name, kind)
	if t == nil {
		if fault != "" && r.list != nil {
			r.list.Alertf(r.pos, "%s.", fault)
		}
		return "", nil, fmt.Errorf("'%s' : unable to load %s", word, name)
	}
	return name, t, nil
}

// based puts a base directory before a relative name.
func based(base, name string) string {
	if base == "" || name[0] == '/' || name[0] == '@' {
		return name
	}
	return base + "/" + name
}

// over is what holds for a certificate: its own options, and behind them those of the line.
func (o *options) over(line *options) options {
	if o == nil {
		return *line
	}
	e := *o
	take := func(own *string, line string) {
		if *own == "" {
			*own = line
		}
	}
	take(&e.ciphers, line.ciphers)
	take(&e.suites13, line.suites13)
	take(&e.curves, line.curves)
	take(&e.ecdhe, line.ecdhe)
	take(&e.sigalgs, line.sigalgs)
	take(&e.clientSigalgs, line.clientSigalgs)
	if !e.ownALPN {
		e.ownALPN, e.protocols = line.ownALPN, line.protocols
	}
	if e.verify == verifyDefault {
		e.verify = line.verify
	}
	if e.authorities == nil {
		e.authorities = line.authorities
	}
	if e.unnamed == nil {
		e.unnamed = line.unnamed
	}
	if e.revoked == nil {
		e.revoked = line.revoked
	}
	e.noNames = e.noNames || line.noNames
	if e.versions.min == 0 {
		e.versions.min = line.versions.min
	}
	if e.versions.max == 0 {
		e.versions.max = line.versions.max
	}
	return e
}

// show writes them as a crt-list has them. The zero byte behind the protocols is the
// reference's.
func (o *options) show() string {
	var words []string
	add := func(word, value string) {
		if value != "" {
			words = append(words, word+" "+value)
		}
	}
	switch {
	case len(o.protocols) > 0:
		add("alpn", strings.Join(o.protocols, ",")+"\x00")
	case o.ownALPN:
		words = append(words, "no-alpn\x00")
	}
	add("verify", [...]string{"", "none", "optional", "required"}[o.verify])
	if o.noNames {
		words = append(words, "no-ca-names")
	}
	if o.early {
		words = append(words, "allow-0rtt")
	}
	add("ca-file", o.authorityFile)
	add("crl-file", o.crlFile)
	add("ciphers", o.ciphers)
	add("ciphersuites", o.suites13)
	add("curves", o.curves)
	add("ecdhe", o.ecdhe)
	add("client-sigalgs", o.clientSigalgs)
	add("sigalgs", o.sigalgs)
	if o.versions.min != 0 {
		add("ssl-min-ver", versionNames[o.versions.min])
	}
	if o.versions.max != 0 {
		add("ssl-max-ver", versionNames[o.versions.max])
	}
	return strings.Join(words, " ")
}
