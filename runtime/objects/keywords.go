// Package objects holds what expressions can ask of proxies, servers, listeners and
// streams: names, numbers, timeouts and states of the object model.
package objects

import (
	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the fetches and converters of the object model.
var Domain = config.Domain{
	Name: "objects",
	Fetches: []sample.Fetch{
		// Backends by name.
		ofBackend("avg_queue", "average number of requests that wait for each usable server", averageQueue),
		ofBackend("be_conn", "connections of a backend", func(_ *sample.Context, px *runtime.Proxy) int64 { return px.Live.BackConns.Load() }),
		ofBackend("be_conn_free", "free connections of a backend's servers, -1 when one has no limit", freeConns),
		ofBackend("be_sess_rate", "sessions per second of a backend", func(ctx *sample.Context, px *runtime.Proxy) int64 { return rate(ctx, &px.Live.BackRate) }),
		ofBackend("connslots", "free connections and places in queues of a backend's servers, -1 when one has no limit", connSlots),
		ofBackend("nbsrv", "usable servers of a backend", func(_ *sample.Context, px *runtime.Proxy) int64 { return usable(px) }),
		ofBackend("queue", "requests that wait on a backend", func(_ *sample.Context, px *runtime.Proxy) int64 { return px.Live.TotalQueued.Load() }),

		// Frontends by name.
		ofFrontend("fe_conn", "connections of a frontend", func(_ *sample.Context, px *runtime.Proxy) int64 { return px.Live.FrontConns.Load() }),
		ofFrontend("fe_req_rate", "requests per second of a frontend", func(ctx *sample.Context, px *runtime.Proxy) int64 { return rate(ctx, &px.Live.ReqRate) }),
		ofFrontend("fe_sess_rate", "sessions per second of a frontend", func(ctx *sample.Context, px *runtime.Proxy) int64 { return rate(ctx, &px.Live.SessRate) }),

		// Servers by name.
		ofServer("srv_conn", "connections of a server", sample.Int, func(_ *sample.Context, srv *runtime.Server) int64 { return srv.Current.Load() }),
		ofServer("srv_conn_free", "free connections of a server, -1 without a limit", sample.Int, freeOf),
		ofServer("srv_is_up", "whether a server is up", sample.Bool, func(_ *sample.Context, srv *runtime.Server) int64 { return isUp(srv) }),
		ofServer("srv_iweight", "weight of a server in the configuration", sample.Int, func(_ *sample.Context, srv *runtime.Server) int64 { return int64(srv.Weight) }),
		ofServer("srv_queue", "requests that wait for a server", sample.Int, func(_ *sample.Context, srv *runtime.Server) int64 { return srv.Queued.Load() }),
		ofServer("srv_sess_rate", "sessions per second of a server", sample.Int, func(ctx *sample.Context, srv *runtime.Server) int64 { return rate(ctx, &srv.Rate) }),
		ofServer("srv_uweight", "weight of a server as the user wants it", sample.Int, func(_ *sample.Context, srv *runtime.Server) int64 { return int64(srv.UserWeight.Load()) }),
		ofServer("srv_weight", "weight of a server now", sample.Int, weight),

		// The stream's own proxies and server.
		ofCheckToo("be_id", "7.3.3", "id of the backend", sample.Int, sample.BackendProxy, number(func(s *runtime.Stream) int64 { return int64(s.Back.ID) })),
		ofCheckToo("be_name", "7.3.3", "name of the backend", sample.Str, sample.BackendProxy, text(func(s *runtime.Stream) string { return s.Back.Name })),
		ofCheckToo("be_connect_timeout", "7.3.3", "timeout connect of the backend, in ms", sample.Int, sample.BackendProxy, duration(func(s *runtime.Stream) dur { return s.Back.Timeout.Connect })),
		ofCheckToo("be_queue_timeout", "7.3.3", "timeout queue of the backend, in ms", sample.Int, sample.BackendProxy, duration(func(s *runtime.Stream) dur { return s.Back.Timeout.Queue })),
		ofCheckToo("be_server_timeout", "7.3.3", "timeout server of the backend, in ms", sample.Int, sample.BackendProxy, duration(func(s *runtime.Stream) dur { return s.Back.Timeout.Server })),
		ofCheckToo("be_tarpit_timeout", "7.3.3", "timeout tarpit of the backend, in ms", sample.Int, sample.BackendProxy, duration(func(s *runtime.Stream) dur { return s.Back.Timeout.Tarpit })),
		ofCheckToo("be_tunnel_timeout", "7.3.3", "timeout tunnel of the backend, in ms", sample.Int, sample.BackendProxy, duration(func(s *runtime.Stream) dur { return s.Back.Timeout.Tunnel })),
		ofCheckToo("srv_id", "7.3.3", "id of the server", sample.Int, sample.ServerChosen, serverID),
		ofCheckToo("srv_name", "7.3.3", "name of the server", sample.Str, sample.ServerChosen, serverName),
		ofSession("fe_client_timeout", "timeout client of the frontend, in ms", sample.Int, func(_ *sample.Context, sess *runtime.Session, out *sample.Value) bool {
			out.SetInt(sess.Front.Timeout.Client.Milliseconds())
			return true
		}),
		ofSession("fe_tarpit_timeout", "timeout tarpit of the frontend, in ms", sample.Int, func(_ *sample.Context, sess *runtime.Session, out *sample.Value) bool {
			out.SetInt(sess.Front.Timeout.Tarpit.Milliseconds())
			return true
		}),
		ofSession("fe_defbe", "default backend of the frontend", sample.Str, defaultBackend),
		ofSession("fe_id", "id of the frontend", sample.Int, func(_ *sample.Context, sess *runtime.Session, out *sample.Value) bool {
			out.SetInt(int64(sess.Front.ID))
			return true
		}),
		ofSession("fe_name", "name of the frontend", sample.Str, func(ctx *sample.Context, sess *runtime.Session, out *sample.Value) bool {
			return setText(ctx, out, sess.Front.Name)
		}),
		ofSession("dst_conn", "connections of the listener", sample.Int, listenerConns),
		ofSession("so_id", "id of the listener", sample.Int, listenerID),
		ofSession("so_name", "name of the listener", sample.Str, listenerName),

		// The stream itself.
		ofStream("cur_client_timeout", "7.3.2", "timeout client in force, in ms", sample.Int, sample.Frontend,
			duration(func(s *runtime.Stream) dur { return first(s.Timeouts.Client, s.Front.Timeout.Client) })),
		ofStream("cur_connect_timeout", "7.3.2", "timeout connect in force, in ms", sample.Int, sample.BackendProxy,
			duration(func(s *runtime.Stream) dur { return first(s.Timeouts.Connect, s.Back.Timeout.Connect) })),
		ofStream("cur_queue_timeout", "7.3.2", "timeout queue in force, in ms", sample.Int, sample.BackendProxy,
			duration(func(s *runtime.Stream) dur { return first(s.Timeouts.Queue, s.Back.Timeout.Queue) })),
		ofStream("cur_server_timeout", "7.3.2", "timeout server in force, in ms", sample.Int, sample.BackendProxy,
			duration(serverTimeout)),
		ofStream("cur_tarpit_timeout", "7.3.2", "timeout tarpit in force, in ms", sample.Int, sample.Frontend|sample.BackendProxy,
			duration(func(s *runtime.Stream) dur { return first(s.Timeouts.Tarpit, s.Back.Timeout.Tarpit) })),
		ofStream("cur_tunnel_timeout", "7.3.2", "timeout tunnel in force, in ms", sample.Int, sample.BackendProxy,
			duration(tunnelTimeout)),
		ofStream("bc_reused", "7.3.3", "whether the connection to the server was there already", sample.Bool, sample.ServerAddr, reused),
		ofStream("http_first_req", "7.3.6", "whether the request is the first one of its connection", sample.Bool, sample.ReqLine, firstRequest),
		ofStream("txn.conn_retries", "7.3.2", "retries of connections to servers", sample.Int, sample.ServerAddr, number(func(s *runtime.Stream) int64 { return int64(s.RetriesDone) })),
		ofStream("txn.id32", "7.3.2", "number of the stream", sample.Int, sample.Internal, number(func(s *runtime.Stream) int64 { return int64(uint32(s.Count())) })),
		ofStream("txn.redispatched", "7.3.2", "whether another server than the first one was tried", sample.Bool, sample.ServerAddr, redispatched),
		ofStream("txn.sess_term_state", "7.3.2", "who ended the stream, and in which state", sample.Str, sample.Internal, termination),
		ofStream("txn.status", "7.3.6", "status of the response", sample.Int, sample.ResLine, status),
		ofCheckToo("unique-id", "7.3.6", "unique id of the stream, where its frontend has a format for it", sample.Str, sample.Constant|sample.Listener|sample.Frontend, uniqueID),

		// The process.
		ofProcess("act_conn", "connections of the process", sample.Int, sample.Constant, func(s *runtime.Stream) int64 { return s.Config.Stats.Conns.Load() }),
		ofProcess("stopping", "whether the process is stopping", sample.Bool, sample.Internal, stopping),
		ofProcess("tgroup", "number of the thread group, from 0", sample.Int, sample.Constant, func(*runtime.Stream) int64 { return 0 }),
		ofProcess("thread", "number of the thread that runs the stream, from 0", sample.Int, sample.Constant, func(s *runtime.Stream) int64 { return int64(s.Loop) }),
		ofProcess("uptime", "seconds since the process started", sample.Int, sample.Constant, uptime),
	},
	Converters: []sample.Converter{
		ofName("fe_exists", "whether a frontend of that name exists", sample.Bool, `str(f),fe_exists`, feExists),
		ofName("nbsrv", "usable servers of the backend of that name", sample.Int, `str(b),nbsrv`, nbsrv),
		ofName("srv_is_up", "whether the server of that name (backend/server) is up", sample.Bool, `str(b/s1),srv_is_up`, srvIsUp),
		ofName("srv_queue", "requests that wait for the server of that name (backend/server)", sample.Int, `str(b/s1),srv_queue`, srvQueue),
	},
}

// example is a configuration that uses an expression in a condition.
func example(expr string) []keyword.Example {
	return []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  http-request set-var(txn.x) " + expr + "\n  default_backend b\nbackend b\n  mode http\n  server s1 127.0.0.1:80\n"}}
}
