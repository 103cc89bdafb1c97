package acl

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hapax/acl/pattern"
	"hapax/acl/sample"
)

// Compiler turns words into ACLs and conditions. The place of the line is that of Samples.
type Compiler struct {
	Samples  *sample.Compiler
	Patterns *pattern.Refs

	// Warn is told of what is accepted but most likely wrong: the whole text of a warning, some with a place
	// and some without. It may be nil.
	Warn func(text string)

	// Diagnose is told of what looks odd (-dD). It may be nil.
	Diagnose func(text string)
}

// word gives word i, "" behind the last one.
func word(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}

// InvalidNameByte finds the first byte of a name that names must not have; ok is false when all are fine.
func InvalidNameByte(name string) (c byte, ok bool) {
	for i := range len(name) {
		if !isNameByte(name[i]) {
			return name[i], true
		}
	}
	return 0, false
}

func isNameByte(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == ':' || c == '_' || c == '-'
}

// keywordOf cuts the keyword off the start of a criterion.
func keywordOf(criterion string) string {
	i := 0
	for i < len(criterion) && (isNameByte(criterion[i]) || criterion[i] == '+') {
		i++
	}
	return criterion[:i]
}

// ACL compiles the words behind the name of an ACL and adds the test to the ACL of that name in set. An empty
// name makes one without a name.
func (c *Compiler) ACL(set *Set, name string, words []string) (*ACL, error) {
	if bad, found := InvalidNameByte(name); found {
		return nil, fmt.Errorf("invalid character in ACL name : '%c'", bad)
	}
	t, err := c.test(words)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(word(words, 0), "(") && strings.HasPrefix(word(words, 1), "(") {
		c.warn("parsing acl '%s' :\n"+
			"  matching '%s' for pattern '%s' is likely a mistake and probably\n"+
			"  not what you want. Maybe you need to remove the extraneous space before '('.\n"+
			"  If you are really sure this is not an error, please insert '--' between the\n"+
			"  match and the pattern to make this warning message disappear.", name, words[0], words[1])
	}
	a := set.Get(name)
	if name == "" || a == nil {
		a = &ACL{Name: name}
		set.add(a)
	} else if err := recursion(a, t); err != nil {
		return nil, err
	}
	a.add(t)
	return a, nil
}

// add puts one more test into the ACL.
func (a *ACL) add(t *test) {
	a.tests = append(a.tests, *t)
	a.from |= t.expr.From()
	a.valid |= t.expr.ValidAt()
}

// maxNested is how many acl() fetches may stand inside each other.
const maxNested = 1000

