package pattern

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"hapax/acl/sample"
	"hapax/runtime/event"
)

// Ref is a collection of patterns that the runtime API can change: a file shared by all that name it, or the
// patterns of one ACL line. Its entries belong to generations, one of which is in use: others are filled
// beside it and take its place at once (management manual, "prepare map").
type Ref struct {
	name    string // path of the file, or "virt@..." as written; empty for the patterns of a line
	display string // where it is used, for the runtime API

	mu       sync.Mutex // held by whoever changes anything below
	id       int
	usedBy   Use
	valued   bool // a map: entries have values
	file     bool // read from a file
	optional bool // the file need not be there
	indexed  bool // all generations are indexed from the beginning
	order    uint64
	current  uint32
	next     uint32
	count    uint64
	tally    *tally
	gens     map[uint32]*generation
	sets     []*Set

	Events event.List[Event] // who is told of changes of the entries in use
}

// Event is what was done to the entries in use. Its words are those by which scripts in Lua subscribe.
type Event uint8

const (
	Added Event = iota
	Deleted
	Changed
	Cleared
	Committed
)

func (e Event) String() string {
	return [...]string{"PAT_REF_ADD", "PAT_REF_DEL", "PAT_REF_SET", "PAT_REF_CLEAR", "PAT_REF_COMMIT"}[e]
}

// Use tells what a Ref is used as, as a set of bits: a file may serve an ACL and a map.
type Use uint8

const (
	ACL Use = 1 << iota
	Map
)

func (u Use) String() string {
	if u&Map != 0 {
		return "map"
	}
	return "acl"
}

// generation is one version of the entries of a Ref.
type generation struct {
	entries []*Entry
	gone    int       // how many of entries are marked as gone
	index   *keyIndex // nil while there are few entries
}

// indexAll indexes the entries when they are more than a few.
func (g *generation) indexAll() {
	if g.index != nil || len(g.entries) <= unindexed {
		return
	}
	g.index = newKeyIndex(len(g.entries))
	for _, e := range g.entries {
		if !e.gone.Load() {
			g.index.put(e)
		}
	}
}

// newest gives the last entry of a key, nil when there is none or no such generation.
func (g *generation) newest(text string) *Entry {
	if g == nil {
		return nil
	}
	if g.indexAll(); g.index != nil {
		return g.index.find(text)
	}
	for _, e := range slices.Backward(g.entries) {
		if e.Key == text && !e.gone.Load() {
			return e
		}
	}
	return nil
}

func (g *generation) append(e *Entry) {
	g.entries = append(g.entries, e)
	if g.index != nil {
		g.index.put(e)
	}
}

func (g *generation) remove(e *Entry) {
	e.gone.Store(true)
	g.gone++
	if g.index != nil {
		g.index.drop(e)
	}
	if g.gone > len(g.entries)/2 {
		g.entries, g.gone = living(g.entries), 0
	}
}

// ChangedByTraffic makes the look-up of entries by their text ready. Without, that is done when the runtime API first asks
// for an entry; what it changes traffic does not wait for, but actions that change entries take the same lock.
func (r *Ref) ChangedByTraffic() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.indexed = true
	for version, g := range r.gens {
		if version != r.current || r.whole() == nil {
			g.indexAll()
		}
	}
}

// whole gives a set that finds entries in use by their whole text, nil without one.
func (r *Ref) whole() *Set {
	for _, s := range r.sets {
		if s.method == Str && s.flags&IgnoreCase == 0 {
			return s
		}
	}
	return nil
}

// newest gives the last entry of a key in a generation, nil when there is none. That in use needs no index beside that of
// a set of whole texts.
func (r *Ref) newest(version uint32, text string) *Entry {
	if s := r.whole(); s != nil && version == r.current {
		return s.newest(text)
	}
	return r.gens[version].newest(text)
}

// ID is the number by which the runtime API names the Ref, -1 before Refs.Number.
func (r *Ref) ID() int { return r.id }

// Name is the file as the configuration names it, without "file@" and "opt@"; empty for patterns of a line.
func (r *Ref) Name() string { return r.name }

