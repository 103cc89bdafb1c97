package engine

import (
	"io"

	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/spoe/frame"
)

// spopExchange is one frame for an agent and its answer. To its stream it is a link that takes the messages, and gives back
// the actions.
type spopExchange struct {
	link
	of         *spopConn
	number     uint64       // 0: nothing was sent
	back       *loop.Buffer // the actions, until the stream receives
	end        error        // of receiving, behind them; nil: it goes on
	told       bool         // the stream knows it
	receiving  bool
	later      loop.Task
	prev, next *spopExchange // in spopConn.live; next also in the free list
}

// attach implements carrier.
func (m *spopConn) attach(s *stream) {
	w := m.w
	x := w.spopExchanges
	if x == nil {
		x = &spopExchange{}
		x.part, x.w = x, w
		x.later.Init(x)
	} else {
		w.spopExchanges, x.next = x.next, nil
	}
	x.of, x.srv, x.st = m, m.k.srv, s
	x.number, x.end, x.told, x.receiving = 0, nil, false, false
	x.up = m.talks == spopRuns
	x.sock.Carry(x)
	if x.next = m.live; x.next != nil {
		x.next.prev = x
	}
	m.live = x
	if m.n++; m.n == 1 {
		m.k.use()
		m.timer.Stop()
	}
	s.link = &x.link
}

// conn, bare, close and abort implement part.
func (x *spopExchange) conn() *link { return x.of.k }
func (x *spopExchange) bare() bool  { return false }
func (x *spopExchange) close()      { x.sock.Abort() }
func (x *spopExchange) abort()      { x.sock.Abort() }

// Abort takes the exchange from its stream: an answer that comes later is nobody's.
func (x *spopExchange) Abort() {
	m := x.of
	if x.st == nil {
		return
	}
	x.st = nil
	if x.prev == nil {
		m.live = x.next
	} else {
		x.prev.next = x.next
	}
	if x.next != nil {
		x.next.prev = x.prev
	}
	x.prev, x.next = nil, nil
	if x.back != nil {
		x.back.Release()
		x.back = nil
	}
	m.left(x)
}

// Close implements transport.Channel.
func (x *spopExchange) Close() { x.Abort() }

// Send sends the messages, which came as one.
func (x *spopExchange) Send(b *loop.Buffer) {
	m := x.of
	defer b.Release()
	switch {
	case x.number > 0 || x.end != nil:
		return
	case !m.speaks():
		x.fail(m.why)
		return
	}
	x.number = m.last + 1 | 1
	m.last = x.number
	size := len(b.Data) + frame.Overhead
	if m.out != nil && len(m.out.Data)+size > cap(m.out.Data) {
		m.push()
	}
	m.room(0)
	start := len(m.out.Data)
	m.out.Data = frame.AppendNotify(m.out.Data, x.number, 1, b.Data[1:]) // without the type of the frame, which stands before
	if len(m.out.Data)-start-frame.LengthSize > m.size {
		m.out.Data = m.out.Data[:start]
		x.fail(frame.TooBig)
		return
	}
	m.touch()
}

// answered passes the actions on. That there are none is told by one that does nothing.
func (x *spopExchange) answered(actions []byte) {
	if x.end != nil {
		return
	}
	b := x.w.loop.Buffer()
	if b.Data = append(b.Data, actions...); len(actions) == 0 {
		b.Data = append(b.Data, 0)
	}
	x.back, x.end = b, io.EOF
	x.deliver()
}

// fail ends the exchange without an answer.
func (x *spopExchange) fail(why frame.Fault) {
	if x.end != nil {
		return
	}
	if a := x.st.c.ask; a != nil {
		a.why = why
	}
	x.end = io.ErrUnexpectedEOF
	x.w.loop.RunLater(&x.later)
}

// deliver gives the stream what it waits for.
func (x *spopExchange) deliver() {
	if b := x.back; b != nil && x.receiving && x.st != nil {
		x.back = nil
		x.Received(b, nil)
	}
	if x.st != nil && x.receiving && x.back == nil && x.end != nil && !x.told {
		x.told = true
		x.Received(nil, x.end)
	}
}

// RunTask tells the stream what was put off.
func (x *spopExchange) RunTask(*loop.Task) { x.deliver() }

// Receive makes the answer come.
func (x *spopExchange) Receive() {
	x.receiving = true
	x.w.loop.RunLater(&x.later)
}

// Pause holds it back.
func (x *spopExchange) Pause() { x.receiving = false }

// SetHandler implements transport.Channel: the exchange is its own.
func (x *spopExchange) SetHandler(loop.Handler) {}

// Fd is the connection's.
func (x *spopExchange) Fd() int { return x.of.k.sock.Fd() }

// Queued is nothing: the messages are a buffer at most.
func (x *spopExchange) Queued() int { return 0 }

// NotifySent is never asked for.
func (x *spopExchange) NotifySent(int) {}

// SendStatic is never called.
func (x *spopExchange) SendStatic([]byte) {}

// Shutdown and SendEnd say nothing: the messages are all that there is.
func (x *spopExchange) Shutdown()                {}
func (x *spopExchange) SendEnd(*message.Message) {}
