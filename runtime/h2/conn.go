package h2

import (
	"encoding/binary"

	"golang.org/x/net/http2/hpack"
)

// Kind is what an Event tells.
type Kind uint8

const (
	More     Kind = iota // all bytes were taken in
	Head                 // a head came: ReadHead or Refuse it before the next call. Stream is nil when a client opens one
	Trailers             // trailers came, which end the stream's receiving side: ReadTrailers before the next call
	Data                 // a slice of a body; End: it was the last
	Refused              // a stream of the client was refused: it has too many
	Reset                // the peer has reset the stream for the reason Code
	Aborted              // the peer broke the rules on the stream: it was reset for the reason Code; End: by a message that is too short
	Window               // more may be sent on Stream; nil: on all streams
	Settings             // the peer's settings came
	Pong                 // the peer answered Ping
	GoAway               // the peer serves no streams above ID
	Failed               // the connection is over for the reason Code: GOAWAY was said
)

// Event is what Next found.
type Event struct {
	Kind   Kind
	End    bool // with Head, Data and Aborted: the peer sends no more on the stream
	Log    bool // with Failed: logs tell it
	Code   Code
	ID     uint32
	Stream *Stream
	Data   []byte // of the bytes that Next was given
}

// Counts are what happened on a connection since they were last set to zero.
type Counts struct {
	Headers, Data, Settings, Resets, GoAways uint32 // frames received
	ConnErrors, StreamErrors                 uint32 // violations of the protocol
	ResetsSent, GoAwaysSent                  uint32 // for what the peer did
}

// place is what Next waits for.
type place uint8

const (
	atPreface place = iota
	atFirst         // frame, which is SETTINGS
	atFrame
	atPayload // of a frame that is looked at in whole
	atPad     // the length of a DATA frame's padding
	atData
	atPadding
	atSkipped
)

// Conn is one connection. It must be given its Config by Init.
type Conn struct {
	// Out is what is to be sent. Conn appends to it and reads nothing of it: the owner may replace it at any time.
	Out []byte

	Counts   Counts
	Glitches int  // what the peer did that is allowed but not usual, or not allowed
	Patient  bool // too many of these do not end the connection; the owner may change it at any time

	cfg     *Config
	streams map[uint32]*Stream
	place   place
	garbled bool // what stands for a preface is none
	settled bool // the peer's first settings came
	failed  bool
	tooMany bool // glitches

	head    [FrameHeadLen]byte // of a frame, as far as it came
	headLen int
	frame   frame
	left    uint32  // of the payload
	pad     uint32  // at the end of it
	into    *Stream // of the DATA frame; nil: it is over
	partial []byte  // of a payload that is looked at in whole

	fragments []byte // of a header block that CONTINUATION frames go on
	count     int    // how many
	opening   frame  // the HEADERS frame that they belong to; id 0: none
	block     []byte // a complete header block that was not decoded yet

	decoder *hpack.Decoder
	decode  decoding

	lastID     uint32 // highest that the peer opened, or that we did
	knownID    uint32 // the same before the bytes that are being looked at came
	opened     uint32 // how many
	receiving  int    // open streams on which the peer may still send
	sentLast   uint32 // what our GOAWAY said; maxStreamID: none was sent
	reset      [16]uint32
	resets     uint8
	draining   bool
	peerGoAway bool

	peerWindow   int64 // of new streams
	peerFrame    int
	peerStreams  uint32
	peerConnect  bool
	tableChanged bool
	sendWindow   int64 // of the connection
	recvWindow   int64 // of the connection: what the peer may send
	recvPending  int64 // taken in, and not yet given back
}

// Init makes c a new connection.
func (c *Conn) Init(cfg *Config) {
	streams, decoder := c.streams, c.decoder
	*c = Conn{
		Out: c.Out, cfg: cfg, streams: streams, partial: c.partial[:0], fragments: c.fragments[:0],
		peerWindow: defaultWindow, sendWindow: defaultWindow, recvWindow: defaultWindow,
		peerFrame: defaultMaxFrame, peerStreams: unlimitedStreams, sentLast: maxStreamID,
	}
	clear(c.streams)
	if c.streams == nil {
		c.streams = make(map[uint32]*Stream)
	}
	c.decoder = decoder
	if c.decoder != nil {
		c.freshDecoder()
	}
	if cfg.Client {
		c.place = atFirst
	}
}

