package lua

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"hapax/runtime/lua/lua54"
)

// socket is a connection that a script makes: what blocks runs on goroutines of its own, and the script waits.
type socket struct {
	timeout time.Duration
	conn    net.Conn // nil: not connected

	mu   sync.Mutex // of what the goroutines leave
	in   []byte     // received and not taken
	err  error      // of receiving; nil: more may come
	busy bool       // a goroutine reads
	tell func()     // who waits for that
}

// socketTimeout holds until a script sets another one.
const socketTimeout = 5 * time.Second

func newSocket(c call) int {
	c.object("Socket", &socket{timeout: socketTimeout})
	return 1
}

func socketMethods() []method {
	return []method{
		{"connect", func(c call) int { return connect(c, false) }},
		{"connect_ssl", func(c call) int { return connect(c, true) }},
		{"send", func(c call) int {
			k := self[*socket](c, 1, "Socket")
			if n := c.Top(); n < 2 || n > 4 {
				return c.Errorf("'send' needs between 2 and 4 arguments")
			}
			return k.send(c, c.CheckString(2))
		}},
		{"receive", func(c call) int { return receive(c) }},
		{"close", func(c call) int {
			if k := self[*socket](c, 1, "Socket"); k.conn != nil {
				k.conn.Close()
			}
			return 0
		}},
		{"getpeername", func(c call) int { return name(c, net.Conn.RemoteAddr) }},
		{"getsockname", func(c call) int { return name(c, net.Conn.LocalAddr) }},
		{"setoption", func(call) int { return 0 }},
		{"settimeout", func(c call) int {
			k := self[*socket](c, 1, "Socket")
			seconds, ok := c.Number(2)
			switch {
			case !ok:
				return c.ArgError(2, "number expected, got "+c.typeName(2))
			case seconds < 0:
				return c.ArgError(2, "settimeout: cannot set negatives values")
			case seconds*1000 > 1<<31-1:
				return c.ArgError(2, "settimeout: cannot set values larger than 2147483647 ms")
			}
			k.timeout = time.Duration(seconds * float64(time.Second))
			c.PushInt(1)
			return 1
		}},
	}
}

// connect makes the connection: `connect(address [, port])`.
func connect(c call, secret bool) int {
	k := self[*socket](c, 1, "Socket")
	if n := c.Top(); n < 2 || n > 3 {
		return c.Errorf("connect: need between 2 and 3 arguments")
	}
	address := c.CheckString(2)
	port := 0
	if c.Top() == 3 {
		port = int(c.CheckInt(3))
	}
	network, target, ok := destination(address, port)
	if !ok {
		return c.Errorf("connect: cannot parse destination address '%s'", address)
	}
	var conn net.Conn
	var err error
	return c.send(func() { conn, err = dial(network, target, k.timeout, secret) }, func(c call) int {
		if err != nil {
			c.PushNil()
			c.PushString("Can't connect")
			return 2
		}
		k.conn = conn
		c.PushInt(1)
		return 1
	})
}

func dial(network, target string, timeout time.Duration, secret bool) (net.Conn, error) {
	d := net.Dialer{Timeout: timeout}
	if secret {
		return tls.DialWithDialer(&d, network, target, &tls.Config{InsecureSkipVerify: true}) // as the reference, which trusts whom scripts name
	}
	return d.Dial(network, target)
}

// destination reads an address, which may name its family and its port.
func destination(address string, port int) (network, target string, ok bool) {
	network = "tcp"
	switch family, rest, named := strings.Cut(address, "@"); {
	case strings.HasPrefix(address, "/"):
		return "unix", address, true
	case !named:
	case family == "unix":
		return "unix", rest, true
	case family == "abns":
		return "unix", "@" + rest, true
	case family == "ipv4":
		network, address = "tcp4", rest
	case family == "ipv6":
		network, address = "tcp6", rest
	default:
		return "", "", false
	}
	host := strings.Trim(address, "[]")
	if port == 0 {
		i := strings.LastIndexByte(address, ':')
		if i < 0 {
			return "", "", false
		}
		n, err := strconv.ParseUint(address[i+1:], 10, 16)
		if err != nil {
			return "", "", false
		}
		host, port = strings.Trim(address[:i], "[]"), int(n)
	}
	return network, net.JoinHostPort(host, strconv.Itoa(port)), host != ""
}

