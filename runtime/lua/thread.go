package lua

import (
	"time"

	"hapax/runtime"
	"hapax/runtime/lua/lua54"
)

// thread is a coroutine of Lua that runs one function of a script.
type thread struct {
	st    *state
	co    lua54.State
	ref   int  // of co, for the garbage collector of Lua
	args  int  // values for the next run
	waits bool // it was left in the middle

	s *runtime.Stream // that it runs for; nil: for none

	most     time.Duration // all the time that it may run; 0: no limit
	spent    time.Duration // before this run
	began    time.Time     // this run
	mayWait  bool          // this run
	forced   bool          // it was left by the hook
	exit     bool          // the error that ends it is core.done()
	pause    pause
	alarm    *alarm        // nil: none was set
	wakeTime time.Duration // of act.wake_time; 0: none
	next     any           // what the function leaves for who runs it
}

// ending is how a run ended.
type ending uint8

const (
	done     ending = iota
	again           // it waits
	failed          // an error, told by fault
	timedOut        // it ran too long in all
	burst           // it ran too long at once
	noMemory
	noYield // it wants to wait, where that is not possible
)

// thread takes a coroutine, whose function and arguments are put on its stack next. The state is locked.
func (st *state) thread(most time.Duration, s *runtime.Stream) *thread {
	var t *thread
	if n := len(st.rest); n > 0 {
		t = st.rest[n-1]
		st.rest = st.rest[:n-1]
	} else {
		t = &thread{st: st}
		if _, ok := st.main.Protect(func() { t.co = st.main.NewThread(); t.ref = st.main.Ref() }); !ok {
			return nil
		}
	}
	t.most, t.s = most, s
	return t
}

// end gives a coroutine back. The state is locked.
func (t *thread) end() {
	t.co.CloseThread()
	t.co.SetTop(0)
	*t = thread{st: t.st, co: t.co, ref: t.ref}
	t.st.rest = append(t.st.rest, t)
}

// instructions is after how many a coroutine is interrupted. More than 10000 are no gain, and fewer than 500 a loss; a
// state that many loops wait for is left sooner.
func (st *state) instructions() int {
	switch n := st.m.instructions; {
	case n > 0:
		return n
	case st.id == 0:
		return max(500, 10000/max(1, st.m.cfg.Global.NbThread))
	}
	return 10000
}

// run runs the coroutine on, until it ends or waits. fault is the text of an error. The state is locked.
func (t *thread) run(mayWait bool) (e ending, fault string) {
	st := t.st
	outer := st.current
	st.current = t
	defer func() { st.current = outer }()
	t.began, t.mayWait, t.pause, t.wakeTime = time.Now(), mayWait, pause{}, 0
	n := st.instructions()
	for {
		t.forced = false
		t.co.Hook(n, st.interrupt)
		args := t.args
		t.args = 0
		status, _ := t.co.Resume(st.main, args)
		switch status {
		case lua54.OK:
			t.leave(false)
			return done, ""
		case lua54.Yielded:
			if over := t.over(); over != done {
				t.leave(false)
				return over, ""
			}
			if t.forced && !mayWait {
				continue
			}
			if !mayWait {
				t.leave(false)
				return noYield, ""
			}
			t.leave(true)
			return again, ""
		case lua54.MemoryError:
			t.leave(false)
			return noMemory, ""
		default:
			t.leave(false)
			if t.exit {
				return done, ""
			}
			return failed, t.fault(status)
		}
	}
}

// leave notes the time of a run.
func (t *thread) leave(waits bool) {
	t.waits = waits
	t.spent += time.Since(t.began)
}

// fault words the error that ended the coroutine.
func (t *thread) fault(status lua54.Status) (text string) {
	trace := traceback(t.co)
	main := t.st.main
	main.SetTop(0)
	_, ok := main.Protect(func() { // what displays the error may fail too
		t.co.Move(main, 1)
		message := main.Display(-1)
		if status == lua54.RunError {
			text = sprintf("[state-id %d] runtime error: %s from %s", t.st.id, message, trace)
		} else {
			text = sprintf("[state-id %d] message handler error: %s", t.st.id, message)
		}
	})
	main.SetTop(0)
	if !ok {
		return "critical error"
	}
	return text
}

// over tells whether the coroutine has run too long.
func (t *thread) over() ending {
	run := time.Since(t.began)
	switch m := t.st.m; {
	case m.burst > 0 && run > m.burst:
		return burst
	case t.most > 0 && t.spent+run > t.most:
		return timedOut
	}
	return done
}

// interrupt is called after a number of instructions: it lets others run, or ends what runs too long.
func (st *state) interrupt(s lua54.State) {
	t := st.current
	if t == nil {
		return
	}
	if t.co.Is(s) && s.Yieldable() {
		t.forced = true
		s.YieldHook()
		return
	}
	switch t.over() {
	case timedOut:
		s.PushString("execution timeout")
		s.Raise()
	case burst:
		s.PushString("burst timeout")
		s.Raise()
	}
}

// wait leaves the coroutine until the pause is over; then k goes on. It does not return.
func (c call) wait(p pause, k func(c call) int) int {
	if t := c.thread(); t != nil {
		t.pause = p
	}
	return c.Yield(0, func(s lua54.State) int { return k(call{s, c.st}) })
}

// nothing ends a function without results.
func nothing(call) int { return 0 }
