package cli

import (
	"fmt"
	"net"
	"strings"
	"time"
)

// highWater is how many bytes of an answer wait for the reader before the command pauses.
const highWater = 16384

// Conn is one connection to a stats socket, as a state machine: Feed takes what the client sent, Advance runs
// commands until their output waits for the reader, Output and Sent hand it over.
type Conn struct {
	Table    *Table         // the commands
	Owner    any            // what commands work on; each domain asks it for an interface of its own
	Level    Level          // now: "user" and "operator" lower it
	Severity SeverityOutput // of feedback

	SocketLevel    Level          // of the socket: what Level was at first
	SocketSeverity SeverityOutput // of the socket: what "set severity-output none" goes back to

	Master bool // these are commands of a master: other ones are known

	Peer   net.Conn // what Serve carries: for commands that hand over descriptors; nil elsewhere
	Expose bool     // listening sockets may be fetched here ("expose-fd listeners")

	Timeout  time.Duration  // of inactivity; "set timeout cli" changes it
	Started  time.Time      // of the process: the timed prompt counts from it
	OnClose  func()         // called once when the connection is over; may be nil
	OnSent   func(n int)    // called when bytes of answers were sent; may be nil
	OnUnsafe func(*Command) // called before a command that wants expert or experimental mode; may be nil
	Payload  string         // what was sent behind "<<" with the running command; "" none

	MaxLine    int // bytes of a command line; 0: 16384
	MaxPayload int // bytes of a payload; what fits into a line with its command may be sent in any case

	AnonKey uint32 // hides names and addresses in answers ("set anon"); 0 hides nothing

	Expert, Experiment, MasterDebug bool // what "expert-mode on" and its kin switched

	reader  reader
	out     []byte
	sent    int // how much of out the reader took
	step    Step
	release func()
	mode    promptMode
	timed   bool
	noLF    bool // the running command ends without the empty line
	overfed bool // it ends because the client sent too much
	pause   time.Duration
	state   connState
}

type promptMode uint8

const (
	single      promptMode = iota // one line, then the connection ends
	interactive                   // many lines, no prompt
	prompting                     // many lines, with a prompt
)

type connState uint8

const (
	reading connState = iota
	executing
	closing // the output is flushed, then the connection ends
)

// Write adds to the answer.
func (c *Conn) Write(p []byte) (int, error) {
	c.out = append(c.out, p...)
	return len(p), nil
}

// WriteString adds to the answer.
func (c *Conn) WriteString(s string) (int, error) {
	c.out = append(c.out, s...)
	return len(s), nil
}

// Buffer returns the pending output, for writers that append; give the result to SetBuffer.
func (c *Conn) Buffer() []byte { return c.out }

// SetBuffer replaces the pending output by what was appended to Buffer.
func (c *Conn) SetBuffer(b []byte) { c.out = b }

// Printf adds to the answer.
func (c *Conn) Printf(format string, args ...any) { c.out = fmt.Appendf(c.out, format, args...) }

// Full tells that the reader has enough to take: a step that loops over rows returns then.
func (c *Conn) Full() bool { return len(c.out)-c.sent >= highWater }

// Say answers with one message. It ends with exactly one line feed, and says its severity on request.
func (c *Conn) Say(s Severity, text string) Step {
	switch c.Severity {
	case SeverityNumber:
		c.Printf("[%d]: ", s)
	case SeverityString:
		c.Printf("[%s]: ", s)
	}
	c.WriteString(strings.TrimRight(text, "\n"))
	c.WriteString("\n")
	return nil
}

// Fail answers with an error message.
func (c *Conn) Fail(text string) Step { return c.Say(Err, text) }

// Failf answers with an error message.
func (c *Conn) Failf(format string, args ...any) Step {
	return c.Say(Err, fmt.Sprintf(format, args...))
}

// Allow tells whether the connection has the level; if not it answers so.
func (c *Conn) Allow(l Level) bool {
	if c.Level < l {
		c.Fail("Permission denied")
		return false
	}
	return true
}

// NoLineFeed leaves out the empty line that ends the answer of the running command.
func (c *Conn) NoLineFeed() { c.noLF = true }

// Pause asks that the running step be called again only after d, or when the client sends or closes. It holds for one
// call: a step that still has to wait says so each time.
func (c *Conn) Pause(d time.Duration) { c.pause = d }

// OnRelease registers what must be undone when the running command ends, also when the client leaves before.
func (c *Conn) OnRelease(f func()) { c.release = f }

// Quit ends the connection once the output was taken.
func (c *Conn) Quit() { c.state = closing }

// Interrupted tells that the client has sent something while the running command waits, or has left.
func (c *Conn) Interrupted() bool { return c.reader.ended || c.reader.pending() > 0 }

// Ended tells that the client closed its side and has nothing more to ask.
func (c *Conn) Ended() bool { return c.reader.ended && c.reader.pending() == 0 }

// SetMode changes how lines are read: n is one line then the end, i many lines, p many lines with a prompt. 0 toggles
// between p and n.
func (c *Conn) SetMode(mode byte) {
	switch {
	case mode == 'n', mode == 0 && c.mode == prompting:
		c.mode = single
	case mode == 'i':
		c.mode = interactive
	default:
		c.mode = prompting
	}
}

// ToggleTimed switches the time in the prompt.
func (c *Conn) ToggleTimed() { c.timed = !c.timed }
