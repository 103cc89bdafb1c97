package loop

import (
	"io"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Handler is what the owner of a Socket does when something has happened to it. Errors are of type syscall.Errno, or io.EOF.
type Handler interface {
	// Connected ends Connect. After an error the socket is still to be closed.
	Connected(err error)

	// Received hands over received bytes (b != nil, err == nil), or tells once that no more will come (b == nil): io.EOF when the peer has shut its
	// side down, else the error. After an error, sending fails as well. It is called between Receive and Pause only.
	Received(b *Buffer, err error)

	// Sent(nil) answers NotifySent. Sent(err) tells once, unasked, that sending failed and that all queued bytes were dropped.
	Sent(err error)
}

// Socket is a connected stream socket on a loop. Embed it by value; the zero value is a closed socket. It must not be copied while open.
type Socket struct{ c *conn }

// Open puts a connected, non-blocking descriptor on the loop, which owns it from now on. Nothing is received before Receive.
func (s *Socket) Open(l *Loop, fd int, h Handler) {
	c := l.conns.take(l)
	c.fd, c.h, c.flags = int32(fd), h, connOpen
	s.c = c
}

// Connect starts to connect the non-blocking descriptor fd, which the loop owns from now on, and answers by Handler.Connected. Receive, Send and
// NotifySent may be called at once: they take effect when the connection stands. There is no time limit: set a Timer and Close. `to` is copied.
func (s *Socket) Connect(l *Loop, fd int, to *Addr, h Handler) {
	c := l.conns.take(l)
	c.fd, c.h, c.flags = int32(fd), h, connOpen|connConnect
	s.c = c
	a := l.addrs.take()
	*a = *to
	c.to = a
	l.touch(c)
}

// IsOpen tells whether the socket was opened and not closed by its owner since.
func (s *Socket) IsOpen() bool { return s.c != nil }

// Fd returns the descriptor, for socket options and names only, or -1 when closed.
func (s *Socket) Fd() int {
	if s.c == nil {
		return -1
	}
	return int(s.c.fd)
}

// Loop returns the loop that an open socket lives on.
func (s *Socket) Loop() *Loop { return s.c.loop }

// SetHandler gives an open socket another owner: an idle server connection that is taken from the pool, say.
func (s *Socket) SetHandler(h Handler) { s.c.h = h }

// Receive makes the loop receive, until Pause or the end of the stream. Calling it twice does nothing.
func (s *Socket) Receive() {
	c := s.c
	if c.flags&connReceive == 0 {
		c.flags |= connReceive
		c.loop.touch(c)
	}
}

// Pause stops receiving: no Received comes before the next Receive. What the loop has already taken from the kernel, it keeps.
// A Pause that is undone by Receive within the same or the next turn costs nothing.
func (s *Socket) Pause() {
	c := s.c
	if c.flags&connReceive != 0 {
		c.flags &^= connReceive
		c.loop.touch(c)
	}
}

// Receiving tells whether Receive is in force (it stays so at the end of the stream).
func (s *Socket) Receiving() bool { return s.c.flags&connReceive != 0 }

// Send queues the bytes b.Data behind those already queued and takes b over. An empty b is just released. On a socket whose
// sending has failed or was shut down the bytes are dropped.
func (s *Socket) Send(b *Buffer) {
	s.c.send(b)
}

func (c *conn) send(b *Buffer) {
	if len(b.Data) == 0 || c.flags&(connSendEnd|connShut) != 0 {
		b.Release()
		return
	}
	b.next = nil
	if c.tail == nil {
		c.head = b
	} else {
		c.tail.next = b
	}
	c.tail = b
	c.queued += len(b.Data)
	c.loop.touch(c)
}

// SendStatic queues p, which nobody may change before it is sent. Nothing is copied.
func (s *Socket) SendStatic(p []byte) {
	b := s.c.loop.pool.view()
	b.Data = p[:len(p):len(p)]
	s.Send(b)
}

// Queued returns the number of bytes that Send or a relay to this socket took and the kernel did not take yet. It falls at the beginning
// of a turn.
func (s *Socket) Queued() int {
	c := s.c
	if c.feeder != nil {
		return c.queued + c.feeder.held
	}
	return c.queued
}

// NotifySent asks for one call of Sent(nil) as soon as at most `low` bytes are queued; at the next turn when this is so already.
// A new call replaces the one before.
func (s *Socket) NotifySent(low int) {
	c := s.c
	c.low = low
	c.flags |= connNotify
	c.loop.touch(c)
}

// Shutdown ends the sending direction after the queued bytes: the peer sees the end of the stream. Later Sends are dropped.
func (s *Socket) Shutdown() {
	c := s.c
	if c.flags&connShut == 0 {
		c.flags |= connShut
		c.loop.touch(c)
	}
}

// Close closes the socket after its queued bytes are sent, for which it waits in the background no longer than linger. It ends all callbacks. On
// a closed socket it does nothing.
func (s *Socket) Close(linger time.Duration) {
	c := s.c
	if c == nil {
		return
	}
	s.c = nil
	c.h = nil
	c.flags = c.flags&^(connReceive|connNotify) | connClosing
	c.dropRelays()
	c.dropHeld()
	if c.queued > 0 {
		if linger > 0 {
			c.loop.startLinger(c, linger)
		} else {
			c.flags |= connHasty
		}
	}
	c.loop.touch(c)
}

// Abort closes the socket at once: queued bytes are dropped and the peer of a TCP connection sees a reset. It ends all callbacks. On a closed
// socket it does nothing.
func (s *Socket) Abort() {
	c := s.c
	if c == nil {
		return
	}
	s.c = nil
	c.h = nil
	c.flags = c.flags&^(connReceive|connNotify) | connClosing | connReset
	c.dropRelays()
	c.dropHeld()
	c.loop.touch(c)
}

// Lifter gets a connection that was taken off its loop.
type Lifter interface {
	// Lifted is called on the loop's thread. The descriptor belongs to the callee. Held are bytes that were received and
	// that the owner did not get; end is why no more will come, nil as long as more may.
	Lifted(fd int, held []byte, end error)
}

// Lift takes the connection off its loop, to go on elsewhere: it closes the Socket, ends all callbacks, and calls Lifted
// when all that is queued is sent, or failed to be, and the kernel has nothing of the connection any more.
func (s *Socket) Lift(to Lifter) {
	c := s.c
	s.c = nil
	c.h = lifting{to}
	c.flags = c.flags&^(connReceive|connNotify) | connLifting
	c.loop.touch(c)
}

// lifting is the owner of a connection that is being lifted. What comes is held, for it does not receive.
type lifting struct{ to Lifter }

func (lifting) Connected(error)         {}
func (lifting) Received(*Buffer, error) {}
func (lifting) Sent(error)              {}

// lifted gives the connection away.
func (c *conn) lifted() {
	to, fd, end := c.h.(lifting).to, int(c.fd), c.end
	var held []byte
	for b := c.held; b != nil; b = b.next {
		held = append(held, b.Data...)
	}
	c.dropHeld()
	c.h = nil
	c.loop.conns.put(c)
	to.Lifted(fd, held, end)
}

// resetOnClose makes close(2) send a reset instead of a FIN.
func resetOnClose(fd int32) {
	unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1, Linger: 0})
}

