package process

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"hapax/stats/cli"
)

// console is a connection to the master's command socket. It hands one command after
// the other to the process that it is for, on a connection of its own, and its answer
// back; commands about the connection itself end here. Nothing is kept: what a client
// does not read is not read from the process that answers. Management guide, section 9.4.
type console struct {
	m    *master
	conn net.Conn
	l    net.Listener // that accepted it
	in   []byte       // read and not consumed
	over bool         // the client sends no more
	left bool         // after the running command the connection ends

	marker  string // of the line that ends a payload
	payload bool   // lines are taken as they are up to that one

	level    cli.Level
	target   int // process number of a worker that commands go to; 0: the master
	prompt   bool
	timed    bool
	expert   bool
	trial    bool // experimental commands
	debug    bool // commands that the master has besides its own
	severity string
}

const (
	consoleBuffer = 15360 // bytes of a command: a buffer without the reserve for rewriting
	consoleWords  = 64
	consoleMarker = 64 // bytes of the word that ends a payload
	masterConns   = 10 // connections to the master's sockets that are served at once
)

// serveConsole carries a connection until it is over.
func (m *master) serveConsole(conn net.Conn, l net.Listener) {
	defer conn.Close()
	own := m.control.New(conn, l)
	defer own.Close()
	c := &console{m: m, conn: conn, l: l, level: own.Level}
	for !c.left {
		if !c.command() {
			return
		}
	}
}

// read takes more from the client; false: nothing more comes.
func (c *console) read() bool {
	if c.over {
		return false
	}
	buf := make([]byte, 4096)
	n, err := c.conn.Read(buf[:min(len(buf), consoleBuffer-len(c.in))])
	c.in = append(c.in, buf[:n]...)
	c.over = err != nil
	return n > 0
}

// cut takes what is in front of the first separator, and the separator; a backslash
// keeps the byte behind it. It waits for a whole line before that.
func (c *console) cut(separators string) (text []byte, ok bool) {
	for {
		line := bytes.IndexByte(c.in, '\n') >= 0
		for i := 0; line && i < len(c.in); i++ {
			switch {
			case c.in[i] == '\\' && len(separators) > 1:
				i++
			case strings.IndexByte(separators, c.in[i]) >= 0:
				text, c.in = c.in[:i:i], c.in[i+1:]
				return text, true
			}
		}
		if len(c.in) >= consoleBuffer {
			c.in = []byte("help\n")
		} else if !c.read() {
			return nil, false
		}
	}
}

// command takes one command from the client and sees to it; false: there is none.
func (c *console) command() bool {
	if c.payload { // of a command that was not handed to a process: its lines are commands of one
		text, ok := c.payloadLine()
		return ok && c.exchange(c.target, text)
	}
	if both, ok := c.bothWays(); both || !ok {
		return ok
	}
	text, ok := c.cut(";\n")
	if !ok {
		return false
	}
	words, starts := fields(text)
	c.beginPayload(words)
	target := c.target
	if len(words) > 0 && words[0][0] == '@' {
		pid, ok := c.m.find(words[0][1:])
		switch {
		case !ok:
			return c.refuse("Can't find the target PID matching the prefix '" + words[0] + "'\n")
		case len(words) == 1:
			c.target = pid
			return c.ask()
		}
		target, text = pid, text[starts[1]:]
	} else if len(words) > 0 {
		if done, fault := c.own(words); fault != "" {
			return c.refuse(fault)
		} else if done {
			return c.ask()
		}
	}
	command := strings.ReplaceAll(string(text), "\x00", " ") + "\n"
	if len(text) > 0 {
		command = c.prelude(target) + command
	}
	return c.exchange(target, command)
}

// beginPayload notes that a command ends with "<<" and the marker of its payload.
func (c *console) beginPayload(words []string) {
	if len(words) == 0 {
		return
	}
	marker, payload := strings.CutPrefix(words[len(words)-1], "<<")
	if payload && len(marker) <= consoleMarker {
		c.marker, c.payload = marker, true
	}
}

// payloadLine takes a line of a payload, which may be its last one.
func (c *console) payloadLine() (text string, ok bool) {
	line, ok := c.cut("\n")
	c.payload = !ok || string(line) != c.marker
	return string(line) + "\n", ok
}

// fields cuts a command into words, which keep their backslashes, and tells where each
// begins.
func fields(text []byte) (words []string, starts []int) {
	if nul := bytes.IndexByte(text, 0); nul >= 0 {
		text = text[:nul]
	}
	for i := 0; i < len(text) && len(words) < consoleWords; {
		if text[i] == ' ' || text[i] == '\t' {
			i++
			continue
		}
		start := i
		for ; i < len(text) && text[i] != ' ' && text[i] != '\t'; i++ {
			if text[i] == '\\' {
				i++
			}
		}
		i = min(i, len(text))
		words, starts = append(words, string(text[start:i])), append(starts, start)
	}
	return words, starts
}

// refuse answers a mistake; what else the client has sent is forgotten.
func (c *console) refuse(text string) bool {
	c.in = c.in[:0]
	_, err := io.WriteString(c.conn, text)
	return err == nil && c.ask()
}

// ask prints the prompt.
func (c *console) ask() bool {
	if !c.prompt {
		return true
	}
	text := "+ "
	if !c.payload {
		text = c.promptText()
	}
	_, err := io.WriteString(c.conn, text)
	return err == nil
}

// promptText names the process that commands go to and the modes that are on.
func (c *console) promptText() string {
	name, up := c.m.describe(c.target)
	if !c.timed {
		up = ""
	}
	modes := ""
	for _, mode := range []struct {
		on   bool
		mark string
	}{{c.trial, "x"}, {c.expert, "e"}, {c.debug, "d"}} {
		if mode.on {
			modes += mode.mark
		}
	}
	if modes != "" {
		modes = "(" + modes + ")"
	}
	return up + name + modes + "> "
}

// describe is what prompts call a process, and how long it runs.
func (m *master) describe(pid int) (name, up string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	process := m.self
	name = "master"
	switch {
	case pid != 0:
		process = m.worker(pid)
		name = strconv.Itoa(pid)
	case m.self.failed > 0:
		name = "master[ReloadFailed]"
	}
	if process == nil {
		return name, "[gone] "
	}
	s := max(int64(time.Since(process.started)/time.Second), 0)
	return name, sprintf("[%d:%02d:%02d:%02d] ", s/86400, s/3600%24, s/60%60, s%60)
}

// worker is the one with a process number; nil: there is none. mu is held.
func (m *master) worker(pid int) *child {
	for _, w := range m.workers {
		if w.pid == pid {
			return w
		}
	}
	return nil
}

const denied = "Permission denied!\n"

// find is the process behind a prefix; 0 is the master.
func (m *master) find(prefix string) (pid int, ok bool) {
	if prefix == "" || prefix == "master" {
		return 0, true
	}
	number, exact := strings.CutPrefix(prefix, "!")
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case exact:
		if w := m.worker(n); w != nil && !w.starting {
			return n, true
		}
	case n == 0:
		return 0, true
	case n == 1:
		for _, w := range m.workers { // the newest first
			if !w.starting {
				return w.pid, true
			}
		}
	}
	return 0, false
}

// connect opens a connection to a worker.
func (m *master) connect(pid int) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if w := m.worker(pid); w != nil {
		return connect(w.link)
	}
	return nil, net.ErrClosed
}
