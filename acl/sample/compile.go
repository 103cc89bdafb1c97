package sample

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
)

// Compiler turns text into expressions. The loader owns one and sets Pos and Use before each rule.
type Compiler struct {
	Fetches    *keyword.Table[Fetch]
	Converters *keyword.Table[Converter]
	Names      *VarNames // of variables
	Proc       *Vars     // where variables of the process are declared; nil while only checking

	Pos ast.Pos // of the line that is being read
	Use Use     // what kind of rule it is

	// Unresolved collects the arguments that name objects and regular expressions, in the order in
	// which they were read. The loader takes them (Take) and resolves them at the end.
	Unresolved []Unresolved

	// Alone: nobody will resolve them, and they are refused.
	Alone bool

	// Missing is told of each fetch or converter whose row says that it is not supported. The
	// expression compiles all the same, so that reading goes on; it has no value.
	Missing func(kind string, doc *keyword.Doc)

	// Warn is told of what is accepted but deprecated; it may be nil.
	Warn func(text string)

	// Reads collects where the fetches read so far take their data from. Whoever asks for it empties it before.
	Reads Source

	// LookUp gives the loader's registries to Check functions of a domain.
	LookUp any
}

// Expr is a compiled expression: a fetch and converters. It does not change and may be used by all
// loops.
type Expr struct {
	Fetch *Fetch
	Args  []Arg
	steps []step
}

type step struct {
	conv *Converter
	args []Arg
}

// Parse reads an expression at words[0]. Converters follow in the same word after commas, and as words
// of their own; used tells how many words belonged to it.
func (c *Compiler) Parse(words []string) (e *Expr, used int, err error) {
	if len(words) == 0 {
		words = []string{""}
	}
	e, rest, err := c.fetch(words[0])
	if err != nil {
		return nil, 0, err
	}
	used, _, err = c.chain(e, rest, words, false)
	if err != nil {
		return nil, 0, err
	}
	return e, used, nil
}

