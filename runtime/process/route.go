package process

import (
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"hapax/stats/cli"
)

// router takes the commands of a connection to the master's socket to the process
// that they are for: "@1 show info" goes to the current worker, "@!PID" to a
// worker by number, "@master" stays here; a prefix alone holds for what follows.
// Management guide, section 9.4.1.
type router struct {
	m      *master
	target int // process number of a worker; 0: the master
}

// name is what the prompt calls the process that commands go to.
func (r *router) name() string {
	if r.target != 0 {
		return strconv.Itoa(r.target)
	}
	r.m.mu.Lock()
	defer r.m.mu.Unlock()
	if !r.m.loaded {
		return "master[ReloadFailed]"
	}
	return "master"
}

// local are commands about the connection itself: the master does them wherever
// the others go.
var local = map[string]bool{"prompt": true, "quit": true, "operator": true, "user": true,
	"expert-mode": true, "experimental-mode": true, "mcli-debug-mode": true}

func (r *router) route(c *cli.Conn, words []string) (cli.Step, bool) {
	target := r.target
	if strings.HasPrefix(words[0], "@") {
		pid, ok := r.m.find(words[0][1:])
		if !ok {
			return c.Failf("Can't find the target PID matching the prefix '%s'", words[0]), true
		}
		if words = words[1:]; len(words) == 0 {
			r.target = pid
			c.NoLineFeed()
			return nil, true
		}
		if target = pid; target == 0 {
			row := c.Table.Find(words)
			if row == nil || !row.Master && !row.MasterOnly {
				c.Usage(words)
				return nil, true
			}
			if !c.Allow(row.Level) {
				return nil, true
			}
			return row.Run(c, words), true
		}
	}
	if target == 0 || local[words[0]] {
		return nil, false
	}
	return r.forward(c, target, words), true
}

// find is the process behind a prefix; 0 is the master.
func (m *master) find(prefix string) (pid int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	number, exact := strings.CutPrefix(prefix, "!")
	n, err := strconv.Atoi(number)
	if prefix == "master" || err == nil && n == 0 {
		return 0, true
	}
	for _, w := range m.workers {
		if exact && err == nil && w.pid == n || !exact && n == 1 && !w.leaving() {
			return w.pid, true
		}
	}
	return 0, exact && err == nil && n == m.self.pid
}

// forward sends a command to a worker and copies the answer.
func (r *router) forward(c *cli.Conn, pid int, words []string) cli.Step {
	conn, err := r.m.connect(pid)
	if err != nil {
		return c.Fail("Can't connect to the target CLI!")
	}
	c.OnRelease(func() { conn.Close() })
	if _, err := io.WriteString(conn, request(c, words)); err != nil {
		return c.Fail("Can't connect to the target CLI!")
	}
	if u, ok := conn.(*net.UnixConn); ok {
		u.CloseWrite()
	}
	c.NoLineFeed() // the worker's answer ends with its own
	buf := make([]byte, 16384)
	return func(c *cli.Conn) bool {
		n, err := conn.Read(buf)
		c.Write(buf[:n])
		c.Pause(time.Nanosecond) // the client gets this part before the next one is waited for
		return err != nil
	}
}

// connect opens a connection to a worker.
func (m *master) connect(pid int) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.workers {
		if w.pid == pid {
			return connect(w.link)
		}
	}
	return nil, net.ErrClosed
}

// request is a command line with the level and the modes of the connection before it.
func request(c *cli.Conn, words []string) string {
	var b strings.Builder
	if c.Level < cli.Admin {
		b.WriteString(c.Level.String() + " -;")
	}
	if c.Experiment {
		b.WriteString("experimental-mode on -;")
	}
	if c.Expert {
		b.WriteString("expert-mode on -;")
	}
	if c.MasterDebug {
		b.WriteString("mcli-debug-mode on -;")
	}
	for i, word := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		for j := range len(word) {
			if strings.IndexByte(" \t;\\", word[j]) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(word[j])
		}
	}
	if c.Payload != "" {
		b.WriteString(" <<\n" + c.Payload + "\n")
	}
	b.WriteByte('\n')
	return b.String()
}
