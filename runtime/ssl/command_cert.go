package ssl

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"hapax/parser/units"
	"hapax/runtime"
	"hapax/stats/cli"
)

// entryChange is the transaction about a certificate: there is one at most.
type entryChange struct {
	entry *entry // nil: there is none
	cert  *certificate
	ocsp  bool // cert has a response that was set in the transaction
}

// newCert is "new ssl cert <name>".
func newCert(c *cli.Conn, g *settings, args []string) cli.Step {
	name := cli.Arg(args, 3)
	if name == "" {
		return c.Fail("'new ssl cert' expects a filename")
	}
	if g.store.entries[name] != nil {
		return c.Failf("Certificate '%s' already exists!", name)
	}
	g.store.entries[name] = &entry{name: name}
	return c.Say(cli.Notice, "New empty certificate store '"+name+"'!")
}

// parts are the parts of a certificate that may be set by themselves, by the ends of the names.
var parts = map[string]func(cert *certificate, g *settings, path string, text []byte) error{
	"key": func(cert *certificate, g *settings, path string, text []byte) error {
		return cert.readKey(g, path, text)
	},
	"ocsp": func(cert *certificate, _ *settings, _ string, text []byte) error { return cert.readOCSP(text) },
	"issuer": func(cert *certificate, _ *settings, path string, text []byte) error {
		return cert.readIssuer(path, text)
	},
	"sctl": func(cert *certificate, _ *settings, _ string, text []byte) error {
		if !cert.readSCTL(text) {
			return refusal("")
		}
		return nil
	},
}

// setCert is "set ssl cert <name> <payload>".
func setCert(c *cli.Conn, g *settings, args []string) cli.Step {
	asked := cli.Arg(args, 3)
	if asked == "" || c.Payload == "" {
		return c.Fail("'set ssl cert' expects a filename and a certificate as a payload")
	}
	said, err := g.setCert(asked, []byte(c.Payload))
	if err != nil {
		return c.Failf("%sCan't update %s!", err, asked)
	}
	return c.Say(cli.Notice, said)
}

func (g *settings) setCert(asked string, text []byte) (said string, err error) {
	t := &g.store.change
	name, set := asked, parts[""]
	if dot := strings.LastIndexByte(asked, '.'); dot >= 0 {
		if set = parts[asked[dot+1:]]; set != nil {
			name = asked[:dot]
		}
	}
	e, from := t.entry, t.cert
	switch {
	case e != nil && e.name != name && (set == nil || !g.noExtension || e.name != name+".crt"):
		return "", refusal("The ongoing transaction is about '%s' but you are trying to set '%s'\n", e.name, name)
	case e == nil:
		if e = g.store.entries[name]; e == nil && set != nil && g.noExtension {
			e = g.store.entries[name+".crt"]
		}
		if e == nil {
			return "", refusal("Can't replace a certificate which is not referenced by the configuration!\n")
		}
		from = e.cert
	}
	cert := &certificate{}
	if from != nil {
		*cert = *from
	}
	if set == nil {
		err = cert.readPEM(g, e.name, text)
	} else {
		err = set(cert, g, e.name, text)
	}
	if err != nil {
		return "", refusal("%sCan't load the payload\n", err)
	}
	if cert.ocsp == nil || !strings.HasSuffix(asked, ".ocsp") {
		cert.staple = nil // of another certificate, perhaps
	}
	said = "Transaction updated for certificate " + e.name + "!"
	if t.entry == nil {
		said = "Transaction created for certificate " + e.name + "!"
	}
	t.entry, t.cert, t.ocsp = e, cert, cert.ocsp != nil
	return said, nil
}

// commitCert is "commit ssl cert <name>".
func commitCert(c *cli.Conn, g *settings, args []string) cli.Step {
	name, t := cli.Arg(args, 3), &g.store.change
	if name == "" {
		return c.Fail("'commit ssl cert' expects a filename")
	}
	text := ""
	switch {
	case t.entry == nil:
		text = "No ongoing transaction! !\n"
	case t.entry.name != name:
		text = fmt.Sprintf("The ongoing transaction is about '%s' but you are trying to set '%s'\n", t.entry.name, name)
	case t.cert.key != nil && !t.cert.fits():
		text = fmt.Sprintf("inconsistencies between private key and certificate loaded '%s'.\n", name)
	}
	if text != "" {
		return c.Failf("%sCan't commit %s!", text, name)
	}
	c.WriteString("Committing " + name)
	err := g.replace(t.entry, t.cert, func() { c.WriteString(".") })
	if err != nil {
		c.Printf("\n%sFailed!\n", err)
	} else {
		c.WriteString("\nSuccess!\n")
	}
	*t = entryChange{}
	return nil
}

