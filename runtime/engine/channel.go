package engine

import (
	"io"

	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// channel is one stream of an HTTP/2 connection, as a transport.Channel: what is sent on it
// becomes DATA, what is received was. It is embedded in what a worker has per stream and is
// its mux's until muxOwner.left.
type channel struct {
	st    h2.Stream
	m     *mux
	h     loop.Handler // nil: nobody has it any more
	owner any          // what it is embedded in

	out    []*loop.Buffer // to be sent, from outAt on
	outAt  int
	queued int // bytes of it
	low    int
	notify bool             // NotifySent was asked for
	fin    bool             // the message ends behind out
	cut    bool             // the message was broken off behind out
	tail   *message.Message // with fin: its trailers

	held      []*loop.Buffer // received while paused
	receiving bool
	end       error  // of receiving; nil: it goes on
	readAt    uint32 // when a part of the body came, or the head of a response, as mux.reads counts
	told      bool   // the owner knows it
	bare      bool   // the end came alone, behind all of the body
	broken    error  // why the stream ended in both directions, when it did

	nextReady *channel
	waits     bool // stands in mux.ready
	calls     bool // tells its handler something in the end of the turn
	later     loop.Task
}

// init prepares a channel for its first use.
func (ch *channel) init(owner any) {
	ch.owner = owner
	ch.st.Owner = ch
	ch.later.Init(ch)
}

// open makes ch a fresh channel of m. Its stream is opened by its first head.
func (ch *channel) open(m *mux, h loop.Handler) {
	ch.st = h2.Stream{Owner: ch}
	ch.m, ch.h = m, h
	ch.notify, ch.fin, ch.cut, ch.tail = false, false, false, nil
	ch.readAt, ch.receiving, ch.end, ch.told, ch.bare, ch.broken, ch.calls = 0, false, nil, false, false, nil, false
}

// SetHandler gives the channel another owner.
func (ch *channel) SetHandler(h loop.Handler) { ch.h = h }

// Fd is the connection's.
func (ch *channel) Fd() int { return ch.m.sock.Fd() }

// Queued is what is to be sent on this channel.
func (ch *channel) Queued() int { return ch.queued }

// Receive makes the body come.
func (ch *channel) Receive() {
	if ch.receiving {
		return
	}
	ch.receiving = true
	if len(ch.held) > 0 || ch.end != nil && !ch.told {
		ch.call()
	}
}

// Pause holds the body back: what the peer may send ahead is bounded by the stream's window.
func (ch *channel) Pause() { ch.receiving = false }

// NotifySent asks for one Sent(nil).
func (ch *channel) NotifySent(low int) {
	ch.low, ch.notify = low, true
	if ch.queued <= low {
		ch.call()
	}
}

// call makes the handler be called in the end of the turn.
func (ch *channel) call() {
	ch.calls = true
	ch.m.w.loop.RunLater(&ch.later)
}

// RunTask tells the handler what was put off.
func (ch *channel) RunTask(*loop.Task) {
	if !ch.calls {
		return
	}
	ch.calls = false
	ch.tellSent()
	for ch.receiving && len(ch.held) > 0 {
		b := ch.held[0]
		n := copy(ch.held, ch.held[1:])
		ch.held[n] = nil
		ch.held = ch.held[:n]
		ch.deliver(b)
	}
	ch.tellEnd()
}

// Send queues a part of the body.
func (ch *channel) Send(b *loop.Buffer) {
	if len(b.Data) == 0 || ch.fin || ch.st.SendEnded() || ch.st.Closed() {
		b.Release()
		return
	}
	ch.out = append(ch.out, b)
	ch.queued += len(b.Data)
	ch.wake()
}

// SendStatic queues bytes that nobody changes.
func (ch *channel) SendStatic(p []byte) {
	for len(p) > 0 {
		b := ch.m.w.loop.Buffer()
		n := copy(b.Room(), p)
		b.Grow(n)
		p = p[n:]
		ch.Send(b)
	}
}

// Shutdown ends the message behind what is queued.
func (ch *channel) Shutdown() { ch.SendEnd(nil) }

// SendEnd ends the message; see framer.
func (ch *channel) SendEnd(trailers *message.Message) {
	if ch.fin || ch.st.SendEnded() || ch.st.Closed() {
		return
	}
	ch.fin = true
	if trailers != nil {
		ch.tail = trailers
		for ch.write() {
		}
		ch.m.touch()
		if ch.tail != nil {
			ch.keepTrailers() // both windows hold the body up: the message's owner may be gone before it is sent
		}
	}
	ch.wake()
}

// keepTrailers copies the trailers.
func (ch *channel) keepTrailers() {
	m := *ch.tail
	m.Fields = append([]message.Field(nil), m.Fields...)
	m.MoveTo(make([]byte, 0, m.Stored()))
	ch.tail = &m
}

// wake puts the channel among those that send.
func (ch *channel) wake() {
	if !ch.waits && (ch.queued > 0 || ch.fin || ch.cut) && !ch.st.SendEnded() && ch.st.ID != 0 {
		ch.m.ready.add(ch)
		ch.m.touch()
	}
}

// blocked tells whether what is queued cannot leave for now, whatever comes behind it.
func (ch *channel) blocked() bool {
	return ch.queued > 0 && (ch.m.full || ch.m.h2.Room(&ch.st) <= 0)
}

// smallData is the size up to which bytes are copied behind the head of their frame.
const smallData = 4096

// write sends one frame; true: something was sent. A channel that has more to send is
// among the ready ones afterwards, unless its own window is closed.
func (ch *channel) write() bool {
	m := ch.m
	if m.early || ch.st.SendEnded() || ch.st.Closed() {
		return false
	}
	if ch.queued == 0 && ch.cut {
		ch.reset(h2.Cancel)
		ch.over()
		return true
	}
	if ch.queued == 0 {
		return ch.fin && ch.writeEnd()
	}
	n := min(m.h2.Room(&ch.st), ch.queued, m.w.limits.buffer)
	if n <= 0 {
		return false
	}
	end := ch.fin && ch.tail == nil && n == ch.queued
	if n <= smallData {
		m.room(n + h2.FrameHeadLen)
	} else {
		m.room(h2.FrameHeadLen)
	}
	m.h2.DataHead(&ch.st, n, end)
	if n <= smallData {
		ch.copyOut(n)
	} else {
		m.push()
		ch.passOut(n)
	}
	ch.queued -= n
	if ch.outAt == len(ch.out) {
		ch.out, ch.outAt = ch.out[:0], 0
	}
	if ch.notify && ch.queued <= ch.low {
		ch.call()
	}
	switch {
	case end:
		ch.over()
	case ch.queued > 0 || ch.fin || ch.cut:
		ch.wake()
	}
	return true
}

// copyOut moves the first n bytes of the queue behind what is said.
func (ch *channel) copyOut(n int) {
	for n > 0 {
		b := ch.out[ch.outAt]
		take := min(n, len(b.Data))
		ch.m.h2.Out = append(ch.m.h2.Out, b.Data[:take]...)
		n -= take
		ch.took(b, take)
	}
}

// passOut hands the first n bytes of the queue to the socket as they are.
func (ch *channel) passOut(n int) {
	for n > 0 {
		b := ch.out[ch.outAt]
		if len(b.Data) <= n {
			n -= len(b.Data)
			ch.out[ch.outAt] = nil
			ch.outAt++
			ch.m.sock.Send(b)
			continue
		}
		ch.m.sock.Send(b.Slice(0, n))
		ch.took(b, n)
		return
	}
}

// took notes that so many bytes of the first buffer are on their way.
func (ch *channel) took(b *loop.Buffer, n int) {
	if b.Data = b.Data[n:]; len(b.Data) == 0 {
		ch.out[ch.outAt] = nil
		ch.outAt++
		b.Release()
	}
}

// writeEnd ends the message by trailers, or by an empty frame.
func (ch *channel) writeEnd() bool {
	m := ch.m
	if ch.tail == nil {
		m.room(h2.FrameHeadLen)
		m.h2.DataHead(&ch.st, 0, true)
		ch.over()
		return true
	}
	tail := ch.tail
	ch.tail = nil
	m.room(0)
	if m.h2.WriteTrailers(&ch.st, tail) != nil {
		m.room(m.w.limits.buffer)
		if m.h2.WriteTrailers(&ch.st, tail) != nil {
			ch.reset(h2.InternalError)
		}
	}
	ch.over()
	return true
}

// received takes a part of the body that the peer sent.
func (ch *channel) received(b *loop.Buffer) {
	ch.readAt = ch.m.reads
	switch {
	case ch.h == nil:
		b.Release() // the window is not opened again
	case ch.receiving && len(ch.held) == 0:
		ch.deliver(b)
	case len(b.Data) > smallPayload:
		ch.held = append(ch.held, b)
	default:
		// Small pieces must not keep a buffer each.
		if n := len(ch.held); n > 0 && merge(ch.held[n-1], b) {
			return
		}
		own := ch.m.w.loop.Buffer()
		merge(own, b)
		ch.held = append(ch.held, own)
	}
}

// deliver hands bytes to the owner: the peer may send as many more.
func (ch *channel) deliver(b *loop.Buffer) {
	ch.consumed(len(b.Data))
	ch.h.Received(b, nil)
}

func (ch *channel) consumed(n int) {
	if m := ch.m; m.speaks() {
		m.room(0)
		m.h2.Consumed(&ch.st, n)
		m.touch()
	}
}

// finish notes that the peer sends no more on the channel, and tells it when the body is delivered.
func (ch *channel) finish() {
	if ch.end == nil {
		ch.end = io.EOF
	}
	ch.tellEnd()
	ch.over()
}

// tellEnd tells the owner the end of receiving, and then that of the stream.
func (ch *channel) tellEnd() {
	if ch.end != nil && !ch.told && ch.receiving && len(ch.held) == 0 {
		ch.told = true
		ch.h.Received(nil, ch.end)
	}
	if ch.told && ch.broken != nil && ch.h != nil && ch.end != ch.broken {
		ch.end = ch.broken
		ch.h.Received(nil, ch.end)
	}
}

// fail ends a channel that was reset, or whose connection is over. A message that came whole is still delivered before,
// and so is what came of one of a server.
func (ch *channel) fail(err error) {
	if ch.broken != nil {
		return
	}
	ch.broken = err
	ch.dropOut()
	switch {
	case ch.h == nil || ch.end != nil:
		ch.tellEnd()
	case len(ch.held) > 0 && ch.m.h2.Opens():
		ch.end = err // behind what the server has sent
	default:
		ch.dropHeld()
		ch.end, ch.told = err, true
		ch.h.Received(nil, err)
	}
	ch.over()
}

// left tells that the peer sends nothing more: what was sent on the channel may still be read.
func (ch *channel) left() {
	if ch.broken != nil || ch.h == nil {
		return
	}
	ch.broken = io.ErrUnexpectedEOF
	if ch.end == nil {
		ch.dropHeld()
		ch.end, ch.told = ch.broken, true
		ch.h.Received(nil, ch.end)
		return
	}
	ch.tellEnd()
}

// tellSent answers NotifySent.
func (ch *channel) tellSent() {
	if ch.notify && ch.queued <= ch.low && ch.h != nil {
		ch.notify = false
		ch.h.Sent(nil)
	}
}

// Close leaves the channel to itself: what is queued is still sent.
func (ch *channel) Close() {
	ch.leave()
	switch {
	case ch.fin:
	case ch.queued > 0 && ch.st.ID != 0 && ch.m.over == nil:
		ch.cut = true
		ch.wake()
		return
	default:
		ch.reset(h2.Cancel)
	}
	if ch.st.ID == 0 || ch.m.over != nil {
		ch.reset(h2.Cancel)
	}
	ch.over()
}

// Abort ends the channel at once.
func (ch *channel) Abort() {
	ch.leave()
	ch.reset(h2.Cancel)
	ch.over()
}

// leave takes the owner away.
func (ch *channel) leave() {
	ch.h, ch.receiving = nil, false
	ch.dropHeld()
}

// reset ends the stream in both directions.
func (ch *channel) reset(code h2.Code) {
	ch.dropOut()
	ch.m.ready.remove(ch)
	if m := ch.m; m.speaks() {
		m.room(0)
		m.h2.Reset(&ch.st, code)
		m.touch()
	}
}

// over gives a channel back that nobody has and whose stream is over. A peer that has all of a
// message, and goes on to send what nobody reads, is told so.
func (ch *channel) over() {
	if ch.h != nil || ch.m == nil {
		return
	}
	if ch.st.SendEnded() && !ch.st.Closed() && ch.m.over == nil {
		ch.m.owner.unwanted(ch)
		if ch.m == nil {
			return
		}
	}
	if ch.st.ID == 0 || ch.st.Closed() || ch.m.over != nil {
		m := ch.m
		ch.dropOut()
		m.ready.remove(ch)
		ch.calls = false
		ch.m = nil
		m.owner.left(ch)
	}
}

func (ch *channel) dropOut() {
	for _, b := range ch.out[ch.outAt:] {
		b.Release()
	}
	clear(ch.out)
	ch.out, ch.outAt, ch.queued = ch.out[:0], 0, 0
}

func (ch *channel) dropHeld() {
	for i, b := range ch.held {
		b.Release()
		ch.held[i] = nil
	}
	ch.held = ch.held[:0]
}