// send sends all of a text; the script waits as long as the other side does not take it.
func (k *socket) send(c call, text string) int {
	if k.conn == nil {
		return c.Errorf("socket: not yet connected")
	}
	sent := 0
	return c.send(func() {
		k.conn.SetWriteDeadline(time.Now().Add(k.timeout))
		n, err := io.WriteString(k.conn, text)
		if sent = n; err != nil {
			sent = -1
		}
	}, func(c call) int {
		c.PushInt(int64(sent))
		return 1
	})
}

// receive reads a line, all, or a number of bytes: `receive([pattern [, prefix]])`.
func receive(c call) int {
	k := self[*socket](c, 1, "Socket")
	if n := c.Top(); n < 1 || n > 3 {
		return c.Errorf("The 'receive' function requires between 1 and 3 arguments.")
	}
	if k.conn == nil {
		return c.Errorf("socket: not yet connected")
	}
	wanted := wantLine
	if c.Top() >= 2 && c.Type(2) != lua54.TypeNil {
		if n, ok := c.Int(2); c.Type(2) == lua54.TypeNumber && ok {
			if n < 0 {
				return c.Errorf("Unsupported pattern.")
			}
			wanted = int(n)
		} else {
			switch c.CheckString(2) {
			case "*a":
				wanted = wantAll
			case "*l":
			default:
				return c.Errorf("Unsupported pattern.")
			}
		}
	}
	prefix := ""
	if c.Top() >= 3 {
		prefix = c.CheckString(3)
	}
	return k.take(c, wanted, prefix)
}

// What is wanted of a socket beside a number of bytes.
const (
	wantLine = -1
	wantAll  = -2
)

// take gives the script what it wants, and waits for it.
func (k *socket) take(c call, wanted int, prefix string) int {
	k.mu.Lock()
	text, found := k.find(wanted)
	over := k.err
	var rest []byte
	if !found && over != nil {
		rest, k.in = k.in, nil
	}
	k.mu.Unlock()
	switch {
	case found:
		c.PushString(prefix + text)
		return 1
	case over == nil:
		return c.wait(pause{begin: k.read}, func(c call) int { return k.take(c, wanted, prefix) })
	case wanted == wantAll && errors.Is(over, io.EOF) && len(rest) > 0:
		c.PushString(prefix + string(rest))
		return 1
	}
	c.PushNil()
	c.PushString("connection closed.")
	if len(rest) == 0 && prefix == "" {
		return 2
	}
	c.PushString(prefix + string(rest))
	return 3
}

// find takes what is wanted from what came.
func (k *socket) find(wanted int) (string, bool) {
	switch wanted {
	case wantAll:
		return "", false
	case wantLine:
		i := bytes.IndexByte(k.in, '\n')
		if i < 0 {
			return "", false
		}
		text := strings.TrimSuffix(string(k.in[:i]), "\r")
		k.in = k.in[i+1:]
		return text, true
	}
	if len(k.in) < wanted {
		return "", false
	}
	text := string(k.in[:wanted])
	k.in = k.in[wanted:]
	return text, true
}

// read has a goroutine read some more, unless one does.
func (k *socket) read(tell func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tell = tell
	if k.busy {
		return
	}
	k.busy = true
	go func() {
		b := make([]byte, 16<<10)
		k.conn.SetReadDeadline(time.Now().Add(k.timeout))
		n, err := k.conn.Read(b)
		k.mu.Lock()
		k.in = append(k.in, b[:n]...)
		k.err, k.busy = err, false
		tell := k.tell
		k.mu.Unlock()
		tell()
	}()
}

// name pushes an address of the connection.
func name(c call, of func(net.Conn) net.Addr) int {
	k := self[*socket](c, 1, "Socket")
	if k.conn == nil {
		c.PushNil()
		return 1
	}
	c.PushString(of(k.conn).String())
	return 1
}