// replace puts another certificate in the place of that of an entry, wherever it is used. All
// that is served then is made before; each listener changes at once. each is called for
// every use.
func (g *settings) replace(e *entry, cert *certificate, each func()) error {
	uses := map[*use]*use{}
	for _, u := range e.uses {
		with := &use{entry: u.entry, at: u.at, line: u.line, fallback: u.fallback}
		if err := with.prepare(g, cert); err != nil {
			return err
		}
		uses[u] = with
		each()
	}
	after := map[*Context][]*use{} // what is new is found last
	for _, u := range e.uses {
		if after[u.at] == nil {
			after[u.at] = slices.DeleteFunc(slices.Clone(u.at.uses), func(old *use) bool { return uses[old] != nil })
		}
		after[u.at] = append(after[u.at], uses[u])
	}
	made := map[*Context]*sites{}
	for x, list := range after {
		if !x.toServers {
			made[x], _ = x.build(g, list, map[*entry]*certificate{e: cert})
		}
	}
	for i, u := range e.uses {
		e.uses[i] = uses[u]
	}
	was := e.cert
	e.cert = cert
	e.conf.by = byNobody
	if was != nil && was.staple != cert.staple {
		g.store.release(was.staple)
	}
	for x, list := range after {
		x.uses = list
		if x.toServers {
			x.presentToServers(g, cert)
			x.sessions.empty()
		} else {
			x.sites.Store(made[x])
		}
	}
	return nil
}

// abortCert is "abort ssl cert <name>".
func abortCert(c *cli.Conn, g *settings, args []string) cli.Step {
	name, t := cli.Arg(args, 3), &g.store.change
	switch {
	case name == "":
		return c.Fail("'abort ssl cert' expects a filename")
	case t.entry == nil:
		return c.Fail("No ongoing transaction!")
	case t.entry.name != name:
		return c.Failf("The ongoing transaction is about '%s' but you are trying to abort a transaction for '%s'", t.entry.name, name)
	}
	*t = entryChange{}
	return c.Say(cli.Notice, "Transaction aborted for certificate '"+name+"'!")
}

// delCert is "del ssl cert <name>".
func delCert(c *cli.Conn, g *settings, args []string) cli.Step {
	name := cli.Arg(args, 3)
	if name == "" {
		return c.Fail("'del ssl cert' expects a certificate name")
	}
	e := g.store.entries[name]
	text := ""
	switch {
	case g.store.change.entry != nil && g.store.change.entry.name == name:
		text = "ongoing transaction for the certificate '" + name + "'"
	case e == nil:
		text = "certificate '" + name + "' doesn't exist!\n"
	case e.conf.jwt:
		text = "certificate '" + name + "' in use for JWT validation, can't be deleted!\n"
	case len(e.uses) > 0:
		text = "certificate '" + name + "' in use, can't be deleted!\n"
	}
	if text != "" {
		return c.Fail("Can't remove the certificate: " + text)
	}
	delete(g.store.entries, name)
	if e.cert != nil {
		g.store.release(e.cert.staple)
	}
	return c.Say(cli.Notice, "Certificate '"+name+"' deleted!")
}

const noSuchCert = "Can't display the certificate: Not found or the certificate is a bundle!"

// find looks an entry up by the argument of a command: "*name" is what the transaction
// holds of it.
func (s *store) find(arg string) (e *entry, cert *certificate, pending bool) {
	if name, star := strings.CutPrefix(arg, "*"); star {
		if s.change.entry == nil || s.change.entry.name != named(name) {
			return nil, nil, false
		}
		return s.change.entry, s.change.cert, true
	}
	if e = s.entries[named(arg)]; e == nil {
		return nil, nil, false
	}
	return e, e.cert, false
}

// showCert is "show ssl cert [<name>]".
func showCert(c *cli.Conn, g *settings, args []string) cli.Step {
	arg := cli.Arg(args, 3)
	if arg == "" {
		var lines []string
		if e := g.store.change.entry; e != nil {
			lines = append(lines, "# transaction\n", "*"+e.name+"\n")
		}
		lines = append(lines, "# filename\n")
		for _, name := range g.store.entryNames() {
			lines = append(lines, name+"\n")
		}
		return rows(c, lines)
	}
	arg, response := strings.CutSuffix(arg, ".ocsp")
	e, cert, pending := g.store.find(arg)
	switch {
	case e == nil:
		return c.Fail(noSuchCert)
	case response:
		return showStapled(c, g, cert, pending)
	}
	var b strings.Builder
	star := ""
	if pending {
		star = "*"
	}
	fmt.Fprintf(&b, "Filename: %s%s\n", star, e.name)
	for _, f := range []struct{ what, file string }{
		{"Crt", e.conf.crt}, {"Key", e.conf.key}, {"OCSP", e.conf.ocsp}, {"OCSP Issuer", e.conf.issuer}, {"SCTL", e.conf.sctl},
	} {
		if f.file != "" {
			fmt.Fprintf(&b, "%s filename: %s\n", f.what, f.file)
		}
	}
	fmt.Fprintf(&b, "Option: ocsp-update %s\nOption: jwt %s\n", onOff(e.conf.update != unset), onOff(e.conf.jwt))
	status := "Used"
	switch {
	case cert == nil || cert.leaf == nil:
		status = "Empty"
	case pending:
		status = "Uncommitted"
	case e.conf.jwt:
		status = "Used for JWT verification"
	case len(e.uses) == 0:
		status = "Unused"
	}
	fmt.Fprintf(&b, "Status: %s\n", status)
	var key []byte
	if status != "Empty" {
		detail(&b, cert)
		if cert.staple != nil {
			key = cert.staple.key
		}
	}
	fmt.Fprintf(&b, "OCSP Response Key: %x\n", key)
	c.WriteString(b.String())
	return nil
}

