package pattern

import (
	"slices"
	"strings"
)

// prefixIndex is Beg, and End over reversed texts. The texts are sorted and each knows its longest proper
// prefix among them: all prefixes of a string are on the chain that starts at the last text not after it.
type prefixIndex struct {
	texts    []string // folded with fold; as written otherwise, and reversed by comparing backwards
	entries  []*Entry
	outer    []int32 // index of the longest text that is a prefix of this one, or of an equal later one; -1
	fold     bool
	backward bool
}

func newPrefixes(entries []*Entry, fold, backward bool) index {
	x := &prefixIndex{fold: fold, backward: backward}
	x.entries = append(x.entries, entries...)
	compare := func(a, b string) int { return x.compare(a, b) }
	slices.SortStableFunc(x.entries, func(a, b *Entry) int { return compare(a.Key, b.Key) })
	x.texts = make([]string, len(x.entries))
	x.outer = make([]int32, len(x.entries))
	var open []int32 // the texts that are prefixes of the current one, shortest first
	for i := 0; i < len(x.entries); {
		text := x.entries[i].Key
		for len(open) > 0 && !x.begins(text, x.texts[open[len(open)-1]]) {
			open = open[:len(open)-1]
		}
		outer := int32(-1)
		if len(open) > 0 {
			outer = open[len(open)-1]
		}
		same := i + 1
		for same < len(x.entries) && compare(x.entries[same].Key, text) == 0 {
			same++
		}
		for j := i; j < same; j++ {
			x.texts[j] = x.entries[j].Key
			x.outer[j] = int32(j + 1)
		}
		x.outer[same-1] = outer
		open = append(open, int32(i))
		i = same
	}
	return x
}

// at is byte i of a text of n bytes in the direction and case of the index.
func (x *prefixIndex) at(c byte) byte {
	if x.fold {
		return foldByte(c)
	}
	return c
}

// compare orders texts in the direction and case of the index.
func (x *prefixIndex) compare(a, b string) int {
	if !x.fold && !x.backward {
		return strings.Compare(a, b)
	}
	n := min(len(a), len(b))
	for i := range n {
		j, k := i, i
		if x.backward {
			j, k = len(a)-1-i, len(b)-1-i
		}
		if c, d := x.at(a[j]), x.at(b[k]); c != d {
			return int(c) - int(d)
		}
	}
	return len(a) - len(b)
}

// begins tells whether text starts (ends, when backward) with p.
func (x *prefixIndex) begins(text, p string) bool {
	if len(p) > len(text) {
		return false
	}
	part := text[:len(p)]
	if x.backward {
		part = text[len(text)-len(p):]
	}
	return x.compare(part, p) == 0
}

// fewTexts are compared one by one: that is faster than a search.
const fewTexts = 4

func (x *prefixIndex) find(k key, any bool) hit {
	b := k.bytes
	if !x.fold && !x.backward {
		b = upToNUL(b)
	}
	text := viewString(b)
	var n int32
	if len(x.texts) <= fewTexts {
		for n = int32(len(x.texts)) - 1; n >= 0 && !x.begins(text, x.texts[n]); n-- {
		}
		for n > 0 && x.compare(x.texts[n], x.texts[n-1]) == 0 {
			n-- // of equal texts the first leads to the others
		}
	} else {
		low, high := 0, len(x.texts)
		for low < high {
			mid := int(uint(low+high) >> 1)
			if x.compare(x.texts[mid], text) <= 0 {
				low = mid + 1
			} else {
				high = mid
			}
		}
		n = int32(low) - 1
		for n > 0 && x.compare(x.texts[n], x.texts[n-1]) == 0 {
			n--
		}
		for n >= 0 && !x.begins(text, x.texts[n]) {
			n = x.outer[n]
		}
	}
	var best *Entry
	for ; n >= 0; n = x.outer[n] {
		e := x.entries[n]
		if e.gone.Load() {
			continue
		}
		// The longest beginning counts, but the earliest of the ends, and of beginnings without case: the
		// reference keeps those in lists.
		if !x.backward && !x.fold {
			return hit{e, int32(len(e.Key))}
		}
		if best = earlier(best, e); any {
			break
		}
	}
	return hit{entry: best}
}
