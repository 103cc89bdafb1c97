package pattern

import (
	"net/netip"

	"hapax/acl/sample"
)

// key is a sample after its cast, as indexes compare it: each method reads the one field that it needs.
type key struct {
	bytes  []byte
	number int64
	addr   netip.Addr
}

func keyOf(v *sample.Value) key { return key{v.Bytes, v.Int, v.IP} }

// Matcher compares samples with the patterns of several sets by one method: those of an ACL's files and those
// written in its line.
type Matcher struct {
	Method Method
	set    *Set   // the first; nil: there is none
	more   []*Set // most have no other
}

// NewMatcher makes a matcher over sets, which are asked in order.
func NewMatcher(method Method, sets ...*Set) Matcher {
	m := Matcher{Method: method}
	if len(sets) > 0 {
		m.set, m.more = sets[0], sets[1:]
	}
	return m
}

// Sets are the sets that m asks.
func (m *Matcher) Sets() []*Set {
	if m.set == nil {
		return nil
	}
	return append([]*Set{m.set}, m.more...)
}

// Match tells whether v matches any pattern. It casts v in place.
func (m *Matcher) Match(ctx *sample.Context, v *sample.Value) bool {
	if m.Method == Found {
		return true
	}
	if !sample.Cast(ctx, v, m.Method.Expects()) {
		return false
	}
	if m.Method == Bool {
		return v.Int != 0
	}
	if m.set == nil {
		return false
	}
	k := keyOf(v)
	if m.set.find(k, true) != nil {
		return true
	}
	for _, s := range m.more {
		if s.find(k, true) != nil {
			return true
		}
	}
	return false
}

// Lookup gives the entry that v matches best, nil when there is none. It casts v in place.
func (s *Set) Lookup(ctx *sample.Context, v *sample.Value) *Entry {
	if !sample.Cast(ctx, v, s.method.Expects()) {
		return nil
	}
	return s.find(keyOf(v), false)
}

// Each calls visit for every entry that is in use, until it returns false.
func (s *Set) Each(visit func(e *Entry) bool) {
	for _, l := range *s.live.Load() {
		for _, e := range l.entries {
			if !e.gone.Load() && !visit(e) {
				return
			}
		}
	}
}
