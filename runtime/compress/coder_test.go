package compress

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"testing"

	"hapax/runtime"
)

// TestCoder reads with the standard library what the coder wrote, in pieces of any size, at both levels.
func TestCoder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		a := algorithms[r.IntN(len(algorithms))]
		text := make([]byte, r.IntN(1<<uint(r.IntN(18))))
		for i := range text {
			text[i] = "abcdefgh"[r.IntN(1+round%8)]
		}
		var c Coder
		c.Start(&a, unlimited())
		c.plain = r.IntN(2) > 0
		var out []byte
		for rest := text; ; {
			n := r.IntN(len(rest) + 1)
			if r.IntN(4) == 0 {
				n = len(rest)
			}
			last := n == len(rest) && r.IntN(2) == 0
			if n > 0 || last {
				out = append(out, c.Code(rest[:n], last)...)
			}
			rest = rest[n:]
			c.plain = r.IntN(2) > 0
			if last {
				break
			}
		}
		if got := decode(t, a, out); !bytes.Equal(got, text) {
			t.Fatalf("round %d: %s of %d bytes came back as %d", round, a.Name, len(text), len(got))
		}
	}
}

// decode reads a whole message.
func decode(t *testing.T, a runtime.Algorithm, p []byte) []byte {
	t.Helper()
	var r io.Reader
	var err error
	switch a.Form {
	case runtime.Identity:
		return p
	case runtime.RawDeflate:
		r = flate.NewReader(bytes.NewReader(p))
	case runtime.ZlibForm:
		r, err = zlib.NewReader(bytes.NewReader(p))
	case runtime.GzipForm:
		r, err = gzip.NewReader(bytes.NewReader(p))
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", a.Name, err)
	}
	return text
}

// TestCoderFlushes wants each piece to be readable before the next one comes.
func TestCoderFlushes(t *testing.T) {
	var c Coder
	c.Start(algorithm("gzip"), unlimited())
	first := c.Code([]byte("hello"), false)
	r, err := gzip.NewReader(bytes.NewReader(first))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCoderAllocatesNothing(t *testing.T) {
	var c Coder
	cfg, text := unlimited(), bytes.Repeat([]byte("hello world "), 1000)
	c.Start(algorithm("gzip"), cfg)
	c.Code(text, false)
	if n := testing.AllocsPerRun(100, func() {
		c.Start(algorithm("gzip"), cfg)
		c.Code(text, false)
		c.Code(text, true)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestCoderCounts lets a rate be reached: what follows is only framed.
func TestCoderCounts(t *testing.T) {
	cfg := unlimited()
	cfg.Stats.CompRateLimit.Store(10)
	var c Coder
	var n runtime.CodedBytes
	c.Start(algorithm("deflate"), cfg)
	c.CountIn(&n, nil)
	text := []byte("hello hello hello hello hello")
	out := append([]byte(nil), c.Code(text, false)...)
	out = append(out, c.Code(text, true)...)
	if got := decode(t, *algorithm("deflate"), out); string(got) != string(text)+string(text) {
		t.Errorf("%q", got)
	}
	if n.In.Load() != uint64(len(text)) || n.Bypassed.Load() != uint64(len(text)) || n.Responses.Load() != 1 || n.Out.Load() == 0 {
		t.Errorf("in %d, out %d, bypassed %d, responses %d", n.In.Load(), n.Out.Load(), n.Bypassed.Load(), n.Responses.Load())
	}
}

// unlimited is a configuration that limits nothing.
func unlimited() *runtime.Config {
	cfg := &runtime.Config{}
	cfg.Stats.Clock = func() int64 { return 0 }
	return cfg
}
