package ssl

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"hapax/stats/cli"
)

// trustedChange is the transaction about a file of authorities, or of revoked certificates.
type trustedChange struct {
	of   *trusted // nil: there is none
	data *anchors
}

// trustedFiles are the commands about files of one kind.
type trustedFiles struct {
	kind           trustedKind
	word           string // in commands
	what           string // in messages
	short          string
	items          string
	change         func(*store) *trustedChange
	payload, title string
}

var (
	authorityFiles = trustedFiles{kind: authorityKind, word: "ca-file", what: "CA file", short: "CA", items: "CAs", title: "Certificate",
		change: func(s *store) *trustedChange { return &s.trusts }}
	revokedFiles = trustedFiles{kind: revokedKind, word: "crl-file", what: "CRL file", short: "CRL", items: "CRLs", title: "Certificate Revocation List",
		change: func(s *store) *trustedChange { return &s.revokes }}
)

// create is "new ssl ca-file <name>" and its like.
func (f trustedFiles) create(c *cli.Conn, g *settings, args []string) cli.Step {
	name := cli.Arg(args, 3)
	if name == "" {
		return c.Failf("'new ssl %s' expects a filename", f.word)
	}
	if g.store.files(g)[name] != nil {
		return c.Failf("%s '%s' already exists!", f.what, name)
	}
	g.store.trust[name] = &trusted{name: name, kind: f.kind}
	return c.Say(cli.Notice, fmt.Sprintf("New %s created '%s'!", f.what, name))
}

// set is "set ssl ca-file <name> <payload>", "add ssl ca-file <name> <payload>" and their like.
func (f trustedFiles) set(c *cli.Conn, g *settings, args []string) cli.Step {
	name, t := cli.Arg(args, 3), f.change(g.store)
	if name == "" || c.Payload == "" {
		return c.Failf("'set ssl %s' expects a filename and %s as a payload", f.word, f.items)
	}
	of, text := t.of, ""
	switch {
	case of != nil && of.name != name:
		text = fmt.Sprintf("The ongoing transaction is about '%s' but you are trying to set '%s'\n", of.name, name)
	case of == nil:
		if of = g.store.files(g)[name]; of == nil {
			text = fmt.Sprintf("Can't replace a %s which is not referenced by the configuration!\n", f.what)
		}
	}
	var data *anchors
	if text == "" {
		data = newAnchors()
		if args[0] == "add" {
			data = of.data.Load().clone()
			if t.of != nil {
				data = t.data.clone()
			}
		}
		if n, fault := data.read([]byte(c.Payload)); n == 0 || fault != "" {
			text = "Invalid payload\n"
		}
	}
	if text != "" {
		return c.Failf("%sCan't update %s!", text, name)
	}
	done := "updated"
	if t.of == nil {
		done = "created"
	}
	t.of, t.data = of, data
	return c.Say(cli.Notice, fmt.Sprintf("transaction %s for %s %s!", done, f.short, of.name))
}

// commit is "commit ssl ca-file <name>" and its like.
func (f trustedFiles) commit(c *cli.Conn, g *settings, args []string) cli.Step {
	name, t := cli.Arg(args, 3), f.change(g.store)
	if name == "" {
		return c.Fail("'commit ssl ca-file' expects a filename")
	}
	text := ""
	switch {
	case t.of == nil:
		text = "No ongoing transaction! !\n"
	case t.of.name != name:
		text = fmt.Sprintf("The ongoing transaction is about '%s' but you are trying to set '%s'\n", t.of.name, name)
	}
	if text != "" {
		return c.Failf("%sCan't commit %s!", text, name)
	}
	of := t.of
	c.WriteString("Committing " + name)
	of.data.Store(t.data)
	if f.kind == revokedKind {
		of.kind = revokedKind // in one of these, authorities stay hidden
	}
	*t = trustedChange{}
	for _, x := range g.store.contexts {
		n := x.trusts(of)
		c.WriteString(strings.Repeat(".", n))
		switch {
		case n == 0:
		case x.toServers:
			x.sessions.empty()
		default:
			made, _ := x.build(g, x.uses, nil)
			x.sites.Store(made)
		}
	}
	c.WriteString("\nSuccess!\n")
	return nil
}

// trusts counts the certificates of a line that are served, under some name, to clients who are
// verified by a file; a server line is one.
func (x *Context) trusts(t *trusted) (n int) {
	if x.toServers {
		return bit(x.roots == t || x.revoked == t)
	}
	for _, u := range x.uses {
		o := u.own().over(&x.line.options)
		n += bit(len(u.names) > 0 && o.verify >= verifyOptional && (o.authorities == t || o.unnamed == t || o.revoked == t))
	}
	return n
}

// files are those that commands see. The authorities of the system, which the reference has from its
// start on, are loaded for the first of them.
func (s *store) files(g *settings) map[string]*trusted {
	if !s.system {
		s.system = true
		s.trusted(&reader{set: g}, systemAuthorities, authorityKind)
	}
	return s.trust
}

