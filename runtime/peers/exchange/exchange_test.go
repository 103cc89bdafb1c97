package exchange

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"hapax/acl/sample"
	"hapax/runtime/sticktable/table"
)

// network is processes that know each other, whose connections lose nothing. Time stands still unless the test moves it.
type network struct {
	t      *testing.T
	now    int64 // ms
	groups map[string]*Group
	wires  []*wire
	rand   *rand.Rand
}

// wire is a connection.
type wire struct {
	ends [2]*Session
	way  [2][]byte // to the end of that number
}

func newNetwork(t *testing.T, seed uint64) *network {
	return &network{t: t, now: 1 << 40, groups: map[string]*Group{}, rand: rand.New(rand.NewPCG(seed, 1))}
}

// add starts a process that knows the others.
func (n *network) add(name string, others []string, tables ...*table.Table) *Group {
	g := &Group{Name: "p", Local: name, Largest: 16384, MostUpdates: 50, Clock: func() int64 { return n.now }, Gone: func() {}}
	g.Dial = func(s *Session) { n.dial(s) }
	for _, other := range append([]string{name}, others...) {
		g.Join(&Peer{Name: other, Local: other == name})
	}
	for _, t := range tables {
		t.Clock = func() uint32 { return uint32(n.now) }
		t.Share(func() {})
		g.Add(t)
	}
	n.groups[name] = g
	return g
}

func (n *network) dial(s *Session) {
	if to := n.groups[s.Peer().Name]; to != nil {
		n.wires = append(n.wires, &wire{ends: [2]*Session{s, to.Accept()}})
		s.Connected()
		return
	}
	s.Close()
}

// settle lets all bytes that are under way arrive, in pieces.
func (n *network) settle() {
	for moved := true; moved; {
		moved = false
		for _, name := range slices.Sorted(maps.Keys(n.groups)) {
			n.groups[name].Run()
		}
		for _, w := range n.wires {
			moved = n.carry(w) || moved
		}
	}
}

func (n *network) carry(w *wire) (moved bool) {
	for i, s := range w.ends {
		other := w.ends[1-i]
		was := len(w.way[1-i])
		more := false
		w.way[1-i], more = s.Write(w.way[1-i], was+1000)
		moved = moved || more || len(w.way[1-i]) > was
		for in := w.way[1-i]; len(in) > 0 && !other.Over(); {
			piece := min(len(in), 1+n.rand.IntN(700))
			other.Feed(in[:piece])
			in = in[piece:]
		}
		w.way[1-i] = w.way[1-i][:0]
	}
	if w.ends[0].Over() != w.ends[1].Over() {
		w.ends[0].Close()
		w.ends[1].Close()
		return true
	}
	return moved
}

// meet lets time pass until all processes that there are have met.
func (n *network) meet() {
	for range 1000 {
		met := true
		for _, g := range n.groups {
			for _, p := range g.Peers {
				met = met && (p.Local || n.groups[p.Name] == nil || p.app == Running)
			}
		}
		if met {
			n.settle()
			return
		}
		n.pass(100)
	}
	n.t.Fatal("they do not meet")
}

// pass lets time pass, with all that it brings.
func (n *network) pass(ms int64) {
	for range ms / 100 {
		n.now += 100
		n.settle()
	}
}

var types = []sample.Type{sample.Int, sample.IPv4, sample.IPv6, sample.Str, sample.Bin}

// newTable is a table with random data, the same for each seed.
func newTable(seed uint64) *table.Table {
	r := rand.New(rand.NewPCG(seed, 2))
	t := table.New("t")
	t.Type, t.Size, t.Expire = types[r.IntN(len(types))], 10000, 600000
	t.KeySize = map[sample.Type]int{sample.Int: 4, sample.IPv4: 4, sample.IPv6: 16, sample.Str: 20, sample.Bin: 20}[t.Type]
	for d := range table.Types {
		if r.IntN(2) == 0 {
			continue
		}
		elements := uint8(1)
		if d.Array() {
			elements = uint8(1 + r.IntN(10))
		}
		t.Store(d, elements, 10000)
	}
	return t
}

func (n *network) key(t *table.Table, number uint32) []byte {
	k := make([]byte, t.KeySize)
	if t.Type == sample.Str {
		return fmt.Appendf(nil, "key-%d", number)
	}
	binary.BigEndian.PutUint32(k, number)
	return k
}

