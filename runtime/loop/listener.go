package loop

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Acceptor is the owner of a Listener.
type Acceptor interface {
	// Accepted hands over a new connection: a non-blocking, close-on-exec descriptor and the address of the peer, valid during the call.
	Accepted(fd int, peer *Addr)

	// AcceptFailed tells that accept(2) failed for want of something (EMFILE, ENFILE, ENOBUFS, ENOMEM). The listener has paused itself;
	// the owner calls Resume after a while.
	AcceptFailed(err error)

	// Released answers Detach and Close: no Accepted comes any more, and the Listener may be reused.
	Released()
}

// Listener accepts connections from a listening, non-blocking descriptor. Embed it by value; the zero value is closed.
//
// To leave a listener to another process without losing a connection, both hold the same socket (an inherited or passed descriptor): Detach here. The
// queue of the kernel stays with the socket, and what the loop had taken from it, or was woken for, still comes by Accepted before Released. To end a
// listener that nobody else holds, Close: it accepts what is queued before it closes the descriptor, because close(2) resets what nobody has accepted.
type Listener struct {
	slot
	loop  *Loop
	a     Acceptor
	fd    int32
	flags uint32
	held  []heldAccept // accepted by the kernel after Pause
}

type heldAccept struct {
	fd   int32
	peer Addr
}

const (
	listenOn      = 1 << iota // accepting is wanted
	listenArmed               // io_uring: a multishot accept is in the kernel; epoll: registered
	listenCancel              // io_uring: it is being cancelled
	listenDetach              // leave, keep the descriptor
	listenClose               // leave, close the descriptor
	listenTouched             // in Loop.touchedListeners
)

// Listen puts a listening, non-blocking descriptor on the loop and accepts from it.
func (l *Loop) Listen(ln *Listener, fd int, a Acceptor) {
	*ln = Listener{loop: l, a: a, fd: int32(fd), flags: listenOn, held: ln.held[:0]}
	l.listeners.add(ln, &ln.slot)
	ln.touch()
}

// IsOpen tells whether the listener is on the loop, Released not having been called.
func (ln *Listener) IsOpen() bool { return ln.loop != nil }

// Fd returns the descriptor.
func (ln *Listener) Fd() int { return int(ln.fd) }

// Pause stops accepting, strictly: no Accepted comes before Resume. Connections wait in the kernel's queue, a few perhaps in the loop.
func (ln *Listener) Pause() {
	ln.flags &^= listenOn
	ln.touch()
}

// Resume undoes Pause.
func (ln *Listener) Resume() {
	ln.flags |= listenOn
	ln.touch()
}

// Accepting tells whether the listener is on the loop and not paused.
func (ln *Listener) Accepting() bool { return ln.loop != nil && ln.flags&listenOn != 0 }

// Detach takes the listener off the loop and leaves the descriptor open, for the caller to close or not.
func (ln *Listener) Detach() { ln.leave(listenDetach) }

// Close accepts what is queued, then closes the descriptor.
func (ln *Listener) Close() { ln.leave(listenClose) }

func (ln *Listener) leave(how uint32) {
	if ln.loop == nil || ln.flags&(listenDetach|listenClose) != 0 {
		return
	}
	ln.flags |= how
	ln.touch()
}

func (ln *Listener) leaving() bool { return ln.flags&(listenDetach|listenClose) != 0 }

func (ln *Listener) touch() {
	if ln.flags&listenTouched == 0 {
		ln.flags |= listenTouched
		ln.loop.touchedListeners = append(ln.loop.touchedListeners, ln.slot)
	}
}

// accepted gives a connection to the owner or keeps it while he has paused. A nil peer is asked for.
func (ln *Listener) accepted(fd int32, peer *Addr) {
	if peer == nil {
		peer = &ln.loop.peer
		if peer.askPeer(int(fd)) != nil {
			closeFd(fd)
			return
		}
	}
	if ln.flags&listenOn != 0 || ln.leaving() {
		ln.a.Accepted(int(fd), peer)
		return
	}
	ln.held = append(ln.held, heldAccept{fd, *peer})
}

// unhold gives the connections that were kept to the owner.
func (ln *Listener) unhold() {
	for len(ln.held) > 0 && (ln.flags&listenOn != 0 || ln.leaving()) {
		h := ln.held[0]
		ln.held = ln.held[:copy(ln.held, ln.held[1:])]
		ln.loop.peer = h.peer
		ln.a.Accepted(int(h.fd), &ln.loop.peer)
	}
}

// failed sorts the errors of accept(2).
func (ln *Listener) failed(e unix.Errno) {
	switch e {
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		ln.flags &^= listenOn
		ln.a.AcceptFailed(e)
	}
}

// release ends the listener after the engine has let go of it. What is queued is accepted even when another process goes on with the socket: the
// kernel wakes one of those that wait for a connection, and when that was this loop nobody else would be told of it.
func (ln *Listener) release() {
	if ln.flags&(listenOn|listenClose) != 0 {
		ln.drain()
	}
	if ln.flags&listenClose != 0 {
		closeFd(ln.fd)
	}
	ln.loop.listeners.remove(&ln.slot)
	ln.loop = nil
	ln.a.Released()
}

// accept makes one accept4(2), with the peer's address in Loop.peer.
func (ln *Listener) accept() (int32, unix.Errno) {
	a := &ln.loop.peer
	a.len = uint32(unsafe.Sizeof(a.raw))
	ln.loop.syscalls++
	fd, _, e := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(ln.fd), uintptr(unsafe.Pointer(&a.raw)), uintptr(unsafe.Pointer(&a.len)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int32(fd), e
}

// drain accepts all that is queued.
func (ln *Listener) drain() {
	for {
		fd, e := ln.accept()
		switch e {
		case 0:
			ln.a.Accepted(int(fd), &ln.loop.peer)
		case unix.EINTR, unix.ECONNABORTED:
		default:
			return
		}
	}
}

func closeFd(fd int32) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }
