package engine

import "hapax/runtime/loop"

// speech collects what is said on a connection to a server that many exchanges share, and sends it in the end of the turn.
type speech struct {
	of   *link
	out  *loop.Buffer // what is to be said; nil: nothing
	task loop.Task
}

func (p *speech) init(of *link) {
	p.of = of
	p.task.Init(p)
}

// room makes sure that n bytes can be said behind what was said before.
func (p *speech) room(n int) {
	if p.out != nil && cap(p.out.Data)-len(p.out.Data) >= n {
		return
	}
	p.push()
	p.out = p.of.w.loop.Buffer()
}

// push hands what was said to the socket.
func (p *speech) push() {
	if b := p.out; b != nil {
		p.out = nil
		p.of.sock.Send(b)
	}
}

// touch makes what is said be sent in the end of the turn.
func (p *speech) touch() { p.of.w.loop.RunLater(&p.task) }

// RunTask sends what is to be sent.
func (p *speech) RunTask(*loop.Task) { p.push() }

// hush forgets what was not sent yet: the socket is about to be another's.
func (p *speech) hush() {
	if p.out != nil {
		p.out.Release()
		p.out = nil
	}
}
