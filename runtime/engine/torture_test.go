package engine

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	goruntime "runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hapax/runtime"
)

// The tests of this file send random exchanges through the engine, cut into random pieces on both sides, with ends and
// resets at random places, and compare what arrives with what must. At the end nothing may be left: no buffer, stream or
// connection, and all gauges at 0. HAPAX_SEED=n repeats a run.

// mishap is what one side of an exchange does wrong.
type mishap uint8

const (
	sound  mishap = iota
	closes        // ends its connection early
	resets        // the same by a reset
	stalls        // says no more, and waits for the other side to end
)

// planned is a request and its response, as they are to be.
type planned struct {
	id         int
	method     string
	req, res   []byte // as the client and the server send them
	reqBody    []byte
	resBody    []byte // what the client must get
	status     int
	reqClose   bool // the client connection ends with it
	resClose   bool // the server ends its connection behind the response
	early      bool // the server answers before it has read the body
	drains     bool // and reads it then
	empty      int  // so many times the server ends its connection without a response
	pieces     int  // the most that is sent at once
	client     mishap
	clientAt   int // bytes of the request behind which it happens
	readAt     int // -1, or bytes of the response behind which the client goes
	server     mishap
	serverAt   int
	tries      atomic.Int32
	tunnel     bool
	toSrv      []byte // in a tunnel
	toCli      []byte
	slowReader bool
}

// limits of what a run plans.
type mix struct {
	faults, tunnels, retries, stalls bool
	pipeline                         int // most requests that are sent before the first response is read
	body                             int // largest body
}

// bytesOf is a body that tells its place: any loss or repetition shows.
func bytesOf(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	x := r.Uint64()
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = 'a' + byte(x>>33)%26
	}
	return b
}

// size is a random size, small ones being more likely.
func size(r *rand.Rand, most int) int {
	switch r.IntN(6) {
	case 0:
		return 0
	case 1, 2:
		return r.IntN(min(most, 100) + 1)
	case 3, 4:
		return r.IntN(min(most, 40000) + 1)
	}
	return r.IntN(most + 1)
}

