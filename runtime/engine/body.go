package engine

import (
	"bytes"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/sticktable"
)

// emptyTrailer is how a chunked body without trailers ends.
var emptyTrailer = []byte("\r\n")

// What gather found.
type gatherResult uint8

const (
	gatherMore gatherResult = iota
	gathered
	badBody
)

// gather decodes bytes of a body into one buffer, for rules that look at it, and tells how many it used and whether
// the body is complete, or as much as limit allows, which may be more than the buffer holds.
func (f *flow) gather(body *loop.Buffer, limit int, in []byte) (used int, res gatherResult) {
	for used < len(in) {
		room := limit - len(body.Data)
		if room <= 0 {
			return used, gathered
		}
		payload, n, ev := f.dec.Next(in[used:min(len(in), used+room)])
		used += n
		body.Data = append(body.Data, payload...)
		f.moved += int64(len(payload))
		switch ev {
		case h1.End:
			return used, gathered
		case h1.TrailerPart:
			if bytes.HasPrefix(in[used:], emptyTrailer) {
				f.dec.TrailersDone()
				used += len(emptyTrailer)
			}
			return used, gathered // the body itself is complete
		case h1.BadBody:
			return used, badBody
		}
	}
	return used, gatherMore
}

// gatherHeld is gather for what was received so far: the rest of first, then more and extra.
func (s *stream) gatherHeld(f *flow, body *loop.Buffer, first []byte, more, extra **loop.Buffer) (used int, res gatherResult) {
	limit := s.w.limits.buffer - s.w.limits.rewrite
	if s.BodyLarge {
		limit = s.w.cfg.Global.Tune.LargeBuf - s.w.limits.rewrite // the bytes move to a memory of their own when the buffer is full
	}
	used, res = f.gather(body, limit, first)
	for *more != nil && res == gatherMore {
		var n int
		n, res = f.gather(body, limit, (*more).Data)
		(*more).Data = (*more).Data[n:]
		if len((*more).Data) == 0 {
			(*more).Release()
			*more, *extra = *extra, nil
		}
	}
	if res == gatherMore && (f.dec.Finished() || len(body.Data) >= limit) {
		res = gathered
	}
	return used, res
}

// gatherRequest decodes what was received of the request's body.
func (s *stream) gatherRequest() gatherResult {
	if s.body == nil {
		s.body = s.w.loop.Buffer()
	}
	used, res := s.gatherHeld(&s.toSrv, s.body, s.in.Data[s.inAt:s.inEnd], &s.more, &s.extra)
	s.inAt += used
	b := &s.Ctx.ReqBody
	b.Data, b.Chunks, b.Complete = s.body.Data, nil, s.toSrv.dec.BodyOver()
	if s.Req.Flags&(message.Chunked|message.Framed) != 0 {
		b.Size = -1
	}
	return res
}

// gatherResponse decodes what was received of the response's body.
func (s *stream) gatherResponse() gatherResult {
	if s.resBody == nil {
		s.resBody = s.w.loop.Buffer()
	}
	used, res := s.gatherHeld(&s.toCli, s.resBody, s.out.Data[s.outAt:s.outEnd], &s.outMore, &s.outExtra)
	s.outAt += used
	b := &s.Ctx.ResBody
	b.Data, b.Chunks, b.Complete = s.resBody.Data, nil, s.toCli.dec.BodyOver() || s.resEnd && res == gatherMore
	return res
}

// awaitBody lets rule r wait for the body of its message.
func (s *stream) awaitBody(r *runtime.Rule) runtime.Verdict {
	var res gatherResult
	var body *loop.Buffer
	response := s.Ctx.Dir == sample.Response
	switch {
	case s.Method == message.CONNECT, !response && s.Ctx.ReqBody.Complete && s.body == nil,
		response && s.Res.Flags&message.BodylessResponse != 0:
		return runtime.Continue
	case response:
		res, body = s.gatherResponse(), s.resBody
	default:
		if s.waits != forBody {
			s.expectContinue()
		}
		res, body = s.gatherRequest(), s.body
	}
	switch {
	case res == badBody:
		s.Held = nil
		return runtime.Invalid
	case res == gatherMore && (s.BodyLeast == 0 || len(body.Data) < s.BodyLeast) && !s.sideEnded(response):
		s.Held = r
		if s.waits == forBody {
			return runtime.Wait
		}
		s.waits = forBody
		if s.BodyTime > 0 {
			s.timer.After(s.BodyTime)
		} else {
			s.timer.Stop()
		}
		return runtime.Wait
	}
	s.Held, s.waits = nil, forNothing
	s.timer.Stop()
	if response {
		s.armServerTimer()
	}
	return runtime.Continue
}

// sideEnded tells whether the side that the body comes from says no more.
func (s *stream) sideEnded(response bool) bool {
	if response {
		return s.srvEnd != nil || s.resEnd
	}
	return s.c.end != nil
}

// bodyTimeout ends the wait for a body.
func (s *stream) bodyTimeout() {
	if s.Ctx.Dir == sample.Response {
		s.countReplaced()
		s.setEnd(runtime.EndServerTO)
		sticktable.CountFailure(&s.Stream)
		s.giveUp(504)
		return
	}
	s.front().FailedReq.Inc()
	s.End = runtime.Termination{Cause: runtime.EndClientTO, State: runtime.InRequest}
	s.giveUp(408)
}