// recursion refuses a test that asks for the ACL it would belong to.
func recursion(a *ACL, t *test) error {
	left := maxNested
	var walk func(t *test) error
	walk = func(t *test) error {
		inner := nested(t.expr)
		if inner == nil {
			return nil
		}
		if left--; left <= 0 {
			return errors.New("too deep acl() tree")
		}
		for _, term := range inner.suites[0] {
			if term.acl == a {
				return errors.New("have a recursive loop")
			}
			for i := range term.acl.tests {
				if err := walk(&term.acl.tests[i]); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return walk(t)
}

func (c *Compiler) warn(format string, args ...any) {
	if c.Warn != nil {
		c.Warn(fmt.Sprintf(format, args...))
	}
}

// test compiles `criterion [flags] [--] [operator] [pattern]...`.
func (c *Compiler) test(words []string) (*test, error) {
	t := new(test)
	method, known, err := c.criterion(t, words)
	if err != nil {
		return nil, err
	}
	typ := t.expr.Out()
	if known && typ != sample.Bool && word(words, 1) == "" {
		c.warn("parsing acl keyword '%s' :\n"+
			"  no pattern to match against were provided, so this ACL will never match.\n"+
			"  If this is what you intended, please add '--' to get rid of this warning.\n"+
			"  If you intended to match only for existence, please use '-m found'.\n"+
			"  If you wanted to force an int to match as a bool, please use '-m bool'.\n", word(words, 0))
	}
	p := patterns{c: c, t: t, method: method, known: known, typ: typ, id: -1}
	if err := p.flags(words[min(1, len(words)):]); err != nil {
		return nil, err
	}
	if !p.known {
		return nil, p.noMethod()
	}
	if alias := aliases[keywordOf(word(words, 0))]; alias != nil && alias.suffixed() && p.method != alias.Method {
		c.warn("parsing [%s:%d] : original matching method '%s' was overwritten and will not be applied as expected.",
			c.Samples.Pos.File, c.Samples.Pos.Line, alias.Name)
	}
	if err := p.inline(); err != nil {
		return nil, err
	}
	return t, nil
}

// criterion compiles the fetch and tells which method goes with it, if any.
func (c *Compiler) criterion(t *test, words []string) (method pattern.Method, known bool, err error) {
	text := word(words, 0)
	alias := aliases[keywordOf(text)]
	if alias == nil {
		// Converters may stand in words of their own as far as the expression is concerned, but those words
		// are then read as patterns too, as the reference does.
		t.expr, _, err = c.Samples.Parse(words)
		if err != nil {
			return 0, false, fmt.Errorf("%w in ACL expression '%s'", err, text)
		}
		t.keyword = t.expr.Fetch.Name
		method, known = pattern.DefaultMethod(t.expr.Out())
		return method, known, nil
	}
	f := c.Samples.Fetches.Get(alias.Fetch)
	if f == nil {
		return 0, false, fmt.Errorf("unknown fetch method '%s' in ACL expression '%s'", alias.Name, text)
	}
	if t.expr, err = c.Samples.ParseAlias(f, text); err != nil {
		return 0, false, err
	}
	if t.expr.Converted() {
		t.keyword = f.Name
		method, known = pattern.DefaultMethod(t.expr.Out())
		return method, known, nil
	}
	t.keyword = alias.Name
	return alias.Method, true, nil
}

// patterns reads what follows the criterion.
type patterns struct {
	c      *Compiler
	t      *test
	method pattern.Method
	known  bool // method is set
	typ    sample.Type
	fl     pattern.Flags
	id     int
	use    pattern.Use
	valued bool // -M
	forced bool // -m
	loaded bool // -f
	sets   []*pattern.Set
	rest   []string
}

func (p *patterns) noMethod() error {
	return fmt.Errorf("matching method must be specified first (using '-m') when using a sample fetch of this type ('%s')", p.t.keyword)
}

// flags reads the options in front of the patterns.
func (p *patterns) flags(words []string) error {
	p.use = pattern.ACL
	for ; strings.HasPrefix(word(words, 0), "-"); words = words[1:] {
		arg := word(words, 1)
		takes := false
		var err error
		switch words[0] {
		case "-i":
			p.fl |= pattern.IgnoreCase
		case "-n":
			p.fl |= pattern.NoDNS
		case "-u":
			takes, err = true, p.number(arg)
		case "-f":
			takes, err = true, p.file(arg)
		case "-m":
			takes, err = true, p.matching(arg)
		case "-M":
			p.use |= pattern.Map
			p.valued = true
		case "--":
			p.rest = words[1:]
			return nil
		default:
			return fmt.Errorf("'%s' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'", words[0])
		}
		if err != nil {
			return err
		}
		if takes && len(words) > 1 {
			words = words[1:]
		}
	}
	p.rest = words
	return nil
}

func (p *patterns) number(arg string) error {
	n := 0
	if arg != "" {
		var err error
		if n, err = strconv.Atoi(arg); err != nil {
			return errors.New("the argument of -u must be an integer")
		}
	}
	if p.c.Patterns.LookupID(n) != nil {
		return errors.New("the id is already used")
	}
	p.id = n
	return nil
}

func (p *patterns) file(name string) error {
	if !p.known {
		return p.noMethod()
	}
	pos := p.c.Samples.Pos
	ref, err := p.c.Patterns.File(name, p.use, p.valued, fmt.Sprintf("file '%s' line %d", pos.File, pos.Line))
	if err != nil {
		return err
	}
	s, err := ref.Set(p.method, p.fl, sample.Any)
	if err != nil {
		return err
	}
	p.sets = append(p.sets, s)
	p.loaded = true
	return nil
}

func (p *patterns) matching(name string) error {
	switch {
	case p.loaded:
		return errors.New("'-m' must only be specified before patterns and files in parsing ACL expression")
	case p.forced:
		return errors.New("only one explicit matching method can be defined with '-m' parameter. if migrating from an old version, just keep the last one")
	}
	m, ok := pattern.MethodOf(name)
	if !ok {
		return fmt.Errorf("unknown matching method '%s' when parsing ACL expression", name)
	}
	if m != pattern.Found && !sample.Castable(p.typ, m.CastsTo()) {
		return fmt.Errorf("matching method '%s' cannot be used with fetch keyword '%s'", name, p.t.keyword)
	}
	p.method, p.known, p.forced = m, true, true
	return nil
}

// inline reads the patterns of the line itself.
func (p *patterns) inline() error {
	pos := p.c.Samples.Pos
	ref := p.c.Patterns.Inline(p.id, fmt.Sprintf("acl '%s' file '%s' line %d", p.t.keyword, pos.File, pos.Line))
	set, err := ref.Set(p.method, p.fl, sample.Any)
	if err != nil {
		return err
	}
	if end := slices.Index(p.rest, ""); end >= 0 {
		p.rest = p.rest[:end]
	}
	texts, err := p.operators()
	if len(texts) > 0 {
		if bad := ref.Append(texts); bad != nil {
			return bad
		}
		p.sets = append(p.sets, set)
	}
	if err != nil {
		return err
	}
	p.t.match = pattern.NewMatcher(p.method, p.sets...)
	return nil
}

// operators gives the patterns of the line with "eq", "lt" and the like in front of numbers turned into ranges.
// An operator counts until the next one. What cannot be read ends the list; the error then comes with what
// stood before it.
func (p *patterns) operators() ([]string, error) {
	switch p.method {
	case pattern.Int, pattern.Len, pattern.Version:
	default:
		for _, text := range p.rest {
			p.odd(text)
		}
		return p.rest, nil
	}
	var texts []string
	op := "eq"
	for _, text := range p.rest {
		switch text {
		case "eq", "ne", "gt", "ge", "lt", "le":
			op = text
			continue
		}
		if op != "eq" && !strings.ContainsAny(text, ":-") {
			var err error
			if text, err = ranged(op, text, p.method == pattern.Version); err != nil {
				return texts, err
			}
		}
		texts = append(texts, text)
		p.odd(text)
	}
	return texts, nil
}

// ranged writes the numbers that op and text stand for as a range.
func ranged(op, text string, version bool) (string, error) {
	notNumber := fmt.Errorf("'%s' is neither a number nor a supported operator", text)
	high, low, dot := strings.Cut(text, ".")
	minor := int64(0)
	if version && dot {
		var ok bool
		if minor, ok = pattern.ParseInt(low); !ok {
			return "", notNumber
		}
		if minor >= 65536 {
			return "", fmt.Errorf("'%s' contains too large a minor value", text)
		}
	}
	n, ok := pattern.ParseInt(high)
	if !ok {
		return "", notNumber
	}
	if version {
		if n >= 65536 {
			return "", fmt.Errorf("'%s' contains too large a major value", text)
		}
		n = n<<16 | minor&0xffff
	}
	switch op {
	case "ne": // has no effect, in the reference neither
		return text, nil
	case "gt":
		n++
	case "lt":
		n--
	}
	number := strconv.FormatInt(n, 10)
	if version {
		number = fmt.Sprintf("%d.%d", n>>16, n&0xffff)
	}
	if op == "gt" || op == "ge" {
		return number + ":", nil
	}
	return ":" + number, nil
}

// odd reports patterns that were probably meant as something else.
func (p *patterns) odd(text string) {
	if p.c.Diagnose == nil {
		return
	}
	what := ""
	switch {
	case text == "&&" || text == "and" || text == "||" || text == "or":
		what = "looks like a failed attempt at using an operator inside a pattern list"
	case text == "#" || text == "//":
		what = "looks like a failed attempt at commenting an end of line"
	case aliases[keywordOf(text)] != nil:
		what = "suspiciously looks like a known acl keyword"
	case keywordOf(text) != "" && p.c.Samples.Fetches.Get(keywordOf(text)) != nil:
		what = "suspiciously looks like a known sample fetch keyword"
	default:
		return
	}
	pos := p.c.Samples.Pos
	p.c.Diagnose(fmt.Sprintf("parsing [%s:%d] : pattern '%s' %s", pos.File, pos.Line, text, what))
}
