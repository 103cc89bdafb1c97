package h2

import "encoding/binary"

// Preface is what a client sends before its first frame.
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// FrameHeadLen is the size of the head of a frame.
const FrameHeadLen = 9

type frameType uint8

const (
	frameData frameType = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePushPromise
	framePing
	frameGoAway
	frameWindowUpdate
	frameContinuation
	frameTypes // those that are known; others are skipped
)

// Flags of frames.
const (
	flagEndStream  = 0x1
	flagAck        = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

// Code says why a stream or a connection ended (RFC 9113, 7).
type Code uint32

const (
	NoError Code = iota
	ProtocolError
	InternalError
	FlowControlError
	SettingsTimeout
	StreamClosed
	FrameSizeError
	RefusedStream
	Cancel
	CompressionError
	ConnectError
	EnhanceYourCalm
	InadequateSecurity
	HTTP11Required
)

const (
	maxStreamID = 1<<31 - 1
	maxWindow   = 1<<31 - 1
	maxFrameLen = 1<<24 - 1
)

// frameRules say which streams a frame may name and how long its payload may be.
var frameRules = [frameTypes]struct{ minID, maxID, minLen, maxLen uint32 }{
	frameData:         {1, maxStreamID, 0, maxFrameLen},
	frameHeaders:      {1, maxStreamID, 1, maxFrameLen},
	framePriority:     {1, maxStreamID, 5, 5},
	frameReset:        {1, maxStreamID, 4, 4},
	frameSettings:     {0, 0, 0, maxFrameLen},
	framePushPromise:  {1, 0, 0, 0}, // never allowed: a server must not send what we forbid, a client never may
	framePing:         {0, 0, 8, 8},
	frameGoAway:       {0, 0, 8, maxFrameLen},
	frameWindowUpdate: {0, maxStreamID, 4, 4},
	frameContinuation: {1, maxStreamID, 0, maxFrameLen},
}

// frame is the head of a frame.
type frame struct {
	length uint32
	typ    frameType
	flags  uint8
	id     uint32
}

func parseFrame(b []byte) frame {
	return frame{
		length: uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]),
		typ:    frameType(b[3]),
		flags:  b[4],
		id:     binary.BigEndian.Uint32(b[5:]) & maxStreamID,
	}
}

// valid tells what is wrong with the head of a frame, NoError for nothing.
func (f *frame) valid(maxFrame uint32) Code {
	if f.length > maxFrame {
		return FrameSizeError
	}
	if f.typ >= frameTypes {
		return NoError
	}
	r := &frameRules[f.typ]
	switch {
	case f.id < r.minID || f.id > r.maxID:
		return ProtocolError
	case f.length < r.minLen || f.length > r.maxLen, f.typ == frameSettings && f.length%6 != 0:
		return FrameSizeError
	}
	return NoError
}

func appendFrame(dst []byte, typ frameType, flags uint8, id uint32, n int) []byte {
	return append(dst, byte(n>>16), byte(n>>8), byte(n), byte(typ), flags, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
}

func appendUint32(dst []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(dst, v) }
