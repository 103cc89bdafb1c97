package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// server is one of the servers behind the proxies. What it does stands in the path:
//
//	/N        N bytes
//	/chunks/N the same in chunks
//	/slow     100 bytes, ten at a time
//	/cut      fewer bytes than it says, then FIN
//	/reset    a reset instead of an answer
//
// A body of a request comes back as the body of the response.
type server struct {
	addr string

	mu    sync.Mutex
	l     net.Listener
	conns map[net.Conn]bool
}

func newServer() (*server, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: l.Addr().String(), conns: map[net.Conn]bool{}}
	s.accept(l)
	return s, nil
}

func (s *server) accept(l net.Listener) {
	s.mu.Lock()
	s.l = l
	s.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns[c] = true
			s.mu.Unlock()
			go func() {
				answerAll(c.(*net.TCPConn))
				c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			}()
		}
	}()
}

// die ends the listener and resets what it has accepted.
func (s *server) die() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.l.Close()
	for c := range s.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
}

// live listens again.
func (s *server) live() error {
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp4", s.addr); err == nil {
			s.accept(l)
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

func answerAll(c *net.TCPConn) {
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		if !strings.HasSuffix(line, " HTTP/1.1\r\n") { // a tunnel: it all comes back
			io.WriteString(c, line)
			io.Copy(c, r)
			c.CloseWrite()
			return
		}
		length, chunked := 0, false
		for h := line; h != "\r\n"; {
			if h, err = r.ReadString('\n'); err != nil {
				return
			}
			name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(h)), ": ")
			switch name {
			case "content-length":
				length, _ = strconv.Atoi(value)
			case "transfer-encoding":
				chunked = true
			}
		}
		var body []byte
		if chunked {
			body, err = readChunks(r)
		} else if length > 0 {
			body = make([]byte, length)
			_, err = io.ReadFull(r, body)
		}
		if err != nil || !answer(c, strings.Fields(line)[1], body) {
			return
		}
	}
}

// answer writes the response to a request and tells whether the connection goes on.
func answer(c *net.TCPConn, path string, body []byte) bool {
	n, _ := strconv.Atoi(path[strings.LastIndexByte(path, '/')+1:])
	if body == nil {
		body = bytes.Repeat([]byte("x"), n)
	}
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n", len(body))
	switch {
	case path == "/reset":
		c.SetLinger(0)
		return false
	case path == "/cut":
		io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nshort")
		return false
	case path == "/slow":
		io.WriteString(c, "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
		for range 10 {
			time.Sleep(5 * time.Millisecond)
			if _, err := io.WriteString(c, "xxxxxxxxxx"); err != nil {
				return false
			}
		}
		return true
	case strings.HasPrefix(path, "/chunks/"):
		io.WriteString(c, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
		for len(body) > 0 {
			k := min(len(body), 1000)
			fmt.Fprintf(c, "%x\r\n%s\r\n", k, body[:k])
			body = body[k:]
		}
		_, err := io.WriteString(c, "0\r\n\r\n")
		return err == nil
	}
	_, err := c.Write(append([]byte(head), body...))
	return err == nil
}

func readChunks(r *bufio.Reader) ([]byte, error) {
	body := []byte{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return nil, err
		}
		data := make([]byte, n+2)
		if _, err := io.ReadFull(r, data); err != nil {
			return nil, err
		}
		if n == 0 {
			return body, nil
		}
		body = append(body, data[:n]...)
	}
}
