package engine

import (
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
)

// These are known while the configuration is read too, as they are before anything runs.
var processFetches = []sample.Fetch{
	{Doc: doc("thread", "7.3.2", "the number of the thread, from 0", "0"),
		Out: sample.Int, From: sample.Constant, Eval: process(func(s *runtime.Stream) int64 { return int64(s.Loop) })},
	{Doc: doc("tgroup", "7.3.2", "the number of the thread group: always 0", "0"),
		Out: sample.Int, From: sample.Constant, Eval: process(func(*runtime.Stream) int64 { return 0 })},
	{Doc: doc("uptime", "7.3.2", "seconds since the process was started", "0"),
		Out: sample.Int, From: sample.Constant, Eval: process(uptime)},
	{Doc: doc("act_conn", "7.3.2", "client connections of the process now", "1"),
		Out: sample.Int, From: sample.Constant, Eval: process(func(s *runtime.Stream) int64 { return s.Config.Stats.Conns.Load() })},
	{Doc: doc("stopping", "7.3.2", "whether the process is stopping", "0"),
		Out: sample.Bool, From: sample.Internal, Eval: truth(stopping)},
	{Doc: doc("cpu_usage_proc", "7.3.2", "percent of the last half second that the threads were busy, the mean of all", "100"),
		Out: sample.Int, From: sample.Internal, Eval: number(func(s *runtime.Stream) int64 { return 100 - int64(s.Config.Stats.IdlePct.Load()) })},
	{Doc: doc("quic_enabled", "7.3.2", "true when QUIC is spoken; without it there is no value", ""),
		Out: sample.Bool, From: sample.Constant, Eval: func(*sample.Context, []sample.Arg, *sample.Value) bool { return false }},
}

// process makes an Eval of a number that is 0 as long as nothing runs.
func process(get func(s *runtime.Stream) int64) evalFunc {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		out.SetInt(0)
		if s, ok := ctx.Owner.(*runtime.Stream); ok {
			out.SetInt(get(s))
		}
		return true
	}
}

func uptime(s *runtime.Stream) int64 {
	if s.Config.Stats.Started.IsZero() {
		return 0
	}
	return int64(time.Since(s.Config.Stats.Started) / time.Second)
}

func stopping(s *runtime.Stream) bool { return s.Config.Stats.Stopping.Load() }
