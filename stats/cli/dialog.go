package cli

import (
	"bytes"
	"fmt"
	"time"
)

// Feed takes bytes that the client sent.
func (c *Conn) Feed(p []byte) {
	if c.state != closing {
		c.reader.feed(p)
	}
}

// EndInput tells that the client closed its side: whole lines that it sent are still answered.
func (c *Conn) EndInput() { c.reader.ended = true }

// Advance runs commands until the output waits for the reader, more input is needed, or the connection is over.
func (c *Conn) Advance() {
	c.pause = 0
	for !c.Full() {
		switch c.state {
		case reading:
			if !c.reader.readLine(c.maxLine(), c.MaxPayload) {
				if c.reader.asked && c.mode == prompting {
					c.WriteString("+ ")
				}
				c.reader.asked = false
				if c.reader.ended {
					c.state = closing
				}
				return
			}
			if c.reader.err != "" {
				c.Fail(c.reader.err)
				c.state, c.overfed = closing, true
				return
			}
			c.state = executing
		case executing:
			if c.step == nil {
				c.start()
			} else if c.step(c) {
				c.step = nil
			}
			if c.pause > 0 && c.step != nil {
				return
			}
			if c.step == nil && c.state == executing {
				c.finish()
			}
		case closing:
			return
		}
	}
}

// start runs the next command of the line.
func (c *Conn) start() {
	last := c.reader.last()
	words, tooMany := c.reader.args()
	c.Payload = ""
	if last {
		text, _, _ := bytes.Cut(c.reader.payload, []byte{0})
		c.Payload = string(text)
	}
	switch {
	case tooMany:
		c.Failf("Too many arguments. Commands must have at most %d arguments.\n", maxArgs)
	case len(words) > 0:
		c.dispatch(words)
	}
}

// dispatch finds and calls a command.
func (c *Conn) dispatch(words []string) {
	row := c.Table.Find(words)
	switch {
	case row == nil || !c.knows(row):
		c.Usage(words)
	case row.Expert && !c.Expert:
		c.Fail("This command is restricted to expert mode only.")
	case row.Experiment && !c.Experiment:
		c.Fail("This command is restricted to experimental mode only.")
	case c.Allow(row.Level):
		if (row.Expert || row.Experiment) && c.OnUnsafe != nil {
			c.OnUnsafe(row)
		}
		c.step = row.Run(c, words)
	}
}

// knows tells whether a command exists on this kind of socket.
func (c *Conn) knows(row *Command) bool {
	if !c.Master {
		return !row.MasterOnly
	}
	return row.Master || row.MasterOnly || c.MasterDebug
}

// finish ends the answer of a command.
func (c *Conn) finish() {
	c.released()
	last := c.reader.next == len(c.reader.cuts)
	switch {
	case c.mode == prompting && !last:
		c.WriteString("\n")
	case c.mode == prompting && c.timed:
		c.Printf("\n[%s]> ", c.uptime())
	case c.mode == prompting:
		c.WriteString("\n> ")
	case !c.noLF:
		c.WriteString("\n")
	}
	c.noLF = false
	if !last {
		return
	}
	c.reader.done()
	c.state = reading
	if c.mode == single {
		c.state = closing
	}
}

// uptime is how long the process runs: days, hours, minutes, seconds.
func (c *Conn) uptime() string {
	up := int64(time.Since(c.Started) / time.Second)
	return fmt.Sprintf("%d:%02d:%02d:%02d", up/86400, up/3600%24, up/60%60, up%60)
}

// released undoes what the running command holds.
func (c *Conn) released() {
	if f := c.release; f != nil {
		c.release = nil
		f()
	}
}

// Output is what waits for the reader; it is valid until the next call of another method.
func (c *Conn) Output() []byte { return c.out[c.sent:] }

// Sent tells that the reader took n bytes.
func (c *Conn) Sent(n int) {
	c.sent += n
	switch {
	case c.sent == len(c.out):
		c.out, c.sent = c.out[:0], 0
		if cap(c.out) > 4*highWater {
			c.out = nil
		}
	case c.sent >= highWater:
		c.out, c.sent = c.out[:copy(c.out, c.out[c.sent:])], 0
	}
}

// Over tells that the connection ends once Output is empty.
func (c *Conn) Over() bool { return c.state == closing }

// Waiting tells how long the running command pauses; 0: it does not, and the connection waits for input.
func (c *Conn) Waiting() time.Duration {
	if c.step == nil {
		return 0
	}
	return c.pause
}

// Close ends the connection: it undoes what a command holds that still runs because the client left.
func (c *Conn) Close() {
	c.state, c.step = closing, nil
	c.released()
	if f := c.OnClose; f != nil {
		c.OnClose = nil
		f()
	}
}

func (c *Conn) maxLine() int {
	if c.MaxLine > 0 {
		return c.MaxLine
	}
	return defaultMaxLine
}
