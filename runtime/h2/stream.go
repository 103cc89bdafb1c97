package h2

import "encoding/binary"

// Stream is one stream of a Conn.
type Stream struct {
	ID    uint32 // 0: not open
	Owner any

	state  streamState
	credit int64 // what the peer allowed beside its initial window, less what was sent
	window int64 // what the peer may send
	unread int64 // of what it sent, what the owner did not take yet
	length uint64
}

type streamState uint16

const (
	recvEnd       streamState = 1 << iota // the peer sends no more
	sendEnd                               // we do not
	closed                                // reset by either side, or over on both
	headDone                              // a head that is not informational came
	knownLength                           // length is what is missing of the body
	tunnel                                // DATA is no body, but another protocol
	extended                              // by the extended CONNECT method
	bodyless                              // the request is HEAD: the length of the response is not that of its body
	countedInRecv                         // in Conn.receiving
)

// Closed tells whether the stream is over: the Conn knows it no more.
func (s *Stream) Closed() bool { return s.state&closed != 0 }

// RecvEnded tells whether the peer has ended its side.
func (s *Stream) RecvEnded() bool { return s.state&recvEnd != 0 }

// SendEnded tells whether we have ended ours.
func (s *Stream) SendEnded() bool { return s.state&sendEnd != 0 }

// Tunnel tells whether the stream carries another protocol, should the peer accept.
func (s *Stream) Tunnel() bool { return s.state&tunnel != 0 }

// Opens tells whether it is us who opens streams: the peer is the server.
func (c *Conn) Opens() bool { return c.cfg.Client }

// CanOpen tells whether the server would take one more stream.
func (c *Conn) CanOpen() bool {
	return !c.failed && !c.peerGoAway && !c.draining && len(c.streams) < c.Limit() && c.lastID < lastOpened
}

// lastOpened leaves room for the streams that connections were given and did not open yet.
const lastOpened = maxStreamID - 1<<20

// Limit is how many streams the server takes at once.
func (c *Conn) Limit() int { return int(min(c.peerStreams, max(c.cfg.MaxStreams, 1))) }

// Offered is how many streams a client may have at once.
func (c *Conn) Offered() int { return int(c.cfg.MaxStreams) }

// CanConnect tells whether the server knows the extended CONNECT method.
func (c *Conn) CanConnect() bool { return c.peerConnect }

// Open makes st a new stream to a server. CanOpen has said that it may be, when the connection was given to it: if the
// server takes fewer by now, it refuses.
func (c *Conn) Open(st *Stream) {
	if c.lastID == 0 {
		c.lastID = 1
	} else {
		c.lastID += 2
	}
	c.opened++
	c.add(st, c.lastID)
}

func (c *Conn) add(st *Stream, id uint32) {
	*st = Stream{ID: id, Owner: st.Owner, window: int64(c.cfg.InitialWindow)}
	c.streams[id] = st
}

// remove forgets a stream that is over.
func (c *Conn) remove(st *Stream) {
	if st.state&closed == 0 {
		c.stopReceiving(st)
		st.state |= closed
		delete(c.streams, st.ID)
		if c.into == st {
			c.into = nil // its owner may use it for another stream before the rest of the frame comes
		}
	}
}

func (c *Conn) stopReceiving(st *Stream) {
	if st.state&countedInRecv != 0 {
		st.state &^= countedInRecv
		c.receiving--
	}
}

// endRecv notes that the peer sends no more.
func (c *Conn) endRecv(st *Stream) {
	st.state |= recvEnd
	c.stopReceiving(st)
	c.over(st)
}

// endSend notes that we do not.
func (c *Conn) endSend(st *Stream) {
	st.state |= sendEnd
	c.over(st)
}

// over forgets a stream that both sides have ended.
func (c *Conn) over(st *Stream) {
	if st.state&(recvEnd|sendEnd) == recvEnd|sendEnd {
		c.remove(st)
	}
}

// Reset ends a stream at once. Nothing happens to one that is over.
func (c *Conn) Reset(st *Stream, code Code) {
	if st.ID == 0 || st.Closed() {
		return
	}
	c.remove(st)
	c.sayReset(st.ID, code)
}

// sayReset remembers the stream, on which frames may be on their way.
func (c *Conn) sayReset(id uint32, code Code) {
	c.reset[c.resets%uint8(len(c.reset))] = id
	c.resets++
	c.Out = appendFrame(c.Out, frameReset, 0, id, 4)
	c.Out = appendUint32(c.Out, uint32(code))
}

