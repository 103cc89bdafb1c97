package table

// early are the entries of a part that have less than a whole life before them, as those that a peer has taught: a heap
// by the time at which they leave, for they do not come in that order. Who touches one moves it to the list. What is in
// the heap and leaves otherwise stays there until it is met.
type early []departure

// departure is when a record's entry leaves.
type departure struct{ at, n uint32 }

func (d departure) before(o departure) bool { return int32(d.at-o.at) < 0 }

// inEarly stands in recOlder of a record that is not in the list.
const inEarly = ^uint32(0)

func isEarly(rec []byte) bool { return get(rec, recOlder) == inEarly }

// Live gives the entry so many milliseconds, no more than a whole life.
func (e *Entry) Live(ms uint32) {
	if ms >= e.t.Expire {
		e.revive()
		return
	}
	e.p.unlink(e.t, e.rec)
	expire := later(e.now, ms)
	put(e.rec, recOlder, inEarly)
	put(e.rec, recExpire, expire)
	e.p.hurry(e.t, departure{expire, e.n})
}

// hurry puts an entry into the heap.
func (p *part) hurry(t *Table, d departure) {
	if len(p.early) > 2*int(p.count)+blockSize {
		p.sweep(t)
	}
	p.early = append(p.early, d)
	h := p.early
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

// nextEarly is the record in the heap that leaves first; 0: there is none.
func (p *part) nextEarly(t *Table) uint32 {
	for len(p.early) > 0 {
		if d := p.early[0]; p.valid(t, d) {
			return d.n
		}
		last := len(p.early) - 1
		p.early[0] = p.early[last]
		p.early = p.early[:last]
		p.early.sink(0)
	}
	return 0
}

// valid tells whether the entry that is meant is there still, and leaves at that time.
func (p *part) valid(t *Table, d departure) bool {
	rec := p.record(t, d.n)
	return isEarly(rec) && get(rec, recExpire) == d.at
}

// sink brings what stands at i to its place.
func (h early) sink(i int) {
	for {
		down := 2*i + 1
		if down+1 < len(h) && h[down+1].before(h[down]) {
			down++
		}
		if down >= len(h) || !h[down].before(h[i]) {
			return
		}
		h[i], h[down] = h[down], h[i]
		i = down
	}
}

// sweep leaves out what is not valid any more.
func (p *part) sweep(t *Table) {
	kept := p.early[:0]
	for _, d := range p.early {
		if p.valid(t, d) {
			kept = append(kept, d)
		}
	}
	p.early = kept
	for i := len(kept)/2 - 1; i >= 0; i-- {
		kept.sink(i)
	}
}
