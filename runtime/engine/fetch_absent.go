package engine

import (
	"hapax/acl/sample"
	"hapax/runtime"
)

// absentFetches ask for what no configuration can switch on here: nothing answers from a cache or speaks
// with FastCGI applications and SPOE agents. They have the values that the reference gives where that is not in use.
var absentFetches = []sample.Fetch{
	{Doc: doc("res.cache_hit", "7.3.6", "whether the response came from a cache: never", "0"),
		Out: sample.Bool, From: sample.ResLine | sample.ServerChosen, Eval: no},
	{Doc: doc("res.cache_name", "7.3.6", "the name of the cache that the response came from: without value", ""),
		Out: sample.Str, From: sample.ResLine | sample.ServerChosen, Eval: nothing},
	{Doc: doc("fcgi.docroot", "7.3.6", "the document root of the FastCGI application: without value", ""),
		Out: sample.Str, From: sample.ReqHeaders, Eval: nothing},
	{Doc: doc("fcgi.index", "7.3.6", "the index of the FastCGI application: without value", ""),
		Out: sample.Str, From: sample.ReqHeaders, Eval: nothing},
	{Doc: doc("spoe.engine-id", "7.3.2", "the number of the SPOE engine: without value", ""),
		Out: sample.Str, From: sample.Internal, Eval: nothing},
	{Doc: doc("quic_enabled", "7.3.2", "true when QUIC is spoken; without it there is no value", ""),
		Out: sample.Bool, From: sample.Constant, Eval: nothing},
	{Doc: doc("term_events", "7.3.2", "how each side of the stream ended, on seven levels: a dash for each, as no such events are kept", "{-,-,-,-,-,-,-}"),
		Out: sample.Str, From: sample.Internal, Eval: text(func(*runtime.Stream) string { return "{-,-,-,-,-,-,-}" })},
}

func nothing(*sample.Context, []sample.Arg, *sample.Value) bool { return false }

func no(_ *sample.Context, _ []sample.Arg, out *sample.Value) bool {
	out.SetBool(false)
	return true
}
