// Package acl holds access control lists and the conditions made of them: `acl NAME criterion [flags] [operator]
// [value]...` and what follows `if` and `unless` (configuration manual, section 7).
//
// An ACL is compiled from words into a sample expression and a matcher; a condition into terms that point to
// ACLs. Evaluation looks at no name, allocates nothing, and has three outcomes: a condition whose data has not
// all arrived may still change.
package acl

import (
	"hapax/acl/pattern"
	"hapax/acl/sample"
)

// Result is the outcome of a test. The values are chosen so that OR and AND of outcomes are those of bits.
type Result uint8

const (
	Fail Result = 0
	Miss Result = 1 // it depends on data that has not arrived
	Pass Result = 3
)

func (r Result) String() string {
	switch r {
	case Pass:
		return "pass"
	case Miss:
		return "miss"
	}
	return "fail"
}

// not swaps Pass and Fail.
func (r Result) not() Result { return 3 >> r }

// ACL is one or several tests under one name: it passes when any of them does. A test between braces has no
// name.
type ACL struct {
	Name  string
	tests []test // side by side: a request runs through hundreds of them, and memory is what that costs
	from  sample.Source
	valid sample.Checkpoint
}

// test is one line of an ACL.
type test struct {
	keyword string // the ACL keyword, or the fetch where there is none
	expr    *sample.Expr
	match   pattern.Matcher
}

// From is where the tests take their data from.
func (a *ACL) From() sample.Source { return a.from }

// ValidAt is where at least one of the tests has data.
func (a *ACL) ValidAt() sample.Checkpoint { return a.valid }

// Supported tells whether nothing in the ACL is Missing.
func (a *ACL) Supported() bool {
	for i := range a.tests {
		if !a.tests[i].expr.Supported() {
			return false
		}
	}
	return true
}

// Set is the ACLs that one proxy knows, in the order in which they came up, unnamed ones included.
type Set struct {
	all    []*ACL
	byName map[string]*ACL
}

// Get finds an ACL by its name.
func (s *Set) Get(name string) *ACL { return s.byName[name] }

// All gives the ACLs in the order in which they came up.
func (s *Set) All() []*ACL { return s.all }

func (s *Set) add(a *ACL) {
	s.all = append(s.all, a)
	if a.Name == "" {
		return
	}
	if s.byName == nil {
		s.byName = make(map[string]*ACL)
	}
	s.byName[a.Name] = a
}

// eval runs the tests until one passes.
func (a *ACL) eval(ctx *sample.Context) Result {
	res := Fail
	for i := range a.tests {
		if res |= a.tests[i].eval(ctx); res == Pass {
			break
		}
	}
	return res
}

// eval takes the occurrences of the sample one by one until one matches.
func (t *test) eval(ctx *sample.Context) Result {
	v, mark := ctx.Scratch.Borrow(), ctx.Scratch.Mark()
	res := Fail
	var it sample.Iter
	for {
		ok := t.expr.Next(ctx, &it, v)
		flags := v.Flags // a cast leaves them alone, a match need not
		if ok && t.matches(ctx, v) {
			res = Pass
			break
		}
		if flags&sample.MayChange != 0 && !ctx.Final && (!ok || flags&sample.NotLast == 0) {
			res |= Miss
		}
		if !ok || flags&sample.NotLast == 0 {
			break
		}
		ctx.Scratch.Rewind(mark)
	}
	ctx.Scratch.Rewind(mark)
	ctx.Scratch.Return()
	return res
}

func (t *test) matches(ctx *sample.Context, v *sample.Value) bool {
	if t.match.Method == pattern.Group {
		return t.inGroup(v.Bytes)
	}
	return t.match.Match(ctx, v)
}

// Userlist is what http_auth_group asks of the userlist in its argument.
type Userlist interface {
	// Member tells whether the user belongs to the group.
	Member(user []byte, group string) bool
	// HasGroup tells whether the list declares the group.
	HasGroup(name string) bool
}

func (t *test) inGroup(user []byte) bool {
	list, ok := t.expr.Args[0].Ref.(Userlist)
	if !ok {
		return false
	}
	found := false
	for _, s := range t.match.Sets() {
		s.Each(func(e *pattern.Entry) bool {
			found = list.Member(user, e.Key)
			return !found
		})
		if found {
			break
		}
	}
	return found
}

// CheckGroups gives the texts of the errors about groups that http_auth_group names, once arguments are
// resolved. The set may be nil.
func (s *Set) CheckGroups(proxy string) []string {
	if s == nil {
		return nil
	}
	var errs []string
	for _, a := range s.all {
		for i := range a.tests {
			t := &a.tests[i]
			if t.keyword != "http_auth_group" {
				continue
			}
			list, ok := t.expr.Args[0].Ref.(Userlist)
			if !ok {
				continue // its name is an error of its own
			}
			where := "proxy " + proxy + ": acl " + a.Name + " " + t.keyword + "(): "
			if t.match.Method != pattern.Group || len(t.match.Sets()) == 0 {
				errs = append(errs, where+"no groups specified.")
				continue
			}
			for _, set := range t.match.Sets() {
				none := true
				set.Each(func(e *pattern.Entry) bool {
					none = false
					if !list.HasGroup(e.Key) {
						errs = append(errs, where+"invalid group '"+e.Key+"'.")
					}
					return true
				})
				if none {
					errs = append(errs, where+"no groups specified.")
					break
				}
			}
		}
	}
	return errs
}
