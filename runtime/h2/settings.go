package h2

import "encoding/binary"

// Config is what one side of the proxy wants of its connections: the tune.h2 options and what follows from the buffer
// size. It is shared and never changed.
type Config struct {
	Client bool // we open the connection: the peer is the server

	HeaderTable     int    // tune.h2.header-table-size
	InitialWindow   int    // tune.h2.(be|fe).initial-window-size: what a new stream may send
	Receive         int    // tune.h2.(be|fe).rxbuf: what all streams of a connection together may send ahead, about
	MaxStreams      uint32 // tune.h2.(be|fe).max-concurrent-streams
	MaxTotal        uint32 // tune.h2.fe.max-total-streams; 0: any
	MaxFrame        int    // tune.h2.max-frame-size: what may be sent to us
	Glitches        int    // tune.h2.(be|fe).glitches-threshold; 0: any
	ExtendedConnect bool   // RFC 8441 is offered to clients

	Buffer  int // tune.bufsize: the most that a head may take, in its encoded form and decoded
	Rewrite int // tune.maxrewrite, kept free for rewriting
	Headers int // tune.http.maxhdr
}

const (
	settingHeaderTable   = 1
	settingEnablePush    = 2
	settingMaxStreams    = 3
	settingInitialWindow = 4
	settingMaxFrame      = 5
	settingConnectMethod = 8
	defaultWindow        = 65535
	defaultMaxFrame      = 16384
	defaultTable         = 4096
	settingLen           = 6
	unlimitedStreams     = 1<<31 - 1
	connectionStream     = 0
)

// Start says what opens our side, if it is a client: the preface, and the settings.
func (c *Conn) Start() {
	if c.cfg.Client {
		c.Out = append(c.Out, Preface...)
		c.saySettings()
	}
}

func (c *Conn) saySettings() {
	cfg, at := c.cfg, len(c.Out)
	c.Out = appendFrame(c.Out, frameSettings, 0, connectionStream, 0)
	if cfg.Client {
		c.setting(settingEnablePush, 0)
	}
	if cfg.ExtendedConnect {
		c.setting(settingConnectMethod, 1)
	}
	if cfg.HeaderTable != defaultTable {
		c.setting(settingHeaderTable, cfg.HeaderTable)
	}
	if cfg.InitialWindow != defaultWindow {
		c.setting(settingInitialWindow, cfg.InitialWindow)
	}
	if cfg.MaxStreams != 0 {
		c.setting(settingMaxStreams, int(cfg.MaxStreams))
	}
	if cfg.MaxFrame != defaultMaxFrame {
		c.setting(settingMaxFrame, cfg.MaxFrame)
	}
	c.Out[at+2] = byte(len(c.Out) - at - FrameHeadLen)
}

func (c *Conn) setting(id uint16, v int) {
	c.Out = binary.BigEndian.AppendUint16(c.Out, id)
	c.Out = appendUint32(c.Out, uint32(v))
}

// settings takes the peer's settings in and acknowledges them.
func (c *Conn) settings(p []byte) Event {
	if c.frame.flags&flagAck != 0 {
		if len(p) > 0 {
			return c.fail(FrameSizeError)
		}
		return Event{}
	}
	first := !c.settled
	c.settled = true
	for ; len(p) > 0; p = p[settingLen:] {
		v := binary.BigEndian.Uint32(p[2:])
		switch binary.BigEndian.Uint16(p) {
		case settingHeaderTable:
			c.tableChanged = true
		case settingEnablePush:
			if v > 1 {
				return c.protocolError()
			}
		case settingMaxStreams:
			c.peerStreams = min(v, unlimitedStreams)
		case settingInitialWindow:
			if v > maxWindow {
				c.Glitch(1)
				return c.fail(FlowControlError)
			}
			if !first && v < uint32(c.peerWindow) && c.Glitch(1) {
				return c.fail(EnhanceYourCalm)
			}
			c.peerWindow = int64(v)
		case settingMaxFrame:
			if v < defaultMaxFrame || v > maxFrameLen {
				return c.protocolError()
			}
			c.peerFrame = int(v)
		case settingConnectMethod:
			c.peerConnect = v == 1
		}
	}
	c.Out = appendFrame(c.Out, frameSettings, flagAck, connectionStream, 0)
	return Event{Kind: Settings}
}
