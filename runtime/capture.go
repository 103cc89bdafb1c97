package runtime

import (
	"net/netip"
	"time"
)

// Capture is the last message of a proxy that broke its protocol. "show errors" prints it; it does not change once
// it was published.
type Capture struct {
	When   time.Time
	Event  uint64 // number of the capture in the process, from 0
	Other  *Proxy // the backend of a request, the frontend of a response; nil: none
	Server *Server
	Src    netip.AddrPort
	Offset uint64 // how many bytes of the stream came before Text
	Text   []byte // what was received
	Size   int    // of the buffer
	At     int    // index of the offending byte in Text
	State  string // of the parser: "MSG_RQURI"
}
