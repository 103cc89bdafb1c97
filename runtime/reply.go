package runtime

import (
	"hapax/acl/logformat"
	"hapax/runtime/message"
)

// Reply is an answer made by the proxy itself: an error, a redirect, a return
// rule. It is built at load time; formats in it are evaluated for each stream.
type Reply struct {
	Status  int
	Reason  string // "" the usual one of the status
	Raw     []byte // a whole HTTP/1 response, head and body (errorfile); nil: the fields below
	Type    string // content-type; "" none
	Headers []ReplyHeader
	Fixed   [][2]string       // further headers, which replace those of the same name
	Lines   [][2]string       // further headers, as they are
	Body    []byte            // constant body
	Format  *logformat.Format // lf-string, lf-file; nil: Body
	Kind    ReplyKind
	Closes  bool // the connection ends behind the reply

	// Parts makes the body while the client takes it: it goes out until the end of the connection, or in chunks.
	// nil: Body or Format.
	Parts   Parts
	Chunked bool // whatever the version of the client: Fixed has the header that says so

	Default bool // the proxy's own error of this status, errorfile or built in

	// Compose writes all headers, content-length included, into a message that has its status line, for an
	// answer without a body that is made for each stream. nil: the fields above.
	Compose func(*Stream, *message.Message) error
}

// Parts makes an answer of any size in little memory: each call appends the next part, a line or a few, to b and tells
// whether it was the last one. Whoever pulls may stop between any two parts, for as long as the reader has no room, or
// for ever.
type Parts func(b []byte) (out []byte, last bool)

// ReplyHeader is one header of a reply.
type ReplyHeader struct {
	Name  string
	Value *logformat.Format
}

// ReplyKind tells who made the reply: it decides the flags in logs.
type ReplyKind uint8

const (
	ReplyError  ReplyKind = iota // an error found by the proxy
	ReplyDeny                    // a deny rule: PR
	ReplyTarpit                  // PT
	ReplyLocal                   // return, redirect, stats, monitor: LR
)

// HTTPErrors is an http-errors section.
type HTTPErrors struct {
	Name    string
	Replies map[int]*Reply
}
