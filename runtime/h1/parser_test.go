package h1

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"hapax/runtime/message"
)

// TestLimits holds the sizes at which HAProxy 3.4.0 changes its answer.
func TestLimits(t *testing.T) {
	small := Limits{Buffer: 4096, Rewrite: 512, Headers: 20}
	uri := func(n int) string { return "GET /" + strings.Repeat("a", n) + " HTTP/1.1\r\nHost: a\r\n\r\n" }
	value := func(n int) string {
		return "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("a", n) + "\r\n\r\n"
	}
	mixed := func(n int) string {
		return "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("Abc: \r\n", 10) + "X: " + strings.Repeat("a", n) + "\r\n\r\n"
	}
	fields := func(n int) string {
		var b strings.Builder
		b.WriteString("GET / HTTP/1.1\r\n")
		for i := range n {
			fmt.Fprintf(&b, "X%d: y\r\n", i)
		}
		return b.String() + "\r\n"
	}
	tests := []struct {
		name   string
		limits Limits
		make   func(int) string
		n      int // the last size with the status
		status int
		next   int
	}{
		{"fields", DefaultLimits, fields, 100, 0, 400},
		{"uri", DefaultLimits, uri, 15258, 0, 431},
		{"uri", DefaultLimits, uri, 16312, 431, 414},
		{"value", DefaultLimits, value, 15249, 0, 431},
		{"value", DefaultLimits, value, 16999, 431, 431},
		{"fields", small, fields, 19, 0, 400},
		{"uri", small, uri, 3482, 0, 431},
		{"uri", small, uri, 4024, 431, 414},
		{"value", small, value, 3473, 0, 431},
		{"mixed", small, mixed, 3363, 0, 431},
	}
	for _, test := range tests {
		for n, want := range map[int]int{test.n: test.status, test.n + 1: test.next} {
			for _, step := range []int{0, 1, 1000} {
				head := test.make(n)
				p, m := feed(head, step, 0, test.limits)
				if p.Status != want {
					t.Errorf("%s %d (bufsize %d, step %d): status %d, want %d", test.name, n, test.limits.Buffer, step, p.Status, want)
				}
				if want == 0 && int(m.HeadLen) != len(head) {
					t.Errorf("%s %d: head of %d bytes, want %d", test.name, n, m.HeadLen, len(head))
				}
			}
		}
	}
}

// feed parses a request in pieces of step bytes, 0 for all at once.
func feed(head string, step int, opts Options, limits Limits) (*Parser, *message.Message) {
	p := new(Parser)
	p.Request(opts, limits)
	return p, feedTo(p, head, step)
}

func feedTo(p *Parser, head string, step int) *message.Message {
	m := new(message.Message)
	m.Reset(make([]byte, 0, len(head)+1024), make([]message.Field, 0, 200))
	return feedOn(p, m, head, step)
}

// feedOn appends the head to what is there already.
func feedOn(p *Parser, m *message.Message, head string, step int) *message.Message {
	if step == 0 {
		step = len(head)
	}
	for at := 0; at < len(head); at += step {
		m.Buf = append(m.Buf, head[at:min(at+step, len(head))]...)
		if p.Parse(m) != More {
			break
		}
	}
	return m
}

// describe writes down all that a parser found.
func describe(p *Parser, m *message.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v status %d error %d %v\n", p.State, p.Status, p.ErrPos, p.ErrState)
	if p.Status != 0 {
		return b.String()
	}
	fmt.Fprintf(&b, "%q %q %q flags %x method %v code %d length %d head %d\n", m.Bytes(m.Line[0]), m.Bytes(m.Line[1]),
		m.Bytes(m.Line[2]), m.Flags, m.Method, m.Status, m.BodyLength, m.HeadLen)
	for i, f := range m.Fields {
		fmt.Fprintf(&b, "%q %q %v\n", m.Name(i), m.Value(i), f.ID)
	}
	return b.String()
}

