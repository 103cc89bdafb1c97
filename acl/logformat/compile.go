package logformat

import (
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

// Compiler turns texts into formats. The place of the line is that of Samples.
type Compiler struct {
	Samples *sample.Compiler
	Aliases *keyword.Table[Alias] // nil: there are none

	// Warn is told of what is accepted but does not work as it looks. It may be nil.
	Warn func(text string)
}

// Compile compiles a format. flags are those that its use brings (ForLog, ForHTTP), at is where it will be
// evaluated.
func (c *Compiler) Compile(source string, flags Flags, at sample.Checkpoint) (*Format, error) {
	s := scanner{c: c, text: source, flags: flags, at: at, f: &Format{source: source, need: NeedInit}}
	err := s.scan()
	switch {
	case err == nil:
		s.f.finish()
	case s.f.Empty():
		return nil, err
	}
	return s.f, err
}

// scanner reads a format from left to right.
type scanner struct {
	c     *Compiler
	text  string
	pos   int
	flags Flags // of the items to come
	at    sample.Checkpoint
	f     *Format
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isAlnum(c byte) bool { return isAlpha(c) || c >= '0' && c <= '9' }

// peek gives the current byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) scan() error {
	from := 0
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '%':
			s.addText(s.text[from:s.pos])
			s.pos++
			literal, err := s.item()
			if err != nil {
				return err
			}
			from = s.pos
			if literal {
				s.pos++
			}
		case c == ' ' && s.flags&MergeSpaces != 0:
			s.addText(s.text[from:s.pos])
			s.addSpace()
			s.pos++
			from = s.pos
		default:
			s.pos++
		}
	}
	s.addText(s.text[from:])
	return nil
}

// item reads what follows a percent sign. literal says that it was none: the current byte is text.
func (s *scanner) item() (literal bool, err error) {
	n := node{flags: s.flags}
	if s.peek() == '(' {
		s.pos++
		if err := s.name(&n); err != nil {
			return false, err
		}
	}
	if c := s.peek(); c != '{' {
		switch {
		case c == '[' || isAlpha(c):
		case c == 0:
			return false, errors.New("truncated line after '%'")
		case c >= '0' && c <= '9', c == ' ', c == '\t':
			return false, fmt.Errorf("unexpected alias name near '%c' at position %d line : '%s'. "+
				"Maybe you want to write a single '%%', use the syntax '%%%%'", c, s.pos, s.text)
		default:
			return c == '%', nil
		}
	} else {
		args := s.text[s.pos+1:]
		end := strings.IndexByte(args, '}')
		if end < 0 {
			return false, fmt.Errorf("truncated line after '%s'", args)
		}
		args = args[:end]
		s.pos += end + 2
		n.flags = n.flags.change(args)
		if c := s.peek(); c != '[' && !isAlnum(c) {
			return false, fmt.Errorf("parse argument modifier without alias name near '%%{%s}'", args)
		}
	}
	if s.peek() == '[' {
		s.pos++
		return false, s.expression(n)
	}
	return false, s.alias(n)
}

// name reads "name)" or "name:type)".
func (s *scanner) name(n *node) error {
	from, typeFrom := s.pos, -1
	for ; ; s.pos++ {
		c := s.peek()
		switch {
		case c == ':' && typeFrom < 0:
			n.name = s.text[from:s.pos]
			typeFrom = s.pos + 1
		case c == ')':
			if typeFrom < 0 {
				n.name = s.text[from:s.pos]
			} else if err := s.cast(n, typeFrom); err != nil {
				return err
			}
			s.pos++
			return nil
		case c == 0:
			// The reference's message ends at the end of the line, which it prints as a character.
			return errors.New("invalid character in custom name near '")
		case !isAlnum(c) && c != '_' && c != '-':
			return fmt.Errorf("invalid character in custom name near '%s' at position %d line : '%s'", s.text[s.pos:s.pos+1], s.pos, s.text)
		}
	}
}

func (s *scanner) cast(n *node, from int) error {
	switch word := s.text[from:s.pos]; word {
	case "raw":
		n.flags |= AsRaw
	case "str":
		n.flags |= AsStr
	case "sint":
		n.flags |= AsInt
	case "bool":
		n.flags |= AsBool
	default:
		return fmt.Errorf("unexpected output type '%s' at position %d line : '%s'. Supported types are: str, sint, bool, raw", word, from, s.text)
	}
	return nil
}

// flagNames are the words between braces.
var flagNames = map[string]Flags{"M": Mandatory, "Q": Quote, "X": Hexa, "E": Escape, "bin": Bin, "json": JSON, "cbor": CBOR}

// change applies "+Q,-X": of each word what follows its last sign counts, and unknown ones do nothing. An
// encoding once chosen stays.
func (f Flags) change(args string) Flags {
	for _, word := range strings.Split(args, ",") {
		sign := strings.LastIndexAny(word, "+-")
		if sign < 0 {
			continue
		}
		flag := flagNames[word[sign+1:]]
		switch {
		case word[sign] == '-':
			f &^= flag
		case f&encode != 0:
			f |= flag &^ encode
		default:
			f |= flag
		}
	}
	return f
}

