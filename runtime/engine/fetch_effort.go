package engine

import (
	"strconv"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime/transport"
)

// effortFetches tell what a stream has cost so far, and for developers where it stands.
var effortFetches = []sample.Fetch{
	{Doc: doc("cpu_calls", "7.3.2", "how often the stream was run", ""),
		Out: sample.Int, From: sample.Internal, Eval: effort(func(s *stream) int64 { return int64(s.calls) })},
	{Doc: doc("cpu_ns_avg", "7.3.2", "nanoseconds of CPU that one run of the stream took, with profiling.tasks on", ""),
		Out: sample.Int, From: sample.Internal, Eval: effort(func(s *stream) int64 { return s.busy / int64(max(s.calls, 1)) })},
	{Doc: doc("cpu_ns_tot", "7.3.2", "nanoseconds of CPU that the stream took, with profiling.tasks on", ""),
		Out: sample.Int, From: sample.Internal, Eval: effort(func(s *stream) int64 { return s.busy })},
	{Doc: doc("lat_ns_avg", "7.3.2", "nanoseconds that one run of the stream waited for its turn, with profiling.tasks on", ""),
		Out: sample.Int, From: sample.Internal, Eval: effort(func(s *stream) int64 { return s.late / int64(max(s.calls, 1)) })},
	{Doc: doc("lat_ns_tot", "7.3.2", "nanoseconds that the stream waited for its turns, with profiling.tasks on", ""),
		Out: sample.Int, From: sample.Internal, Eval: effort(func(s *stream) int64 { return s.late })},
	{Doc: doc("term_events", "7.3.2", "what ended the stream on seven levels, the client's connection first: for developers", "{,-,-,-,-,-,-}"),
		Out: sample.Str, From: sample.Internal, Eval: termEvents},
	{Doc: doc("fs.debug_str", "7.3.4", "where the stream stands on the client's side, in words for developers", "", layersArg),
		Out: sample.Str, From: sample.ClientConn, Eval: debugText(clientSide)},
	{Doc: doc("bs.debug_str", "7.3.4", "where the stream stands on the server's side, in words for developers", "", layersArg),
		Out: sample.Str, From: sample.ServerConn, Eval: debugText(serverSide)},
}

var layersArg = keyword.Arg{Name: "layers", Type: keyword.Int, Opt: true, Doc: "1: of the stream, 2: of its connection, 8: how that ended, 16: of the socket; a sum of these"}

// effort makes an Eval of a number that the engine keeps of a stream.
func effort(get func(s *stream) int64) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		s, ok := hasClient(ctx)
		if ok {
			out.SetInt(get(s))
		}
		return ok
	}
}

// Layers that a debug text may be asked for.
const (
	layerStream = 1 << iota
	layerConnection
	_
	layerEnding
	layerSocket
)

// side is what there is to tell of a stream on one of its sides.
type side struct {
	name string
	sock *transport.Conn
	h2   bool
	end  error
	lane *lane
}

func clientSide(s *stream) (side, bool) {
	return side{"fs", &s.c.sock, s.c.via != nil, s.c.end, &s.req}, true
}

func serverSide(s *stream) (side, bool) {
	if s.link == nil {
		return side{}, false
	}
	return side{"bs", &s.link.sock, s.link.ex != nil, s.srvEnd, &s.res}, true
}

// debugText makes an Eval of a text for developers about one side of a stream. Nothing else reads it, and its form
// belongs to the program: that of the reference holds addresses of its memory.
func debugText(of func(s *stream) (side, bool)) evalFunc {
	return func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
		s, ok := hasClient(ctx)
		if !ok {
			return false
		}
		e, ok := of(s)
		if !ok {
			out.Flags |= sample.MayChange
			return false
		}
		layers := args[0].Int
		if layers == 0 {
			layers = -1
		}
		b := ctx.Scratch.Room()
		if layers&layerStream != 0 {
			b = append(append(append(b, e.name...), " step="...), e.lane.name()...)
			b = strconv.AppendUint(append(b, " calls="...), uint64(s.calls), 10)
		}
		if layers&layerConnection != 0 {
			protocol := "tcp"
			switch {
			case e.h2:
				protocol = "h2"
			case s.http:
				protocol = "h1"
			}
			b = append(append(b, " proto="...), protocol...)
		}
		if layers&layerEnding != 0 {
			b = append(append(b, " end="...), faultOf(e.end).name...)
		}
		if layers&layerSocket != 0 && e.sock.IsOpen() {
			b = strconv.AppendInt(append(b, " fd="...), int64(e.sock.Fd()), 10)
		}
		out.SetStr(ctx.Scratch.Take(b))
		return true
	}
}
