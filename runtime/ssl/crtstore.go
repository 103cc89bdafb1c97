package ssl

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime/config"
)

// crtStore is the "crt-store" section that is being read.
type crtStore struct {
	name             string
	crtBase, keyBase string
	loaded           bool // a "load" line was read: bases come too late
}

// startStore reads the header of a section.
func startStore(l *config.Loader, line *ast.Line) {
	g := of(l)
	if line.Arg(2) != "" {
		l.Abort(line.Pos, "'crt-store' section only supports a <name> argument.")
		return
	}
	g.section = crtStore{name: line.Arg(1), crtBase: g.crtBase, keyBase: g.keyBase}
}

// parseStoreBase is "crt-base" and "key-base" in a section.
func parseStoreBase(target func(*crtStore) *string) func(*config.Loader, *ast.Line) {
	return func(l *config.Loader, line *ast.Line) {
		s := &of(l).section
		switch {
		case line.Arg(1) == "":
			l.Abort(line.Pos, "parsing [%s:%d] : '%s' requires a <path> argument.", line.Pos.File, line.Pos.Line, line.Arg(0))
		case s.loaded:
			l.Abort(line.Pos, "parsing [%s:%d] : '%s' can't be used after a load line, use it at the beginning of the section.",
				line.Pos.File, line.Pos.Line, line.Arg(0))
		default:
			*target(s) = line.Arg(1)
		}
	}
}

// parseLoad is "load [crt <file>] [key <file>] ...": a certificate with a name.
func parseLoad(l *config.Loader, line *ast.Line) {
	g := of(l)
	if err := g.loadLine(l, line); err != nil {
		l.Abort(line.Pos, "%s", spaced(err))
	}
}

// spaced is the text of an error as a line tells it: behind one with its own end there is an
// empty line.
func spaced(err error) string {
	text := err.Error()
	if strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text
}

func (g *settings) loadLine(l *config.Loader, line *ast.Line) error {
	var conf loadConf
	alias, file, number := "", line.Pos.File, line.Pos.Line
	r := fileReader(l, line.Pos, "load")
	at := func(format string, args ...any) error {
		return fmt.Errorf("parsing [%s:%d] : %s", file, number, fmt.Sprintf(format, args...))
	}
	for i := 1; line.Arg(i) != ""; i += 2 {
		word, value := line.Arg(i), line.Arg(i+1)
		if word == "alias" {
			if strings.HasPrefix(value, "/") {
				return at("cannot parse '%s' value '%s', '/' is forbidden as the first character.\n", word, value)
			}
			alias = "@" + g.section.name + "/" + value
			continue
		}
		known, err := conf.parse(word, value, r, file, number)
		if err != nil {
			return err
		}
		if !known {
			return at("'%s %s' in section 'crt-store': unknown keyword '%s'.", line.Arg(0), word, word)
		}
		for _, what := range conf.missing {
			l.Missing(line.Pos, what)
		}
		conf.missing = nil
	}
	if conf.crt == "" {
		return at("'%s' in section 'crt-store': mandatory 'crt' parameter not found.", line.Arg(0))
	}
	g.section.loaded = true
	name := alias
	switch {
	case name != "":
	case g.section.name != "" && conf.crt[0] != '/':
		name = "@" + g.section.name + "/" + conf.crt
	case g.section.name != "":
		name = "@" + g.section.name + conf.crt
	default:
		name = based(g.crtBase, conf.crt)
	}
	conf.by = byStore
	e := &entry{name: name, conf: conf}
	var err error
	if e.cert, err = g.loadFiles(&conf, nil); err != nil {
		return err
	}
	if g.store.entries[name] != nil {
		return at("'%s' in section 'crt-store': store '%s' was already defined.", line.Arg(0), name)
	}
	g.store.entries[name] = e
	if conf.again != "" {
		l.Warn(line.Pos, "'%s' already specified, overwriting.", conf.again)
	}
	return nil
}

