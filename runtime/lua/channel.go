package lua

import (
	"bytes"

	"hapax/runtime"
)

// channel is what scripts know as a Channel: one direction of a stream. A filter sees of it what is before the filter.
type channel struct {
	*txn
	side   int
	filter *filtering // whose callback was given it; nil: of an action
}

// pushChannel makes the field of a transaction that stands for a direction.
func pushChannel(side int) func(c call) {
	return func(c call) { c.object("Channel", &channel{txn: self[*txn](c, 1, "TXN"), side: side}) }
}

// engine is what moves the bytes.
func (ch *channel) engine() runtime.Channels { return ch.s.Engine.(runtime.Channels) }

func checkChannel(c call, at int) *channel {
	ch := self[*channel](c, at, "Channel")
	if ch.t.s != ch.s {
		c.Errorf("this transaction is over")
	}
	return ch
}

// bytesOf gives the channel that a method on bytes is called on, with what the method may work on.
func bytesOf(c call) (*channel, view) {
	ch := checkChannel(c, 1)
	if !ch.engine().Raw() {
		c.PushString("Cannot manipulate HAProxy channels in HTTP mode.")
		c.Raise()
	}
	if ch.filter == nil {
		return ch, waiting{ch.engine(), ch.side}
	}
	return ch, ch.filter.payload(c, ch.side)
}

// more tells whether it is worth while to wait for more bytes.
func (ch *channel) more(c call) bool {
	t := c.thread()
	return t != nil && t.mayWait && !ch.engine().Ended(ch.side) && ch.engine().Room(ch.side) > 0
}

// await lets the script wait until something has changed in the stream.
func (c call) await(k func(c call) int) int { return c.wait(pause{data: true}, k) }

func channelMethods() []method {
	state := func(name string, push func(c call, ch *channel)) method {
		return method{name, func(c call) int {
			c.wants(1, name)
			push(c, checkChannel(c, 1))
			return 1
		}}
	}
	all := []method{
		state("is_full", func(c call, ch *channel) {
			e := ch.engine()
			// Answers have no buffer before something comes, which is full.
			c.PushBool(e.Room(ch.side) == 0 || e.Raw() && ch.side == runtime.Download && e.Arrived(ch.side) == nil && e.Output(ch.side) == 0)
		}),
		state("is_resp", func(c call, ch *channel) { c.PushBool(ch.side == runtime.Download) }),
		state("may_recv", func(c call, ch *channel) { c.PushBool(!ch.engine().Ended(ch.side)) }),
		{"data", func(c call) int {
			if n := c.Top(); n < 1 || n > 3 {
				return c.Errorf("'data' expects at most 2 arguments")
			}
			return channelData(c)
		}},
		{"line", func(c call) int {
			if n := c.Top(); n < 1 || n > 3 {
				return c.Errorf("'line' expects at most 2 arguments")
			}
			return channelLine(c)
		}},
		{"dup", func(c call) int { c.wants(1, "dup"); return take(c, false) }},
		{"get", func(c call) int { c.wants(1, "get"); return take(c, true) }},
		{"getline", func(c call) int { c.wants(1, "getline"); return getLine(c) }},
		{"append", func(c call) int { c.wants(2, "append"); return put(c) }}, // in front, as on the reference
		{"prepend", func(c call) int { c.wants(2, "prepend"); return put(c) }},
		{"send", func(c call) int {
			c.wants(2, "send")
			c.CheckString(2)
			return channelSend(c, 0)
		}},
		{"forward", func(c call) int {
			c.wants(2, "forward")
			c.CheckInt(2)
			return channelForward(c, 0)
		}},
	}
	all = append(all, edits(func(c call) view { _, v := bytesOf(c); return v })...)
	for _, name := range []string{"input", "get_in_len"} {
		all = append(all, state(name, func(c call, ch *channel) {
			if ch.filter != nil && ch.filter.in != nil {
				c.PushInt(int64(len(ch.filter.in.data())))
				return
			}
			n := ch.engine().Input(ch.side)
			if ch.filter != nil && !ch.engine().Raw() {
				// The reference sees a buffer in use, and not what is in it; that of a response it sees before it came.
				if ch.side == runtime.Upload && n > 0 {
					n = ch.s.Config.Global.Tune.BufSize
				} else {
					n = 0
				}
			}
			c.PushInt(int64(n))
		}))
	}
	for _, name := range []string{"output", "get_out_len"} {
		all = append(all, state(name, func(c call, ch *channel) {
			if ch.filter != nil && ch.filter.in != nil {
				c.PushInt(int64(ch.filter.in.output()))
				return
			}
			c.PushInt(int64(ch.engine().Output(ch.side)))
		}))
	}
	return all
}

