package h1

import (
	"bytes"
	"errors"

	"hapax/runtime/message"
)

// Framing is how the body of an encoded message goes out.
type Framing uint8

const (
	NoBody     Framing = iota // nothing follows the head
	ByLength                  // exactly Encoder.Length bytes
	Chunks                    // AppendChunkHead, data, ChunkEnd, ... and LastChunk or AppendTrailers
	UntilClose                // bytes, then the end of the connection
	OtherBytes                // the connection carries another protocol from here on
	Framed                    // bare bytes: the transport marks the end (HTTP/2)
)

// ErrFull says that the head does not fit into the output buffer: send what is there and try again.
var ErrFull = errors.New("no room left in the output buffer")

// ErrLength says that a rule made a Content-Length that is no number or contradicts another one.
var ErrLength = errors.New("invalid content-length in a message to send")

// Encoder writes the head of a message and decides how its body is framed and what becomes of the
// connection. Fill in what is known of the connection, call AppendRequest or AppendResponse, read the
// rest. One Encoder serves one message.
type Encoder struct {
	Want         Want // in: before this message; out: after it
	Front, Back  Mode // of the proxies on both sides
	Pretend      bool // backend: option http-pretend-keepalive
	Stopping     bool // the proxy of this side is being stopped
	KeepInsecure bool // global: h1-do-not-close-on-insecure-transfer-encoding
	Request11    bool // response: the request had HTTP/1.1 or later
	Coded        bool // the payload goes out otherwise than it came: in chunks, as its length is not known
	AsItCame     bool // response: the status line goes out as it came, whatever the version and without a reason

	// ServerHeader and ServerName are a field to add to a request in the place of one of the same name
	// (http-send-name-header); ServerHeader is in lower case, "" for none.
	ServerHeader, ServerName string

	Cases Cases // of field names; nil: all go out as they are

	// Key is, for a response, the key of the client's WebSocket handshake; after a request, the key
	// that was made for a handshake without one, for Parser.ExpectKey.
	Key WebSocketKey

	Framing Framing
	Length  uint64 // with ByLength
	// SkipBody tells that the payload of the message must be dropped: a rule took its framing headers
	// from a request, or the response is one that has no body.
	SkipBody bool

	flags      message.Flags // of the message as it goes out
	haveLength bool
	haveChunks bool
	haveKey    bool
}

// AppendRequest appends the head of request m to dst, up to its capacity.
func (e *Encoder) AppendRequest(dst []byte, m *message.Message) ([]byte, error) {
	if cap(dst)-len(dst) < m.Size()+e.extra() {
		return dst, ErrFull
	}
	e.flags = m.Flags & (message.Version11 | message.TransferEncoding)
	e.flags |= message.LengthKnown
	switch {
	case e.Coded:
		e.flags |= message.TransferEncoding | message.Chunked
	case m.Flags&message.Chunked != 0:
		e.flags |= message.Chunked
	case m.Flags&message.ContentLength != 0:
		e.flags |= message.ContentLength
	}
	if m.Flags&message.Bodyless != 0 && e.flags&message.ContentLength == 0 {
		e.flags = e.flags&^message.Chunked | message.ContentLength
		e.haveLength = true
	}
	out := append(dst, m.MethodName()...)
	out = append(out, ' ')
	out = append(out, m.Target()...)
	out = append(out, ' ')
	out = appendVersion(out, m)
	out = append(out, '\r', '\n')
	out, err := e.appendFields(out, m)
	if err != nil {
		return dst, err
	}
	if e.missing() {
		if e.oneLeft() {
			out = e.appendField(out, "content-length", "0")
			e.flags = e.flags&^(message.TransferEncoding|message.Chunked) | message.ContentLength
			e.haveLength, e.SkipBody = true, true
		}
	}
	e.insecure()
	e.Want = e.Want.WithRequest(e.flags, e.Front, e.Back, e.Stopping)
	out = e.appendConnection(out, requestConnection(e.Want, e.flags, e.Pretend))
	if m.Method != message.CONNECT && e.flags&(message.Version11|message.ContentLength) == message.Version11 {
		e.flags |= message.Chunked
	}
	out = e.appendChunked(out)
	if e.ServerHeader != "" {
		out = e.appendField(out, e.ServerHeader, e.ServerName)
	}
	out = e.appendWebSocketKey(out)
	out = append(out, '\r', '\n')
	if m.Method != message.CONNECT {
		e.Framing = e.framing()
	}
	return out, nil
}

