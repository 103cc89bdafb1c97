package loop

import (
	"math/bits"
	"time"
)

// Alarm is what the owner of a Timer does when its time has come.
type Alarm interface{ Expired(*Timer) }

// Timer calls its Alarm once, at a deadline, with a resolution of a millisecond (never early). Embed it by value; it must not be copied after Init.
//
// To move a deadline back is a store: the entry stays where it is in the wheel and is queued again when that place comes up. So a timeout that
// every byte of traffic renews costs nothing, and Stop is a store as well.
type Timer struct {
	deadline   int64 // Loop.Now nanoseconds; 0: stopped
	tick       int64 // where it is queued, in ticks; 0: not queued
	loop       *Loop
	alarm      Alarm
	next, prev *Timer
	slot       uint16
}

// Init says whose timer it is, once, before any other call.
func (t *Timer) Init(l *Loop, a Alarm) { t.loop, t.alarm = l, a }

// Set makes the timer expire at deadline, on the scale of Loop.Now, in place of any earlier setting.
func (t *Timer) Set(deadline int64) {
	t.deadline = max(deadline, 1)
	if tick := (t.deadline + tickLen - 1) / tickLen; t.tick == 0 || tick < t.tick {
		w := &t.loop.wheel
		if t.tick != 0 {
			w.unlink(t)
		}
		w.link(t, tick)
	}
}

// After makes the timer expire d after Loop.Now.
func (t *Timer) After(d time.Duration) { t.Set(t.loop.now + int64(d)) }

// Stop makes the timer not expire. The loop may refer to it for up to its former deadline: see Remove.
func (t *Timer) Stop() { t.deadline = 0 }

// Remove stops the timer and makes the loop forget it, for an owner that is left to the garbage collector.
func (t *Timer) Remove() {
	t.deadline = 0
	if t.tick != 0 {
		t.loop.wheel.unlink(t)
	}
}

// Deadline returns when the timer expires, on the scale of Loop.Now, or 0 when it does not.
func (t *Timer) Deadline() int64 { return t.deadline }

// wheel is a hierarchy of hashed wheels: a slot of level 0 holds the timers of one tick, a slot of level n those of 64^n ticks, which
// move down when their time comes near. Queueing, unqueueing and finding the next slot in use take constant time.
type wheel struct {
	now    int64 // the tick up to which timers have expired
	used   [wheelLevels]uint64
	slots  [wheelLevels * wheelSlots]Timer // heads of rings
	expire Timer                           // head of the ring being worked off
}

const (
	tickLen     = int64(time.Millisecond)
	wheelBits   = 6
	wheelSlots  = 1 << wheelBits
	wheelLevels = 6 // 64^6 ms are two years; what is later waits in the last slot and is queued again
	wheelSpan   = int64(1) << (wheelBits * wheelLevels)
)

func (w *wheel) init(now int64) {
	w.now = now / tickLen
	for i := range w.slots {
		h := &w.slots[i]
		h.next, h.prev = h, h
	}
	w.expire.next, w.expire.prev = &w.expire, &w.expire
}

func (w *wheel) link(t *Timer, tick int64) {
	tick = min(max(tick, w.now+1), w.now+wheelSpan-1)
	level := (bits.Len64(uint64(tick^w.now)) - 1) / wheelBits
	if level >= wheelLevels {
		level = wheelLevels - 1
	}
	slot := int(tick>>(level*wheelBits)) & (wheelSlots - 1)
	t.tick, t.slot = tick, uint16(level*wheelSlots+slot)
	w.used[level] |= 1 << slot
	t.before(&w.slots[t.slot])
}

func (t *Timer) before(head *Timer) {
	t.next, t.prev = head, head.prev
	head.prev.next = t
	head.prev = t
}

func (w *wheel) unlink(t *Timer) {
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev, t.tick = nil, nil, 0
	if h := &w.slots[t.slot]; h.next == h {
		w.used[t.slot/wheelSlots] &^= 1 << (t.slot % wheelSlots)
	}
}

// nextTick returns the tick at which a slot in use begins, at or before the first deadline, and that slot's level; noDeadline when there is none.
func (w *wheel) nextTick() (tick int64, level int) {
	for level = range wheelLevels {
		if w.used[level] == 0 {
			continue
		}
		shift := level * wheelBits
		at := w.now >> shift // slots of this level are used from at+1 on, modulo a turn
		ahead := bits.TrailingZeros64(bits.RotateLeft64(w.used[level], -(int(at+1) & (wheelSlots - 1))))
		return (at + 1 + int64(ahead)) << shift, level
	}
	return noDeadline, 0
}

// next returns the time until which nothing expires.
func (w *wheel) next() int64 {
	tick, _ := w.nextTick()
	if tick == noDeadline {
		return noDeadline
	}
	return tick * tickLen
}

// advance expires all timers up to now. Those that are set meanwhile expire at the next tick at the earliest.
func (w *wheel) advance(now int64) {
	end := now / tickLen
	for {
		tick, level := w.nextTick()
		if tick > end {
			break
		}
		w.now = tick
		slot := int(tick>>(level*wheelBits)) & (wheelSlots - 1)
		w.used[level] &^= 1 << slot
		w.run(&w.slots[level*wheelSlots+slot])
	}
	w.now = max(w.now, end)
}

// run expires the timers of one slot, or moves those whose deadline is later.
func (w *wheel) run(head *Timer) {
	if head.next == head {
		return
	}
	// The ring moves to a head of its own, because alarms may set timers into this slot again, or unlink others of the ring.
	e := &w.expire
	e.next, e.prev = head.next, head.prev
	e.next.prev, e.prev.next = e, e
	head.next, head.prev = head, head
	for e.next != e {
		t := e.next
		t.prev.next, t.next.prev = t.next, t.prev
		t.next, t.prev, t.tick = nil, nil, 0
		if t.deadline == 0 {
			continue
		}
		if tick := (t.deadline + tickLen - 1) / tickLen; tick > w.now {
			w.link(t, tick)
			continue
		}
		t.deadline = 0
		t.alarm.Expired(t)
	}
}
