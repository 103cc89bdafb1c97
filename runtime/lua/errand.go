package lua

import "sync"

// errand is something that blocks and is done once, on a goroutine of its own, while a script waits for it.
type errand struct {
	do func() // leaves its result where who waits finds it

	mu    sync.Mutex
	begun bool
	over  bool
	tell  func() // who waits now
}

// begin is that of a pause.
func (e *errand) begin(tell func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch e.tell = tell; {
	case e.over:
		tell()
	case !e.begun:
		e.begun = true
		go e.run()
	}
}

func (e *errand) run() {
	e.do()
	e.mu.Lock()
	e.over = true
	tell := e.tell
	e.mu.Unlock()
	tell()
}

// done tells whether it is.
func (e *errand) done() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.over
}

// send lets the script wait until do is done; then k goes on.
func (c call) send(do func(), k func(c call) int) int {
	e := &errand{do: do}
	var back func(c call) int
	back = func(c call) int {
		if !e.done() {
			return c.wait(pause{begin: e.begin}, back)
		}
		return k(c)
	}
	return c.wait(pause{begin: e.begin}, back)
}