// parse reads one option of a certificate and its value. known is false when it is none.
func (c *loadConf) parse(word, value string, r *reader, file string, number int) (known bool, err error) {
	text := map[string]*string{"crt": &c.crt, "key": &c.key, "ocsp": &c.ocsp, "issuer": &c.issuer, "sctl": &c.sctl}[word]
	switch word {
	case "keytype":
		text = &c.dummy.keyType
	case "curves":
		text = &c.dummy.curves
	}
	if text != nil {
		if *text != "" {
			c.again = word
		}
		*text = value
		return true, nil
	}
	state := unset
	switch word {
	case "ocsp-update", "jwt", "generate-dummy":
		switch value {
		case "on":
			state = on
		case "off":
			state = off
		default:
			return true, refusal("parsing [%s:%d] : cannot parse '%s' value '%s', 'on' or 'off' is expected.\n", file, number, word, value)
		}
	}
	switch word {
	case "ocsp-update":
		c.update = state
	case "jwt":
		c.jwt = state == on
	case "generate-dummy":
		c.dummy.on = state == on
	case "bits":
		if c.dummy.bits, err = strconv.Atoi(value); err != nil {
			return true, refusal("parsing [%s:%d] : cannot parse '%s' value '%s', an integer is expected.\n", file, number, word, value)
		}
	case "acme", "domains", "ips":
		c.missing = append(c.missing, r.what+" "+word)
	default:
		return false, nil
	}
	return true, nil
}

// loadEntry makes an entry with options of a crt-list: without files among them those
// beside the certificate are looked for.
func (g *settings) loadEntry(crt string, conf loadConf) (*entry, error) {
	conf.crt = crt
	e := &entry{name: crt, conf: conf} // it shows what the line says, not what was found
	var err error
	if !conf.named() {
		e.cert, err = g.load(crt, &loadConf{})
	} else {
		g.section = crtStore{crtBase: g.crtBase, keyBase: g.keyBase}
		e.cert, err = g.loadFiles(&e.conf, nil)
	}
	if err != nil {
		return nil, err
	}
	g.store.entries[crt] = e
	return e, nil
}

// loadLeaf reads the certificate itself, or makes one.
func (g *settings) loadLeaf(conf *loadConf, cert *certificate) error {
	switch {
	case conf.dummy.on:
		return conf.dummy.fill(cert)
	case conf.dummy.unasked():
		return refusal("keyword 'keytype', 'bits' and 'curves' require 'generate-dummy' set to 'on'\n")
	}
	path := based(g.section.crtBase, conf.crt)
	text, err := os.ReadFile(path)
	if err != nil {
		return refusal("cannot open the file '%s'.\n", path)
	}
	return cert.readPEM(g, path, text)
}

// beyondList are the words that are not supported where a list says them of a certificate.
func (c *loadConf) beyondList(what string) []string {
	if c.dummy.on {
		return append(c.missing, what+" generate-dummy")
	}
	return c.missing
}

// named tells whether files are named beside that of the certificate.
func (c *loadConf) named() bool { return c.key != "" || c.ocsp != "" || c.issuer != "" || c.sctl != "" }

// loadFiles reads the files that options name.
func (g *settings) loadFiles(conf *loadConf, cert *certificate) (*certificate, error) {
	if cert == nil {
		cert = &certificate{}
	}
	if err := g.loadLeaf(conf, cert); err != nil {
		return nil, refusal("%s '%s' cannot be read or parsed.", err, conf.crt)
	}
	for _, f := range []struct {
		base, value string
		read        func(path string, text []byte) error
	}{
		{g.section.keyBase, conf.key, func(path string, text []byte) error { return cert.readKey(g, path, text) }},
		{g.section.crtBase, conf.ocsp, func(_ string, text []byte) error { cert.ocsp = text; return nil }},
		{g.section.crtBase, conf.issuer, cert.readIssuer},
		{g.section.crtBase, conf.sctl, func(_ string, text []byte) error {
			if !cert.readSCTL(text) {
				return refusal("")
			}
			return nil
		}},
	} {
		if f.value == "" {
			continue
		}
		path := based(f.base, f.value)
		text, err := os.ReadFile(path)
		switch {
		case err == nil:
			err = f.read(path, text)
		case f.value == conf.ocsp:
			err = refusal("Error opening OCSP response file")
		default:
			err = refusal("")
		}
		if err != nil {
			return nil, refusal("%s '%s' cannot be read or parsed.", err, f.value)
		}
	}
	return cert, nil
}
