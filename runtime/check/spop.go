package check

import (
	"encoding/hex"

	"hapax/runtime"
	"hapax/runtime/spoe/frame"
)

// The check of an agent that speaks SPOP: it is greeted as a stream processing offload engine greets it and must greet
// back.

// spopHello is the HELLO frame of a check.
func spopHello() string {
	const size = 16380 // whatever tune.bufsize is
	return hex.EncodeToString(frame.AppendHello(nil, &frame.Greeting{Size: size, Check: true}))
}

// readSPOP looks at what an agent has said so far; whole is false when more has to come. largest is the highest
// max-frame-size that it may name. A frame that takes leave instead of greeting is one without a version.
func readSPOP(b []byte, largest uint64) (fault frame.Fault, whole bool) {
	h, n := frame.ReadHead(b)
	switch {
	case n == 0:
		return frame.Fine, false
	case h.Kind != frame.AgentHello && h.Kind != frame.AgentDisconnect, !h.Whole, h.Stream != 0, h.Number != 0:
		return frame.Invalid, true
	case h.Payload > len(b)-n:
		return frame.Fine, false
	}
	return frame.ReadHello(b[n:], &frame.Greeting{Size: largest, Check: true}), true
}

// spopAnswer expects the HELLO frame of an agent.
func spopAnswer(ck *Check, r *rule, last bool) verdict {
	e := r.do.(*expect)
	fault, whole := readSPOP(ck.in, uint64(ck.checks.cfg.Global.Tune.BufSize-frame.LengthSize))
	if !whole {
		if !last {
			return await
		}
		fault = frame.Invalid
	}
	if fault != frame.Fine {
		ck.answer = int(fault)
		return e.failed(ck, r, runtime.CheckL7Response, false, fault.String())
	}
	ck.note(or(e.ok, runtime.CheckL7OK), "SPOA server is ok")
	return proceed
}
