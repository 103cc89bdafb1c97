package filter

import (
	"time"

	"hapax/runtime"
)

// limit is what a "bwlim-in" or "bwlim-out" line says about each stream.
type limit struct {
	side   int
	most   uint32 // bytes in a period
	period uint32 // ms
	least  uint32 // bytes that go on at once, if they are there: small pieces cost more than they are worth
	coded  bool   // the bytes count as they leave the compression, whose filter stands before this one
}

// throttle is such a limit on one stream. Rules may give it other numbers than those of the line.
type throttle struct {
	of           *limit
	most, period uint32
	sent         window
}

// throttleOf gives the stream's throttle for a limit, and puts it on when it has none yet.
func throttleOf(s *runtime.Stream, l *limit) *throttle {
	for _, t := range s.Throttles[l.side] {
		if t := t.(*throttle); t.of == l {
			return t
		}
	}
	t := &throttle{of: l}
	s.Throttles[l.side] = append(s.Throttles[l.side], t)
	return t
}

// Allow implements runtime.Throttle. What goes on follows a straight line: a stream does not use up its period at once
// to stand still for the rest of it. A piece that is smaller than wanted waits until it has grown.
func (t *throttle) Allow(n int, now int64) (int, time.Duration) {
	most, least := uint64(t.most), uint64(t.of.least)
	if ahead := t.sent.ahead(now, t.period, most); ahead > 0 {
		return 0, delay((least + ahead) * uint64(t.period) / most)
	}
	left := t.sent.left(now, t.period, most)
	if left >= uint64(n) {
		return n, 0
	}
	allowed := left
	if left < least && min(uint64(n), least) > left && most >= least {
		allowed = 0
	}
	return int(allowed), delay(t.sent.delay(now, t.period, most, allowed+min(uint64(n)-allowed, least)))
}

// Passed implements runtime.Throttle.
func (t *throttle) Passed(n, coded int, now int64) {
	if t.of.coded {
		n = coded
	}
	t.sent.add(now, t.period, uint64(n))
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
