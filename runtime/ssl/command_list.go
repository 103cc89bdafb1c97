package ssl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hapax/stats/cli"
)

// showList is "show ssl crt-list [-n] [<list>]".
func showList(c *cli.Conn, g *settings, args []string) cli.Step {
	name, numbers := cli.Arg(args, 3), false
	if name == "-n" {
		name, numbers = cli.Arg(args, 4), true
		if name == "" {
			return c.Fail("'show ssl crt-list -n' expects a filename or a directory")
		}
	}
	if name == "" {
		var lines []string
		for _, name := range sortedKeys(g.store.lists) {
			lines = append(lines, name+"\n")
		}
		return rows(c, lines)
	}
	list := g.store.lists[strings.TrimRight(name, "/")]
	if list == nil {
		return c.Fail("didn't find the specified filename")
	}
	lines := []string{"# " + list.name + "\n"}
	for _, line := range list.lines {
		lines = append(lines, line.show(numbers)+"\n")
	}
	return rows(c, lines)
}

// addLine is "add ssl crt-list <list> <cert>", or with a line as a payload.
func addLine(c *cli.Conn, g *settings, args []string) cli.Step {
	if cli.Arg(args, 3) == "" || c.Payload == "" && cli.Arg(args, 4) == "" {
		return c.Fail("'add ssl crtlist' expects a filename and a certificate name")
	}
	list := g.store.lists[strings.TrimRight(args[3], "/")]
	line, err := g.newLine(list, strings.TrimRight(args[3], "/"), cli.Arg(args, 4), c.Payload)
	if err != nil {
		return c.Failf("Can't edit the crt-list: %s", err)
	}
	c.Printf("Inserting certificate '%s' in crt-list '%s'", line.entry.name, list.name)
	var uses []*use
	for _, x := range list.users {
		c.WriteString(".")
		u := &use{entry: line.entry, at: x, line: line}
		err := u.prepare(g, line.entry.cert)
		if err == nil && len(u.names) > 0 { // else nobody ever gets it
			err = x.accepts(g, line)
		}
		if err != nil {
			c.Printf("\n%sFailed!\n", err)
			return nil
		}
		uses = append(uses, u)
	}
	for _, u := range uses {
		u.at.uses = append(u.at.uses, u)
		line.entry.uses = append(line.entry.uses, u)
		made, _ := u.at.build(g, u.at.uses, nil)
		u.at.sites.Store(made)
	}
	list.count++
	line.number = list.count
	list.lines = append(list.lines, line)
	c.WriteString("\nSuccess!\n")
	return nil
}

// accepts tells whether the options of a line can be used here.
func (x *Context) accepts(g *settings, line *listLine) error {
	at := fmt.Sprintf("bind '%s' at [%s:%d]", x.bind, x.pos.File, x.pos.Line)
	p, faults := x.profile(g, line.own, x.sites.Load().profile)
	text := ""
	for _, err := range faults {
		text += fmt.Sprintf("Proxy '%s': %s for %s.\n", x.proxy, err, at)
	}
	if line.own != nil {
		for _, what := range append(p.missing, line.own.missing...) {
			text += fmt.Sprintf("'%s' is known to HAProxy but not supported by hapax yet\n", what)
		}
	}
	if text == "" {
		return nil
	}
	return errors.New(text)
}

