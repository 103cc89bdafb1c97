// Package rules holds the actions of rule sets on messages and connections, and "option forwarded".
//
// An action is compiled once, while the configuration is read, into a function on the stream. What it wants of the
// engine it asks for by data (a reply, a time to wait, a close) and a verdict. Bytes that it makes on the way lie in
// the loop's scratch buffer, so that ordinary rules allocate nothing.
package rules

import (
	"fmt"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// backSide are the checkpoints at which the stream is in a backend already.
const backSide = sample.BackReqContent | sample.BackReqHeaders | sample.BackReqBody | sample.SetServer | sample.ServerConnect |
	sample.BackResContent | sample.BackResHeaders | sample.BackResBody

// failed counts a rewrite that could not be made, for want of room or because it makes no sense. In strict mode it
// ends the stream; otherwise the rule is as good as not there.
func failed(s *runtime.Stream) runtime.Verdict {
	s.Session.Counters(s.Loop).FailedRewrite.Inc()
	if s.Back != s.Front || s.Ctx.Checkpoint&backSide != 0 {
		s.Back.Live.Back[s.Loop].FailedRewrite.Inc()
	}
	if s.Server != nil {
		s.Server.Stats[s.Loop].FailedRewrite.Inc()
	}
	if !s.StrictMode {
		return runtime.Continue
	}
	if s.End.Cause == runtime.EndNone {
		s.End.Cause = runtime.EndProxy
	}
	return runtime.Failed
}

// done is the verdict of a rewrite.
func done(s *runtime.Stream, err error) runtime.Verdict {
	if err != nil {
		return failed(s)
	}
	return runtime.Continue
}

// headOf gives the message that rules of a set work on.
func headOf(kind runtime.RulesetKind) func(*runtime.Stream) *message.Message {
	if kind == runtime.HTTPReqRules {
		return func(s *runtime.Stream) *message.Message { return &s.Req }
	}
	return func(s *runtime.Stream) *message.Message { return &s.Res }
}

// text is a log format as an action uses it: most are constant.
type text struct {
	constant []byte
	format   *logformat.Format // nil: constant
}

// readText compiles a word that is a log format.
func readText(l *config.Loader, a *config.ActionLine, word string, flags logformat.Flags) (text, error) {
	f, err := l.Format(word, flags, a.At)
	if err != nil {
		return text{}, err
	}
	if s, ok := f.Literal(); ok {
		return text{constant: []byte(s)}, nil
	}
	return text{format: f}, nil
}

// bytes gives the text for a stream. It stays valid until the scratch buffer is reset.
func (t *text) bytes(s *runtime.Stream) []byte {
	if t.format == nil {
		return t.constant
	}
	return t.format.Append(room(s), &s.Ctx)
}

// append is bytes behind what dst holds.
func (t *text) append(dst []byte, s *runtime.Stream) []byte {
	if t.format == nil {
		return append(dst, t.constant...)
	}
	return t.format.Append(dst, &s.Ctx)
}

// room gives an empty slice with as much room as one value may take.
func room(s *runtime.Stream) []byte {
	n := s.Ctx.Scratch.Limit
	if n == 0 {
		n = sample.DefaultLimit
	}
	return s.Ctx.Scratch.Alloc(n)[:0]
}

// readExpr reads an expression that must have its data where the rule stands.
func readExpr(l *config.Loader, a *config.ActionLine, at sample.Checkpoint) (*sample.Expr, error) {
	e, err := l.Expr(&a.Words)
	if err != nil {
		return nil, err
	}
	if e.ValidAt()&at == 0 {
		return nil, unavailable(a.Line.Arg(a.Index()-1), e)
	}
	return e, nil
}

// unavailable words that an expression has no data. word is what the message takes for its name.
func unavailable(word string, e *sample.Expr) error {
	return fmt.Errorf("fetch method '%s' extracts information from '%s', none of which is available here", word, e.From())
}

// requestPlaces are the places of http-request rules of the proxy, whatever rule this one is.
func requestPlaces(px *runtime.Proxy) (at sample.Checkpoint) {
	if px.Caps&runtime.CapFront != 0 {
		at |= sample.FrontReqHeaders
	}
	if px.Caps&runtime.CapBack != 0 {
		at |= sample.BackReqHeaders
	}
	return at
}

// number is an integer that is constant or computed for each stream.
type number struct {
	value int64
	expr  *sample.Expr // nil: value
}

// of gives the number; false when the expression has no value.
func (n *number) of(s *runtime.Stream) (int64, bool) {
	if n.expr == nil {
		return n.value, true
	}
	v := s.Ctx.Scratch.Borrow()
	ok := n.expr.EvalAs(&s.Ctx, sample.Int, v)
	i := v.Int
	s.Ctx.Scratch.Return()
	return i, ok
}

// pass is what an action does that only tells the engine something while the configuration is read.
func pass(*runtime.Stream) runtime.Verdict { return runtime.Continue }
