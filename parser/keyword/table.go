package keyword

import (
	"fmt"
	"sort"
	"strings"
)

// Table is an ordered set of rows with unique names. Look-ups are for loading time: compiled rules hold what they
// found. It does not change after it was built.
type Table[T any] struct {
	rows   []T
	docs   []*Doc // docs[i] is the shared part of rows[i]
	byName map[string]int
	first  map[string]int // first word of a name -> how many words the longest such name has
	prefix []int          // rows with Doc.Prefix, longest name first
}

// NewTable builds a table that keeps the order of rows. Two rows of one name are an error.
func NewTable[T any, P interface {
	*T
	Row
}](rows []T) (*Table[T], error) {
	t := &Table[T]{rows: rows, byName: make(map[string]int, len(rows)), first: make(map[string]int, len(rows))}
	for i := range rows {
		d := P(&rows[i]).Keyword()
		t.docs = append(t.docs, d)
		if d.Name == "" {
			return nil, fmt.Errorf("keyword: row %d has no name", i)
		}
		if _, dup := t.byName[d.Name]; dup {
			return nil, fmt.Errorf("keyword: %q is declared twice", d.Name)
		}
		t.byName[d.Name] = i
		if d.Prefix {
			t.prefix = append(t.prefix, i)
		}
		head, _, _ := strings.Cut(d.Name, " ")
		t.first[head] = max(t.first[head], strings.Count(d.Name, " ")+1)
	}
	sort.SliceStable(t.prefix, func(a, b int) bool { return len(t.docs[t.prefix[a]].Name) > len(t.docs[t.prefix[b]].Name) })
	return t, nil
}

// With returns a table with further rows behind those of t, which stays as it is.
func With[T any, P interface {
	*T
	Row
}](t *Table[T], rows ...T) (*Table[T], error) {
	return NewTable[T, P](append(t.rows[:len(t.rows):len(t.rows)], rows...))
}

// Len returns the number of rows.
func (t *Table[T]) Len() int { return len(t.rows) }

// Row returns row i in declared order.
func (t *Table[T]) Row(i int) *T { return &t.rows[i] }

// Doc returns the shared part of row i.
func (t *Table[T]) Doc(i int) *Doc { return t.docs[i] }

// Get returns the row of exactly this name, else the one with Prefix whose name starts it, else nil.
func (t *Table[T]) Get(name string) *T {
	if i, ok := t.byName[name]; ok {
		return &t.rows[i]
	}
	for _, i := range t.prefix {
		if strings.HasPrefix(name, t.docs[i].Name) {
			return &t.rows[i]
		}
	}
	return nil
}

// Match returns the row whose name is the longest run of words from word(0) on, and how many words that is; word
// returns "" past the end of the line. It returns nil and 0 when not even the first word is a keyword.
func (t *Table[T]) Match(word func(int) string) (row *T, words int) {
	head := word(0)
	if strings.Contains(head, " ") {
		return nil, 0 // a name of several words that was written as one
	}
	n := t.first[head]
	if n > 1 {
		var b strings.Builder
		b.WriteString(head)
		best := -1
		if i, ok := t.byName[head]; ok {
			best, words = i, 1
		}
		for w := 1; w < n; w++ {
			next := word(w)
			if next == "" {
				break
			}
			b.WriteByte(' ')
			b.WriteString(next)
			if i, ok := t.byName[b.String()]; ok {
				best, words = i, w+1
			}
		}
		if best >= 0 {
			return &t.rows[best], words
		}
	}
	if row = t.Get(head); row != nil {
		return row, 1
	}
	return nil, 0
}

// Names returns the names in declared order; those with Prefix end in "(*)".
func (t *Table[T]) Names() []string {
	names := make([]string, len(t.docs))
	for i, d := range t.docs {
		names[i] = d.Name
		if d.Prefix {
			names[i] += "(*)"
		}
	}
	return names
}

// Suggest returns the first word of a name that word is most likely a misspelling of, or "". Words that are known
// but stand in no table are given in extra.
func (t *Table[T]) Suggest(word string, extra ...string) string {
	s := NewSuggester(word)
	for _, d := range t.docs {
		head, _, _ := strings.Cut(d.Name, " ")
		s.Try(head)
	}
	for _, name := range extra {
		s.Try(name)
	}
	return s.Best()
}
