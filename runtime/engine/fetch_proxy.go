package engine

import (
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/queue"
)

var (
	frontArg = keyword.Arg{Name: "frontend", Type: keyword.Frontend, Doc: "empty: the current one"}
	backArg  = keyword.Arg{Name: "backend", Type: keyword.Backend, Doc: "empty: the current one"}
)

var proxyFetches = []sample.Fetch{
	{Doc: doc("fe_name", "7.3.3", "the name of the frontend", "f"),
		Out: sample.Str, From: sample.Frontend, Eval: text(func(s *runtime.Stream) string { return s.Front.Name })},
	{Doc: doc("fe_id", "7.3.3", "the number of the frontend", "2"),
		Out: sample.Int, From: sample.Frontend, Eval: number(func(s *runtime.Stream) int64 { return int64(s.Front.ID) })},
	{Doc: doc("fe_defbe", "7.3.3", "the name of the frontend's default backend", "b"),
		Out: sample.Str, From: sample.Frontend, Eval: text(defaultBackend)},
	{Doc: doc("fe_client_timeout", "7.3.3", "the frontend's client timeout in milliseconds", "5000"),
		Out: sample.Int, From: sample.Frontend, Eval: frontTimeout(func(t *runtime.Timeouts) time.Duration { return t.Client })},
	{Doc: doc("fe_tarpit_timeout", "7.3.3", "the frontend's tarpit timeout in milliseconds", "0"),
		Out: sample.Int, From: sample.Frontend, Eval: number(func(s *runtime.Stream) int64 { return tarpitTimeout(s.Front).Milliseconds() })},
	{Doc: example("fe_conn", "7.3.2", "connections of a frontend now", "fe_conn(f)", "1", frontArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(frontConns)},
	{Doc: example("fe_req_rate", "7.3.2", "HTTP requests to a frontend in the last second", "fe_req_rate(f)", "0", frontArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(frontRequestRate)},
	{Doc: example("fe_sess_rate", "7.3.2", "sessions of a frontend begun in the last second", "fe_sess_rate(f)", "0", frontArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(frontSessionRate)},

	{Doc: doc("be_name", "7.3.3", "the name of the backend", "b"),
		Out: sample.Str, From: sample.BackendProxy, Eval: text(func(s *runtime.Stream) string { return s.Back.Name })},
	{Doc: doc("be_id", "7.3.3", "the number of the backend", "3"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 { return int64(s.Back.ID) })},
	{Doc: doc("be_connect_timeout", "7.3.3", "the backend's connect timeout in milliseconds", "2000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: backTimeout(func(t *runtime.Timeouts) time.Duration { return t.Connect })},
	{Doc: doc("be_server_timeout", "7.3.3", "the backend's server timeout in milliseconds", "6000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: backTimeout(func(t *runtime.Timeouts) time.Duration { return t.Server })},
	{Doc: doc("be_tunnel_timeout", "7.3.3", "the backend's tunnel timeout in milliseconds", "0"),
		Out: sample.Int, From: sample.BackendProxy, Eval: backTimeout(func(t *runtime.Timeouts) time.Duration { return t.Tunnel })},
	{Doc: doc("be_queue_timeout", "7.3.3", "the backend's queue timeout in milliseconds", "2000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 { return queueTimeout(s.Back).Milliseconds() })},
	{Doc: doc("be_tarpit_timeout", "7.3.3", "the backend's tarpit timeout in milliseconds", "2000"),
		Out: sample.Int, From: sample.BackendProxy, Eval: number(func(s *runtime.Stream) int64 { return tarpitTimeout(s.Back).Milliseconds() })},
	{Doc: example("be_conn", "7.3.2", "streams on a backend now", "be_conn(b)", "1", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(backConns)},
	{Doc: example("be_conn_free", "7.3.2", "connections that the usable servers of a backend have left, -1 when one has no limit", "be_conn_free(b)", "9", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(freeConns)},
	{Doc: example("connslots", "7.3.2", "connections and places in queues that the servers of a backend have left, -1 when one has no limit", "connslots(b)", "12", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(freeSlots)},
	{Doc: example("be_sess_rate", "7.3.2", "sessions given to a backend in the last second", "be_sess_rate(b)", "0", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(backSessionRate)},
	{Doc: example("nbsrv", "7.3.2", "usable servers of a backend", "nbsrv(b)", "1", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(usableServers)},
	{Doc: example("queue", "7.3.2", "requests in the queues of a backend and its servers", "queue(b)", "0", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(queued)},
	{Doc: example("avg_queue", "7.3.2", "queued requests by usable server of a backend, rounded up; twice their number without a server", "avg_queue(b)", "0", backArg),
		Out: sample.Int, From: sample.Internal, Eval: proxyNumber(averageQueue)},
}

var proxyConverters = []sample.Converter{
	{Doc: example("fe_exists", "7.3.1", "whether there is a frontend of that name", "str(f),fe_exists", "1"),
		In: sample.Str, Out: sample.Bool, Eval: frontendExists},
	{Doc: example("nbsrv", "7.3.1", "usable servers of the backend of that name", "str(b),nbsrv", "1"),
		In: sample.Str, Out: sample.Int, Eval: usableServersOf},
}

func defaultBackend(s *runtime.Stream) string {
	if s.Front.DefaultBack == nil {
		return ""
	}
	return s.Front.DefaultBack.Name
}

func frontTimeout(get func(t *runtime.Timeouts) time.Duration) evalFunc {
	return number(func(s *runtime.Stream) int64 { return get(&s.Front.Timeout).Milliseconds() })
}

func backTimeout(get func(t *runtime.Timeouts) time.Duration) evalFunc {
	return number(func(s *runtime.Stream) int64 { return get(&s.Back.Timeout).Milliseconds() })
}

// queueTimeout and tarpitTimeout are those in force: a backend without them takes its connect timeout.
func queueTimeout(px *runtime.Proxy) time.Duration {
	if px.Caps&runtime.CapBack == 0 {
		return px.Timeout.Queue
	}
	return first(px.Timeout.Queue, px.Timeout.Connect)
}

func tarpitTimeout(px *runtime.Proxy) time.Duration {
	if px.Caps&runtime.CapBack == 0 {
		return px.Timeout.Tarpit
	}
	return first(px.Timeout.Tarpit, px.Timeout.Connect)
}

// proxyNumber makes an Eval of a number of the proxy that the first argument names. Where the argument was left out
// in a defaults section, that is the proxy whose rule is evaluated.
func proxyNumber(get func(px *runtime.Proxy, s *runtime.Stream) int64) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		px, named := args[0].Ref.(*runtime.Proxy)
		if !ok || !named {
			return false
		}
		if px.Caps&runtime.CapDefaults != 0 {
			px = current(ctx, s)
		}
		out.SetInt(get(px, s))
		return true
	}
}

// frontPoints are the places where rules of a frontend are evaluated.
const frontPoints = sample.FrontConnection | sample.FrontSession | sample.FrontReqContent | sample.FrontReqHeaders | sample.FrontReqBody |
	sample.SetBackend | sample.FrontResContent | sample.FrontResHeaders | sample.FrontResBody | sample.LogEnd

// current is the proxy whose rule is evaluated.
func current(ctx *sample.Context, s *runtime.Stream) *runtime.Proxy {
	if ctx.Checkpoint&frontPoints != 0 {
		return s.Front
	}
	return s.Back
}

func frontConns(px *runtime.Proxy, _ *runtime.Stream) int64 { return px.Live.FrontConns.Load() }
func backConns(px *runtime.Proxy, _ *runtime.Stream) int64  { return px.Live.BackConns.Load() }
func queued(px *runtime.Proxy, _ *runtime.Stream) int64     { return px.Live.TotalQueued.Load() }

func frontRequestRate(px *runtime.Proxy, s *runtime.Stream) int64 {
	return int64(px.Live.ReqRate.PerSecond(clockMs(s)))
}

func frontSessionRate(px *runtime.Proxy, s *runtime.Stream) int64 {
	return int64(px.Live.SessRate.PerSecond(clockMs(s)))
}

func backSessionRate(px *runtime.Proxy, s *runtime.Stream) int64 {
	return int64(px.Live.BackRate.PerSecond(clockMs(s)))
}

// usableServers counts active servers, or the backup servers that are used without any.
func usableServers(px *runtime.Proxy, _ *runtime.Stream) int64 {
	active, backup := balance.Counts(px)
	switch {
	case active > 0:
		return int64(active)
	case backup > 0 && px.Options&runtime.OptAllBackups == 0:
		return 1
	}
	return int64(backup)
}

func averageQueue(px *runtime.Proxy, s *runtime.Stream) int64 {
	waiting, servers := queued(px, s), usableServers(px, s)
	if servers == 0 {
		return 2 * waiting
	}
	return (waiting + servers - 1) / servers
}

func freeConns(px *runtime.Proxy, _ *runtime.Stream) int64 {
	var free int64
	for _, srv := range px.Servers {
		switch {
		case px.LB == nil || !px.LB.Takes(srv):
		case srv.MaxConn.Load() == 0:
			return -1
		default:
			free += max(0, int64(queue.DynamicMaxConn(srv))-srv.Current.Load())
		}
	}
	return free
}

func freeSlots(px *runtime.Proxy, _ *runtime.Stream) int64 {
	var free int64
	for _, srv := range px.Servers {
		if runtime.ServerState(srv.State.Load()) == runtime.ServerStopped {
			continue
		}
		if srv.MaxConn.Load() == 0 || srv.MaxQueue == 0 {
			return -1
		}
		free += int64(srv.MaxConn.Load()) - srv.Current.Load() + int64(srv.MaxQueue) - srv.Queued.Load()
	}
	return free
}

// proxyNamed finds a proxy that has a side, by a name that is known only now.
func proxyNamed(cfg *runtime.Config, name []byte, side runtime.Cap) *runtime.Proxy {
	for _, px := range cfg.Proxies {
		if px.Caps&side != 0 && px.Name == string(name) {
			return px
		}
	}
	return nil
}

func frontendExists(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	s, ok := ctx.Owner.(*runtime.Stream)
	if ok {
		v.SetBool(proxyNamed(s.Config, v.Bytes, runtime.CapFront) != nil)
	}
	return ok
}

func usableServersOf(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	s, ok := ctx.Owner.(*runtime.Stream)
	if !ok {
		return false
	}
	px := proxyNamed(s.Config, v.Bytes, runtime.CapBack)
	if px == nil {
		return false
	}
	v.SetInt(usableServers(px, s))
	return true
}
