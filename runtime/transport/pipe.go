package transport

import (
	"io"

	"hapax/runtime/loop"
	"hapax/runtime/message"
)

// Served is what has the other end of a Pipe: a service of the program.
type Served interface {
	// Progress tells that bytes came, that there is room for some, or that the connection is over. It is called on the
	// loop, and once too often now and then.
	Progress()
}

// Pipe is a Channel to a service of the program, in the place of a connection to a server: nothing but memory. It lives
// on one loop.
type Pipe struct {
	loop    *loop.Loop
	service Served
	up      loop.Handler // nil: it is over on that side
	later   loop.Task

	in     []byte // for the service, from inAt on
	inAt   int
	ended  bool // nothing follows in
	low    int
	notify bool // NotifySent was asked for

	out       []*loop.Buffer // from the service
	queued    int            // bytes of it
	over      error          // what follows out; nil: more of it may
	told      bool           // the owner knows it
	receiving bool
	wakes     bool // the service is to be told of something
}

// pipeRoom is how much of the service's bytes may wait.
const pipeRoom = 64 << 10

// NewPipe makes a pipe to a service, which is told at once that there is room.
func NewPipe(l *loop.Loop, service Served) *Pipe {
	p := &Pipe{}
	p.Open(l, service)
	p.Wake()
	return p
}

// Open makes a Pipe one that nobody has used: it was none so far, or both ends have left it.
func (p *Pipe) Open(l *loop.Loop, service Served) {
	if p.loop == nil {
		p.later.Init(p)
	}
	p.loop, p.service = l, service
	p.in, p.inAt, p.ended, p.over, p.told, p.wakes = p.in[:0], 0, false, nil, false, false
}

// Wake has the service called soon.
func (p *Pipe) Wake() {
	p.wakes = true
	p.loop.RunLater(&p.later)
}

// RunTask tells both sides what was put off.
func (p *Pipe) RunTask(*loop.Task) {
	for p.up != nil && p.receiving && len(p.out) > 0 {
		b := p.out[0]
		n := copy(p.out, p.out[1:])
		p.out[n] = nil
		p.out = p.out[:n]
		p.queued -= len(b.Data)
		p.wakes = p.wakes || p.over == nil
		p.up.Received(b, nil)
	}
	if p.up != nil && p.receiving && len(p.out) == 0 && p.over != nil && !p.told {
		p.told = true
		p.up.Received(nil, p.over)
	}
	if p.up != nil && p.notify && p.Queued() <= p.low {
		p.notify = false
		p.up.Sent(nil)
	}
	if p.wakes {
		p.wakes = false
		p.service.Progress()
	}
}

// SetHandler gives the owner's end to another one.
func (p *Pipe) SetHandler(up loop.Handler) { p.up = up }

// Fd is none.
func (p *Pipe) Fd() int { return -1 }

// Queued is what the service has not taken.
func (p *Pipe) Queued() int { return len(p.in) - p.inAt }

// Receive makes the service's bytes come.
func (p *Pipe) Receive() {
	p.receiving = true
	p.loop.RunLater(&p.later)
}

// Pause stops them.
func (p *Pipe) Pause() { p.receiving = false }

// NotifySent asks for one Sent(nil).
func (p *Pipe) NotifySent(low int) {
	p.low, p.notify = low, true
	p.loop.RunLater(&p.later)
}

// Send hands bytes to the service.
func (p *Pipe) Send(b *loop.Buffer) {
	p.SendStatic(b.Data)
	b.Release()
}

// SendStatic does so too.
func (p *Pipe) SendStatic(b []byte) {
	if p.ended || p.over != nil {
		return // it takes no more
	}
	p.in = append(p.in, b...)
	p.Wake()
}

// Shutdown ends what the service gets.
func (p *Pipe) Shutdown() {
	p.ended = true
	p.Wake()
}

// SendEnd ends a message; the service is told no trailers.
func (p *Pipe) SendEnd(*message.Message) { p.Shutdown() }

// Close ends the connection.
func (p *Pipe) Close() { p.Abort() }

// Abort ends the connection.
func (p *Pipe) Abort() {
	for i, b := range p.out {
		b.Release()
		p.out[i] = nil
	}
	p.out, p.queued, p.up, p.receiving, p.notify = p.out[:0], 0, nil, false, false
	p.ended = true
	p.Wake()
}

// Gone tells the service that nobody has the other end any more.
func (p *Pipe) Gone() bool { return p.up == nil }

// In is what came for the service and was not taken; more may follow if more is true.
func (p *Pipe) In() (b []byte, more bool) { return p.in[p.inAt:], !p.ended }

// Take takes the first n bytes of In.
func (p *Pipe) Take(n int) {
	if p.inAt += n; p.inAt == len(p.in) {
		p.in, p.inAt = p.in[:0], 0
	}
	if p.notify {
		p.loop.RunLater(&p.later)
	}
}

// Room tells whether the service may write: it is called when there is room again.
func (p *Pipe) Room() bool { return p.queued < pipeRoom }

// Write takes bytes from the service.
func (p *Pipe) Write(b []byte) {
	if p.up == nil || p.over != nil {
		return
	}
	p.queued += len(b)
	for len(b) > 0 {
		n := len(p.out)
		if n == 0 || len(p.out[n-1].Room()) == 0 {
			p.out = append(p.out, p.loop.Buffer())
			n++
		}
		to := p.out[n-1]
		took := copy(to.Room(), b)
		to.Grow(took)
		b = b[took:]
	}
	p.loop.RunLater(&p.later)
}

// Finish ends what the service writes; whole: it has said all that it wanted to.
func (p *Pipe) Finish(whole bool) {
	if p.over != nil {
		return
	}
	p.over = io.EOF
	if !whole {
		p.over = io.ErrUnexpectedEOF
	}
	p.loop.RunLater(&p.later)
}