// Display tells where the patterns come from and who uses them.
func (r *Ref) Display() string { return r.display }

// UsedBy tells what the Ref is used as.
func (r *Ref) UsedBy() Use { return r.usedBy }

// Valued tells whether the entries have values.
func (r *Ref) Valued() bool { return r.valued }

// Sets are the ways in which the Ref is matched, in the order in which they came up. Of sets whose patterns
// the reference keeps in one list only the first is given.
func (r *Ref) Sets() []*Set {
	var shown []*Set
next:
	for _, s := range r.sets {
		for _, other := range shown {
			if s.method.storage() == other.method.storage() && s.flags == other.flags && s.out == other.out {
				continue next
			}
		}
		shown = append(shown, s)
	}
	return shown
}

// Versions are the generation in use and the last one that was prepared.
func (r *Ref) Versions() (current, next uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.next
}

// Count is the number of patterns as the reference counts them: each adds one for each way of matching, and takes
// one away when it goes, or could not be read.
func (r *Ref) Count() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Entries gives the entries of a generation in their order, those that are gone by now among them. Nobody may change the
// slice: it is the generation's own, so that a dump of millions of entries needs no memory.
func (r *Ref) Entries(version uint32) []*Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g := r.gens[version]; g != nil {
		return g.entries[:len(g.entries):len(g.entries)]
	}
	return nil
}

func (r *Ref) generation(version uint32) *generation {
	g := r.gens[version]
	if g == nil {
		if r.gens == nil {
			r.gens = make(map[uint32]*generation, 1)
		}
		g = new(generation)
		if r.indexed {
			g.index = newKeyIndex(0)
		}
		r.gens[version] = g
	}
	return g
}

// entry makes an entry that is in no generation yet.
func (r *Ref) entry(text string, value *string, line int) *Entry {
	r.order++
	r.tally.added.Add(1)
	e := &Entry{Key: text, Line: int32(line), order: r.order}
	if value != nil {
		e.value.Store(value)
	}
	return e
}

// Set gives the set that matches the Ref in this way and makes it when it is new: then all entries are read
// with method and flags, and the first that cannot be read is an error. out is the type of the values of a
// map, Any for an ACL.
func (r *Ref) Set(method Method, flags Flags, out sample.Type) (*Set, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sets {
		if s.method == method && s.flags == flags && s.out == out {
			return s, nil
		}
	}
	s := &Set{ref: r, method: method, flags: flags, out: out}
	var entries []*Entry
	if g := r.gens[r.current]; g != nil {
		entries = living(g.entries)
	}
	for _, e := range entries {
		if err := s.check(e); err != nil {
			if e.Line > 0 {
				err = fmt.Errorf("%w at line %d of file '%s'", err, e.Line, r.name)
			}
			return nil, err
		}
	}
	s.load(entries)
	ways := len(r.Sets())
	r.sets = append(r.sets, s)
	r.count += uint64(len(entries) * (len(r.Sets()) - ways))
	return s, nil
}

// Append reads the patterns of an ACL's line one after the other, as far as they can be read, and then
// publishes them.
func (r *Ref) Append(texts []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.generation(r.current)
	var err error
	for _, text := range texts {
		e := r.entry(text, nil, 0)
		if err = r.check(e); err != nil {
			r.tally.freed.Add(1)
			break
		}
		r.keep(g, e)
	}
	for _, s := range r.sets {
		s.load(g.entries)
	}
	return err
}

// keep puts an entry that all sets can read into a generation.
func (r *Ref) keep(g *generation, e *Entry) {
	g.append(e)
	r.count += uint64(len(r.Sets()))
}

// check has all sets read an entry.
func (r *Ref) check(e *Entry) error {
	for _, s := range r.sets {
		if err := s.check(e); err != nil {
			return err
		}
	}
	return nil
}

// ErrNotFound says that no entry has the key.
var ErrNotFound = errors.New("entry not found")

// Add puts an entry into a generation; value is nil for an ACL. In the generation in use it counts at once.
func (r *Ref) Add(version uint32, text string, value *string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(version, text, value)
}

