package pattern

import (
	"reflect"
	"strconv"
	"sync/atomic"
)

// Entry is one pattern of a Ref as text, with its value when the Ref is a map.
type Entry struct {
	Key   string
	Line  int32 // of its file, counted from 1; 0 when it came from elsewhere
	gone  atomic.Bool
	value atomic.Pointer[string]
	order uint64 // earlier entries win where order decides
	older *Entry // of the same key in the same generation, once that looks entries up by their text; its Ref's mutex is held
}

// Value is the text on the right of a map entry; ok is false for an ACL's pattern.
func (e *Entry) Value() (text string, ok bool) {
	if p := e.value.Load(); p != nil {
		return *p, true
	}
	return "", false
}

// Gone tells whether the entry was removed.
func (e *Entry) Gone() bool { return e.gone.Load() }

// ID is the address of the entry as the runtime API prints and takes it.
func (e *Entry) ID() string { return string(e.AppendID(nil)) }

// AppendID appends the ID.
func (e *Entry) AppendID(b []byte) []byte {
	return strconv.AppendUint(append(b, "0x"...), uint64(reflect.ValueOf(e).Pointer()), 16)
}

// hit is what an index found: an entry, and how closely it matched. Among several indexes the closest hit
// counts, then the earliest entry.
type hit struct {
	entry *Entry
	depth int32
}

// better tells whether h is to be preferred to other.
func (h hit) better(other hit) bool {
	if h.entry == nil || other.entry == nil {
		return h.entry != nil
	}
	if h.depth != other.depth {
		return h.depth > other.depth
	}
	return h.entry.order < other.entry.order
}

// earlier gives the one of two live entries that came first; either may be nil.
func earlier(a, b *Entry) *Entry {
	if a == nil || b != nil && b.order < a.order {
		return b
	}
	return a
}