// Take makes c the connection that from was, which is none any more. What from has said is not c's to send.
func (c *Conn) Take(from *Conn) {
	*c = *from
	c.Out = nil
	*from = Conn{cfg: from.cfg, failed: true}
	if c.decoder != nil {
		c.decoder.SetEmitFunc(c.field)
	}
}

// Turn swaps the sides of a connection without streams, whose settings are known to both: who was the client serves, from
// the first stream on. cfg is what the settings said, for the other side.
func (c *Conn) Turn(cfg *Config) {
	c.cfg = cfg
	c.lastID, c.knownID, c.opened = 0, 0, 0
}

// Failed tells whether the connection ended by an error.
func (c *Conn) Failed() bool { return c.failed }

// Streams is how many are open.
func (c *Conn) Streams() int { return len(c.streams) }

// Opened is how many streams there ever were.
func (c *Conn) Opened() int { return int(c.opened) }

// LastID is the highest stream that was opened.
func (c *Conn) LastID() uint32 { return c.lastID }

// Settled tells whether the peer's settings came.
func (c *Conn) Settled() bool { return c.settled }

// Each calls f for every open stream; f may close it.
func (c *Conn) Each(f func(*Stream)) {
	for _, st := range c.streams {
		f(st)
	}
}

// Next takes bytes that the peer sent. It gives the number of those that it took in, and what it found there: call it
// again with the rest until it says More or Failed.
func (c *Conn) Next(in []byte) (n int, ev Event) {
	if c.block != nil {
		if code := c.decodeBlock(nil); code != NoError {
			return 0, c.fail(code)
		}
	}
	if c.tooMany {
		return 0, c.fail(EnhanceYourCalm)
	}
	for !c.failed {
		var used int
		var ok bool
		switch c.place {
		case atPreface:
			used, ok, ev = c.preface(in[n:])
		case atFirst, atFrame:
			used, ok, ev = c.frameHead(in[n:])
		case atPayload:
			used, ok, ev = c.payload(in[n:])
		case atPad:
			used, ok, ev = c.padLength(in[n:])
		case atData:
			used, ok, ev = c.data(in[n:])
		case atPadding:
			used, ok = c.padding(in[n:])
		case atSkipped:
			used, ok = c.skip(in[n:])
		}
		if n += used; !ok || ev.Kind != More {
			return n, ev
		}
	}
	return len(in), Event{}
}

// Arrived tells that bytes came, which Next is given from now on, piece by piece.
func (c *Conn) Arrived() { c.knownID = c.lastID }

// preface reads the first bytes of a client, which are judged when all are there; our settings
// answer them.
func (c *Conn) preface(in []byte) (n int, ok bool, ev Event) {
	for n < len(in) && c.headLen < len(Preface) {
		c.garbled = c.garbled || in[n] != Preface[c.headLen]
		c.headLen++
		n++
	}
	switch {
	case c.headLen < len(Preface):
		return n, false, ev
	case c.garbled:
		c.Glitch(1)
		c.Counts.ConnErrors++
		return n, false, c.fail(ProtocolError)
	}
	c.headLen = 0
	c.place = atFirst
	c.saySettings()
	return n, true, ev
}

// Unspoken tells whether the peer, which sends no more, is a client that did not say in time that it speaks HTTP/2, and
// whether it said something.
func (c *Conn) Unspoken() (yes, some bool) {
	return c.place == atPreface && !c.failed && !c.draining, c.headLen > 0
}

// frameHead reads the head of a frame.
func (c *Conn) frameHead(in []byte) (n int, ok bool, ev Event) {
	if c.headLen == 0 && len(in) >= FrameHeadLen {
		c.frame = parseFrame(in)
		return FrameHeadLen, true, c.begin()
	}
	n = copy(c.head[c.headLen:], in)
	if c.headLen += n; c.headLen < FrameHeadLen {
		return n, false, ev
	}
	c.headLen = 0
	c.frame = parseFrame(c.head[:])
	return n, true, c.begin()
}

