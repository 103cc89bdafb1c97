package balance

// place is a server's place in a heap: ordered by key, among equals by the time of
// insertion.
type place struct {
	key  uint32
	turn uint64 // of the insertion
	in   *heap  // nil while in none
	at   int    // index in its heap
	seat *seat
}

// heap is a priority queue with removal. It has room for the servers of the file and allocates only when there are
// more.
type heap struct{ items []*place }

func newHeap(n int) heap { return heap{make([]*place, 0, n)} }

func (h *heap) first() *seat {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0].seat
}

func (h *heap) insert(p *place, key uint32, turn uint64) {
	p.key, p.turn, p.in, p.at = key, turn, h, len(h.items)
	h.items = append(h.items, p)
	h.up(p.at)
}

// remove takes a place out of the heap that it is in, if any.
func (p *place) remove() {
	h := p.in
	if h == nil {
		return
	}
	p.in = nil
	last := len(h.items) - 1
	at := p.at
	moved := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	if at == last {
		return
	}
	h.items[at], moved.at = moved, at
	if !h.up(at) {
		h.down(at)
	}
}

func (p *place) less(o *place) bool { return p.key < o.key || p.key == o.key && p.turn < o.turn }

func (h *heap) up(i int) bool {
	start := i
	for i > 0 {
		parent := (i - 1) / 2
		if !h.items[i].less(h.items[parent]) {
			break
		}
		h.swap(i, parent)
		i = parent
	}
	return i != start
}

func (h *heap) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h.items); c++ {
			if h.items[c].less(h.items[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heap) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].at, h.items[j].at = i, j
}
