package engine

import (
	"math/rand/v2"

	"hapax/runtime"
)

// During a soft stop the connections of clients end between two requests: at once, or
// over the time of "close-spread-time", each at a moment of its own, so that not all
// clients come back together; when that is infinite, by their timeouts alone. Section 3.1.

// parts tells whether a connection is ended now that is between two requests, or will
// be after this one. The more of the time is over, the likelier it is.
func (w *worker) parts() bool {
	e := w.engine
	if !e.stopping.Load() {
		return false
	}
	window := int64(w.cfg.Global.CloseSpread)
	if window <= 0 {
		return window == 0
	}
	left := e.spreadEnd.Load() - w.loop.Now()
	return left <= rand.Int64N(window)
}

// waitSpread shortens the time that an idle connection is waited for, which is set.
func (c *client) waitSpread() {
	w := c.w
	if w.cfg.Global.CloseSpread <= 0 || !w.engine.stopping.Load() {
		return
	}
	end := w.engine.spreadEnd.Load()
	if left, set := end-w.loop.Now(), c.timer.Deadline(); left > 0 && (set == 0 || set > end) {
		c.timer.Set(w.loop.Now() + rand.Int64N(left))
	}
}

// mayPart tells whether an idle connection is ended during a soft stop: those that wait
// for another request are, unless idle-close-on-response leaves them the chance of a
// last one. The first request of a connection is always waited for: it is on its way,
// and nobody would repeat it.
func (c *client) mayPart() bool {
	return c.kept && c.Front.Options&runtime.OptIdleCloseOnResponse == 0 && c.w.parts()
}
