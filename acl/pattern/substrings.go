package pattern

import (
	"bytes"
	"unsafe"

	"hapax/runtime/message"
)

// viewString reads b as a string without a copy. The string must not outlive the call it is passed to.
func viewString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// fewSubstrings are searched one after the other with the processor's own instructions; more of them with one
// pass over the text.
const fewSubstrings = 8

func newSubstrings(entries []*Entry, fold bool) index {
	if len(entries) <= fewSubstrings {
		x := &needles{entries: entries, fold: fold}
		for _, e := range entries {
			x.texts = append(x.texts, []byte(e.Key))
		}
		return x
	}
	return newAutomaton(entries, fold)
}

// needles is Sub with few patterns.
type needles struct {
	texts   [][]byte
	entries []*Entry
	fold    bool
}

func (x *needles) find(k key, _ bool) hit {
	for i, text := range x.texts {
		if x.contains(k.bytes, text) && !x.entries[i].gone.Load() {
			return hit{entry: x.entries[i]}
		}
	}
	return hit{}
}

func (x *needles) contains(b, text []byte) bool {
	if !x.fold {
		return bytes.Contains(b, text)
	}
	for ; len(b) >= len(text); b = b[1:] {
		if message.EqualFold(b[:len(text)], text) {
			return true
		}
	}
	return false
}

// automaton is Sub with many patterns: the automaton of Aho and Corasick (1975). A state is a string that
// some pattern begins with; failing leads to the longest other state that it ends with.
type automaton struct {
	root   [256]int32
	states []state
	edges  []edge // those of one state lie together, sorted by byte
	found  [][]*Entry
	fold   bool
}

type state struct {
	first, count int32 // in edges
	fail         int32
	found        int32 // index into found of the patterns that end here; -1 when none does
	shorter      int32 // the next state on the way of failures where a pattern ends; -1
}

type edge struct {
	to int32
	c  byte
}

func newAutomaton(entries []*Entry, fold bool) *automaton {
	x := &automaton{fold: fold}
	type node struct {
		kids  map[byte]int32
		found int32
	}
	trie := []node{{found: -1}}
	for _, e := range entries {
		at := int32(0)
		for i := range len(e.Key) {
			c := e.Key[i]
			if fold {
				c = foldByte(c)
			}
			next, ok := trie[at].kids[c]
			if !ok {
				next = int32(len(trie))
				trie = append(trie, node{found: -1})
				if trie[at].kids == nil {
					trie[at].kids = map[byte]int32{}
				}
				trie[at].kids[c] = next
			}
			at = next
		}
		if trie[at].found < 0 {
			trie[at].found = int32(len(x.found))
			x.found = append(x.found, nil)
		}
		x.found[trie[at].found] = append(x.found[trie[at].found], e)
	}
	x.states = make([]state, len(trie))
	for n := range trie {
		s := &x.states[n]
		s.first, s.found, s.shorter = int32(len(x.edges)), trie[n].found, -1
		for c := range 256 {
			if to, ok := trie[n].kids[byte(c)]; ok {
				x.edges = append(x.edges, edge{to, byte(c)})
			}
		}
		s.count = int32(len(x.edges)) - s.first
	}
	queue := make([]int32, 0, len(trie))
	for _, e := range x.edges[:x.states[0].count] {
		x.root[e.c] = e.to
		queue = append(queue, e.to)
	}
	for i := 0; i < len(queue); i++ {
		s := x.states[queue[i]]
		for _, e := range x.edges[s.first : s.first+s.count] {
			to := &x.states[e.to]
			to.fail = x.step(s.fail, e.c)
			if to.shorter = to.fail; x.states[to.fail].found < 0 {
				to.shorter = x.states[to.fail].shorter
			}
			queue = append(queue, e.to)
		}
	}
	return x
}

// step goes on from state n with byte c.
func (x *automaton) step(n int32, c byte) int32 {
	for n != 0 {
		s := &x.states[n]
		for _, e := range x.edges[s.first : s.first+s.count] {
			if e.c == c {
				return e.to
			}
		}
		n = s.fail
	}
	return x.root[c]
}

func (x *automaton) find(k key, any bool) hit {
	var best *Entry
	n := int32(0)
	for _, c := range k.bytes {
		if x.fold {
			c = foldByte(c)
		}
		n = x.step(n, c)
		for m := n; m > 0; m = x.states[m].shorter {
			if f := x.states[m].found; f >= 0 {
				for _, e := range x.found[f] {
					if !e.gone.Load() {
						if best = earlier(best, e); any {
							return hit{entry: best}
						}
						break
					}
				}
			}
		}
	}
	return hit{entry: best}
}
