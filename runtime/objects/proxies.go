package objects

import (
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/queue"
	"hapax/stats/counter"
)

// ofBackend makes the row of a number of a backend that is named, or is the current
// one without a name.
func ofBackend(name, summary string, get func(*sample.Context, *runtime.Proxy) int64) sample.Fetch {
	return ofProxy(name, summary, keyword.Backend, "b", get, func(s *runtime.Stream) *runtime.Proxy { return s.Back })
}

func ofFrontend(name, summary string, get func(*sample.Context, *runtime.Proxy) int64) sample.Fetch {
	return ofProxy(name, summary, keyword.Frontend, "f", get, func(s *runtime.Stream) *runtime.Proxy { return s.Front })
}

func ofProxy(name, summary string, kind keyword.ArgType, of string, get func(*sample.Context, *runtime.Proxy) int64,
	current func(*runtime.Stream) *runtime.Proxy) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: "7.3.2", Summary: summary, Examples: example(name + "(" + of + ")"),
			Args: []keyword.Arg{{Name: "proxy", Type: kind, Default: "the current one"}}},
		Out: sample.Int, From: sample.Internal,
		Eval: func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
			px, _ := args[0].Ref.(*runtime.Proxy)
			if px != nil && px.Caps&runtime.CapDefaults != 0 {
				// A rule of a defaults section means the proxy that runs it.
				if s, ok := ctx.Owner.(*runtime.Stream); ok {
					px = current(s)
				}
			}
			if px == nil {
				return false
			}
			out.SetInt(get(ctx, px))
			return true
		},
	}
}

// ofServer makes the row of a number of a named server.
func ofServer(name, summary string, out sample.Type, get func(*sample.Context, *runtime.Server) int64) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: "7.3.2", Summary: summary, Examples: example(name + "(b/s1)"),
			Args: []keyword.Arg{{Name: "server", Type: keyword.Server, Doc: "[<backend>/]<server>"}}},
		Out: out, From: sample.Internal,
		Eval: func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
			srv, _ := args[0].Ref.(*runtime.Server)
			if srv == nil {
				return false
			}
			set(v, out, get(ctx, srv))
			return true
		},
	}
}

func set(v *sample.Value, t sample.Type, n int64) {
	if t == sample.Bool {
		v.SetBool(n != 0)
		return
	}
	v.SetInt(n)
}

// usable is the number of servers that take part in balancing.
func usable(px *runtime.Proxy) int64 {
	if px.Disabled {
		return 0
	}
	return int64(balance.Used(px))
}

func averageQueue(_ *sample.Context, px *runtime.Proxy) int64 {
	waiting, n := px.Live.TotalQueued.Load(), usable(px)
	if n == 0 {
		return 2 * waiting
	}
	return (waiting + n - 1) / n
}

// freeConns sums up the free connections of the servers that balancing may choose.
func freeConns(ctx *sample.Context, px *runtime.Proxy) int64 {
	var sum int64
	for _, srv := range px.AllServers() {
		if px.LB == nil || !px.LB.Takes(srv) || !srv.Usable() {
			continue
		}
		if srv.MaxConn.Load() == 0 {
			return -1
		}
		sum += freeOf(ctx, srv)
	}
	return sum
}

func freeOf(_ *sample.Context, srv *runtime.Server) int64 {
	if srv.MaxConn.Load() == 0 {
		return -1
	}
	return max(int64(queue.DynamicMaxConn(srv))-srv.Current.Load(), 0)
}

func connSlots(_ *sample.Context, px *runtime.Proxy) int64 {
	var sum int64
	for _, srv := range px.AllServers() {
		if runtime.ServerState(srv.State.Load()) == runtime.ServerStopped {
			continue
		}
		limit := int64(srv.MaxConn.Load())
		if limit == 0 || srv.MaxQueue == 0 {
			return -1
		}
		sum += limit - srv.Current.Load() + int64(srv.MaxQueue) - srv.Queued.Load()
	}
	return sum
}

func weight(_ *sample.Context, srv *runtime.Server) int64 { return int64(balance.Weight(srv)) }

// isUp is 1 for a server that is up; one that is not checked is, unless in maintenance.
func isUp(srv *runtime.Server) int64 {
	if srv.AdminState.Load()&uint32(runtime.Maint) != 0 ||
		srv.CheckOn && runtime.ServerState(srv.State.Load()) == runtime.ServerStopped {
		return 0
	}
	return 1
}

// rate reads events per second, by the clock that the process counts with.
func rate(ctx *sample.Context, r *counter.Meter) int64 {
	cfg := configOf(ctx)
	if cfg == nil {
		return 0
	}
	now := time.Since(cfg.Stats.Started).Milliseconds()
	if cfg.Stats.Clock != nil {
		now = cfg.Stats.Clock()
	}
	return int64(r.PerSecond(now))
}

func configOf(ctx *sample.Context) *runtime.Config {
	if s, ok := ctx.Owner.(*runtime.Stream); ok {
		return s.Config
	}
	return nil
}
