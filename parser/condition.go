package parser

import (
	"fmt"
	"strings"
)

// The grammar of conditions, written by hand: each of its messages quotes the text from the place where the rule
// that failed had begun, and a generated parser does not know that place.
//
//	expr = and [ "||" expr ]
//	and  = term [ "&&" and ]
//	term = { "!" } ( integer | "(" expr ")" | predicate [ "(" arg { "," arg } ")" ] )

// maxDepth is how deep a condition may be nested, each operator counted.
const maxDepth = 1024

// condition is a parsed condition: the alternatives of "||", each a list of terms that "&&" joins.
type condition [][]term

type term struct {
	negated   bool
	constant  bool       // value of an integer
	group     condition  // content of a pair of parentheses
	predicate *predicate // nil for an integer and a group
	args      []string
}

// conditionError is what is wrong with a condition, and where.
type conditionError struct {
	text string
	at   int
}

func (e *conditionError) Error() string { return e.text }

// conditionParser reads a condition from left to right.
type conditionParser struct {
	text string
	at   int
}

func (p *conditionParser) rest() string { return p.text[p.at:] }

func (p *conditionParser) skipBlanks() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

func (p *conditionParser) errorf(at int, format string, args ...any) *conditionError {
	return &conditionError{text: fmt.Sprintf(format, args...), at: at}
}

// errNothing says that a rule found nothing that it could read; what it means is for the rule above to tell.
var errNothing = &conditionError{text: "nothing to read"}

func (p *conditionParser) expr(depth int) (condition, *conditionError) {
	var c condition
	operator := -1 // the first one, which is where a missing last operand is reported
	for ; ; depth-- {
		if p.rest() == "" {
			return nil, errNothing
		}
		if depth <= 0 {
			return nil, p.errorf(p.at, "unparsable conditional expression '%s'", p.rest())
		}
		terms, err := p.and(depth - 1)
		if err == errNothing {
			return nil, p.errorf(p.at, "unparsable conditional expression '%s'", p.rest())
		}
		if err != nil {
			return nil, err
		}
		c = append(c, terms)
		p.skipBlanks()
		if !strings.HasPrefix(p.rest(), "||") {
			return c, nil
		}
		if operator < 0 {
			operator = p.at
		}
		p.at += len("||")
		p.skipBlanks()
		if p.rest() == "" {
			p.at = operator
			return nil, errNothing
		}
	}
}

func (p *conditionParser) and(depth int) ([]term, *conditionError) {
	var terms []term
	operator := -1 // as in expr
	for ; ; depth-- {
		if depth <= 0 {
			return nil, p.errorf(p.at, "unparsable conditional sub-expression '%s'", p.rest())
		}
		start := p.at
		t, err := p.term(depth - 1)
		if err == errNothing {
			return nil, p.errorf(start, "unparsable conditional sub-expression '%s'", p.text[start:])
		}
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
		p.skipBlanks()
		if !strings.HasPrefix(p.rest(), "&&") {
			return terms, nil
		}
		if operator < 0 {
			operator = p.at
		}
		p.at += len("&&")
		p.skipBlanks()
		if p.rest() == "" {
			p.at = operator
			return nil, errNothing
		}
	}
}

func (p *conditionParser) term(depth int) (t term, err *conditionError) {
	start := p.at
	unparsable := func() *conditionError {
		return p.errorf(start, "unparsable conditional expression '%s'", p.text[start:])
	}
	p.skipBlanks()
	if p.rest() == "" {
		p.at = start
		return t, errNothing
	}
	if depth <= 0 {
		return t, unparsable()
	}
	for strings.HasPrefix(p.rest(), "!") {
		t.negated = !t.negated
		p.at++
		p.skipBlanks()
	}
	if n, value := leadingInteger(p.rest()); n > 0 {
		t.constant = value
		p.at += n
		return t, nil
	}
	if strings.HasPrefix(p.rest(), "(") {
		p.at++
		p.skipBlanks()
		t.group, err = p.expr(depth - 1)
		if err == errNothing {
			return t, unparsable()
		}
		if err != nil {
			return t, err
		}
		p.skipBlanks()
		if !strings.HasPrefix(p.rest(), ")") {
			return t, p.errorf(start, "expected ')' after conditional expression '%s'", p.text[start:])
		}
		p.at++
		p.skipBlanks()
		return t, nil
	}
	name := p.rest()
	if end := strings.IndexAny(name, " ("); end >= 0 {
		name = name[:end]
	}
	for i := range predicates {
		if predicates[i].name == name {
			t.predicate = &predicates[i]
			p.at += len(name)
			t.args, err = p.arguments(t.predicate)
			return t, err
		}
	}
	return t, unparsable()
}

// leadingInteger returns how many bytes of text are an integer as C reads it (decimal, 0x or 0 for octal, with sign
// and leading space), and whether it is not zero.
func leadingInteger(text string) (n int, nonZero bool) {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	base := byte(10)
	if i < len(text) && text[i] == '0' {
		base = 8
		if i+2 < len(text) && text[i+1]|0x20 == 'x' && hexValue(text[i+2]) >= 0 {
			base = 16
			i += 2
		}
	}
	digits := i
	for ; i < len(text); i++ {
		if v := hexValue(text[i]); v < 0 || byte(v) >= base {
			break
		} else if v > 0 {
			nonZero = true
		}
	}
	if i == digits {
		return 0, false
	}
	return i, nonZero
}

