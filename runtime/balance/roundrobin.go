package balance

import (
	"sync"

	"hapax/runtime"
)

// roundRobin is the dynamic weighted round robin. Time is counted in choices: in each
// round of as many choices as there is weight, a server of weight w is due every
// (total/w)-th choice. Servers that were not chosen in this round yet wait by weight,
// heavy ones first; those that were wait by the position at which they are due next;
// those that have had their share wait for the next round.
type roundRobin struct {
	*members
	mu     sync.Mutex // guards everything below, and the seats
	active wheel
	backup wheel
	turn   uint64
}

// seat is a server's place in the round.
type seat struct {
	place
	member *member
	due    uint32 // position at which it is due next
	rest   uint32 // what is left of the round's length by the weight, so that no fraction is lost
	weight uint32
	out    bool  // takes no part
	full   *seat // chain of servers found saturated in one choice
}

// wheel is the round of one group of servers.
type wheel struct {
	due      heap  // this round, by position
	initial  *heap // not chosen in this round yet, by weight
	next     *heap // had their share, by weight
	position uint32
	length   uint32 // of this round: the total weight when it began
}

func newWheel(n int, weight uint32) wheel {
	a, b := newHeap(n), newHeap(n)
	return wheel{due: newHeap(n), initial: &a, next: &b, position: weight, length: weight}
}

func newRoundRobin(m *members) *roundRobin {
	m.dynamic, m.div = true, weightScale
	m.join(m.full)
	n := len(m.all)
	t := m.totals.Load()
	b := &roundRobin{members: m}
	b.active = newWheel(n, uint32(t.activeWeight))
	b.backup = newWheel(n, uint32(t.backupWeight))
	for _, mb := range m.all {
		s := &mb.seat
		s.weight = mb.now.weight
		if s.out = !mb.now.usable(); !s.out {
			b.wait(b.wheel(s).initial, s)
		}
	}
	return b
}

func (b *roundRobin) wheel(s *seat) *wheel {
	if s.member.srv.Backup {
		return &b.backup
	}
	return &b.active
}

// groupWeight is the length of the next round of a server's group.
func (b *roundRobin) groupWeight(s *seat) uint32 {
	t := b.totals.Load()
	if s.member.srv.Backup {
		return uint32(t.backupWeight)
	}
	return uint32(t.activeWeight)
}

// wait puts a seat among those sorted by weight.
func (b *roundRobin) wait(h *heap, s *seat) {
	b.turn++
	h.insert(&s.place, maxEffective-s.weight, b.turn)
}

// put places a seat by the position at which it is due: in this round or in the next.
func (b *roundRobin) put(s *seat) {
	if s.out {
		return
	}
	w := b.wheel(s)
	if s.weight == 0 || s.due >= 2*w.length || s.due >= w.length+b.groupWeight(s) {
		s.due -= w.length
		b.wait(w.next, s)
		return
	}
	b.turn++
	w.due.insert(&s.place, 256*s.due+(maxEffective+s.rest-s.weight)/weightScale, b.turn)
}

// candidate gives the seat that is due, or one that was not chosen yet, or the one
// that is due first though it is too early.
func (w *wheel) candidate() *seat {
	due := w.due.first()
	if due != nil && due.due <= w.position {
		return due
	}
	if s := w.initial.first(); s != nil {
		s.due, s.rest = 0, 0
		return s
	}
	return due
}

// advance computes when a seat that is chosen now is due next.
func (w *wheel) advance(s *seat, round uint32) {
	if s.weight == 0 {
		return
	}
	if s.due == 0 {
		s.due = w.position
	}
	s.due += round / s.weight
	s.rest += round % s.weight
	if s.rest >= s.weight {
		s.rest -= s.weight
		s.due++
	}
}

// Pick implements runtime.Balancer.
func (b *roundRobin) Pick(_ *runtime.Stream, avoid *runtime.Server) *runtime.Server {
	if b.crowded() {
		return nil
	}
	b.mu.Lock()
	s := b.choose(avoid)
	b.mu.Unlock()
	if s == nil {
		return nil
	}
	return s.member.srv
}

func (b *roundRobin) choose(avoid *runtime.Server) *seat {
	t := b.totals.Load()
	w, round := &b.active, uint32(t.activeWeight)
	switch {
	case t.active > 0:
	case t.spare != nil:
		return &t.spare.seat
	case t.backup > 0:
		w, round = &b.backup, uint32(t.backupWeight)
	default:
		return nil
	}

	var chosen, avoided, full *seat
	switched := false
	for chosen == nil {
		if w.length == 0 {
			w.position, w.length = round, round
		}
		s := w.candidate()
		if s == nil {
			if switched {
				chosen = avoided
				break
			}
			switched = true
			w.initial, w.next = w.next, w.initial
			w.length, w.position = round, round
			continue
		}
		w.advance(s, round)
		s.remove()
		w.position++
		if free(s.member.srv) {
			if s.member.srv != avoid || avoided != nil {
				chosen = s
				break
			}
			avoided = s
		}
		s.full, full = full, s
	}
	if chosen != nil {
		b.put(chosen)
	}
	for full != nil {
		s := full
		full, s.full = s.full, nil
		switch {
		case s == chosen:
		case switched:
			// The round has changed: their place in it is lost, only the weight counts.
			b.wait(w.initial, s)
		default:
			b.put(s)
		}
	}
	return chosen
}

// Update implements runtime.Balancer.
func (b *roundRobin) Update(srv *runtime.Server) {
	mb, _, changed := b.change(srv)
	if !changed {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.recount()
	s := &mb.seat
	s.weight = mb.now.weight
	if s.out = !mb.now.usable(); s.out {
		s.remove()
		return
	}
	// A server that comes, and one whose weight changed just as well, is due as if it
	// had been chosen last: it may lose a turn, but never gets two in a row.
	w := b.wheel(s)
	if s.in == w.initial {
		s.rest = 0
	}
	s.remove()
	s.due = w.position + (b.groupWeight(s)+w.length-w.position)/s.weight
	b.put(s)
}
