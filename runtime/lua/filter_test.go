package lua

import (
	"bytes"
	"slices"
	"testing"
)

// FuzzPayload changes what a filter sees as a script may, and compares it with a copy that is changed plainly. The bytes
// of the engine stay as they are.
func FuzzPayload(f *testing.F) {
	f.Add([]byte("hello world"), []byte{0, 2, 3, 1, 4, 0, 2, 3, 3, 1})
	f.Add([]byte(""), []byte{0, 0, 0, 2, 9, 9, 3, 200, 1})
	f.Fuzz(func(t *testing.T, data, ops []byte) {
		const most = 64
		engine := bytes.Clone(data)
		p := payload{bytes: engine, most: most}
		var gone, rest []byte
		rest = append(rest, data...)
		for len(ops) >= 3 {
			kind, a, b := ops[0]%3, int(ops[1]), int(ops[2])
			ops = ops[3:]
			at := a % (len(rest) + 1)
			text := bytes.Repeat([]byte{'x'}, b%9)
			switch kind {
			case 0:
				n := b % (len(rest) - at + 1)
				fits := len(gone)+len(rest)-n+len(text) <= most || len(text) <= n
				if p.replace(at, n, text) != fits {
					t.Fatalf("replace(%d, %d, %q) of %q: fits %v", at, n, text, rest, fits)
				}
				if fits {
					rest = slices.Replace(rest, at, at+n, text...)
				}
			case 1:
				p.forward(at)
				gone, rest = append(gone, rest[:at]...), rest[at:]
			case 2:
				if p.send(text) {
					gone = append(gone, text...)
				}
			}
			if !bytes.Equal(p.data(), rest) || p.output() != len(gone) || !bytes.Equal(p.bytes[:p.gone], gone) {
				t.Fatalf("%q behind %q, wanted %q behind %q", p.data(), p.bytes[:p.gone], rest, gone)
			}
		}
		if !bytes.Equal(engine, data) {
			t.Fatal("the engine's bytes were changed")
		}
	})
}
