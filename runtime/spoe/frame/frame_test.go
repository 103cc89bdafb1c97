package frame

import (
	"bytes"
	"testing"
)

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		n    uint64
		want string
	}{
		{0, "\x00"}, {239, "\xef"}, {240, "\xf0\x00"}, {2287, "\xff\x7f"}, {2288, "\xf0\x80\x00"}, {16380, "\xfc\xf0\x06"},
		{264431, "\xff\xff\x7f"}, {264432, "\xf0\x80\x80\x00"}, {1<<64 - 1, "\xff\xf0\xfe\xfe\xfe\xfe\xfe\xfe\xfe\x0e"},
	} {
		b := AppendNumber(nil, c.n)
		if string(b) != c.want {
			t.Errorf("%d: %x, want %x", c.n, b, c.want)
		}
		if n, rest, ok := ReadNumber(b); n != c.n || len(rest) > 0 || !ok {
			t.Errorf("%x: %d", b, n)
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(AppendHello(nil, &Greeting{Size: 16380, Pipelining: true, Engine: "e"}))
	f.Add(AppendNotify(nil, 1, 1, []byte("\x05check\x00")))
	f.Add(AppendDisconnect(nil, Invalid))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n := ReadHead(b)
		if n == 0 {
			return
		}
		if h.Payload < 0 || h.Payload > len(b)-n {
			return
		}
		payload := b[n : n+h.Payload]
		g := Greeting{Size: 16380}
		if fault := ReadHello(payload, &g); fault == Fine && !bytes.Contains(payload, []byte("2.0")) {
			t.Errorf("good without a version: %q", b)
		}
		ReadDisconnect(payload)
		for rest, ok := payload, true; ok && len(rest) > 0; {
			_, rest, ok = ReadValue(rest)
		}
	})
}
