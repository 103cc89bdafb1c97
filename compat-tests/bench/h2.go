package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// plainH2 goes to a server that speaks HTTP/2.
const plainH2 = `frontend f
    bind %s
    default_backend b
backend b
    server s %s proto h2
`

// encryptedH2 lets clients choose HTTP/2 in TLS.
const encryptedH2 = `frontend f
    bind %s ssl crt CERTS/ec.pem alpn h2
    default_backend b
backend b
    server s %s
`

// h2Scenarios are the rows about HTTP/2.
var h2Scenarios = []scenario{
	{name: "HTTP/2, 16 clients of 32 streams: CPU us per request", config: threads(1, busy), measure: h2Requests((*process).url), format: micros},
	{name: "HTTP/2 over TLS, 16 clients of 32 streams: CPU us per request", config: threads(1, encryptedH2), measure: h2Requests((*process).secureURL), format: micros},
	{name: "HTTP/2 on both sides, 16 clients of 32 streams: CPU us per request", config: threads(1, plainH2), server: nghttpd, measure: h2Requests((*process).url), format: micros},
	{name: "HTTP/2, 1 MiB bodies: MiB per CPU second", config: threads(1, plain), measure: h2Bodies, format: whole},
	{name: "HTTP/2 on both sides, 1 MiB bodies: MiB per CPU second", config: threads(1, plainH2), server: nghttpd, measure: h2Bodies, format: whole},
	{name: "2,000 idle HTTP/2 connections: bytes of memory each", config: threads(1, plain), measure: h2Idle(dialClear), format: whole},
	{name: "2,000 idle HTTP/2 connections over TLS: bytes of memory each", config: threads(1, encryptedH2), measure: h2Idle(dialTLS), format: whole},
	{name: "8 clients of 100 streams that nobody reads, 1 MiB each: KiB of memory for a stream", config: threads(1, plain), measure: h2Held, format: micros},
}

// nghttpd is the server of HTTP/2, with the answers of the other one.
func nghttpd(b *bench) (addr string, stop func(), err error) {
	docs := filepath.Join(b.dir, "docs")
	if err := os.MkdirAll(filepath.Join(docs, "api"), 0o777); err != nil {
		return "", nil, err
	}
	for name, size := range map[string]int{"api/small": 55, "big": 1 << 20} {
		if err := os.WriteFile(filepath.Join(docs, name), bytes.Repeat([]byte("x"), size), 0o666); err != nil {
			return "", nil, err
		}
	}
	if addr, err = freeAddr(); err != nil {
		return "", nil, err
	}
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("nghttpd", "--no-tls", "-a", host, "-d", docs, "-m", "1000", port)
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		cmd.Process.Kill()
		cmd.Wait()
	}
	return addr, stop, awaitAccept(addr)
}

// h2Requests is microseconds of CPU for each request.
func h2Requests(url func(p *process, path string) string) func(*bench, *process, float64) (float64, error) {
	return func(b *bench, p *process, _ float64) (float64, error) {
		l, err := b.h2load(p, "-c16", "-m32", url(p, "/api/small"))
		return l.cpu.Seconds() * 1e6 / l.requests, err
	}
}

// h2Bodies is MiB passed on for each second of CPU.
func h2Bodies(b *bench, p *process, _ float64) (float64, error) {
	l, err := b.h2load(p, "-c4", "-m4", p.url("/big"))
	return l.requests / l.cpu.Seconds(), err
}

var h2loadRequests = regexp.MustCompile(`requests: .* (\d+) succeeded, (\d+) failed`)

// h2load warms the program up and then loads it for the duration.
func (b *bench) h2load(p *process, args ...string) (l load, err error) {
	if out, err := exec.Command("h2load", append([]string{"-t1", "-D1s"}, args...)...).CombinedOutput(); err != nil {
		return l, fmt.Errorf("h2load: %w\n%s", err, out)
	}
	before, err := p.cpu()
	if err != nil {
		return l, err
	}
	out, err := exec.Command("h2load", append([]string{"-t1", "-D" + strconv.Itoa(int(b.duration/time.Second)) + "s"}, args...)...).CombinedOutput()
	if err != nil {
		return l, fmt.Errorf("h2load: %w\n%s", err, out)
	}
	after, err := p.cpu()
	l.cpu = after - before
	if got := h2loadRequests.FindSubmatch(out); got != nil && string(got[2]) == "0" {
		l.requests, _ = strconv.ParseFloat(string(got[1]), 64)
		return l, err
	}
	return l, fmt.Errorf("h2load said %s", out)
}

