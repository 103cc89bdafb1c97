package engine

import (
	"io"

	"hapax/runtime/loop"
	"hapax/runtime/spoe"
	"hapax/runtime/spoe/frame"
)

// spopConn is a connection to an agent, which answers one exchange after another, or many at once. Pools hold its link,
// streams one exchange each.
type spopConn struct {
	w     *worker
	k     *link
	agent *spoe.Agent
	live  *spopExchange // those that streams have
	n     int           // how many
	last  uint64        // the number of the newest one
	size  int           // bytes of a frame at most
	limit int           // exchanges at once
	talks spopTalk
	why   frame.Fault  // it ends
	in    *loop.Buffer // the beginning of a frame; nil: none came
	speech
	timer loop.Timer // ends what nobody uses
	told  bool       // it was told why the connection ends
	over  error      // why it carries nothing any more; nil: it does
	gone  bool       // the socket is not ours any more
}

// spopTalk is how far the conversation with an agent is.
type spopTalk uint8

const (
	spopGreets spopTalk = iota // its HELLO is awaited
	spopRuns
	spopLeaves // it was told that the connection ends, and has to answer that
)

// manyExchanges is how many exchanges a connection carries at once, if both sides want that.
const manyExchanges = 20

// shareSPOP makes a link whose connection is on its way one to an agent.
func (k *link) shareSPOP(agent *spoe.Agent) *spopConn {
	m := &spopConn{w: k.w, k: k, agent: agent, limit: 1, size: agent.MaxFrame}
	if agent.Pipelining {
		m.limit = manyExchanges
	}
	m.speech.init(k)
	m.timer.Init(k.w.loop, m)
	k.shared = m
	k.sock.SetHandler(m)
	return m
}

// more implements carrier: before the agent has said HELLO, a connection is that of the exchange that it was made for.
func (m *spopConn) more() bool { return m.talks == spopRuns && m.n < m.limit && m.lasts() }

// lasts tells whether another exchange may follow those that there are.
func (m *spopConn) lasts() bool {
	srv := m.k.srv
	return m.speaks() && (srv.MaxReuse < 0 || m.k.served <= srv.MaxReuse)
}

func (m *spopConn) speaks() bool { return m.over == nil && !m.gone && m.talks != spopLeaves }

// Connected ends the attempt to connect: it was made for the exchanges that wait.
func (m *spopConn) Connected(err error) {
	k := m.k
	if err != nil {
		m.over = err
		for x := m.live; x != nil; x = m.live {
			x.st.connected(err)
		}
		return
	}
	if k.fresh && k.introduce(m) {
		return
	}
	k.up = true
	m.room(0)
	m.out.Data = frame.AppendHello(m.out.Data, &frame.Greeting{Size: uint64(m.size), Pipelining: m.agent.Pipelining, Engine: m.agent.Engine})
	m.touch()
	k.sock.Receive()
}

// begin lets the exchanges begin: as in the reference, no connection stands before the agent has said HELLO.
func (m *spopConn) begin() {
	for x := m.live; x != nil; {
		next := x.next
		if !x.up {
			x.up = true
			x.st.connected(nil)
		}
		x = next
	}
}

// Received is what the agent sends.
func (m *spopConn) Received(b *loop.Buffer, err error) {
	if b == nil {
		m.end(err)
		return
	}
	if m.talks == spopLeaves && !m.told {
		b.Release()
		return
	}
	if m.in != nil {
		rest := fill(m.in, b)
		b, m.in = m.in, nil
		m.take(b)
		switch {
		case rest == nil:
		case m.over != nil || m.gone:
			rest.Release()
		default:
			m.Received(rest, nil)
		}
		return
	}
	m.take(b)
}

// take reads the frames in a buffer, and keeps the beginning of one that is not there yet.
func (m *spopConn) take(b *loop.Buffer) {
	at := 0
	for m.over == nil && !m.gone {
		h, n := frame.ReadHead(b.Data[at:])
		if n == 0 {
			break
		}
		if why := m.judge(&h); why != frame.Fine {
			m.refuse(why)
			break
		}
		if h.Payload > len(b.Data)-at-n {
			break
		}
		at += n + h.Payload
		m.heed(&h, b.Data[at-h.Payload:at])
	}
	switch {
	case m.over != nil || m.gone || m.talks == spopLeaves && !m.told || at == len(b.Data):
		b.Release()
	case at == 0 && len(b.Data) == cap(b.Data): // a frame that is longer than a buffer
		b.Release()
		m.end(io.ErrUnexpectedEOF)
	case at == 0:
		m.in = b
	default:
		m.in = m.w.loop.Buffer()
		m.in.Data = append(m.in.Data, b.Data[at:]...)
		b.Release()
	}
}

