package table

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"hapax/acl/sample"
)

// newTable is a table of integers whose clock the test sets.
func newTable(size, expire uint32, now *uint32) *Table {
	t := New("t")
	t.Type, t.KeySize, t.Size, t.Expire = sample.Int, 4, size, expire
	t.Clock = func() uint32 { return *now }
	t.Store(GPC, 2, 0)
	t.Store(HTTPReqRate, 1, 1000)
	t.Store(ConnCur, 1, 0)
	return t
}

func key(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

func (t *Table) has(n uint32) bool {
	e, ok := t.Find(key(n))
	if ok {
		e.Unlock()
	}
	return ok
}

// TestModel compares a table with a map under random operations and a random clock.
func TestModel(t *testing.T) {
	for seed := range uint64(200) {
		m := model{t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), entries: map[uint32]*modelEntry{}, now: 1 << 31}
		m.tab = newTable(1000, modelLife, &m.now)
		for range 300 {
			m.step()
		}
	}
}

// model is what a table should hold.
type model struct {
	t       *testing.T
	seed    uint64
	rand    *rand.Rand
	tab     *Table
	now     uint32
	entries map[uint32]*modelEntry
}

type modelEntry struct {
	value  int64
	expire uint32
	held   []Ref
}

const modelLife = 100 // ms

func (m *model) step() {
	k := m.rand.Uint32N(40)
	known := m.entries[k]
	switch m.rand.IntN(7) {
	case 0, 1:
		e, _ := m.tab.Make(key(k))
		e.Add(GPC, 1, 3)
		e.Touch()
		if known == nil {
			known = &modelEntry{}
			m.entries[k] = known
		}
		known.value += 3
		known.expire = m.now + modelLife
		if m.rand.IntN(2) == 0 {
			known.held = append(known.held, e.Hold())
		}
		e.Unlock()
	case 2:
		if known != nil && len(known.held) > 0 {
			e := known.held[0].Lock()
			e.Drop()
			e.Unlock()
			known.held = known.held[1:]
		}
	case 3:
		m.look(k, known)
	case 4:
		if e, ok := m.tab.Find(key(k)); ok {
			if e.Remove() {
				delete(m.entries, k)
			}
			e.Unlock()
		}
	default:
		m.now += m.rand.Uint32N(90)
		m.age()
	}
	if n := m.tab.Count(); n != len(m.entries) {
		m.t.Fatalf("seed %d: %d entries, want %d", m.seed, n, len(m.entries))
	}
}

// age removes what is overdue, unless somebody holds it.
func (m *model) age() {
	for k, e := range m.entries {
		for e.expire <= m.now && len(e.held) > 0 {
			e.expire += modelLife
		}
		if e.expire <= m.now {
			delete(m.entries, k)
		}
	}
}

func (m *model) look(k uint32, known *modelEntry) {
	e, ok := m.tab.Find(key(k))
	if ok != (known != nil) {
		m.t.Fatalf("seed %d: key %d is there: %v", m.seed, k, ok)
	}
	if !ok {
		return
	}
	defer e.Unlock()
	if v, _ := e.Get(GPC, 1); v != known.value {
		m.t.Fatalf("seed %d: key %d: %d, want %d", m.seed, k, v, known.value)
	}
	if left := e.Left(); left != known.expire-m.now {
		m.t.Fatalf("seed %d: key %d: %d ms left, want %d", m.seed, k, left, known.expire-m.now)
	}
}

func TestFull(t *testing.T) {
	now := uint32(1 << 31)
	tab := newTable(10, 0, &now)
	e, _ := tab.Make(key(0))
	ref := e.Hold()
	e.Unlock()
	for n := range uint32(100) {
		if e, ok := tab.Make(key(n)); ok {
			e.Unlock()
		}
	}
	if !tab.has(0) || tab.Count() != 10 {
		t.Errorf("%d entries; the one that is held is there: %v", tab.Count(), tab.has(0))
	}
	e = ref.Lock()
	e.Drop()
	e.Unlock()

	tab = newTable(10, 0, &now)
	tab.NoPurge = true
	for n := range uint32(100) {
		if e, ok := tab.Make(key(n)); ok {
			e.Unlock()
		}
	}
	if !tab.has(9) || tab.has(10) || tab.Reserve() {
		t.Error("a table that purges nothing took an entry too many")
	}
}

