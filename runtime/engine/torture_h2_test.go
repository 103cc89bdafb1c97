package engine

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"golang.org/x/net/http2"

	"hapax/runtime"
)

// The tests of this file are those of random exchanges where one side or both speak HTTP/2, in the words of Go's own
// client and server: many requests at once on a connection, whose bytes are cut anywhere, with resets of streams and
// ends of connections at random places.

// cutConn is a connection whose bytes are written and read in random pieces.
type cutConn struct {
	net.Conn
	most   int
	wr, rd *rand.Rand // one goroutine writes while another one reads
}

func (tt *torture) cut(c net.Conn, n uint64) net.Conn {
	r := tt.rand(n)
	return &cutConn{c, 1 << (6 + r.IntN(10)), tt.rand(n + 1), tt.rand(n + 2)}
}

func (c *cutConn) Write(p []byte) (int, error) {
	for at := 0; at < len(p); {
		n := 1 + c.wr.IntN(min(c.most, len(p)-at))
		if _, err := c.Conn.Write(p[at : at+n]); err != nil {
			return at, err
		}
		at += n
	}
	return len(p), nil
}

func (c *cutConn) Read(p []byte) (int, error) {
	return c.Conn.Read(p[:1+c.rd.IntN(min(c.most, len(p)))])
}

// cutListener cuts what it accepts.
type cutListener struct {
	net.Listener
	tt *torture
	n  uint64
}

func (l *cutListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.n += 3
	return l.tt.cut(c, l.n<<40), nil
}

// exchanged is a request and its response, as they are to be.
type exchanged struct {
	id               int
	method           string
	status           int
	reqBody, resBody []byte
	lengths          bool // are announced
	trailers         bool
	hints            int // 103 before the response
	early            bool
	slow             bool
	clientAt         int  // bytes of the response behind which the client resets its stream; -1: it does not
	serverAt         int  // bytes of the response behind which the server breaks it off; -1: it does not
	doomed           bool // its connection ends early
}

func (x *exchanged) String() string {
	return fmt.Sprintf("exchange %d (%s %d -> %d %d, client at %d, server at %d, early %v, doomed %v)", x.id, x.method, len(x.reqBody), x.status, len(x.resBody),
		x.clientAt, x.serverAt, x.early, x.doomed)
}

func (x *exchanged) sound() bool { return x.clientAt < 0 && x.serverAt < 0 && !x.doomed }

func (tt *torture) exchange(r *rand.Rand) *exchanged {
	x := &exchanged{id: int(tt.ids.Add(1)), clientAt: -1, serverAt: -1}
	x.method = []string{"GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE"}[r.IntN(7)]
	x.status = []int{200, 200, 200, 404, 204, 304, 500}[r.IntN(7)]
	if x.method == "POST" || x.method == "PUT" {
		x.reqBody = bytesOf(r, size(r, tt.body))
		x.early = len(x.reqBody) > 0 && r.IntN(6) == 0
	}
	if x.status != 204 && x.status != 304 {
		x.resBody = bytesOf(r, size(r, tt.body))
	}
	x.lengths, x.trailers, x.slow, x.hints = r.IntN(2) == 0, r.IntN(4) == 0, r.IntN(8) == 0, r.IntN(8)/6
	if x.trailers {
		x.early = false // Go's server ends the connection for trailers of a request that it has answered
	}
	if tt.faults && len(x.resBody) > 0 && x.method != "HEAD" && r.IntN(3) == 0 {
		if r.IntN(2) == 0 {
			x.clientAt = r.IntN(len(x.resBody))
		} else {
			x.serverAt = r.IntN(len(x.resBody))
		}
	}
	tt.plans.Store(x.id, x)
	return x
}

