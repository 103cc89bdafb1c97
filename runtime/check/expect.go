package check

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
)

// match is how an expect rule looks at what came.
type match uint8

const (
	matchNone match = iota
	matchString
	matchRegex
	matchFormat
	matchBinary
	matchBinaryRegex
	matchBinaryFormat
	matchCustom
	matchStatus // these only in HTTP checks
	matchStatusRegex
	matchHeader
	matchBody
	matchBodyRegex
	matchBodyFormat
)

// expect waits for something, or makes sure that something does not come.
type expect struct {
	kind    match
	not     bool
	minRecv int // bytes that must be there before it is evaluated; -1: as many as it takes
	data    []byte
	regex   *sample.Regex
	format  *logformat.Format
	codes   [][2]int // ranges of statuses
	header  *headerMatch
	custom  func(ck *Check, r *rule, last bool) verdict

	// What a result is called; CheckUnknown: the usual.
	ok, bad, timeout   runtime.CheckStatus
	onSuccess, onError *logformat.Format // texts of the result
	code               *sample.Expr      // its code

	// head is where evaluation starts again when more data came: the first inverse rule
	// of a row of expect rules, as what must not come may still come.
	head *rule
}

func (e *expect) run(ck *Check, r *rule) verdict {
	ck.current = r
	if v := ck.receive(); v != proceed {
		return v
	}
	var v verdict
	if ck.http != nil {
		v = e.runHTTP(ck, r, ck.eof || ck.full() || ck.http.complete())
	} else {
		v = e.runRaw(ck, r, ck.eof || ck.full())
	}
	if v == await {
		ck.at = e.head.at
		ck.conn.Receive()
	}
	return v
}

// runRaw looks at bytes. last tells that no more will come.
func (e *expect) runRaw(ck *Check, r *rule, last bool) verdict {
	if !last && ((e.kind == matchString || e.kind == matchBinary) && len(ck.in) < len(e.data) ||
		e.minRecv > 0 && len(ck.in) < e.minRecv) {
		return await
	}
	found := false
	switch e.kind {
	case matchString, matchBinary:
		found = bytes.Contains(ck.in, e.data)
	case matchRegex:
		found = e.regex.Match(ck.in)
	case matchBinaryRegex:
		found = e.regex.Match(bytes.ToUpper(hex.AppendEncode(nil, ck.in)))
	case matchFormat, matchBinaryFormat:
		want := ck.write(e.format)
		if len(want) == 0 {
			return e.failed(ck, r, runtime.CheckL7Response, false, "log-format string evaluated to an empty string")
		}
		if e.kind == matchBinaryFormat {
			n, err := hex.Decode(want, want)
			if err != nil {
				return e.failed(ck, r, runtime.CheckL7Response, false, "Failed to parse hexastring resulting of eval of a log-format string")
			}
			want = want[:n]
		}
		if len(ck.in) < len(want) && !last {
			return await
		}
		found = bytes.Contains(ck.in, want)
	case matchCustom:
		if len(ck.in) > 0 {
			if e.custom == nil {
				return proceed
			}
			return e.custom(ck, r, last)
		}
	}
	if !found && !last && e.minRecv == -1 {
		return await
	}
	if found != e.not {
		return proceed
	}
	return e.failed(ck, r, or(e.bad, runtime.CheckL7Response), found, "")
}

// or gives the usual status where the rule names none.
func or(s, usual runtime.CheckStatus) runtime.CheckStatus {
	if s == runtime.CheckUnknown {
		return usual
	}
	return s
}

// failed decides that the rule was not met. desc is what there is to say, "" when
// that follows from the rule.
func (e *expect) failed(ck *Check, r *rule, status runtime.CheckStatus, found bool, desc string) verdict {
	switch {
	case desc != "":
	case e.onError != nil && !e.onError.Empty():
		desc = string(ck.write(e.onError))
	case ck.empty():
		desc = fmt.Sprintf("TCPCHK got an empty response at step %d", ck.stepOf(r))
	case ck.rules.kind == kindProtocol:
	default:
		desc = "TCPCHK did not match content"
		if found {
			desc = "TCPCHK matched unwanted content"
		}
		desc += fmt.Sprintf("%s at step %d", e.kinds(), ck.stepOf(r))
	}
	if r.comment != "" {
		desc += " comment: " + r.comment
	}
	ck.findCode(e)
	return ck.decide(status, desc)
}

// kinds names the kind of content that was looked for.
func (e *expect) kinds() string {
	switch e.kind {
	case matchStatus:
		return "(status codes)"
	case matchString, matchBody:
		return " '" + string(e.data) + "'"
	case matchBinary:
		return " (binary)"
	case matchRegex, matchStatusRegex, matchBodyRegex:
		return " (regex)"
	case matchBinaryRegex:
		return " (binary regex)"
	case matchFormat, matchBodyFormat:
		return " (log-format string)"
	case matchBinaryFormat:
		return " (log-format binary)"
	case matchHeader:
		return " (header pattern)"
	}
	return " (custom function)"
}

// succeeded is what is said of a check whose last rule was met.
func (ck *Check) succeeded(e *expect) string {
	desc := ""
	if e.onSuccess != nil && !e.onSuccess.Empty() {
		desc = string(ck.write(e.onSuccess))
	} else if ck.rules.kind == kindTCP {
		desc = "(tcp-check)"
	}
	ck.findCode(e)
	return desc
}

// findCode evaluates "status-code".
func (ck *Check) findCode(e *expect) {
	if e.code == nil {
		return
	}
	ck.expose()
	ctx := &ck.stream.Ctx
	v := ctx.Scratch.Borrow()
	if e.code.EvalAs(ctx, sample.Str, v) && sample.Cast(ctx, v, sample.Int) {
		ck.answer = int(v.Int)
	}
	ctx.Scratch.Return()
}