// change changes some of the data of an entry as a process does.
func (n *network) change(t *table.Table, number uint32) {
	e, ok := t.Make(n.key(t, number))
	if !ok {
		n.t.Fatal("no room")
	}
	for d := range table.Types {
		for i := range t.Elements(d) {
			if n.rand.IntN(3) == 0 && d != table.ConnCur {
				e.Set(d, uint(i), n.rand.Int64N(1<<n.rand.IntN(40)))
			}
		}
	}
	if n.rand.IntN(2) == 0 {
		e.SetServerKey(fmt.Sprint("server", n.rand.IntN(200)))
	}
	e.Touch()
	e.Unlock()
}

// contents are all entries of a table. What they have left to live is not among it: a new session may begin with changes
// that are long known, which makes entries live anew.
func contents(t *table.Table) map[string]string {
	all := map[string]string{}
	for p := range table.Parts {
		for _, key := range t.Keys(p) {
			e, ok := t.Find(key)
			if !ok {
				continue
			}
			text := ""
			for d := range table.Types {
				for i := range t.Elements(d) {
					if d != table.ConnCur && d != table.ServerKey {
						text += fmt.Sprint(" ", d, i, "=", e.Tell(d, uint(i)), e.ServerKey())
					}
				}
			}
			e.Unlock()
			all[string(key)] = text
		}
	}
	return all
}

func (n *network) same(what string, a, b *table.Table) {
	n.t.Helper()
	x, y := contents(a), contents(b)
	if len(x) != len(y) {
		n.t.Errorf("%s: %d entries and %d", what, len(x), len(y))
	}
	for key, text := range x {
		if y[key] != text {
			n.t.Fatalf("%s: %q\n%s\n%s", what, key, text, y[key])
		}
	}
}

// TestExchange has tables of random types changed on both sides in turn: they are the same afterwards, also on a process
// that starts later, on one that was gone for a while, and on one that takes the place of another.
func TestExchange(t *testing.T) {
	for seed := range uint64(8) {
		n := newNetwork(t, seed)
		a, b, c := newTable(seed), newTable(seed), newTable(seed)
		groupA := n.add("A", []string{"B", "C"}, a)
		n.add("B", []string{"A", "C"}, b)
		n.meet()
		for range 100 {
			n.change(a, n.rand.Uint32N(500))
			n.settle()
			n.change(b, n.rand.Uint32N(500))
			n.settle()
		}
		n.same("two processes", a, b)
		n.now += 1000
		n.add("C", []string{"A", "B"}, c)
		n.meet()
		n.pass(8000)
		n.same("one that was taught", a, c)
		n.wires[0].ends[0].Close()
		n.wires[0].ends[1].Close()
		n.change(a, 1000)
		n.change(a, 7)
		n.meet()
		n.pass(5000)
		n.same("after a cut", a, b)
		n.same("after a cut, others", a, c)

		d := newTable(seed)
		delete(n.groups, "A")
		fresh := n.add("A", []string{"B", "C"}, d)
		fresh.Reloaded = true
		gone := false
		groupA.Gone = func() { gone = true }
		groupA.Stop()
		n.groups["old"] = groupA
		n.pass(3000)
		if !gone {
			t.Fatal("the old process waits still")
		}
		n.same("the next process", a, d)
	}
}

// TestHandover has entries live no longer for it.
func TestHandover(t *testing.T) {
	n := newNetwork(t, 1)
	a, b := newTable(3), newTable(3)
	old := n.add("A", nil, a)
	for i := range uint32(1000) {
		n.change(a, i)
		n.now += 10
	}
	n.pass(6000)
	fresh := n.add("A", nil, b)
	fresh.Reloaded = true
	n.groups["old"] = old
	gone := false
	old.Gone = func() { gone = true }
	old.Stop()
	n.settle()
	if !gone || fresh.flags&(resyncDone|localFinished) != resyncDone|localFinished {
		t.Errorf("gone: %v, %x", gone, fresh.flags)
	}
	for at := (table.Place{}); a.Walk(&at, func(e *table.Entry) {
		if other, ok := b.Find(e.Key()); !ok || other.Left() != e.Left() {
			t.Errorf("%q: %d ms left, %d there", e.Key(), e.Left(), other.Left())
		} else {
			other.Unlock()
		}
	}); {
	}
	n.now += 589000
	if a.Count() != b.Count() || a.Count() == 1000 || a.Count() == 0 {
		t.Errorf("%d and %d are left", a.Count(), b.Count())
	}
}