// conn is the loop's side of a Socket. It outlives the Socket until all that the kernel was asked for is answered.
type conn struct {
	loop  *Loop
	h     Handler // nil once closed by its owner
	fd    int32
	flags uint32
	index uint32 // in connTable
	gen   uint32 // goes into completions; another one for each use of the entry

	head, tail *Buffer // to be sent; the first `flight` bytes are in the kernel's hands
	queued     int
	flight     int
	low        int   // see NotifySent
	res        int32 // with connAnswer

	held, heldTail *Buffer // received while paused
	end            error   // why receiving ended, while Received has not told it

	relay  *relay // from here
	feeder *relay // to here

	to        *Addr
	linger    *linger
	nextDirty *conn // in Loop.dirty, or in the free list
}

// Flags of a conn. Those from connArmed on belong to the engines, each of which has more of its own from connEngine on.
const (
	connOpen    = 1 << iota // the descriptor is ours
	connConnect             // to be connected, or on the way
	connReceive             // the owner wants to receive
	connNotify              // the owner waits for Sent(nil)
	connShut                // the owner asked for Shutdown
	connShutAt              // shutdown(2) was called
	connSendEnd             // sending has failed
	connRecvEnd             // end of stream or error received: nothing more to receive
	connClosing             // the owner has closed
	connHasty               // close after one attempt to send
	connReset               // close by a reset
	connDirty               // in Loop.dirty

	connSparing // receive one buffer at a time
	connFdGone  // the descriptor is closed; completions may still come
	connLifting // taken off the loop: see Lift

	connArmed   // io_uring: a receive is in the kernel; epoll: registered
	connStarved // in Loop.starved
	connBlocked // the socket has no room: io_uring sends with an answer, epoll waits for EPOLLOUT
	connDialing // a connect is in the kernel
	connEngine
)

