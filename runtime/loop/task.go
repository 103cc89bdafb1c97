package loop

import "sync/atomic"

// Runner is what a Task does.
type Runner interface{ RunTask(*Task) }

// Task is an entry of the queues of RunLater and Post, embedded by value in its owner. It is in at most one queue at a time, and queueing
// it again before it has run does nothing.
type Task struct {
	runner Runner
	queued atomic.Bool
	next   *Task
}

// Init says what the task does, once, before any other call.
func (t *Task) Init(r Runner) { t.runner = r }

// Queued tells whether the task waits to be run.
func (t *Task) Queued() bool { return t.queued.Load() }

func (t *Task) run() {
	t.next = nil
	t.queued.Store(false)
	t.runner.RunTask(t)
}

// RunLater runs t at the end of this turn, after the callbacks of I/O and timers and before what they asked for is sent. A task
// queued by such a task runs in the next turn, which then does not wait.
func (l *Loop) RunLater(t *Task) {
	if t.queued.CompareAndSwap(false, true) {
		l.later.push(t)
	}
}

// Post runs t on the loop, in the turn that it wakes up if need be. Any goroutine may call it; tasks of one goroutine run in the order of their posts.
func (l *Loop) Post(t *Task) {
	if t.queued.CompareAndSwap(false, true) && l.posted.push(t) {
		l.eng.wake()
	}
}

// PostFunc is Post for rare events: it allocates.
func (l *Loop) PostFunc(f func()) {
	t := &Task{}
	t.Init(funcRunner(f))
	l.Post(t)
}

type funcRunner func()

func (f funcRunner) RunTask(*Task) { f() }

type taskQueue struct{ head, tail *Task }

func (q *taskQueue) push(t *Task) {
	if q.tail == nil {
		q.head = t
	} else {
		q.tail.next = t
	}
	q.tail = t
}

func (q *taskQueue) run() {
	t := q.head
	q.head, q.tail = nil, nil
	for t != nil {
		next := t.next
		t.run()
		t = next
	}
}

// postbox takes tasks from other goroutines: a stack that the loop takes as a whole. The eventfd is written only for a loop that is waiting or
// about to, and once: sleep says so before it looks at the stack, push looks after it has pushed, so one of them sees the other.
type postbox struct {
	stack   atomic.Pointer[Task]
	waiting atomic.Bool
}

// push reports whether the loop must be woken.
func (p *postbox) push(t *Task) bool {
	for {
		head := p.stack.Load()
		t.next = head
		if p.stack.CompareAndSwap(head, t) {
			return p.waiting.Load() && p.waiting.Swap(false)
		}
	}
}

// sleep tells that the loop is going to wait, unless it reports that tasks are there.
func (p *postbox) sleep() bool {
	p.waiting.Store(true)
	if p.stack.Load() != nil {
		p.waiting.Store(false)
		return false
	}
	return true
}

func (p *postbox) awake() {
	if p.waiting.Load() {
		p.waiting.Store(false)
	}
}

func (p *postbox) run() {
	if p.stack.Load() == nil {
		return
	}
	var fifo *Task
	for t := p.stack.Swap(nil); t != nil; {
		next := t.next
		t.next, fifo = fifo, t
		t = next
	}
	for t := fifo; t != nil; {
		next := t.next
		t.run()
		t = next
	}
}
