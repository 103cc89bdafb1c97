package logger

import (
	"errors"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// fetches are the numbers of log lines that expressions can ask for too.
var fetches = []sample.Fetch{
	count("bytes_in", "bytes from the client (%U)", sample.ReqFinal, atEnd(bytesUploaded)),
	count("bytes_out", "bytes from the server (%B)", sample.ResFinal, atEnd(func(s *runtime.Stream) int64 { return s.ResFromServer })),
	count("req.bytes_in", "bytes of the request from the client", sample.ReqFinal, atEnd(bytesUploaded)),
	count("req.bytes_out", "bytes of the request to the server", sample.ReqFinal, atEnd(func(s *runtime.Stream) int64 { return s.ReqToServer })),
	count("res.bytes_in", "bytes of the response from the server", sample.ResFinal, atEnd(func(s *runtime.Stream) int64 { return s.ResFromServer })),
	count("res.bytes_out", "bytes of the response to the client", sample.ResFinal, atEnd(func(s *runtime.Stream) int64 { return s.BytesOut })),

	count("bc.timer.connect", "ms to connect to the server (%Tc)", sample.ServerAddr, connectTime),
	count("bc_be_queue", "requests served before this one in the backend's queue (%bq)", sample.ServerAddr, backendQueue),
	count("bc_srv_queue", "requests served before this one in the server's queue (%sq)", sample.ServerAddr, serverQueue),
	handshakes("fc.timer.handshake", "ms of the handshakes of the connection (%Th)"),
	count("fc.timer.total", "ms in all (%Tt)", sample.SessionFinal, closeTime),
	count("req.timer.hdr", "ms to receive the request's head (%TR)", sample.ReqHeaders, requestTime),
	count("req.timer.idle", "ms before the request (%Ti)", sample.ReqHeaders, idleTime),
	count("req.timer.queue", "ms in queues (%Tw)", sample.ServerAddr, queueTime),
	count("req.timer.tq", "ms until the request was complete (%Tq)", sample.ReqHeaders, oldRequestTime),
	count("res.timer.data", "ms of the transfer of the response (%Td)", sample.ResFinal, transferTime),
	count("res.timer.hdr", "ms until the response's head (%Tr)", sample.ResHeaders, responseTime),
	count("txn.timer.total", "ms from the first byte of the request to the end (%Ta)", sample.TxnFinal, func(s *runtime.Stream) int64 { return closeTime(s) - before(s) }),
	count("txn.timer.user", "ms that the user waited: all but the idle time (%Tu)", sample.TxnFinal, func(s *runtime.Stream) int64 { return closeTime(s) - max(idleTime(s), 0) }),

	dateFetch("accept_date", "7.3.3", "when the connection was accepted", sample.ClientAddr, accepted),
	dateFetch("request_date", "7.3.6", "when the request began", sample.ReqLine, requested),
}

// atEnd gives a number of bytes once the stream is logged; rules before see 0, as the
// reference adds them up at the end.
func atEnd(get func(*runtime.Stream) int64) func(*runtime.Stream) int64 {
	return func(s *runtime.Stream) int64 {
		if s.Ctx.Checkpoint != sample.LogEnd {
			return 0
		}
		return get(s)
	}
}

// count makes the row of a number of a stream.
func count(name, summary string, from sample.Source, get func(*runtime.Stream) int64) sample.Fetch {
	line := "log-format %[" + name + "]"
	switch from {
	case sample.ReqHeaders:
		line = "http-request set-var(txn.ms) " + name
	case sample.ResHeaders:
		line = "http-response set-var(txn.ms) " + name
	}
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: "7.3.2", Summary: summary,
			Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  log stderr local0\n  " + line + "\n"}}},
		Out: sample.Int, From: from,
		Eval: func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
			s, ok := ctx.Owner.(*runtime.Stream)
			if !ok || ctx.Checkpoint&sample.WithoutStream != 0 || s.LogStep == ofConnection || s.LogStep == ofSession {
				return false
			}
			out.SetInt(get(s))
			return true
		},
	}
}

// handshakes makes the row of the time of handshakes, which sessions have too: -1 while
// they are not over.
func handshakes(name, summary string) sample.Fetch {
	row := count(name, summary, sample.ClientAddr, handshakeTime)
	row.Eval = func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		switch {
		case !ok:
			return false
		case ctx.Checkpoint == sample.FrontConnection:
			out.SetInt(-1)
		default:
			out.SetInt(handshakeTime(s))
		}
		return true
	}
	return row
}

// transferTime is 0 or more only for a stream with a response: a TCP connection has none.
func transferTime(s *runtime.Stream) int64 {
	if s.Front.Mode == runtime.ModeTCP || s.Time.Response <= 0 {
		return -1
	}
	return closeTime(s) - since(&s.Time, s.Time.Response)
}

// dateFetch makes the row of a date, in the unit that its argument names.
func dateFetch(name, ref, summary string, from sample.Source, get func(*runtime.Stream) int64) sample.Fetch {
	return sample.Fetch{
		Doc: keyword.Doc{Name: name, Ref: ref, Summary: summary,
			Args:     []keyword.Arg{{Name: "unit", Type: keyword.Str, Opt: true, Default: "s", Doc: "s, ms or us"}},
			Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  log stderr local0\n  log-format %[" + name + "(ms)]\n"}}},
		Out: sample.Int, From: from,
		Check: checkUnit,
		Eval: func(ctx *sample.Context, args []sample.Arg, out *sample.Value) bool {
			s, ok := ctx.Owner.(*runtime.Stream)
			if !ok {
				return false
			}
			per := int64(1e6)
			if n, ok := args[0].Data.(int64); ok {
				per = n
			}
			out.SetInt(get(s) / per)
			out.Flags |= sample.MayChange
			return true
		},
	}
}

func checkUnit(_ *sample.Compiler, args []sample.Arg) error {
	if !args[0].Present {
		return nil
	}
	switch args[0].Str {
	case "s":
		args[0].Data = int64(1e6)
	case "ms":
		args[0].Data = int64(1e3)
	case "us":
		args[0].Data = int64(1)
	default:
		return errors.New("expects 's', 'ms' or 'us', got '" + args[0].Str + "'")
	}
	return nil
}