// wasReset tells whether we have reset the stream lately.
func (c *Conn) wasReset(id uint32) bool {
	for _, r := range c.reset {
		if r == id {
			return true
		}
	}
	return false
}

// abort resets a stream for what the peer did on it.
func (c *Conn) abort(st *Stream, code Code) Event {
	c.Glitch(1)
	c.Counts.StreamErrors++
	c.Counts.ResetsSent++
	c.Reset(st, code)
	return Event{Kind: Aborted, Stream: st, Code: code, ID: st.ID}
}

// peerReset treats RST_STREAM.
func (c *Conn) peerReset(code Code) Event {
	id := c.frame.id
	st := c.streams[id]
	if !c.cfg.Client && id > c.knownID && !c.wasReset(id) {
		// Who opens streams and resets them in one breath wants no answers.
		if c.Glitch(1) {
			return unlogged(c.fail(EnhanceYourCalm))
		}
	}
	if st == nil {
		return Event{}
	}
	c.remove(st)
	return Event{Kind: Reset, Stream: st, Code: code, ID: st.ID}
}

// windowUpdate treats WINDOW_UPDATE.
func (c *Conn) windowUpdate(n int64) Event {
	if c.frame.id == connectionStream {
		switch {
		case n == 0:
			return unlogged(c.protocolError())
		case c.sendWindow+n > maxWindow:
			c.Glitch(1)
			return unlogged(c.fail(FlowControlError))
		}
		c.sendWindow += n
		return Event{Kind: Window}
	}
	st := c.streams[c.frame.id]
	switch {
	case st == nil:
		return Event{}
	case n == 0:
		return c.abort(st, ProtocolError)
	case c.peerWindow+st.credit+n > maxWindow:
		return c.abort(st, FlowControlError)
	}
	st.credit += n
	return Event{Kind: Window, Stream: st, ID: st.ID}
}

// Room is how many bytes of DATA may be sent on the stream in one frame now; negative or zero: none.
func (c *Conn) Room(st *Stream) int {
	return int(min(c.sendWindow, c.peerWindow+st.credit, int64(c.peerFrame)))
}

// ConnRoom is how many bytes may be sent on all streams.
func (c *Conn) ConnRoom() int { return int(c.sendWindow) }

// DataHead says that n bytes of DATA follow, which the owner appends to Out, or sends behind it. Room has allowed them.
// end: they are the last.
func (c *Conn) DataHead(st *Stream, n int, end bool) {
	var flags uint8
	if end {
		flags = flagEndStream
	}
	c.Out = appendFrame(c.Out, frameData, flags, st.ID, n)
	c.sendWindow -= int64(n)
	st.credit -= int64(n)
	if end {
		c.endSend(st)
	}
}

// beginData judges a DATA frame.
func (c *Conn) beginData() Event {
	f := &c.frame
	if c.idle(f.id) {
		return c.onIdle()
	}
	c.Counts.Data++
	if c.recvWindow -= int64(f.length); c.recvWindow < 0 {
		c.Glitch(1)
		c.Counts.ConnErrors++
		return c.fail(FlowControlError)
	}
	st := c.streams[f.id]
	c.into = st
	c.pad = 0
	c.place = atData
	if f.flags&flagPadded != 0 {
		if f.length == 0 {
			c.Glitch(1)
			c.Counts.ConnErrors++
			return c.fail(FrameSizeError)
		}
		c.place = atPad
	}
	switch {
	case st == nil:
		if !c.wasReset(f.id) {
			c.Glitch(1)
			c.Counts.ResetsSent++
			c.sayReset(f.id, StreamClosed)
		}
	case st.RecvEnded():
		c.into = nil
		c.giveBack(int64(f.length))
		c.skipData()
		return c.abort(st, StreamClosed)
	case st.state&headDone == 0:
		return c.refuseData(st, ProtocolError)
	default:
		if st.window -= int64(f.length); st.window < 0 {
			return c.refuseData(st, FlowControlError)
		}
		if c.place == atData {
			return c.judgeLength()
		}
		return Event{}
	}
	c.giveBack(int64(f.length))
	c.skipData()
	return Event{}
}

