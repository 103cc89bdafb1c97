package exchange

import (
	"bytes"
	"strings"
	"testing"

	"hapax/acl/sample"
	"hapax/runtime/sticktable/table"
	"hapax/runtime/varint"
)

// TestGreeting are the first lines of who connects, and what is answered.
func TestGreeting(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"HAProxyS 2.1\nme\nother 1 1\n", "200\n"},
		{"HAProxyS 2.1\r\nme\r\nother 1 1\r\n", "200\n"},
		{"HAProxyS 2.0\nme\nother 1 1\n", "200\n"},
		{"HAProxyS 2.2\nme\nother 1 1\n", "502\n"},
		{"HAProxyS 2\nme\n", "502\n"},
		{"HAProxyS 2.1x\nme\n", "502\n"},
		{"HAProxyS 3.1\nme\n", "502\n"},
		{"HAProxyX 2.1\n", "501\n"},
		{"HAProxyS\n", "501\n"},
		{"GET / HTTP/1.1\r\n\r\n", "501\n"},
		{"HAProxyS 2.1\nyou\n", "503\n"},
		{"HAProxyS 2.1\nme\nstranger 1 1\n", "504\n"},
		{"HAProxyS 2.1\nme\nother\n", "501\n"},
		{"HAProxyS 2.1\nme\nme 1 1\n", "200\n"},
		{"HAProxyS 2.1\nme\nother", ""},
		{strings.Repeat("x", 16384), ""},
	} {
		n := newNetwork(t, 1)
		s := n.add("me", []string{"other"}).Accept()
		for i := range len(tt.in) {
			s.Feed([]byte(tt.in[i : i+1]))
		}
		out, _ := s.Write(nil, 1000)
		if got, _, _ := bytes.Cut(out, []byte{0}); string(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, out, tt.want)
		}
		if over := tt.want != "200\n" && (tt.want != "" || len(tt.in) > 1000); s.Over() != over {
			t.Errorf("%q: over is %v", tt.in, s.Over())
		}
	}
}

// TestRefused follows what the other side answers.
func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		answer    string
		reconnect bool
		version   string
	}{{"200\n", true, "2.1"}, {"300\n", false, ""}, {"501\n", false, ""}, {"502\n", false, ""}, {"", true, "2.1"}} {
		n := newNetwork(t, 1)
		g := n.add("me", []string{"other"})
		var sessions []*Session
		g.Dial = func(s *Session) { sessions = append(sessions, s); s.Connected() }
		g.Run()
		hello, _ := sessions[0].Write(nil, 1000)
		if want := "HAProxyS 2.1\nother\nme "; !strings.HasPrefix(string(hello), want) || !strings.HasSuffix(string(hello), " 1\n") {
			t.Errorf("%q", hello)
		}
		sessions[0].Feed([]byte(tt.answer))
		sessions[0].Close()
		n.pass(20000)
		if got := len(sessions) > 1; got != tt.reconnect {
			t.Errorf("%q: another attempt: %v", tt.answer, got)
		}
	}
}

