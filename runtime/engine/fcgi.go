package engine

import (
	"io"

	"hapax/runtime/fcgi"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
)

// fcgiConn is a connection to a FastCGI application, which carries one request after another, or many at once. Pools and
// clients hold its link, streams one request each.
type fcgiConn struct {
	w   *worker
	k   *link
	app *fcgi.App
	fcgiState
	live  *fcgiRequest   // those that streams have
	n     int            // how many
	fresh []*fcgiRequest // those for which something came in this turn

	speech
	held bool  // the application is not listened to: one of the requests holds back what came
	over error // why it carries nothing any more; nil: it does
	gone bool  // the socket is not ours any more
}

// fcgiState is what goes along with a connection that moves to another loop.
type fcgiState struct {
	reader fcgi.Reader
	last   uint16 // the number of the newest request
	limit  int    // requests at once
	leaves bool   // the application takes no more
}

// shareFCGI makes a link whose connection stands, or is on its way, one to an application.
func (k *link) shareFCGI() *fcgiConn {
	app := fcgi.Of(k.srv.Proxy).App
	m := k.carryFCGI(&fcgiState{limit: app.MaxRequests, leaves: false})
	m.reader.Limit, m.reader.Asked = k.w.limits.buffer, app.GetValues
	k.sock.SetHandler(m)
	if k.up {
		m.start()
	}
	return m
}

// carryFCGI goes on with the state of a connection.
func (k *link) carryFCGI(state *fcgiState) *fcgiConn {
	m := &fcgiConn{w: k.w, k: k, app: fcgi.Of(k.srv.Proxy).App, fcgiState: *state}
	m.speech.init(k)
	k.shared = m
	return m
}

// start begins the conversation.
func (m *fcgiConn) start() {
	if m.reader.Asked {
		m.room(fcgi.RecordHead)
		m.out.Data = fcgi.AppendAsk(m.out.Data)
		m.touch()
	}
	m.k.sock.Receive()
}

// more implements carrier.
func (m *fcgiConn) more() bool {
	srv := m.k.srv
	return m.speaks() && !m.leaves && m.n < m.limit && m.last < fcgi.MaxID-2*uint16(min(m.n+1, fcgi.MaxID/2)) &&
		(srv.MaxReuse < 0 || m.k.served <= srv.MaxReuse)
}

func (m *fcgiConn) speaks() bool { return m.over == nil && !m.gone }

// Connected ends the attempt to connect: it was made for the requests that wait.
func (m *fcgiConn) Connected(err error) {
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
	m.start()
	m.begin()
}

// begin lets the requests begin, once it is known what the application can do.
func (m *fcgiConn) begin() {
	for x := m.live; x != nil && m.stands(); {
		next := x.next
		if !x.up {
			x.up = true
			x.st.connected(nil)
		}
		x = next
	}
}

func (m *fcgiConn) stands() bool { return m.k.up && m.speaks() && !m.reader.Asked }

// Received is what the application sends. What nobody has asked for ends the connection.
func (m *fcgiConn) Received(b *loop.Buffer, err error) {
	if b == nil {
		m.end(err)
		return
	}
	if m.n == 0 {
		b.Release()
		m.end(io.EOF)
		return
	}
	for at := 0; m.speaks(); {
		n, ev := m.reader.Next(b.Data[at:])
		at += n
		if ev.Kind == fcgi.More {
			break
		}
		m.event(&ev, b, at)
	}
	b.Release()
	m.deliver()
}

// event passes on what was found in b, up to an offset.
func (m *fcgiConn) event(ev *fcgi.Event, b *loop.Buffer, at int) {
	x := m.request(ev.ID)
	switch ev.Kind {
	case fcgi.Output:
		if x != nil && x.end == nil {
			x.hold(b.Slice(at-len(ev.Data), at))
		}
	case fcgi.OutputEnd:
		if x != nil {
			x.finish(io.EOF)
		}
	case fcgi.Complaint:
		if x != nil && x.open {
			logger.Server(logger.Err, m.app.Logs, "%s", ev.Data)
		}
	case fcgi.Ended:
		if x != nil {
			x.open = false
			x.finish(io.EOF)
			m.heed(ev.Status)
		}
	case fcgi.Settled:
		m.settled()
	case fcgi.Failed:
		m.fail(ev.ID)
	}
}

