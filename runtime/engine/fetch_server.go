package engine

import (
	"bytes"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/queue"
)

var serverArg = keyword.Arg{Name: "server", Type: keyword.Server, Doc: "a server of the proxy, or backend/server"}

var serverFetches = []sample.Fetch{
	{Doc: doc("srv_name", "7.3.3", "the name of the server", "s1"),
		Out: sample.Str, From: sample.ServerChosen, Eval: text(serverName)},
	{Doc: doc("srv_id", "7.3.3", "the number of the server", "1"),
		Out: sample.Int, From: sample.ServerChosen, Eval: of(serverID)},
	{Doc: example("srv_conn", "7.3.2", "streams on a server now", "srv_conn(b/s1)", "1", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(func(srv *runtime.Server, _ *runtime.Stream) int64 { return srv.Current.Load() })},
	{Doc: example("srv_conn_free", "7.3.2", "connections that a server has left, -1 when it has no limit", "srv_conn_free(b/s1)", "9", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(freeOnServer)},
	{Doc: example("srv_is_up", "7.3.2", "whether a server is up", "srv_is_up(b/s1)", "1", serverArg),
		Out: sample.Bool, From: sample.Internal, Eval: serverUp},
	{Doc: example("srv_queue", "7.3.2", "requests in the queue of a server", "srv_queue(b/s1)", "0", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(serverQueue)},
	{Doc: example("srv_sess_rate", "7.3.2", "sessions given to a server in the last second", "srv_sess_rate(b/s1)", "0", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(serverRate)},
	{Doc: example("srv_weight", "7.3.2", "the weight of a server in force, after a slow start", "srv_weight(b/s1)", "5", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(func(srv *runtime.Server, _ *runtime.Stream) int64 { return int64(balance.Weight(srv)) })},
	{Doc: example("srv_uweight", "7.3.2", "the weight of a server as set last", "srv_uweight(b/s1)", "5", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(func(srv *runtime.Server, _ *runtime.Stream) int64 { return int64(srv.UserWeight.Load()) })},
	{Doc: example("srv_iweight", "7.3.2", "the weight of a server in the configuration", "srv_iweight(b/s1)", "5", serverArg),
		Out: sample.Int, From: sample.Internal, Eval: serverNumber(func(srv *runtime.Server, _ *runtime.Stream) int64 { return int64(srv.Weight) })},
}

var serverConverters = []sample.Converter{
	{Doc: example("srv_is_up", "7.3.1", "whether the server of that name, or backend/server, is up", "str(b/s1),srv_is_up", "1"),
		In: sample.Str, Out: sample.Bool, Eval: convertServer(func(srv *runtime.Server, v *sample.Value) { v.SetBool(isUp(srv)) })},
	{Doc: example("srv_queue", "7.3.1", "requests in the queue of the server of that name, or backend/server", "str(b/s1),srv_queue", "0"),
		In: sample.Str, Out: sample.Int, Eval: convertServer(func(srv *runtime.Server, v *sample.Value) { v.SetInt(srv.Queued.Load()) })},
}

func serverName(s *runtime.Stream) string {
	if s.Server == nil {
		return ""
	}
	return s.Server.Name
}

func serverID(s *runtime.Stream, out *sample.Value) bool {
	if s.Server == nil {
		return false
	}
	out.SetInt(int64(s.Server.ID))
	return true
}

// serverNumber makes an Eval of a number of the server that the first argument names.
func serverNumber(get func(srv *runtime.Server, s *runtime.Stream) int64) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		srv, named := args[0].Ref.(*runtime.Server)
		if !ok || !named {
			return false
		}
		out.SetInt(get(srv, s))
		return true
	}
}

func serverQueue(srv *runtime.Server, _ *runtime.Stream) int64 { return srv.Queued.Load() }

func serverRate(srv *runtime.Server, s *runtime.Stream) int64 {
	return int64(srv.Rate.PerSecond(clockMs(s)))
}

func freeOnServer(srv *runtime.Server, _ *runtime.Stream) int64 {
	if srv.MaxConn.Load() == 0 {
		return -1
	}
	return max(0, int64(queue.DynamicMaxConn(srv))-srv.Current.Load())
}

// isUp tells whether a server is up as far as anyone checks it.
func isUp(srv *runtime.Server) bool {
	return runtime.Admin(srv.AdminState.Load())&runtime.Maint == 0 &&
		(!srv.CheckOn || runtime.ServerState(srv.State.Load()) != runtime.ServerStopped)
}

func serverUp(_ *sample.Context, args []sample.Arg, out *sample.Value) bool {
	srv, ok := args[0].Ref.(*runtime.Server)
	if ok {
		out.SetBool(isUp(srv))
	}
	return ok
}

// convertServer makes an Eval of what the server has that a text names.
func convertServer(set func(srv *runtime.Server, v *sample.Value)) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		if !ok {
			return false
		}
		px, name := current(ctx, s), v.Bytes
		if i := bytes.IndexByte(name, '/'); i >= 0 {
			px, name = proxyNamed(s.Config, name[:i], runtime.CapBack), name[i+1:]
		}
		if px == nil {
			return false
		}
		srv := px.ServerByName(name)
		if srv == nil {
			return false
		}
		set(srv, v)
		return true
	}
}