// refuseData resets the stream of a DATA frame, which is skipped.
func (c *Conn) refuseData(st *Stream, code Code) Event {
	c.into = nil
	c.giveBack(int64(c.frame.length))
	c.skipData()
	return c.abort(st, code)
}

func (c *Conn) skipData() { c.place = atSkipped }

// padLength reads the first byte of a padded DATA frame.
func (c *Conn) padLength(in []byte) (n int, ok bool, ev Event) {
	if len(in) == 0 {
		return 0, false, ev
	}
	c.left--
	c.pad = uint32(in[0])
	if c.pad > c.left {
		return 1, false, c.protocolError()
	}
	c.left -= c.pad
	c.place = atData
	c.giveBack(1)
	if c.into == nil {
		return 1, true, ev
	}
	c.into.unread++
	c.Consumed(c.into, 1)
	return 1, true, c.judgeLength()
}

// judgeLength compares the payload of a DATA frame with what the Content-Length has left.
func (c *Conn) judgeLength() Event {
	st := c.into
	if st.state&knownLength == 0 {
		return Event{}
	}
	if uint64(c.left) > st.length {
		c.left += c.pad
		c.into = nil
		c.giveBack(int64(c.left))
		c.skipData()
		return c.abort(st, ProtocolError)
	}
	st.length -= uint64(c.left)
	return Event{}
}

// data gives the next slice of a body.
func (c *Conn) data(in []byte) (n int, ok bool, ev Event) {
	st := c.into
	n = min(len(in), int(c.left))
	if c.left -= uint32(n); c.left > 0 && n == 0 {
		return 0, false, ev
	}
	if st == nil {
		// The owner has reset it meanwhile.
		c.giveBack(int64(n))
		if c.left == 0 {
			c.endData()
		}
		return n, true, ev
	}
	st.unread += int64(n)
	c.giveBack(int64(n))
	ev = Event{Kind: Data, Stream: st, ID: st.ID, Data: in[:n:n]}
	if c.left > 0 {
		return n, true, ev
	}
	end := c.frame.flags&flagEndStream != 0
	c.endData()
	if end {
		if st.state&knownLength != 0 && st.length > 0 {
			ev = c.abort(st, ProtocolError)
			ev.End, ev.Data = true, in[:n:n]
			return n, true, ev
		}
		ev.End = true
		c.endRecv(st)
	} else if n == 0 {
		return n, true, Event{}
	}
	return n, true, ev
}

// endData goes on behind the payload of a DATA frame.
func (c *Conn) endData() {
	c.place = atFrame
	if c.pad > 0 {
		c.left, c.place = c.pad, atPadding
	}
}

// padding drops the padding of a DATA frame. It counts in both windows.
func (c *Conn) padding(in []byte) (n int, ok bool) {
	st := c.into
	n, ok = c.skip(in)
	c.giveBack(int64(n))
	if st != nil {
		st.unread += int64(n)
		c.Consumed(st, n)
	}
	return n, ok
}

// giveBack lets the peer send n more bytes on the connection. What it may send on each stream bounds what is held: no
// stream that nobody reads holds up the others.
func (c *Conn) giveBack(n int64) {
	c.recvPending += n
	if c.recvPending < defaultWindow/4 {
		return
	}
	want := max(int64(c.cfg.Receive), defaultWindow)
	if n := want - c.recvWindow; n > 0 {
		c.recvWindow += n
		c.recvPending = 0
		c.sayWindow(connectionStream, n)
	}
}

// Consumed tells that the owner took n bytes of the stream's body off the peer's hands: it may send as many more.
func (c *Conn) Consumed(st *Stream, n int) {
	st.unread -= int64(n)
	c.widen(st)
}

// widen gives the peer the stream's share of what all streams together may send ahead.
func (c *Conn) widen(st *Stream) {
	if st.state&(recvEnd|closed) != 0 {
		return
	}
	want := int64(c.cfg.InitialWindow)
	if st.state&knownLength == 0 || st.length > uint64(st.window) {
		want = max(want, int64(c.cfg.Receive/max(c.receiving, 1)))
	}
	if n := want - st.window - st.unread; n > 0 && n >= want/4 {
		st.window += n
		c.sayWindow(st.ID, n)
	}
}

func (c *Conn) sayWindow(id uint32, n int64) {
	c.Out = appendFrame(c.Out, frameWindowUpdate, 0, id, 4)
	c.Out = binary.BigEndian.AppendUint32(c.Out, uint32(n))
}
