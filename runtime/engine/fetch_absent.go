package engine

import (
	"hapax/acl/sample"
)

// absentFetches ask for what no configuration can switch on here. They have the values that the reference gives where that
// is not in use.
var absentFetches = []sample.Fetch{
	{Doc: doc("quic_enabled", "7.3.2", "true when QUIC is spoken; without it there is no value", ""),
		Out: sample.Bool, From: sample.Constant, Eval: nothing},
}

func nothing(*sample.Context, []sample.Arg, *sample.Value) bool { return false }
