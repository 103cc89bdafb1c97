package engine

import (
	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/h2"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// Nearest implements check.Pool.
func (e *Engine) Nearest(srv *runtime.Server, from int) int {
	if e.workers[from].pool(srv).avail.n > 0 || e.Config.Global.Tune.OwnPools {
		return from
	}
	for i := range e.workers {
		at := (from + i) % len(e.workers)
		if e.workers[at].pool(srv).count.Load() > 0 {
			return at
		}
	}
	return from
}

// Lend implements check.Pool: each check is like the first request of a client.
func (e *Engine) Lend(srv *runtime.Server, at int, name string, to check.Borrower) check.Loan {
	w, mode := e.workers[at], reuse(srv)
	k := w.take(srv, mode, !srv.Proxy.RetryOn.Connection(), []byte(name))
	switch {
	case k == nil:
		return nil
	case k.shared != nil:
		k.safe = true
		p := k.shared.(*shared).probe(to)
		if mode != runtime.ReuseSafe {
			w.offer(k)
		}
		return p
	}
	k.safe = true
	k.use()
	k.sock.SetHandler(to)
	return k
}

// Make implements check.Pool.
func (e *Engine) Make(srv *runtime.Server, at int, name string) check.Loan {
	k := e.workers[at].newLink(srv)
	k.made, k.head = name, len(name)
	return k
}

// Conn implements check.Loan.
func (k *link) Conn() *transport.Conn { return &k.sock }

// Begin implements check.Loan.
func (k *link) Begin() {
	if k.h1 == nil {
		k.beginH1(&k.srv.Proxy.Live.Back[k.w.id].H1)
	}
}

// Share implements check.Loan.
func (k *link) Share(to check.Borrower) check.Exchange {
	k.up = true
	return k.share().probe(to)
}

// Return implements check.Loan.
func (k *link) Return() {
	k.unuse()
	k.served++
	if !k.sock.IsOpen() {
		k.abort()
		return
	}
	k.up = true
	k.sock.SetHandler(k)
	k.sock.Receive()
	k.w.give(k)
}

// probe is the exchange of a health check on a shared connection.
type probe struct {
	ch    channel
	of    *shared
	sock  transport.Conn
	to    check.Borrower // nil: it was given back
	fresh bool           // the head of the response came: it begins when all that came with it is known
}

// probe gives a check an exchange.
func (m *shared) probe(to check.Borrower) *probe {
	p := &probe{of: m, to: to}
	p.ch.init(p)
	p.ch.open(&m.mux, p)
	p.sock.Carry(&p.ch)
	m.check = p
	m.enter()
	return p
}

// Conn implements check.Loan.
func (p *probe) Conn() *transport.Conn { return &p.sock }

// Begin implements check.Loan.
func (p *probe) Begin() {}

// Share implements check.Loan.
func (p *probe) Share(check.Borrower) check.Exchange { return p }

// Return implements check.Loan. Whoever had the exchange has closed it.
func (p *probe) Return() { p.to = nil }

// Ask implements check.Exchange.
func (p *probe) Ask(req *message.Message, end bool) error {
	m := p.of
	if !m.speaks() || m.away || !m.h2.CanOpen() {
		return errGone
	}
	m.room(0)
	m.h2.Open(&p.ch.st)
	err := m.h2.WriteHead(&p.ch.st, req, end)
	if err == h2.ErrFull {
		m.push()
		m.room(0)
		err = m.h2.WriteHead(&p.ch.st, req, end)
	}
	p.ch.fin = end
	m.touch()
	return err
}

// head reads a response.
func (p *probe) head(end bool) {
	m := p.of
	var res *message.Message
	if p.to != nil {
		res = p.to.Answer()
	}
	if res == nil {
		m.h2.Refuse(h2.ProtocolError)
		return
	}
	switch m.h2.ReadHead(&p.ch.st, res, false) {
	case h2.Good:
		if res.Status < 200 {
			return
		}
		p.fresh = true
		p.ch.Pause()
		if end {
			p.ch.finish()
		}
	case h2.Broken:
		m.end(muxError(h2.CompressionError))
	default:
		p.ch.fail(brokenRules)
	}
}

// begin tells the check of the response.
func (p *probe) begin() {
	p.fresh = false
	p.to.Answered()
	if p.to != nil {
		p.ch.Receive()
	}
}

// trailers reads the trailers of a response, which no rule looks at.
func (p *probe) trailers() {
	var unread message.Message
	p.of.h2.ReadTrailers(&p.ch.st, &unread)
	p.ch.finish()
}

// Connected is never called: the connection stands.
func (p *probe) Connected(error) {}

// Received is a part of the body of the response, or the end of the exchange.
func (p *probe) Received(b *loop.Buffer, err error) {
	if p.fresh {
		p.begin()
	}
	switch {
	case p.to != nil:
		p.to.Received(b, err)
	case b != nil:
		b.Release()
	}
}

// Sent implements loop.Handler.
func (p *probe) Sent(err error) {
	if p.to != nil {
		p.to.Sent(err)
	}
}
