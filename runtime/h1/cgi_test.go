package h1

import (
	"strings"
	"testing"

	"hapax/runtime/message"
)

// feedCGI parses the head of a CGI response in pieces of step bytes, 0 for all at once.
func feedCGI(p *Parser, head string, step int) *message.Message {
	m := new(message.Message)
	m.Reset(p.CGI(make([]byte, 0, len(head)+1024), message.GET, true, 0, DefaultLimits), make([]message.Field, 0, 200))
	return feedOn(p, m, head, step)
}

func TestCGI(t *testing.T) {
	for _, test := range []struct{ head, want string }{
		{"A: b\n\n", "HTTP/1.1 200 OK"},
		{"\r\n", "HTTP/1.1 200 OK"},
		{"Location: /x\r\n\r\n", "HTTP/1.1 302 Found"},
		{"Location: /x\r\nStatus: 301\r\n\r\n", "HTTP/1.1 301 "},
		{"Status: 404 Not Here\r\nLocation: /x\r\n\r\n", "HTTP/1.1 404 Not Here"},
		{"Status: 201\tMade  \n\n", "HTTP/1.1 201 Made"},
	} {
		for _, step := range []int{0, 1, 5} {
			var p Parser
			m := feedCGI(&p, test.head, step)
			got := string(m.Version()) + " " + string(m.Bytes(m.Line[1])) + " " + string(m.Reason())
			if p.Status != 0 || got != test.want {
				t.Errorf("%q, in pieces of %d: %q, status %d, want %q", test.head, step, got, p.Status, test.want)
			}
		}
	}
}

// FuzzCGI makes sure that it does not matter in what pieces a CGI response comes, and that what is passed on is HTTP.
func FuzzCGI(f *testing.F) {
	for _, head := range []string{"Status: 404 Not Here\r\nX: y\r\n\r\nbody", "Location: /x\n\n", "\n", "Status: \n\n", "Status: 99999999999 x\nContent-Length: 3\n\n", "X Y: 1\nZ: 2\n\n"} {
		f.Add(head, 1)
	}
	f.Fuzz(func(t *testing.T, head string, step int) {
		var whole, parts Parser
		m := feedCGI(&whole, head, 0)
		got := describe(&whole, m)
		step = max(1, min(step, 64))
		if want := describe(&parts, feedCGI(&parts, head, step)); got != want {
			t.Fatalf("at once\n%sin pieces of %d\n%s", got, step, want)
		}
		if whole.Status != 0 || m.HeadLen == 0 {
			return
		}
		for i := range m.Fields {
			if strings.ContainsAny(string(m.Name(i))+string(m.Value(i)), "\r\n") {
				t.Fatalf("field %q: %q", m.Name(i), m.Value(i))
			}
		}
		if strings.ContainsAny(string(m.Bytes(m.Line[1]))+string(m.Reason()), "\r\n") {
			t.Fatalf("status %q, reason %q", m.Bytes(m.Line[1]), m.Reason())
		}
	})
}
