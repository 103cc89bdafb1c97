package loop

import (
	"net/netip"
	goruntime "runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

type acceptor struct {
	r        *rig
	accepted func(fd int, peer *Addr)
	failed   func(error)
	released func()
}

func (a *acceptor) Accepted(fd int, peer *Addr) { a.accepted(fd, peer) }
func (a *acceptor) Released()                   { a.released() }
func (a *acceptor) AcceptFailed(err error) {
	if a.failed == nil {
		a.r.fail("AcceptFailed(%v)", err)
		return
	}
	a.failed(err)
}

// dial connects n clients, blocking until each connection stands.
func dial(t testing.TB, addr Addr, n int) []int {
	fds := make([]int, n)
	for i := range fds {
		fds[i] = tcpSocket(t)
		if err := unix.Connect(fds[i], sockaddr(addr)); err != nil && err != unix.EINPROGRESS {
			t.Fatal(err)
		}
		poll(t, fds[i], unix.POLLOUT)
	}
	return fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

func TestAccept(t *testing.T) {
	const n = 300
	onEngines(t, Options{MaxAccept: 7}, func(r *rig) {
		fd, addr := listen(t, n)
		var ln Listener
		clients := dial(t, addr, n)
		count := 0
		a := &acceptor{r: r}
		a.accepted = func(fd int, peer *Addr) {
			if want, _ := PeerAddr(fd); *peer != want {
				r.fail("peer %v, want %v", peer.AddrPort(), want.AddrPort())
			}
			if fl, _ := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); fl&unix.O_NONBLOCK == 0 {
				r.fail("the descriptor blocks")
			}
			unix.Close(fd)
			if count++; count == n {
				ln.Close()
			}
		}
		a.released = func() {
			closeAll(clients)
			if ln.IsOpen() {
				r.fail("still open")
			}
			if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != unix.EBADF {
				r.fail("the descriptor is open")
			}
			r.done()
		}
		r.Listen(&ln, fd, a)
	})
}

// TestAcceptReset has clients reset before they are accepted: the owner gets them all the same, with the address that each came from.
func TestAcceptReset(t *testing.T) {
	const n = 20
	onEngines(t, Options{}, func(r *rig) {
		fd, addr := listen(t, n)
		var ln Listener
		want := map[netip.AddrPort]bool{}
		for _, c := range dial(t, addr, n) {
			own, err := LocalAddr(c)
			if err != nil {
				t.Fatal(err)
			}
			want[own.AddrPort()] = true
			unix.Write(c, []byte("bytes"))
			resetOnClose(int32(c))
			unix.Close(c)
		}
		a := &acceptor{r: r, released: r.done}
		a.accepted = func(fd int, peer *Addr) {
			if !want[peer.AddrPort()] {
				r.fail("peer %v", peer.AddrPort())
			}
			delete(want, peer.AddrPort())
			unix.Close(fd)
			if len(want) == 0 {
				ln.Close()
			}
		}
		r.Listen(&ln, fd, a)
	})
}

// TestPauseAccept checks that nothing is accepted while paused, and all of it later.
func TestPauseAccept(t *testing.T) {
	const n, first = 100, 10
	onEngines(t, Options{}, func(r *rig) {
		fd, addr := listen(t, n)
		var ln Listener
		clients := dial(t, addr, n)
		count, paused := 0, false
		var timer Timer
		a := &acceptor{r: r}
		a.accepted = func(fd int, _ *Addr) {
			if paused {
				r.fail("accepted while paused")
			}
			unix.Close(fd)
			switch count++; count {
			case first:
				paused = true
				ln.Pause()
				timer.After(20 * time.Millisecond)
			case n:
				ln.Close()
			}
		}
		a.released = func() {
			closeAll(clients)
			r.done()
		}
		timer.Init(r.Loop, alarm(func() {
			paused = false
			ln.Resume()
		}))
		r.Listen(&ln, fd, a)
	})
}

// TestDetach hands a listener with queued connections over to another loop: none may be lost.
func TestDetach(t *testing.T) {
	const n = 400
	onEngines(t, Options{MaxAccept: 5}, func(r *rig) {
		fd, addr := listen(t, n)
		clients := dial(t, addr, n)
		count := 0
		var old, young Listener
		a, b := &acceptor{r: r}, &acceptor{r: r}
		a.accepted = func(fd int, _ *Addr) {
			unix.Write(fd, []byte("x"))
			unix.Close(fd)
			if count++; count == 3 {
				old.Pause()
				old.Detach()
			}
		}
		a.released = func() {
			r.Listen(&young, fd, b)
			if count == n {
				young.Close()
			}
		}
		b.accepted = func(fd int, _ *Addr) {
			unix.Write(fd, []byte("x"))
			unix.Close(fd)
			if count++; count == n {
				young.Close()
			}
		}
		b.released = func() {
			for _, c := range clients {
				poll(t, c, unix.POLLIN)
				if k, err := unix.Read(c, make([]byte, 2)); k != 1 || err != nil {
					r.fail("read %d, %v", k, err)
				}
			}
			closeAll(clients)
			r.done()
		}
		r.Listen(&old, fd, a)
	})
}

// TestDetachWoken lets a connection come between the loop's last wait and its Detach: the kernel has woken this loop for it
// and will wake nobody else.
func TestDetachWoken(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		fd, addr := listen(t, 10)
		var ln Listener
		var clients []int
		count := 0
		a := &acceptor{r: r}
		a.accepted = func(fd int, _ *Addr) {
			count++
			unix.Close(fd)
		}
		a.released = func() {
			if count != 1 {
				r.fail("%d connections were accepted", count)
			}
			unix.Close(fd)
			closeAll(clients)
			r.done()
		}
		r.Listen(&ln, fd, a)
		var timer Timer
		timer.Init(r.Loop, alarm(func() {
			clients = dial(t, addr, 1)
			ln.Detach()
		}))
		timer.After(20 * time.Millisecond)
	})
}