// chunked frames a body in random chunks.
func chunked(r *rand.Rand, body []byte, trailer bool) []byte {
	var b bytes.Buffer
	for len(body) > 0 {
		n := 1 + r.IntN(min(len(body), 1+r.IntN(20000)))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n")
	if trailer {
		b.WriteString("X-Sum: 1\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// plan makes a random exchange. last: the connection may end with it.
func (m *mix) plan(r *rand.Rand, id int, last bool) *planned {
	x := &planned{id: id, status: 200, readAt: -1, pieces: 1 + r.IntN(1<<(4+r.IntN(12)))}
	if m.tunnels && last && r.IntN(3) == 0 {
		x.planTunnel(r, m.body)
		return x
	}
	x.method = []string{"GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE"}[r.IntN(7)]
	var b bytes.Buffer
	version := "1.1"
	if last && r.IntN(6) == 0 {
		version, x.reqClose = "1.0", true
	}
	fmt.Fprintf(&b, "%s /%d HTTP/%s\r\nHost: a\r\nX-Id: %d\r\nAccept-Encoding: gzip\r\n", x.method, id, version, id)
	if last && version == "1.1" && r.IntN(4) == 0 {
		x.reqClose = true
		b.WriteString("Connection: close\r\n")
	}
	if x.method == "POST" || x.method == "PUT" {
		x.reqBody = bytesOf(r, size(r, m.body))
		if version == "1.1" && r.IntN(5) == 0 {
			b.WriteString("Expect: 100-continue\r\n")
		}
		if version == "1.1" && r.IntN(3) == 0 {
			b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
			b.Write(chunked(r, x.reqBody, r.IntN(4) == 0))
		} else {
			fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(x.reqBody), x.reqBody)
		}
	} else {
		b.WriteString("\r\n")
	}
	x.req = b.Bytes()
	x.planResponse(r, m, last)
	if m.faults && last && r.IntN(3) == 0 {
		x.planFault(r, m)
	}
	if m.retries && x.server == sound && !x.early && r.IntN(3) == 0 {
		x.empty = 1 + r.IntN(2)
	}
	x.slowReader = r.IntN(8) == 0
	return x
}

func (x *planned) planResponse(r *rand.Rand, m *mix, last bool) {
	var b bytes.Buffer
	for range r.IntN(8) / 6 * r.IntN(4) {
		b.WriteString("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
	}
	x.status = []int{200, 200, 200, 404, 204, 304, 500}[r.IntN(7)]
	body := bytesOf(r, size(r, m.body))
	x.early = len(x.reqBody) > 0 && r.IntN(6) == 0
	x.drains = r.IntN(4) > 0
	x.resClose = r.IntN(5) == 0 || x.early && !x.drains
	fmt.Fprintf(&b, "HTTP/1.1 %d Reason\r\nX-Id: %d\r\n", x.status, x.id)
	if x.resClose {
		b.WriteString("Connection: close\r\n")
	}
	bodyless := x.method == "HEAD" || x.status == 204 || x.status == 304
	switch {
	case x.status == 204 || x.status == 304:
		b.WriteString("\r\n")
	case x.method == "HEAD":
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(body))
	case r.IntN(3) == 0:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		b.Write(chunked(r, body, r.IntN(4) == 0))
	case x.resClose && last && r.IntN(2) == 0: // it ends the client's connection as well
		b.WriteString("\r\n")
		b.Write(body)
	default:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	}
	if !bodyless {
		x.resBody = body
	}
	x.res = b.Bytes()
	if x.early && !x.drains {
		// Bytes that it leaves unread make its end a reset, which may overtake the response.
		x.server, x.serverAt = closes, len(x.res)
		x.closeClient()
	}
}

// closeClient makes the client ask for the end of its connection: it reads to it.
func (x *planned) closeClient() {
	x.req = bytes.Replace(x.req, []byte("X-Id:"), []byte("Connection: close\r\nX-Id:"), 1)
	x.reqClose = true
}

func (x *planned) planFault(r *rand.Rand, m *mix) {
	kind := mishap(1 + r.IntN(2))
	if m.stalls {
		kind = stalls
	}
	switch r.IntN(3) {
	case 0:
		x.client, x.clientAt = kind, r.IntN(len(x.req))
	case 1:
		x.server, x.serverAt = kind, r.IntN(len(x.res))
		x.closeClient()
	case 2:
		if kind == stalls {
			kind = closes
		}
		x.client, x.clientAt, x.readAt = kind, len(x.req), r.IntN(len(x.res))
	}
}

func (x *planned) planTunnel(r *rand.Rand, most int) {
	x.tunnel, x.status, x.method = true, 101, "GET"
	x.req = fmt.Appendf(nil, "GET /%d HTTP/1.1\r\nHost: a\r\nX-Id: %d\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", x.id, x.id)
	x.res = []byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	x.toSrv, x.toCli = bytesOf(r, size(r, most)), bytesOf(r, size(r, most))
}

// sendPieces writes b in random pieces; most is 0: at once.
func sendPieces(c net.Conn, r *rand.Rand, b []byte, most int) error {
	if most == 0 {
		_, err := c.Write(b)
		return err
	}
	if len(b) > 200000 {
		most = max(most, 20000)
	}
	most = max(most, len(b)/300)
	for len(b) > 0 {
		n := 1 + r.IntN(min(most, len(b)))
		if _, err := c.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		goruntime.Gosched()
	}
	return nil
}

// end ends a connection as the mishap says.
func (f mishap) end(c net.Conn) {
	if f == resets {
		c.(*net.TCPConn).SetLinger(0)
	}
	if f != stalls {
		c.Close()
	}
}

// torture is one run: an engine between random clients and an origin server.
type torture struct {
	*testing.T
	*rig
	mix
	seed   uint64
	plans  sync.Map // exchanges by id
	ids    atomic.Int64
	origin net.Listener
	tcp    bool
	conns  sync.WaitGroup // of the origin
	busy   atomic.Int64   // exchanges that the origin is at
	faulty atomic.Int64   // exchanges that were planned to fail
	sound  atomic.Int64
}

func (tt *torture) rand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(tt.seed, stream)) }

// patience is how long anything in these tests may take before it counts as a hang.
const patience = time.Minute

// serve accepts the engine's connections.
func (tt *torture) serve() {
	for n := uint64(1); ; n++ {
		c, err := tt.origin.Accept()
		if err != nil {
			return
		}
		tt.conns.Add(1)
		go func() {
			defer tt.conns.Done()
			defer c.Close()
			c.SetDeadline(time.Now().Add(2 * patience))
			if tt.tcp {
				tt.answerTCP(c, tt.rand(n<<32))
				return
			}
			br := bufio.NewReader(c)
			for tt.answer(c, br, tt.rand(n<<32)) {
			}
		}()
	}
}

// answer serves one request; false: the connection is over.
func (tt *torture) answer(c net.Conn, br *bufio.Reader, r *rand.Rand) bool {
	req, err := http.ReadRequest(br)
	if err != nil {
		if ne := (net.Error)(nil); !errors.As(err, &ne) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			tt.Errorf("the server got no request: %v", err)
		}
		return false
	}
	tt.busy.Add(1)
	defer tt.busy.Add(-1)
	id, _ := strconv.Atoi(req.Header.Get("X-Id"))
	v, ok := tt.plans.Load(id)
	if !ok {
		tt.Errorf("the server was asked for %q", req.URL)
		return false
	}
	x := v.(*planned)
	if int(x.tries.Add(1)) <= x.empty {
		if r.IntN(2) == 0 {
			io.Copy(io.Discard, req.Body)
		}
		return false
	}
	readBody := func() bool {
		got, err := readAll(req.Body, req.Header)
		if (x.client != sound || x.early) && err != nil && bytes.HasPrefix(x.reqBody, got) {
			return false // who has the whole response resets the connection
		}
		if !bytes.Equal(got, x.reqBody) || err != nil {
			tt.Errorf("%s: the server got %d bytes (%v), sent were %d%s", x, len(got), err, len(x.reqBody), firstDifference(got, x.reqBody))
			return false
		}
		return true
	}
	if !x.early && !readBody() {
		return false
	}
	if x.server != sound {
		sendPieces(c, r, x.res[:x.serverAt], x.pieces)
		x.server.end(c)
		if x.server == stalls {
			io.Copy(io.Discard, br)
		}
		return false
	}
	if sendPieces(c, r, x.res, x.pieces) != nil {
		if x.client == sound && !tt.Failed() {
			tt.Errorf("%s: the server could not send its response", x)
		}
		return false
	}
	if x.tunnel {
		tt.talk(x, c, br, r, x.toCli, x.toSrv)
		return false
	}
	if x.early && (!x.drains || !readBody()) {
		return false
	}
	return !x.resClose
}