// connRef names a conn in a list that it may have left meanwhile.
type connRef struct{ index, gen uint32 }

func (c *conn) ref() connRef { return connRef{c.index, c.gen} }

// starve makes c receive again when a buffer has come back.
func (l *Loop) starve(c *conn) {
	if c.flags&connStarved == 0 {
		c.flags |= connStarved
		l.starved = append(l.starved, c.ref())
	}
}

// feed wakes the starved ones when buffers have come back and the engine can receive again.
func (l *Loop) feed(can bool) {
	if !l.fed || !can || len(l.starved) == 0 {
		return
	}
	l.fed = false
	for _, r := range l.starved {
		if c := l.conns.find(r.index, r.gen); c != nil {
			c.flags &^= connStarved
			l.touch(c)
		}
	}
	l.starved = l.starved[:0]
}

// touch makes the engine look at c at the end of the turn.
func (l *Loop) touch(c *conn) {
	if c.flags&connDirty == 0 {
		c.flags |= connDirty
		c.nextDirty = l.dirty
		l.dirty = c
	}
}

// deliver hands received bytes to the owner, or keeps them while he has paused.
func (c *conn) deliver(b *Buffer) {
	switch {
	case c.h == nil:
		b.Release()
	case c.flags&connReceive != 0 && c.held == nil:
		c.hand(b)
	default:
		b.next = nil
		if c.held == nil {
			c.held = b
		} else {
			c.heldTail.next = b
		}
		c.heldTail = b
	}
}

// hand gives bytes to the owner, or to the relay that is to begin.
func (c *conn) hand(b *Buffer) {
	if c.relay != nil {
		c.relay.copy(b)
		return
	}
	c.h.Received(b, nil)
}

// ended tells the owner the end of receiving, now or when he has received what is held.
func (c *conn) ended(err error) {
	c.flags |= connRecvEnd
	if c.relay != nil {
		c.relay.end()
	}
	if c.h == nil {
		return
	}
	if c.flags&connReceive != 0 && c.held == nil {
		c.h.Received(nil, err)
		return
	}
	c.end = err
}

// unhold delivers what was held, after Receive.
func (c *conn) unhold() {
	for c.held != nil && c.flags&connReceive != 0 {
		b := c.held
		c.held, b.next = b.next, nil
		c.hand(b)
	}
	if c.end != nil && c.held == nil && c.flags&connReceive != 0 {
		err := c.end
		c.end = nil
		c.h.Received(nil, err)
	}
}

func (c *conn) dropHeld() {
	for c.held != nil {
		b := c.held
		c.held = b.next
		b.Release()
	}
	c.end = nil
}

