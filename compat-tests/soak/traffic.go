package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// kind is one kind of traffic: run makes some requests and tells how many, and what
// went wrong. Only what should work is a failure.
type kind struct {
	name    string
	workers int
	run     func(t target) (requests int, err error)
}

// target is where the proxy listens.
type target struct{ http, tcp, tls string }

var kinds = []kind{
	{"keep-alive", 8, keepAlive},
	{"new connections", 4, newConnection},
	{"pipelining", 2, pipelined},
	{"bodies both ways", 4, echo},
	{"chunks both ways", 2, chunkedEcho},
	{"big bodies", 2, bigBody},
	{"slow servers", 2, slowServer},
	{"slow clients", 2, slowClient},
	{"TCP tunnels", 4, tunnel},
	{"clients that close in their body", 2, abortRequest},
	{"clients that reset in a response", 2, abortResponse},
	{"servers that cut their body", 1, cutResponse},
	{"servers that reset", 1, resetResponse},
}

const limit = 10 * time.Second // of each connection

func dial(addr string) (*net.TCPConn, *bufio.Reader, error) {
	c, err := net.DialTimeout("tcp4", addr, limit)
	if err != nil {
		return nil, nil, err
	}
	c.SetDeadline(time.Now().Add(limit))
	return c.(*net.TCPConn), bufio.NewReader(c), nil
}

// receive reads a response and checks that its body has n bytes, -1: as many as it says.
func receive(r *bufio.Reader, n int) ([]byte, error) {
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	switch {
	case res.StatusCode != 200:
		return nil, fmt.Errorf("status %d", res.StatusCode)
	case err != nil:
		return nil, err
	case n >= 0 && len(body) != n:
		return nil, fmt.Errorf("wrong length of the body")
	}
	return body, nil
}

func get(w io.Writer, path string) error {
	_, err := fmt.Fprintf(w, "GET %s HTTP/1.1\r\nhost: soak\r\n\r\n", path)
	return err
}

func keepAlive(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	n := 1 + rand.IntN(50)
	for i := range n {
		size := rand.IntN(2000)
		if err := get(c, fmt.Sprintf("/%d", size)); err != nil {
			return i + 1, err
		}
		if _, err := receive(r, size); err != nil {
			return i + 1, err
		}
	}
	return n, nil
}

func newConnection(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /100 HTTP/1.1\r\nhost: soak\r\nconnection: close\r\n\r\n"); err != nil {
		return 1, err
	}
	_, err = receive(r, 100)
	return 1, err
}

func pipelined(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	var b bytes.Buffer
	const n = 8
	for i := range n {
		get(&b, fmt.Sprintf("/%d", 10+i))
	}
	if _, err := c.Write(b.Bytes()); err != nil {
		return 1, err
	}
	for i := range n {
		if _, err := receive(r, 10+i); err != nil {
			return i + 1, err
		}
	}
	return n, nil
}

func echo(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	body := bytes.Repeat([]byte("abcdefgh"), 1+rand.IntN(10000))
	go func() {
		fmt.Fprintf(c, "POST /echo HTTP/1.1\r\nhost: soak\r\ncontent-length: %d\r\n\r\n", len(body))
		c.Write(body)
	}()
	got, err := receive(r, len(body))
	if err == nil && !bytes.Equal(got, body) {
		err = errors.New("the body changed")
	}
	return 1, err
}

func chunkedEcho(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	io.WriteString(c, "POST /chunks/echo HTTP/1.1\r\nhost: soak\r\ntransfer-encoding: chunked\r\n\r\n")
	var sent []byte
	for i := range 20 {
		part := bytes.Repeat([]byte{byte('a' + i)}, 1+rand.IntN(3000))
		sent = append(sent, part...)
		fmt.Fprintf(c, "%x\r\n%s\r\n", len(part), part)
	}
	io.WriteString(c, "0\r\n\r\n")
	got, err := receive(r, len(sent))
	if err == nil && !bytes.Equal(got, sent) {
		err = errors.New("the body changed")
	}
	return 1, err
}

func bigBody(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	if err := get(c, "/1048576"); err != nil {
		return 1, err
	}
	_, err = receive(r, 1<<20)
	return 1, err
}

func slowServer(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	if err := get(c, "/slow"); err != nil {
		return 1, err
	}
	_, err = receive(r, 100)
	return 1, err
}

// slowClient sends its head byte by byte and reads a large body through a small window.
func slowClient(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	c.SetReadBuffer(4096)
	for _, b := range []byte("GET /200000 HTTP/1.1\r\nhost: soak\r\n\r\n") {
		if _, err := c.Write([]byte{b}); err != nil {
			return 1, err
		}
		time.Sleep(time.Millisecond)
	}
	_, err = receive(bufio.NewReader(slow{r}), 200000)
	return 1, err
}

// slow reads a little at a time.
type slow struct{ r io.Reader }

func (s slow) Read(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	return s.r.Read(b[:min(len(b), 4096)])
}

func tunnel(t target) (int, error) {
	c, r, err := dial(t.tcp)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	sent := "tunnel\n" + strings.Repeat("x", rand.IntN(50000))
	go func() {
		io.WriteString(c, sent)
		c.CloseWrite()
	}()
	got, err := io.ReadAll(r)
	if err == nil && string(got) != sent {
		err = fmt.Errorf("the bytes changed")
	}
	return 1, err
}

func abortRequest(t target) (int, error) {
	c, _, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	io.WriteString(c, "POST /echo HTTP/1.1\r\nhost: soak\r\ncontent-length: 100000\r\n\r\nsome")
	time.Sleep(time.Duration(rand.IntN(5)) * time.Millisecond)
	if rand.IntN(2) == 0 {
		c.SetLinger(0)
	}
	return 1, c.Close()
}

func abortResponse(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	if err := get(c, "/1000000"); err != nil {
		return 1, err
	}
	r.Peek(1 + rand.IntN(2000))
	c.SetLinger(0)
	return 1, c.Close()
}

// cutResponse must not look complete, and resetResponse must be told by a 502.
func cutResponse(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	if err := get(c, "/cut"); err != nil {
		return 1, err
	}
	if _, err = receive(r, -1); err == nil {
		return 1, errors.New("a cut body looks whole")
	}
	return 1, nil
}

func resetResponse(t target) (int, error) {
	c, r, err := dial(t.http)
	if err != nil {
		return 1, err
	}
	defer c.Close()
	if err := get(c, "/reset"); err != nil {
		return 1, err
	}
	if _, err = receive(r, -1); err == nil || err.Error() != "status 502" && err.Error() != "status 503" {
		return 1, fmt.Errorf("a reset became %v", err)
	}
	return 1, nil
}

// failure is the kind of an error, without addresses.
func failure(err error) string {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.EPIPE):
		return "closed while sending"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "closed early"
	}
	return err.Error()
}
