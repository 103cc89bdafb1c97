// Package h1 is HTTP/1 as a protocol engine without I/O: bytes in, a message.Message and slices of its
// body out; a message in, bytes out. Both directions, both roles.
//
// A Parser reads one message head (or the trailers of a chunked body) and can be fed in pieces of any
// size; a Decoder finds the body in the bytes that follow; an Encoder writes a head, and the functions
// of chunk.go the framing of a body. Want and the functions of persist.go decide what becomes of a
// connection after the exchange. Replies holds the error pages.
package h1

// Result is what a parser says about the bytes that it was given.
type Result uint8

const (
	More     Result = iota // all good so far, the message is not complete
	Complete               // the head (or the trailer section) is complete
	Invalid                // the message is not acceptable: see Parser.Status, ErrPos and ErrState
)

// Options loosen the parser and the framing rules.
type Options uint8

const (
	// AcceptUnsafe is "option accept-unsafe-violations-in-http-request" (or -response): some errors
	// are only noted in ErrPos.
	AcceptUnsafe Options = 1 << iota
	// KeepInsecure is the global "h1-do-not-close-on-insecure-transfer-encoding": a message with both
	// a length and a transfer coding does not force the connection closed.
	KeepInsecure
	// AnyMethodPayload is the global "h1-accept-payload-with-any-method": an HTTP/1.0 GET, HEAD or
	// DELETE may have a body.
	AnyMethodPayload
	// Stored is a message out of a file: what it says of a connection is meant for the one that it
	// will go out on, and stays.
	Stored
)

// Limits bound a message head.
type Limits struct {
	Buffer  int // tune.bufsize
	Rewrite int // tune.maxrewrite, kept free for rewriting
	Headers int // tune.http.maxhdr
}

// DefaultLimits are those of a configuration that tunes nothing.
var DefaultLimits = Limits{Buffer: 16384, Rewrite: 1024, Headers: 101}

// State is where in a message a parser or decoder stands. Its numbers and names are those that
// "show errors" and traces print.
type State uint8

const (
	RequestBefore     State = iota // leading empty lines
	RequestBeforeCR                // after a CR of these
	RequestMethod                  // in the method
	RequestMethodSP                // blanks behind it
	RequestURI                     // in the URI
	RequestURISP                   // blanks behind it
	RequestVersion                 // in the version
	RequestLineEnd                 // at the LF of the request line
	ResponseBefore                 // leading empty lines
	ResponseBeforeCR               // after a CR of these
	ResponseVersion                // in the version
	ResponseVersionSP              // blanks behind it
	ResponseCode                   // in the status code
	ResponseCodeSP                 // blanks behind it
	ResponseReason                 // in the reason
	ResponseLineEnd                // at the LF of the status line
	HeaderFirst                    // first byte after the start line
	HeaderName                     // in a field name
	HeaderColon                    // unused, keeps the numbers
	HeaderL1SP                     // blanks before a value
	HeaderL1LF                     // at the LF of a line with no value yet
	HeaderL1LWS                    // first byte of the next line, which may continue this one
	HeaderValue                    // in a value
	HeaderL2LF                     // at the LF behind a value
	HeaderL2LWS                    // first byte of the next line, which may continue this one
	LastLF                         // at the LF of the empty line
	ChunkSize                      // at or in the size of a chunk
	Data                           // in a chunk or a body of known or unknown length
	ChunkCRLF                      // at the CRLF behind a chunk
	Trailers                       // behind the last chunk
	Done                           // behind the message
	Tunnel                         // bytes of another protocol
)

var stateNames = [...]string{
	"MSG_RQBEFORE", "MSG_RQBEFORE_CR", "MSG_RQMETH", "MSG_RQMETH_SP", "MSG_RQURI", "MSG_RQURI_SP",
	"MSG_RQVER", "MSG_RQLINE_END", "MSG_RPBEFORE", "MSG_RPBEFORE_CR", "MSG_RPVER", "MSG_RPVER_SP",
	"MSG_RPCODE", "MSG_RPCODE_SP", "MSG_RPREASON", "MSG_RPLINE_END", "MSG_HDR_FIRST", "MSG_HDR_NAME",
	"MSG_HDR_COL", "MSG_HDR_L1_SP", "MSG_HDR_L1_LF", "MSG_HDR_L1_LWS", "MSG_HDR_VAL", "MSG_HDR_L2_LF",
	"MSG_HDR_L2_LWS", "MSG_LAST_LF", "MSG_CHUNK_SIZE", "MSG_DATA", "MSG_CHUNK_CRLF", "MSG_TRAILERS",
	"MSG_DONE", "MSG_TUNNEL",
}

func (s State) String() string { return stateNames[s] }
