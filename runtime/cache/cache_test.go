package cache

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// keep stores a body in pieces, and completes the entry unless it is given up.
func keep(c *Cache, k key, v variant, now int64, body []byte, r *rand.Rand) *Entry {
	c.mu.Lock()
	e := c.begin(k, v, now)
	c.mu.Unlock()
	if e == nil {
		return nil
	}
	e.expires = now + 60
	x := &Exchange{into: c, store: e}
	for len(body) > 0 {
		n := 1 + r.IntN(len(body))
		x.Write(body[:n])
		body = body[n:]
	}
	stored := x.store != nil
	x.Complete()
	if !stored {
		return nil
	}
	return e
}

// TestRandom fills a small cache again and again: what it finds is what was stored last, limits hold, and the blocks of all entries
// and the free ones are all that there are.
func TestRandom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	c := New("c", 1)
	c.MaxObject = 100 << 10
	last := map[key][]byte{}
	never := func(signature) (variant, bool) { return variant{}, false }
	found := 0
	for round := range 3000 {
		k := key{byte(r.IntN(60))}
		if r.IntN(2) == 0 {
			body := bytes.Repeat([]byte{byte(round), byte(round >> 8)}, r.IntN(60<<10))
			e := keep(c, k, variant{}, int64(round/100), body, r)
			if len(body) > c.MaxObject && e != nil {
				t.Fatalf("round %d: %d bytes were kept", round, len(body))
			}
			if delete(last, k); e != nil {
				last[k] = body
			}
			continue
		}
		c.mu.Lock()
		e := c.find(k, int64(round/100), never)
		if e == nil {
			c.mu.Unlock()
			continue
		}
		found++
		c.hold(e)
		c.mu.Unlock()
		x := Exchange{from: c, hit: e}
		var got []byte
		for done := len(last[k]) == 0; !done; {
			got, done = x.body(got)
		}
		if !bytes.Equal(got, last[k]) {
			t.Fatalf("round %d: %d bytes, %d were stored", round, len(got), len(last[k]))
		}
		x.Leave()
	}
	if found < 300 {
		t.Errorf("found %d", found)
	}
	inUse := 0
	for _, all := range c.entries {
		for _, e := range all {
			inUse += len(e.blocks)
		}
	}
	if free := c.blocks.total - int(c.blocks.fresh) + len(c.blocks.free); inUse+free != c.blocks.total || c.Busy() != 0 {
		t.Errorf("%d blocks in use and %d free of %d, %d held", inUse, free, c.blocks.total, c.Busy())
	}
}

// TestHeldEntriesStay wants the blocks of what somebody reads to stay as they are, whatever is stored.
func TestHeldEntriesStay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := New("c", 1)
	c.MaxObject = 1 << 20
	body := bytes.Repeat([]byte("held"), 50000)
	e := keep(c, key{1}, variant{}, 0, body, r)
	c.mu.Lock()
	c.hold(e)
	c.remove(e)
	c.mu.Unlock()
	for n := range 20 {
		keep(c, key{2, byte(n)}, variant{}, 0, bytes.Repeat([]byte("other"), 30000), r)
	}
	if keep(c, key{3}, variant{}, 0, make([]byte, 900<<10), r) != nil {
		t.Error("there was no room for so much")
	}
	x := Exchange{from: c, hit: e}
	var got []byte
	for done := false; !done; {
		got, done = x.body(got)
	}
	if !bytes.Equal(got, body) {
		t.Error("changed")
	}
	if x.Leave(); c.Busy() != 0 {
		t.Errorf("%d blocks are held", c.Busy())
	}
}

func TestVariants(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	c := New("c", 1)
	c.MaxObject, c.MaxVariant = 100<<10, 2
	has := func(e encodings) variant { return variant{of: byEncoding, encodings: e} }
	for i, e := range []encodings{gzip, br, deflate} {
		if kept := keep(c, key{1}, has(e), 0, []byte(fmt.Sprint(i)), r) != nil; kept != (i < 2) {
			t.Errorf("variant %d: %v", i, kept)
		}
	}
	for _, x := range []struct {
		takes encodings
		want  bool
	}{{gzip | identity, true}, {br, true}, {deflate, false}, {identity, false}, {^encodings(0), true}} {
		c.mu.Lock()
		e := c.find(key{1}, 0, func(signature) (variant, bool) { return has(x.takes), true })
		c.mu.Unlock()
		if (e != nil) != x.want {
			t.Errorf("%b: %v", x.takes, e != nil)
		}
	}
	if keep(c, key{1}, has(deflate), 100, nil, r) == nil {
		t.Error("stale variants count")
	}
}
