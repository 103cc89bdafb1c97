package engine

import (
	"hapax/acl/sample"
)

// absentFetches ask for what no configuration can switch on here: nothing speaks with
// SPOE agents. They have the values that the reference gives where that is not in use.
var absentFetches = []sample.Fetch{
	{Doc: doc("spoe.engine-id", "7.3.2", "the number of the SPOE engine: without value", ""),
		Out: sample.Str, From: sample.Internal, Eval: nothing},
	{Doc: doc("quic_enabled", "7.3.2", "true when QUIC is spoken; without it there is no value", ""),
		Out: sample.Bool, From: sample.Constant, Eval: nothing},
}

func nothing(*sample.Context, []sample.Arg, *sample.Value) bool { return false }
