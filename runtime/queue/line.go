package queue

import "time"

var started = time.Now()

// now is a monotonic time in ms.
func now() int64 { return time.Since(started).Milliseconds() }

func (l *line) first() *Ticket {
	if len(l.items) == 0 {
		return nil
	}
	return l.items[0]
}

func (l *line) push(t *Ticket) {
	t.line, t.at = l, len(l.items)
	l.items = append(l.items, t)
	l.up(t.at)
}

func (l *line) remove(t *Ticket) {
	last := len(l.items) - 1
	at := t.at
	moved := l.items[last]
	l.items[last] = nil
	l.items = l.items[:last]
	t.line = nil
	if at == last {
		return
	}
	l.items[at], moved.at = moved, at
	if !l.up(at) {
		l.down(at)
	}
}

func (l *line) up(i int) bool {
	start := i
	for i > 0 {
		parent := (i - 1) / 2
		if !l.items[i].key.before(l.items[parent].key) {
			break
		}
		l.swap(i, parent)
		i = parent
	}
	return i != start
}

func (l *line) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(l.items); c++ {
			if l.items[c].key.before(l.items[least].key) {
				least = c
			}
		}
		if least == i {
			return
		}
		l.swap(i, least)
		i = least
	}
}

func (l *line) swap(i, j int) {
	l.items[i], l.items[j] = l.items[j], l.items[i]
	l.items[i].at, l.items[j].at = i, j
}
