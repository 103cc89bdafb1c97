package engine

import (
	"errors"
	"io"

	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/trace"
	"hapax/runtime/transport"
)

// mux drives one HTTP/2 connection, of a client or to a server: it feeds what comes to the
// protocol engine, and sends what the engine and the channels have to say in the end of the turn.
type mux struct {
	h2    h2.Conn
	w     *worker
	sock  *transport.Conn
	owner muxOwner

	out     *loop.Buffer // what h2.Out is a part of; nil: nothing is to be said
	ready   channelQueue // those that have something to send, in turn
	flusher loop.Task
	full    bool   // the socket has enough to send: Sent goes on
	deaf    bool   // and the peer is not listened to any more, for it does not listen itself
	over    error  // why the connection carries nothing any more; nil: it does
	gone    bool   // the socket is not ours any more
	reads   uint32 // how often something came
	asked   bool   // whether it lives, and the peer did not answer yet

	glitches int // that the owner was told of

	early   bool           // the connection does not stand yet: what is said waits for it
	waiting []*loop.Buffer // so

	turning bool         // the sides are to be swapped: nothing more is taken in
	beyond  *loop.Buffer // what came behind that; nil: nothing
}

// muxOwner is told what concerns more than one channel, and heads.
type muxOwner interface {
	// head tells that a head came, which is to be read or refused at once. ch is nil when the
	// peer opens a stream.
	head(ch *channel, end bool)
	// trailers tells that trailers came, which are to be read at once.
	trailers(ch *channel)
	// settled tells that the peer's settings came, perhaps other ones.
	settled()
	// goAway tells that the peer serves no new streams, nor those above last.
	goAway(last uint32, code h2.Code)
	// unwanted tells that nobody has a channel on which the peer, which got a whole message, may
	// still send: it is to be reset, soon.
	unwanted(ch *channel)
	// refused tells that the peer opened a stream too many.
	refused()
	// violated tells that the peer broke the protocol in a way that logs tell: the connection ends.
	violated()
	// glitched tells that the peer did so many things that are not usual.
	glitched(n int)
	// tell tells traces of a frame that came with n bytes.
	tell(e trace.Event, level trace.Level, text string, n int)
	// came tells that all of what was received at once was told.
	came()
	// left tells that a channel is over and that nobody has it: it may be used again.
	left(ch *channel)
	// ended tells that nothing comes any more: a protocol error (GOAWAY was said), or the end of
	// the connection (io.EOF) or its error. All channels were told before.
	ended(err error)
}

// muxError says that the peer broke the protocol.
type muxError h2.Code

func (e muxError) Error() string { return "HTTP/2 protocol error" }

// resetError is how a channel ends when its peer has reset it.
type resetError h2.Code

func (e resetError) Error() string { return "HTTP/2 stream reset" }

// violation is how a channel ends that the protocol engine has reset because its peer broke the rules.
type violation uint8

const (
	brokenRules violation = iota
	tooShort              // all of the message came, and it is not as long as announced
	badTrailers           // the body came, and malformed trailers
)

func (v violation) Error() string {
	return [...]string{"HTTP/2 stream error", "message shorter than its Content-Length", "malformed trailers"}[v]
}

// init prepares a fresh mux. The socket may still be connecting.
func (m *mux) init(w *worker, sock *transport.Conn, cfg *h2.Config, owner muxOwner) {
	m.w, m.sock, m.owner = w, sock, owner
	m.flusher.Init(m)
	m.h2.Init(cfg)
}

// start begins the conversation.
func (m *mux) start() {
	m.room(0)
	m.h2.Start()
	m.stand()
}

// startEarly begins it ahead of the connection, of which stand tells.
func (m *mux) startEarly() {
	m.early = true
	m.room(0)
	m.h2.Start()
}

// stand goes on with a connection that stands.
func (m *mux) stand() {
	m.early = false
	for _, b := range m.waiting {
		m.sock.Send(b)
	}
	m.waiting = nil
	m.touch()
	m.sock.Receive()
}

