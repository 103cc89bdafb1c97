package h2

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hapax/runtime/message"
)

func serverConfig() *Config {
	return &Config{
		HeaderTable: 4096, InitialWindow: 16384, Receive: 1 << 20, MaxStreams: 100, MaxFrame: 16384,
		ExtendedConnect: true, Buffer: 16384, Rewrite: 1024, Headers: 101,
	}
}

func clientConfig() *Config {
	cfg := serverConfig()
	cfg.Client = true
	return cfg
}

func newMessage() *message.Message {
	m := &message.Message{}
	m.Reset(make([]byte, 0, 16384), make([]message.Field, 0, 128))
	return m
}

// text is a message as it stands.
func text(m *message.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\n", m.Bytes(m.Line[0]), m.Bytes(m.Line[1]), m.Bytes(m.Line[2]))
	for i := range m.Fields {
		fmt.Fprintf(&b, "%s: %s\n", m.Name(i), m.Value(i))
	}
	return b.String()
}

// side is one end of a connection between two Conns.
type side struct {
	Conn
	log  []string
	body map[uint32][]byte
	m    *message.Message
	open []*Stream
}

func newSide(cfg *Config) *side {
	s := &side{body: map[uint32][]byte{}, m: newMessage()}
	s.Init(cfg)
	s.Out = make([]byte, 0, 1<<20)
	s.Start()
	return s
}

func (s *side) say(format string, args ...any) { s.log = append(s.log, fmt.Sprintf(format, args...)) }

// take takes in what the other side sent, in pieces.
func (s *side) take(r *rand.Rand, in []byte) {
	for len(in) > 0 {
		piece := in[:1+r.IntN(len(in))]
		in = in[len(piece):]
		for {
			n, ev := s.Next(piece)
			piece = piece[n:]
			if ev.Kind == More {
				break
			}
			s.event(ev)
			if ev.Kind == Failed {
				return
			}
		}
	}
}

func (s *side) event(ev Event) {
	switch ev.Kind {
	case Head:
		st := ev.Stream
		if st == nil {
			st = &Stream{}
			s.open = append(s.open, st)
		}
		s.m.Reset(s.m.Buf[:0], s.m.Fields)
		v := s.ReadHead(st, s.m, false)
		s.say("head %d end=%v verdict=%d\n%s", ev.ID, ev.End, v, text(s.m))
	case Trailers:
		s.m.Reset(s.m.Buf[:0], s.m.Fields)
		v := s.ReadTrailers(ev.Stream, s.m)
		s.say("trailers %d verdict=%d\n%s", ev.ID, v, text(s.m))
	case Data:
		s.body[ev.ID] = append(s.body[ev.ID], ev.Data...)
		s.Consumed(ev.Stream, len(ev.Data))
		if ev.End {
			s.say("end %d", ev.ID)
		}
	case Reset, Aborted, GoAway, Failed:
		s.say("kind %d stream %d code %d", ev.Kind, ev.ID, ev.Code)
	}
}

func exchange(r *rand.Rand, a, b *side) {
	for len(a.Out)+len(b.Out) > 0 {
		p := bytes.Clone(a.Out)
		a.Out = a.Out[:0]
		b.take(r, p)
		p = bytes.Clone(b.Out)
		b.Out = b.Out[:0]
		a.take(r, p)
	}
}

func request(method, uri string, fields ...string) *message.Message {
	m := newMessage()
	m.SetRequestLine(method, uri, "HTTP/1.1")
	for i := 0; i < len(fields); i += 2 {
		m.AddString(fields[i], fields[i+1])
	}
	return m
}

func response(status int, fields ...string) *message.Message {
	m := newMessage()
	m.SetStatusLine("HTTP/1.1", status, "")
	for i := 0; i < len(fields); i += 2 {
		m.AddString(fields[i], fields[i+1])
	}
	return m
}

// sendBody sends as much of a body as the windows allow and tells how much.
func (s *side) sendBody(st *Stream, body []byte, end bool) int {
	sent := 0
	for sent < len(body) {
		n := min(s.Room(st), len(body)-sent)
		if n <= 0 {
			return sent
		}
		last := end && sent+n == len(body)
		s.DataHead(st, n, last)
		s.Out = append(s.Out, body[sent:sent+n]...)
		sent += n
	}
	return sent
}

