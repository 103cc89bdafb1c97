package ssl

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// store holds everything that has a name and may be replaced while the process runs: the
// certificates, the files of authorities, and the lists of certificates. Lines refer to
// what is here.
type store struct {
	mu       sync.Mutex // held by whoever changes or shows it when the process runs
	entries  map[string]*entry
	trust    map[string]*trusted
	lists    map[string]*crtList
	contexts []*Context // of listeners and servers, which follow the changes
	staples  staples
	fetching *fetcher // of responses of authorities; nil: there is none

	system  bool // commands have seen the authorities of the system
	change  entryChange
	trusts  trustedChange // of files of authorities
	revokes trustedChange // of files of revoked certificates
}

func newStore() *store {
	return &store{entries: map[string]*entry{}, trust: map[string]*trusted{}, lists: map[string]*crtList{}}
}

// entry is a certificate with its name: that of a file, or one that a crt-store gives.
type entry struct {
	name string
	conf loadConf
	cert *certificate // nil: made by "new ssl cert" and still empty
	uses []*use
}

// source tells who set the options of an entry.
type source uint8

const (
	byNobody source = iota
	byList
	byStore
)

// loadConf is where an entry is from: what "load" in a crt-store says of it, or a line of a
// crt-list.
type loadConf struct {
	by                           source
	crt, key, ocsp, issuer, sctl string
	update                       tristate // "ocsp-update"
	jwt                          bool
	dummy                        dummy
	again                        string   // the last word that was given twice
	missing                      []string // words that are known and not supported
}

// tristate is a switch that may be left to a default.
type tristate int8

const (
	off   tristate = -1
	unset tristate = 0
	on    tristate = 1
)

// use is an entry at one place: on a "bind" line, by itself or by a line of a list, or on a
// "server" line.
type use struct {
	entry    *entry
	at       *Context
	line     *listLine // of a crt-list; nil: none
	fallback fallback
	names    []siteName
	staple   *staple // nil: no response of an authority is sent along
}

// fallback tells whether a certificate is for clients that ask for no known name.
type fallback uint8

const (
	noFallback       fallback = iota
	implicitFallback          // the first one
	explicitFallback          // "default-crt"
)

// own is what the line of a list says of it alone.
func (u *use) own() *options {
	if u.line == nil {
		return nil
	}
	return u.line.own
}

// entryNames are the names of all entries, sorted.
func (s *store) entryNames() []string { return slices.Sorted(maps.Keys(s.entries)) }

// load finds an entry or loads it from a file of its name.
func (g *settings) entry(path string) (*entry, error) {
	if e := g.store.entries[path]; e != nil {
		return e, nil
	}
	e := &entry{name: path}
	cert, err := g.load(path, &e.conf)
	if err != nil {
		return nil, err
	}
	e.cert = cert
	g.store.entries[path] = e
	return e, nil
}

// keyTypes are the ends of the files that a bundle consists of, in the order in which they
// are loaded.
var keyTypes = []string{"dsa", "ecdsa", "rsa"}

