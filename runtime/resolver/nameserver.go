package resolver

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// nameserver is one name server, over UDP or TCP.
type nameserver struct {
	name   string
	addr   netip.AddrPort
	stream bool
	count  Counters

	mu   sync.Mutex
	conn net.Conn // nil: none stands; with a stream, one is made for the next question
	out  bool     // closed for good
}

// Counters are those of "show resolvers", of one name server. Section 9.3 of the management guide.
type Counters struct {
	Sent, SendError, Valid, Update, CName, CNameError, AnyErr, NX, Refused, Other, Invalid, TooBig, Truncated, Outdated atomic.Uint64
}

// answer is what a name server has sent.
type answer struct {
	from *nameserver
	data []byte
}

const dialTimeout = 3 * time.Second

// listen opens the socket of a name server that is asked by datagrams. Streams are opened by their first question.
func (ns *nameserver) listen(s *Section) {
	if !ns.stream {
		ns.open(s)
	}
}

// open makes a connection and reads from it until it ends.
func (ns *nameserver) open(s *Section) error {
	network := "udp"
	if ns.stream {
		network = "tcp"
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).Dial(network, ns.addr.String())
	if err != nil {
		return err
	}
	ns.mu.Lock()
	defer ns.mu.Unlock()
	if ns.out {
		conn.Close()
		return net.ErrClosed
	}
	ns.conn = conn
	go ns.read(s, conn)
	return nil
}

func (ns *nameserver) close() {
	ns.mu.Lock()
	defer ns.mu.Unlock()
	ns.out = true
	if ns.conn != nil {
		ns.conn.Close()
	}
}

// ask sends a question. Connecting must not hold up the section's goroutine, so streams do all in one of their own.
func (ns *nameserver) ask(s *Section, question []byte) {
	if ns.stream {
		go ns.send(s, question)
		return
	}
	ns.send(s, question)
}

func (ns *nameserver) send(s *Section, question []byte) {
	ns.mu.Lock()
	conn := ns.conn
	ns.mu.Unlock()
	if conn == nil {
		if ns.open(s) != nil {
			ns.count.SendError.Add(1)
			return
		}
		ns.mu.Lock()
		conn = ns.conn
		ns.mu.Unlock()
		if conn == nil {
			ns.count.SendError.Add(1)
			return
		}
	}
	if ns.stream {
		question = append(binary.BigEndian.AppendUint16(nil, uint16(len(question))), question...)
	}
	_, err := conn.Write(question)
	if errors.Is(err, syscall.ECONNREFUSED) {
		_, err = conn.Write(question) // that was about the question before
	}
	if err != nil {
		ns.count.SendError.Add(1)
		return
	}
	ns.count.Sent.Add(1)
}

// read hands over what the name server sends.
func (ns *nameserver) read(s *Section, conn net.Conn) {
	defer func() {
		conn.Close()
		ns.mu.Lock()
		if ns.conn == conn {
			ns.conn = nil
		}
		ns.mu.Unlock()
	}()
	for {
		data, err := ns.next(conn)
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			continue // nobody listened there when the last question came
		case err != nil:
			return
		}
		select {
		case s.answers <- answer{ns, data}:
		case <-s.stop:
			return
		}
	}
}

// next is one message.
func (ns *nameserver) next(conn net.Conn) ([]byte, error) {
	if !ns.stream {
		data := make([]byte, mostPayload)
		n, err := conn.Read(data)
		return data[:n:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	data := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, data)
	return data, err
}
