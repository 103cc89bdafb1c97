package runtime

import (
	"sync/atomic"

	"hapax/acl/logformat"
)

// LogTarget is one "log" line. Section 4.2 "log". Package runtime/logger sends to it.
type LogTarget struct {
	Addr     Addr   // UDP or UNIX datagram socket, or
	FD       int    // a descriptor (stdout 1, stderr 2, fd@N); -1 otherwise
	Text     string // the address as written
	Format   LogFormat
	Facility int
	Level    int // the least severe level that is sent
	MinLevel int // what is more severe is sent at this level
	MaxLen   int // bytes of a line
	Sample   *LogSample
	Dropped  atomic.Uint64
	Sender   LogSender // live: set by the logger when the process starts
}

// LogSender delivers one formatted message; it never blocks.
type LogSender interface {
	// Send takes the parts of one message: they are joined on the wire. loop is
	// the caller's loop, -1 outside of one.
	Send(loop int, head, tag, body []byte)
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
	Ranges []LogRange
	Size   uint64
	Next   atomic.Uint64 // live
}

// LogRange is inclusive and counts from 1.
type LogRange struct{ Low, High uint64 }

// LineFormat is a log format in force for a proxy: compiled when the whole
// configuration is known.
type LineFormat struct {
	Text   string
	File   string
	Line   int
	Format *logformat.Format
}
