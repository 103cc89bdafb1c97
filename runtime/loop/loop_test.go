package loop

import (
	"errors"
	"io"
	"net/netip"
	"os"
	goruntime "runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// engines are the names of the engines under test. HAPAX_LOOP_ENGINES=epoll restricts them, for machines that refuse io_uring.
func engines() []string {
	if e := os.Getenv("HAPAX_LOOP_ENGINES"); e != "" {
		return []string{e}
	}
	return []string{Uring, Epoll}
}

// TestMain makes the Go runtime open its own descriptors before tests count theirs.
func TestMain(m *testing.M) {
	if r, w, err := os.Pipe(); err == nil {
		r.Close()
		w.Close()
	}
	if what := os.Getenv(childEnv); what != "" {
		os.Exit(runChild(what))
	}
	os.Exit(m.Run())
}

// onEngines runs a test on a loop of each engine. The test sets connections up and returns; the loop runs until rig.done or
// rig.fail, and must have got all buffers and descriptors back then.
func onEngines(t *testing.T, o Options, setUp func(r *rig)) {
	for _, name := range engines() {
		t.Run(name, func(t *testing.T) {
			o.Engine = name
			runRig(t, o, setUp)
		})
	}
}

// rig is a loop under test.
type rig struct {
	*Loop
	t     testing.TB
	guard Timer
	// leak is what a test leaves open on purpose.
	leak bool
}

func runRig(t testing.TB, o Options, setUp func(r *rig)) {
	t.Helper()
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(max(2, goruntime.GOMAXPROCS(0))))
	before := countFds(t)
	l, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Loop: l, t: t}
	r.guard.Init(l, r)
	r.guard.After(time.Minute)
	setUp(r)
	l.Run()
	// What was closed in the last turn is closed in the kernel by the next ones.
	for range 4 {
		l.PostFunc(func() {})
		l.turn()
	}
	if n := l.pool.out; n != 0 && !r.leak {
		t.Errorf("%d buffers leaked", n)
	}
	l.Close()
	if after := countFds(t); after != before && !r.leak {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func (r *rig) Expired(*Timer) { r.fail("the test takes too long") }

func (r *rig) done() { r.Stop() }

func (r *rig) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Errorf(format, args...)
	r.Stop()
}

func countFds(t testing.TB) int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// pair returns the two ends of a TCP connection, non-blocking.
func pair(t testing.TB) (int, int) {
	ln, addr := listen(t, 1)
	defer unix.Close(ln)
	a := tcpSocket(t)
	if err := unix.Connect(a, sockaddr(addr)); err != nil && err != unix.EINPROGRESS {
		t.Fatal(err)
	}
	poll(t, ln, unix.POLLIN)
	b, _, err := unix.Accept4(ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func tcpSocket(t testing.TB) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	return fd
}

func listen(t testing.TB, backlog int) (int, Addr) {
	fd := tcpSocket(t)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		t.Fatal(err)
	}
	a, err := LocalAddr(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, a
}

func sockaddr(a Addr) unix.Sockaddr {
	ap := a.AddrPort()
	return &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}
}

func poll(t testing.TB, fd int, events int16) int16 {
	p := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(p, 10000)
		if err == unix.EINTR {
			continue
		}
		if n != 1 {
			t.Fatalf("descriptor %d is not ready for %x", fd, events)
		}
		return p[0].Revents
	}
}

// end is a connection whose callbacks are functions; a missing one fails the test.
type end struct {
	Socket
	r         *rig
	name      string
	connected func(error)
	received  func(*Buffer, error)
	sent      func(error)
}

func (e *end) Connected(err error) {
	if e.connected == nil {
		e.r.fail("%s: Connected(%v)", e.name, err)
		return
	}
	e.connected(err)
}

func (e *end) Received(b *Buffer, err error) {
	if (b == nil) == (err == nil) {
		e.r.fail("%s: Received(%v, %v)", e.name, b, err)
	}
	if e.received == nil {
		e.r.fail("%s: Received(%v, %v)", e.name, b, err)
		if b != nil {
			b.Release()
		}
		return
	}
	e.received(b, err)
}

func (e *end) Sent(err error) {
	if e.sent == nil {
		e.r.fail("%s: Sent(%v)", e.name, err)
		return
	}
	e.sent(err)
}

