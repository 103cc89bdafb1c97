package process

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"hapax/stats/cli"
)

// prelude are the commands by which a process learns the level and the modes of the
// connection.
func (c *console) prelude(target int) string {
	text := c.lowered()
	for _, mode := range []struct {
		on      bool
		command string
	}{
		{c.severity != "", "set severity-output " + c.severity + " -;"},
		{c.expert, "expert-mode on -;"},
		{c.trial, "experimental-mode on -;"},
		{c.debug && target == 0, "mcli-debug-mode on -;"},
	} {
		if mode.on {
			text += mode.command
		}
	}
	return text
}

// lowered is the command that gives a connection to a process, which is one of an
// administrator, the level of this one.
func (c *console) lowered() string {
	if c.level == cli.Admin {
		return ""
	}
	return c.level.String() + " -;"
}

// exchange hands a command, and the payload behind it, to a process and its answer to
// the client.
func (c *console) exchange(target int, text string) bool {
	peer, err := c.connect(target)
	if err != nil {
		io.WriteString(c.conn, "Can't connect to the target CLI!\n")
		return false
	}
	defer peer.Close()
	io.WriteString(peer, text) // a process that has gone is noticed when it does not answer
	for c.payload {
		if !c.ask() {
			return false
		}
		line, ok := c.payloadLine()
		if !ok {
			break
		}
		io.WriteString(peer, line)
	}
	closeWrite(peer)
	return c.copyAnswer(peer) && !c.payload && c.ask()
}

// connect opens a connection to the commands of a process.
func (c *console) connect(target int) (net.Conn, error) {
	if target != 0 {
		return c.m.connect(target)
	}
	here, there, err := connPair()
	if err != nil {
		return nil, err
	}
	commands := c.m.control.New(there, c.l)
	go cli.Serve(&masterEnd{there, c.conn}, commands)
	return here, nil
}

// masterEnd is where the master's own commands answer a console.
type masterEnd struct {
	net.Conn
	client net.Conn // of the console: a reload takes it along
}

// connPair makes two connections that are the ends of one.
func connPair() (a, b net.Conn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if a, err = fileConn(fds[0]); err != nil {
		unix.Close(fds[1])
		return nil, nil, err
	}
	if b, err = fileConn(fds[1]); err != nil {
		a.Close()
	}
	return a, b, err
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// clientPoll is how often a client is looked after whose command takes long.
const clientPoll = time.Second

// copyAnswer copies what a process answers to the client; false: the client has gone.
func (c *console) copyAnswer(peer net.Conn) bool {
	buf := make([]byte, 16384)
	for {
		peer.SetReadDeadline(time.Now().Add(clientPoll))
		n, err := peer.Read(buf)
		if n > 0 {
			if _, err := c.conn.Write(buf[:n]); err != nil {
				return false
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			if gone(c.conn) {
				return false
			}
		default:
			return true
		}
	}
}

// gone tells whether the other side of a connection has closed it, not only its own
// direction.
func gone(c net.Conn) (is bool) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return true
	}
	raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd)}}
		n, _ := unix.Poll(p, 0)
		is = n > 0 && p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	})
	return is
}

// bothWays does a line that begins with "@@" and the name of a process: from there on the
// client talks to it alone, until that ends the conversation. both is false when the line
// does not.
func (c *console) bothWays() (both, ok bool) {
	for bytes.IndexByte(c.in, '\n') < 0 && len(c.in) < consoleBuffer {
		if !c.read() {
			return false, false
		}
	}
	rest := bytes.TrimLeft(c.in, " \t")
	if !bytes.HasPrefix(rest, []byte("@@")) {
		return false, true
	}
	end := bytes.IndexAny(rest, " \t\r\n")
	prefix := string(rest[:end])
	target, found := c.m.find(prefix[2:])
	if !found {
		return true, c.refuse("Can't find the target PID matching the prefix '" + prefix + "'\n")
	}
	text := string(bytes.TrimLeft(rest[end:], " \t\r\n"))
	if c.in = nil; text == "" {
		text = "prompt " + map[bool]string{false: "i", true: "p"}[c.prompt]
		if c.timed {
			text += " timed"
		}
		text += "\n"
	}
	peer, err := c.connect(target)
	if err != nil {
		io.WriteString(c.conn, "Can't connect to the target CLI!\n")
		return true, false
	}
	defer peer.Close()
	return true, c.talk(peer, c.lowered()+text) && c.ask()
}

// talk copies both directions until the process ends the conversation; false: the client
// has gone.
func (c *console) talk(peer net.Conn, text string) bool {
	var asking sync.WaitGroup
	asking.Go(func() {
		if _, err := io.WriteString(peer, text); err != nil {
			return
		}
		if _, err := io.Copy(peer, c.conn); err == nil {
			c.over = true
			closeWrite(peer)
		}
	})
	ok := c.copyAnswer(peer)
	c.conn.SetReadDeadline(time.Now()) // the other direction ends too
	peer.Close()
	asking.Wait()
	c.conn.SetReadDeadline(time.Time{})
	return ok
}
