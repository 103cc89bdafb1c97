package pattern

import "strings"

// wordIndex is Dir and Dom: the pattern, without delimiters around it, is one or several whole words of the
// text. The table is asked for each run of words that is not longer than the longest pattern.
type wordIndex struct {
	table stringTable
	delim [256]bool
	most  int // words in the longest pattern
}

func newWords(entries []*Entry, fold bool, delimiters string) index {
	x := &wordIndex{table: newStringTable(len(entries), fold)}
	for i := range len(delimiters) {
		x.delim[delimiters[i]] = true
	}
	for _, e := range entries {
		text := strings.Trim(e.Key, delimiters)
		if text == "" {
			continue // nothing but delimiters: in no text
		}
		words := 1
		for i := range len(text) {
			if x.delim[text[i]] {
				words++
			}
		}
		x.most = max(x.most, words)
		x.table.put(e, text)
	}
	return x
}

func (x *wordIndex) find(k key, any bool) hit {
	b := k.bytes
	var best *Entry
	for from := 0; from < len(b); from++ {
		if x.delim[b[from]] || from > 0 && !x.delim[b[from-1]] {
			continue
		}
		words := 0
		for to := from + 1; to <= len(b) && words < x.most; to++ {
			if to < len(b) && !x.delim[b[to]] {
				continue
			}
			words++
			if e := x.table.get(b[from:to]); e != nil {
				if best = earlier(best, e); any {
					return hit{entry: best}
				}
			}
		}
	}
	return hit{entry: best}
}