// ends opens both ends of a connection on the loop.
func (r *rig) ends() (a, b *end) {
	fa, fb := pair(r.t)
	a, b = &end{r: r, name: "a"}, &end{r: r, name: "b"}
	a.Open(r.Loop, fa, a)
	b.Open(r.Loop, fb, b)
	return a, b
}

// raw opens one end on the loop and returns the descriptor of the other one.
func (r *rig) raw() (*end, int) {
	fa, fb := pair(r.t)
	a := &end{r: r, name: "a"}
	a.Open(r.Loop, fa, a)
	return a, fb
}

// send sends a copy of p in as many buffers as it takes.
func (e *end) sendBytes(p []byte) {
	for len(p) > 0 {
		b := e.r.Buffer()
		n := min(len(p), cap(b.Data))
		b.Data = append(b.Data, p[:n]...)
		p = p[n:]
		e.Send(b)
	}
}

func TestEcho(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := r.ends()
		rounds := 0
		b.received = func(buf *Buffer, err error) {
			if err != nil {
				b.Close(0)
				r.done()
				return
			}
			b.Send(buf)
		}
		a.received = func(buf *Buffer, err error) {
			if err != nil || string(buf.Data) != "hello" {
				r.fail("received %v", err)
			}
			buf.Release()
			if rounds++; rounds == 1000 {
				a.Close(0)
				return
			}
			a.SendStatic([]byte("hello"))
		}
		a.Receive()
		b.Receive()
		a.SendStatic([]byte("hel"))
		a.SendStatic([]byte("lo"))
	})
}

func TestHalfClose(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := r.ends()
		got := ""
		b.received = func(buf *Buffer, err error) {
			if err == io.EOF {
				b.SendStatic([]byte("answer to " + got))
				b.Shutdown()
				b.SendStatic([]byte("dropped"))
				return
			}
			got += string(buf.Data)
			buf.Release()
		}
		answer := ""
		a.received = func(buf *Buffer, err error) {
			if err == io.EOF {
				if answer != "answer to question" {
					r.fail("received %q", answer)
				}
				a.Close(0)
				b.Close(0)
				r.done()
				return
			}
			answer += string(buf.Data)
			buf.Release()
		}
		a.Receive()
		b.Receive()
		a.SendStatic([]byte("question"))
		a.Shutdown()
	})
}

func TestReset(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := r.ends()
		b.received = func(buf *Buffer, err error) {
			if err != unix.ECONNRESET {
				r.fail("Received(%v)", err)
			}
			b.SendStatic([]byte("into the void"))
		}
		b.sent = func(err error) {
			if err != unix.EPIPE {
				r.fail("Sent(%v)", err)
			}
			if b.Queued() != 0 {
				r.fail("%d bytes queued", b.Queued())
			}
			b.Close(time.Second)
			r.done()
		}
		b.Receive()
		a.sendBytes(make([]byte, 100000))
		a.Abort()
	})
}

func TestConnect(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		ln, addr := listen(t, 10)
		c := &end{r: r, name: "client"}
		s := &end{r: r, name: "server"}
		c.connected = func(err error) {
			if err != nil {
				r.fail("Connected(%v)", err)
			}
		}
		c.received = func(buf *Buffer, err error) {
			if err != nil || string(buf.Data) != "early bytes" {
				r.fail("received %v", err)
			}
			buf.Release()
			c.Close(0)
			s.Close(0)
			unix.Close(ln)
			r.done()
		}
		s.received = func(buf *Buffer, err error) {
			if err != nil {
				r.fail("Received(%v)", err)
				return
			}
			s.Send(buf)
		}
		c.Connect(r.Loop, tcpSocket(t), &addr, c)
		c.SendStatic([]byte("early bytes")) // before the connection stands
		c.Receive()
		r.PostFunc(func() {
			poll(t, ln, unix.POLLIN)
			fd, _, err := unix.Accept4(ln, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			if err != nil {
				r.fail("accept: %v", err)
				return
			}
			s.Open(r.Loop, fd, s)
			s.Receive()
		})
	})
}

