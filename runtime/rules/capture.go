package rules

import (
	"errors"
	"fmt"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// keep stores a value in slot i of the captures, cut to the slot's length. An expression without a value leaves the
// slot alone.
func keep(s *runtime.Stream, e *sample.Expr, slots []runtime.CaptureSlot, caps *[][]byte, i int) {
	if i < 0 || i >= len(slots) {
		return
	}
	v := s.Ctx.Scratch.Borrow()
	if e.EvalAs(&s.Ctx, sample.Str, v) {
		store(v.Bytes, slots, caps, i)
	}
	s.Ctx.Scratch.Return()
}

// store copies a text into slot i, cut to the slot's length.
func store(text []byte, slots []runtime.CaptureSlot, caps *[][]byte, i int) {
	for len(*caps) < len(slots) {
		*caps = append(*caps, nil)
	}
	if (*caps)[i] == nil {
		(*caps)[i] = make([]byte, 0, slots[i].Len)
	}
	(*caps)[i] = append((*caps)[i][:0], text[:min(len(text), slots[i].Len)]...)
}

// captureConverters keep what passes through them.
var captureConverters = []sample.Converter{
	{Doc: keyword.Doc{Name: "capture-req", Ref: "7.3.1", Summary: "keeps the text in a slot of the request's captures, and gives it on",
		Args:     []keyword.Arg{{Name: "slot", Type: keyword.Int}},
		Examples: []keyword.Example{{Config: inFrontend("http-request set-var(txn.a) path,capture-req(0)")}}},
		In: sample.Str, Out: sample.Str,
		Eval: capturing(func(s *runtime.Stream, text []byte, i int) bool {
			slots := s.Front.Capture.Req
			if i < 0 || i >= len(slots) {
				return false
			}
			store(text, slots, &s.ReqCaps, i)
			s.Ctx.ReqCaptures = s.ReqCaps
			return true
		})},
	{Doc: keyword.Doc{Name: "capture-res", Ref: "7.3.1", Summary: "keeps the text in a slot of the response's captures, and gives it on",
		Args:     []keyword.Arg{{Name: "slot", Type: keyword.Int}},
		Examples: []keyword.Example{{Config: inFrontend("http-response set-var(txn.a) res.hdr(server),capture-res(0)")}}},
		In: sample.Str, Out: sample.Str,
		Eval: capturing(func(s *runtime.Stream, text []byte, i int) bool {
			slots := s.Front.Capture.Res
			if i < 0 || i >= len(slots) {
				return false
			}
			store(text, slots, &s.ResCaps, i)
			s.Ctx.ResCaptures = s.ResCaps
			return true
		})},
}

// capturing makes an Eval that has no value where the slot does not exist.
func capturing(put func(s *runtime.Stream, text []byte, i int) bool) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, args []sample.Arg, v *sample.Value) bool {
		s, ok := ctx.Owner.(*runtime.Stream)
		return ok && put(s, v.Bytes, int(args[0].Int))
	}
}

// captureRequest is the action that fills a slot of the request's captures, those of the frontend.
func captureRequest(e *sample.Expr, i int) runtime.Exec {
	return func(s *runtime.Stream) runtime.Verdict {
		keep(s, e, s.Front.Capture.Req, &s.ReqCaps, i)
		s.Ctx.ReqCaptures = s.ReqCaps
		return runtime.Continue
	}
}

// captureResponse is captureRequest for the response.
func captureResponse(e *sample.Expr, i int) runtime.Exec {
	return func(s *runtime.Stream) runtime.Verdict {
		keep(s, e, s.Front.Capture.Res, &s.ResCaps, i)
		s.Ctx.ResCaptures = s.ResCaps
		return runtime.Continue
	}
}