// AppendResponse appends the head of response m to dst, up to its capacity.
func (e *Encoder) AppendResponse(dst []byte, m *message.Message) ([]byte, error) {
	if cap(dst)-len(dst) < m.Size()+e.extra() {
		return dst, ErrFull
	}
	e.flags = message.Response | m.Flags&message.Version11
	if m.Flags&message.LengthKnown != 0 {
		e.flags |= message.LengthKnown | m.Flags&message.TransferEncoding
		switch {
		case e.Coded:
			e.flags |= message.TransferEncoding | message.Chunked
		case m.Flags&message.Chunked != 0:
			e.flags |= message.Chunked
		case m.Flags&message.ContentLength != 0:
			e.flags |= message.ContentLength
		}
	}
	code := m.Status
	e.SkipBody = m.Flags&message.BodylessResponse != 0 || code == 204 || code == 304
	out := e.appendStatusLine(dst, m)
	out, err := e.appendFields(out, m)
	if err != nil {
		return dst, err
	}
	if e.missing() && e.oneLeft() {
		e.flags &^= message.LengthKnown | message.TransferEncoding | message.ContentLength | message.Chunked
	}
	tunnel := Switches(m.Method, code)
	if code >= 200 {
		e.insecure()
		e.Want = e.Want.WithResponse(m.Method, code, e.flags, e.Front, e.Stopping)
		out = e.appendConnection(out, responseConnection(e.Want, e.flags, e.Request11))
		const lengths = message.LengthKnown | message.ContentLength | message.Chunked
		if !e.SkipBody && !tunnel && e.flags&(message.Version11|lengths) == message.Version11|message.LengthKnown {
			e.flags |= message.Chunked
		}
	}
	out = e.appendChunked(out)
	out = e.appendWebSocketKey(out)
	out = append(out, '\r', '\n')
	switch {
	case tunnel:
		e.Want, e.Framing = TunnelMode, OtherBytes
	case !Informational(code) && !e.SkipBody:
		e.Framing = e.framing()
	}
	return out, nil
}

// appendStatusLine appends the first line of a response.
func (e *Encoder) appendStatusLine(out []byte, m *message.Message) []byte {
	if e.AsItCame {
		out = append(out, m.Version()...)
	} else {
		out = appendVersion(out, m)
	}
	out = append(append(out, ' '), m.Bytes(m.Line[1])...)
	out = append(out, ' ')
	if reason := m.Reason(); len(reason) > 0 || e.AsItCame {
		out = append(out, reason...)
	} else {
		out = append(out, message.ReasonOf(int(m.Status))...)
	}
	return append(out, '\r', '\n')
}

// extra bounds what a head may grow by when it is encoded.
func (e *Encoder) extra() int {
	const added = "content-length: 0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n" +
		"Sec-Websocket-Accept: 0123456789012345678901234567\r\n"
	const longestReason = 64
	return len(added) + longestReason + len(e.ServerHeader) + len(e.ServerName) + len(": \r\n")
}

// appendFields appends the header fields, without those that do not suit the framing or concern the
// other connection only.
func (e *Encoder) appendFields(out []byte, m *message.Message) ([]byte, error) {
	response := e.flags&message.Response != 0
	uncoded := response && (m.Status < 200 || m.Status == 204) // never has a transfer coding
	for i := range m.Fields {
		f := &m.Fields[i]
		name, value := m.Bytes(f.Name), m.Bytes(f.Value)
		switch f.ID {
		case message.Other:
			if len(name) > 0 && name[0] == ':' {
				continue
			}
		case message.TransferEncodingHeader:
			if !uncoded && e.flags&message.Chunked != 0 && !e.haveChunks {
				out = e.appendChunked(out)
			}
			continue
		case message.ContentLengthHeader:
			read := message.Message{Buf: m.Buf}
			if e.haveLength {
				read.Flags, read.BodyLength = message.ContentLength, e.Length
			}
			v, ok := read.ReadContentLength(f.Value)
			if !ok {
				return nil, ErrLength
			}
			if read.BodyLength == 0 && uncoded {
				e.flags |= message.ContentLength
			}
			if e.flags&message.ContentLength == 0 || e.haveLength {
				continue
			}
			e.haveLength, e.Length = true, read.BodyLength
			value = m.Bytes(v)
		case message.Connection, message.Upgrade:
			out = e.appendTokens(out, f.ID, name, value)
			continue
		case message.SecWebSocketKey, message.SecWebSocketAccept:
			e.haveKey = e.haveKey || response == (f.ID == message.SecWebSocketAccept)
		case message.TE:
			if !AcceptsTrailers(value) {
				continue
			}
			value = trailersWord
		}
		if !response && e.ServerHeader != "" && string(name) == e.ServerHeader {
			continue
		}
		out = e.appendName(out, name)
		out = append(out, value...)
		out = append(out, '\r', '\n')
	}
	return out, nil
}