func TestConnectRefused(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		ln, addr := listen(t, 1)
		unix.Close(ln)
		c := &end{r: r, name: "client"}
		c.connected = func(err error) {
			if err != unix.ECONNREFUSED {
				r.fail("Connected(%v)", err)
			}
			c.Close(time.Minute)
			r.done()
		}
		c.Connect(r.Loop, tcpSocket(t), &addr, c)
		c.sendBytes([]byte("never sent"))
		c.Receive()
	})
}

// TestConnectAbandoned closes sockets whose connects never end, with and without bytes queued.
func TestConnectAbandoned(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		ln, addr := listen(t, 0)
		fill := make([]int, 4) // the queue of the listener is full after the first one or two
		for i := range fill {
			fill[i] = tcpSocket(t)
			unix.Connect(fill[i], sockaddr(addr))
		}
		var cs [3]end
		for i := range cs {
			cs[i].r = r
			cs[i].Connect(r.Loop, tcpSocket(t), &addr, &cs[i])
			cs[i].sendBytes([]byte("request"))
		}
		var timer Timer
		timer.Init(r.Loop, alarm(func() {
			cs[0].Close(0)
			cs[1].Abort()
			cs[2].Close(20 * time.Millisecond)
			timer.Init(r.Loop, alarm(func() {
				for _, fd := range fill {
					unix.Close(fd)
				}
				unix.Close(ln)
				r.done()
			}))
			timer.After(60 * time.Millisecond)
		}))
		timer.After(20 * time.Millisecond)
	})
}

type alarm func()

func (f alarm) Expired(*Timer) { f() }

// TestSlowReader sends 64 MB with back-pressure to a reader that pauses now and then.
func TestSlowReader(t *testing.T) {
	const total, high, low = 64 << 20, 256 << 10, 64 << 10
	onEngines(t, Options{}, func(r *rig) {
		a, b := r.ends()
		next, at, most := 0, 0, 0
		fill := func() {
			for next < total && a.Queued() < high {
				buf := r.Buffer()
				room := buf.Room()
				n := min(len(room), total-next)
				for i := range room[:n] {
					room[i] = byte((next + i) % 251)
				}
				buf.Grow(n)
				next += n
				a.Send(buf)
			}
			if next == total {
				a.Close(time.Minute)
				return
			}
			a.NotifySent(low)
		}
		a.sent = func(err error) {
			if err != nil {
				r.fail("Sent(%v)", err)
				return
			}
			if a.Queued() > low {
				r.fail("%d bytes queued", a.Queued())
			}
			fill()
		}
		var timer Timer
		timer.Init(r.Loop, alarm(func() { b.Receive() }))
		paused, lastStop := false, 0
		b.received = func(buf *Buffer, err error) {
			if paused && !b.Receiving() {
				r.fail("received while paused")
			}
			if err != nil {
				if err != io.EOF || at != total {
					r.fail("%v after %d bytes", err, at)
				}
				b.Close(0)
				r.done()
				return
			}
			for i, v := range buf.Data {
				if v != byte((at+i)%251) {
					r.fail("byte %d is %d", at+i, v)
					break
				}
			}
			at += len(buf.Data)
			buf.Release()
			most = max(most, r.pool.out)
			if at-lastStop > 4<<20 {
				lastStop, paused = at, true
				b.Pause()
				timer.After(3 * time.Millisecond)
			}
		}
		b.Receive()
		fill()
		_ = most
	})
}

// TestPauseHoldsKernelBack fills a paused receiver: the loop must stop taking bytes, so that the sender is held back by TCP.
func TestPauseHoldsKernelBack(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, fd := r.raw()
		chunk := make([]byte, 1<<20)
		sent, got := 0, 0
		push := func() {
			for {
				n, err := unix.Write(fd, chunk)
				if n > 0 {
					sent += n
				}
				if err != nil {
					return
				}
			}
		}
		ticks := 0
		var timer Timer
		a.received = func(buf *Buffer, err error) {
			if err == io.EOF {
				if got != sent {
					r.fail("%d bytes sent, %d received", sent, got)
				}
				a.Close(0)
				r.done()
				return
			}
			got += len(buf.Data)
			buf.Release()
			if ticks < 20 {
				a.Pause()
				if ticks++; ticks == 1 {
					timer.After(time.Millisecond)
				}
			}
		}
		timer.Init(r.Loop, alarm(func() {
			push()
			if held := r.pool.out; held > 100 {
				r.fail("%d buffers are held for a paused socket", held)
			}
			if ticks++; ticks < 20 {
				timer.After(time.Millisecond)
				return
			}
			unix.Close(fd)
			a.Receive()
		}))
		a.Receive()
		unix.Write(fd, []byte("x"))
		sent++
	})
}