// parseCapture reads capture: `<expression> len <n>|id <slot>` in http-request rules, `<expression> id <slot>` in
// those of responses, `<expression> len <n>` in those of tcp-request.
func parseCapture(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	switch a.Kind {
	case runtime.HTTPReqRules:
		return parseRequestCapture(l, a)
	case runtime.HTTPResRules, runtime.HTTPAfterRules:
		return parseResponseCapture(l, a)
	}
	if a.Kind != runtime.TCPReqRules && a.Proxy.Caps&runtime.CapFront != 0 {
		return nil, fmt.Errorf("'%s %s' is not allowed in '%s %s' rules in %s '%s'", a.Line.Arg(2), a.Line.Arg(3), a.Line.Arg(0), a.Line.Arg(1), a.Proxy.Kind, a.Proxy.Name)
	}
	e, err := parseTCPCapture(l, a)
	if err != nil {
		return nil, fmt.Errorf("'%s %s %s' : %w", a.Line.Arg(0), a.Line.Arg(1), a.Line.Arg(2), err)
	}
	return e, nil
}

// enough tells whether three words stand before the condition.
func enough(a *config.ActionLine) bool {
	for i := range 3 {
		if condAt(a, i) {
			return false
		}
	}
	return true
}

func parseRequestCapture(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if !enough(a) {
		return nil, errors.New("expects <expression> [ 'len' <length> | id <idx> ]")
	}
	e, err := readExpr(l, a, sample.FrontReqHeaders)
	if err != nil {
		return nil, err
	}
	switch word := a.Take(); word {
	case "":
		return nil, errors.New("expects 'len or 'id'")
	case "len":
		if a.Proxy.Caps&runtime.CapFront == 0 {
			return nil, fmt.Errorf("proxy '%s' has no frontend capability", a.Proxy.Name)
		}
		return newSlot(l, a, e)
	case "id":
		return slotByID(l, a, e, "http-request", func(px *runtime.Proxy) int { return len(px.Capture.Req) }, captureRequest)
	default:
		return nil, fmt.Errorf("expects 'len' or 'id', found '%s'", word)
	}
}

func parseResponseCapture(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if !enough(a) {
		return nil, errors.New("expects <expression> id <idx>")
	}
	e, err := readExpr(l, a, sample.FrontResHeaders)
	if err != nil {
		return nil, err
	}
	switch word := a.Take(); word {
	case "":
		return nil, errors.New("expects 'id'")
	case "id":
		return slotByID(l, a, e, "http-response", func(px *runtime.Proxy) int { return len(px.Capture.Res) }, captureResponse)
	default:
		return nil, fmt.Errorf("expects 'id', found '%s'", word)
	}
}

func parseTCPCapture(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Proxy.Caps&runtime.CapFront == 0 {
		return nil, fmt.Errorf("proxy '%s' has no frontend capability", a.Proxy.Name)
	}
	l.For(sample.InCapture)
	e, err := readExpr(l, a, a.At)
	if err != nil {
		return nil, err
	}
	if !a.TakeIf("len") {
		return nil, errors.New("a positive 'len' argument is mandatory")
	}
	return newSlot(l, a, e)
}

// newSlot reserves a slot of the length that stands at the cursor.
func newSlot(l *config.Loader, a *config.ActionLine, e *sample.Expr) (runtime.Exec, error) {
	n, _ := sample.ReadInt(a.Take())
	if n <= 0 {
		return nil, errors.New("length must be > 0")
	}
	c := &a.Proxy.Capture
	c.Req = append(c.Req, runtime.CaptureSlot{Len: int(n)})
	return captureRequest(e, len(c.Req)-1), nil
}

// slotByID uses a slot that a "declare capture" line reserves, in this proxy or in the frontend of a stream that
// comes to this backend.
func slotByID(l *config.Loader, a *config.ActionLine, e *sample.Expr, rule string, slots func(*runtime.Proxy) int,
	fill func(*sample.Expr, int) runtime.Exec) (runtime.Exec, error) {
	word := a.Take()
	n, taken := sample.ReadInt(word)
	if taken != len(word) {
		return nil, fmt.Errorf("cannot parse id '%s'", word)
	}
	id := int(n)
	px := a.Proxy
	if px.Caps&runtime.CapFront != 0 {
		l.CheckRule(func() error {
			if id >= slots(px) {
				return fmt.Errorf("unable to find capture id '%d' referenced by %s capture rule", id, rule)
			}
			return nil
		})
	}
	return fill(e, id), nil
}
