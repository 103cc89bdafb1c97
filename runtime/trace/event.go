package trace

import "strings"

// Source is an index into sources.
type Source uint8

const (
	ACME Source = iota
	SSL
	H2
	H1
	FCGI
	Stream
	SPOP
	Peers
	Check
	Applet
	PT
	Session
	Haterm
	sourceCount
)

// Event is a source, in the uppermost bits, with one or more of its kinds of events.
type Event uint64

const (
	sourceShift = 60
	anyEvent    = Event(1)<<sourceShift - 1
)

// The events that this program tells of, and those which go together at one place.
const (
	SSLNew       = Event(SSL)<<sourceShift | 1<<0
	SSLEnd       = Event(SSL)<<sourceShift | 1<<2
	SSLError     = Event(SSL)<<sourceShift | 1<<3
	SSLHandshake = Event(SSL)<<sourceShift | 1<<9

	H2ConnNew    = Event(H2)<<sourceShift | 1<<0
	H2ConnEnd    = Event(H2)<<sourceShift | 1<<6
	H2ConnError  = Event(H2)<<sourceShift | 1<<7
	H2RxFrame    = Event(H2)<<sourceShift | 1<<9
	H2RxData     = H2RxFrame | 1<<12
	H2RxHeaders  = H2RxFrame | 1<<13
	H2RxReset    = H2RxFrame | 1<<15
	H2RxSettings = H2RxFrame | 1<<16
	H2RxPing     = H2RxFrame | 1<<18
	H2RxGoAway   = H2RxFrame | 1<<19
	H2RxWindow   = H2RxFrame | 1<<20
	H2TxHeaders  = Event(H2)<<sourceShift | 1<<22 | 1<<26
	H2StreamNew  = Event(H2)<<sourceShift | 1<<35
	H2StreamEnd  = Event(H2)<<sourceShift | 1<<41
	H2StreamErr  = Event(H2)<<sourceShift | 1<<42

	H1ConnNew   = Event(H1)<<sourceShift | 1<<0
	H1ConnRecv  = Event(H1)<<sourceShift | 1<<1
	H1ConnEnd   = Event(H1)<<sourceShift | 1<<5
	H1RxEnd     = Event(H1)<<sourceShift | 1<<7 | 1<<8
	H1RxHeaders = Event(H1)<<sourceShift | 1<<7 | 1<<9
	H1TxEnd     = Event(H1)<<sourceShift | 1<<12 | 1<<13
	H1TxHeaders = Event(H1)<<sourceShift | 1<<12 | 1<<14
	H1StreamNew = Event(H1)<<sourceShift | 1<<17
	H1StreamEnd = Event(H1)<<sourceShift | 1<<19
	H1StreamErr = Event(H1)<<sourceShift | 1<<20

	StreamNew   = Event(Stream)<<sourceShift | 1<<0
	StreamFree  = Event(Stream)<<sourceShift | 1<<1
	StreamErr   = Event(Stream)<<sourceShift | 1<<2
	StreamStep  = Event(Stream)<<sourceShift | 1<<3
	StreamState = Event(Stream)<<sourceShift | 1<<5
	StreamHTTP  = Event(Stream)<<sourceShift | 1<<6

	CheckStart   = Event(Check)<<sourceShift | 1<<1
	CheckEnd     = Event(Check)<<sourceShift | 1<<4
	CheckSuccess = Event(Check)<<sourceShift | 1<<5
	CheckError   = Event(Check)<<sourceShift | 1<<6
	CheckRule    = Event(Check)<<sourceShift | 1<<7
	CheckRecv    = Event(Check)<<sourceShift | 1<<13

	AppletNew     = Event(Applet)<<sourceShift | 1<<0
	AppletRelease = Event(Applet)<<sourceShift | 1<<2

	PTConnNew = Event(PT)<<sourceShift | 1<<0
	PTConnEnd = Event(PT)<<sourceShift | 1<<2
	PTRxData  = Event(PT)<<sourceShift | 1<<8

	SessionNew = Event(Session)<<sourceShift | 1<<0
	SessionEnd = Event(Session)<<sourceShift | 1<<1
	SessionErr = Event(Session)<<sourceShift | 1<<2
)

// Source is whose event it is.
func (e Event) Source() Source { return Source(e >> sourceShift) }

// String gives the names: "h1 rx_data+rx_headers".
func (e Event) String() string {
	src := &sources[e.Source()]
	var names []string
	for i, ev := range src.events {
		if e&(1<<i) != 0 {
			names = append(names, ev.name)
		}
	}
	return src.name + " " + strings.Join(names, "+")
}

// event finds the bit of a name.
func (s *source) event(name string) (Event, bool) {
	for i, ev := range s.events {
		if ev.name == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Level tells whom an event is for; each includes those before it.
type Level uint8

const (
	Error Level = iota
	User
	Proto
	State
	Data
	Developer
)

var levels = [...]word{
	{"error", "report errors"},
	{"user", "also information useful to the end user"},
	{"proto", "also protocol-level updates"},
	{"state", "also report internal state changes"},
	{"data", "also report data transfers"},
	{"developer", "also report information useful only to the developer"},
}

func levelOf(name string) (Level, bool) {
	for i, l := range levels {
		if l.name == name {
			return Level(i), true
		}
	}
	return 0, false
}

// Verbosities of most sources; those without names of their own have Quiet and Clean, which they call "default".
const (
	Quiet = iota
	Clean
	Minimal
	Simple
	Advanced
	Complete
)

// verbosity finds a name.
func (s *source) verbosity(name string) (int, bool) {
	switch {
	case name == "quiet":
		return Quiet, true
	case s.verbosities == nil:
		return Clean, name == "default"
	}
	for i, v := range s.verbosities {
		if v.name == name {
			return Clean + i, true
		}
	}
	return 0, false
}

func find(name string) (Source, bool) {
	for i := range sources {
		if sources[i].name == name {
			return Source(i), true
		}
	}
	return 0, false
}
