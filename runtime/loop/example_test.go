package loop_test

import (
	"fmt"
	"net"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime/loop"
)

// tunnel is a client connection and the server connection that it is joined to. Bytes go through without being copied: the buffer that
// one socket has received is what the other one sends.
type tunnel struct {
	client, server half
}

// half is one of the two sockets; peer is the other one.
type half struct {
	loop.Socket
	peer  *half
	ended bool // nothing more will be received
}

const highWater, lowWater = 256 << 10, 64 << 10

func (h *half) Connected(err error) {
	if err != nil {
		h.close()
		return
	}
	h.Receive()
	h.peer.Receive()
}

func (h *half) Received(b *loop.Buffer, err error) {
	switch {
	case err != nil:
		h.ended = true
		h.peer.Shutdown() // the other direction goes on
		if h.peer.ended {
			h.close()
		}
	default:
		h.peer.Send(b)
		if h.peer.Queued() > highWater {
			h.Pause()
			h.peer.NotifySent(lowWater)
		}
	}
}

func (h *half) Sent(err error) {
	if err != nil {
		h.close()
		return
	}
	h.peer.Receive()
}

func (h *half) close() {
	h.Close(time.Second)
	h.peer.Close(time.Second)
}

// proxy accepts clients and joins each to the server.
type proxy struct {
	l        *loop.Loop
	listener loop.Listener
	to       loop.Addr
}

func (p *proxy) Accepted(fd int, _ *loop.Addr) {
	out, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		unix.Close(fd)
		return
	}
	t := &tunnel{}
	t.client.peer, t.server.peer = &t.server, &t.client
	t.client.Open(p.l, fd, &t.client)
	t.server.Connect(p.l, out, &p.to, &t.server)
}

func (p *proxy) AcceptFailed(error) {}
func (p *proxy) Released()          { p.l.Stop() }

// A layer 4 proxy in front of a server that sends back what it gets.
func Example() {
	server, _ := net.Listen("tcp", "127.0.0.1:0")
	go func() {
		c, _ := server.Accept()
		buf := make([]byte, 100)
		for {
			n, err := c.Read(buf)
			if err != nil {
				fmt.Println("server:", err)
				c.Close()
				return
			}
			c.Write(append([]byte("echo of "), buf[:n]...))
		}
	}()

	type started struct {
		l       *loop.Loop
		address *net.TCPAddr
	}
	start := make(chan started)
	p := &proxy{to: loop.AddrFrom(server.Addr().(*net.TCPAddr).AddrPort())}
	finished := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		l, _ := loop.New(loop.Options{})
		fd, _ := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		unix.Listen(fd, 100)
		local, _ := loop.LocalAddr(fd)
		p.l = l
		l.Listen(&p.listener, fd, p)
		start <- started{l, net.TCPAddrFromAddrPort(local.AddrPort())}
		l.Run()
		l.Close()
		close(finished)
	}()

	s := <-start
	c, _ := net.DialTCP("tcp", nil, s.address)
	c.Write([]byte("hello"))
	buf := make([]byte, 100)
	n, _ := c.Read(buf)
	fmt.Println("client:", string(buf[:n]))
	c.CloseWrite()
	_, err := c.Read(buf)
	fmt.Println("client:", err)

	s.l.PostFunc(func() { p.listener.Close() })
	<-finished
	// Output:
	// client: echo of hello
	// server: EOF
	// client: EOF
}
