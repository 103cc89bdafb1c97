package process

import (
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// A link is a pair of stream sockets between a master and a worker over which
// whole connections travel as descriptors: to connect to the other side is to send
// it one end of a new socket pair. Both sides treat what comes as a connection to
// their command socket.

// newLink makes a link; the first end stays, the second one goes to the other process.
func newLink() (here, there *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	return linkEnd(fds[0]), linkEnd(fds[1]), nil
}

// linkEnd is the end of a link that this process uses.
func linkEnd(fd int) *os.File {
	unix.CloseOnExec(fd)
	unix.SetNonblock(fd, true)
	return os.NewFile(uintptr(fd), "link")
}

// sendDescriptor gives a descriptor to the other side of a link.
func sendDescriptor(link *os.File, fd int) error {
	raw, err := link.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(l uintptr) bool {
		failed = unix.Sendmsg(int(l), make([]byte, 2), unix.UnixRights(fd), nil, unix.MSG_NOSIGNAL)
		return failed != unix.EAGAIN
	})
	if err != nil {
		return err
	}
	return failed
}

// receiveDescriptor waits for a descriptor from the other side; io.EOF when it is gone.
func receiveDescriptor(link *os.File) (int, error) {
	raw, err := link.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd, failed := -1, error(nil)
	err = raw.Read(func(l uintptr) bool {
		var data [2]byte
		control := make([]byte, unix.CmsgSpace(4))
		n, controls, _, _, err := unix.Recvmsg(int(l), data[:], control, unix.MSG_CMSG_CLOEXEC)
		switch {
		case err == unix.EAGAIN:
			return false
		case err != nil:
			failed = err
		case n == 0:
			failed = io.EOF
		default:
			fd = firstRight(control[:controls])
		}
		return true
	})
	if err != nil {
		return -1, err
	}
	return fd, failed
}

// firstRight is the descriptor in a control message, -1 when there is none.
func firstRight(control []byte) int {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return -1
	}
	for i := range messages {
		if fds, err := unix.ParseUnixRights(&messages[i]); err == nil && len(fds) > 0 {
			return fds[0]
		}
	}
	return -1
}

// connect opens a connection to the command socket behind a link.
func connect(link *os.File) (net.Conn, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = sendDescriptor(link, fds[0])
	unix.Close(fds[0])
	if err != nil {
		unix.Close(fds[1])
		return nil, err
	}
	return fileConn(fds[1])
}

// fileConn makes a connection of a descriptor, which it takes over.
func fileConn(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "connection")
	defer f.Close()
	return net.FileConn(f)
}

// linkListener accepts the connections that come over a link.
type linkListener struct {
	link *os.File
	gone func() // called once when the other side has ended
}

// Accept waits for a connection.
func (l *linkListener) Accept() (net.Conn, error) {
	for {
		fd, err := receiveDescriptor(l.link)
		if err != nil {
			if err == io.EOF && l.gone != nil {
				l.gone()
			}
			return nil, net.ErrClosed
		}
		if fd < 0 {
			continue
		}
		if c, err := fileConn(fd); err == nil {
			return c, nil
		}
	}
}

// Close stops accepting.
func (l *linkListener) Close() error { return l.link.Close() }

// Addr names the link.
func (l *linkListener) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }
