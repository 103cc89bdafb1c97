package pattern

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"

	"hapax/acl/sample"
)

// wide is an address as a number: IPv6 in network order, IPv4 in the high half of hi, so that one index
// serves both.
type wide struct{ hi, lo uint64 }

func wideOf(a netip.Addr) wide {
	if a.Is4() {
		return wide{hi: uint64(v4bits(a)) << 32}
	}
	b := a.As16()
	return wide{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a wide) compare(b wide) int {
	if c := cmp.Compare(a.hi, b.hi); c != 0 {
		return c
	}
	return cmp.Compare(a.lo, b.lo)
}

// first gives a with all bits behind the prefix cleared, last with all of them set.
func (a wide) first(bits int) wide {
	if bits <= 64 {
		return wide{hi: a.hi &^ (^uint64(0) >> bits)}
	}
	return wide{a.hi, a.lo &^ (^uint64(0) >> (bits - 64))}
}

func (a wide) last(bits int) wide {
	if bits <= 64 {
		return wide{a.hi | ^uint64(0)>>bits, ^uint64(0)}
	}
	return wide{a.hi, a.lo | ^uint64(0)>>(bits-64)}
}

// next is the number after a; ok is false after the highest.
func (a wide) next() (wide, bool) {
	a.lo++
	if a.lo == 0 {
		a.hi++
	}
	return a, a != wide{}
}

// prefixed is a network in a prefixTable.
type prefixed struct {
	entry *Entry
	outer int32 // the network around it, or an equal one that came later; -1 for none
	bits  int16
}

// prefixTable finds the longest prefix of an address. The address space is cut where networks begin and end:
// starts[i] is the first address that owner[i], the innermost network, holds. A look-up is a binary search.
type prefixTable struct {
	networks []prefixed
	starts   []wide
	owner    []int32 // index into networks, -1 where no network is

	// top narrows the search by the first 16 bits of the address: the index of the first start in each
	// range. nil for small tables.
	top []int32
}

// topped is the number of starts from which the narrowing pays for its memory.
const topped = 4096

type sortable struct {
	from  wide
	entry *Entry
	bits  int16
}

func (s *sortable) last() wide { return s.from.last(int(s.bits)) }

// newPrefixTable builds a table over networks, given in the order of their entries.
func newPrefixTable(list []sortable) prefixTable {
	slices.SortStableFunc(list, func(a, b sortable) int {
		if c := a.from.compare(b.from); c != 0 {
			return c
		}
		return cmp.Compare(a.bits, b.bits)
	})
	t := prefixTable{networks: make([]prefixed, len(list))}
	if len(list) > 0 { // most networks lie side by side
		t.starts, t.owner = make([]wide, 0, len(list)+1), make([]int32, 0, len(list)+1)
	}
	var open []int32 // the networks around the current address, outermost first
	leave := func(before *wide) {
		for len(open) > 0 {
			n := open[len(open)-1]
			end, more := list[n].last().next()
			if before != nil && (!more || before.less(end)) {
				return
			}
			open = open[:len(open)-1]
			if more {
				outer := int32(-1)
				if len(open) > 0 {
					outer = open[len(open)-1]
				}
				t.mark(end, outer)
			}
		}
	}
	for i := 0; i < len(list); {
		s := &list[i]
		leave(&s.from)
		outer := int32(-1)
		if len(open) > 0 {
			outer = open[len(open)-1]
		}
		same := i + 1
		for same < len(list) && list[same].from == s.from && list[same].bits == s.bits {
			same++
		}
		// Of equal networks the first one counts while it lives; each leads to the next.
		for j := i; j < same; j++ {
			t.networks[j] = prefixed{list[j].entry, int32(j + 1), s.bits}
		}
		t.networks[same-1].outer = outer
		t.mark(s.from, int32(i))
		open = append(open, int32(i))
		i = same
	}
	leave(nil)
	if len(t.starts) >= topped {
		t.top = make([]int32, 1<<16+1)
		i := 0
		for high := range t.top {
			for i < len(t.starts) && int(t.starts[i].hi>>48) < high {
				i++
			}
			t.top[high] = int32(i)
		}
	}
	return t
}

// mark says that from an address on another network is the innermost one.
func (t *prefixTable) mark(from wide, network int32) {
	if n := len(t.starts); n > 0 && t.starts[n-1] == from {
		t.owner[n-1] = network
		return
	}
	t.starts = append(t.starts, from)
	t.owner = append(t.owner, network)
}

// get finds the longest network with a live entry that holds a.
func (t *prefixTable) get(a wide) (e *Entry, bits int16) {
	low, high := 0, len(t.starts)
	if t.top != nil {
		at := a.hi >> 48
		low, high = int(t.top[at]), int(t.top[at+1])
	}
	for low < high {
		mid := int(uint(low+high) >> 1)
		if a.less(t.starts[mid]) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	if low == 0 {
		return nil, 0
	}
	for n := t.owner[low-1]; n >= 0; n = t.networks[n].outer {
		if e := t.networks[n].entry; !e.gone.Load() {
			return e, t.networks[n].bits
		}
	}
	return nil, 0
}

// networkIndex is IP.
type networkIndex struct {
	v4, v6 prefixTable
	holes  []network // with the entries in odd, in their order
	odd    []*Entry
}

func newNetworks(entries []*Entry, flags Flags) index {
	x := &networkIndex{}
	var v4, v6 []sortable
	add := func(list []sortable, s sortable, left int) []sortable {
		if list == nil {
			list = make([]sortable, 0, left)
		}
		return append(list, s)
	}
	for i, e := range entries {
		n, err := parseNetwork(e.Key, flags)
		switch {
		case err != nil: // a host whose name no longer resolves
		case n.holes:
			x.holes = append(x.holes, n)
			x.odd = append(x.odd, e)
		default:
			bits := n.prefix.Bits()
			from := wideOf(n.prefix.Addr()).first(bits)
			s := sortable{from, e, int16(bits)}
			if n.prefix.Addr().Is4() {
				v4 = add(v4, s, len(entries)-i)
			} else {
				v6 = add(v6, s, len(entries)-i)
			}
		}
	}
	x.v4, x.v6 = newPrefixTable(v4), newPrefixTable(v6)
	return x
}

// How closely an address matched: a network of its own family comes before one of the other, and masks with
// holes are the last resort.
const (
	ownFamily   = 1000
	otherFamily = 500
)

func (x *networkIndex) find(k key, _ bool) hit {
	var v4 uint32
	if k.addr.Is4() {
		v4 = v4bits(k.addr)
		if e, bits := x.v4.get(wide{hi: uint64(v4) << 32}); e != nil {
			return hit{e, ownFamily + int32(bits)}
		}
		if len(x.v6.starts) > 0 {
			if e, bits := x.v6.get(wide{lo: 0xffff<<32 | uint64(v4)}); e != nil {
				return hit{e, otherFamily + int32(bits)}
			}
		}
	} else {
		if e, bits := x.v6.get(wideOf(k.addr)); e != nil {
			return hit{e, ownFamily + int32(bits)}
		}
		inner, ok := sample.EmbeddedIPv4(k.addr)
		if !ok {
			return hit{}
		}
		v4 = v4bits(inner)
		if e, bits := x.v4.get(wide{hi: uint64(v4) << 32}); e != nil {
			return hit{e, otherFamily + int32(bits)}
		}
	}
	for i, n := range x.holes {
		if (v4^n.addr)&n.mask == 0 && !x.odd[i].gone.Load() {
			return hit{entry: x.odd[i]}
		}
	}
	return hit{}
}
