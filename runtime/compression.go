package runtime

// Algorithm is a way to compress the payload of messages. Section 4.2 "compression algo".
type Algorithm struct {
	Name  string // in the configuration
	Token string // in Accept-Encoding and Content-Encoding; "" for identity, which changes nothing
	Form  Form
}

// Form is what stands around the compressed data.
type Form uint8

const (
	Identity   Form = iota // the data is not compressed
	RawDeflate             // nothing: RFC 1951
	ZlibForm               // RFC 1950
	GzipForm               // RFC 1952
)

// Compression is what "compression" and "filter comp-req" lines say of a proxy. Sections 4.2 and 9.2 of the manual.
type Compression struct {
	Response                    []*Algorithm // in the order in which they are tried: what was named last is the first
	Request                     *Algorithm   // nil: requests are not compressed
	ResponseTypes, RequestTypes []string     // beginnings of Content-Type; empty: all are compressed
	ResponseLeast, RequestLeast uint64       // bytes that a message of known length must have
	Offload                     bool         // Accept-Encoding does not reach the servers
	Sides                       [2]bool      // by side of the stream: its messages are compressed
	Filters                     [2]bool      // by side: a filter that does it is on the proxy's streams
	Offers                      bool         // the one for responses sees requests too, and so knows what clients take
}

// Coding is how the payload of a stream's messages is compressed. Set by runtime/compress.
type Coding struct {
	Wanted   *Algorithm // the best one that the client takes; nil: it takes none
	Response *Algorithm // of the response; nil: it goes out as it is
	Request  *Algorithm
}