// sent takes n bytes off the queue and releases the buffers that they fill.
func (c *conn) sent(n int) {
	c.queued -= n
	c.loop.sent += int64(n)
	if c.feeder != nil && c.queued == 0 {
		c.loop.touch(c.feeder.src) // its turn has come
	}
	for n > 0 {
		b := c.head
		if n < len(b.Data) {
			b.Data = b.Data[n:]
			return
		}
		n -= len(b.Data)
		c.head = b.next
		if c.head == nil {
			c.tail = nil
		}
		b.Release()
	}
}

func (c *conn) dropQueue() { c.sent(c.queued) }

// sendFailed drops what is queued and tells the owner.
func (c *conn) sendFailed(err error) {
	c.flags |= connSendEnd
	c.dropQueue()
	if c.h != nil {
		c.flags &^= connNotify
		c.h.Sent(err)
	}
}

func (c *conn) shutdown() {
	c.flags |= connShutAt
	c.loop.syscalls++
	unix.RawSyscall(unix.SYS_SHUTDOWN, uintptr(c.fd), unix.SHUT_WR, 0)
}

// drain throws away what was received but not read: else close(2) would reset the connection, and the peer might lose the end of what
// was sent to it.
func (c *conn) drain() {
	c.loop.syscalls++
	unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(c.fd), 0, drainBytes, unix.MSG_DONTWAIT|unix.MSG_TRUNC, 0, 0)
}

const drainBytes = 1 << 30

// notify answers NotifySent when it is time.
func (c *conn) notify() {
	if c.flags&connNotify != 0 && c.queued <= c.low {
		c.flags &^= connNotify
		c.h.Sent(nil)
	}
}

// eof is boxed once.
var eof error = io.EOF

// connTable gives out conns and finds them again by the index and generation that a completion carries. Their memory is never
// moved nor given back to the garbage collector: a completion may come late.
type connTable struct {
	chunks []*[connChunk]conn
	free   *conn
}

// connChunk makes a chunk as large as the allocator's blocks, less the word that the collector adds.
const connChunk = (8<<10 - 8) / unsafe.Sizeof(conn{})

func (t *connTable) take(l *Loop) *conn {
	if t.free == nil {
		chunk := new([connChunk]conn)
		first := uint32(len(t.chunks) * len(chunk))
		t.chunks = append(t.chunks, chunk)
		for i := range chunk {
			c := &chunk[i]
			c.loop, c.index = l, first+uint32(i)
			c.nextDirty, t.free = t.free, c
		}
	}
	c := t.free
	t.free, c.nextDirty = c.nextDirty, nil
	return c
}

// put makes c free; completions that still come for it are stale from now on.
func (t *connTable) put(c *conn) {
	c.dropQueue()
	c.endLinger()
	if c.to != nil {
		c.loop.addrs.put(c.to)
		c.to = nil
	}
	c.gen = (c.gen + 1) & genMask
	c.h, c.flags, c.fd, c.flight, c.low = nil, 0, -1, 0, 0
	c.nextDirty, t.free = t.free, c
}

func (t *connTable) find(index, gen uint32) *conn {
	chunk := index / uint32(connChunk)
	if int(chunk) >= len(t.chunks) {
		return nil
	}
	if c := &t.chunks[chunk][index%uint32(connChunk)]; c.gen == gen {
		return c
	}
	return nil
}

// linger limits how long a closed socket goes on sending.
type linger struct {
	timer Timer
	c     *conn
	next  *linger
}

func (l *Loop) startLinger(c *conn, d time.Duration) {
	g := l.lingering
	if g == nil {
		g = new(linger)
		g.timer.Init(l, g)
	} else {
		l.lingering = g.next
	}
	g.c, c.linger = c, g
	l.lingers++
	g.timer.Set(l.now + int64(d))
}

func (c *conn) endLinger() {
	if g := c.linger; g != nil {
		c.linger, g.c = nil, nil
		c.loop.lingers--
		g.timer.Stop()
		g.next, c.loop.lingering = c.loop.lingering, g
	}
}

// Expired gives the rest of the bytes up.
func (g *linger) Expired(*Timer) {
	c := g.c
	c.flags |= connHasty
	c.loop.touch(c)
}
