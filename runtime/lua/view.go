package lua

import "hapax/runtime"

// view is what the methods of channels and messages work on: bytes that have come and did not go on.
type view interface {
	data() []byte
	room() int
	replace(at, n int, text []byte) bool
	forward(n int)
	send(text []byte) bool
	output() int
}

// waiting are the bytes of a direction that wait for its rules.
type waiting struct {
	ch   runtime.Channels
	side int
}

func (w waiting) data() []byte                        { return w.ch.Arrived(w.side) }
func (w waiting) room() int                           { return w.ch.Room(w.side) }
func (w waiting) replace(at, n int, text []byte) bool { return w.ch.Replace(w.side, at, n, text) }
func (w waiting) forward(n int)                       { w.ch.Forward(w.side, n) }
func (w waiting) send(text []byte) bool               { return w.ch.Send(w.side, text) }
func (w waiting) output() int                         { return w.ch.Output(w.side) }

// at reads an offset in what waits: a negative one counts from its end. Without an argument it is the beginning.
func at(c call, v view, i int) int {
	size := len(v.data())
	if c.Top() < i {
		return 0
	}
	n := int(c.CheckInt(i))
	if n < 0 {
		n = max(0, size+n)
	}
	if n > size {
		c.outOfRange("offset")
	}
	return n
}

// length reads how many bytes from an offset on are meant: -1, or no argument, means all that follow.
func length(c call, v view, from, i int) int {
	rest := len(v.data()) - from
	if c.Top() < i {
		return rest
	}
	n := int(c.CheckInt(i))
	switch {
	case n == -1:
		return rest
	case n < 0 || n > rest:
		c.outOfRange("length")
	}
	return n
}

func (c call) outOfRange(what string) {
	c.PushString(what + " out of range.")
	c.Raise()
}

// edits are the methods that change what has come, of the object that of knows.
func edits(of func(c call) view) []method {
	return []method{
		{"insert", func(c call) int {
			if n := c.Top(); n < 2 || n > 3 {
				return c.Errorf("'insert' expects at least 1 argument and at most 2 arguments")
			}
			text := c.CheckString(2)
			v := of(c)
			return insert(c, v, text, at(c, v, 3))
		}},
		{"set", func(c call) int {
			if n := c.Top(); n < 2 || n > 4 {
				return c.Errorf("'set' expects at least 1 argument and at most 3 arguments")
			}
			text := c.CheckString(2)
			return set(c, of(c), text, 3)
		}},
		{"remove", func(c call) int {
			if n := c.Top(); n < 1 || n > 3 {
				return c.Errorf("'remove' expects at most 2 arguments")
			}
			return remove(c, of(c), 2)
		}},
	}
}

// insert puts a text between what waits, and gives its length.
func insert(c call, v view, text string, at int) int {
	n := len(text)
	if !v.replace(at, 0, []byte(text)) {
		n = -1
	}
	c.PushInt(int64(n))
	return 1
}

// set replaces some of what waits, as the arguments from i on have it.
func set(c call, v view, text string, i int) int {
	from := at(c, v, i)
	n := length(c, v, from, i+1)
	done := len(text)
	if !v.replace(from, n, []byte(text)) {
		done = -1
	}
	c.PushInt(int64(done))
	return 1
}

// remove takes some of what waits out, as the arguments from i on have it.
func remove(c call, v view, i int) int {
	from := at(c, v, i)
	n := length(c, v, from, i+1)
	v.replace(from, n, nil)
	c.PushInt(int64(n))
	return 1
}