// TestCloseListener ends a listener with queued connections, which must be accepted, not reset.
func TestCloseListener(t *testing.T) {
	const n = 400
	onEngines(t, Options{MaxAccept: 5}, func(r *rig) {
		fd, addr := listen(t, n)
		clients := dial(t, addr, n)
		count := 0
		var ln Listener
		a := &acceptor{r: r}
		a.accepted = func(fd int, _ *Addr) {
			unix.Close(fd)
			if count++; count == 1 {
				ln.Close()
			}
		}
		a.released = func() {
			if count != n {
				r.fail("%d accepted", count)
			}
			closeAll(clients)
			r.done()
		}
		r.Listen(&ln, fd, a)
	})
}

// TestPortFreeAfterClose binds the port of a listener that was still accepting when its loop was closed.
func TestPortFreeAfterClose(t *testing.T) {
	goruntime.LockOSThread()
	defer goruntime.UnlockOSThread()
	for _, name := range engines() {
		t.Run(name, func(t *testing.T) {
			l, err := New(Options{Engine: name})
			if err != nil {
				t.Fatal(err)
			}
			var ln Listener
			fd, addr := listen(t, 1)
			l.Listen(&ln, fd, &acceptor{})
			l.PostFunc(func() { l.PostFunc(l.Stop) }) // the accept is in the kernel by then
			l.Run()
			l.Close()
			unix.Close(fd)
			again := tcpSocket(t)
			defer unix.Close(again)
			if err := unix.Bind(again, sockaddr(addr)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAcceptEMFILE(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		fd, addr := listen(t, 10)
		clients := dial(t, addr, 2)
		var old unix.Rlimit
		unix.Getrlimit(unix.RLIMIT_NOFILE, &old)
		low := old
		low.Cur = uint64(clients[1]) + 1
		var timer Timer
		var ln Listener
		count := 0
		a := &acceptor{r: r}
		a.failed = func(err error) {
			if err != unix.EMFILE || ln.Accepting() {
				r.fail("AcceptFailed(%v)", err)
			}
			unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
			timer.After(time.Millisecond)
		}
		timer.Init(r.Loop, alarm(func() { ln.Resume() }))
		a.accepted = func(fd int, _ *Addr) {
			unix.Close(fd)
			if count++; count == 2 {
				ln.Close()
			}
		}
		a.released = func() {
			closeAll(clients)
			r.done()
		}
		r.Listen(&ln, fd, a)
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &low); err != nil {
			t.Fatal(err)
		}
	})
}

// TestWatch waits for a datagram socket, level-triggered.
func TestWatch(t *testing.T) {
	onEngines(t, Options{}, func(r *rig) {
		p, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		var w Watch
		reads, outs := 0, 0
		ready := func(events uint32) {
			switch {
			case events&unix.POLLIN != 0:
				n, err := unix.Read(p[0], make([]byte, 10))
				if n != 1 || err != nil {
					r.fail("read %d, %v", n, err)
				}
				if reads++; reads == 3 {
					w.Set(unix.POLLOUT)
				}
			case events&unix.POLLOUT != 0:
				if outs++; outs == 3 {
					w.Set(0)
					r.PostFunc(func() {
						w.Close()
						w.Close()
						closeAll(p[:])
						r.done()
					})
				}
			}
			if outs > 3 || reads > 3 {
				r.fail("%d reads, %d outs", reads, outs)
			}
		}
		r.Watch(&w, p[0], unix.POLLIN, watcher(ready))
		for range 3 {
			unix.Write(p[1], []byte("x"))
		}
	})
}

type watcher func(uint32)

func (f watcher) Ready(events uint32) { f(events) }
