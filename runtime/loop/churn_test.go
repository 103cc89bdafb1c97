package loop

import (
	"encoding/binary"
	"io"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// churn is one client that connects, sends its number, gets it back and closes, again and again: descriptors and entries are used again all the
// time, so an operation that reaches the wrong connection shows as a wrong number or an error.
type churn struct {
	Socket
	c      *churnTest
	number uint64
	got    []byte
	how    int
}

type churnTest struct {
	r       *rig
	ln      Listener
	addr    Addr
	started uint64
	active  int // clients
	servers int
}

const (
	churnClients = 40
	churnTotal   = 4000
)

func (c *churn) start() {
	t := c.c
	if t.started == churnTotal {
		if t.active--; t.active == 0 {
			t.ln.Close()
		}
		return
	}
	t.started++
	c.number, c.got = t.started, c.got[:0]
	c.how = int(c.number % 4)
	c.Connect(t.r.Loop, tcpSocket(t.r.t), &t.addr, c)
	b := t.r.Buffer()
	b.Data = binary.BigEndian.AppendUint64(b.Data, c.number)
	c.Send(b)
	c.Receive()
	if c.how == 1 {
		c.Shutdown()
	}
}

func (c *churn) Connected(err error) {
	if err != nil {
		c.c.r.fail("Connected(%v)", err)
	}
}

func (c *churn) Sent(err error) { c.c.r.fail("client %d: Sent(%v)", c.number, err) }

func (c *churn) Received(b *Buffer, err error) {
	if err != nil {
		if err != io.EOF || len(c.got) != 8 {
			c.c.r.fail("client %d: %v after %d bytes", c.number, err, len(c.got))
		}
		c.Close(0)
		c.start()
		return
	}
	c.got = append(c.got, b.Data...)
	b.Release()
	if len(c.got) == 8 {
		if n := binary.BigEndian.Uint64(c.got); n != c.number {
			c.c.r.fail("client %d got the answer of %d", c.number, n)
		}
		switch c.how {
		case 2:
			c.Abort()
			c.start()
		case 3:
			c.SendStatic([]byte("more"))
			c.Shutdown()
		}
	}
}

// churnServer is the other end: it sends back eight bytes and ends the connection in one of several ways.
type churnServer struct {
	Socket
	c    *churnTest
	seen int
}

func (t *churnTest) Accepted(fd int, _ *Addr) {
	s := &churnServer{c: t}
	t.servers++
	s.Open(t.r.Loop, fd, s)
	s.Receive()
}

func (t *churnTest) AcceptFailed(err error) { t.r.fail("AcceptFailed(%v)", err) }

func (t *churnTest) Released() { t.finish() }

func (t *churnTest) finish() {
	if t.servers == 0 && !t.ln.IsOpen() {
		t.r.done()
	}
}

func (s *churnServer) Connected(error) {}

func (s *churnServer) Sent(err error) { s.end() }

func (s *churnServer) end() {
	if s.IsOpen() {
		s.Close(time.Second)
		s.c.servers--
		s.c.finish()
	}
}

func (s *churnServer) Received(b *Buffer, err error) {
	if err != nil {
		s.end()
		return
	}
	if s.seen += len(b.Data); s.seen > 8 {
		b.Release()
		return
	}
	how := int(binary.BigEndian.Uint64(b.Data) % 4)
	s.Send(b)
	switch how {
	case 0:
		s.end()
	case 1, 3:
		s.Shutdown()
	}
}

func TestChurn(t *testing.T) {
	onEngines(t, Options{Ring: 32}, func(r *rig) {
		fd, addr := listen(t, 1000)
		ct := &churnTest{r: r, addr: addr, active: churnClients}
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		r.Listen(&ct.ln, fd, ct)
		for range churnClients {
			(&churn{c: ct}).start()
		}
	})
}
