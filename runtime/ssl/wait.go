package ssl

import (
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// waitForHandshake is the row of an action that holds back early data until the handshake is
// over. None is accepted: a request is there when the handshake is, and waits for nothing.
var waitForHandshake = config.Action{
	Doc: keyword.Doc{Name: "wait-for-handshake", Ref: "4.4", Summary: "wait for the end of the handshake", Note: "early data is not accepted: requests come behind the handshake",
		Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind 127.0.0.1:65500\n  http-request wait-for-handshake if { method POST }\n"}}},
	In: runtime.HTTPReqRules,
	Parse: func(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
		return func(*runtime.Stream) runtime.Verdict { return runtime.Continue }, nil
	},
}
