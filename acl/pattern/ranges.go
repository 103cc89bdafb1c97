package pattern

import (
	"cmp"
	"slices"
	"sort"
)

// rangeIndex is Int, Len and Version: intervals sorted by their lower ends. The search begins at the last one
// that starts not after the number and goes back while an interval before it can still reach that far.
type rangeIndex struct {
	ranges []ranged
	reach  []int64 // the highest upper end up to each interval
	length bool    // Len: the number is the length of the text
}

type ranged struct {
	interval
	entry *Entry
}

func newRanges(entries []*Entry, parse func(string) (interval, error), length bool) index {
	x := &rangeIndex{length: length}
	for _, e := range entries {
		r, _ := parse(e.Key)
		x.ranges = append(x.ranges, ranged{r, e})
	}
	slices.SortStableFunc(x.ranges, func(a, b ranged) int { return cmp.Compare(a.min, b.min) })
	reach := int64(lowest)
	for _, r := range x.ranges {
		reach = max(reach, r.max)
		x.reach = append(x.reach, reach)
	}
	return x
}

func (x *rangeIndex) find(k key, any bool) hit {
	n := k.number
	if x.length {
		n = int64(len(k.bytes))
	}
	var best *Entry
	i := sort.Search(len(x.ranges), func(i int) bool { return x.ranges[i].min > n })
	for i--; i >= 0 && x.reach[i] >= n; i-- {
		if r := &x.ranges[i]; n <= r.max && !r.entry.gone.Load() {
			if best = earlier(best, r.entry); any {
				break
			}
		}
	}
	return hit{entry: best}
}