// TestExchange sends a request with body and trailers and a response with both, cut at random places.
func TestExchange(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		cli, srv := newSide(clientConfig()), newSide(serverConfig())
		exchange(r, cli, srv)
		st := &Stream{}
		if !cli.CanOpen() {
			t.Fatal("no stream can be opened")
		}
		cli.Open(st)
		req := request("POST", "http://example.org/a?b", "host", "example.org", "x", "1", "cookie", "a=1", "cookie", "b=2",
			"connection", "x", "te", "gzip, trailers")
		req.Flags |= message.HasAuthority | message.HasScheme
		if err := cli.WriteHead(st, req, false); err != nil {
			t.Fatal(err)
		}
		body := bytes.Repeat([]byte("0123456789"), 20000)
		for rest := body; len(rest) > 0; {
			n := cli.sendBody(st, rest, false)
			if rest = rest[n:]; n == 0 {
				t.Fatalf("the client is stuck: %q %q", cli.log, srv.log)
			}
			exchange(r, cli, srv)
		}
		cli.WriteTrailers(st, request("", "", "x-sum", "1"))
		exchange(r, cli, srv)
		want := "head 1 end=false verdict=0\nPOST http://example.org/a?b HTTP/2.0\nhost: example.org\nx: 1\nte: trailers\ncookie: a=1; b=2\n"
		if srv.log[0] != want {
			t.Fatalf("got %q\nwant %q", srv.log[0], want)
		}
		if !bytes.Equal(srv.body[1], body) {
			t.Fatalf("%d bytes of body, want %d", len(srv.body[1]), len(body))
		}
		if want := "trailers 1 verdict=0\n  \nx-sum: 1\n"; srv.log[1] != want {
			t.Fatalf("got %q\nwant %q", srv.log[1], want)
		}
		answer := srv.open[0]
		srv.WriteHead(answer, response(103, "link", "</a>"), false)
		srv.WriteHead(answer, response(200, "server", "x", "keep-alive", "1"), false)
		for rest := body; len(rest) > 0; {
			n := srv.sendBody(answer, rest, true)
			if rest = rest[n:]; n == 0 {
				t.Fatalf("the server is stuck: %q %q", cli.log, srv.log)
			}
			exchange(r, cli, srv)
		}
		if got := strings.Join(cli.log, "|"); got != "head 1 end=false verdict=0\nHTTP/2.0 103 \nlink: </a>\n|"+
			"head 1 end=false verdict=0\nHTTP/2.0 200 \nserver: x\n|end 1" {
			t.Fatalf("got %q", got)
		}
		if !bytes.Equal(cli.body[1], body) {
			t.Fatal("the body of the response differs")
		}
		if cli.Streams()+srv.Streams() > 0 || !st.Closed() || !answer.Closed() {
			t.Fatal("streams are left")
		}
	}
}

// TestWindowOfUnread lets nobody read what the peer sends: it may send no more than its window.
func TestWindowOfUnread(t *testing.T) {
	cli, srv := newSide(clientConfig()), newSide(serverConfig())
	r := rand.New(rand.NewPCG(1, 1))
	exchange(r, cli, srv)
	st := &Stream{}
	cli.Open(st)
	cli.WriteHead(st, request("POST", "/", "host", "a"), false)
	sent := cli.sendBody(st, make([]byte, 1<<20), true)
	if sent != srv.cfg.InitialWindow {
		t.Fatalf("%d bytes were sent", sent)
	}
}

// TestManyStreams reads and answers a request again and again without allocating.
func TestManyStreams(t *testing.T) {
	cli, srv := newSide(clientConfig()), newSide(serverConfig())
	r := rand.New(rand.NewPCG(1, 1))
	exchange(r, cli, srv)
	req := request("GET", "/", "host", "a")
	m := newMessage()
	res := response(200, "content-length", "2")
	var st, answer Stream
	round := func() {
		cli.Open(&st)
		cli.Out = cli.Out[:0]
		cli.WriteHead(&st, req, true)
		_, ev := srv.Next(cli.Out)
		m.Reset(m.Buf[:0], m.Fields)
		if ev.Kind != Head || srv.ReadHead(&answer, m, false) != Good {
			t.Fatal("no head")
		}
		srv.Out = srv.Out[:0]
		srv.WriteHead(&answer, res, false)
		srv.DataHead(&answer, 2, true)
		srv.Out = append(srv.Out, "ok"...)
		n, ev := cli.Next(srv.Out)
		m.Reset(m.Buf[:0], m.Fields)
		if ev.Kind != Head || cli.ReadHead(ev.Stream, m, false) != Good {
			t.Fatal("no response")
		}
		if _, ev = cli.Next(srv.Out[n:]); ev.Kind != Data || !ev.End {
			t.Fatal("no body")
		}
		cli.Consumed(ev.Stream, len(ev.Data))
		st.Owner, answer.Owner = nil, nil
	}
	round()
	// The decoder makes strings of what no table holds: host and content-length here.
	if n := testing.AllocsPerRun(1000, round); n > 4 {
		t.Fatalf("%v allocations", n)
	}
}
