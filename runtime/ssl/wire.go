package ssl

import (
	"crypto/tls"
	"errors"
	"net"
	"time"
)

// wire is the net.Conn that crypto/tls reads and writes: the side of a Conn that
// faces the socket.
type wire Conn

// Read gives tls bytes of one record, and never of two in one call: so nothing that
// is received lies in its buffers while no record was read.
func (w *wire) Read(p []byte) (int, error) {
	c := (*Conn)(w)
	if c.renewal != nil && c.renewal.over {
		return 0, errWant
	}
	for !c.ready() {
		if c.phase != shaking {
			return 0, errWant
		}
		if !c.run.Yield() {
			return 0, errGone
		}
	}
	if len(c.in) == 0 {
		return 0, c.inEnd
	}
	if c.first.whole && c.first.strange {
		w.Write(c.first.refusal())
		return 0, handshakeError(unexpectedMessage)
	}
	if c.fault != nil {
		if c.fault != errNoVersion {
			w.Write(alertRecordOf(tls.VersionTLS12, c.fault.alert))
		}
		return 0, c.fault
	}
	b := c.in[0]
	n := len(b.Data)
	if c.left > 0 { // else it is the rest before the end, of a record that was cut
		n = min(n, c.left)
	}
	n = copy(p, b.Data[:n])
	b.Data = b.Data[n:]
	c.left = max(c.left-n, 0)
	if c.renewal != nil {
		c.renewal.over = c.renewal.last && c.left == 0
	}
	if len(b.Data) == 0 {
		copy(c.in, c.in[1:])
		c.in[len(c.in)-1] = nil
		c.in = c.in[:len(c.in)-1]
		b.Release()
	}
	return n, nil
}

// Write queues all of p and cannot fail: crypto/tls takes an error of its writer for
// the end of the connection.
func (w *wire) Write(p []byte) (int, error) {
	c := (*Conn)(w)
	n := len(p)
	c.hello.restore()
	if c.broken || c.phase >= failed || !c.sock.IsOpen() {
		return n, nil
	}
	if c.phase == shaking && c.renewal == nil && len(p) > recordHead && p[0] == handshakeRecord {
		c.observe(p[:min(len(p), recordHead+int(p[3])<<8+int(p[4]))])
	}
	if c.phase == shaking {
		c.reword(p)
	}
	for len(p) > 0 {
		if c.out == nil {
			c.out = c.loop.Buffer()
		}
		k := copy(c.out.Room(), p)
		c.out.Grow(k)
		p = p[k:]
		if len(c.out.Room()) == 0 {
			c.push()
		}
	}
	return n, nil
}

// Close, the deadlines and the addresses are of no use: the owner of the Conn closes,
// and keeps the time.
func (w *wire) Close() error                     { return nil }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
func (w *wire) LocalAddr() net.Addr              { return noAddr{} }
func (w *wire) RemoteAddr() net.Addr             { return noAddr{} }

type noAddr struct{}

func (noAddr) Network() string { return "tcp" }
func (noAddr) String() string  { return noName }

// noName is what sessions with a server are kept under that is asked for no name.
const noName = "-"

// errWant tells crypto/tls that there are no bytes now. It may be asked again: an
// error that is Temporary is forgotten.
var errWant net.Error = wantError{}

type wantError struct{}

func (wantError) Error() string   { return "no record yet" }
func (wantError) Timeout() bool   { return true }
func (wantError) Temporary() bool { return true }

// errGone ends the handshake of a connection that its owner has closed.
var errGone = errors.New("closed during the handshake")
