package runtime

import (
	"time"

	"iter"
	"net/netip"
	"os"
	"sync/atomic"

	"hapax/parser/ast"
	"hapax/runtime/netns"
	"hapax/stats/counter"
)

// Family is the kind of an address in a bind or server line. Section 2.9.
type Family uint8

const (
	FamilyNone Family = iota
	FamilyIPv4
	FamilyIPv6
	FamilyUnix      // a path in the file system
	FamilyAbstract  // abns@: abstract UNIX socket, the name padded with zeroes to the full length
	FamilyAbstractZ // abnsz@: zero-terminated
	FamilyFD        // fd@N: a descriptor inherited from the caller
	FamilySockpair
	FamilyReverse // rhttp@: connections come by other ways
)

// Addr is a resolved address.
type Addr struct {
	Family Family
	IP     netip.AddrPort // IPv4, IPv6
	Path   string         // Unix, Abstract
	FD     int            // FD, Sockpair
}

// Typed is an address with its family in front, as the stats sockets are listed; "" for what is no address.
func (a *Addr) Typed() string {
	switch a.Family {
	case FamilyUnix:
		return "unix@" + a.Path
	case FamilyAbstract, FamilyAbstractZ:
		return "abns@" + a.Path
	case FamilyIPv4:
		return "ipv4@" + a.IP.String()
	case FamilyIPv6:
		return "ipv6@" + a.IP.String()
	}
	return ""
}

// Bind is one "bind" line: it makes one listener for each address and port.
// Section 5.1.
type Bind struct {
	Pos            ast.Pos
	Text           string // the address argument as written
	GUIDPrefix     string // "guid-prefix": sockets are identified by it and their number on the line
	Interface      string
	MaxConn        int // 0: none
	Backlog        int // 0: the proxy's
	Nice           int
	Loops          []bool // which loops accept ("thread"); nil: all
	Level          Level  // of the stats socket
	Expose         bool   // expose-fd listeners
	Severity       SeverityOutput
	Mode           uint32 // of a UNIX socket; 0: unchanged
	UID, GID       int    // of a UNIX socket; -1: unchanged
	V6Only         bool
	V4V6           bool
	Transparent    bool
	Label          string // "label": what sockets are grouped by
	Congestion     string // "cc": the algorithm against congestion
	MD5Key         string // "tcp-md5sig"
	Namespace      *netns.Namespace
	DeferAccept    bool
	SaveSYN        int // tcp-ss: 1 keeps the first packet of a connection, 2 with its Ethernet header
	TFO            bool
	MSS            int
	TCPUserTimeout int           // ms
	Prologue       Prologue      // "accept-proxy", "accept-netscaler-cip"
	CIPMagic       uint32        // of "accept-netscaler-cip"
	Proto          Proto         // that is spoken, whatever TLS settles on
	IdlePing       time.Duration // between questions to idle HTTP/2 connections whether they live; 0: none
	Datagrams      bool          // "dgram-bind": the sockets are not of streams
	Reverse        string        // "rhttp@<backend>/<server>": connections are made to it, whose clients come through them
	Wanted         int           // "nbconn": so many of them; 0: one
	TLS            TLSConfig     // nil: clear. Set by runtime/ssl
	SSL            any           // the line's words about TLS, with or without "ssl": runtime/ssl's own
}

// TLSConfig makes the transport of a connection; runtime/ssl implements it.
type TLSConfig interface{ TLS() }

// Level is what a stats socket allows.
type Level uint8

const (
	LevelUser Level = iota
	LevelOperator
	LevelAdmin
)

// SeverityOutput is how CLI messages are prefixed.
type SeverityOutput uint8

const (
	SeverityNone SeverityOutput = iota
	SeverityNumber
	SeverityString
)

// ListenerState is what a listener does now.
type ListenerState int32

const (
	ListenerInit      ListenerState = iota // not bound yet
	ListenerListening                      // accepting
	ListenerFull                           // paused: its, its proxy's or the process's maxconn is reached
	ListenerPaused                         // paused by the CLI or SIGTTOU
	ListenerClosed                         // unbound for good
)

// Listener is one listening socket.
type Listener struct {
	ID       int    // puid
	Name     string // "" when the bind line gave none
	GUID     string
	Proxy    *Proxy
	Bind     *Bind
	Addr     Addr
	MPTCP    bool            // connections over several paths (RFC 8684), where clients know how
	Target   *Server         // with Bind.Reverse: set when the listener is bound
	Slot     int             // index among all listeners of the configuration, given by the engine
	State    atomic.Int32    // live: ListenerState, changed by the engine
	Sock     *os.File        // live: nil until bound; owned by the engine
	Shared   atomic.Bool     // live: another process has the socket too, what waits in its queue is served
	Stats    []FrontCounters // one per loop; nil unless option socket-stats: then they count in the place of the proxy's
	TLSStats TLSCounters     // likewise
	Conns    counter.Gauge   // live: connections now
	ConnsMax counter.Max
}

// Protocol is what messages call the protocol of its address.
func (l *Listener) Protocol() string {
	f := l.Addr.Family
	if l.Bind.Datagrams {
		switch f {
		case FamilyIPv6:
			return "udp6"
		case FamilyUnix:
			return "uxdg"
		case FamilyAbstract:
			return "abns_dgram"
		case FamilyAbstractZ:
			return "abnsz_dgram"
		}
		return "udp4"
	}
	path := ""
	if l.MPTCP {
		path = "mp"
	}
	switch f {
	case FamilyReverse:
		return "rev"
	case FamilyIPv6:
		return path + "tcpv6"
	case FamilyUnix:
		return "unix_stream"
	case FamilyAbstract:
		return "abns_stream"
	case FamilyAbstractZ:
		return "abnsz_stream"
	case FamilySockpair:
		return "sockpair"
	}
	return path + "tcpv4"
}

// Counters is where connections of the listener are counted on a loop.
func (l *Listener) Counters(loop int) *FrontCounters {
	if l.Stats != nil {
		return &l.Stats[loop]
	}
	return &l.Proxy.Live.Front[loop]
}

// Shards are the listener's own counters, one for each loop.
func (l *Listener) Shards() iter.Seq[*FrontCounters] {
	return func(yield func(*FrontCounters) bool) {
		for i := range l.Stats {
			if !yield(&l.Stats[i]) {
				return
			}
		}
	}
}
