// Package event lets some be told of what happens to others.
package event

import (
	"slices"
	"sync"
	"sync/atomic"
)

// List holds who is told of events. The zero value is a list of nobody; to tell nobody costs one load.
type List[E any] struct {
	mu   sync.Mutex // held by whoever changes told
	told atomic.Pointer[[]*func(E)]
}

// Subscribe has tell called for each event from now on, on the goroutine where it happens: tell must not wait. leave ends
// that; an event that happens meanwhile may still be told.
func (l *List[E]) Subscribe(tell func(E)) (leave func()) {
	l.change(func(told []*func(E)) []*func(E) { return append(told, &tell) })
	return func() {
		l.change(func(told []*func(E)) []*func(E) {
			return slices.DeleteFunc(told, func(other *func(E)) bool { return other == &tell })
		})
	}
}

// change replaces the list by a changed copy: who tells has no lock.
func (l *List[E]) change(how func([]*func(E)) []*func(E)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var told []*func(E)
	if old := l.told.Load(); old != nil {
		told = slices.Clone(*old)
	}
	told = how(told)
	l.told.Store(&told)
}

// Publish tells all who have subscribed, in the order in which they did.
func (l *List[E]) Publish(e E) {
	told := l.told.Load()
	if told == nil {
		return
	}
	for _, tell := range *told {
		(*tell)(e)
	}
}