func FuzzParser(f *testing.F) {
	for _, x := range readExchanges(f) {
		f.Add([]byte(x.Request), false, strings.Contains(x.Conf, "unsafe"), 1)
		f.Add([]byte(x.Response), true, strings.Contains(x.Conf, "unsafe"), 2)
	}
	f.Fuzz(func(t *testing.T, head []byte, response, unsafe bool, step int) {
		var opts Options
		if unsafe {
			opts = AcceptUnsafe
		}
		start := func() *Parser {
			p := new(Parser)
			if response {
				p.Response(message.GET, opts, DefaultLimits)
			} else {
				p.Request(opts, DefaultLimits)
			}
			return p
		}
		step = max(1, min(step, 64))
		whole, parts := start(), start()
		m := feedTo(whole, string(head), 0)
		got := describe(whole, m)
		if want := describe(parts, feedTo(parts, string(head), step)); got != want {
			t.Fatalf("at once\n%sin pieces of %d\n%s", got, step, want)
		}
		if whole.Status != 0 || m.HeadLen == 0 {
			return
		}
		for i := range m.Fields {
			if !isToken(m.Name(i)) || bytes.ContainsAny(m.Value(i), "\r\n") {
				t.Fatalf("field %q: %q", m.Name(i), m.Value(i))
			}
		}
		if unsafe {
			return // what was let pass once may be refused the next time
		}
		// What is sent must be read back as it is.
		var e Encoder
		encode := e.AppendRequest
		if response {
			encode = e.AppendResponse
		}
		out, err := encode(make([]byte, 0, 2*len(head)+1024), m)
		if err != nil {
			return
		}
		again := start()
		back := feedTo(again, string(out), 0)
		if again.Status != 0 || back.HeadLen == 0 {
			t.Fatalf("%q is not read back: %s", out, describe(again, back))
		}
		if int(back.HeadLen) != len(out) {
			t.Fatalf("%q: %d of %d bytes are the head", out, back.HeadLen, len(out))
		}
		// An absolute URI is normalized once more when it is read again.
		relative := m.Flags&message.HasAuthority == 0
		if !response && relative && !bytes.Equal(m.URI(), back.URI()) || m.Status != back.Status {
			t.Fatalf("%q: another start line", out)
		}
	})
}

func FuzzDecoder(f *testing.F) {
	for _, body := range []string{"3\r\nabc\r\n0\r\n\r\n", "3;a=\"b\\\"c\"\r\nabc\r\n0\r\nX: y\r\n\r\n", "A\r\n0123456789\r\n0\r\n\n", "3 \t;x\r\nabc\r\n"} {
		f.Add([]byte(body), 1)
		f.Add([]byte(body), 3)
	}
	f.Fuzz(func(t *testing.T, in []byte, step int) {
		m := new(message.Message)
		m.Flags = message.LengthKnown | message.Chunked
		decode := func(step int) (body string, used int, ev Event) {
			var d Decoder
			d.Start(m)
			for at := 0; at < len(in); {
				part := in[at:min(at+step, len(in))]
				payload, n, ev := d.Next(part)
				if len(payload) > 0 && &payload[len(payload)-1] != &part[n-1] {
					t.Fatal("the payload is not the last that was consumed")
				}
				body += string(payload)
				used += n
				switch ev {
				case BadBody, End, TrailerPart:
					return body, used, ev
				case Payload:
					at += n
				case NeedMore:
					if n != len(part) {
						t.Fatalf("%d of %d bytes consumed, and more wanted", n, len(part))
					}
					at += n
				}
			}
			if d.Total != uint64(len(body)) {
				t.Fatalf("total %d, body %d", d.Total, len(body))
			}
			if d.Finished() {
				return body, used, End
			}
			return body, used, NeedMore
		}
		step = max(1, min(step, 64))
		b1, n1, e1 := decode(len(in) + 1)
		b2, n2, e2 := decode(step)
		if b1 != b2 || n1 != n2 || e1 != e2 {
			t.Fatalf("at once %q %d %v, in pieces %q %d %v", b1, n1, e1, b2, n2, e2)
		}
	})
}

