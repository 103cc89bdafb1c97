package loop

// Watcher is the owner of a Watch.
type Watcher interface {
	// Ready tells the events (unix.POLLIN, POLLOUT, POLLERR, POLLHUP, POLLRDHUP) that hold. It is called again in each turn as long as they hold.
	Ready(events uint32)
}

// Watch tells when a descriptor is ready, for those that are no stream sockets or too rare to matter: datagram sockets, pipes, signalfd. The descriptor
// stays the caller's, who closes it after Close. Embed it by value.
type Watch struct {
	slot
	loop   *Loop
	w      Watcher
	fd     int32
	events uint32 // wanted; 0: none for now
	armed  uint32 // what the engine waits for
	flags  uint32
}

const watchTouched = 1 // in Loop.touchedWatches

// Watch calls w.Ready when any of the events (unix.POLLIN, POLLOUT, ...) holds for fd; POLLERR and POLLHUP are always among them.
func (l *Loop) Watch(w *Watch, fd int, events uint32, to Watcher) {
	*w = Watch{loop: l, w: to, fd: int32(fd), events: events}
	l.watches.add(w, &w.slot)
	w.touch()
}

// IsOpen tells whether w is in use.
func (w *Watch) IsOpen() bool { return w.loop != nil }

// Set changes the events that are waited for. With 0 there are no calls until the next Set.
func (w *Watch) Set(events uint32) {
	if w.events != events {
		w.events = events
		w.touch()
	}
}

// Close ends the calls of Ready. It does not close the descriptor; the caller may do so at once.
func (w *Watch) Close() {
	if w.loop == nil {
		return
	}
	w.loop.eng.unwatch(w)
	w.loop.watches.remove(&w.slot)
	w.loop = nil
}

func (w *Watch) touch() {
	if w.flags&watchTouched == 0 {
		w.flags |= watchTouched
		w.loop.touchedWatches = append(w.loop.touchedWatches, w.slot)
	}
}

// genMask limits generations to the bits that a completion has room for.
const genMask = 1<<24 - 1

// slot is the place of an object in a slotTable, by which completions name it.
type slot struct{ index, gen uint32 }

// takeTouched empties a list and returns what was in it, valid until the next call.
func takeTouched(list, spare *[]slot) []slot {
	taken := *list
	*list, *spare = (*spare)[:0], taken
	return taken
}

// slotTable finds objects by index and generation: a completion never carries a Go pointer, and one that comes after its object has left finds nothing.
type slotTable[T any] struct {
	entries []slotEntry[T]
	free    []uint32
}

type slotEntry[T any] struct {
	obj *T
	gen uint32
}

func (t *slotTable[T]) add(obj *T, s *slot) {
	if n := len(t.free); n > 0 {
		s.index = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		s.index = uint32(len(t.entries))
		t.entries = append(t.entries, slotEntry[T]{})
	}
	e := &t.entries[s.index]
	e.gen = (e.gen + 1) & genMask
	e.obj, s.gen = obj, e.gen
}

func (t *slotTable[T]) remove(s *slot) {
	t.entries[s.index].obj = nil
	t.free = append(t.free, s.index)
}

func (t *slotTable[T]) find(index, gen uint32) *T {
	if int(index) < len(t.entries) {
		if e := &t.entries[index]; e.gen == gen {
			return e.obj
		}
	}
	return nil
}
