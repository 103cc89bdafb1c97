package main

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"time"
)

// startBackend runs the server of all scenarios as a process of its own, and opens the
// socket that logs are sent to. Nobody reads them: the kernel drops what does not fit,
// after the proxy has paid for the sending.
func (b *bench) startBackend() (stop func(), err error) {
	logs, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b.logs = logs.LocalAddr().String()
	if b.server, err = freeAddr(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "backend", b.server)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait()
		logs.Close()
	}
	if err := awaitAccept(b.server); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

// awaitAccept waits until a server accepts.
func awaitAccept(addr string) error {
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp4", addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(end) {
			return err
		}
	}
}

// backend is the server: it answers each request with 55 bytes, or with 1 MiB for a path
// that begins with /big, or with 1 MiB of words for one that begins with /text.
func backend(addr string) {
	l, err := net.Listen("tcp4", addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
	small, big, text := answer(bytes.Repeat([]byte("x"), 55)), answer(bytes.Repeat([]byte("x"), 1<<20)), answer(words(1<<20))
	for {
		c, err := l.Accept()
		if err != nil {
			continue
		}
		go answerAll(c, small, big, text)
	}
}

func answer(body []byte) []byte {
	head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n", len(body))
	return append(head, body...)
}

// words is text that compresses about as well as pages do.
func words(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	known := make([][]byte, 500)
	for i := range known {
		for range 2 + r.IntN(8) {
			known[i] = append(known[i], 'a'+byte(r.IntN(26)))
		}
	}
	text := make([]byte, 0, size+16)
	for len(text) < size {
		text = append(append(text, known[int(float64(len(known))*r.Float64()*r.Float64())]...), ' ')
	}
	return text[:size]
}

func answerAll(c net.Conn, small, big, text []byte) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		body := small
		switch {
		case bytes.HasPrefix(line, []byte("GET /big")):
			body = big
		case bytes.HasPrefix(line, []byte("GET /text")):
			body = text
		}
		closing := false
		for len(line) > 2 {
			if line, err = r.ReadSlice('\n'); err != nil {
				return
			}
			closing = closing || bytes.EqualFold(line, []byte("connection: close\r\n"))
		}
		if _, err := c.Write(body); err != nil || closing {
			return
		}
	}
}
