package h2

import "golang.org/x/net/http2/hpack"

// beginHeaders judges a HEADERS frame by its stream.
func (c *Conn) beginHeaders() Event {
	f := &c.frame
	st := c.streams[f.id]
	switch {
	case st != nil && st.RecvEnded():
		return c.protocolError()
	case st != nil || c.wasReset(f.id):
	case c.cfg.Client:
		if c.idle(f.id) {
			return c.protocolError()
		}
	case f.id&1 == 0:
		c.Counts.Headers++
		return c.protocolError()
	case f.id <= c.lastID:
		c.Glitch(1)
		return unlogged(c.fail(StreamClosed))
	case c.cfg.MaxTotal > 0 && c.opened >= c.cfg.MaxTotal+c.cfg.MaxStreams:
		c.Glitch(1)
		c.Counts.Headers++
		c.Counts.ConnErrors++
		return c.fail(EnhanceYourCalm)
	}
	return Event{}
}

// headers takes the payload of a HEADERS frame.
func (c *Conn) headers(p []byte) Event {
	f := &c.frame
	if f.flags&flagPadded != 0 {
		if len(p) == 0 || int(p[0]) >= len(p) {
			return c.protocolError()
		}
		p = p[1 : len(p)-int(p[0])]
	}
	c.Counts.Headers++
	c.opening = *f
	if f.flags&flagPriority != 0 {
		if len(p) < 5 {
			c.Glitch(1)
			return c.fail(FrameSizeError)
		}
		if parseUint31(p) == f.id {
			return c.protocolError()
		}
		p = p[5:]
	}
	if f.flags&flagEndHeaders == 0 {
		c.fragments = append(c.fragments[:0], p...)
		c.count = 0
		return Event{}
	}
	return c.complete(p)
}

func parseUint31(p []byte) uint32 {
	return (uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])) & maxStreamID
}

// continuation takes the payload of a CONTINUATION frame. Many small ones are the mark of an attack.
func (c *Conn) continuation(p []byte) Event {
	c.fragments = append(c.fragments, p...)
	c.count++
	if c.frame.flags&flagEndHeaders == 0 {
		return Event{}
	}
	if c.count > 4 && c.count > len(c.fragments)/1024 && c.Glitch((c.count+15)/16) {
		return c.fail(EnhanceYourCalm)
	}
	return c.complete(c.fragments)
}

// complete tells the owner of a complete header block, or drops one of a stream that is over.
func (c *Conn) complete(block []byte) Event {
	if block == nil {
		block = []byte{}
	}
	c.block = block
	f := c.opening
	end := f.flags&flagEndStream != 0
	st := c.streams[f.id]
	switch {
	case st == nil && (c.cfg.Client || f.id <= c.lastID):
		return c.drop()
	case st == nil && f.id > c.sentLast: // it was told that this one is not served
		c.Glitch(1)
		return c.drop()
	case st == nil:
		c.opened++
		if len(c.streams) >= int(c.cfg.MaxStreams) && c.cfg.MaxStreams > 0 {
			c.lastID = f.id
			c.Glitch(1)
			if ev := c.drop(); ev.Kind == Failed {
				return ev
			}
			c.Counts.ResetsSent++
			c.sayReset(f.id, RefusedStream)
			c.renew()
			return Event{Kind: Refused, ID: f.id}
		}
	case st.state&headDone != 0:
		if !end {
			return c.protocolError()
		}
		return Event{Kind: Trailers, Stream: st, ID: f.id, End: true}
	}
	return Event{Kind: Head, Stream: st, ID: f.id, End: end}
}

// renew tells a client that had its share of streams to come again with another connection.
func (c *Conn) renew() {
	if c.cfg.MaxTotal > 0 && c.opened >= c.cfg.MaxTotal {
		c.Drain()
	}
}

// drop decodes a block for the decoder's state alone.
func (c *Conn) drop() Event {
	if code := c.decodeBlock(nil); code != NoError {
		return c.fail(code)
	}
	return Event{}
}

// Refuse resets the stream of a Head event.
func (c *Conn) Refuse(code Code) {
	id := c.opening.id
	if ev := c.drop(); ev.Kind == Failed {
		return
	}
	c.lastID = max(c.lastID, id)
	if st := c.streams[id]; st != nil {
		c.Reset(st, code)
		return
	}
	c.sayReset(id, code)
}

// freshDecoder makes the decoder as good as new.
func (c *Conn) freshDecoder() {
	c.decoder = hpack.NewDecoder(uint32(c.cfg.HeaderTable), c.field)
	c.decoder.SetMaxStringLength(c.cfg.Buffer)
}

// decodeBlock decodes the block that is due into d, or nowhere.
func (c *Conn) decodeBlock(d *decoding) Code {
	block := c.block
	c.block = nil
	if d == nil {
		d = &c.decode
		*d = decoding{}
	}
	if c.decoder == nil {
		c.freshDecoder()
	}
	_, err := c.decoder.Write(block)
	if err == nil {
		err = c.decoder.Close()
	}
	if cap(c.fragments) > keptFragments {
		c.fragments = nil
	}
	if err != nil || d.broken || d.size > c.cfg.Buffer || d.fields > 2*c.cfg.Headers {
		c.Glitch(1)
		return CompressionError
	}
	c.opening.id = 0
	return NoError
}

// keptFragments is how much memory for split header blocks a connection keeps.
const keptFragments = 4096

// field takes a decoded field in.
func (c *Conn) field(f hpack.HeaderField) {
	d := &c.decode
	d.size += len(f.Name) + len(f.Value)
	d.fields++
	d.broken = d.broken || f.Name == ""
	if d.m == nil || d.bad || d.size > c.cfg.Buffer {
		return
	}
	d.bad = !d.take(f.Name, f.Value)
}