func (tt *torture) answerTCP(c net.Conn, r *rand.Rand) {
	br := bufio.NewReader(c)
	line, err := br.ReadString('\n')
	if err != nil {
		return
	}
	id, _ := strconv.Atoi(strings.TrimSpace(line))
	v, _ := tt.plans.Load(id)
	x := v.(*planned)
	tt.talk(x, c, br, r, x.toCli, x.toSrv)
}

// talk sends out, then the end, while it receives in to its end.
func (tt *torture) talk(x *planned, c net.Conn, br *bufio.Reader, r *rand.Rand, out, in []byte) {
	var sent sync.WaitGroup
	sent.Go(func() {
		if err := sendPieces(c, r, out, x.pieces); err != nil {
			tt.Errorf("%s: %v", x, err)
			return
		}
		c.(*net.TCPConn).CloseWrite()
	})
	got, err := io.ReadAll(br)
	if err != nil || !bytes.Equal(got, in) {
		tt.Errorf("%s: got %d of %d bytes, %v%s", x, len(got), len(in), err, firstDifference(got, in))
	}
	sent.Wait()
}

func (x *planned) String() string {
	if x.tunnel {
		return fmt.Sprintf("tunnel %d (%d, %d bytes)", x.id, len(x.toSrv), len(x.toCli))
	}
	return fmt.Sprintf("exchange %d (%s %d+%d -> %d %d+%d, client %d@%d/%d, server %d@%d, early %v/%v, close %v/%v, empty %d)", x.id, x.method, len(x.req)-len(x.reqBody), len(x.reqBody),
		x.status, len(x.res)-len(x.resBody), len(x.resBody), x.client, x.clientAt, x.readAt, x.server, x.serverAt, x.early, x.drains, x.reqClose, x.resClose, x.empty)
}