// TestHold keeps an entry over its end, from which on it has another life.
func TestHold(t *testing.T) {
	now := uint32(1 << 31)
	tab := newTable(10, 100, &now)
	e, _ := tab.Make(key(1))
	ref := e.Hold()
	e.Unlock()
	now += 250
	e = ref.Lock()
	e.Drop()
	if left := e.Left(); left != 50 {
		t.Errorf("%d ms left, want 50", left)
	}
	e.Unlock()
	if now += 50; tab.has(1) {
		t.Error("it is still there")
	}
}

func TestRate(t *testing.T) {
	type event struct{ at, n uint32 }
	for _, tt := range []struct {
		name   string
		events []event
		now    uint32
		want   int64
	}{
		{"this period", []event{{0, 10}}, 400, 10},
		{"half of the last one", []event{{0, 10}, {1000, 4}}, 1500, 9},
		{"rounded down", []event{{0, 3}, {1000, 1}}, 1500, 2},
		{"nothing in this period", []event{{0, 10}}, 1500, 5},
		{"a single event stays", []event{{0, 1}}, 1900, 1},
		{"long ago", []event{{0, 10}}, 2001, 0},
		{"again after a while", []event{{0, 10}, {2300, 2}}, 2300, 2},
	} {
		now := uint32(1 << 31)
		tab := newTable(10, 0, &now)
		for _, ev := range tt.events {
			now = 1<<31 + ev.at
			e, _ := tab.Make(key(1))
			e.Add(HTTPReqRate, 0, uint64(ev.n))
			e.Unlock()
		}
		now = 1<<31 + tt.now
		e, _ := tab.Make(key(1))
		if got, _ := e.Get(HTTPReqRate, 0); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
		e.Unlock()
	}
}

func TestNoAllocations(t *testing.T) {
	now := uint32(1 << 31)
	tab := newTable(10, 1000, &now)
	e, _ := tab.Make(key(1))
	e.Unlock()
	k := key(1)
	if n := testing.AllocsPerRun(100, func() {
		e, _ := tab.Make(k)
		r := e.Hold()
		e.Add(HTTPReqRate, 0, 1)
		e.Touch()
		e.Unlock()
		e = r.Lock()
		e.Drop()
		e.Unlock()
	}); n != 0 {
		t.Errorf("%v allocations for an entry that is there", n)
	}
}

func FuzzDataElement(f *testing.F) {
	for _, s := range []string{"gpc0", "gpc[1]", "gp[0]", "gpc_rate[7", "server_name", "[", "gpt[-1]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, _, ok := DataElement(text); ok && strings.Contains(text, "[") && !d.Array() {
			t.Errorf("%q is an element of %s", text, d)
		}
	})
}

// BenchmarkMillion looks entries of a full table up, and tells the bytes that one takes.
func BenchmarkMillion(b *testing.B) {
	now := uint32(1 << 31)
	tab := newTable(1<<20, 3600000, &now)
	for n := range uint32(1 << 20) {
		e, _ := tab.Make(key(n))
		e.Unlock()
	}
	bytes := 0
	for i := range tab.parts {
		p := &tab.parts[i]
		bytes += 4*len(p.heads) + len(p.blocks)*(24+blockSize*tab.recordSize())
	}
	b.ResetTimer()
	k := key(0)
	for i := range b.N {
		binary.LittleEndian.PutUint32(k, uint32(i)*2654435761%(1<<20))
		e, ok := tab.Find(k)
		if !ok {
			b.Fatal(fmt.Sprint(k))
		}
		e.Add(HTTPReqRate, 0, 1)
		e.Touch()
		e.Unlock()
	}
	b.ReportMetric(float64(bytes)/(1<<20), "B/entry")
}