// put hands a buffer to the socket.
func (m *mux) put(b *loop.Buffer) {
	if m.early {
		m.waiting = append(m.waiting, b)
	} else {
		m.sock.Send(b)
	}
}

// room makes sure that n bytes can be said without moving what was said before.
func (m *mux) room(n int) {
	if m.out != nil && (n == 0 || cap(m.h2.Out)-len(m.h2.Out) >= n) {
		return
	}
	m.push()
	m.out = m.w.loop.Buffer()
	m.h2.Out = m.out.Data
}

// push hands what was said to the socket.
func (m *mux) push() {
	b, said := m.out, m.h2.Out
	m.out, m.h2.Out = nil, nil
	if b == nil {
		return
	}
	if len(said) > cap(b.Data) {
		// It outgrew the buffer: the peer made the engine say much at once.
		for len(said) > 0 {
			b.Data = append(b.Data[:0], said[:min(len(said), cap(b.Data))]...)
			said = said[len(b.Data):]
			m.put(b)
			if len(said) > 0 {
				b = m.w.loop.Buffer()
			}
		}
		return
	}
	b.Data = said
	m.put(b)
}

// touch makes what is said be sent in the end of the turn.
func (m *mux) touch() { m.w.loop.RunLater(&m.flusher) }

// RunTask sends what is to be sent.
func (m *mux) RunTask(*loop.Task) { m.flush() }

// flush lets the channels send in turn, a frame each, as long as both windows and the socket let them.
func (m *mux) flush() {
	if m.gone || m.early {
		return
	}
	for !m.full && m.speaks() && !m.ready.empty() {
		ch := m.ready.pop()
		if !ch.write() && m.h2.ConnRoom() <= 0 && ch.queued > 0 {
			m.ready.unpop(ch) // its turn comes when the connection's window opens
			break
		}
		if !m.gone && m.sock.Queued()+len(m.h2.Out) > highWater {
			m.full = true
		}
	}
	if m.gone {
		return // the last channel has ended, and its owner the connection
	}
	m.push()
	if q := m.sock.Queued(); q > highWater {
		m.full = true
		if m.deaf = q > 2*highWater; m.deaf {
			m.sock.Pause()
		}
	}
	if m.full {
		m.sock.NotifySent(lowWater)
	}
}

// ping asks the peer whether it is there.
func (m *mux) ping() {
	m.asked = true
	m.room(0)
	m.h2.Ping()
	m.touch()
}

// speaks tells whether anything may still be said.
func (m *mux) speaks() bool { return m.over == nil && !m.gone }

// close ends the use of the socket, which the owner closes next: behind what was said, or not.
func (m *mux) close(say bool) {
	if m.gone {
		return
	}
	if say {
		m.push()
	} else if m.out != nil {
		m.out.Release()
		m.out, m.h2.Out = nil, nil
	}
	for _, b := range m.waiting {
		b.Release()
	}
	m.waiting = nil
	m.gone = true
	m.end(errGone)
}

// errGone ends channels whose connection the proxy itself has ended.
var errGone = errors.New("the connection was closed")

// Sent goes on sending, or tells that it is no use.
func (m *mux) Sent(err error) {
	if err != nil {
		return // the end of receiving tells more
	}
	m.full = false
	if m.deaf {
		m.deaf = false
		m.sock.Receive()
	}
	m.flush()
}

// Received is what the peer sends.
func (m *mux) Received(b *loop.Buffer, err error) {
	if b == nil {
		m.end(err)
		return
	}
	m.room(0)
	m.reads++
	m.h2.Patient = !m.w.busy()
	m.h2.Arrived()
	for at := 0; m.speaks(); {
		n, ev := m.h2.Next(b.Data[at:])
		at += n
		m.tellGlitches()
		if ev.Kind == h2.More {
			break
		}
		m.event(&ev, b, at)
		if m.turning {
			if at < len(b.Data) {
				m.beyond = b.Slice(at, len(b.Data))
			}
			break
		}
	}
	m.tellGlitches()
	m.owner.came()
	b.Release()
	m.touch()
}