// browser is a request as a browser sends it: 10 header fields.
const browser = "GET /index.html?a=1 HTTP/1.1\r\n" +
	"Host: www.example.com\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
	"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n" +
	"Accept-Language: en-US,en;q=0.5\r\n" +
	"Accept-Encoding: gzip, deflate, br\r\n" +
	"Referer: https://www.example.com/\r\n" +
	"Cookie: session=0123456789abcdef; theme=dark\r\n" +
	"Connection: keep-alive\r\n" +
	"Cache-Control: max-age=0\r\n" +
	"X-Request-Id: 7b0c1b9e-3d3c-4d2e-9a3f-000000000000\r\n" +
	"\r\n"

const answer = "HTTP/1.1 200 OK\r\n" +
	"Server: nginx\r\n" +
	"Date: Mon, 23 Nov 2026 14:00:00 GMT\r\n" +
	"Content-Type: text/html\r\n" +
	"Content-Length: 55\r\n" +
	"Connection: keep-alive\r\n" +
	"\r\n"

// passOn parses a request and its response and encodes both.
func passOn(p *Parser, m *message.Message, in, out []byte, fields []message.Field) {
	m.Reset(append(in[:0], browser...), fields)
	p.Request(0, DefaultLimits)
	if p.Parse(m) != Complete {
		panic("request")
	}
	var e Encoder
	if _, err := e.AppendRequest(out[:0], m); err != nil {
		panic(err)
	}
	m.Reset(append(in[:0], answer...), fields)
	p.Response(message.GET, 0, DefaultLimits)
	if p.Parse(m) != Complete {
		panic("response")
	}
	e = Encoder{Request11: true}
	if _, err := e.AppendResponse(out[:0], m); err != nil {
		panic(err)
	}
}

func TestNoAllocations(t *testing.T) {
	in, out := make([]byte, 0, 16384), make([]byte, 0, 16384)
	fields := make([]message.Field, 0, 202)
	var p Parser
	var m message.Message
	if n := testing.AllocsPerRun(100, func() { passOn(&p, &m, in, out, fields) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	chunked := []byte("3\r\nabc\r\n0\r\n\r\n")
	m.Flags = message.LengthKnown | message.Chunked
	if n := testing.AllocsPerRun(100, func() {
		var d Decoder
		d.Start(&m)
		for at, ev := 0, NeedMore; ev != End; {
			var n int
			_, n, ev = d.Next(chunked[at:])
			at += n
		}
	}); n != 0 {
		t.Errorf("decoder: %v allocations", n)
	}
}

func BenchmarkParseRequest(b *testing.B) {
	b.ReportAllocs()
	b.SetBytes(int64(len(browser)))
	in := append(make([]byte, 0, 16384), browser...)
	fields := make([]message.Field, 0, 202)
	var p Parser
	var m message.Message
	for b.Loop() {
		m.Reset(in, fields)
		p.Request(0, DefaultLimits)
		if p.Parse(&m) != Complete {
			b.Fatal("request")
		}
	}
}

func BenchmarkParseResponse(b *testing.B) {
	b.ReportAllocs()
	in := append(make([]byte, 0, 16384), answer...)
	fields := make([]message.Field, 0, 202)
	var p Parser
	var m message.Message
	for b.Loop() {
		m.Reset(in, fields)
		p.Response(message.GET, 0, DefaultLimits)
		if p.Parse(&m) != Complete {
			b.Fatal("response")
		}
	}
}

func BenchmarkAppendRequest(b *testing.B) {
	b.ReportAllocs()
	p, m := feed(browser, 0, 0, DefaultLimits)
	if p.Status != 0 {
		b.Fatal("request")
	}
	out := make([]byte, 0, 16384)
	for b.Loop() {
		var e Encoder
		if _, err := e.AppendRequest(out, m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPassOn(b *testing.B) {
	b.ReportAllocs()
	in, out := make([]byte, 0, 16384), make([]byte, 0, 16384)
	fields := make([]message.Field, 0, 202)
	var p Parser
	var m message.Message
	for b.Loop() {
		passOn(&p, &m, in, out, fields)
	}
}