func firstDifference(a, b []byte) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf(", differing from %d", i)
		}
	}
	return ""
}

// client makes one connection with some exchanges.
func (tt *torture) client(r *rand.Rand) {
	c, err := net.Dial("tcp", tt.addr)
	if err != nil {
		tt.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	var xs []*planned
	n := 1 + r.IntN(4)
	for i := range n {
		x := tt.plan(r, int(tt.ids.Add(1)), i == n-1)
		tt.plans.Store(x.id, x)
		xs = append(xs, x)
		if x.reqClose {
			break
		}
	}
	br := bufio.NewReader(c)
	for len(xs) > 0 {
		group := xs[:1+r.IntN(min(tt.pipeline, len(xs)))]
		for i, x := range group[1:] {
			if x.client != sound || x.early {
				group = group[:1+i] // it may take the responses before it away
				break
			}
		}
		xs = xs[len(group):]
		var wire []byte
		last := group[len(group)-1]
		pieces := last.pieces
		for _, x := range group {
			if x.client != sound {
				wire = append(wire, x.req[:x.clientAt]...)
			} else {
				wire = append(wire, x.req...)
			}
			if x.empty > 0 {
				pieces = 0 // only what came whole is sent again
			}
		}
		wr := tt.rand(uint64(last.id))
		sent := make(chan error, 1)
		go func() {
			err := sendPieces(c, wr, wire, pieces)
			if last.client != sound && last.readAt < 0 {
				last.client.end(c)
			}
			sent <- err
		}()
		more := true
		for _, x := range group {
			if more = tt.receive(x, c, br, r); !more {
				break
			}
		}
		if tt.Failed() {
			c.Close()
		}
		<-sent
		if !more {
			return
		}
	}
}

// receive reads and compares one response; false: the connection is over.
func (tt *torture) receive(x *planned, c net.Conn, br *bufio.Reader, r *rand.Rand) bool {
	if x.client != sound || x.server != sound {
		tt.faulty.Add(1)
		if x.readAt >= 0 {
			io.CopyN(io.Discard, br, int64(x.readAt))
			x.client.end(c)
			return false
		}
		// Whatever comes has to be the beginning of what was sent, or an error, and then the end.
		c.SetReadDeadline(time.Now().Add(patience))
		got, err := io.ReadAll(br)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			tt.Errorf("%s: hangs after %.60q", x, got)
		}
		return false
	}
	tt.sound.Add(1)
	var res *http.Response
	for {
		var err error
		if res, err = http.ReadResponse(br, &http.Request{Method: x.method}); err != nil {
			tt.Errorf("%s: no response: %v", x, err)
			return false
		}
		if res.StatusCode >= 200 || res.StatusCode == 101 {
			break
		}
	}
	if res.StatusCode != x.status {
		tt.Errorf("%s: status %d", x, res.StatusCode)
		return false
	}
	if x.tunnel {
		tt.talk(x, c, br, r, x.toSrv, x.toCli)
		return false
	}
	if id := res.Header.Get("X-Id"); id != strconv.Itoa(x.id) {
		tt.Errorf("%s: the response is that of %s", x, id)
		return false
	}
	var body io.Reader = res.Body
	if x.slowReader {
		body = &slow{body, 1000 + len(x.resBody)/100}
	}
	got, err := readAll(body, res.Header)
	if err != nil || !bytes.Equal(got, x.resBody) {
		tt.Errorf("%s: got %d bytes, %v%s", x, len(got), err, firstDifference(got, x.resBody))
		return false
	}
	return !x.reqClose && !res.Close
}

