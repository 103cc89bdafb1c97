package balance

import (
	"testing"
	"time"

	"hapax/runtime"
)

// TestSlowStart: the weight grows with time from a sixteenth, and the state ends.
func TestSlowStart(t *testing.T) {
	for _, c := range []struct {
		algo    string
		weight  int32
		since   time.Duration
		want    int32
		running bool
	}{
		{"roundrobin", 10, 0, 10, false},
		{"roundrobin", 10, 25 * time.Second, 50, false},
		{"roundrobin", 1, 97 * time.Second, 16, false},
		{"roundrobin", 10, 100 * time.Second, 160, true},
		{"leastconn", 0, 50 * time.Second, 0, false},
		{"static-rr", 10, 25 * time.Second, 1, false},
		{"uri", 10, -5 * time.Second, 1, true}, // the clock went back
	} {
		px := goldenBackend("10")
		srv := px.Servers[0]
		setAlgorithm(t, px, c.algo)
		Build(px)
		srv.SlowStart = 100 * time.Second
		srv.UserWeight.Store(c.weight)
		srv.State.Store(int32(runtime.ServerStarting))
		srv.LastChange.Store(time.Now().Add(-c.since).Unix())
		px.LB.Update(srv)
		running := runtime.ServerState(srv.State.Load()) == runtime.ServerRunning
		if got := srv.Effective.Load(); got != c.want || running != c.running {
			t.Errorf("%+v: weight %d, running %v", c, got, running)
		}
	}
}

// TestStickyWeight: a sticky backend is told new weights, in the scale of the configuration.
func TestStickyWeight(t *testing.T) {
	px := goldenBackend("10", "20")
	setAlgorithm(t, px, "sticky")
	Build(px)
	srv := px.Servers[1]
	srv.UserWeight.Store(5)
	px.LB.Update(srv)
	if !Dynamic(px) || Weight(srv) != 5 || Weight(px.Servers[0]) != 1 {
		t.Errorf("dynamic %v, weights %d and %d", Dynamic(px), Weight(px.Servers[0]), Weight(srv))
	}
}

func TestCounts(t *testing.T) {
	px := goldenBackend("10", "20", "5b", "7b")
	setAlgorithm(t, px, "roundrobin")
	Build(px)
	act, bck := Counts(px)
	if act != 2 || bck != 2 || TotalWeight(px) != 30 || Weight(px.Servers[2]) != 5 || !Any(px) || !Dynamic(px) {
		t.Errorf("%d active, %d backup, weight %d", act, bck, TotalWeight(px))
	}
	for i, srv := range px.Servers[:2] {
		srv.AdminState.Store(uint32(runtime.ForcedDrain))
		px.LB.Update(srv)
		if took := px.LB.Takes(px.Servers[2]); took != (i == 1) {
			t.Errorf("backup serves the queue with %d active servers: %v", 1-i, took)
		}
	}
	if px.LB.Takes(px.Servers[3]) || TotalWeight(px) != 5 {
		t.Errorf("weight %d", TotalWeight(px))
	}
}
