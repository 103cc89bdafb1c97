// Package message holds the head of one HTTP message, a request or a response: its start line and its
// header fields in the order of the wire.
//
// Everything is an offset into one byte buffer that somebody else owns (it may live outside the Go
// heap), so that parsing copies nothing and rewriting only appends the new bytes after what the buffer
// already holds. Nothing here allocates.
//
// Field names are kept in lower case: the parser lowers them in place, as they go out on the wire.
package message

import "errors"

// ErrNoRoom says that the scratch room of the buffer is used up: the rewrite did not happen and the
// message is unchanged. The owner may call MoveTo with another buffer and try again, or count a
// rewrite failure.
var ErrNoRoom = errors.New("no room left to rewrite the message")

// ErrNoAuthority says that the Host header of a request whose URI holds an authority could not be
// carried over into that URI, or the other way round.
var ErrNoAuthority = errors.New("no authority in the URI")

// Span is a stretch of a message's buffer: Len bytes from offset Off. The zero Span is empty.
type Span struct{ Off, Len uint32 }

// End is the offset of the first byte after the span.
func (s Span) End() uint32 { return s.Off + s.Len }

// Field is one header field. Both spans are free of surrounding blanks, and the name is in lower case.
type Field struct {
	Name, Value Span
	ID          HeaderID // Other when the name is not one of the well-known ones
}

// Message is the head of an HTTP message.
//
// Buf holds the bytes as received (the head, then perhaps a part of the body or a pipelined message)
// and, after them, the bytes that rewriting added: len(Buf) is what is used, cap(Buf) the limit.
// A Message must not be copied while it is in use.
type Message struct {
	Buf    []byte
	Fields []Field // in wire order; its capacity (tune.http.maxhdr) is the limit while parsing

	// Line holds the three words of the start line: method, URI and version of a request, or
	// version, status code and reason of a response. Reason and version may be empty.
	Line [3]Span

	Flags      Flags
	Method     Method // of the request; in a response that of the request it answers
	Status     uint16 // of the response; 0 in a request
	BodyLength uint64 // bytes announced by Content-Length when Flags has ContentLength

	// HeadLen is the number of received bytes that the head took, leading empty lines included:
	// the body starts at Buf[HeadLen]. 0 until the head is complete.
	HeadLen uint32
}

// Flags tell how the message is framed and what its connection wants.
type Flags uint32

const (
	Response  Flags = 1 << iota // a response, else a request
	Version11                   // HTTP/1.1 or later; else older
	NotHTTP                     // the version is not of the form HTTP/x.y (only with accept-unsafe-violations)

	TransferEncoding // a Transfer-Encoding header is present
	Chunked          // and its last coding is "chunked"
	ContentLength    // a valid Content-Length counts: BodyLength is set
	LengthKnown      // the end of the message is known without a close
	Bodyless         // the message has no body at all, or an empty one
	BodylessResponse // HEAD request; or response to HEAD, 204, 304: no body, whatever the headers say

	ConnClose        // "close" in Connection
	ConnKeepAlive    // "keep-alive" in Connection
	ConnUpgrade      // "upgrade" in Connection, and an Upgrade header is present
	UpgradeHeader    // an Upgrade header with anything but h2 and h2c is present
	UpgradeWebSocket // "websocket" in Upgrade

	ChunkedOnce // "chunked" is among the transfer codings, perhaps not the last
	OtherCoding // so is another one

	HasAuthority // the URI holds an authority: absolute-form, or CONNECT
	HasScheme    // the URI is in absolute-form
	SchemeHTTP   // with scheme http
	SchemeHTTPS  // with scheme https

	// NormalizedURI tells that HTTP/2 made the URI absolute: nobody knows what the client was asked for, and what
	// speaks HTTP/1 gets the path alone.
	NormalizedURI
	// Framed tells that the transport ends the body (HTTP/2), and that no length is announced.
	Framed
)

// Reset makes m an empty message over buf, whose length is what was received so far, and fields, of
// which only the capacity counts.
func (m *Message) Reset(buf []byte, fields []Field) {
	*m = Message{Buf: buf, Fields: fields[:0]}
}

// Bytes gives the bytes of a span. They are valid until the buffer is released or moved.
func (m *Message) Bytes(s Span) []byte {
	return m.Buf[s.Off : s.Off+s.Len : s.Off+s.Len]
}

// Name gives the name of field i, in lower case.
func (m *Message) Name(i int) []byte { return m.Bytes(m.Fields[i].Name) }

// Value gives the value of field i, without surrounding blanks.
func (m *Message) Value(i int) []byte { return m.Bytes(m.Fields[i].Value) }

// Size is the number of bytes that the head takes when it is serialized as it stands.
func (m *Message) Size() int {
	n := int(m.Line[0].Len+m.Line[1].Len+m.Line[2].Len) + len("  \r\n\r\n")
	for i := range m.Fields {
		n += int(m.Fields[i].Name.Len+m.Fields[i].Value.Len) + len(": \r\n")
	}
	return n
}

// Stored is the number of bytes that the head takes in a buffer: names, values and words without what separates them.
func (m *Message) Stored() int {
	n := int(m.Line[0].Len + m.Line[1].Len + m.Line[2].Len)
	for i := range m.Fields {
		n += int(m.Fields[i].Name.Len + m.Fields[i].Value.Len)
	}
	return n
}

// MoveTo copies the head, compacted, into dst (of which only the capacity counts) and makes dst the
// buffer of the message. Bytes of a body that the old buffer held are left there: the caller keeps it
// until they are consumed. It fails with ErrNoRoom when the head does not fit.
func (m *Message) MoveTo(dst []byte) error {
	dst = dst[:0]
	if m.Stored() > cap(dst) {
		return ErrNoRoom
	}
	for i := range m.Line {
		dst = m.move(dst, &m.Line[i])
	}
	for i := range m.Fields {
		dst = m.move(dst, &m.Fields[i].Name)
		dst = m.move(dst, &m.Fields[i].Value)
	}
	m.Buf = dst
	return nil
}

func (m *Message) move(dst []byte, s *Span) []byte {
	at := len(dst)
	dst = append(dst, m.Bytes(*s)...)
	s.Off = uint32(at)
	return dst
}

// room tells whether n more bytes fit behind what the buffer holds.
func (m *Message) room(n int) bool { return n <= cap(m.Buf)-len(m.Buf) }

// put appends p to the scratch room, which the caller has checked with room.
func (m *Message) put(p []byte) Span {
	at := len(m.Buf)
	m.Buf = append(m.Buf, p...)
	return Span{uint32(at), uint32(len(p))}
}

// put3 appends the concatenation of three pieces, or says that there is no room.
func (m *Message) put3(a, b, c []byte) (Span, error) { return join(m, a, b, c) }

func join[T ~string | ~[]byte](m *Message, a T, b []byte, c T) (Span, error) {
	n := len(a) + len(b) + len(c)
	if !m.room(n) {
		return Span{}, ErrNoRoom
	}
	at := len(m.Buf)
	m.Buf = append(append(append(m.Buf, a...), b...), c...)
	return Span{uint32(at), uint32(n)}, nil
}