// readAll reads a body, and undoes what compressed it.
func readAll(r io.Reader, h http.Header) ([]byte, error) {
	if h.Get("Content-Encoding") == "" {
		return io.ReadAll(r)
	}
	z, err := gzip.NewReader(r)
	if err == io.EOF {
		return nil, nil // a request that has no body is announced as if it had one
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// slow is a reader that takes little at a time.
type slow struct {
	io.Reader
	most int
}

func (s *slow) Read(p []byte) (int, error) {
	goruntime.Gosched()
	return s.Reader.Read(p[:min(len(p), s.most)])
}

// run makes clients, some at a time, and looks at what is left behind.
func (tt *torture) run(clients, atATime int) {
	seed := tt.seed
	tt.Logf("HAPAX_SEED=%d", seed)
	go tt.serve()
	rest := make(chan struct{})
	var watched sync.WaitGroup
	watched.Go(func() { tt.watch(rest) })
	var all sync.WaitGroup
	next := make(chan uint64)
	for range atATime {
		all.Go(func() {
			for n := range next {
				if tt.tcp {
					tt.clientTCP(tt.rand(n))
				} else {
					tt.client(tt.rand(n))
				}
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
	close(rest)
	watched.Wait()
	tt.leftovers()
	tt.origin.Close()
	tt.conns.Wait()
	if spliced := tt.cfg.Stats.Spliced(); spliced.PipesUsed != 0 || (spliced.Bytes > 0) != (tt.cfg.Proxies[0].Options&runtime.OptSpliceRequest != 0) {
		tt.Errorf("%d bytes were spliced, %d pipes are in use", spliced.Bytes, spliced.PipesUsed)
	}
	if be := tt.cfg.Proxies[1]; be.Compression != nil {
		coded := uint64(0)
		for i := range be.Live.Back {
			coded += be.Live.Back[i].Coded.Responses.Load()
		}
		if coded == 0 {
			tt.Error("nothing was compressed")
		}
	}
	tt.Logf("%d sound exchanges, %d with faults", tt.sound.Load(), tt.faulty.Load())
}

// watch does what the stats socket does while traffic runs.
func (tt *torture) watch(rest chan struct{}) {
	fe := tt.cfg.Proxies[0]
	for {
		select {
		case <-rest:
			return
		default:
		}
		for loop := range tt.workers {
			for _, st := range tt.Streams().List(loop, 0, 100) {
				if st.Front != fe {
					tt.Errorf("a stream of %v", st.Front)
				}
			}
		}
		tt.Control().SetFrontMaxConn(fe, int(fe.LiveMaxConn.Load()))
		tt.Streams().Kill(0) // the number of no stream
	}
}

// clientTCP makes one connection in TCP mode.
func (tt *torture) clientTCP(r *rand.Rand) {
	c, err := net.Dial("tcp", tt.addr)
	if err != nil {
		tt.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	x := &planned{id: int(tt.ids.Add(1)), pieces: 1 + r.IntN(1<<(4+r.IntN(12)))}
	x.planTunnel(r, tt.body)
	line := fmt.Sprintf("%d\n", x.id)
	tt.plans.Store(x.id, x)
	out := append([]byte(line), x.toSrv...)
	br := bufio.NewReader(c)
	if tt.faults && r.IntN(3) == 0 {
		tt.faulty.Add(1)
		x.toSrv = nil
		c.Write(out[:r.IntN(len(line))]) // the origin never learns which exchange it is
		mishap(1 + r.IntN(2)).end(c)
		return
	}
	tt.sound.Add(1)
	tt.talk(x, c, br, r, out, x.toCli)
}

// leftovers waits until the engine is at rest, and tells what is not.
func (tt *torture) leftovers() {
	for end := time.Now().Add(patience); tt.busy.Load() > 0 && time.Now().Before(end); {
		goruntime.Gosched()
	}
	var left string
	for end := time.Now().Add(patience); time.Now().Before(end); {
		tt.closeIdle()
		if left = tt.left(); left == "" {
			return
		}
	}
	tt.Errorf("left behind: %s", left)
}

// closeIdle closes the connections to servers that are idle by now: exchanges may end behind what their clients see of them.
func (tt *torture) closeIdle() {
	for _, w := range tt.workers {
		w.ask(func() {
			for srv := range tt.servers() {
				w.closeIdleLinks(srv)
			}
		})
	}
}

// left lists what a worker at rest does not have.
func (tt *torture) left() string {
	var b strings.Builder
	add := func(what string, n int64) {
		if n != 0 {
			fmt.Fprintf(&b, " %s %d", what, n)
		}
	}
	for _, w := range tt.workers {
		w.ask(func() {
			for st := w.streams.head; st != nil; st = st.nextLive {
				fmt.Fprintf(&b, " stream %s/%s of %s", st.req.name(), st.res.name(), st.URI)
				fmt.Fprintf(&b, "[phase %d waits %d queued %v link %v held %v/%v done %v/%v draining %v end %v %v]", st.phase, st.waits, st.queued, st.link != nil, st.cliHeld, st.srvHeld,
					st.toSrv.done, st.toCli.done, st.draining, st.c.end, st.srvEnd)
			}
			add("clients", int64(w.clients.n))
			add("connections", int64(w.conns.Load()))
			add("coming", int64(w.coming.Load()))
		})
		w.ask(func() {}) // the numbers of the loop are those of its last turn
		add("buffers", w.loop.Stats().Buffers.Load())
	}
	add("Conns", tt.cfg.Stats.Conns.Load())
	add("queued connections", int64(tt.queued.Load()))
	for _, px := range tt.cfg.Proxies {
		add("FrontConns", px.Live.FrontConns.Load())
		add("BackConns", px.Live.BackConns.Load())
		add("Queued", px.Live.Queued.Load())
		add("TotalQueued", px.Live.TotalQueued.Load())
		add("proxy's Served", px.Live.Served.Load())
		for _, ln := range px.Listeners {
			add("listener's Conns", ln.Conns.Load())
		}
		for _, srv := range px.Servers {
			add("Current", srv.Current.Load())
			add("Served", srv.Served.Load())
			add("Used", srv.Used.Load())
			idle, safe := srv.Idle()
			add("Idle", idle)
			add("IdleSafe", safe)
			add("server's Queued", srv.Queued.Load())
		}
	}
	return b.String()
}

// seed is what random tests begin with.
func seed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("HAPAX_SEED"), 10, 64); err == nil {
		return n
	}
	return 1
}

// newTorture starts an engine and its origin.
func newTorture(t *testing.T, engine string, threads int, m mix, tune func(fe, be *runtime.Proxy)) *torture {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	r := startThreads(t, engine, threads, ln.Addr().String(), tune)
	return &torture{T: t, rig: r, mix: m, seed: seed(), origin: ln}
}

// retries makes requests that got no response be sent again.
func retries(be *runtime.Proxy) {
	be.RetryOn.Set, be.RetryOn.EmptyResponse, be.RetryOn.ConnFailure = true, true, true
}

func TestRandomExchanges(t *testing.T) {
	for _, c := range []struct {
		name    string
		clients int
		mix     mix
		tune    func(fe, be *runtime.Proxy)
	}{
		{"sound", 80, mix{pipeline: 1, body: 1 << 20}, nil},
		{"pipelined", 80, mix{pipeline: 4, body: 200000}, nil},
		{"tunnels", 60, mix{pipeline: 3, body: 1 << 20, tunnels: true}, nil},
		{"faults", 120, mix{pipeline: 3, body: 300000, faults: true, tunnels: true}, nil},
		{"queued", 80, mix{pipeline: 2, body: 100000, faults: true}, func(fe, be *runtime.Proxy) {
			be.Servers[0].MaxConn.Store(1)
			be.Timeout.Queue = patience
		}},
		{"spliced", 120, mix{pipeline: 3, body: 1 << 20, faults: true, tunnels: true}, splices},
		{"compressed", 80, mix{pipeline: 3, body: 300000, faults: true, tunnels: true}, compresses},
		{"compressed and retried", 60, mix{pipeline: 2, body: 6000, retries: true}, func(fe, be *runtime.Proxy) {
			compresses(fe, be)
			retries(be)
		}},
		{"limited", 60, mix{pipeline: 2, body: 100000, faults: true}, func(fe, be *runtime.Proxy) { fe.MaxConn = 2 }},
		{"retried", 100, mix{pipeline: 2, body: 6000, retries: true}, func(fe, be *runtime.Proxy) {
			retries(be)
			be.Servers[0].MaxConn.Store(3)
			be.Timeout.Queue = patience
		}},
		{"never reused", 60, mix{pipeline: 3, body: 100000, faults: true}, func(fe, be *runtime.Proxy) { be.Reuse = runtime.ReuseNever }},
		{"stalled", 40, mix{pipeline: 2, body: 100000, faults: true, stalls: true}, func(fe, be *runtime.Proxy) {
			fe.Timeout.Client, fe.Timeout.Request, be.Timeout.Server = 2600*time.Millisecond, 2500*time.Millisecond, 2700*time.Millisecond
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			engines(t, func(t *testing.T, engine string) {
				for threads := 1; threads <= 2; threads++ {
					newTorture(t, engine, threads, c.mix, c.tune).run(c.clients, min(8*c.mix.pipeline, 16))
				}
			})
		})
	}
}

// compresses lets the bodies of both directions be compressed.
func compresses(fe, be *runtime.Proxy) {
	gzip := &runtime.Algorithm{Name: "gzip", Token: "gzip", Form: runtime.GzipForm}
	be.Compression = &runtime.Compression{Request: gzip, Response: []*runtime.Algorithm{gzip}, Sides: [2]bool{true, true}, Filters: [2]bool{true, true}, Offers: true}
}

// splices lets the kernel pass bytes on.
func splices(fe, be *runtime.Proxy) {
	fe.Options |= runtime.OptSpliceRequest | runtime.OptSpliceResponse
}

func TestRandomPipes(t *testing.T) {
	engines(t, func(t *testing.T, engine string) {
		tt := newTorture(t, engine, 2, mix{body: 2 << 20, faults: true}, func(fe, be *runtime.Proxy) {
			fe.Mode, be.Mode = runtime.ModeTCP, runtime.ModeTCP
		})
		tt.tcp = true
		tt.run(100, 8)
	})
	engines(t, func(t *testing.T, engine string) {
		tt := newTorture(t, engine, 2, mix{body: 8 << 20, faults: true}, func(fe, be *runtime.Proxy) {
			fe.Mode, be.Mode = runtime.ModeTCP, runtime.ModeTCP
			splices(fe, be)
		})
		tt.tcp = true
		tt.run(60, 8)
	})
}
