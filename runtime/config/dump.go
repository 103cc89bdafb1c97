package config

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime/anon"
)

// DumpOptions tell how lines are shown. Management guide, section 3: -dC.
type DumpOptions struct {
	W     io.Writer // nil: lines are looked at, not written
	Key   anon.Key  // hides names and addresses, and cuts off what may be secret
	Lines bool      // numbers stand before lines
}

// Dump writes the lines of files as they are split, once for each of the two passes. It returns false when a line
// cannot be split; then there is no second pass.
func Dump(tables *Tables, files []*ast.File, env *parser.Env, list *diag.List, o Options, d DumpOptions) bool {
	if d.W == nil {
		d.W = io.Discard
	}
	out := bufio.NewWriter(d.W)
	defer out.Flush()
	o.dump = &dumper{Writer: out, key: d.Key, lines: d.Lines}
	l := newLoader(tables, files, env, list, o)
	return l.pass(files, true) && l.pass(files, false)
}

type dumper struct {
	*bufio.Writer
	key   anon.Key
	lines bool
}

func (d *dumper) line(l *Loader, line *ast.Line) {
	if d.lines {
		fmt.Fprintf(d, "%d\t", line.Pos.Line)
	}
	if !line.Header {
		d.WriteByte('\t')
	}
	if d.key != 0 {
		d.WriteString(d.hide(l, line))
	} else {
		for _, w := range line.Words {
			d.WriteString(w.Text + " ")
		}
	}
	d.WriteByte('\n')
}

// masks tell what is shown of the lines of a keyword, one letter for each word: "w" the word itself, "i" an
// identifier, "a" an address, "p" a path, "s" a string. "?" is a word and "A" an address for which nothing stands when
// it is missing. What follows is cut off: "+" says so by "[...]", "." says nothing. A space stands behind each word,
// but for the last one before ".".
var masks = map[string]string{
	"maxconn": "ww.", "timeout": "www.", "mode": "ww.",
	"user": "wi+", "bind": "wa+", "server": "wiA+", "acl": "wiw+", "log": "wa+", "peer": "wia+",
	"use_backend": "wi+", "default_backend": "wi.", "source": "wa+", "nameserver": "wia+",
	"http-request": "ww+", "http-response": "ww+", "http-after-response": "ww+", "filter": "ww+",
	"errorfile": "wwp.", "cookie": "wi?+", "redirect": "www+",
	"redirect prefix": "wwp+", "redirect location": "wwp+", "log global": "ww+",
	"stats timeout": "www.", "stats maxconn": "www.", "stats socket": "wwA+", "stats auth": "wws.",
}

// mask is the mask of a line. Lines of other keywords show up to three words.
func mask(line *ast.Line) string {
	if m, ok := masks[line.Arg(0)+" "+line.Arg(1)]; ok {
		return m
	}
	if m, ok := masks[line.Arg(0)]; ok {
		return m
	}
	return "???+"
}

// hide is what a line shows to strangers.
func (d *dumper) hide(l *Loader, line *ast.Line) string {
	switch keyword := line.Arg(0); {
	case line.Header && len(line.Words) > 1:
		return keyword + " " + d.key.ID(line.Arg(1))
	case line.Header:
		return keyword
	case keyword == "":
		return ""
	case keyword == "anonkey":
		return keyword + " [...]"
	}
	m := mask(line)
	shown, end := m[:len(m)-1], m[len(m)-1]
	var b strings.Builder
	for i, kind := range []byte(shown) {
		if (kind == '?' || kind == 'A') && i >= len(line.Words) {
			continue
		}
		b.WriteString(d.word(l, kind, line.Arg(i)) + " ")
	}
	switch {
	case end == '.':
		return strings.TrimSuffix(b.String(), " ")
	case len(line.Words) > len(shown):
		b.WriteString("[...]")
	}
	return b.String()
}

func (d *dumper) word(l *Loader, kind byte, text string) string {
	switch kind {
	case 'i':
		return d.key.ID(text)
	case 'p':
		return d.key.Path(text)
	case 's':
		return d.key.Word(text)
	case 'a', 'A':
		if anon.Public(text) {
			return text
		}
		return d.key.IP(text, l.shownAddress(text))
	}
	return text
}

// shownAddress is what an address in a dump stands for, invalid when it is no IP address that connections can be made
// to, or not known.
func (l *Loader) shownAddress(text string) (none netip.AddrPort) {
	a, err := l.Address(text, AddrPort|AddrStream|AddrDgram|AddrConnect|AddrPortRange|AddrPortOffset|AddrResolve, "")
	if err != nil || a.Dgram || a.Quic {
		return none
	}
	return a.IP
}
