package objects

import (
	"testing"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/queue"
)

// model is a frontend, a backend with three servers, and a stream of the two.
func model() *runtime.Stream {
	front := &runtime.Proxy{Name: "f", ID: 55, Caps: runtime.CapFront, Mode: runtime.ModeHTTP}
	back := &runtime.Proxy{Name: "b", ID: 66, Caps: runtime.CapBack, Mode: runtime.ModeHTTP}
	front.DefaultBack = back
	for i, name := range []string{"s1", "s2", "s3"} {
		srv := &runtime.Server{Name: name, ID: i + 1, Proxy: back, Weight: 10 * (i + 1), MaxQueue: 4}
		srv.UserWeight.Store(int32(srv.Weight))
		srv.MaxConn.Store(5)
		srv.MinConn = 5
		srv.State.Store(int32(runtime.ServerRunning))
		back.Servers = append(back.Servers, srv)
	}
	back.Servers[2].AdminState.Store(uint32(runtime.ForcedMaint | runtime.ConfigMaint))
	back.Servers[2].State.Store(int32(runtime.ServerStopped))
	balance.Build(back)
	queue.Build(back)
	srv := back.Servers[0]
	srv.MakeCounters(1)
	srv.Current.Enter(&srv.Stats[0].Active)
	srv.Current.Enter(&srv.Stats[0].Active)
	back.Servers[1].Queued.Store(3)
	back.Live.TotalQueued.Store(3)
	s := &runtime.Stream{Config: &runtime.Config{Proxies: []*runtime.Proxy{front, back}}, Front: front, Back: back,
		Session: &runtime.Session{Front: front, Listener: &runtime.Listener{ID: 7, Name: "sock"}}}
	s.End = runtime.Termination{Cause: 'P', State: 'R'}
	s.Ctx.Owner, s.Ctx.Scratch = s, sample.NewScratch(0)
	return s
}

// TestValues: the same values as HAProxy 3.4.0 logged for such a configuration.
func TestValues(t *testing.T) {
	s := model()
	back, s2 := s.Back, s.Back.Servers[1]
	for _, c := range []struct {
		name string
		ref  any
		want any // nil: no value
	}{
		{"avg_queue", back, 2}, {"be_conn_free", back, 8}, {"connslots", back, 3 + 4 + 5 + 1}, {"nbsrv", back, 2}, {"queue", back, 3},
		{"srv_conn", back.Servers[0], 2}, {"srv_conn_free", back.Servers[0], 3}, {"srv_is_up", s2, 1}, {"srv_is_up", back.Servers[2], 0},
		{"srv_queue", s2, 3}, {"srv_weight", s2, 20}, {"srv_iweight", s2, 20}, {"srv_uweight", s2, 20},
		{"be_name", nil, "b"}, {"be_id", nil, 66}, {"fe_name", nil, "f"}, {"fe_id", nil, 55}, {"fe_defbe", nil, "b"},
		{"so_id", nil, 7}, {"so_name", nil, "sock"}, {"srv_name", nil, nil}, {"srv_id", nil, nil}, {"txn.status", nil, nil},
		{"txn.sess_term_state", nil, "PR"}, {"unique-id", nil, nil}, {"tgroup", nil, 0}, {"stopping", nil, 0},
	} {
		row := rowOf(c.name)
		if row == nil {
			t.Fatalf("no %s", c.name)
		}
		var v sample.Value
		ok := row.Eval(&s.Ctx, []sample.Arg{{Ref: c.ref}}, &v)
		var got any
		switch {
		case !ok:
		case v.Type == sample.Str:
			got = string(v.Bytes)
		default:
			got = int(v.Int)
		}
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		args := []sample.Arg{{Ref: c.ref}}
		if n := testing.AllocsPerRun(10, func() { row.Eval(&s.Ctx, args, &v); s.Ctx.Scratch.Reset() }); n > 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func rowOf(name string) *sample.Fetch {
	for i := range Domain.Fetches {
		if Domain.Fetches[i].Name == name {
			return &Domain.Fetches[i]
		}
	}
	return nil
}

func TestConverters(t *testing.T) {
	s := model()
	for _, c := range []struct {
		name, in string
		want     int64
		ok       bool
	}{
		{"nbsrv", "b", 2, true}, {"nbsrv", "f", 0, false}, {"nbsrv", "#66", 2, true}, {"srv_is_up", "b/s1", 1, true}, {"srv_is_up", "s3", 0, true},
		{"srv_is_up", "b/x", 0, false}, {"srv_queue", "b/s2", 3, true}, {"fe_exists", "f", 1, true}, {"fe_exists", "b", 0, true},
	} {
		for i := range Domain.Converters {
			row := &Domain.Converters[i]
			if row.Name != c.name {
				continue
			}
			v := sample.Value{Type: sample.Str, Bytes: []byte(c.in)}
			if ok := row.Eval(&s.Ctx, nil, &v); ok != c.ok || ok && v.Int != c.want {
				t.Errorf("%s of %s: %v %d", c.name, c.in, ok, v.Int)
			}
		}
	}
}
