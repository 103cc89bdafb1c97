package engine

import (
	"bytes"
	"net"
	goruntime "runtime"
	"sync"
	"testing"

	"hapax/runtime"
)

// answerAll answers every request on every connection with the same bytes,
// without allocating.
func answerAll(ln net.Listener, answer []byte) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 4096)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				for k := bytes.Count(buf[:n], []byte("\r\n\r\n")); k > 0; k-- {
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}
		}()
	}
}

// TestNoAllocation holds that a plain request through the real loop allocates nothing.
func TestNoAllocation(t *testing.T) {
	const clients, each = 8, 12500
	engines(t, func(t *testing.T, engine string) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
		go answerAll(ln, answer)
		r := start(t, engine, ln.Addr().String(), func(fe, be *runtime.Proxy) {
			fe.ForwardedFor = runtime.ForwardFor{On: true, Header: "x-forwarded-for"}
		})
		var warm, done, begin sync.WaitGroup
		warm.Add(clients)
		done.Add(clients)
		begin.Add(1)
		for range clients {
			c, err := net.Dial("tcp", r.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			go func() {
				defer done.Done()
				req := []byte("GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: x\r\n\r\n")
				buf := make([]byte, 4096)
				for i := range 100 + each {
					if i == 100 {
						warm.Done()
						begin.Wait()
					}
					if _, err := c.Write(req); err != nil {
						t.Error(err)
						return
					}
					if n, err := c.Read(buf); err != nil || !bytes.HasPrefix(buf[:n], []byte("HTTP/1.1 200")) {
						t.Errorf("%q %v", buf[:n], err)
						return
					}
				}
			}()
		}
		warm.Wait()
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		begin.Done()
		done.Wait()
		goruntime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > clients*each/1000 {
			t.Errorf("%d allocations in %d requests", n, clients*each)
		} else {
			t.Logf("%d allocations in %d requests", n, clients*each)
		}
	})
}