// begin judges a frame by its head.
func (c *Conn) begin() Event {
	f := &c.frame
	if c.place == atFirst && (f.typ != frameSettings || f.flags&flagAck != 0 || f.id != connectionStream) {
		return c.protocolError()
	}
	if code := f.valid(uint32(c.cfg.MaxFrame)); code != NoError {
		c.Glitch(1)
		c.Counts.ConnErrors++
		return c.fail(code)
	}
	if c.opening.id != 0 && (f.typ != frameContinuation || f.id != c.opening.id) {
		return c.protocolError()
	}
	c.left = f.length
	c.place = atPayload
	switch f.typ {
	case frameData:
		return c.beginData()
	case frameHeaders:
		return c.beginHeaders()
	case frameReset:
		if c.idle(f.id) {
			return c.onIdle()
		}
		c.Counts.Resets++
	case frameWindowUpdate:
		if c.idle(f.id) {
			return c.onIdle()
		}
	case frameContinuation:
		if c.opening.id == 0 {
			return c.strayContinuation()
		}
		if len(c.fragments)+int(f.length)+(c.count+1)*FrameHeadLen > c.cfg.Buffer {
			return c.fail(InternalError)
		}
	case frameSettings:
		c.Counts.Settings++
		if !c.settled {
			c.Counts.Settings++ // the reference counts the first ones twice
		}
	case frameGoAway:
		c.Counts.GoAways++
	case framePriority, framePing:
	default:
		c.place = atSkipped
	}
	return Event{}
}

// strayContinuation judges a CONTINUATION that goes on with nothing.
func (c *Conn) strayContinuation() Event {
	switch st := c.streams[c.frame.id]; {
	case c.idle(c.frame.id):
		return c.onIdle()
	case st == nil && !c.cfg.Client && !c.wasReset(c.frame.id):
		c.Glitch(1)
		return unlogged(c.fail(StreamClosed))
	}
	return c.protocolError()
}

// idle tells whether nobody has opened the stream yet.
func (c *Conn) idle(id uint32) bool {
	return id != connectionStream && (id&1 == 0 || id > c.lastID) // a server opens none
}

// whole gives a payload when all of it came.
func (c *Conn) whole(in []byte) (p []byte, n int, ok bool) {
	need := int(c.left)
	if len(c.partial) == 0 && len(in) >= need {
		return in[:need:need], need, true
	}
	n = min(need, len(in))
	c.partial = append(c.partial, in[:n]...)
	if c.left -= uint32(n); c.left > 0 {
		return nil, n, false
	}
	p = c.partial
	c.partial = c.partial[:0]
	return p, n, true
}

// payload treats a frame that is looked at in whole.
func (c *Conn) payload(in []byte) (n int, ok bool, ev Event) {
	p, n, ok := c.whole(in)
	if !ok {
		return n, false, ev
	}
	c.place = atFrame
	f := &c.frame
	switch f.typ {
	case frameHeaders:
		ev = c.headers(p)
	case frameContinuation:
		ev = c.continuation(p)
	case frameSettings:
		ev = c.settings(p)
	case framePing:
		if f.flags&flagAck != 0 {
			return n, true, Event{Kind: Pong}
		}
		c.Out = appendFrame(c.Out, framePing, flagAck, connectionStream, len(p))
		c.Out = append(c.Out, p...)
	case frameReset:
		ev = c.peerReset(Code(binary.BigEndian.Uint32(p)))
	case frameWindowUpdate:
		ev = c.windowUpdate(int64(binary.BigEndian.Uint32(p) & maxWindow))
	case framePriority:
		if binary.BigEndian.Uint32(p)&maxStreamID == f.id {
			ev = unlogged(c.protocolError())
		}
	case frameGoAway:
		c.peerGoAway = true
		ev = Event{Kind: GoAway, ID: binary.BigEndian.Uint32(p) & maxStreamID, Code: Code(binary.BigEndian.Uint32(p[4:]))}
	}
	return n, true, ev
}