// TestOtherData has peers that store other data.
func TestOtherData(t *testing.T) {
	n := newNetwork(t, 1)
	a, b := table.New("t"), table.New("t")
	for _, x := range []*table.Table{a, b} {
		x.Type, x.KeySize, x.Size, x.Expire = sample.Int, 4, 100, 60000
		x.Store(table.GPC0, 1, 0)
		x.Store(table.ConnCur, 1, 0)
	}
	a.Store(table.GPT, 3, 0)
	a.Store(table.HTTPReqRate, 1, 1000)
	b.Store(table.GPT, 2, 0)
	to := table.New("to")
	to.Type, to.KeySize, to.Size, to.Expire = sample.Int, 4, 100, 60000
	to.Clock = func() uint32 { return uint32(n.now) }
	to.Store(table.GPC0, 1, 0)
	to.Store(table.GPT, 2, 0)
	b.WriteTo = to
	n.add("A", []string{"B"}, a)
	n.add("B", []string{"A"}, b)
	n.meet()
	e, _ := a.Make(key(5))
	e.Set(table.GPC0, 0, 7)
	e.Set(table.ConnCur, 0, 3)
	e.Set(table.GPT, 1, 9)
	e.Set(table.GPT, 2, 10)
	e.Touch()
	e.Unlock()
	n.settle()
	for _, tt := range []struct {
		t    *table.Table
		d    table.Data
		i    uint
		want int64
	}{{b, table.GPC0, 0, 7}, {b, table.ConnCur, 0, 0}, {b, table.GPT, 1, 9}, {to, table.GPC0, 0, 0}, {to, table.GPT, 1, 9}} {
		e, ok := tt.t.Find(key(5))
		if !ok {
			t.Fatal("nothing was learned")
		}
		if v, _ := e.Get(tt.d, tt.i); v != tt.want {
			t.Errorf("%s: %s[%d] is %d, want %d", tt.t.Name, tt.d, tt.i, v, tt.want)
		}
		e.Unlock()
	}
	b.RecvOnly = true
	e, _ = a.Find(key(5))
	e.Touch()
	e.Unlock()
	n.settle()
	e, _ = b.Find(key(5))
	if v, _ := e.Get(table.ConnCur, 0); v != 3 {
		t.Errorf("recv-only: conn_cur is %d", v)
	}
	e.Unlock()
}

func key(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// TestShards spreads entries over two peers.
func TestShards(t *testing.T) {
	n := newNetwork(t, 1)
	tables := map[string]*table.Table{}
	for _, name := range []string{"A", "B", "C"} {
		x := table.New("t")
		x.Type, x.KeySize, x.Size = sample.Int, 4, 1000
		x.Shards = 2
		tables[name] = x
	}
	a := n.add("A", []string{"B", "C"}, tables["A"])
	a.find("B").Shard, a.find("C").Shard = 1, 2
	n.add("B", []string{"A"}, tables["B"])
	n.add("C", []string{"A"}, tables["C"])
	n.meet()
	for i := range uint32(100) {
		n.change(tables["A"], i)
	}
	n.settle()
	b, c := contents(tables["B"]), contents(tables["C"])
	for k := range b {
		if _, both := c[k]; both {
			t.Errorf("%q is on both", k)
		}
	}
	if len(b) < 30 || len(c) < 30 || len(b)+len(c) != 100 {
		t.Errorf("%d and %d entries", len(b), len(c))
	}
}

// TestSilence gives up a peer that says nothing, and beats while there is nothing to say.
func TestSilence(t *testing.T) {
	n := newNetwork(t, 1)
	g := n.add("A", []string{"B"})
	n.add("B", []string{"A"})
	n.pass(10000)
	if c := g.find("B").Counts; c.Beats < 2 || c.SentBeats < 2 || c.NoBeats > 0 {
		t.Errorf("%+v", c)
	}
	p := g.find("B")
	before := p.Counts
	n.wires = nil
	delete(n.groups, "B")
	n.pass(20000)
	if c := p.Counts; c.NoBeats != before.NoBeats+1 || c.Connects < before.Connects+2 || p.app != Stopped {
		t.Errorf("%+v, %s", c, p.app)
	}
}
