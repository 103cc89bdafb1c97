package engine

import (
	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/runtime/transport"
)

// handshakeFailed ends a connection whose TLS handshake did not succeed. A client that
// says nothing, or leaves, may be a probe: see "option dontlognull".
func (c *client) handshakeFailed(err error) {
	c.Front.Live.Front[c.w.id].FailedReq.Inc()
	quiet := err == transport.ErrHandshakeClosed || err == transport.ErrHandshakeTimeout
	if !quiet || c.Front.Options&runtime.OptDontLogNull == 0 {
		logger.Connect(&c.Session, err)
	}
	c.close(0)
}