// ParseWord reads an expression that fills the whole text.
func (c *Compiler) ParseWord(text string) (*Expr, error) {
	e, rest, err := c.fetch(text)
	if err == nil {
		_, _, err = c.chain(e, rest, nil, false)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// ParseConverters reads converters that fill the whole text, for Expr.Convert: values of any type may be put through them.
func (c *Compiler) ParseConverters(text string) (*Expr, error) {
	e := &Expr{Fetch: &Fetch{Out: Any}}
	if _, _, err := c.chain(e, ","+text, nil, false); err != nil {
		return nil, err
	}
	return e, nil
}

// ParsePrefix reads an expression at the start of text and gives what follows it: a log format ends it
// with a bracket.
func (c *Compiler) ParsePrefix(text string) (e *Expr, rest string, err error) {
	e, rest, err = c.fetch(text)
	if err == nil {
		_, rest, err = c.chain(e, rest, nil, true)
	}
	if err != nil {
		return nil, rest, err
	}
	return e, rest, nil
}

// ParseAlias reads the arguments and converters of an ACL keyword that stands for a fetch ("hdr_beg" for
// "req.hdr"); text starts with the keyword.
func (c *Compiler) ParseAlias(f *Fetch, text string) (*Expr, error) {
	name, rest := cutName(text)
	e, rest, _, err := c.fetchArgs(f, name, rest)
	switch {
	case err != nil && errors.As(err, new(checkError)):
		return nil, fmt.Errorf("in argument to '%s', %w", name, err)
	case err != nil:
		return nil, fmt.Errorf("ACL keyword '%s' : %w", name, err)
	}
	if _, _, err = c.chain(e, rest, nil, false); err != nil {
		return nil, fmt.Errorf("ACL keyword '%s' : %w", name, err)
	}
	return e, nil
}

// Variable reads the name of a variable. One of the process exists from then on.
func (c *Compiler) Variable(name string) (Var, error) {
	v, err := c.Names.Parse(name)
	if err == nil && v.Scope == ProcScope && c.Proc != nil && !c.Proc.Declare(v.ID) {
		err = errors.New("no room left for variables of the process")
	}
	return v, err
}

// Take gives the unresolved arguments collected so far and starts anew.
func (c *Compiler) Take() []Unresolved {
	u := c.Unresolved
	c.Unresolved = nil
	return u
}

// checkError marks what a row's Check said.
type checkError struct{ error }

func (e checkError) Unwrap() error { return e.error }

// cutName splits text behind its keyword.
func cutName(text string) (name, rest string) {
	i := 0
	for i < len(text) && (isAlnum(text[i]) || strings.IndexByte("._-+:", text[i]) >= 0) {
		i++
	}
	return text[:i], text[i:]
}

func (c *Compiler) fetch(text string) (e *Expr, rest string, err error) {
	name, rest := cutName(text)
	if name == "" {
		return nil, rest, errors.New("missing fetch method")
	}
	f := c.Fetches.Get(name)
	if f == nil {
		return nil, rest, fmt.Errorf("unknown fetch method '%s'", name)
	}
	e, rest, _, err = c.fetchArgs(f, name, rest)
	switch {
	case err != nil && errors.As(err, new(checkError)):
		return nil, rest, fmt.Errorf("invalid args in fetch method '%s' : %w", name, err)
	case err != nil:
		return nil, rest, fmt.Errorf("fetch method '%s' : %w", name, err)
	}
	return e, rest, nil
}

func (c *Compiler) fetchArgs(f *Fetch, name, text string) (e *Expr, rest string, pos int, err error) {
	e = &Expr{Fetch: f}
	c.Reads |= f.From
	args, got, rest, pos, err := c.arguments(text, f.Args, f.Name, "")
	if err != nil {
		return nil, rest, pos, err
	}
	e.Args = args
	if f.Status == keyword.Missing {
		if c.Missing != nil {
			c.Missing("sample fetch", &f.Doc)
		}
		return e, rest, pos, nil
	}
	if got > 0 {
		if err := c.check(f.Check, args); err != nil {
			return nil, rest, pos, err
		}
	}
	return e, rest, pos, nil
}

// check reads variables, then asks the row.
func (c *Compiler) check(row func(*Compiler, []Arg) error, args []Arg) error {
	for i := range args {
		if args[i].Type == keyword.Var && args[i].Present {
			v, err := c.Variable(args[i].Str)
			if err != nil {
				return checkError{err}
			}
			args[i].Var = v
		}
	}
	if row == nil {
		return nil
	}
	if err := row(c, args); err != nil {
		return checkError{err}
	}
	return nil
}

// chain reads converters from text on. words is nil when they must all stand in the text; open says
// that anything else may follow them.
func (c *Compiler) chain(e *Expr, text string, words []string, open bool) (used int, rest string, err error) {
	typ := e.Fetch.Out
	last := ""
	word := 0 // the one that text is in
	for {
		if text != "" && text[0] != ',' {
			switch {
			case open:
				return word + 1, text, nil
			case last != "":
				return 0, text, fmt.Errorf("missing comma after converter '%s'", last)
			}
			return 0, text, errors.New("missing comma after fetch keyword")
		}
		text = strings.TrimLeft(text, ",")
		head := false // a word of its own may turn out not to be ours
		if text == "" {
			word++
			if word >= len(words) || words[word] == "" {
				return word, "", nil
			}
			text, head = words[word], true
		}
		name, after := cutName(text)
		last = name
		conv := c.Converters.Get(name)
		if conv == nil {
			if head {
				return word, text, nil
			}
			return 0, text, fmt.Errorf("unknown converter '%s'", name)
		}
		if !Castable(typ, conv.In) {
			return 0, text, fmt.Errorf("converter '%s' cannot be applied", name)
		}
		if conv.Out != Same {
			typ = conv.Out
		} else if !CastFree(typ, conv.In) {
			typ = conv.In
		}
		args, _, behind, pos, err := c.arguments(after, conv.Args, e.Fetch.Name, conv.Name)
		if err != nil {
			return 0, behind, fmt.Errorf("invalid arg %d in converter '%s' : %w", pos+1, name, err)
		}
		if conv.Status == keyword.Missing {
			if c.Missing != nil {
				c.Missing("converter", &conv.Doc)
			}
		} else if err := c.check(conv.Check, args); err != nil {
			return 0, behind, fmt.Errorf("invalid args in converter '%s' : %w", name, err)
		}
		e.steps = append(e.steps, step{conv, args})
		text = behind
	}
}

// maxArgs is how many arguments a repeated one may stand for.
const maxArgs = 12

// expand spells out a last argument that may be repeated.
func expand(spec []keyword.Arg) []keyword.Arg {
	n := len(spec)
	if n == 0 || !spec[n-1].Many {
		return spec
	}
	all := append(make([]keyword.Arg, 0, maxArgs), spec...)
	for len(all) < maxArgs {
		all = append(all, spec[n-1])
		all[len(all)-1].Opt = true
	}
	return all
}

// arguments reads a parenthesised list. got is how many arguments were read, pos the place of the fault
// (counted from 0). An absent list holds one empty argument when the first one is mandatory.
func (c *Compiler) arguments(text string, spec []keyword.Arg, fetch, conv string) (args []Arg, got int, rest string, pos int, err error) {
	spec = expand(spec)
	need := 0
	for need < len(spec) && !spec[need].Opt {
		need++
	}
	args = make([]Arg, len(spec))
	for i := range args {
		args[i].Type = spec[i].Type
	}
	absent := !strings.HasPrefix(text, "(")
	rest = text
	list := ""
	if !absent {
		list = text[1:]
	}
	if len(spec) > 0 && (!absent || need > 0) {
		for pos < len(spec) {
			var word string
			word, list, err = unquote(list)
			if err != nil {
				return nil, pos, list, pos, fmt.Errorf("failed to parse '%s' after '%s' as type '%s' at position %d",
					list, word, ArgName(spec[pos].Type), pos+1)
			}
			empty, err := c.argument(&args[pos], word, pos, fetch, conv)
			if err != nil {
				return nil, pos, list, pos, err
			}
			if empty {
				if pos < need {
					return nil, pos, list, pos, fmt.Errorf("expected type '%s' at position %d, but got nothing", ArgName(spec[pos].Type), pos+1)
				}
				break
			}
			pos++
			if list == "" || list[0] == ')' || pos >= len(spec) {
				break
			}
			list = list[1:]
		}
	}
	got = pos
	if got < need {
		return nil, got, list, pos, fmt.Errorf("missing arguments (got %d/%d), type '%s' expected", got, need, ArgName(spec[got].Type))
	}
	if absent {
		return args, got, rest, pos, nil
	}
	if strings.HasPrefix(list, ")") {
		return args, got, list[1:], pos, nil
	}
	if pos > 1 {
		pos--
	}
	if list != "" {
		return nil, got, list, pos, fmt.Errorf("expected ')' before '%s'", list)
	}
	return nil, got, list, pos, errors.New("expected ')'")
}

var errEscape = errors.New("lone backslash at the end")

// unquote reads one argument up to its comma or parenthesis. Quotes here are a layer of their own
// inside those of the line (configuration manual, 2.2).
func unquote(text string) (word, rest string, err error) {
	var b strings.Builder
	single, double := false, false
	i := 0
	for ; i < len(text); i++ {
		switch ch := text[i]; {
		case ch == '"' && !single:
			double = !double
		case ch == '\'' && !double:
			single = !single
		case ch == '\\' && !single:
			if i+1 == len(text) {
				return b.String(), text[i:], errEscape
			}
			switch next := text[i+1]; next {
			case '\\', ' ', '"', '\'':
				ch = next
				i++
			case 'r':
				ch = '\r'
				i++
			case 'n':
				ch = '\n'
				i++
			case 't':
				ch = '\t'
				i++
			}
			b.WriteByte(ch)
		case (ch == ',' || ch == ')') && !single && !double:
			return b.String(), text[i:], nil
		default:
			b.WriteByte(ch)
		}
	}
	return b.String(), text[i:], nil
}

// argument reads one word into a. empty says that nothing was written where only something makes
// sense.
func (c *Compiler) argument(a *Arg, word string, pos int, fetch, conv string) (empty bool, err error) {
	ok := true
	switch a.Type {
	case keyword.Int, keyword.Uint:
		if word == "" {
			return true, nil
		}
		var n int
		a.Int, n = ReadInt(word)
		ok = n == len(word)
	case keyword.IPv4, keyword.Mask4:
		if word == "" {
			return true, nil
		}
		if a.Type == keyword.Mask4 && !strings.Contains(word, ".") {
			a.IP, ok = prefixMask(word, 32)
		} else {
			a.IP, ok = addrOf(word, netip.Addr.Is4)
		}
	case keyword.IPv6, keyword.Mask6:
		if word == "" {
			return true, nil
		}
		if a.Type == keyword.Mask6 && !strings.Contains(word, ":") {
			a.IP, ok = prefixMask(word, 128)
		} else {
			a.IP, ok = addrOf(word, netip.Addr.Is6)
		}
	case keyword.Time:
		if word == "" {
			return true, nil
		}
		delay, stray, fault := units.Time(word, time.Millisecond)
		if stray != 0 && c.Warn != nil {
			c.Warn(units.Stray(stray, word))
		}
		a.Int, ok = delay.Milliseconds(), fault == nil
	case keyword.Size:
		if word == "" {
			return true, nil
		}
		var size uint32
		size, _, ok = units.Size(word)
		a.Int = int64(size)
	case keyword.Field:
		if word == "" {
			return true, nil
		}
		a.Path, ok = parseField(word)
	case keyword.Name, keyword.Frontend, keyword.Backend, keyword.StickTable, keyword.Server, keyword.Users, keyword.Regex:
		if c.Alone {
			return false, fmt.Errorf("unresolved argument of type '%s' at position %d not allowed", ArgName(a.Type), pos+1)
		}
		c.Unresolved = append(c.Unresolved, Unresolved{Arg: a, Index: pos, Use: c.Use, Fetch: fetch, Converter: conv, Pos: c.Pos})
	}
	if !ok {
		return false, fmt.Errorf("failed to parse '%s' as type '%s' at position %d", word, ArgName(a.Type), pos+1)
	}
	a.Str, a.Present = word, true
	return false, nil
}

func addrOf(word string, family func(netip.Addr) bool) (netip.Addr, bool) {
	a, err := netip.ParseAddr(word)
	return a, err == nil && family(a) && a.Zone() == ""
}

// prefixMask makes the mask of a number of leading ones.
func prefixMask(word string, bits int) (netip.Addr, bool) {
	n, err := strconv.Atoi(strings.TrimLeft(word, " "))
	if err != nil || n < 0 || n > bits {
		return netip.Addr{}, false
	}
	all := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if bits == 128 {
		all = netip.AddrFrom16([16]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	}
	p, err := all.Prefix(n)
	return p.Addr(), err == nil
}

// parseField reads "1.2.3".
func parseField(word string) ([]uint32, bool) {
	var path []uint32
	for _, s := range strings.Split(word, ".") {
		n, err := strconv.ParseUint(s, 10, 32)
		if err != nil {
			return nil, false
		}
		path = append(path, uint32(n))
	}
	return path, true
}
