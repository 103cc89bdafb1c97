package pattern

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync/atomic"
)

// Refs are all collections of patterns of one configuration. Loading is single-threaded; the list does not
// change afterwards.
type Refs struct {
	// Dir is where relative names of files begin; empty for the working directory (default-path).
	Dir string

	list   []*Ref
	byName map[string]*Ref
	tally  tally
}

// tally counts the patterns of all collections since the start; it may be read at any time.
type tally struct{ added, freed atomic.Uint64 }

// Counts tells how many patterns came in since the start, and how many of them are gone.
func (rs *Refs) Counts() (added, freed uint64) { return rs.tally.added.Load(), rs.tally.freed.Load() }

// All gives the collections in the order of their numbers, once they have any.
func (rs *Refs) All() []*Ref { return rs.list }

// Hide takes out of the list what was made since it had n collections: it is nobody's to see or to change.
func (rs *Refs) Hide(n int) { rs.list = rs.list[:n] }

// Lookup finds a file by its name. "file@" and "opt@" before it change nothing.
func (rs *Refs) Lookup(name string) *Ref { return rs.byName[plainName(name)] }

// LookupID finds a collection by its number.
func (rs *Refs) LookupID(id int) *Ref {
	for _, r := range rs.list {
		if r.id == id {
			return r
		}
	}
	return nil
}

// Inline makes the collection of the patterns of one ACL line. id is -1 when the line gives none (-u).
func (rs *Refs) Inline(id int, display string) *Ref {
	r := &Ref{id: id, display: display, usedBy: ACL, tally: &rs.tally}
	rs.list = append(rs.list, r)
	return r
}

// Number gives numbers to the collections that have none and sorts them. It is called once, when the whole
// configuration was read.
func (rs *Refs) Number() {
	taken := make(map[int]bool)
	for _, r := range rs.list {
		taken[r.id] = true
	}
	next := 0
	for _, r := range rs.list {
		if r.id < 0 {
			for taken[next] {
				next++
			}
			r.id = next
			next++
		}
	}
	sort.SliceStable(rs.list, func(a, b int) bool { return rs.list[a].id < rs.list[b].id })
}

// File gives the collection of a file and reads it when it is the first to name it. where is the place that
// uses it, "file 'x' line n". With valued each line holds a key and a value.
func (rs *Refs) File(name string, use Use, valued bool, where string) (*Ref, error) {
	if r := rs.Lookup(name); r != nil {
		switch {
		case valued && !r.valued:
			return nil, fmt.Errorf("The file \"%s\" is already used as one column file and cannot be used by as two column file.", name)
		case !valued && r.valued:
			return nil, fmt.Errorf("The file \"%s\" is already used as two column file and cannot be used by as one column file.", name)
		}
		r.display += fmt.Sprintf(", by %s at %s", use, where)
		r.usedBy |= use
		return r, nil
	}
	r := &Ref{
		id:      -1,
		name:    plainName(name),
		display: fmt.Sprintf("pattern loaded from file '%s' used by %s at %s", name, use, where),
		usedBy:  use,
		valued:  valued,
		file:    true,
		tally:   &rs.tally,
	}
	switch {
	case strings.HasPrefix(name, "virt@") && len(name) > len("virt@"):
		r.file = false
	case strings.HasPrefix(name, "opt@") && len(name) > len("opt@"):
		r.optional = true
	}
	if r.file {
		if err := r.read(rs.Dir); err != nil {
			return nil, err
		}
	}
	if rs.byName == nil {
		rs.byName = make(map[string]*Ref)
	}
	rs.byName[r.name] = r
	rs.list = append(rs.list, r)
	return r, nil
}

// plainName cuts off the prefixes that do not belong to the name of a file.
func plainName(name string) string {
	for _, prefix := range [...]string{"file@", "opt@"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			return rest
		}
	}
	return name
}

// read fills the first generation from the file.
func (r *Ref) read(dir string) error {
	path := r.name
	if dir != "" && path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		var open *os.PathError
		if errors.As(err, &open) && open.Op == "open" {
			if r.optional {
				r.file = false
				return nil
			}
			return fmt.Errorf("failed to open pattern file <%s>", r.name)
		}
		return fmt.Errorf("error encountered while reading  <%s> : %s", r.name, reason(err))
	}
	r.parse(string(data))
	return nil
}

// reason gives the system's words for a failed read, as the C library writes them.
func reason(err error) string {
	var e *os.PathError
	if !errors.As(err, &e) {
		return err.Error()
	}
	text := e.Err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// slab is how many entries of a file are allocated at once.
const slab = 1024

// longestLine is how many bytes of a line, its line feed included, are read at once: as on the reference, what follows
// them is a line of its own.
const longestLine = 16383

// cutLine cuts the first line off data.
func cutLine(data string) (line, rest string) {
	some := data[:min(len(data), longestLine)]
	if i := strings.IndexByte(some, '\n'); i >= 0 {
		return data[:i], data[i+1:]
	}
	return some, data[len(some):]
}

// parse reads the lines of a file. Comments are lines whose very first character is '#'. Blanks at the start
// of a line are skipped; the pattern of a one-column file is the whole rest, that of a two-column file one
// word, and its value the rest without blanks around it (configuration manual, 7.1.1). The entries point
// into data.
func (r *Ref) parse(data string) {
	g := r.generation(r.current)
	var entries []Entry
	var values []string
	lines := strings.Count(data, "\n") + 1
	for line := 1; data != ""; line++ {
		var text string
		text, data = cutLine(data)
		if i := strings.IndexAny(text, "\r\x00"); i >= 0 {
			text = text[:i]
		}
		if strings.HasPrefix(text, "#") {
			continue
		}
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			continue
		}
		if len(entries) == 0 {
			entries = make([]Entry, min(slab, max(lines-line, 0)+1))
			values = make([]string, len(entries))
		}
		e := &entries[0]
		r.order++
		e.Key, e.Line, e.order = text, int32(line), r.order
		if r.valued {
			if i := strings.IndexAny(text, " \t"); i >= 0 {
				e.Key, values[0] = text[:i], strings.Trim(text[i:], " \t")
			}
			e.value.Store(&values[0])
		}
		g.entries = append(g.entries, e)
		entries, values = entries[1:], values[1:]
	}
	r.tally.added.Add(uint64(len(g.entries)))
}
