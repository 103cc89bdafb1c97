package runtime

import (
	"fmt"
	"net/netip"
	"time"
)

// StreamInfo is a picture of one stream.
type StreamInfo struct {
	ID       uint64
	Loop     int
	Listener *Listener
	Src, Dst netip.AddrPort // not valid for UNIX sockets
	Unix     bool
	Dialog   bool // it is a connection to a stats socket, and no stream of the engine
	Front    *Proxy
	Back     *Proxy  // nil: none chosen
	Server   *Server // nil: none chosen
	Accepted time.Time
	Age      time.Duration // of the request
	Calls    int           // how often it ran
	Retries  int

	// What it waits for: bytes, and the time left of each timeout; 0: no timeout runs.
	RequestIn, ResponseIn     int // bytes received and not forwarded yet
	ReadClient, WriteClient   time.Duration
	ReadServer, WriteServer   time.Duration
	Expire                    time.Duration
	ClientFD, ServerFD        int // -1: none
	ServerAddr, LocalAddr     netip.AddrPort
	RequestStep, ResponseStep string // what each side does: names of the engine's steps
	HTTP                      bool
	Method, URI               string // "" when none was read
	Status                    int
}

// Source is the client's address as both forms write it.
func (s *StreamInfo) Source() string {
	if s.Unix || !s.Src.IsValid() {
		return fmt.Sprintf("unix:%d", s.Listener.ID)
	}
	return fmt.Sprintf("%s:%d", s.Src.Addr(), s.Src.Port())
}

// Proto is what carries the client's connection, as messages call it.
func (s *StreamInfo) Proto() string {
	if s.Inner() {
		return "?"
	}
	return s.Listener.Protocol()
}

// Inner tells that the program itself has sent the request: nobody has connected.
func (s *StreamInfo) Inner() bool { return s.Listener.Addr.Family == FamilyNone }

// Effort is what runs of streams took that began with the same step.
type Effort struct {
	Step  string // "": what ends a stream
	Calls int64
	Busy  int64 // ns of CPU
	Late  int64 // ns behind the beginning of the loop's turn
}

// Descriptor is a socket of a listener, of a client (Front is set) or of a connection to a server.
type Descriptor struct {
	FD       int
	Loop     int // that it lives on; -1: all
	Listener *Listener
	Front    *Proxy
	Server   *Server
	Mux      Mux // what it speaks
}

// Mux is what a connection speaks, by the name that the reference has for it.
type Mux string

const (
	MuxPass Mux = "PASS"
	MuxH1   Mux = "H1"
	MuxH2   Mux = "H2"
	MuxFCGI Mux = "FCGI"
	MuxSPOP Mux = "SPOP"
)

// Activity is what one loop has done since it began.
type Activity struct {
	Turns    int64  // how often it looked for events
	Events   int64  // how many it handled
	Accepted uint64 // connections
	Idle     int    // percent of the last half second that it waited
	Waited   time.Duration
}