// dumpCert is "dump ssl cert <name>".
func dumpCert(c *cli.Conn, g *settings, args []string) cli.Step {
	e, cert, _ := g.store.find(cli.Arg(args, 3))
	switch {
	case e == nil:
		return c.Fail(noSuchCert)
	case cert != nil && cert.encrypted:
		return c.Fail("Can't display the contents of an encrypted certificate!")
	case cert == nil || cert.key == nil:
		return nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(cert.key)
	if err != nil {
		return nil
	}
	pem.Encode(c, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if cert.leaf == nil {
		return nil // its key was set alone
	}
	for _, link := range append([]*x509.Certificate{cert.leaf}, cert.chain...) {
		pem.Encode(c, &pem.Block{Type: "CERTIFICATE", Bytes: link.Raw})
	}
	return nil
}

// setJWT is "add ssl jwt <name>" and "del ssl jwt <name>".
func setJWT(use bool) func(*cli.Conn, *settings, []string) cli.Step {
	return func(c *cli.Conn, g *settings, args []string) cli.Step {
		name := cli.Arg(args, 3)
		if name == "" {
			return c.Failf("'%s ssl cert' expects a filename", args[0])
		}
		e := g.store.entries[name]
		if e == nil {
			return c.Fail(noSuchCert)
		}
		e.conf.jwt = use
		return nil
	}
}

// showJWT is "show ssl jwt".
func showJWT(c *cli.Conn, g *settings, _ []string) cli.Step {
	lines := []string{"# filename\n"}
	for _, name := range g.store.entryNames() {
		if g.store.entries[name].conf.jwt {
			lines = append(lines, name+"\n")
		}
	}
	return rows(c, lines)
}

// showSNI is "show ssl sni [-f <frontend>] [-A] [-t <offset>]".
func showSNI(c *cli.Conn, g *settings, args []string) cli.Step {
	var only *runtime.Proxy
	expired, offset := false, time.Duration(0)
	proxies := c.Owner.(owner).RunningConfig().Proxies
	for i := 3; cli.Arg(args, i) != ""; i++ {
		value := cli.Arg(args, i+1)
		switch args[i] {
		case "-f":
			if value == "" {
				return c.Fail("'-f' requires a frontend name!")
			}
			for _, px := range proxies {
				if px.Caps&runtime.CapFront != 0 && px.Name == value {
					only = px
				}
			}
			i++
		case "-A":
			expired = true
		case "-t":
			if value == "" {
				return c.Fail("'-t' requires an offset argument!")
			}
			d, _, fault := units.Time(value, time.Second)
			switch {
			case fault != nil && fault.Over:
				return c.Failf("offset overflow '%s' (maximum value is 2147483647s or ~24855 days)", value)
			case fault != nil && fault.Under:
				return c.Failf("timer underflow '%s' (minimum non-null value is 1s)", value)
			case fault != nil:
				return c.Failf("'%s %s' : unexpected character '%c'", args[i], value, fault.Char)
			case d == 0:
				return c.Failf("'%s' expects a positive value", args[i])
			}
			offset = d
			i++
		default:
			return c.Fail("Invalid parameters, 'show ssl sni' only supports '-f', '-A' or '-t' options!")
		}
	}
	lines := []string{"# Frontend/Bind\tSNI\tNegative Filter\tType\tFilename\tNotAfter\tNotBefore\n"}
	shown := func(s *site) bool { return !expired || time.Now().Add(offset).After(s.cert.leaf.NotAfter) }
	for _, px := range proxies {
		if only != nil && px != only || px.Caps&runtime.CapFront == 0 {
			continue
		}
		for _, b := range px.Binds {
			x, _ := b.TLS.(*Context)
			if x == nil {
				continue
			}
			lines = x.sites.Load().list(lines, fmt.Sprintf("%s/%s:%d", px.Name, b.Pos.File, b.Pos.Line), shown)
		}
	}
	return rows(c, lines)
}

// list writes the names of a line.
func (s *sites) list(lines []string, at string, shown func(*site) bool) []string {
	return listNames(listNames(lines, at, "", s.exact, shown), at, "*", s.wildcard, shown)
}

func listNames(lines []string, at, star string, names map[string][]*site, shown func(*site) bool) []string {
	for _, name := range sortedKeys(names) {
		for _, x := range names[name] {
			if !shown(x) {
				continue
			}
			not := ""
			for _, n := range x.use.names {
				if star != "" && n.not {
					not += "!" + n.text + " "
				}
			}
			if not == "" {
				not = "-"
			}
			lines = append(lines, fmt.Sprintf("%s\t%s%s\t%s\t%s\t%s\t%s\t%s\n", at, star, name, not, x.kind, x.use.entry.name,
				showTime(x.cert.leaf.NotAfter), showTime(x.cert.leaf.NotBefore)))
		}
	}
	return lines
}
