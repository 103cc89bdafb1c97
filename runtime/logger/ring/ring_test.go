package ring

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
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
	r := New(header + 27) // six messages of 4 bytes, the byte behind the last one and two that stay free
	for i := range 10 {
		if !r.Write([]byte("m"), fmt.Append(nil, i)) {
			t.Fatal("dropped")
		}
	}
	x := r.Attach(false, nil)
	if got := all(x); got != "m4 m5 m6 m7 m8 m9 " {
		t.Errorf("the newest are %q", got)
	}
	fresh := r.Attach(true, nil)
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
	fresh.Detach()
	if r.Write(bytes.Repeat([]byte("x"), 23)) {
		t.Error("more than fits")
	}
	if !r.Write(bytes.Repeat([]byte("x"), 22)) {
		t.Error("what fits was dropped")
	}
}

// TestModel compares a ring with a slice.
func TestModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		size := 8 + rng.IntN(1000)
		r := New(header + size)
		x := r.Attach(true, nil)
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
	more := make(chan struct{}, 1)
	x := r.Attach(true, func() {
		select {
		case more <- struct{}{}:
		default:
		}
	})
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
		case <-more:
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

func TestReaders(t *testing.T) {
	r := New(Smallest)
	for range readers {
		if r.Attach(false, nil) == nil {
			t.Fatal("refused")
		}
	}
	if r.Attach(false, nil) != nil {
		t.Error("one more than is allowed")
	}
	if r.Write(nil) {
		t.Error("the smallest ring has room")
	}
}

// TestMost: what HAProxy 3.4.0 says of rings of some sizes.
func TestMost(t *testing.T) {
	for size, most := range map[int]int{16384: 16187, 4096: 3899, 195: 0, 194: -1} {
		if got := Most(size); got != most {
			t.Errorf("%d bytes: %d, want %d", size, got, most)
		}
	}
}

// TestFile holds a file of a ring to one that HAProxy 3.4.0 has written: three messages, of which the second and the third have
// lengths of two and of three bytes.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	r, err := Open(path, 4096)
	if err != nil {
		t.Fatal(err)
	}
	messages := []string{"short", strings.Repeat("a", 300), strings.Repeat("b", 2500)}
	for _, m := range messages {
		r.Write([]byte(m))
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, 4096)
	for at, n := range map[int]uint64{0: 3904, 8: 192, 64: 2815, 128: 0} {
		binary.NativeEndian.PutUint64(want[at:], n)
	}
	area := "\x00\x05short\x00\xfc\x03" + messages[1] + "\x00\xf4\x8d\x00" + messages[2] + "\x00"
	copy(want[192:], area)
	if !bytes.Equal(got, want) {
		t.Errorf("not the same: head %q, want %q", got[:192], want[:192])
	}
}

// TestRotate: messages are kept when a file is used again, and a ring without any does not take the place of those kept.
func TestRotate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	kept := func() string {
		b, _ := os.ReadFile(path + ".bak")
		return string(b[:min(len(b), 7)])
	}
	if err := os.WriteFile(path, []byte("foreign"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *Ring {
		r, err := Open(path, 4096)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	if kept() != "foreign" {
		t.Errorf("a small file: %q", kept())
	}
	open()
	if kept() != "foreign" {
		t.Errorf("an empty ring has taken its place: %q", kept())
	}
	r.Write([]byte("m"))
	open()
	if kept() == "foreign" {
		t.Error("messages are not kept")
	}
	os.WriteFile(path, bytes.Repeat([]byte("x"), 1000), 0o600)
	open()
	if kept() == "xxxxxxx" {
		t.Error("a large file that is no ring is kept")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "no", "ring"), 4096); err == nil {
		t.Error("a file in a folder that is not there")
	}
}

// TestShared: two processes have a file for a while.
func TestShared(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	open := func() *Ring {
		r, err := Open(path, 4096)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	a := open()
	b := open()
	var want []string
	for i := range 300 {
		m := fmt.Sprintf("message %d", i)
		if r := []*Ring{a, b}[i/7%2]; !r.Write([]byte(m)) {
			t.Fatal("dropped")
		}
		want = append(want, m+" ")
	}
	if got := all(b.Attach(false, nil)); got != strings.Join(want[300-strings.Count(got, "m"):], "") || got == "" {
		t.Errorf("got %q", got)
	}
}

// TestOvertaken: a reader goes on behind what another process wrote over.
func TestOvertaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	a, err := Open(path, 4096)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(path, 4096)
	if err != nil {
		t.Fatal(err)
	}
	a.Write([]byte("first"))
	reader := a.Attach(false, nil)
	for range 40 {
		b.Write(bytes.Repeat([]byte("b"), 100))
		a.Write() // sees what the other one wrote
	}
	b.Write([]byte("last"))
	var got []string
	for {
		m, ok := reader.Next(nil)
		if !ok {
			break
		}
		got = append(got, string(m))
	}
	if got[0] == "first" || got[len(got)-1] != "last" {
		t.Errorf("got %q", got)
	}
	for _, m := range got {
		if m != "" && m != "last" && strings.Trim(m, "b") != "" {
			t.Errorf("%q was never written", m)
		}
	}
}

// FuzzSpoilt: whatever others do to the file, nothing ends the process.
func FuzzSpoilt(f *testing.F) {
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), uint64(7), uint64(3), 5)
	f.Add([]byte("\xf0\x80\x01"), uint64(1<<63), uint64(1), 100)
	f.Add([]byte("0x0P00000000000\xf5\x0f"), uint64(0), uint64(24), 110)
	f.Fuzz(func(_ *testing.T, spoil []byte, tail, head uint64, n int) {
		r := New(header + 300)
		r.shared = true
		x := r.Attach(false, nil)
		for i := range 5 {
			r.Write(make([]byte, max(n, 0)%200))
			copy(r.area[min(i*n&255, 299):], spoil)
			if i == 2 {
				binary.NativeEndian.PutUint64(r.store[tailAt:], tail)
				binary.NativeEndian.PutUint64(r.store[headAt:], head)
			}
			x.Next(nil)
			all(r.Attach(false, nil))
		}
	})
}
