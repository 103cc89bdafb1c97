package filter

import (
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
)

// limit is what a "bwlim-in" or "bwlim-out" line says.
type limit struct {
	side   int
	most   uint32 // bytes in a period
	period uint32 // ms
	least  uint32 // bytes that go on at once, if they are there: small pieces cost more than they are worth
	runs   bool   // its filter sees the messages of the side
	coded  bool   // the bytes count as they leave the compression, whose filter stands before this one

	// Of a limit that streams share: the key of the entry, and the rate that counts the bytes there, with its period.
	key   *sample.Expr // nil: it is of each stream for itself
	table *table.Table
	data  table.Data
}

// throttle is such a limit on one stream. Rules may give it other numbers than those of the line.
type throttle struct {
	of           *limit
	most, period uint32
	coded        bool      // the bytes count as they leave a compression
	sent         window    // unless streams share the limit
	entry        table.Ref // else
}

// throttleOf gives the stream's throttle for a limit, and puts it on when it has none yet.
// Filters of a frontend stand before those of a backend.
func throttleOf(s *runtime.Stream, l *limit, px *runtime.Proxy) *throttle {
	for _, t := range s.Throttles[l.side] {
		if t, ok := t.(*throttle); ok && t.of == l {
			return t
		}
	}
	t := &throttle{of: l, coded: l.coded || px != s.Front && s.Front.Compression != nil && s.Front.Compression.Filters[l.side]}
	s.Throttles[l.side] = append(s.Throttles[l.side], t)
	return t
}

// Allow implements runtime.Throttle. What goes on follows a straight line: a stream does not use up its period at once
// to stand still for the rest of it. A piece that is smaller than wanted waits until it has grown.
func (t *throttle) Allow(n int, now int64) (int, time.Duration) {
	if t.of.key == nil {
		return t.share(&t.sent, 1, 1, n, now)
	}
	e := t.entry.Lock()
	age, curr, prev := e.Periods(t.of.data)
	users := uint64(max(e.Holders(), 1))
	e.Unlock()
	return t.share(&window{start: now - int64(age), curr: uint64(curr), prev: uint64(prev)}, users, uint64(t.of.table.BytesFactor), n, now)
}

// share is the part of one of so many users in what a window leaves. The window and the limit count in units of some
// bytes. A stream that cannot go on without a piece of some size may take it from what is left for others, and waits
// longer then.
func (t *throttle) share(sent *window, users, unit uint64, n int, now int64) (int, time.Duration) {
	most, period, least, wanted := uint64(t.most), uint64(t.period), uint64(t.of.least), uint64(n)
	if period == 0 { // a table may say so: nothing is counted then
		return n, 0
	}
	if ahead := sent.ahead(now, t.period, most); ahead > 0 {
		return 0, delay((least + ahead) * period * users / most)
	}
	left := sent.left(now, t.period, most) * unit
	part := (left + users - 1) / users
	if part >= wanted {
		return n, 0
	}
	allowed, wait := part, uint64(0)
	if piece := min(wanted, least); part < piece {
		switch {
		case piece <= left:
			allowed, wait = piece, ((piece-part)*period*users+most*unit-1)/(most*unit)
		case most*unit < piece:
			allowed = left
		default:
			allowed = 0
		}
	}
	if allowed == wanted {
		return n, 0
	}
	return int(allowed), delay(wait + sent.delay(now, t.period, most, (allowed+unit-1)/unit+min(wanted-allowed, least*users)))
}

// Passed implements runtime.Throttle.
func (t *throttle) Passed(n, coded int, now int64) {
	if t.coded {
		n = coded
	}
	if t.of.key == nil {
		t.sent.add(now, t.period, uint64(n))
		return
	}
	e := t.entry.Lock()
	e.Add(t.of.data, 0, uint64(n))
	e.Unlock()
}

// Leave implements runtime.Throttle.
func (t *throttle) Leave() {
	if t.entry.Table() == nil {
		return
	}
	e := t.entry.Lock()
	e.Touch()
	e.Drop()
	e.Unlock()
	t.entry = table.Ref{}
}

func delay(ms uint64) time.Duration { return time.Duration(max(ms, 1)) * time.Millisecond }

// window counts the bytes of a sliding period: those of the current one, and of the previous one the part that still
// lies within the window.
type window struct {
	start      int64 // ms
	curr, prev uint64
}

func (w *window) empty() bool { return w.curr == 0 && w.prev == 0 }

func (w *window) add(now int64, period uint32, n uint64) {
	switch gone := now - w.start; {
	case w.empty():
		w.start = now
	case gone < int64(period):
	case gone < 2*int64(period):
		w.start, w.prev, w.curr = w.start+int64(period), w.curr, 0
	default:
		w.start, w.prev, w.curr = now, 0, 0
	}
	w.curr += n
}

// total is what was counted in the window, times the period.
func (w *window) total(now int64, period uint32) uint64 {
	curr, prev := w.curr, w.prev
	rest := w.start + int64(period) - now
	if rest < 0 {
		rest += int64(period)
		curr, prev = 0, curr
	}
	return prev*uint64(max(rest, 0)) + curr*uint64(period)
}

// ahead is by how much the current period is ahead of a straight line to most.
func (w *window) ahead(now int64, period uint32, most uint64) uint64 {
	gone := now - w.start
	if w.empty() || gone > int64(period) {
		return 0
	}
	if line := uint64(gone) * most / uint64(period); w.curr > line {
		return w.curr - line
	}
	return 0
}

// left is how much more fits under most.
func (w *window) left(now int64, period uint32, most uint64) uint64 {
	return most - min(w.total(now, period)/uint64(period), most)
}

// delay is how long to wait, in ms, before n more fit under most.
func (w *window) delay(now int64, period uint32, most, n uint64) uint64 {
	total, room := w.total(now, period)+n*uint64(period), most*uint64(period)
	if total < room {
		return 0
	}
	return (total - room) / most
}