func (s *store) used(t *trusted) bool {
	return slices.ContainsFunc(s.contexts, func(x *Context) bool { return x.trusts(t) > 0 })
}

// abort is "abort ssl ca-file <name>" and its like.
func (f trustedFiles) abort(c *cli.Conn, g *settings, args []string) cli.Step {
	name, t := cli.Arg(args, 3), f.change(g.store)
	switch {
	case name == "":
		return c.Failf("'abort ssl %s' expects a filename", f.word)
	case t.of == nil:
		return c.Fail("No ongoing transaction!")
	case t.of.name != name:
		return c.Failf("The ongoing transaction is about '%s' but you are trying to abort a transaction for '%s'", t.of.name, name)
	}
	*t = trustedChange{}
	return c.Say(cli.Notice, "Transaction aborted for certificate '"+name+"'!")
}

// remove is "del ssl ca-file <name>" and its like.
func (f trustedFiles) remove(c *cli.Conn, g *settings, args []string) cli.Step {
	name, change := cli.Arg(args, 3), f.change(g.store)
	if name == "" {
		return c.Failf("'del ssl %s' expects a %s name", f.word, f.what)
	}
	t := g.store.files(g)[name]
	text := ""
	switch {
	case change.of != nil && change.of.name == name:
		text = fmt.Sprintf("ongoing transaction for the %s '%s'", f.what, name)
	case t == nil:
		text = fmt.Sprintf("%s '%s' doesn't exist!\n", f.what, name)
	case f.kind == revokedKind && t.kind != revokedKind:
		text = "'del ssl crl-file' does not work on CA files!\n"
	case g.store.used(t):
		text = fmt.Sprintf("%s '%s' in use, can't be deleted!\n", f.what, name)
	}
	if text != "" {
		return c.Failf("Can't remove the %s: %s", f.what, text)
	}
	delete(g.store.trust, name)
	return c.Say(cli.Notice, fmt.Sprintf("%s '%s' deleted!", f.what, name))
}

// show is "show ssl ca-file [<name>[:<index>]]" and its like.
func (f trustedFiles) show(c *cli.Conn, g *settings, args []string) cli.Step {
	arg, change := cli.Arg(args, 3), f.change(g.store)
	if arg == "" {
		return rows(c, f.list(g, change))
	}
	name, number, numbered := strings.Cut(arg, ":")
	index := 0
	if numbered {
		var err error
		if index, err = strconv.Atoi(number); err != nil || index <= 0 {
			return c.Failf("wrong %s index after colons in '%s'!", f.short, arg)
		}
	}
	var t *trusted
	var data *anchors
	star, status := "", "Unused"
	if rest, pending := strings.CutPrefix(name, "*"); pending {
		if change.of != nil && change.of.name == named(rest) {
			t, data, star, status = change.of, change.data, "*", "Uncommitted"
		}
	} else if t = g.store.files(g)[named(name)]; t != nil && t.kind == f.kind {
		if data = t.data.Load(); g.store.used(t) {
			status = "Used"
		}
	} else {
		t = nil
	}
	if t == nil {
		return c.Failf("Can't display the %s : Not found!", f.what)
	}
	if data == nil {
		status = "Empty"
	}
	lines := []string{fmt.Sprintf("Filename: %s%s\nStatus: %s\n", star, t.name, status)}
	if data != nil {
		lines = append(lines, f.details(data, index)...)
	}
	if len(lines) == 1 && f.kind == authorityKind {
		return nil // as the reference has it
	}
	return rows(c, lines)
}

// list names all files.
func (f trustedFiles) list(g *settings, change *trustedChange) (lines []string) {
	line := func(star, name string, data *anchors) {
		if f.kind == authorityKind {
			n := 0
			if data != nil {
				n = len(data.objects)
			}
			name += fmt.Sprintf(" - %d certificate(s)", n)
		}
		lines = append(lines, star+name+"\n")
	}
	if change.of != nil {
		lines = append(lines, "# transaction\n")
		line("*", change.of.name, change.data)
	}
	lines = append(lines, "# filename\n")
	files := g.store.files(g)
	for _, name := range sortedKeys(files) {
		if t := files[name]; t.kind == f.kind {
			line("", name, t.data.Load())
		}
	}
	return lines
}

// details describes the objects of a file, or one.
func (f trustedFiles) details(data *anchors, index int) (lines []string) {
	for i, o := range data.objects {
		if (o.cert != nil) != (f.kind == authorityKind) || index != 0 && f.kind == revokedKind && i != index-1 || f.kind == authorityKind && i < index-1 {
			continue
		}
		var b strings.Builder
		fmt.Fprintf(&b, " \n%s #%d:\n", f.title, i+1)
		if o.cert != nil {
			describe(&b, o.cert)
		} else {
			describeList(&b, o.list)
		}
		lines = append(lines, b.String())
		if index != 0 {
			break
		}
	}
	return lines
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
