package runtime

import (
	"sync/atomic"
	"syscall"

	"hapax/acl/logformat"
)

// LogTarget is one "log" line. Section 4.2 "log". Package runtime/logger sends to it.
type LogTarget struct {
	Addr     Addr   // UDP or UNIX datagram socket, or
	FD       int    // a descriptor (stdout 1, stderr 2, fd@N); -1 otherwise
	Text     string // the address as written
	Ring     string // of "ring@<name>"
	IsRing   bool
	Stream   bool   // a stream socket: messages wait in a ring of their own
	Backend  *Proxy // of "backend@<name>", once it is known
	Format   LogFormat
	Facility int
	Level    int        // the least severe level that is sent
	MinLevel int        // what is more severe is sent at this level
	MaxLen   int        // bytes of a line
	Sample   *LogSample // nil: all are sent
	Sender   LogSender  // live: set by the logger when the process starts

	ProfileName string // of the "profile" option
	Profile     *LogProfile

	File string // of the line
	Line int
}

// LogProfile is a "log-profile" section: what goes to targets that name it in place of what the proxy logs.
// Section 8.3.5.
type LogProfile struct {
	Name  string
	Tag   []byte                 // none: that of the proxy
	Steps map[uint8]*ProfileStep // by the steps of runtime/logger
}

// ProfileStep is an "on" line.
type ProfileStep struct {
	Drop       bool
	Format, SD *logformat.Format // nil: those of the proxy
}

// Need is what the formats of the line need.
func (on *ProfileStep) Need() (need logformat.Need) {
	for _, f := range [...]*logformat.Format{on.Format, on.SD} {
		if f != nil {
			need |= f.Need()
		}
	}
	return need
}

// LogForward is what a "log-forward" section does with the messages that it receives. Section 12.6.
type LogForward struct {
	Lines bool     // "option assume-rfc6587-ntf": messages of streams are lines, whatever they begin with
	Bare  bool     // "option dont-parse-log": they go on as they are
	Host  HostRule // "option host"
}

// HostRule is what becomes of the host that a message names.
type HostRule uint8

const (
	HostKeep    HostRule = iota
	HostFill             // the sender's address where there is none
	HostReplace          // the sender's address
	HostAppend           // the sender's address behind it
)

// LogSender delivers formatted messages; it never blocks.
type LogSender interface {
	// Send joins the parts of one message, cuts it to so many bytes and ends it with a
	// line feed. EAGAIN tells that it was dropped, other errors that it cannot be sent,
	// 0 that nobody asks. loop is the caller's loop, -1 outside of one: such calls never
	// overlap.
	Send(loop, limit int, head, sd, body []byte) syscall.Errno
}

// LogFormat is how a syslog message is framed.
type LogFormat uint8

const (
	LogUnset LogFormat = iota
	LogLocal
	LogRFC3164
	LogRFC5424
	LogPriority
	LogShort
	LogTimed
	LogISO
	LogRaw
)

// LogSample is "sample <ranges>:<size>": which of every Size messages are sent.
type LogSample struct {
	Ranges []LogRange // in ascending order
	Size   uint32
	place  atomic.Uint64 // live: the current range, and how many of the current Size messages were seen
}

// LogRange is inclusive and counts from 1.
type LogRange struct{ Low, High uint32 }

// Take counts one more message and tells whether it is to be sent.
func (s *LogSample) Take() bool {
	for {
		old := s.place.Load()
		at, seen := uint32(old>>32), uint32(old)+1
		r := s.Ranges[at]
		in := r.Low <= seen && seen <= r.High
		if in && seen == r.High {
			at = (at + 1) % uint32(len(s.Ranges))
		}
		if s.place.CompareAndSwap(old, uint64(at)<<32|uint64(seen%s.Size)) {
			return in
		}
	}
}

// LineFormat is a log format in force for a proxy: compiled when the whole
// configuration is known.
type LineFormat struct {
	Text   string
	File   string
	Line   int
	Format *logformat.Format
}
