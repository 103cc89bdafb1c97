package lua

import (
	goruntime "runtime"
	"time"

	"hapax/runtime/lua/lua54"
)

// taskWord begins messages about tasks.
const taskWord = "Lua task"

// registerTask starts a function beside all streams.
func registerTask(c call) int {
	n := c.Top()
	switch {
	case n < 1:
		return c.Errorf("register_task: <func> argument is required")
	case n > 5:
		return c.Errorf("register_task: no more that 4 optional arguments may be provided")
	case c.Type(1) != lua54.TypeFunction:
		return c.ArgError(1, "function expected, got "+c.typeName(1))
	}
	m := c.st.m
	t := c.st.thread(m.task, nil)
	if t == nil {
		return c.Errorf("%s.", errNoMemory)
	}
	c.Move(t.co, n)
	t.args = n - 1
	if m.started.Load() {
		go t.live(taskWord)
	} else {
		m.tasks = append(m.tasks, t)
	}
	return 0
}

// live runs a function to its end, outside of the loops. what it is called where it fails.
func (t *thread) live(what string) {
	m := t.st.m
	for {
		t.st.lock(0)
		e, fault := t.run(true)
		if e != again {
			t.end()
		}
		p, forced := t.pause, t.forced
		t.st.unlock()
		switch e {
		case done:
			return
		case again:
			if forced {
				goruntime.Gosched()
			} else {
				p.pass()
			}
			continue
		case failed:
			m.complain(nil, "%s: %s.", what, fault)
		default:
			m.complain(nil, "%s: %s.", what, e)
		}
		return
	}
}

// pass waits until the pause is over.
func (p *pause) pass() {
	var over <-chan time.Time
	if p.until > 0 {
		timer := time.NewTimer(p.until)
		defer timer.Stop()
		over = timer.C
	}
	if p.begin == nil {
		<-over
		return
	}
	told := make(chan struct{}, 1)
	p.begin(func() {
		select {
		case told <- struct{}{}:
		default:
		}
	})
	select {
	case <-told:
	case <-over:
	}
}
