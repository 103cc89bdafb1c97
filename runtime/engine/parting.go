package engine

import (
	"time"

	"hapax/runtime/loop"
	"hapax/runtime/transport"
)

// parting is the socket of a connection that was closed while its peer may go on to send: it is to read why, and a reset,
// which bytes that nobody reads bring about, could overtake that. So the sending side alone is ended, and what comes is
// dropped, up to a limit.
type parting struct {
	w     *worker
	sock  loop.Socket
	timer loop.Timer
	took  int // bytes
}

const (
	partingTime  = time.Second
	partingBytes = 1 << 20
	partingMost  = 1000 // at a time, of a loop: they count as no client's
)

// part ends a connection behind what is queued, and leaves its peer a moment to take it in.
func (w *worker) part(c *transport.Conn) {
	if w.partings == partingMost {
		c.Close(linger)
		return
	}
	w.partings++
	p := &parting{w: w, sock: c.Detach()}
	p.timer.Init(w.loop, p)
	p.timer.After(partingTime)
	p.sock.SetHandler(p)
	p.sock.Shutdown()
	p.sock.Receive()
}

// Received drops what comes, up to the end of the connection.
func (p *parting) Received(b *loop.Buffer, _ error) {
	if b == nil {
		p.close()
		return
	}
	p.took += len(b.Data)
	b.Release()
	if p.took > partingBytes {
		p.close()
	}
}

// Expired ends the connection for lack of time.
func (p *parting) Expired(*loop.Timer) { p.close() }

// Connected is never called: the connection stands.
func (p *parting) Connected(error) {}

// Sent tells that the peer has gone.
func (p *parting) Sent(error) { p.close() }

func (p *parting) close() {
	p.timer.Remove()
	p.sock.Close(0)
	p.w.partings--
}