// TestCloseArmed closes while a receive is in the kernel: the peer must see the end at once.
func TestCloseArmed(t *testing.T) {
	for _, how := range []string{"close", "close after bytes", "abort"} {
		t.Run(how, func(t *testing.T) {
			onEngines(t, Options{}, func(r *rig) {
				a, fd := r.raw()
				a.received = func(buf *Buffer, err error) {
					buf.Release()
					var task Task
					var later laterFunc = func() {
						r.PostFunc(func() {
							buf := make([]byte, 100)
							n, err := unix.Read(fd, buf)
							switch {
							case how == "abort" && err == unix.ECONNRESET, how == "close" && n == 0 && err == nil:
							case how == "close after bytes" && string(buf[:n]) == "bye bye":
								if n, err := unix.Read(fd, buf); n != 0 || err != nil {
									r.fail("read %d, %v after the bytes", n, err)
								}
							default:
								r.fail("read %d, %v", n, err)
							}
							unix.Close(fd)
							r.done()
						})
					}
					switch how {
					case "close":
						a.Close(0)
					case "abort":
						a.Abort()
					default:
						a.SendStatic([]byte("bye "))
						a.SendStatic([]byte("bye"))
						a.Close(time.Second)
					}
					if a.IsOpen() {
						r.fail("still open")
					}
					// One turn later the intents of this one are flushed.
					task.Init(later)
					r.RunLater(&task)
				}
				a.Receive()
				unix.Write(fd, []byte("go"))
			})
		})
	}
}

type laterFunc func()

func (f laterFunc) RunTask(*Task) { f() }

// TestReuse closes and opens connections in the same callbacks, so that descriptors and entries are used again while completions of
// their former users are on the way.
func TestReuse(t *testing.T) {
	const rounds = 500
	onEngines(t, Options{Ring: 8}, func(r *rig) {
		n := 0
		var step func()
		step = func() {
			if n++; n > rounds {
				r.done()
				return
			}
			a, fd := r.raw()
			tag := []byte{byte(n), byte(n >> 8)}
			a.received = func(buf *Buffer, err error) {
				if err != nil || len(buf.Data) < 2 || buf.Data[0] != tag[0] || buf.Data[1] != tag[1] {
					r.fail("round %d: %v", n, err)
				}
				buf.Release()
				// Bytes on the way to the socket that is closed now must not reach the next one.
				unix.Write(fd, []byte("stale"))
				unix.Close(fd)
				if n%2 == 0 {
					a.Abort()
				} else {
					a.Close(0)
				}
				step()
			}
			a.Receive()
			unix.Write(fd, tag)
		}
		step()
	})
}

// TestBuffersExhausted lets handlers keep buffers until no more can be received, and gives them back.
func TestBuffersExhausted(t *testing.T) {
	const conns, limit = 20, 8
	onEngines(t, Options{MaxMemory: limit * 16384, Ring: 16}, func(r *rig) {
		var kept []*Buffer
		received, ended := 0, 0
		var timer Timer
		timer.Init(r.Loop, alarm(func() {
			if len(kept) != limit {
				r.fail("%d buffers kept, want %d", len(kept), limit)
			}
			for _, b := range kept {
				b.Release()
			}
			kept = nil
		}))
		timer.After(20 * time.Millisecond)
		for range conns {
			a, fd := r.raw()
			a.received = func(buf *Buffer, err error) {
				if err == io.EOF {
					a.Close(0)
					if ended++; ended == conns {
						if received != conns {
							r.fail("%d received", received)
						}
						r.done()
					}
					return
				}
				received++
				if timer.Deadline() != 0 {
					kept = append(kept, buf)
				} else {
					buf.Release()
				}
			}
			a.Receive()
			unix.Write(fd, []byte("data"))
			unix.Close(fd)
		}
	})
}