// tellGlitches passes on what the peer has done since that is not usual.
func (m *mux) tellGlitches() {
	if n := m.h2.Glitches - m.glitches; n > 0 {
		m.glitches = m.h2.Glitches
		m.owner.glitched(n)
	}
}

// event passes on what the engine found in b, up to an offset.
func (m *mux) event(ev *h2.Event, b *loop.Buffer, at int) {
	var ch *channel
	if ev.Stream != nil {
		ch = ev.Stream.Owner.(*channel)
	}
	if m.w.traces.Any() {
		m.tellFrame(ev)
	}
	switch ev.Kind {
	case h2.Head:
		m.owner.head(ch, ev.End)
	case h2.Trailers:
		m.owner.trailers(ch)
	case h2.Data:
		if n := len(ev.Data); n > 0 {
			ch.received(b.Slice(at-n, at))
		}
		if ev.End && ch.m == m && ch.st.ID == ev.ID { // else it carries another message by now
			ch.bare = len(ev.Data) == 0 && ch.readAt != m.reads
			ch.finish()
		}
	case h2.Refused:
		m.owner.refused()
	case h2.Aborted:
		m.aborted(ch, ev, b, at)
	case h2.Reset:
		ch.fail(resetError(ev.Code))
	case h2.Window:
		if ch != nil {
			ch.wake()
		}
	case h2.Settings:
		m.h2.Each(wakeChannel)
		m.owner.settled()
	case h2.Pong:
		m.asked = false
	case h2.GoAway:
		m.owner.goAway(ev.ID, ev.Code)
	case h2.Failed:
		if ev.Log {
			m.owner.violated()
		}
		m.end(muxError(ev.Code))
	}
}

// aborted ends a channel whose peer broke the rules. What came of a message that is too short is passed on before.
func (m *mux) aborted(ch *channel, ev *h2.Event, b *loop.Buffer, at int) {
	if !ev.End {
		ch.fail(brokenRules)
		return
	}
	if n := len(ev.Data); n > 0 {
		ch.received(b.Slice(at-n, at))
	}
	if ch.m == m && ch.st.ID == ev.ID {
		ch.bare = len(ev.Data) == 0 && ch.readAt != m.reads
		ch.fail(tooShort)
	}
}

func wakeChannel(st *h2.Stream) { st.Owner.(*channel).wake() }

// end ends all channels, once.
func (m *mux) end(err error) {
	if m.over != nil {
		return
	}
	m.over = err
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // to a channel, io.EOF is the end of a message
	}
	m.h2.Each(func(st *h2.Stream) { st.Owner.(*channel).fail(err) })
	m.touch()
	m.owner.ended(err)
}

// channelQueue is a list of channels that have something to send.
type channelQueue struct{ head, tail *channel }

func (q *channelQueue) empty() bool { return q.head == nil }

func (q *channelQueue) add(ch *channel) {
	ch.waits = true
	ch.nextReady = nil
	if q.tail == nil {
		q.head = ch
	} else {
		q.tail.nextReady = ch
	}
	q.tail = ch
}

func (q *channelQueue) pop() *channel {
	ch := q.head
	if q.head = ch.nextReady; q.head == nil {
		q.tail = nil
	}
	ch.nextReady, ch.waits = nil, false
	return ch
}

// unpop puts a channel back in front.
func (q *channelQueue) unpop(ch *channel) {
	ch.waits = true
	if ch.nextReady = q.head; q.head == nil {
		q.tail = ch
	}
	q.head = ch
}

// remove takes a channel out: a rare thing.
func (q *channelQueue) remove(ch *channel) {
	if !ch.waits {
		return
	}
	ch.waits = false
	var prev *channel
	for c := q.head; c != nil; prev, c = c, c.nextReady {
		if c != ch {
			continue
		}
		if prev == nil {
			q.head = ch.nextReady
		} else {
			prev.nextReady = ch.nextReady
		}
		if q.tail == ch {
			q.tail = prev
		}
		ch.nextReady = nil
		return
	}
}