// fail ends the connection because of what came. Requests lose what they did not see yet, and the application is told of
// those that it did not answer, unless it broke off a single one.
func (m *fcgiConn) fail(id uint16) {
	for x := m.live; x != nil; x = x.next {
		if x.end == nil && x.id > 0 && id == 0 {
			x.sayAbort()
		}
		x.dropHeld()
		x.end = io.ErrUnexpectedEOF
		x.touch()
	}
	m.push()
	m.end(io.ErrUnexpectedEOF)
}

// heed takes in what the end of a request says of the application.
func (m *fcgiConn) heed(status fcgi.Status) {
	switch status {
	case fcgi.CannotMultiplex:
		m.limit = 1
	case fcgi.Overloaded, fcgi.UnknownRole:
		m.leaves = true
	}
}

// settled takes in what the application can do.
func (m *fcgiConn) settled() {
	multiplexes, most, known := m.reader.Answer()
	if known {
		if most > 0 {
			m.limit = most
		}
		if !multiplexes {
			m.limit = 1
		}
	}
	m.begin()
	if m.k.list == &m.w.pool(m.k.srv).avail {
		m.w.offer(m.k)
	}
}

// request finds the request that a number stands for; nil: there is none any more.
func (m *fcgiConn) request(id uint16) *fcgiRequest {
	for x := m.live; x != nil && id > 0; x = x.next {
		if x.id == id {
			return x
		}
	}
	return nil
}

// deliver tells the requests what came for them, when all of that is known.
func (m *fcgiConn) deliver() {
	for i := 0; i < len(m.fresh); i++ {
		m.fresh[i].deliver()
	}
	clear(m.fresh)
	m.fresh = m.fresh[:0]
}

// listen stops listening to the application while a request holds back more than a buffer, as there is no other way to
// stop it, and goes on behind that.
func (m *fcgiConn) listen() {
	if !m.speaks() {
		return
	}
	held := false
	for x := m.live; x != nil; x = x.next {
		held = held || x.heldBytes() >= m.w.limits.buffer
	}
	if held == m.held {
		return
	}
	if m.held = held; held {
		m.k.sock.Pause()
	} else {
		m.k.sock.Receive()
	}
}

// Sent goes on with the requests that wait until their bytes have left.
func (m *fcgiConn) Sent(err error) {
	for x := m.live; x != nil; {
		next := x.next
		if err != nil {
			x.st.serverSent(err)
		} else {
			x.tellSent()
		}
		x = next
	}
}

// end ends all requests, once.
func (m *fcgiConn) end(err error) {
	if m.over != nil {
		return
	}
	m.over = err
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // to a request, io.EOF is the end of its response
	}
	for x := m.live; x != nil; {
		next := x.next
		if x.finish(err); x.id == 0 && !x.up {
			x.st.connected(errGone) // nothing of it was sent yet
		}
		x = next
	}
	m.deliver()
	if m.n == 0 && !m.gone {
		m.k.close()
	}
}

// close ends the use of the socket, which the owner closes next: behind what was said, or not.
func (m *fcgiConn) close(say bool) {
	if m.gone {
		return
	}
	if say {
		m.push()
	}
	m.hush()
	m.gone = true
	m.end(errGone)
}

// left takes a request back that is over. The last one leaves the connection to the pool.
func (m *fcgiConn) left(x *fcgiRequest) {
	w := m.w
	x.next, w.fcgiRequests = w.fcgiRequests, x
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
	m.push()
	if !m.app.KeepConn || !m.more() {
		m.k.leaveServer()
		return
	}
	m.k.rest()
}
