package pattern

import (
	"slices"
	"sync/atomic"

	"hapax/acl/sample"
)

// Set is one way to match the patterns of a Ref. Sets of equal method and flags are shared.
type Set struct {
	ref    *Ref
	method Method
	flags  Flags
	out    sample.Type // of the values of a map; Any for an ACL
	live   atomic.Pointer[layers]

	// regs keeps what was compiled for the entries, for Reg and RegM. Guarded by ref.mu.
	regs map[*Entry]*sample.Regex
}

// layers are the indexes of a Set, largest and oldest first. A new entry makes a small layer, and layers of
// like size are merged, so that adding one entry to a million does not build a million again.
type layers []layer

type layer struct {
	index   index
	entries []*Entry
}

// index is immutable but for the gone mark of its entries. find gives the best entry for the key under the
// rules of its method; with any, the first that it comes across will do.
type index interface {
	find(k key, any bool) hit
}

// Ref is the collection that s matches.
func (s *Set) Ref() *Ref { return s.ref }

// Method is how s matches.
func (s *Set) Method() Method { return s.method }

// Flags are the flags that s reads and compares patterns with.
func (s *Set) Flags() Flags { return s.flags }

// Out is the type of the values, Any for an ACL.
func (s *Set) Out() sample.Type { return s.out }

// ValueType is the type of one value as text.
func (s *Set) ValueType(text string) sample.Type {
	var v sample.Value
	setValue(&v, text, s.out)
	return v.Type
}

// Indexed tells whether the reference finds the entry in a tree, which the runtime API shows: whole strings and
// prefixes when case counts, and networks whose masks have no holes.
func (s *Set) Indexed(e *Entry) bool {
	switch s.method {
	case Str, Beg:
		return s.flags&IgnoreCase == 0
	case IP:
		n, err := parseNetwork(e.Key, s.flags|NoDNS)
		return err != nil || !n.holes
	}
	return false
}

// find looks k up in all layers.
func (s *Set) find(k key, any bool) *Entry {
	ls := *s.live.Load()
	if len(ls) == 1 {
		return ls[0].index.find(k, any).entry
	}
	var best hit
	for i := range ls {
		if h := ls[i].index.find(k, any); h.better(best) {
			if best = h; any {
				break
			}
		}
	}
	return best.entry
}

// newest gives the last live entry of a text, of a set of whole texts.
func (s *Set) newest(text string) *Entry {
	for _, l := range slices.Backward(*s.live.Load()) {
		if e := l.index.(texts).last(text); e != nil {
			return e
		}
	}
	return nil
}

// check tells whether an entry's pattern and value can be read by this set.
func (s *Set) check(e *Entry) error {
	if v, ok := e.Value(); ok {
		if err := checkValue(v, s.out); err != nil {
			return err
		}
	}
	var err error
	switch s.method {
	case Int, Len:
		_, err = parseRange(e.Key)
	case Version:
		_, err = parseVersion(e.Key)
	case IP:
		_, err = parseNetwork(e.Key, s.flags)
	case Bin:
		_, err = ParseHex(e.Key)
	case Reg, RegM:
		compile := sample.CompileMatcher
		if s.method == RegM {
			compile = sample.CompileRegex
		}
		var re *sample.Regex
		if re, err = compile(e.Key, s.flags&IgnoreCase != 0); err == nil {
			if s.regs == nil {
				s.regs = map[*Entry]*sample.Regex{}
			}
			s.regs[e] = re
		}
	}
	return err
}

// build makes an index of entries, all of which passed check.
func (s *Set) build(entries []*Entry) index {
	fold := s.flags&IgnoreCase != 0
	switch s.method {
	case Int:
		return newRanges(entries, parseRange, false)
	case Len:
		return newRanges(entries, parseRange, true)
	case Version:
		return newRanges(entries, parseVersion, false)
	case IP:
		return newNetworks(entries, s.flags)
	case Bin:
		return newBlocks(entries)
	case Str, Group:
		return newStrings(entries, fold)
	case Beg, End:
		return newPrefixes(entries, fold, s.method == End)
	case Sub:
		return newSubstrings(entries, fold)
	case Dir:
		return newWords(entries, fold, "/?")
	case Dom:
		return newWords(entries, fold, "/?.:")
	case Reg, RegM:
		return newExpressions(entries, s.regs)
	case HTTPMethod:
		return newMethods(entries, fold)
	}
	return nothing{}
}

// nothing is the index of Found and Bool, whose patterns have no meaning.
type nothing struct{}

func (nothing) find(key, bool) hit { return hit{} }

// load replaces all layers by one over entries.
func (s *Set) load(entries []*Entry) {
	if len(entries) == 0 {
		s.live.Store(&layers{})
		return
	}
	s.publish(layers{{s.build(entries), entries}})
}

// publish makes look-ups see new layers. Most sets have one: it then lies beside the slice, for requests run through
// hundreds of sets, and memory is what that costs.
func (s *Set) publish(ls layers) {
	if len(ls) != 1 {
		s.live.Store(&ls)
		return
	}
	one := &struct {
		layers
		only [1]layer
	}{only: [1]layer{ls[0]}}
	one.layers = one.only[:]
	s.live.Store(&one.layers)
}

// add puts one entry on top.
func (s *Set) add(e *Entry) {
	top := []*Entry{e}
	ls := append(layers(nil), *s.live.Load()...)
	for len(ls) > 0 {
		below := ls[len(ls)-1].entries
		if len(below) > 2*len(top) && len(below) > smallLayer {
			break
		}
		top = append(living(below), top...)
		ls = ls[:len(ls)-1]
	}
	s.publish(append(ls, layer{s.build(top), top}))
}

// smallLayer is how many entries are cheaper to index again than to look through separately.
const smallLayer = 32

// drop forgets an entry that was marked as gone. Layers keep it until they are merged.
func (s *Set) drop(e *Entry) { delete(s.regs, e) }

// living copies the entries that are not gone.
func living(entries []*Entry) []*Entry {
	kept := make([]*Entry, 0, len(entries)+1)
	for _, e := range entries {
		if !e.gone.Load() {
			kept = append(kept, e)
		}
	}
	return kept
}