// h2Conn is a connection that speaks HTTP/2 to the program.
type h2Conn struct {
	net.Conn
	*http2.Framer
}

func dialClear(addr string) (net.Conn, error) { return net.Dial("tcp4", addr) }

func dialTLS(addr string) (net.Conn, error) {
	return tls.Dial("tcp4", addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
}

// newH2Conn opens a connection and says the preface.
func newH2Conn(dial func(string) (net.Conn, error), addr string) (*h2Conn, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	h := &h2Conn{Conn: c, Framer: http2.NewFramer(c, c)}
	if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
		return nil, err
	}
	return h, h.WriteSettings()
}

// get asks for a path on a stream.
func (h *h2Conn) get(id uint32, path string) error {
	var head bytes.Buffer
	e := hpack.NewEncoder(&head)
	for _, f := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", path}} {
		e.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return h.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: head.Bytes(), EndStream: true, EndHeaders: true})
}

// await reads up to a frame that found says yes to.
func (h *h2Conn) await(found func(http2.Frame) bool) error {
	for {
		f, err := h.ReadFrame()
		if err != nil {
			return err
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				h.WriteSettingsAck()
			}
		case *http2.GoAwayFrame:
			return errors.New(f.String())
		}
		if found(f) {
			return nil
		}
	}
}

func endsStream(f http2.Frame) bool {
	return f.Header().Type == http2.FrameData && f.Header().Flags.Has(http2.FlagDataEndStream)
}

// h2Idle is the resident memory that connections add which had an answer and wait.
func h2Idle(dial func(string) (net.Conn, error)) func(*bench, *process, float64) (float64, error) {
	return func(_ *bench, p *process, _ float64) (float64, error) {
		const warm, n = 100, 2000
		return adds(p, warm, n, func() (io.Closer, error) {
			h, err := newH2Conn(dial, p.addr)
			if err != nil {
				return nil, err
			}
			if err := h.get(1, "/api/small"); err != nil {
				return nil, err
			}
			return h, h.await(endsStream)
		})
	}
}

// h2Held is the resident memory, in KiB, for each stream of clients that ask for much and take little: the window of the
// connection stays shut, those of the streams are open.
func h2Held(_ *bench, p *process, _ float64) (float64, error) {
	const warm, n, streams = 1, 8, 100
	v, err := adds(p, warm, n, func() (io.Closer, error) {
		h, err := newH2Conn(dialClear, p.addr)
		if err != nil {
			return nil, err
		}
		if err := h.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}); err != nil {
			return nil, err
		}
		for i := range uint32(streams) {
			if err := h.get(2*i+1, "/big"); err != nil {
				return nil, err
			}
		}
		left := 65535 // the window of the connection
		return h, h.await(func(f http2.Frame) bool {
			if f.Header().Type == http2.FrameData {
				left -= int(f.Header().Length)
			}
			return left == 0
		})
	})
	return v / 1024 / streams, err
}

// adds is the resident memory that each of n things adds, once there are some.
func adds(p *process, warm, n int, open func() (io.Closer, error)) (float64, error) {
	var all []io.Closer
	defer func() {
		for _, c := range all {
			c.Close()
		}
	}()
	var before int64
	for i := range warm + n {
		if i == warm {
			var err error
			if before, err = p.resident(); err != nil {
				return 0, err
			}
		}
		c, err := open()
		if err != nil {
			return 0, err
		}
		all = append(all, c)
	}
	time.Sleep(time.Second) // what is on its way arrives
	after, err := p.resident()
	return float64(after-before) / float64(n), err
}