func (r *Ref) add(version uint32, text string, value *string) error {
	e := r.entry(text, value, 0)
	if err := r.check(e); err != nil {
		r.count--
		r.tally.freed.Add(1)
		return err
	}
	r.keep(r.generation(version), e)
	if version == r.current {
		for _, s := range r.sets {
			s.add(e)
		}
		r.Events.Publish(Added)
	}
	return nil
}

// Put gives the newest entry of a key in the generation in use another value, or adds an entry when there is none. value
// is nil for an ACL, whose entry is left as it is. What cannot be read changes nothing.
func (r *Ref) Put(text string, value *string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e := r.newest(r.current, text); {
	case e == nil:
		r.add(r.current, text, value)
	case value != nil:
		r.change(r.current, text, *value)
	}
}

// Change gives the newest entry of a key in a generation another value.
func (r *Ref) Change(version uint32, text, value string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.change(version, text, value)
}

func (r *Ref) change(version uint32, text, value string) error {
	e := r.newest(version, text)
	if e == nil {
		return ErrNotFound
	}
	if err := r.changeEntry(e, value); err != nil {
		return err
	}
	if version == r.current {
		r.Events.Publish(Changed)
	}
	return nil
}

// Find gives the newest entry of a key in a generation, nil when there is none.
func (r *Ref) Find(version uint32, text string) *Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.newest(version, text)
}

// ByID gives the entry whose ID is id, nil when there is none.
func (r *Ref) ByID(id string) *Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.gens {
		for _, e := range g.entries {
			if !e.gone.Load() && e.ID() == id {
				return e
			}
		}
	}
	return nil
}

// ChangeEntry gives one entry another value. That is no event, as on the reference.
func (r *Ref) ChangeEntry(e *Entry, value string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changeEntry(e, value)
}

func (r *Ref) changeEntry(e *Entry, value string) error {
	for _, s := range r.sets {
		if err := checkValue(value, s.out); err != nil {
			return err
		}
	}
	e.value.Store(&value)
	return nil
}

// Delete takes the newest entry of a key out of the generation in use and reports whether there was one.
func (r *Ref) Delete(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.newest(r.current, text)
	if e == nil {
		return false
	}
	r.remove(r.gens[r.current], e)
	return true
}

// DeleteEntry takes one entry out of whatever generation it belongs to.
func (r *Ref) DeleteEntry(e *Entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.gens {
		for _, other := range g.entries {
			if other == e && !e.gone.Load() {
				r.remove(g, e)
				return true
			}
		}
	}
	return false
}

func (r *Ref) remove(g *generation, e *Entry) {
	g.remove(e)
	r.count--
	r.tally.freed.Add(1)
	for _, s := range r.sets {
		s.drop(e)
	}
	r.Events.Publish(Deleted)
}

// Prepare begins a new generation and gives its number.
func (r *Ref) Prepare() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	return r.next
}

// Commit puts a generation in use that was prepared after the current one, and forgets all before it. It
// reports whether the number was in range.
func (r *Ref) Commit(version uint32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Numbers wrap: what counts is the distance to the current one.
	if version-(r.current+1) >= r.next-r.current {
		return false
	}
	r.current = version
	for v, g := range r.gens {
		if version-1-v <= 1<<31-1 {
			r.forget(v, g)
		}
	}
	r.publish()
	r.Events.Publish(Committed)
	return true
}

// Clear empties one generation.
func (r *Ref) Clear(version uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if g := r.gens[version]; g != nil {
		r.forget(version, g)
		if version == r.current {
			r.publish()
			r.Events.Publish(Cleared)
		}
	}
}

func (r *Ref) forget(version uint32, g *generation) {
	delete(r.gens, version)
	gone := uint64(len(g.entries) - g.gone)
	r.count -= gone
	r.tally.freed.Add(gone)
	for _, s := range r.sets {
		for _, e := range g.entries {
			s.drop(e)
		}
	}
}

// publish has all sets match the current generation.
func (r *Ref) publish() {
	var entries []*Entry
	if g := r.gens[r.current]; g != nil {
		entries = living(g.entries)
	}
	for _, s := range r.sets {
		s.load(entries)
	}
}
