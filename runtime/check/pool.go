package check

import (
	"io"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// Pool has the connections of the traffic to servers. Checks of "check-reuse-pool" use those that lie idle, and leave
// theirs there.
type Pool interface {
	// Nearest is a loop that has connections to the server which somebody may use: that one if there is none.
	Nearest(srv *runtime.Server, loop int) int
	// Lend gives the use of a connection that was made for a name, on the loop on which it is called; nil: there is none.
	Lend(srv *runtime.Server, loop int, name string, to Borrower) Loan
	// Make gives a connection that is to be opened, for a name.
	Make(srv *runtime.Server, loop int, name string) Loan
}

// Loan is the use of a connection of a Pool.
type Loan interface {
	Conn() *transport.Conn
	// Begin tells that the connection is one of HTTP/1.
	Begin()
	// Share makes the connection, which stands, one that carries many exchanges of HTTP/2; it gives one of them for the
	// loan.
	Share(to Borrower) Exchange
	// Return ends the use. Others may go on with a connection that is open.
	Return()
}

// Exchange is a Loan of one request and its response on a connection of HTTP/2. Its Conn has their bodies.
type Exchange interface {
	Loan
	// Ask sends the head of a request; end: there is no body.
	Ask(m *message.Message, end bool) error
}

// Borrower has the use of a connection of a Pool.
type Borrower interface {
	loop.Handler
	// Answer is where the head of a response of HTTP/2 is to go; nil: it has come already.
	Answer() *message.Message
	// Answered tells that it is there.
	Answered()
}

// pooled tells whether the connection may be one of the pool: it goes where the traffic goes, and in the same way.
func (c *connect) pooled(ck *Check) bool {
	srv := ck.srv
	switch {
	case !srv.CheckReusePool || ck.http == nil || ck.checks.pool == nil:
		return false
	case srv.CheckProto != runtime.ProtoAny && srv.CheckProto != srv.Proto, c.proto != runtime.ProtoAny:
		return false
	case srv.Proto == runtime.ProtoFCGI: // the loops make connections for streams alone
		return false
	case apart(srv), c.addr.Family != runtime.FamilyNone, c.port != 0, c.portExpr != nil:
		return false
	case c.sendProxy, srv.CheckSendProxy, srv.SendProxy != 0, c.socks, srv.CheckViaSocks, c.tls, c.linger:
		return false
	case srv.CheckTLS != nil, srv.ChecksClear, len(c.hello.Protocols) > 0, srv.TLS != nil && srv.TLS.(transport.Maker).ChecksOffer():
		return false
	}
	return srv.Reversed || !srv.MapPorts && !srv.Addr.Load().IP.Addr().IsUnspecified()
}

// poolName is what the connection is known by in the pool, beside the server.
func (c *connect) poolName(ck *Check) string {
	if name := ck.srv.CheckPoolName; name != "" {
		return name
	}
	if maker, hello := c.secures(ck); maker != nil {
		return maker.CheckName(&hello)
	}
	return ""
}

// borrow goes on with a connection that is there already; false: there is none.
func (ck *Check) borrow(name string) bool {
	loan := ck.checks.pool.Lend(ck.srv, ck.lane.Load().id, name, ck)
	if loan == nil {
		return false
	}
	ck.use(loan)
	ck.up = true
	if x, ok := loan.(Exchange); ok {
		ck.speaker = lent{x}
	} else {
		ck.beginH1()
	}
	return true
}

// use makes the connection of a loan that of the check.
func (ck *Check) use(loan Loan) { ck.loan, ck.conn = loan, loan.Conn() }

// giveBack ends the use of a connection of the pool.
func (ck *Check) giveBack() {
	if ck.loan != nil {
		ck.loan.Return()
		ck.loan, ck.conn = nil, &ck.own
	}
}

// approach makes the check one of a loop on which it finds connections of the pool; true: it goes on there.
func (ck *Check) approach() bool {
	pool, from := ck.checks.pool, ck.lane.Load()
	if pool == nil || ck.http == nil || !ck.srv.CheckReusePool {
		return false
	}
	to := pool.Nearest(ck.srv, from.id)
	if to == from.id {
		return false
	}
	ck.timer.Remove()
	ck.lane.Store(ck.checks.loops[to])
	ck.post(func() {
		ck.settle()
		ck.begin()
	})
	return true
}

// lent speaks HTTP/2 on a connection of the pool.
type lent struct{ Exchange }

func (x lent) ask(ck *Check, m *message.Message, body []byte) error {
	if err := x.Ask(m, len(body) == 0); err != nil {
		return err
	}
	if len(body) > 0 {
		ck.conn.SendStatic(body)
		ck.conn.Shutdown()
	}
	return nil
}

// end implements speaker: the pool counts.
func (lent) end() {}

func (x lent) received(ck *Check, b *loop.Buffer, err error) bool {
	switch {
	case b != nil:
		ck.http.extend(ck, b.Data)
		b.Release()
	case err == io.EOF:
		ck.http.decoder.Finish()
		ck.fresh = true
	default:
		ck.lost(err)
	}
	return true
}

// Answer implements Borrower.
func (ck *Check) Answer() *message.Message {
	if ck.http.head {
		return nil
	}
	return ck.http.blank(ck)
}

// Answered implements Borrower.
func (ck *Check) Answered() {
	ck.http.framed(ck)
	ck.advance()
}
