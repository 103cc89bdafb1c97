package cli

import (
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Server accepts connections of stats sockets. They are few and their commands may take long to format an answer or
// wait for another loop, so each has a goroutine of its own.
type Server struct {
	New func(nc net.Conn, l net.Listener) *Conn // makes the state of one connection
	Max int                                     // connections served at once; further ones wait to be accepted. 0: no limit

	// Carry carries a connection until it is over, and closes it. nil: Serve does.
	Carry func(nc net.Conn, l net.Listener)

	mu    sync.Mutex // guards conns, lines, slots, ended, held
	conns map[net.Conn]struct{}
	lines map[net.Listener]struct{}
	slots chan struct{}
	ended bool
	held  chan struct{} // closed when connections are served again; nil: they are
	wait  sync.WaitGroup
}

// Serve accepts connections of l until l is closed.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	if s.conns == nil {
		s.conns, s.lines = map[net.Conn]struct{}{}, map[net.Listener]struct{}{}
		if s.Max > 0 {
			s.slots = make(chan struct{}, s.Max)
		}
	}
	s.lines[l] = struct{}{}
	s.mu.Unlock()
	for {
		if s.slots != nil {
			s.slots <- struct{}{}
		}
		nc, err := l.Accept()
		if err != nil {
			s.free()
			if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
				continue
			}
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		if held := s.holding(); held != nil {
			<-held
		}
		if !s.add(nc) {
			nc.Close()
			s.free()
			return nil
		}
		go func() {
			defer s.wait.Done()
			if s.Carry != nil {
				s.Carry(nc, l)
			} else {
				Serve(nc, s.New(nc, l))
			}
			s.mu.Lock()
			delete(s.conns, nc)
			s.mu.Unlock()
			s.free()
		}()
	}
}

// Hold lets new connections wait until it is called with false.
func (s *Server) Hold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case on && s.held == nil:
		s.held = make(chan struct{})
	case !on && s.held != nil:
		close(s.held)
		s.held = nil
	}
}

func (s *Server) holding() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

func (s *Server) free() {
	if s.slots != nil {
		<-s.slots
	}
}

func (s *Server) add(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.conns[nc] = struct{}{}
	s.wait.Add(1)
	return true
}

// StopAccepting closes the listeners; connections that stand go on.
func (s *Server) StopAccepting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.lines {
		l.Close()
	}
}

// Wait waits for the end of all connections after StopAccepting.
func (s *Server) Wait() { s.wait.Wait() }

// Close stops accepting, closes all connections and waits for their goroutines.
func (s *Server) Close() {
	s.mu.Lock()
	s.ended = true
	for l := range s.lines {
		l.Close()
	}
	for nc := range s.conns {
		nc.Close()
	}
	s.mu.Unlock()
	s.wait.Wait()
}

// Serve carries one connection until it is over, and closes it.
func Serve(nc net.Conn, c *Conn) {
	defer nc.Close()
	defer c.Close()
	c.Peer = nc
	buf := make([]byte, 4096)
	for {
		c.Advance()
		if len(c.Output()) > 0 {
			err := c.send(nc)
			if err == nil && c.dumping() {
				err = modestly(func() error { return c.sendRest(nc) })
			}
			if err != nil {
				return
			}
		}
		if c.Over() {
			if c.overfed {
				drain(nc, buf)
			}
			return
		}
		if c.state == executing && c.Waiting() == 0 {
			continue
		}
		wait := c.Timeout
		if pause := c.Waiting(); pause > 0 {
			wait = pause
			if c.reader.ended {
				if hungUp(nc) {
					return
				}
				time.Sleep(pause)
				continue
			}
		}
		nc.SetReadDeadline(deadline(wait))
		n, err := nc.Read(buf)
		c.Feed(buf[:n])
		if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
			if c.Waiting() == 0 && n == 0 {
				return
			}
			continue
		}
		if err != nil {
			c.EndInput()
		}
	}
}

// drain reads what a client that sent too much has sent meanwhile, within limits: if it were left unread the client would
// see a reset in the place of the answer.
func drain(nc net.Conn, buf []byte) {
	if half, ok := nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	nc.SetReadDeadline(time.Now().Add(time.Second))
	for left := 256 << 10; left > 0; {
		n, err := nc.Read(buf)
		if err != nil {
			return
		}
		left -= n
	}
}

// hungUp tells whether a client that says no more reads no more either.
func hungUp(nc net.Conn) (gone bool) {
	conn, ok := nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	raw.Control(func(fd uintptr) {
		poll := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(poll, 0)
		gone = err == nil && n > 0
	})
	return gone
}

func deadline(d time.Duration) time.Time {
	if d <= 0 {
		return time.Time{}
	}
	return time.Now().Add(d)
}

// send writes what there is of the answer.
func (c *Conn) send(nc net.Conn) error {
	nc.SetWriteDeadline(deadline(c.Timeout))
	n, err := nc.Write(c.Output())
	c.Sent(n)
	if c.OnSent != nil {
		c.OnSent(n)
	}
	return err
}

// dumping tells that the running command has more to say at once.
func (c *Conn) dumping() bool { return c.step != nil && c.Waiting() == 0 }

// sendRest makes and writes the answer until the running command is over or waits.
func (c *Conn) sendRest(nc net.Conn) error {
	for c.dumping() {
		c.Advance()
		if len(c.Output()) == 0 {
			return nil
		}
		if err := c.send(nc); err != nil {
			return err
		}
	}
	return nil
}

// modesty is added to the nice value of threads that make large answers.
const modesty = 10

// modestly runs a long piece of work on a thread that the kernel prefers those of loops to: it has plenty to do and
// nobody counts its microseconds, and beside it requests would wait for a processor. The thread ends with it, since
// not everybody may take its priority back.
func modestly(work func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread is given up
		if left, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err == nil {
			unix.Setpriority(unix.PRIO_PROCESS, 0, 20-left+modesty)
		}
		done <- work()
	}()
	return <-done
}