// arguments reads what stands in parentheses behind a predicate. Strings may be quoted there a second time.
func (p *conditionParser) arguments(of *predicate) ([]string, *conditionError) {
	var args []string
	fail := func(format string, more ...any) *conditionError {
		at := len(args)
		if strings.HasPrefix(format, "expected ')'") && at > 1 {
			at--
		}
		return p.errorf(p.at, "%s in argument %d of predicate '%s' used in conditional expression",
			fmt.Sprintf(format, more...), at, of.name)
	}
	if !strings.HasPrefix(p.rest(), "(") {
		// Without parentheses the first argument is there, and empty.
		args = append(args, "")
		if len(args) < of.args {
			return nil, fail("missing arguments (got %d/%d), type 'string' expected", len(args), of.args)
		}
		return args, nil
	}
	p.at++
	for {
		arg, ok := p.argument()
		if !ok {
			return nil, fail("failed to parse '%s' after '%s' as type 'string' at position %d", p.rest(), arg, len(args)+1)
		}
		args = append(args, arg)
		if len(args) == of.args || !strings.HasPrefix(p.rest(), ",") {
			break
		}
		p.at++
	}
	switch {
	case len(args) < of.args:
		return nil, fail("missing arguments (got %d/%d), type 'string' expected", len(args), of.args)
	case strings.HasPrefix(p.rest(), ")"):
		p.at++
		return args, nil
	case p.rest() == "":
		return nil, fail("expected ')'")
	}
	return nil, fail("expected ')' before '%s'", p.rest())
}

// argument reads up to an unquoted comma or closing parenthesis. It fails on a backslash that ends the text.
func (p *conditionParser) argument() (string, bool) {
	var b strings.Builder
	quote := byte(0)
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote != '\'':
			if p.at+1 == len(p.text) {
				return b.String(), false
			}
			switch next := p.text[p.at+1]; next {
			case '\\', ' ', '"', '\'':
				b.WriteByte(next)
				p.at++
			case 'r':
				b.WriteByte('\r')
				p.at++
			case 'n':
				b.WriteByte('\n')
				p.at++
			case 't':
				b.WriteByte('\t')
				p.at++
			default:
				b.WriteByte(c)
			}
		case quote == 0 && (c == ',' || c == ')'):
			return b.String(), true
		default:
			b.WriteByte(c)
		}
		p.at++
	}
	return b.String(), true
}

// Evaluate decides a condition. Variables in text are already replaced. An empty condition is false.
// at is the offset in text that err is about.
func (p *Predicates) Evaluate(text string, env *Env) (ok bool, at int, err error) {
	if text == "" {
		return false, 0, nil
	}
	cp := conditionParser{text: text}
	c, fault := cp.expr(maxDepth)
	if fault == errNothing {
		return false, cp.at, cp.errorf(cp.at, "unparsable conditional expression '%s'", text)
	}
	if fault != nil {
		return false, fault.at, fault
	}
	cp.skipBlanks()
	if rest := cp.rest(); rest != "" {
		return false, cp.at, cp.errorf(cp.at, "unexpected character '%c' at the end of conditional expression '%s'", rest[0], text)
	}
	ok, err = p.evaluate(c, env)
	return ok, cp.at, err
}

// evaluate decides from left to right and no further than needed.
func (p *Predicates) evaluate(c condition, env *Env) (bool, error) {
	for _, terms := range c {
		all := true
		for i := 0; i < len(terms) && all; i++ {
			var err error
			if all, err = p.evaluateTerm(&terms[i], env); err != nil {
				return false, err
			}
		}
		if all {
			return true, nil
		}
	}
	return false, nil
}

func (p *Predicates) evaluateTerm(t *term, env *Env) (bool, error) {
	ok, err := t.constant, error(nil)
	switch {
	case t.predicate != nil:
		ok, err = t.predicate.holds(p, env, t.args)
		if err == errArgument {
			err = fmt.Errorf("invalid argument to conditional expression predicate '%s': '%s'", t.predicate.name, t.args[0])
		}
	case t.group != nil:
		ok, err = p.evaluate(t.group, env)
	}
	return ok != t.negated, err
}

// EvaluateArgument decides the condition of the command line's -cc. It is split into words like a line of a file,
// without comments.
func (p *Predicates) EvaluateArgument(text string, env *Env) (bool, error) {
	s := splitter{lookup: env.Lookup, keepHash: true}
	s.split(text)
	switch s.fault {
	case noFault:
	case unmatchedQuote:
		return false, fmt.Errorf("Syntax Error in condition: Unmatched quote.")
	case badHex:
		return false, fmt.Errorf("Syntax Error in condition: Truncated or invalid hexadecimal sequence.")
	case tooManyWords:
		return false, fmt.Errorf("Error in condition: Too many words.")
	default:
		return false, fmt.Errorf("Unhandled error in condition, please report this to the developers.")
	}
	words := make([]string, len(s.words))
	for i, w := range s.words {
		words[i] = w.Text
	}
	ok, _, err := p.Evaluate(strings.Join(words, " "), env)
	if err != nil {
		return false, fmt.Errorf("Failed to evaluate condition: %w", err)
	}
	return ok, nil
}