// ServeHTTP is the server's side of an exchange.
func (tt *torture) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	tt.busy.Add(1)
	defer tt.busy.Add(-1)
	id, _ := strconv.Atoi(req.Header.Get("X-Id"))
	v, ok := tt.plans.Load(id)
	if !ok {
		tt.Errorf("the server was asked for %q", req.URL)
		return
	}
	x := v.(*exchanged)
	r := tt.rand(uint64(id) << 20)
	if req.Method != x.method || req.Host != "a" {
		tt.Errorf("%s: %s of %q", x, req.Method, req.Host)
	}
	if !x.early {
		got, err := io.ReadAll(req.Body)
		if x.doomed && bytes.HasPrefix(x.reqBody, got) && err != nil {
			panic(http.ErrAbortHandler)
		}
		if err != nil || !bytes.Equal(got, x.reqBody) {
			tt.Errorf("%s: the server got %d bytes (%v)%s", x, len(got), err, firstDifference(got, x.reqBody))
		}
		if want := x.trailers && len(x.reqBody) > 0; (req.Trailer.Get("X-Sum") == "1") != want && !x.lengths {
			tt.Errorf("%s: trailers of the request are %v", x, req.Trailer)
		}
	}
	for range x.hints {
		w.WriteHeader(103)
	}
	w.Header().Set("X-Id", strconv.Itoa(id))
	if x.lengths && x.status != 204 && x.status != 304 {
		w.Header().Set("Content-Length", strconv.Itoa(len(x.resBody)))
	}
	w.WriteHeader(x.status)
	body := x.resBody
	if x.serverAt >= 0 {
		body = body[:x.serverAt]
	}
	if req.Method != "HEAD" {
		for most := 1 + len(body)/20 + r.IntN(20000); len(body) > 0; {
			n := 1 + r.IntN(min(most, len(body)))
			if _, err := w.Write(body[:n]); err != nil {
				if x.sound() && !tt.Failed() {
					tt.Errorf("%s: the server could not send its response: %v", x, err)
				}
				return
			}
			body = body[n:]
			if r.IntN(4) == 0 {
				w.(http.Flusher).Flush()
			}
		}
	}
	if x.serverAt >= 0 {
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	if x.trailers {
		w.(http.Flusher).Flush() // else a short response has a length, and no trailers
		w.Header().Set(http.TrailerPrefix+"X-Sum", "1")
	}
}

// ask is the client's side of an exchange.
func (tt *torture) ask(x *exchanged, client http.RoundTripper) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var body io.Reader
	if x.reqBody != nil {
		body = bytes.NewReader(x.reqBody)
		if !x.lengths {
			body = io.NopCloser(body) // hides its length
		}
	}
	req, err := http.NewRequestWithContext(ctx, x.method, fmt.Sprintf("http://%s/%d", tt.addr, x.id), body)
	if err != nil {
		tt.Error(err)
		return
	}
	req.Host = "a"
	req.Header.Set("X-Id", strconv.Itoa(x.id))
	if x.trailers && len(x.reqBody) > 0 && !x.lengths {
		req.Trailer = http.Header{"X-Sum": {"1"}}
	}
	res, err := client.RoundTrip(req)
	if !x.sound() {
		tt.faulty.Add(1)
		if err == nil {
			tt.endure(x, res, cancel)
		}
		if ctx.Err() == context.DeadlineExceeded {
			tt.Errorf("%s: hangs", x)
		}
		return
	}
	tt.sound.Add(1)
	if err != nil {
		tt.Errorf("%s: no response: %v", x, err)
		return
	}
	defer res.Body.Close()
	if id := res.Header.Get("X-Id"); res.StatusCode != x.status || id != strconv.Itoa(x.id) {
		tt.Errorf("%s: status %d of %s", x, res.StatusCode, id)
		return
	}
	var in io.Reader = res.Body
	if x.slow {
		in = &slow{in, 1000 + len(x.resBody)/100}
	}
	want := x.resBody
	if x.method == "HEAD" {
		want = nil
	}
	got, err := io.ReadAll(in)
	if err != nil || !bytes.Equal(got, want) {
		tt.Errorf("%s: got %d bytes, %v%s", x, len(got), err, firstDifference(got, want))
	}
	if len(want) > 0 && x.trailers && !x.lengths && res.Trailer.Get("X-Sum") != "1" {
		tt.Errorf("%s: trailers of the response are %v", x, res.Trailer)
	}
}

// endure reads what comes of an exchange that is to fail: the beginning of what was sent, or an error.
func (tt *torture) endure(x *exchanged, res *http.Response, cancel func()) {
	defer res.Body.Close()
	if x.clientAt >= 0 {
		io.CopyN(io.Discard, res.Body, int64(x.clientAt))
		cancel()
		return
	}
	got, err := io.ReadAll(res.Body)
	switch {
	case res.StatusCode >= 500 && res.StatusCode != x.status:
	case !bytes.HasPrefix(x.resBody, got):
		tt.Errorf("%s: got %d bytes, %v%s", x, len(got), err, firstDifference(got, x.resBody))
	case x.serverAt >= 0 && err == nil && res.ContentLength < 0 && len(got) < len(x.resBody):
		tt.Errorf("%s: a response that was broken off after %d bytes looks whole", x, len(got))
	}
}

