package sample

import (
	"net/netip"
	"time"

	"hapax/runtime/message"
)

// Dir is the direction that an evaluation or a fetch looks in.
type Dir uint8

const (
	AsRule Dir = iota // for a fetch: that of the rule; for an evaluation the same as Request
	Request
	Response
)

// Context is what an evaluation sees. One is embedded in each stream (and session, and check) and
// reused, so that evaluation allocates nothing. Whoever evaluates fills Dir, Final and Checkpoint for
// the place where it stands.
type Context struct {
	// Req and Res are the HTTP messages, nil while they do not exist (TCP mode, or before the head is
	// complete). When a head is not complete yet, fetches answer "no value, may change" unless Final.
	Req, Res *message.Message

	// ResVersion is the version of the response where it is not that of its first line, as "1.1": a reply of our own
	// stands for the response that it replaces as long as rules look at it, and then for an answer to the request.
	ResVersion string

	// NotHTTP: what came from the client is no HTTP request and never will be one, so that no fetch
	// waits for Req.
	NotHTTP bool

	// Line is the request line as it was received, up to what is kept for logs; empty when it was not
	// kept.
	Line []byte

	// ReqBody and ResBody are what is buffered of the bodies.
	ReqBody, ResBody Body

	// ReqRaw and ResRaw are the bytes that wait in each direction, for fetches of the content of a
	// connection (req.payload, req.len, ...).
	ReqRaw, ResRaw Raw

	// Src and Dst are the addresses that src and dst answer: those of the client's connection, until
	// a rule or the PROXY protocol sets others.
	Src, Dst netip.AddrPort

	// Front and Back are the addresses of the client's and the server's connection themselves.
	Front, Back Conn

	// Now is the wall clock of the loop's turn.
	Now time.Time

	Dir Dir

	// Final: no more data will come, or nobody will wait for it.
	Final bool

	Checkpoint Checkpoint

	// Iter is the place of a fetch that has several occurrences. Expr.Eval begins each evaluation
	// with a zero one.
	Iter Cursor

	// Vars are the stores of variables by scope, nil where a scope does not exist at this point.
	Vars [Scopes]*Vars

	// Scratch holds the bytes of results. Never nil.
	Scratch *Scratch

	// Owner is the object the evaluation stands for: a stream, a session or a check. A fetch of a
	// domain reaches it by one type assertion.
	Owner any

	// ReqCaptures and ResCaptures are the values of the capture slots; nil for a slot without value.
	ReqCaptures, ResCaptures [][]byte
}

// Conn is the pair of addresses of one connection. An invalid address is that of a UNIX socket or of
// a connection that does not exist.
type Conn struct {
	Src, Dst netip.AddrPort
	// HTTP is the major version of HTTP that is spoken on it, 0 in TCP mode.
	HTTP uint8
	// TLS is what its handshake settled, nil for a connection in clear.
	TLS *TLS
}

// TLS is what the handshake of a connection settled, in the words that fetches answer. An empty text is one that
// does not exist.
type TLS struct {
	SNI     []byte // the server name that the client asked for
	ALPN    []byte // the protocol chosen
	Version []byte // "TLSv1.3"
	Cipher  []byte // as OpenSSL calls it
	Resumed bool
	Of      any // the connection itself, for fetches of runtime/ssl
}

// Body is the buffered part of a body.
type Body struct {
	// Data is the body so far, without chunk headers.
	Data []byte
	// Chunks are what came of a chunked body that nobody has decoded yet: Decode appends their content.
	Chunks []byte
	Decode func(dst, chunks []byte) []byte
	// Size is the announced length; -1 for a chunked or close-delimited body.
	Size int64
	// Complete: Data is the whole body.
	Complete bool
	// Own: the proxy made the body itself. Size is what a server announced whose response it replaces, 0 without one.
	Own bool
}

// Announced is the length that a sender gave, or what came so far of a body that it gives no length.
func (b *Body) Announced() int64 {
	if b.Own {
		return b.Size
	}
	n := len(b.Data)
	if len(b.Chunks) > 0 {
		n = len(b.Decode(nil, b.Chunks))
	}
	return max(b.Size, int64(n))
}

// Raw is what waits in one direction of a connection.
type Raw struct {
	Data []byte
	// Closed: the sender has shut down, nothing follows. Full: the buffer has no more room.
	Closed, Full bool
}

// Cursor is where a fetch with several occurrences stands. The fetch alone gives At, End and N their
// meaning; they are zero before the first occurrence.
type Cursor struct {
	// On: the caller wants the occurrences one by one (an ACL does). A fetch without an explicit
	// occurrence then gives the next one at each call and sets NotLast while others follow.
	On bool
	// Started is set by the fetch at its first occurrence.
	Started bool
	At, End int32
	N       int32
}

// Message is the HTTP message in the direction of the evaluation.
func (ctx *Context) Message() *message.Message {
	if ctx.Dir == Response {
		return ctx.Res
	}
	return ctx.Req
}

// Raw is what waits in the direction of the evaluation.
func (ctx *Context) Raw() *Raw {
	if ctx.Dir == Response {
		return &ctx.ResRaw
	}
	return &ctx.ReqRaw
}
