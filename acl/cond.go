package acl

import (
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/ast"
)

// Cond is a condition: alternatives, each a list of terms that must all hold. It does not change and may be
// evaluated by all loops.
type Cond struct {
	Pos    ast.Pos
	Unless bool
	suites [][]term
	only   term // the term of a condition that has no other; its acl is nil otherwise
	from   sample.Source
	valid  sample.Checkpoint
}

type term struct {
	acl *ACL
	neg bool
}

// Cond compiles a condition; words starts at its "if" or "unless" and is read to its end. ACLs between braces
// and predefined ones are added to set.
func (c *Compiler) Cond(set *Set, words []string) (*Cond, error) {
	switch word(words, 0) {
	case "if", "unless":
	default:
		return nil, errors.New("conditions must start with either 'if' or 'unless'")
	}
	cond, err := c.terms(set, words[1:])
	if err != nil {
		return nil, err
	}
	cond.Unless = words[0] == "unless"
	cond.Pos = c.Samples.Pos
	return cond, nil
}

// terms reads a condition word by word. The errors are those of the first word that is wrong, so ACLs are
// compiled on the way.
func (c *Compiler) terms(set *Set, words []string) (*Cond, error) {
	cond := new(Cond)
	neg, fresh := false, true // fresh: the next term begins an alternative
	valid := anywhere
	for i := 0; i < len(words) && words[i] != ""; i++ {
		w := words[i]
		for strings.HasPrefix(w, "!") {
			neg, w = !neg, w[1:]
		}
		if w == "" {
			continue
		}
		if w == "||" || strings.EqualFold(w, "or") {
			cond.valid |= valid
			neg, fresh, valid = false, true, anywhere
			continue
		}
		var a *ACL
		var err error
		if w == "{" {
			end := i + 1
			for word(words, end) != "" && words[end] != "}" {
				end++
			}
			if word(words, end) == "" {
				return nil, errors.New("missing closing '}' in condition")
			}
			a, err = c.ACL(set, "", words[i+1:end])
			i = end
		} else {
			a, err = c.named(set, w)
		}
		if err != nil {
			return nil, err
		}
		cond.from |= a.from
		valid &= a.valid
		if fresh {
			cond.suites = append(cond.suites, nil)
			fresh = false
		}
		last := &cond.suites[len(cond.suites)-1]
		*last = append(*last, term{a, neg})
		neg = false
	}
	cond.valid |= valid
	if len(cond.suites) == 1 && len(cond.suites[0]) == 1 {
		cond.only = cond.suites[0][0]
	}
	return cond, nil
}

const anywhere = ^sample.Checkpoint(0)

// named finds an ACL of the set, or a predefined one, which is then added to the set.
func (c *Compiler) named(set *Set, name string) (*ACL, error) {
	if a := set.Get(name); a != nil {
		return a, nil
	}
	for _, p := range predefined {
		if p.name != name {
			continue
		}
		t, err := c.test(p.words)
		if err != nil {
			return nil, err
		}
		a := &ACL{Name: name}
		a.add(t)
		set.add(a)
		return a, nil
	}
	return nil, fmt.Errorf("no such ACL : '%s'", name)
}

// Eval tells whether the rule under the condition is to be applied: "unless" is accounted for. Miss asks for
// a wait and never comes with ctx.Final.
func (c *Cond) Eval(ctx *sample.Context) Result {
	res := c.test(ctx)
	if c.Unless && res != Miss {
		return res.not()
	}
	return res
}

func (c *Cond) test(ctx *sample.Context) Result {
	if c.only.acl != nil {
		return c.only.eval(ctx)
	}
	res := Fail
	for _, suite := range c.suites {
		all := Pass
		for i := range suite {
			if all &= suite[i].eval(ctx); all != Pass {
				break
			}
		}
		if res |= all; res == Pass {
			break
		}
	}
	return res
}

func (t *term) eval(ctx *sample.Context) Result {
	res := t.acl.eval(ctx)
	if t.neg {
		return res.not()
	}
	return res
}

// From is where the condition takes its data from.
func (c *Cond) From() sample.Source { return c.from }

// Reads is where everything in the condition takes its data from, what stands inside acl() included.
func (c *Cond) Reads() (from sample.Source) {
	for _, suite := range c.suites {
		for _, term := range suite {
			for i := range term.acl.tests {
				t := &term.acl.tests[i]
				from |= t.expr.From()
				if inner := nested(t.expr); inner != nil {
					from |= inner.Reads()
				}
			}
		}
	}
	return from
}

// Supported tells whether nothing in the condition is Missing.
func (c *Cond) Supported() bool {
	for _, suite := range c.suites {
		for _, t := range suite {
			if !t.acl.Supported() {
				return false
			}
		}
	}
	return true
}

// ACLs calls visit for the ACL of each term in order.
func (c *Cond) ACLs(visit func(a *ACL)) {
	for _, suite := range c.suites {
		for _, t := range suite {
			visit(t.acl)
		}
	}
}

// Unusable gives the first ACL that has no data at all at a checkpoint, and the keyword of its first test; nil
// when all have some.
func (c *Cond) Unusable(at sample.Checkpoint) (a *ACL, keyword string) {
	for _, suite := range c.suites {
		for _, t := range suite {
			if t.acl.valid&at == 0 {
				return t.acl, t.acl.tests[0].keyword
			}
		}
	}
	return nil, ""
}

// Conflict gives the first keyword that has no data at a checkpoint, and its ACL; nil when there is none.
func (c *Cond) Conflict(at sample.Checkpoint) (a *ACL, keyword string) {
	for _, suite := range c.suites {
		for _, t := range suite {
			for i := range t.acl.tests {
				test := &t.acl.tests[i]
				if test.expr.ValidAt()&at == 0 {
					return t.acl, test.keyword
				}
			}
		}
	}
	return nil, ""
}

// Warning is the text of the warning about a condition that cannot be evaluated as a whole at a checkpoint,
// "" when it can.
func (c *Cond) Warning(at sample.Checkpoint) string {
	if a, keyword := c.Unusable(at); a != nil {
		if a.Name == "" {
			return fmt.Sprintf("anonymous acl will never match because it uses keyword '%s' which is incompatible with '%s'", keyword, at)
		}
		return fmt.Sprintf("acl '%s' will never match because it only involves keywords that are incompatible with '%s'", a.Name, at)
	}
	if a, keyword := c.Conflict(at); a != nil {
		if a.Name == "" {
			return fmt.Sprintf("anonymous acl involves keyword '%s' which is incompatible with '%s'", keyword, at)
		}
		return fmt.Sprintf("acl '%s' involves keywords '%s' which is incompatible with '%s'", a.Name, keyword, at)
	}
	return ""
}