func TestSlices(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := r.ends()
		got := ""
		b.received = func(buf *Buffer, err error) {
			if err != nil {
				if got != "world hello const" {
					r.fail("received %q", got)
				}
				b.Close(0)
				r.done()
				return
			}
			got += string(buf.Data)
			buf.Release()
		}
		b.Receive()
		buf := r.Buffer()
		buf.Data = append(buf.Data, "hello world"...)
		hello, world := buf.Slice(0, 6), buf.Slice(6, 11)
		space := hello.Slice(5, 6)
		hello.Data = hello.Data[:5]
		buf.Release()
		a.Send(world)
		a.Send(space)
		a.Send(hello)
		a.SendStatic([]byte(" const"))
		a.Close(time.Second)
	})
}

func TestManyPieces(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, b := r.ends()
		const n = 5000
		got := 0
		b.received = func(buf *Buffer, err error) {
			if err != nil {
				if got != n*3 {
					r.fail("%d bytes", got)
				}
				b.Close(0)
				r.done()
				return
			}
			for i, c := range buf.Data {
				if c != "abc"[(got+i)%3] {
					r.fail("byte %d is %c", got+i, c)
					break
				}
			}
			got += len(buf.Data)
			buf.Release()
		}
		b.Receive()
		for range n {
			a.SendStatic([]byte("abc"))
		}
		a.Close(time.Second)
	})
}

// TestManySenders has more connections send at once than the submission queue has room for.
func TestManySenders(t *testing.T) {
	const conns = 700
	onEngines(t, Options{}, func(r *rig) {
		left := conns
		for range conns {
			a, b := r.ends()
			b.received = func(buf *Buffer, err error) {
				if err != nil {
					r.fail("Received(%v)", err)
					return
				}
				if string(buf.Data) != "one two" {
					r.fail("received %q", buf.Data)
				}
				buf.Release()
				b.Close(0)
				a.Close(0)
				if left--; left == 0 {
					r.done()
				}
			}
			b.Receive()
			a.SendStatic([]byte("one "))
			a.SendStatic([]byte("two"))
		}
	})
}

// TestCloseUnread closes a socket after an answer to bytes that were never read: the peer must get the answer, not a reset.
func TestCloseUnread(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, fd := r.raw()
		unix.Write(fd, make([]byte, 50000))
		a.received = func(buf *Buffer, err error) {
			buf.Release()
			a.Pause()
			unix.Write(fd, make([]byte, 5000))
			var timer Timer
			timer.Init(r.Loop, alarm(func() {
				a.SendStatic([]byte("413"))
				a.Close(time.Second)
				timer.Init(r.Loop, alarm(func() {
					buf := make([]byte, 10)
					if n, err := unix.Read(fd, buf); n != 3 || err != nil {
						r.fail("read %d, %v", n, err)
					}
					if n, err := unix.Read(fd, buf); n != 0 || err != nil {
						r.fail("read %d, %v", n, err)
					}
					unix.Close(fd)
					r.done()
				}))
				timer.After(2 * time.Millisecond)
			}))
			timer.After(2 * time.Millisecond)
		}
		a.Receive()
	})
}

// TestLinger closes a socket whose peer does not read: the bytes are given up after the time set.
func TestLinger(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		a, fd := r.raw()
		a.received = func(buf *Buffer, err error) {}
		a.Receive()
		a.sendBytes(make([]byte, 32<<20))
		a.Close(50 * time.Millisecond)
		start := r.Now()
		var timer Timer
		timer.Init(r.Loop, alarm(func() {
			if r.pool.out > 0 {
				if Clock()-start > int64(5*time.Second) {
					r.fail("%d buffers are still queued", r.pool.out)
				}
				timer.After(5 * time.Millisecond)
				return
			}
			if d := time.Duration(Clock() - start); d < 50*time.Millisecond {
				r.fail("given up after %v", d)
			}
			unix.Close(fd)
			r.done()
		}))
		timer.After(time.Millisecond)
	})
}

func TestTimers(t *testing.T) {
	const n = 10000
	onEngines(t, Options{}, func(r *rig) {
		left := 0
		timers := make([]testTimer, n)
		for i := range timers {
			tt := &timers[i]
			tt.r, tt.left = r, &left
			tt.Init(r.Loop, tt)
			at := r.Now() + int64(i%200)*int64(time.Millisecond)/2
			switch i % 5 {
			case 0: // moved back while queued
				tt.Set(at / 2)
				tt.Set(at)
			case 1: // moved forward
				tt.Set(at + int64(time.Hour))
				tt.Set(at)
			case 2:
				tt.Set(at)
				tt.Stop()
				continue
			case 3:
				tt.Set(at)
				tt.Remove()
				continue
			default:
				tt.Set(at)
			}
			tt.at = at
			left++
		}
	})
}

