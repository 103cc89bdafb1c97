package loop

import (
	"testing"

	"golang.org/x/sys/unix"
)

// mover receives a stream of bytes that count up on a connection that it takes off the loop again and again, and answers
// each piece by a byte.
type mover struct {
	r     *rig
	sock  Socket
	next  byte
	total int
	moves int
	until int // lift when so many have come
	sent  int
}

func (m *mover) Connected(error) {}
func (m *mover) Sent(err error) {
	if err != nil {
		m.r.fail("sending: %v", err)
	}
}

func (m *mover) take(p []byte) {
	for _, c := range p {
		if c != m.next {
			m.r.fail("byte %d is %d, want %d", m.total, c, m.next)
			return
		}
		m.next++
		m.total++
	}
}

func (m *mover) Received(b *Buffer, err error) {
	if b == nil {
		m.sock.Close(0)
		m.r.fail("ended after %d bytes: %v", m.total, err)
		return
	}
	m.take(b.Data)
	b.Release()
	m.answer()
	if m.total >= m.until {
		m.until = m.total + 50_000
		m.moves++
		m.sock.Lift(m)
	}
}

func (m *mover) answer() {
	b := m.r.Buffer()
	b.Data = append(b.Data, 'x')
	m.sock.Send(b)
	m.sent++
}

func (m *mover) Lifted(fd int, held []byte, end error) {
	if m.sock.IsOpen() {
		m.r.fail("lifted, and open")
	}
	m.sock.Open(m.r.Loop, fd, m)
	m.take(held)
	if end != nil {
		m.sock.Close(0)
		m.r.fail("ended after %d bytes: %v", m.total, end)
		return
	}
	m.sock.Receive()
}

// feeder sends them, and counts the answers.
type feeder struct {
	r       *rig
	sock    Socket
	next    byte
	left    int
	to      *mover
	answers int
}

func (f *feeder) Connected(error) {}
func (f *feeder) Sent(err error) {
	if err != nil {
		f.r.fail("sending: %v", err)
		return
	}
	f.feed()
}

func (f *feeder) feed() {
	if f.left == 0 {
		return
	}
	b := f.r.Buffer()
	for len(b.Data) < cap(b.Data) && f.left > 0 {
		b.Data = append(b.Data, f.next)
		f.next++
		f.left--
	}
	f.sock.Send(b)
	f.sock.NotifySent(0)
}

func (f *feeder) Received(b *Buffer, err error) {
	if b == nil {
		f.r.fail("the feeder sees the end: %v", err)
		return
	}
	f.answers += len(b.Data)
	b.Release()
	if f.left == 0 && f.to.total == liftBytes && f.answers == f.to.sent {
		f.sock.Close(0)
		f.to.sock.Close(0)
		if f.to.moves < 10 {
			f.r.t.Errorf("lifted %d times only", f.to.moves)
		}
		f.r.done()
	}
}

const liftBytes = 2 << 20

// TestLift takes a connection off the loop in the middle of what comes, and of what goes: nothing is lost.
func TestLift(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := pair(t)
		m := &mover{r: r, until: 1}
		f := &feeder{r: r, left: liftBytes, to: m}
		m.sock.Open(r.Loop, a, m)
		f.sock.Open(r.Loop, b, f)
		m.sock.Receive()
		f.sock.Receive()
		f.feed()
	})
}

// lifted notes what it gets.
type lifted struct {
	r   *rig
	end func(held []byte, end error)
}

func (l lifted) Lifted(fd int, held []byte, end error) {
	unix.Close(fd)
	l.end(held, end)
	l.r.done()
}

// TestLiftEnded lifts a connection whose peer has said something and gone: both are told.
func TestLiftEnded(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := pair(t)
		var e mover
		e.r = r
		e.sock.Open(r.Loop, a, &e)
		e.sock.Receive()
		e.sock.Pause()
		unix.Write(b, []byte("bye"))
		unix.Close(b)
		poll(t, a, unix.POLLIN|unix.POLLRDHUP)
		e.sock.Lift(lifted{r, func(held []byte, end error) {
			if len(held) > 0 && string(held) != "bye" || end != nil && end != eof {
				t.Errorf("%q, %v", held, end)
			}
		}})
	})
}
