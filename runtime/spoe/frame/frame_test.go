package frame

import (
	"bytes"
	"testing"
)

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
