package loop

import (
	goruntime "runtime"
	"testing"
)

// TestCoroutine: functions run in pieces, side by side, and end when they are told to; a
// Coroutine serves one after the other.
func TestCoroutine(t *testing.T) {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	l := &Loop{}
	defer l.coroutines.close()
	said := ""
	talk := func(name string) *Coroutine {
		var c *Coroutine
		c = l.Coroutine(func() {
			for said += name + "1 "; c.Yield(); said += name + "2 " {
			}
			if c.Yield() {
				t.Error("one that is to end goes on")
			}
			said += name + "3 "
		})
		return c
	}
	a, b := talk("a"), talk("b")
	if !a.Resume() || !b.Resume() || !a.Resume() {
		t.Fatal("ended by itself")
	}
	a.Cancel()
	talk("never").Cancel()
	c := talk("c")
	if c != a {
		t.Error("a Coroutine at rest is not used again")
	}
	c.Resume()
	b.Cancel()
	c.Cancel()
	if want := "a1 b1 a2 a3 c1 b3 c3 "; said != want {
		t.Errorf("%q, want %q", said, want)
	}
	if l.coroutines.count != 2 {
		t.Errorf("%d at rest", l.coroutines.count)
	}
}

// BenchmarkCoroutine runs a function in two pieces.
func BenchmarkCoroutine(b *testing.B) {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	l := &Loop{}
	defer l.coroutines.close()
	for b.Loop() {
		var c *Coroutine
		c = l.Coroutine(func() { c.Yield() })
		for c.Resume() {
		}
	}
}