// skip drops the payload of a frame that nobody knows.
func (c *Conn) skip(in []byte) (n int, ok bool) {
	n = min(len(in), int(c.left))
	if c.left -= uint32(n); c.left > 0 {
		return n, false
	}
	c.place = atFrame
	return n, true
}

// Glitch counts what is not usual. true: it is too much, the connection is to end.
func (c *Conn) Glitch(n int) bool {
	c.Glitches += n
	limit := c.cfg.Glitches
	if limit == 0 || c.Glitches < (limit*3+1)/4 {
		return false
	}
	c.Drain() // the peer may come again with a new connection
	c.tooMany = c.Glitches >= limit && !c.Patient
	return c.tooMany
}

// protocolError ends the connection for what the peer did.
func (c *Conn) protocolError() Event {
	c.Glitch(1)
	c.Counts.ConnErrors++
	return c.fail(ProtocolError)
}

// onIdle ends the connection for a frame on a stream that nobody opened. Where there are others, they tell it.
func (c *Conn) onIdle() Event {
	ev := c.protocolError()
	ev.Log = len(c.streams) == 0
	return ev
}

func unlogged(ev Event) Event {
	ev.Log = false
	return ev
}

// fail ends the connection.
func (c *Conn) fail(code Code) Event {
	c.Fail(code)
	return Event{Kind: Failed, Code: code, Log: true}
}

// Fail says GOAWAY for an error; nothing is taken in any more. Who does not even begin to speak
// HTTP/2 is told nothing.
func (c *Conn) Fail(code Code) {
	if c.failed {
		return
	}
	c.failed = true
	if c.place <= atFirst {
		return
	}
	switch code {
	case NoError, EnhanceYourCalm, RefusedStream, Cancel: // no violations
	default:
		c.Counts.GoAwaysSent++
	}
	if !c.cfg.Client {
		c.lastID = max(c.lastID, c.opening.id) // the stream of a broken header block was tried
	}
	last := c.lastID
	if c.draining {
		last = c.sentLast // which may not rise again, nor fall for nothing
	}
	c.goAway(last, code)
}

// Ping asks the peer whether it is there: Pong tells that it is.
func (c *Conn) Ping() {
	c.Out = appendFrame(c.Out, framePing, 0, connectionStream, len(pingData))
	c.Out = append(c.Out, pingData...)
}

// pingData is what the peer is to send back.
const pingData = "\x00\x01\x02\x03\x04\x05\x06\x07"

// Drain tells the peer to open no more streams than those that may be on their way, and is said once.
func (c *Conn) Drain() {
	if c.draining || c.failed {
		return
	}
	c.draining = true
	last := c.lastID
	if !c.cfg.Client {
		last = uint32(min(uint64(last)+2*uint64(max(c.cfg.MaxStreams, 1)), maxStreamID))
	}
	c.goAway(last, NoError)
}

// Draining tells whether Drain was said.
func (c *Conn) Draining() bool { return c.draining }

// Announce tells a client that the connection ends some day: what is on its way is still served.
func (c *Conn) Announce() {
	if !c.failed && c.sentLast == maxStreamID && !c.draining {
		c.goAway(maxStreamID, NoError)
	}
}

// Exhausted tells whether the peer may open no more streams.
func (c *Conn) Exhausted() bool { return c.failed || c.lastID >= c.sentLast }

// Finish says that no stream above the last one will be served.
func (c *Conn) Finish(code Code) {
	if !c.failed {
		c.draining = true
		c.goAway(c.lastID, code)
	}
}

// goAway names the last stream, to a server too: it opens none.
func (c *Conn) goAway(last uint32, code Code) {
	c.sentLast = last
	if c.place == atPreface {
		return // who has not said that it speaks HTTP/2 is not spoken to
	}
	c.Out = appendFrame(c.Out, frameGoAway, 0, connectionStream, 8)
	c.Out = appendUint32(c.Out, last)
	c.Out = appendUint32(c.Out, uint32(code))
}
