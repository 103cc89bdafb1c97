package engine

import (
	"bytes"
	"io"

	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/netns"
	"hapax/runtime/proxyproto/header"
)

// prologue takes what a client sends before anything else: the headers that the bind line
// or a rule wants, NetScaler's before that of the PROXY protocol. What follows them in b
// goes on to TLS, or is the first of a request.
func (c *client) prologue(b *loop.Buffer, err error) {
	if b == nil {
		c.handshakeFailed(c.prologueEnd(err))
		return
	}
	for c.Expect != 0 && len(b.Data) > 0 {
		n, fault := c.readPrologue(b.Data)
		if fault != nil {
			b.Release()
			c.handshakeFailed(fault)
			return
		}
		b.Data = b.Data[n:]
	}
	if len(b.Data) == 0 {
		b.Release()
		b = nil
	}
	if c.Expect == 0 {
		c.secure(b)
	}
}

// readPrologue reads the first of the headers that are expected and notes what it says.
func (c *client) readPrologue(in []byte) (n int, err error) {
	var h header.Header
	if c.Expect&runtime.ExpectCIP != 0 {
		h, n, err = header.ReadCIP(in, c.Listener.Bind.CIPMagic)
		c.Tell(h.Src, h.Dst)
		if err == nil {
			c.Expect &^= runtime.ExpectCIP
		}
		return n, err
	}
	h, n, err = header.Read(in)
	c.Tell(h.Src, h.Dst)
	if err == nil {
		c.Expect &^= runtime.ExpectPROXY
		c.Told.Proxied, c.Told.TLVs = true, bytes.Clone(h.TLVs)
		c.Told.Namespace = c.namespaceIn(h.TLVs)
	}
	return n, err
}

// prologueEnd words the end of a client that was to send a header.
func (c *client) prologueEnd(err error) header.Fault {
	switch cip := c.Expect&runtime.ExpectCIP != 0; {
	case err == io.EOF && cip:
		return header.CIPEmpty
	case err == io.EOF:
		return header.Empty
	case cip:
		return header.CIPAborted
	}
	return header.Aborted
}

// prologueLate words that the header did not come in time. The reference names the one
// that is expected last.
func (c *client) prologueLate() header.Fault {
	if c.Expect&runtime.ExpectPROXY != 0 {
		return header.Timeout
	}
	return header.CIPTimeout
}

// namespaceIn is the network namespace that extensions of a PROXY header name, the last one that the configuration names
// too; nil: none.
func (c *client) namespaceIn(tlvs []byte) (space *netns.Namespace) {
	if len(c.w.cfg.Namespaces) == 0 {
		return nil
	}
	for {
		kind, value, rest, ok := header.Next(tlvs)
		if !ok {
			return space
		}
		if kind == header.TypeNetNS {
			if known := c.w.cfg.Namespaces[string(value)]; known != nil {
				space = known
			}
		}
		tlvs = rest
	}
}