// bundle finds or loads the files that a name stands for, one for each type of key. It is
// empty when there is none.
func (g *settings) bundle(path string) (list []*entry, err error) {
	if g.extra&extraBundle == 0 {
		return nil, nil
	}
	for _, key := range keyTypes {
		file := path + "." + key
		if g.store.entries[file] == nil {
			if _, reason := found(file); reason != "" {
				continue
			}
		}
		e, err := g.entry(file)
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	return list, nil
}

// statError is said of a certificate that is not there.
func statError(path, reason string) error {
	return refusal("unable to stat SSL certificate from file '%s' : %s.\n", path, reason)
}

// join makes a line follow the changes. Servers come at run time too.
func (s *store) join(x *Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contexts = append(s.contexts, x)
}

// place puts an entry on a line, when what is sent along with it is in order.
func (g *settings) place(e *entry, at *Context, line *listLine, fb fallback) (*use, error) {
	u := &use{entry: e, at: at, line: line, fallback: fb}
	if err := u.prepare(g, e.cert); err != nil {
		return nil, err
	}
	e.uses = append(e.uses, u)
	at.uses = append(at.uses, u)
	return u, nil
}

// prepare finds the names and the response of an authority.
func (u *use) prepare(g *settings, cert *certificate) (err error) {
	switch {
	case cert.key == nil && u.at.toServers:
		return refusal("unable to load SSL private key into SSL Context '%s'.\n%s", u.entry.name, u.weakness(cert))
	case cert.key == nil:
		return refusal("unable to load SSL private key into SSL Context '%s': passed a null parameter.\n", u.entry.name)
	}
	if text := u.weakness(cert); text != "" {
		return refusal("%s", text)
	}
	if u.at.toServers {
		return nil
	}
	if u.staple, err = g.store.staple(g, u.entry, cert); err != nil {
		return err
	}
	filters := cert.names()
	if u.line != nil && len(u.line.filters) > 0 {
		filters = slices.Clone(u.line.filters)
		slices.Reverse(filters)
	}
	if u.fallback != noFallback {
		filters = append(filters, "*")
	}
	u.names = siteNames(filters, func(text string) {
		if g.list != nil {
			pos := u.at.pos
			g.list.Warnf(pos, "parsing [%s:%d]: crt-list: Unsupported exclusion (!) on a wildcard filter \"!*%s\"", pos.File, pos.Line, text)
		}
	})
	if u.line != nil && g.list != nil && onlyExcludes(u.names) {
		pos := u.at.pos
		g.list.Warnf(pos, "parsing [%s:%d]: crt-list: negative filters on crt-list line \"%s\" without a positive wildcard filter won't do anything!", pos.File, pos.Line, u.entry.name)
	}
	return nil
}

// weakness says why OpenSSL does not serve a certificate, if it does not.
func (u *use) weakness(cert *certificate) string {
	reason, inChain := cert.weakness()
	switch {
	case reason == "":
		return ""
	case inChain:
		return fmt.Sprintf("unable to load chain certificate into SSL Context '%s': %s.\n", u.entry.name, reason)
	}
	return fmt.Sprintf("unable to load SSL certificate into SSL Context '%s': %s.\n", u.entry.name, reason)
}

// onlyExcludes tells whether names are excluded from wildcards that are not there.
func onlyExcludes(names []siteName) bool {
	return slices.ContainsFunc(names, func(n siteName) bool { return n.not }) &&
		!slices.ContainsFunc(names, func(n siteName) bool { return n.wildcard && n.text != "" })
}

// crt places what "crt" or "default-crt" names.
func (g *settings) crt(at *Context, path string, fb fallback) error {
	if fb == noFallback && len(at.uses) == 0 {
		fb = implicitFallback
	}
	if e := g.store.entries[path]; e != nil {
		if text := e.conf.differs(g, &loadConf{}); text != "" {
			return refusal("Can't load '%s', is already defined with incompatible parameters:\n %s", path, text)
		}
		_, err := g.place(e, at, nil, fb)
		return err
	}
	dir, reason := found(path)
	if dir {
		return g.crtList(at, path, true)
	}
	var list []*entry
	var err error
	if reason == "" {
		var e *entry
		e, err = g.entry(path)
		list = append(list, e)
	} else {
		list, err = g.bundle(path)
	}
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return statError(path, reason)
	}
	for _, e := range list {
		if _, err := g.place(e, at, nil, fb); err != nil {
			return err
		}
	}
	return nil
}

// differs words how the options of an entry differ from those that a second mention wants;
// "" when they agree.
func (c *loadConf) differs(g *settings, other *loadConf) string {
	text := ""
	switch {
	case other.by == byNobody && (c.by == byNobody || c.by == byStore):
		return ""
	case c.by == byNobody && other.by == byList:
		text = "Can't use the certificate previously defined without any keyword with these keywords:\n"
	case c.by == byList && other.by == byNobody:
		text = "Can't use the certificate previously defined with keywords without these keywords:\n"
	}
	for _, f := range []struct{ name, a, b string }{
		{"key", c.key, other.key}, {"ocsp", c.ocsp, other.ocsp}, {"issuer", c.issuer, other.issuer}, {"sctl", c.sctl, other.sctl},
	} {
		if f.a != f.b {
			text += fmt.Sprintf("- different parameter '%s' : previously '%s' vs '%s'\n", f.name, orNull(f.a), orNull(f.b))
		}
	}
	if g.updates(c.update) != g.updates(other.update) {
		text += fmt.Sprintf("- different parameter 'ocsp-update' : previously %s vs %s\n", g.showUpdate(c.update), g.showUpdate(other.update))
	}
	return text
}

func orNull(text string) string {
	if text == "" {
		return "(null)"
	}
	return text
}

// updates tells whether responses are fetched, "ocsp-update.mode" regarded.
func (g *settings) updates(t tristate) bool {
	if t == unset {
		t = g.update.mode
	}
	return t == on
}

func (g *settings) showUpdate(t tristate) string {
	switch {
	case t == on:
		return "'on'"
	case t == off:
		return "'off'"
	case g.updates(t):
		return "'default' (ocsp-update.mode on)"
	}
	return "'default' (ocsp-update.mode off)"
}

// trusted finds a file of authorities or loads it. On the CLI only what is there is found, and
// the authorities of the system, which the reference always has.
func (s *store) trusted(r *reader, name string, kind trustedKind) (t *trusted, fault string) {
	if t = s.trust[name]; t != nil {
		if t.data.Load() == nil {
			return nil, ""
		}
		return t, ""
	}
	if r.list == nil && name != systemAuthorities {
		return nil, ""
	}
	a, fault := loadAnchors(name, func(format string, args ...any) {
		if r.list != nil {
			r.list.Warnf(r.pos, format, args...)
		}
	})
	if a == nil {
		return nil, fault
	}
	t = &trusted{name: name, kind: kind}
	t.data.Store(a)
	s.trust[name] = t
	return t, ""
}