// window reads the offset and the length that may go beyond what waits. wanted is 0 where none is given.
func window(c call, ch *channel, v view) (from, wanted int) {
	if c.Top() > 1 {
		if from = int(c.CheckInt(2)); from < 0 {
			from = max(0, len(v.data())+from)
		}
	}
	if c.Top() < 3 {
		return from, 0
	}
	switch wanted = int(c.CheckInt(3)); {
	case wanted == -1:
		return from, ch.s.Config.Global.Tune.BufSize
	case wanted < 0:
		c.outOfRange("length")
	}
	return from, wanted
}

// channelData is `data([offset [, length]])`.
func channelData(c call) int {
	ch, v := bytesOf(c)
	from, wanted := window(c, ch, v)
	data := v.data()
	switch n := len(data) - from; {
	case c.Top() == 3 && wanted == 0 && n > 0:
		c.PushString("")
		return 1
	case n > 0 && wanted == 0:
		c.PushBytes(data[from:])
		return 1
	case n > 0 && wanted <= n:
		c.PushBytes(data[from : from+wanted])
		return 1
	}
	return ch.shortOf(c, data, from, channelData)
}

// shortOf waits for more than there is, or else gives that.
func (ch *channel) shortOf(c call, data []byte, from int, again func(c call) int) int {
	switch {
	case ch.more(c):
		return c.await(again)
	case len(data) == 0:
		c.PushNil()
	case from >= len(data):
		c.PushString("")
	default:
		c.PushBytes(data[from:])
	}
	return 1
}

// channelLine is `line([offset [, length]])`.
func channelLine(c call) int {
	ch, v := bytesOf(c)
	from, wanted := window(c, ch, v)
	data := v.data()
	rest := data[min(from, len(data)):]
	if c.Top() == 3 {
		if wanted == 0 && from <= len(data) {
			c.PushString("")
			return 1
		}
		rest = rest[:min(wanted, len(rest))]
	}
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		c.PushBytes(rest[:i+1])
		return 1
	}
	if c.Top() == 3 && from+wanted <= len(data) {
		c.PushBytes(rest)
		return 1
	}
	return ch.shortOf(c, data, from, channelLine)
}

// take gives all that waits, and takes it out.
func take(c call, out bool) int {
	ch, v := bytesOf(c)
	data := v.data()
	if len(data) == 0 && ch.engine().Ended(ch.side) {
		c.PushNil()
		return 1
	}
	c.PushBytes(data)
	if out {
		v.replace(0, len(data), nil)
	}
	return 1
}

// getLine takes one line out, and waits for it.
func getLine(c call) int {
	ch, v := bytesOf(c)
	data := v.data()
	n := bytes.IndexByte(data, '\n') + 1
	switch {
	case len(data) == 0 && ch.engine().Ended(ch.side):
		c.PushNil()
		return 1
	case n == 0 && ch.more(c):
		return c.await(getLine)
	case n == 0:
		n = len(data)
	}
	c.PushBytes(data[:n])
	v.replace(0, n, nil)
	return 1
}

func put(c call) int {
	text := c.CheckString(2)
	_, v := bytesOf(c)
	return insert(c, v, text, 0)
}

// channelSend sends the text at 2 from offset done on, in front of what waits; a script waits for room.
func channelSend(c call, done int) int {
	ch, v := bytesOf(c)
	text := c.Bytes(2)[done:]
	n := min(len(text), v.room())
	if ch.filter != nil || n > 0 && !v.send(text[:n]) { // the reference refuses it to filters
		c.PushInt(-1)
		return 1
	}
	done += n
	if t := c.thread(); n < len(text) && v.output() > 0 && t != nil && t.mayWait {
		return c.await(func(c call) int { return channelSend(c, done) })
	}
	c.PushInt(int64(done))
	return 1
}

// channelForward lets as many bytes go on as the argument says, done of them already; a script waits for those that did
// not come yet.
func channelForward(c call, done int) int {
	ch, v := bytesOf(c)
	wanted := int(c.CheckInt(2))
	n := max(0, min(wanted-done, len(v.data())))
	v.forward(n)
	done += n
	if t := c.thread(); done < wanted && ch.filter == nil && t != nil && t.mayWait && !ch.engine().Ended(ch.side) {
		return c.await(func(c call) int { return channelForward(c, done) })
	}
	c.PushInt(int64(done))
	return 1
}
