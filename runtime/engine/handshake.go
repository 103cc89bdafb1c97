package engine

import (
	"hapax/runtime/logger"
)

// handshakeFailed ends a connection whose TLS handshake did not succeed.
func (c *client) handshakeFailed(err error) {
	c.Front.Live.Front[c.w.id].FailedReq.Inc()
	logger.Connect(&c.Session, err)
	c.close(0)
}
