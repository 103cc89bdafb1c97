package engine

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hapax/runtime"
	"hapax/runtime/message"
)

// countedParts answers requests by parts of 1000 bytes: as many as the path tells, for ever with "/".
func countedParts(made *atomic.Int64) runtime.Exec {
	part := strings.Repeat("x", 1000)
	return func(s *runtime.Stream) runtime.Verdict {
		left := -1
		fmt.Sscanf(string(s.Req.PathQuery()), "/%d", &left)
		s.Reply = &runtime.Reply{Status: 200, Kind: runtime.ReplyLocal, Chunked: s.Req.Flags&message.Version11 != 0, Parts: func(b []byte) ([]byte, bool) {
			made.Add(1)
			if left == 0 {
				return b, true
			}
			left--
			return append(b, part...), left == 0
		}}
		if s.Reply.Chunked {
			s.Reply.Fixed = [][2]string{{"transfer-encoding", "chunked"}}
		}
		return runtime.Done
	}
}

// TestParts pulls answers that are made piece by piece: of any length, by any version, one behind the other.
func TestParts(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		var made atomic.Int64
		r := start(t, engine, "127.0.0.1:1", func(fe, be *runtime.Proxy) {
			fe.HTTPReq = runtime.Ruleset{{Do: countedParts(&made)}}
		})
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(time.Minute))
		br := bufio.NewReader(c)
		var wants []int
		for _, n := range []int{0, 1, 17, 3000, 2} {
			fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", n)
			fmt.Fprintf(c, "HEAD /%d HTTP/1.1\r\nHost: a\r\n\r\n", n)
			wants = append(wants, n)
		}
		for _, n := range wants {
			for _, method := range []string{"GET", "HEAD"} {
				before := made.Load()
				res, err := http.ReadResponse(br, &http.Request{Method: method})
				if err != nil {
					t.Fatal(err)
				}
				length, err := io.Copy(io.Discard, res.Body)
				switch {
				case err != nil:
					t.Errorf("%s /%d: %v", method, n, err)
				case method == "HEAD" && (length != 0 || made.Load() > before && n == 2):
					t.Errorf("HEAD /%d: a body was made", n)
				case method == "GET" && length != int64(1000*n):
					t.Errorf("GET /%d: %d bytes", n, length)
				}
			}
		}
		old, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer old.Close()
		fmt.Fprintf(old, "GET /5000 HTTP/1.0\r\n\r\n")
		all, err := io.ReadAll(old)
		if _, body, _ := strings.Cut(string(all), "\r\n\r\n"); err != nil || len(body) != 5000000 {
			t.Errorf("HTTP/1.0: %d bytes, %v", len(body), err)
		}
	})
}

// TestPartsWait lets a client ask for an answer without an end and not read it: little of it is made, others are served
// meanwhile, and nothing is made any more once it has left.
func TestPartsWait(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		var endless, short atomic.Int64
		r := start(t, engine, "127.0.0.1:1", func(fe, be *runtime.Proxy) {
			all, few := countedParts(&endless), countedParts(&short)
			fe.HTTPReq = runtime.Ruleset{{Do: func(s *runtime.Stream) runtime.Verdict {
				if string(s.Req.URI()) == "/" {
					return all(s)
				}
				return few(s)
			}}}
		})
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(4096)
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if _, err := io.ReadFull(c, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			res, err := http.Get("http://" + r.addr + "/3")
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, res.Body); n != 3000 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			res.Body.Close()
		}
		if n := endless.Load(); n > 20000 {
			t.Errorf("%d parts were made for a client that does not read", n)
		}
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
		front := &r.cfg.Proxies[0].Live.Front[0]
		for end := time.Now().Add(time.Minute); front.CliAborts.Load() == 0; {
			if time.Now().After(end) {
				t.Fatal("the client that left is not counted")
			}
			http.Get("http://" + r.addr + "/0")
		}
		left := endless.Load()
		http.Get("http://" + r.addr + "/0")
		if n := endless.Load(); n != left {
			t.Errorf("%d parts were made for a client that has left", n-left)
		}
	})
}

// TestPartsReset reads from answers without an end over HTTP/2 and resets them.
func TestPartsReset(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		var made atomic.Int64
		r := start(t, engine, "127.0.0.1:1", func(fe, be *runtime.Proxy) {
			fe.HTTPReq = runtime.Ruleset{{Do: countedParts(&made)}}
		})
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		defer transport.CloseIdleConnections()
		client := http.Client{Transport: transport}
		for range 50 {
			res, err := client.Get("http://" + r.addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(res.Body, make([]byte, 300000)); err != nil {
				t.Error(err)
			}
			res.Body.Close()
		}
		res, err := client.Get("http://" + r.addr + "/2000")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); n != 2000000 || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
