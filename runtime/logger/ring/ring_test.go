package ring

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

func all(x *Reader) (text string) {
	for {
		b, ok := x.Next(nil)
		if !ok {
			return text
		}
		text += string(b) + " "
	}
}

func TestRing(t *testing.T) {
	r := New(40)
	for i := range 10 {
		if !r.Write([]byte("m"), fmt.Append(nil, i)) {
			t.Fatal("dropped")
		}
	}
	x := r.Attach(false)
	if got := all(x); got != "m4 m5 m6 m7 m8 m9 " {
		t.Errorf("the newest are %q", got)
	}
	fresh := r.Attach(true)
	for i := range 8 {
		r.Write([]byte("n"), fmt.Append(nil, i))
	}
	if got := all(fresh); got != "n0 n1 n2 n3 n4 n5 " {
		t.Errorf("what a reader has not passed is kept: %q", got)
	}
	if n := r.Dropped(); n != 2 {
		t.Errorf("%d dropped, want 2", n)
	}
	x.Detach()
	if !r.Write([]byte("o")) {
		t.Error("a reader that has left still holds")
	}
	if r.Write(bytes.Repeat([]byte("x"), 37)) || r.Most() != 36 {
		t.Error("more than fits")
	}
}

// TestModel compares a ring with a slice.
func TestModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		size := 8 + rng.IntN(200)
		r := New(size)
		x := r.Attach(true)
		var kept []string // what the reader is to see
		for range 100 {
			if rng.IntN(2) == 0 {
				b, ok := x.Next(nil)
				if ok != (len(kept) > 0) || ok && string(b) != kept[0] {
					t.Fatalf("read %q %v, want %q", b, ok, kept)
				}
				if ok {
					kept = kept[1:]
				}
				continue
			}
			m := strings.Repeat("a", rng.IntN(size))
			if r.Write([]byte(m)) {
				kept = append(kept, m)
			}
		}
	}
}

func TestConcurrent(t *testing.T) {
	r := New(1 << 12)
	x := r.Attach(true)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 1000 {
				r.Write(fmt.Append(nil, i))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	n := uint64(0)
	for over := false; !over; {
		select {
		case <-x.More():
		case <-done:
			over = true
		}
		for _, ok := x.Next(nil); ok; _, ok = x.Next(nil) {
			n++
		}
	}
	if n+r.Dropped() != 4000 {
		t.Errorf("%d read and %d dropped of 4000", n, r.Dropped())
	}
}