// TestMistakes are messages that break the protocol.
func TestMistakes(t *testing.T) {
	define := appendMessage(nil, tableDefine, []byte("\x01\x01t\x02\x04\x04\x00"))
	for _, tt := range []struct {
		name string
		in   []byte
		want string
	}{
		{"reserved class", []byte{255, 0}, "\x01\x00"},
		{"unknown class", []byte{7, 7, 0, 4}, ""},
		{"length of six bytes", []byte{10, 128, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, "\x01\x00"},
		{"too large", varint.Append([]byte{10, 128}, 16385), "\x01\x01"},
		{"definition without name", appendMessage(nil, tableDefine, []byte{1}), "\x01\x00"},
		{"definition with an empty name", appendMessage(nil, tableDefine, []byte{1, 0, 1, 1}), "\x01\x00"},
		{"definition of what is not here", appendMessage(nil, tableDefine, []byte("\x01\x01x\x02\x04\x04\x00")), ""},
		{"entry without table", appendMessage(nil, tableUpdate, []byte{1}), ""},
		{"entry without number", append(define[:len(define):len(define)], appendMessage(nil, tableUpdate, []byte{1})...), "\x01\x00"},
		{"entry without key", append(define[:len(define):len(define)], appendMessage(nil, tableUpdate, []byte{0, 0, 0, 1, 1})...), "\x01\x00"},
		{"entry without data", append(define[:len(define):len(define)], appendMessage(nil, tableUpdate, []byte{0, 0, 0, 1, 0, 0, 0, 1})...), "\x01\x00"},
		{"entry", append(define[:len(define):len(define)], appendMessage(nil, tableUpdate, []byte{0, 0, 0, 1, 0, 0, 0, 1, 9})...), "\x0a\x84\x05\x01\x00\x00\x00\x01"},
		{"entry with more", append(define[:len(define):len(define)], appendMessage(nil, tableUpdate, []byte{0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9})...), "\x0a\x84\x05\x01\x00\x00\x00\x01"},
		{"acknowledgement without number", appendMessage(nil, tableAck, []byte{1, 0, 0}), "\x01\x00"},
		{"switch without number", appendMessage(nil, tableSwitch, nil), "\x01\x00"},
	} {
		s := greetedSession(t)
		s.Feed(tt.in)
		out, _ := s.Write(nil, 1000)
		if string(out) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, out, tt.want)
		}
		if ends := tt.want != "" && tt.want[0] == classError; s.Over() != ends {
			t.Errorf("%s: over is %v", tt.name, s.Over())
		}
	}
}

// greetedSession is one with a table "t" of integers, whose greeting is over.
func greetedSession(t *testing.T) *Session {
	n := newNetwork(t, 1)
	x := table.New("t")
	x.Type, x.KeySize, x.Size, x.Expire = sample.Int, 4, 100, 60000
	x.Store(table.GPC0, 1, 0)
	x.Store(table.ServerKey, 1, 0)
	x.Store(table.GPCRate, 2, 1000)
	s := n.add("me", []string{"other"}, x).Accept()
	s.group.flags |= resyncDone
	s.Feed([]byte("HAProxyS 2.1\nme\nother 1 1\n"))
	s.Write(nil, 1000)
	return s
}

// FuzzFeed gives a session whatever comes: it ends, or goes on.
func FuzzFeed(f *testing.F) {
	define := appendMessage(nil, tableDefine, []byte("\x01\x01t\x02\x04"+string(varint.Append(nil, 1<<table.GPC0|1<<table.ServerKey|1<<table.GPCRate))+"\x00\x18\x02\x64"))
	entry := appendMessage(nil, tableTimedUpdate, []byte("\x00\x00\x00\x01\x00\x00\x10\x00\x00\x00\x00\x07\x09\x04\x01\x02s1\x01\x02\x03\x04\x05\x06"))
	f.Add([]byte{classControl, resyncRequest, classControl, heartbeat, classControl, resyncConfirm})
	f.Add(append(append([]byte{}, define...), entry...))
	f.Add(appendMessage(define, tableNextUpdate, []byte("\x00\x00\x00\x07\x09\x01\x01\x01\x02\x03\x04\x05\x06")))
	f.Add(appendMessage(nil, tableAck, []byte("\x01\xff\xff\xff\xff")))
	f.Fuzz(func(t *testing.T, in []byte) {
		s := greetedSession(t)
		for len(in) > 0 && !s.Over() {
			n := min(len(in), 7)
			s.Feed(in[:n])
			in = in[n:]
			s.Write(nil, 1000)
			s.group.Run()
		}
		if len(s.begun) > s.group.Largest+8 {
			t.Errorf("%d bytes are kept", len(s.begun))
		}
		s.Close()
		s.group.Run()
	})
}