func (s *scanner) alias(n node) error {
	from := s.pos
	for isAlnum(s.peek()) {
		s.pos++
	}
	name := s.text[from:s.pos]
	if name == "o" {
		s.flags = n.flags &^ casts
		if s.f.flags == 0 {
			s.f.flags = s.flags
		}
		s.f.flags &= s.flags // what all items share
		return nil
	}
	if s.c.Aliases != nil {
		n.alias = s.c.Aliases.Get(name)
	}
	if n.alias == nil {
		return fmt.Errorf("no such format alias '%s'. If you wanted to emit the '%%' character verbatim, you need to use '%%%%'", name)
	}
	n.kind = alias
	if n.alias.Status == keyword.Missing && s.c.Samples.Missing != nil {
		s.c.Samples.Missing("format alias", &n.alias.Doc)
	}
	s.f.need |= n.alias.Need
	s.f.nodes = append(s.f.nodes, n)
	return nil
}

func (s *scanner) expression(n node) error {
	from := s.pos
	e, rest, err := s.c.Samples.ParsePrefix(s.text[from:])
	if err != nil {
		return fmt.Errorf("failed to parse sample expression <%s> : %w", s.text[from:], err)
	}
	n.kind, n.expr = expr, e
	valid := e.ValidAt() & s.at
	if valid&sample.AnyRequest != 0 {
		n.flags |= inRequest
	}
	if valid&sample.AnyResponse != 0 {
		n.flags |= inResponse
	}
	if valid == 0 {
		return fmt.Errorf("sample fetch <%s> may not be reliably used here because it needs '%s' which is not available here", e.Fetch.Name, e.From())
	}
	if s.flags&HTTP != 0 && e.From()&(sample.ReqBuffer|sample.ResBuffer) != 0 && s.c.Warn != nil {
		pos := s.c.Samples.Pos
		s.c.Warn(fmt.Sprintf("parsing [%s:%d] : L6 sample fetch <%s> ignored in HTTP log-format string.", pos.File, pos.Line, e.Fetch.Name))
	}
	s.need(e.From())
	s.f.nodes = append(s.f.nodes, n)
	s.pos = len(s.text) - len(rest)
	c := s.peek()
	switch {
	case c == ']':
		s.pos++
		return nil
	case c >= ' ' && c < 127:
		return fmt.Errorf("expected ']' after '%s', but found '%c'", s.text[from:s.pos], c)
	}
	return fmt.Errorf("missing ']' after '%s'", s.text[from:s.pos])
}

// need notes what an expression waits for.
func (s *scanner) need(from sample.Source) {
	s.f.from |= from
	s.f.need |= NeedTransport | NeedMode
	if s.f.from.HTTP() {
		s.f.need |= NeedRequest
	}
	if from&(sample.ResHeaders|sample.ResLine|sample.ResBody) != 0 {
		s.f.need |= NeedResponse
	}
	if from&(sample.ResBody|sample.ReqFinal|sample.ResFinal|sample.TxnFinal|sample.SessionFinal) != 0 {
		s.f.need |= NeedBytes
	}
}

// addText appends text, to the text before it where there is one.
func (s *scanner) addText(t string) {
	if t == "" {
		return
	}
	if last := s.last(); last != nil && last.kind == text {
		last.text += t
		last.space = false
		return
	}
	s.f.nodes = append(s.f.nodes, node{kind: text, text: t})
}

// addSpace appends a space that merges with others. Only behind an alias, which may write nothing, is it left to
// evaluation whether it is written.
func (s *scanner) addSpace() {
	switch last := s.last(); {
	case last == nil || last.kind == space || last.kind == text && last.space:
	case last.kind == text:
		last.text += " "
		last.space = true
	case last.kind == expr:
		s.f.nodes = append(s.f.nodes, node{kind: text, text: " ", space: true})
	default:
		s.f.nodes = append(s.f.nodes, node{kind: space})
	}
}

func (s *scanner) last() *node {
	if len(s.f.nodes) == 0 {
		return nil
	}
	return &s.f.nodes[len(s.f.nodes)-1]
}

// finish settles flags that exclude each other. What encodes the whole line rules over single items, and leaves
// no text between them.
func (f *Format) finish() {
	f.flags = f.flags.settle(0)
	kept := f.nodes[:0]
	for _, n := range f.nodes {
		n.flags &^= Bin
		if f.flags&encode != 0 {
			if n.kind == text || n.kind == space {
				continue
			}
			n.flags = n.flags&^encode | f.flags&encode
		}
		n.flags = (n.flags | f.flags&Bin).settle(f.flags)
		kept = append(kept, n)
	}
	f.nodes = kept
}

// settle drops what excludes each other: encoding of the item and HTTP, encoding and Escape.
func (f Flags) settle(whole Flags) Flags {
	if f&HTTP != 0 {
		if whole&HTTP == 0 && whole&encode != 0 {
			f &^= HTTP
		} else {
			f &^= encode
		}
	}
	if f&encode != 0 {
		f &^= Escape
	}
	return f
}
