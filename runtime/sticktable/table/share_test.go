package table

import (
	"math/rand/v2"
	"testing"
)

// TestEarly gives entries lives of random lengths: each one leaves at its time, unless it is touched.
func TestEarly(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		now := uint32(1 << 31)
		tab := newTable(1000, 1000, &now)
		leaves := map[uint32]uint32{}
		for range 2000 {
			k := r.Uint32N(200)
			e, _ := tab.Make(key(k))
			if r.IntN(3) == 0 {
				e.Touch()
				leaves[k] = now + 1000
			} else {
				ms := 1 + r.Uint32N(1200)
				e.Live(ms)
				leaves[k] = now + min(ms, 1000)
			}
			e.Unlock()
			now += r.Uint32N(20)
			for k, at := range leaves {
				if at <= now {
					delete(leaves, k)
				}
			}
			if n := tab.Count(); n != len(leaves) {
				t.Fatalf("seed %d: %d entries, want %d", seed, n, len(leaves))
			}
		}
		for k := range leaves {
			if !tab.has(k) {
				t.Fatalf("seed %d: key %d has left", seed, k)
			}
		}
		for i := range tab.parts {
			if p := &tab.parts[i]; len(p.early) > 2*int(p.count)+blockSize+1 {
				t.Errorf("seed %d: %d departures for %d entries", seed, len(p.early), p.count)
			}
		}
	}
}

// TestChanges follows a table by its changes: who is told of all of them has the same entries.
func TestChanges(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 4))
		now := uint32(1 << 31)
		tab := newTable(1000, 100000, &now)
		woken := 0
		tab.Share(func() { woken++ })
		values, told := map[uint32]int64{}, map[uint32]int64{}
		behind := uint64(0)
		for range 3000 {
			k := r.Uint32N(50)
			switch r.IntN(6) {
			case 0:
				if e, ok := tab.Find(key(k)); ok {
					e.Remove()
					e.Unlock()
					delete(values, k)
					delete(told, k)
				}
			case 1:
				woken = 0
				tab.Collect()
				for {
					number, ok := tab.Next(behind, func(e *Entry) { v, _ := e.Get(GPC, 0); told[uint32(e.Key()[0])] = v })
					if !ok {
						break
					}
					if number <= behind {
						t.Fatal("numbers go back")
					}
					behind = number
				}
				if behind > tab.LastLocal() {
					t.Fatalf("%d behind %d", behind, tab.LastLocal())
				}
				for k, v := range values {
					if told[k] != v {
						t.Fatalf("seed %d: key %d: %d, want %d", seed, k, told[k], v)
					}
				}
			default:
				e, _ := tab.Make(key(k))
				values[k]++
				e.Set(GPC, 0, values[k])
				e.Touch()
				e.Unlock()
				if woken == 0 {
					t.Fatal("nobody is told")
				}
			}
		}
		all := 0
		for at := (Place{}); tab.Walk(&at, func(*Entry) { all++ }); {
		}
		if all != len(values) {
			t.Errorf("seed %d: a walk finds %d entries of %d", seed, all, len(values))
		}
		if n := len(tab.changes.order); n > 2*len(values)+parts*blockSize+50 {
			t.Errorf("seed %d: %d changes are kept", seed, n)
		}
	}
}

// TestTouchShared costs no memory while a change waits to be collected.
func TestTouchShared(t *testing.T) {
	now := uint32(1 << 31)
	tab := newTable(10, 1000, &now)
	tab.Share(func() {})
	k := key(1)
	touch := func() {
		e, _ := tab.Make(k)
		e.flag(isSeen)
		e.Touch()
		e.Unlock()
		tab.Collect()
	}
	for range 5000 {
		touch()
	}
	if n := testing.AllocsPerRun(1000, touch); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
