package queue

import (
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// Domain holds the priorities in queues.
var Domain = config.Domain{
	Name: "queue",
	Actions: []config.Action{
		{
			Doc: keyword.Doc{Name: "set-priority-class", Ref: "4.4", Summary: "class of the request in queues: lower ones go first",
				Args:     []keyword.Arg{{Name: "expr", Type: keyword.Sample, Doc: "-2047 to 2047; default 0"}},
				Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  http-request set-priority-class int(-10) if { path_beg /urgent }\n"}}},
			In: runtime.HTTPReqRules | runtime.TCPReqRules, Parse: parsePriority(maxClass, func(s *runtime.Stream, n int32) { s.PrioClass = n }),
		},
		{
			Doc: keyword.Doc{Name: "set-priority-offset", Ref: "4.4", Summary: "milliseconds by which the request's time of arrival in queues is moved",
				Args:     []keyword.Arg{{Name: "expr", Type: keyword.Sample, Doc: "-524287 to 524287; default 0"}},
				Examples: []keyword.Example{{Config: "frontend f\n  mode http\n  bind :8080\n  http-request set-priority-offset int(500)\n"}}},
			In: runtime.HTTPReqRules | runtime.TCPReqRules, Parse: parsePriority(maxOffset, func(s *runtime.Stream, n int32) { s.PrioOffset = n }),
		},
	},
	Fetches: []sample.Fetch{
		{
			Doc: keyword.Doc{Name: "prio_class", Ref: "7.3.3", Summary: "priority class of the request",
				Examples: []keyword.Example{{Expr: "prio_class"}}},
			Out: sample.Int, From: sample.Internal,
			Eval: priority(func(s *runtime.Stream) int32 { return s.PrioClass }),
		},
		{
			Doc: keyword.Doc{Name: "prio_offset", Ref: "7.3.3", Summary: "priority offset of the request",
				Examples: []keyword.Example{{Expr: "prio_offset"}}},
			Out: sample.Int, From: sample.Internal,
			Eval: priority(func(s *runtime.Stream) int32 { return s.PrioOffset }),
		},
	},
}

// Limits of priorities: 12 bits of class and 20 of offset.
const (
	maxClass  = 0x7ff
	maxOffset = 0x7ffff
)

// LimitClass and LimitOffset keep a number within those that a stream may have.
func LimitClass(n int64) int32  { return limited(n, maxClass) }
func LimitOffset(n int64) int32 { return limited(n, maxOffset) }

func limited(n, most int64) int32 { return int32(max(-most, min(most, int64(int32(n))))) }

func parsePriority(limit int64, set func(*runtime.Stream, int32)) func(*config.Loader, *config.ActionLine) (runtime.Exec, error) {
	return func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
		e, err := l.Expr(&a.Words)
		if err != nil {
			return nil, err
		}
		var at sample.Checkpoint
		if a.Proxy.Caps&runtime.CapFront != 0 {
			at |= sample.FrontReqHeaders
		}
		if a.Proxy.Caps&runtime.CapBack != 0 {
			at |= sample.BackReqHeaders
		}
		if e.ValidAt()&at == 0 {
			word := a.Name // the reference names the first word of what it was given
			if a.Kind == runtime.TCPReqRules {
				word = "tcp-request"
			}
			return nil, fmt.Errorf("fetch method '%s' extracts information from '%s', none of which is available here", word, e.From())
		}
		return func(s *runtime.Stream) runtime.Verdict {
			v := s.Ctx.Scratch.Borrow()
			if e.EvalAs(&s.Ctx, sample.Int, v) {
				set(s, limited(v.Int, limit))
			}
			s.Ctx.Scratch.Return()
			return runtime.Continue
		}, nil
	}
}

func priority(get func(*runtime.Stream) int32) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		if !ok || ctx.Checkpoint&sample.WithoutStream != 0 {
			return false
		}
		out.SetInt(int64(get(s)))
		return true
	}
}
