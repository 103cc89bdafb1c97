package pattern

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"hapax/acl/sample"
)

// TestTransactionsUnderTraffic replaces a whole map again and again while others look its keys up: each look-up has a value of the
// generation before or behind a commit, never none, and none of a generation that is older than one seen already.
func TestTransactionsUnderTraffic(t *testing.T) {
	const keys, rounds = 50, 200
	r := new(Refs).Inline(-1, "")
	sets := map[Method]*Set{}
	for _, method := range []Method{Str, Beg, Sub, Reg, Int} {
		set, err := r.Set(method, NoDNS, sample.Any)
		if err != nil {
			t.Fatal(err)
		}
		sets[method] = set
	}
	fill := func(version uint32, text string) {
		for i := range keys {
			// A number is a word and a regex too.
			if err := r.Add(version, strconv.Itoa(1000+i), &text); err != nil {
				t.Error(err)
				return
			}
		}
	}
	fill(0, "0")
	var over atomic.Bool
	var readers sync.WaitGroup
	for method, set := range sets {
		readers.Go(func() {
			ctx, last := newContext(), 0
			for i := 0; !over.Load(); i++ {
				key := strconv.Itoa(1000 + i%keys)
				v := value(method, key)
				e := set.Lookup(ctx, &v)
				if e == nil {
					t.Errorf("%s: %s is gone for a moment", method, key)
					return
				}
				text, _ := e.Value()
				if n, _ := strconv.Atoi(text); n < last {
					t.Errorf("%s: generation %d behind %d", method, n, last)
					return
				} else {
					last = n
				}
			}
		})
	}
	for n := 1; n <= rounds; n++ {
		version := r.Prepare()
		fill(version, fmt.Sprint(n))
		if !r.Commit(version) {
			t.Error("not committed")
		}
	}
	over.Store(true)
	readers.Wait()
}

// TestKeyIndex holds an index against a map through random changes, of few keys and of many.
func TestKeyIndex(t *testing.T) {
	for i, keys := range []int{3, 200, 5000} {
		x, want := newKeyIndex(40*i), map[string][]*Entry{}
		r := rand.New(rand.NewPCG(uint64(i), 0))
		for range 4 * keys {
			key := strconv.Itoa(r.IntN(keys))
			have := want[key]
			if len(have) > 0 && r.IntN(3) > 0 {
				n := r.IntN(len(have))
				x.drop(have[n])
				want[key] = slices.Delete(have, n, n+1)
				continue
			}
			e := &Entry{Key: key}
			x.put(e)
			want[key] = append(have, e)
		}
		for key, have := range want {
			e := x.find(key)
			for _, w := range slices.Backward(have) {
				if e != w {
					t.Fatalf("key %s: not the entry that was put", key)
				}
				e = e.older
			}
			if e != nil {
				t.Fatalf("key %s: an entry that was dropped", key)
			}
		}
	}
}

// TestLongLine: what a line has behind its first 16383 bytes counts as lines of their own.
func TestLongLine(t *testing.T) {
	for length, last := range map[int]int32{longestLine - 1: 2, longestLine: 3, 2 * longestLine: 4} {
		r := &Ref{tally: new(tally)}
		r.parse(strings.Repeat("x", length) + "\ny\n")
		entries := r.gens[0].entries
		if e := entries[len(entries)-1]; e.Key != "y" || e.Line != last {
			t.Errorf("behind %d bytes: %q in line %d, want line %d", length, e.Key, e.Line, last)
		}
	}
}