// judge tells what is wrong with a frame.
func (m *spopConn) judge(h *frame.Head) frame.Fault {
	ofConn := h.Kind == frame.AgentHello || h.Kind == frame.AgentDisconnect
	switch {
	case m.talks == spopGreets && h.Kind != frame.AgentHello, m.talks != spopRuns && ofConn && (h.Stream != 0 || h.Number != 0 || !h.Whole):
		return frame.Invalid
	case h.Payload < 0 || h.Payload > m.size:
		return frame.BadSize
	case !h.Whole:
		return frame.Fragmented
	case h.Stream == 0 && h.Kind == frame.Ack, h.Stream != 0 && h.Number == 0:
		return frame.Invalid
	case h.Stream > m.last:
		return frame.NotFound
	case h.Stream == 0 && !ofConn:
		return frame.Invalid
	case h.Stream != 0 && h.Number > 1 && m.exchange(h.Stream) != nil:
		return frame.NotFound
	}
	return frame.Fine
}

// refuse ends the conversation. As in the reference, an agent that has said HELLO is told nothing, and not listened to any
// more: the exchanges wait for their time to be over.
func (m *spopConn) refuse(why frame.Fault) {
	if m.talks == spopRuns {
		m.talks = spopLeaves
		m.w.unlist(m.k)
		return
	}
	m.why = why
	m.end(io.ErrUnexpectedEOF)
}

// say tells the agent that the connection ends.
func (m *spopConn) say(why frame.Fault) {
	m.room(0)
	m.out.Data = frame.AppendDisconnect(m.out.Data, why)
	m.touch()
	m.talks, m.told = spopLeaves, true
	m.w.unlist(m.k)
}

// heed does what a frame says.
func (m *spopConn) heed(h *frame.Head, payload []byte) {
	switch {
	case h.Kind == frame.AgentHello && h.Stream == 0:
		m.greeted(payload)
	case h.Kind == frame.AgentDisconnect && h.Stream == 0:
		m.why, _ = frame.ReadDisconnect(payload)
		m.end(io.ErrUnexpectedEOF)
	case h.Kind == frame.Ack:
		if x := m.exchange(h.Stream); x != nil && h.Number == 1 {
			x.answered(payload)
		}
	}
}

// greeted takes in what the agent can do, and lets it be asked.
func (m *spopConn) greeted(payload []byte) {
	g := frame.Greeting{Size: uint64(m.size)}
	if why := frame.ReadHello(payload, &g); why != frame.Fine {
		m.why = why
		m.say(why)
		return
	}
	if m.size = int(g.Size); !g.Pipelining {
		m.limit = 1
	}
	if m.talks != spopGreets {
		return
	}
	m.talks = spopRuns
	m.begin()
	if !m.gone {
		m.w.offer(m.k)
	}
}

// exchange finds what a number stands for; nil: nobody waits for it any more.
func (m *spopConn) exchange(number uint64) *spopExchange {
	for x := m.live; x != nil; x = x.next {
		if x.number == number && number > 0 {
			return x
		}
	}
	return nil
}

// Sent tells that the connection is broken.
func (m *spopConn) Sent(err error) {
	if err != nil {
		m.end(err)
	}
}

// end ends all exchanges, once.
func (m *spopConn) end(err error) {
	if m.over != nil {
		return
	}
	if m.over = err; eof(err) {
		m.over = io.ErrUnexpectedEOF
	}
	if eof(err) {
		m.begin() // it counts as one that stood
	}
	for x := m.live; x != nil; {
		next := x.next
		if !x.up {
			x.st.connected(errGone)
		} else {
			x.fail(m.why)
		}
		x = next
	}
	if m.n == 0 && !m.gone {
		m.k.leaveServer()
	}
}

// close implements carrier.
func (m *spopConn) close(say bool) {
	if m.gone {
		return
	}
	if say {
		m.push()
	}
	m.hush()
	if m.in != nil {
		m.in.Release()
		m.in = nil
	}
	m.timer.Remove()
	m.gone = true
	m.end(errGone)
}

// left takes an exchange back that is over. The last one leaves the connection to the pool.
func (m *spopConn) left(x *spopExchange) {
	w := m.w
	x.next, w.spopExchanges = w.spopExchanges, x
	m.n--
	if m.gone {
		return // and its link is perhaps another connection's
	}
	m.k.served++
	if m.n > 0 {
		w.offer(m.k)
		return
	}
	m.k.unuse()
	if !m.lasts() {
		m.k.leaveServer()
		return
	}
	if d := m.k.srv.Proxy.Timeout.Server; d > 0 {
		m.timer.After(d)
	}
	m.k.rest()
}

// Expired takes leave of an agent that was not asked for a long time.
func (m *spopConn) Expired(*loop.Timer) {
	if m.n == 0 && m.speaks() {
		m.say(frame.Fine)
		m.k.close()
	}
}
