package pattern

import "hapax/acl/sample"

// regexIndex is Reg and RegM: expressions are tried one after the other.
type regexIndex struct {
	entries []*Entry
	regs    []*sample.Regex
}

func newExpressions(entries []*Entry, compiled map[*Entry]*sample.Regex) index {
	x := &regexIndex{entries: entries}
	for _, e := range entries {
		x.regs = append(x.regs, compiled[e])
	}
	return x
}

func (x *regexIndex) find(k key, _ bool) hit {
	for i, re := range x.regs {
		if re.Match(k.bytes) && !x.entries[i].gone.Load() {
			return hit{entry: x.entries[i]}
		}
	}
	return hit{}
}

// LookupGroups is Lookup for RegM: it also gives the groups of the match.
func (s *Set) LookupGroups(ctx *sample.Context, v *sample.Value, g *sample.Groups) *Entry {
	if !sample.Cast(ctx, v, s.method.Expects()) {
		return nil
	}
	for _, l := range *s.live.Load() {
		x := l.index.(*regexIndex)
		for i, re := range x.regs {
			if !x.entries[i].gone.Load() && re.Find(v.Bytes, true, g) {
				return x.entries[i]
			}
		}
	}
	return nil
}
