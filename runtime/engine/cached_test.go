package engine

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hapax/runtime"
	"hapax/runtime/cache"
)

// pageOf is what the server has at a path: every byte is told by the path and its place.
func pageOf(path string) []byte {
	h := fnv.New64()
	io.WriteString(h, path)
	r := rand.New(rand.NewPCG(h.Sum64(), 1))
	return bytesOf(r, []int{0, 10, 3000, 20000, 100000, 300000}[r.IntN(6)])
}

// TestCached lets many clients ask for few pages, of which a small cache has to drop some all the time, and leave in the middle of an
// answer now and then. Nothing may be mixed up, and no entry be held at the end.
func TestCached(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		for threads := 1; threads <= 2; threads++ {
			cached(t, engine, threads)
		}
	})
}

func cached(t *testing.T, engine string, threads int) {
	var asked atomic.Int64
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		page := pageOf(req.URL.Path)
		w.Header().Set("Cache-Control", "max-age=60")
		if len(page)%3 == 0 {
			w.Header().Set("Content-Length", fmt.Sprint(len(page)))
		}
		for len(page) > 0 {
			n := min(len(page), 7000)
			if _, err := w.Write(page[:n]); err != nil {
				return
			}
			page = page[n:]
		}
	}))
	defer origin.Close()
	c := cache.New("c", 1)
	c.MaxAge, c.MaxObject = 60, 400<<10
	r := startThreads(t, engine, threads, origin.Listener.Addr().String(), func(fe, be *runtime.Proxy) {
		be.HTTPReq = runtime.Ruleset{{Do: func(s *runtime.Stream) runtime.Verdict { c.Use(s); return runtime.Continue }}}
		be.HTTPRes = runtime.Ruleset{{Do: func(s *runtime.Stream) runtime.Verdict { c.Store(s); return runtime.Continue }}}
	})
	var all sync.WaitGroup
	const clients, requests, pages = 6, 30, 20
	for n := range clients {
		all.Go(func() { askForPages(t, r.addr, rand.New(rand.NewPCG(uint64(n), 7)), requests, pages) })
	}
	all.Wait()
	hits := uint64(0)
	for i := range r.cfg.Proxies[1].Live.Back {
		hits += r.cfg.Proxies[1].Live.Back[i].Cache.Hits.Load()
	}
	if hits == 0 || asked.Load() >= clients*requests {
		t.Errorf("%d hits, the server was asked %d times", hits, asked.Load())
	}
	for end := time.Now().Add(patience); c.Busy() > 0; {
		if time.Now().After(end) {
			t.Fatalf("%d blocks are held for ever", c.Busy())
		}
	}
}

func askForPages(t *testing.T, addr string, r *rand.Rand, requests, pages int) {
	for range requests {
		path := fmt.Sprintf("/%d", r.IntN(pages))
		if r.IntN(10) == 0 {
			leave(t, addr, path, r.IntN(50000))
			continue
		}
		res, err := http.Get("http://" + addr + path)
		if err != nil {
			t.Error(err)
			return
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if want := pageOf(path); err != nil || !bytes.Equal(got, want) || res.StatusCode != 200 {
			t.Errorf("%s: status %d, %d of %d bytes, age %q, %v%s", path, res.StatusCode, len(got), len(want), res.Header.Get("Age"), err, firstDifference(got, want))
			return
		}
	}
}

// leave asks for a page and goes when so much of it has come.
func leave(t *testing.T, addr, path string, after int) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, addr)
	io.CopyN(io.Discard, c, int64(after))
}
