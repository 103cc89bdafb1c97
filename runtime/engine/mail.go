package engine

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/runtime/logger/syslog"
	"hapax/runtime/loop"
)

// Log-forward sections: connections and datagram sockets over which log messages come.

// mail is what a connection has sent of a message that is not complete yet.
type mail struct {
	c     *client
	begun []byte
}

// received takes the messages out of what came.
func (m *mail) received(b *loop.Buffer) {
	c := m.c
	defer b.Release()
	in := b.Data
	if len(m.begun) > 0 {
		m.begun = append(m.begun, in...)
		in = m.begun
	}
	px, w := c.Front, c.w
	c.setTimer(px.Timeout.Client)
	for {
		message, n, err := syslog.Next(in, px.Forward.Lines, w.limits.buffer)
		if err != nil {
			c.Counters(w.id).FailedReq.Inc()
			c.close(0)
			return
		}
		if n == 0 {
			break
		}
		logger.Receive(w.id, px, message, c.Client().Addr())
		in = in[n:]
	}
	if len(in) == 0 {
		m.begun = nil // an idle connection keeps nothing
		return
	}
	m.begun = append(m.begun[:0], in...)
}

// mailbox is a socket of datagrams, each of which is a message.
type mailbox struct {
	watch loop.Watch
	w     *worker
	ln    *runtime.Listener
	fd    int
	data  []byte
	from  unix.RawSockaddrAny // of the last one
}

// openMailbox begins to receive on one of the workers.
func (w *worker) openMailbox(ln *runtime.Listener) {
	if ln.Slot%len(w.engine.workers) != w.id {
		return
	}
	m := &mailbox{w: w, ln: ln, fd: w.engine.sockets[ln.Slot], data: make([]byte, w.limits.buffer)}
	w.mailboxes = append(w.mailboxes, m)
	w.loop.Watch(&m.watch, m.fd, unix.POLLIN, m)
}

// mailTurn is how many datagrams are taken in one turn of the loop.
const mailTurn = 64

// Ready takes what has come.
func (m *mailbox) Ready(uint32) {
	for range mailTurn {
		size := uint32(unsafe.Sizeof(m.from))
		n, _, err := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(m.fd), uintptr(unsafe.Pointer(&m.data[0])), uintptr(len(m.data)), unix.MSG_DONTWAIT,
			uintptr(unsafe.Pointer(&m.from)), uintptr(unsafe.Pointer(&size)))
		if err != 0 {
			return
		}
		logger.Receive(m.w.id, m.ln.Proxy, m.data[:n], m.sender())
	}
}

// sender is the address that the last datagram came from; not valid for UNIX sockets.
func (m *mailbox) sender() netip.Addr {
	switch m.from.Addr.Family {
	case unix.AF_INET:
		return netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(&m.from)).Addr)
	case unix.AF_INET6:
		return netip.AddrFrom16((*unix.RawSockaddrInet6)(unsafe.Pointer(&m.from)).Addr)
	}
	return netip.Addr{}
}

// close ends the socket.
func (m *mailbox) close() {
	m.watch.Close()
	m.ln.State.Store(int32(runtime.ListenerClosed))
	m.ln.Sock.Close()
	m.w.engine.accepts.Add(-1)
	m.w.engine.checkStopped()
}
