package ssl

import "crypto/tls"

// renegotiation is what a server line says of new handshakes ("renegotiate", "no-renegotiate").
type renegotiation uint8

const (
	renegotiationUnsaid renegotiation = iota // as if allowed
	renegotiationAllowed
	renegotiationRefused
)

// renewal is a handshake that a server asks for on a connection that stands, which none can in
// TLS 1.3: some do so to see a certificate once they know what is requested. crypto/tls makes it
// in the middle of Read, which has to be broken off where bytes are missing, as the first one is.
type renewal struct {
	changed bool // the server has changed its keys: one message is left
	last    bool // tls reads that
	over    bool // it has
}

// see notes what the next record of the server is.
func (r *renewal) see(kind byte) {
	switch kind {
	case changeCipherSpecRecord:
		r.changed = true
	case handshakeRecord:
		r.last = r.changed
	}
}

// asksAnew tells whether the record that is ready asks for a handshake.
func (c *Conn) asksAnew() bool {
	return c.client && len(c.in) > 0 && c.in[0].Data[0] == handshakeRecord && !c.rest && c.of.config.Renegotiation != tls.RenegotiateNever &&
		string(c.info.Version) != versionNames[tlsv13]
}

// renew begins a handshake. What is to be sent waits for its end.
func (c *Conn) renew() {
	c.encrypt()
	c.renewal, c.phase = new(renewal), shaking
	c.run = c.loop.Coroutine(func() {
		_, c.err = c.tls.Read(make([]byte, 1)) // finds no clear text: see wire.Read
	})
	c.step()
}

// renewed ends it.
func (c *Conn) renewed() {
	c.renewal, c.phase = nil, open
	if c.err != errWant {
		c.tellEnd(c.err)
		return
	}
	c.settled()
	if !c.want {
		c.sock.Pause()
	}
	c.encrypt()
	c.deliver()
}
