package loop

import "iter"

// Coroutine runs a function that may be broken off anywhere and goes on later: what a library
// wants to do in one go, and cannot for want of bytes. It runs on the loop's thread, and only
// while Resume does.
//
// Coroutines are used again: a stack that has grown once serves the next function too.
type Coroutine struct {
	loop   *Loop
	body   func() // nil: none, it rests
	begun  bool   // the function runs, or is broken off
	gone   bool   // it is to end
	next   *Coroutine
	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

// spareCoroutines is how many a loop keeps at rest.
const spareCoroutines = 32

// Coroutine makes one, which begins with Resume.
func (l *Loop) Coroutine(body func()) *Coroutine {
	c := l.coroutines.rest
	if c == nil {
		c = &Coroutine{loop: l}
		c.resume, c.stop = iter.Pull(c.live)
	} else {
		l.coroutines.rest, c.next = c.next, nil
		l.coroutines.count--
	}
	c.body, c.begun, c.gone = body, false, false
	return c
}

// live runs one function after the other.
func (c *Coroutine) live(yield func(struct{}) bool) {
	c.yield = yield
	for more := true; more; more = yield(struct{}{}) {
		c.body()
		c.body = nil
	}
}

// Resume runs the function on, to its next Yield or to its end. It tells whether there is more
// to come; else the Coroutine must not be used any more.
func (c *Coroutine) Resume() (more bool) {
	c.begun = true
	c.resume()
	if c.body != nil {
		return true
	}
	c.leave()
	return false
}

// Yield breaks the function off. It is called by the function itself, and tells whether to go
// on: else it must end.
func (c *Coroutine) Yield() (goOn bool) {
	return !c.gone && c.yield(struct{}{}) && !c.gone
}

// Cancel makes the function end.
func (c *Coroutine) Cancel() {
	if !c.begun {
		c.body = nil
		c.leave()
		return
	}
	c.gone = true
	c.Resume()
}

// leave puts the Coroutine to rest, or ends it when there are enough.
func (c *Coroutine) leave() {
	list := &c.loop.coroutines
	if list.count == spareCoroutines || c.loop.stopped.Load() {
		c.stop()
		return
	}
	c.next, list.rest = list.rest, c
	list.count++
}

// coroutines are those of a loop that rest.
type coroutines struct {
	rest  *Coroutine // a stack by next
	count int
}

func (l *coroutines) close() {
	for c := l.rest; c != nil; c = c.next {
		c.stop()
	}
	*l = coroutines{}
}