// newLine makes a line for a list.
func (g *settings) newLine(list *crtList, name, crt, payload string) (line *listLine, err error) {
	if list == nil {
		return nil, fmt.Errorf("crt-list '%s' does not exist!", name)
	}
	line = &listLine{}
	var conf loadConf
	if payload != "" {
		if strings.ContainsRune(strings.TrimSuffix(payload, "\n"), '\n') {
			return nil, errors.New("only one line of payload is supported!")
		}
		if crt, line, conf, err = g.parseListLine(payload, &reader{set: g, what: "crt-list"}, "CLI", 1); err != nil {
			return nil, err
		}
	}
	if crt == "" {
		return nil, errors.New("'add ssl crtlist' should contain the certificate name in the payload")
	}
	crt = based(g.crtBase, crt)
	e := g.store.entries[crt]
	switch {
	case e == nil:
		return nil, fmt.Errorf("certificate '%s' does not exist!", crt)
	case e.cert == nil || e.cert.leaf == nil:
		return nil, fmt.Errorf("certificate '%s' is empty!", crt)
	case len(e.uses) == 0:
		e.conf = conf
	default:
		if text := e.conf.differs(g, &conf); text != "" {
			return nil, fmt.Errorf("'%s' is already instantiated with incompatible parameters:\n %s", crt, text)
		}
	}
	if list.dir {
		if slices.ContainsFunc(list.lines, func(l *listLine) bool { return l.entry == e }) {
			return nil, errors.New("file already exists in this directory!")
		}
		if line.own != nil || len(line.filters) > 0 || conf.by != byNobody {
			return nil, errors.New("this is a directory, SSL configuration, crt-store keywords and filters are not allowed")
		}
	}
	line.entry = e
	return line, nil
}

// delLine is "del ssl crt-list <list> <cert[:line]>".
func delLine(c *cli.Conn, g *settings, args []string) cli.Step {
	if cli.Arg(args, 3) == "" || cli.Arg(args, 4) == "" {
		return c.Fail("'del ssl crtlist' expects a filename and a certificate name")
	}
	name := strings.TrimRight(args[3], "/")
	crt, number, numbered := strings.Cut(args[4], ":")
	err := g.delLine(name, crt, number, numbered)
	if err != nil {
		return c.Failf("Can't delete the entry: %s", err)
	}
	return c.Say(cli.Notice, fmt.Sprintf("Entry '%s' deleted in crtlist '%s'!", crt, name))
}

func (g *settings) delLine(name, crt, number string, numbered bool) error {
	at := 0
	if numbered {
		var err error
		if at, err = strconv.Atoi(number); err != nil {
			return fmt.Errorf("wrong line number after colons in '%s:%s'!", crt, number)
		}
	}
	list, e := g.store.lists[name], g.store.entries[crt]
	switch {
	case list == nil:
		return fmt.Errorf("crt-list '%s' does not exist!", name)
	case e == nil:
		return fmt.Errorf("certificate '%s' does not exist!", crt)
	case e.cert == nil || e.cert.leaf == nil:
		return fmt.Errorf("certificate '%s' is empty!", crt)
	}
	var line *listLine
	var numbers []string
	for _, l := range list.lines {
		if l.entry != e {
			continue
		}
		numbers = append(numbers, strconv.Itoa(l.number))
		if line == nil && (at == 0 || l.number == at) {
			line = l
		}
	}
	places := strings.Join(numbers, ", ")
	switch {
	case len(numbers) == 0:
		return fmt.Errorf("certificate '%s' can't be found in crt-list '%s'!", crt, name)
	case line == nil:
		return fmt.Errorf("found a certificate '%s' but the line number is incorrect, please specify a correct line number preceded by colons (%s)!", crt, places)
	case at == 0 && len(numbers) > 1:
		return fmt.Errorf("found the certificate '%s' in several entries, please specify a line number preceded by colons (%s)!", crt, places)
	}
	text := ""
	for _, u := range e.uses {
		if u.line == line && u.fallback != noFallback && !u.at.line.strict {
			text += fmt.Sprintf("\t- %s:%d\n", u.at.pos.File, u.at.pos.Line)
		}
	}
	if text != "" {
		return fmt.Errorf("certificate '%s' cannot be deleted, it is used as default certificate by the following frontends:\n%s", crt, text)
	}
	list.lines = slices.DeleteFunc(list.lines, func(l *listLine) bool { return l == line })
	ofLine := func(u *use) bool { return u.line == line }
	for _, x := range list.users {
		x.uses = slices.DeleteFunc(x.uses, ofLine)
		made, _ := x.build(g, x.uses, nil)
		x.sites.Store(made)
	}
	e.uses = slices.DeleteFunc(e.uses, ofLine)
	g.store.release(e.cert.staple)
	return nil
}
