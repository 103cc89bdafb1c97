package engine

import (
	"errors"

	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/runtime/proxyproto/header"
	"hapax/runtime/transport"
)

// handshakeFailed ends a connection whose header or TLS handshake did not come to a good
// end. A client that says nothing, or leaves, may be a probe: see "option dontlognull".
func (c *client) handshakeFailed(err error) {
	if c.w.traces.Any() {
		c.tellHandshake(err)
	}
	c.countFailed(err)
	if with, ok := c.Listener.Bind.TLS.(transport.Maker); ok && c.TLS == nil {
		c.TLS, _ = with.Server().(runtime.TLSState) // logs ask about a handshake that did not begin, too
	}
	if !quiet(err) || c.Front.Options&runtime.OptDontLogNull == 0 {
		logger.Connect(&c.Session, err)
	}
	if _, ok := err.(header.Fault); ok && (!quiet(err) || err == header.Unnamed) {
		c.abort() // the reference has not taken what is wrong: the system tells the client by a reset
		return
	}
	c.close(0)
}

// countFailed counts a handshake that failed, or did not begin for what came in front of it. One that took too long is
// none of them, and those that began are counted for the frontend where they fail.
func (c *client) countFailed(err error) {
	if c.Listener.Bind.TLS == nil || err == transport.ErrHandshakeTimeout || err == header.Timeout || err == header.CIPTimeout {
		return
	}
	if c.TLS == nil {
		c.Front.Live.TLSFront.Failed.Inc()
	}
	if c.Listener.Stats != nil {
		c.Listener.TLSStats.Failed.Inc()
	}
}

// rejected ends a connection that the rules of sessions do not let in. Behind a header or a
// handshake the reference logs it as one that has failed, though nothing has.
func (c *client) rejected() {
	if c.shakes && c.Front.Options&runtime.OptDontLogNull == 0 {
		logger.Connect(&c.Session, errRejected)
	}
	if c.more {
		c.abort()
		return
	}
	c.close(0)
}

var errRejected = errors.New("Success")

// quiet tells whether a handshake ended without a word of the client.
func quiet(err error) bool {
	switch err {
	case transport.ErrHandshakeClosed, transport.ErrHandshakeTimeout, header.Empty, header.Aborted, header.Timeout,
		header.CIPEmpty, header.CIPAborted, header.CIPTimeout, header.Unnamed:
		return true
	}
	return false
}