// clientH2 makes one connection, with some exchanges at a time.
func (tt *torture) clientH2(n uint64) {
	r := tt.rand(n)
	c, err := net.Dial("tcp", tt.addr)
	if err != nil {
		tt.Error(err)
		return
	}
	defer c.Close()
	tr := &http2.Transport{AllowHTTP: true, DisableCompression: true, MaxReadFrameSize: 1 << (14 + r.Uint32N(4))}
	client, err := tr.NewClientConn(tt.cut(c, n<<32))
	if err != nil {
		tt.Error(err)
		return
	}
	doom := tt.faults && r.IntN(5) == 0
	var all sync.WaitGroup
	for range 1 + r.IntN(8) {
		x := tt.exchange(r)
		x.doomed = doom
		all.Go(func() { tt.ask(x, client) })
	}
	if doom {
		all.Go(func() {
			for range r.IntN(20) {
				client.Ping(context.Background())
			}
			mishap(1 + r.IntN(2)).end(c)
		})
	}
	all.Wait()
}

// clientsH1 makes one connection with some exchanges one after the other.
func (tt *torture) clientH1(n uint64) {
	r := tt.rand(n)
	tr := &http.Transport{DisableCompression: true, DialContext: func(context.Context, string, string) (net.Conn, error) {
		c, err := net.Dial("tcp", tt.addr)
		if err != nil {
			return nil, err
		}
		return tt.cut(c, n<<32), nil
	}}
	defer tr.CloseIdleConnections()
	for range 1 + r.IntN(4) {
		x := tt.exchange(r)
		if x.early {
			x.early = false // Go's client takes the reset behind such an answer for an error
		}
		tt.ask(x, tr)
	}
}

// runH2 makes clients, some at a time, and looks at what is left behind.
func (tt *torture) runH2(clients, atATime int, client func(n uint64), server bool) {
	tt.Logf("HAPAX_SEED=%d", tt.seed)
	protocols := &http.Protocols{}
	protocols.SetHTTP1(!server)
	protocols.SetUnencryptedHTTP2(server)
	origin := &http.Server{Handler: tt, Protocols: protocols, TLSConfig: &tls.Config{}}
	go origin.Serve(&cutListener{Listener: tt.origin, tt: tt})
	var all sync.WaitGroup
	next := make(chan uint64)
	for range atATime {
		all.Go(func() {
			for n := range next {
				client(n)
			}
		})
	}
	for n := range clients {
		if tt.Failed() {
			break
		}
		next <- uint64(n)
	}
	close(next)
	all.Wait()
	tt.leftovers()
	origin.Close()
	tt.Logf("%d sound exchanges, %d with faults", tt.sound.Load(), tt.faulty.Load())
}

func TestRandomStreams(t *testing.T) {
	for _, c := range []struct {
		name           string
		client, server bool // speaks HTTP/2
		mix            mix
		tune           func(fe, be *runtime.Proxy)
	}{
		{"to HTTP1", true, false, mix{body: 300000}, nil},
		{"to HTTP1, faults", true, false, mix{body: 300000, faults: true}, nil},
		{"from HTTP1", false, true, mix{body: 300000}, nil},
		{"from HTTP1, faults", false, true, mix{body: 300000, faults: true}, func(_, be *runtime.Proxy) { be.Reuse = runtime.ReuseAlways }},
		{"both", true, true, mix{body: 300000}, func(_, be *runtime.Proxy) { be.Reuse = runtime.ReuseAlways }},
		{"both, faults", true, true, mix{body: 300000, faults: true}, func(_, be *runtime.Proxy) { be.Reuse = runtime.ReuseAggressive }},
		{"both, queued", true, true, mix{body: 50000, faults: true}, func(_, be *runtime.Proxy) {
			be.Servers[0].MaxConn.Store(2)
			be.Timeout.Queue = patience
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			engines(t, func(t *testing.T, engine string) {
				for threads := 1; threads <= 2; threads++ {
					tt := newTorture(t, engine, threads, c.mix, func(fe, be *runtime.Proxy) {
						if c.client {
							fe.Listeners[0].Bind.Proto = runtime.ProtoH2
						}
						if c.server {
							be.Servers[0].Proto = runtime.ProtoH2
						}
						for _, px := range []*runtime.Proxy{fe, be} {
							px.Timeout.Client, px.Timeout.Server, px.Timeout.Connect = patience, patience, patience
						}
						if c.tune != nil {
							c.tune(fe, be)
						}
					})
					client := tt.clientH1
					if c.client {
						client = tt.clientH2
					}
					tt.runH2(40, 6, client, c.server)
				}
			})
		})
	}
}