type testTimer struct {
	Timer
	r    *rig
	at   int64
	left *int
}

func (tt *testTimer) Expired(*Timer) {
	late := tt.r.Now() - tt.at
	switch {
	case tt.at == 0:
		tt.r.fail("a stopped timer expired")
	case late < 0:
		tt.r.fail("%v early", time.Duration(-late))
	case late > int64(500*time.Millisecond):
		tt.r.fail("%v late", time.Duration(late))
	}
	if *tt.left--; *tt.left == 0 {
		tt.r.done()
	}
}

func TestPosts(t *testing.T) {
	const goroutines, each = 8, 2000
	onEngines(t, Options{}, func(r *rig) {
		var seen [goroutines]int
		total := 0
		for g := range goroutines {
			go func() {
				for i := range each {
					r.PostFunc(func() {
						if seen[g] != i {
							r.fail("goroutine %d: %d after %d", g, i, seen[g])
						}
						seen[g]++
						if total++; total == goroutines*each {
							r.done()
						}
					})
					if i%100 == 0 {
						goruntime.Gosched()
					}
				}
			}()
		}
	})
}

// TestStop wakes a loop that waits for ever.
func TestStop(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		r.guard.Remove()
		time.AfterFunc(30*time.Millisecond, r.Stop)
	})
}

func TestRunLater(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		var order []string
		var a, b Task
		a.Init(laterFunc(func() {
			order = append(order, "a")
			r.RunLater(&b)
			r.RunLater(&b)
		}))
		b.Init(laterFunc(func() {
			if order = append(order, "b"); len(order) != 2 {
				r.fail("ran %v", order)
			}
			r.done()
		}))
		r.RunLater(&a)
	})
}

// TestCollector checks that an idle loop lets the garbage collector and other goroutines go on.
func TestCollector(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		go func() {
			for range 20 {
				goruntime.GC()
			}
			r.PostFunc(r.done)
		}()
	})
}

func TestIdlePct(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		var timer Timer
		timer.Init(r.Loop, alarm(func() {
			if pct := r.Stats().IdlePct.Load(); pct < 80 || pct > 100 {
				r.fail("idle for %d%%", pct)
			}
			r.done()
		}))
		timer.After(time.Duration(idlePeriod) * 5 / 2)
		var tick Timer
		tick.Init(r.Loop, alarm(func() { tick.After(50 * time.Millisecond) }))
		tick.After(1)
	})
}

func TestUnknownEngine(t *testing.T) {
	if _, err := New(Options{Engine: "kqueue"}); err == nil {
		t.Error("no error")
	}
	if _, err := New(Options{Ring: 100}); err == nil {
		t.Error("no error for a ring that is no power of two")
	}
}

func TestAddr(t *testing.T) {
	for _, text := range []string{"127.0.0.1:80", "[::1]:8080", "[fe80::1]:1"} {
		ap := netip.MustParseAddrPort(text)
		a := AddrFrom(ap)
		if a.AddrPort() != ap {
			t.Errorf("%v became %v", ap, a.AddrPort())
		}
	}
	for _, path := range []string{"/run/x.sock", "\x00abstract\x00name"} {
		a, err := UnixAddr(path)
		if err != nil || a.Path() != path || a.Family() != unix.AF_UNIX {
			t.Errorf("%q became %q, %v", path, a.Path(), err)
		}
	}
	for _, path := range []string{"", string(make([]byte, 109)), "/" + string(make([]byte, 107))} {
		if _, err := UnixAddr(path); err == nil {
			t.Errorf("%q is accepted", path)
		}
	}
	if _, err := PeerAddr(-1); !errors.Is(err, unix.EBADF) {
		t.Error(err)
	}
}

func TestReleaseTwice(t *testing.T) {
	runRig(t, Options{Engine: Epoll}, func(r *rig) {
		b := r.Buffer()
		b.Release()
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
			r.done()
		}()
		b.Release()
	})
}