// appendName appends the name of a field, and what stands between it and the value.
func (e *Encoder) appendName(out, name []byte) []byte {
	return append(append(out, e.Cases.of(name)...), ':', ' ')
}

// appendTokens appends a Connection or Upgrade field with the words that may go out, if any is left.
func (e *Encoder) appendTokens(out []byte, id message.HeaderID, name, value []byte) []byte {
	before := out
	out = e.appendName(out, name)
	list := message.Span{Off: uint32(len(out)), Len: uint32(len(value))}
	out = append(out, value...)
	said := message.Message{Flags: e.flags}
	if id == message.Connection {
		list = connectionTokens(&said, out, list)
	} else {
		list = upgradeTokens(&said, out, list)
	}
	e.flags = said.Flags
	if list.Len == 0 {
		return before
	}
	return append(out[:list.End()], '\r', '\n')
}

var trailersWord = []byte("trailers")

// AcceptsTrailers tells whether a TE value says "trailers", the only word of it that is passed on.
func AcceptsTrailers(te []byte) bool {
	at := bytes.Index(te, trailersWord)
	if at < 0 {
		return false
	}
	rest := te[at+len(trailersWord):]
	return len(rest) == 0 || rest[0] == ','
}

// missing tells that a rule took a framing header away.
func (e *Encoder) missing() bool {
	return e.flags&message.ContentLength != 0 && !e.haveLength || e.flags&message.Chunked != 0 && !e.haveChunks
}

// oneLeft drops the framing whose header is missing when the other one is there. It reports true when
// neither is.
func (e *Encoder) oneLeft() bool {
	switch {
	case e.haveChunks:
		e.Length = 0
		e.flags &^= message.ContentLength
	case e.haveLength:
		e.flags &^= message.TransferEncoding | message.Chunked
	default:
		return true
	}
	return false
}

// insecure closes the connection after a message that an old intermediary could take for two.
func (e *Encoder) insecure() {
	const both = message.TransferEncoding | message.ContentLength
	switch {
	case e.flags&both == both:
		e.flags &^= message.ContentLength
		if !e.KeepInsecure {
			e.Want = Close
		}
	case e.flags&(message.Version11|message.TransferEncoding) == message.TransferEncoding:
		e.Want = Close
	}
}

// framing tells how the body goes out.
func (e *Encoder) framing() Framing {
	switch {
	case e.flags&message.Chunked != 0:
		return Chunks
	case e.flags&message.ContentLength != 0:
		if e.Length == 0 {
			return NoBody
		}
		return ByLength
	case e.flags&message.LengthKnown != 0:
		return NoBody
	}
	return UntilClose
}

func (e *Encoder) appendChunked(out []byte) []byte {
	if e.flags&message.Chunked == 0 || e.haveChunks {
		return out
	}
	e.haveChunks = true
	return e.appendField(out, "transfer-encoding", "chunked")
}

func (e *Encoder) appendConnection(out []byte, value string) []byte {
	if value == "" {
		return out
	}
	return e.appendField(out, "connection", value)
}

// appendField appends a field of our own.
func (e *Encoder) appendField(out []byte, name, value string) []byte {
	if as, ok := e.Cases[name]; ok {
		out = append(out, as...)
	} else {
		out = append(out, name...)
	}
	out = append(out, ':', ' ')
	out = append(out, value...)
	return append(out, '\r', '\n')
}

// appendVersion appends the version: all from 1.1 on goes out as 1.1.
func appendVersion(out []byte, m *message.Message) []byte {
	if m.Flags&message.Version11 != 0 {
		return append(out, "HTTP/1.1"...)
	}
	return append(out, m.Version()...)
}
