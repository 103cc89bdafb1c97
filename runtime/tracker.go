package runtime

import (
	"hapax/acl"
	"hapax/acl/sample"
	"hapax/runtime/sticktable/table"
)

// Tracker follows an entry of a stick table: what happens is counted there. The zero value follows none. Sessions and
// streams have some, by number (tune.stick-counters); a stream looks at those of its session where it has none itself.
// Package runtime/sticktable looks after them.
type Tracker struct {
	Entry table.Ref
	Back  bool // a rule of a backend began with it, behind the frontend's rules
}

// Stored is an entry that "stick store" rules make as soon as the stream's server has answered.
type Stored struct {
	Table *table.Table
	Key   []byte // the stream's own
}

// StickRule is one "stick" line. Section 4.2.
type StickRule struct {
	Key          *sample.Expr
	Table        *table.Table
	Cond         *acl.Cond // nil: always
	Match, Store bool
}

// Statuses is a set of HTTP statuses below 600.
type Statuses [10]uint64

// Has tells whether a status is in the set.
func (s *Statuses) Has(status int) bool {
	return status >= 0 && status < 64*len(s) && s[status/64]>>(status%64)&1 != 0
}

// Put puts the statuses from low to high into the set, or takes them out.
func (s *Statuses) Put(low, high int, in bool) {
	for ; low <= high; low++ {
		if bit := uint64(1) << (low % 64); in {
			s[low/64] |= bit
		} else {
			s[low/64] &^= bit
		}
	}
}
