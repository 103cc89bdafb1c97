package engine

import (
	"strconv"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
)

// errorReply is the reply for a status: what the backend, then the frontend
// set by errorfile and its kin, else the built-in one (nil).
func (s *stream) errorReply(status int) *runtime.Reply {
	s.Status = status
	if s.inBack {
		if r := s.Back.Errors[status]; r != nil {
			return r
		}
	}
	return s.Front.Errors[status]
}

// reply is r, or the reply for a status when a rule gave none.
func (s *stream) reply(r *runtime.Reply, status int) *runtime.Reply {
	if r == nil {
		return s.errorReply(status)
	}
	s.Status = r.Status
	return r
}

// answerWith makes r, or the built-in reply for s.Status when r is nil, the
// stream's response and sends it.
func (s *stream) answerWith(r *runtime.Reply) outcome {
	s.Internal = true
	s.trace(trace.StreamHTTP, trace.State, "answering in the place of a server")
	if r != nil && r.Kind != runtime.ReplyError {
		s.Status = r.Status // an error keeps the status that it stands for, whatever its file says
	}
	if s.replied {
		// Bytes of a response went out: nothing can be said any more.
		s.closing = true
		s.finish()
		return end
	}
	if s.resHead && s.Ctx.ResVersion == "" {
		s.Ctx.ResVersion = s.Res.VersionNumber()
	}
	announced := s.Ctx.ResBody.Announced()
	s.beginReply()
	s.parts = nil
	base := r
	if r != nil && r.Default {
		base = s.errorReply(r.Status)
	}
	if base != nil && base.Raw != nil && len(base.Raw) == 0 {
		return s.cut() // an empty file answers nothing
	}
	body, err := s.fillReply(base)
	s.endRequestVars()
	if err == nil && r != nil {
		err = s.addFixed(r)
	}
	if err == nil {
		s.Ctx.Res = &s.Res
		s.Ctx.ResBody = sample.Body{Data: body, Size: announced, Complete: s.parts == nil, Own: true}
		s.captureReply()
		if s.served() {
			s.Ctx.ResVersion = s.Req.VersionNumber()
			s.chooseServiceCoding(int64(len(body)))
		}
		if !s.runAfterReply() {
			s.front().InternalErr.Inc()
			s.setEnd(runtime.EndInternal)
			if s.Status == 500 && r == nil {
				return s.cut() // a rule that fails on this reply too
			}
			return s.answerAgain()
		}
	} else {
		if s.Status == 500 && r == nil {
			return s.cut()
		}
		return s.answerAgain()
	}
	s.Ctx.ResVersion = s.Req.VersionNumber()
	if s.End.Cause == runtime.EndLocal && s.Time.Request == 0 {
		s.requestSeen() // a rule answers: its reply has been made, in sight of further rules
	}
	s.sendReply(body)
	return answer
}

// beginReply makes s.Res an empty message in s.out.
func (s *stream) beginReply() {
	if s.out == nil {
		s.out = s.w.loop.Buffer()
	}
	s.out.Reset()
	s.Res.Reset(s.out.Data, s.resFields)
	s.toSrv.sieve, s.toCli.sieve = nil, nil // filters see no answers of the program's own
}

// runAfterReply runs the http-after-response rules on a reply. A rule that makes one is not over before that.
func (s *stream) runAfterReply() bool {
	if s.End.Cause != runtime.EndLocal {
		return s.runAfter()
	}
	last := s.LastRule
	s.LastRule = nil
	ok := s.runAfter()
	s.LastRule = last
	return ok
}

// answerAgain answers 500 in place of a reply that could not be made, once.
func (s *stream) answerAgain() outcome {
	if s.failedReply {
		return s.cut()
	}
	s.failedReply = true
	return s.answerWith(s.errorReply(500))
}

// fillReply writes the head of a reply into s.Res and returns its body.
func (s *stream) fillReply(r *runtime.Reply) ([]byte, error) {
	m := &s.Res
	method := s.Method
	switch {
	case r == nil:
		std := h1.ReplyFor(s.Status)
		return []byte(std.Body), std.Fill(m, method)
	case r.Raw != nil:
		return s.parseRaw(r.Raw)
	}
	body := r.Body
	if r.Format != nil { // it sees no message: a response that it stands for is gone by now
		s.Ctx.Scratch.Reset()
		body = r.Format.Append(s.w.page[:0], &s.Ctx)
		s.w.page = body
	}
	reason := r.Reason
	if reason == "" {
		reason = message.ReasonOf(r.Status)
	}
	if err := m.SetStatusLine("HTTP/1.1", r.Status, reason); err != nil {
		return nil, err
	}
	m.Method = method
	m.Flags |= message.Version11 | message.LengthKnown | message.ContentLength
	switch {
	case r.Chunked:
		m.Flags = m.Flags&^message.ContentLength | message.TransferEncoding | message.Chunked
	case r.Parts != nil:
		m.Flags &^= message.ContentLength | message.LengthKnown
	}
	if method == message.HEAD {
		m.Flags |= message.BodylessResponse
	}
	if r.Compose != nil {
		return nil, r.Compose(&s.Stream, m)
	}
	m.BodyLength = uint64(len(body))
	if err := s.addFormatted(r); err != nil {
		return nil, err
	}
	if r.Parts != nil {
		if method != message.HEAD {
			s.parts = r.Parts
		}
		return nil, nil
	}
	var number [20]byte
	if err := m.Add("content-length", strconv.AppendInt(number[:0], int64(len(body)), 10)); err != nil {
		return nil, err
	}
	if r.Type == "" || len(body) == 0 {
		return body, nil
	}
	return body, m.AddString("content-type", r.Type)
}

// addFormatted adds the headers of a reply that are formats; one without a value is left out.
func (s *stream) addFormatted(r *runtime.Reply) error {
	for i := range r.Headers {
		h := &r.Headers[i]
		s.Ctx.Scratch.Reset()
		s.w.line = h.Value.Append(s.w.line[:0], &s.Ctx)
		if len(s.w.line) == 0 {
			continue
		}
		if err := s.Res.Add(h.Name, s.w.line); err != nil {
			return err
		}
	}
	for _, h := range r.Lines {
		if err := s.Res.AddString(h[0], h[1]); err != nil {
			return err
		}
	}
	return nil
}

// addFixed adds the headers that a reply has beside those of its base. A base that has one of them, as an errorfile
// may, gives it up.
func (s *stream) addFixed(r *runtime.Reply) error {
	for _, h := range r.Fixed {
		s.Res.RemoveAll(h[0])
		if err := s.Res.AddString(h[0], h[1]); err != nil {
			return err
		}
	}
	return nil
}

// parseRaw reads an errorfile: a whole response, head and body.
func (s *stream) parseRaw(raw []byte) ([]byte, error) {
	m := &s.Res
	s.out.Data = append(s.out.Data, raw[:min(len(raw), cap(s.out.Data))]...)
	m.Reset(s.out.Data, s.resFields)
	var p h1.Parser
	limits := s.w.headLimits()
	limits.Rewrite = 0
	p.Response(message.GET, h1.Stored, limits) // only its length tells where it ends, whatever was asked for
	if p.Parse(m) != h1.Complete {
		return nil, errBadReply
	}
	m.Method = s.Method
	if s.Method == message.HEAD {
		m.Flags |= message.BodylessResponse
	}
	return raw[m.HeadLen:], nil
}

// captureReply fills the response captures with what a service answers. Other own replies have no captures: what a
// server said before stays.
func (s *stream) captureReply() {
	if s.Service != "" && !s.statsRefused {
		capture(&s.Res, s.Front.Capture.Res, s.ResCaps)
	}
}

// sendReply sends the head in s.Res and a body, and ends the stream, unless there are parts of the body to follow.
func (s *stream) sendReply(body []byte) {
	c, f := s.c, &s.toCli
	if s.served() {
		s.codeResponse()
	}
	out, err := s.encodeHead(s.parts == nil && (len(body) == 0 || s.Method == message.HEAD))
	if err != nil {
		s.cut()
		return
	}
	size := headSize(&s.Res)
	s.BytesOut += size
	if s.served() {
		s.ResFromServer += size
	} else {
		s.BytesOut += size // the reference counts its own replies when it makes them and when it sends them
		if !f.skip {
			s.BytesOut += int64(len(body))
		}
	}
	s.replied = true
	s.countStatus(s.Status)
	if s.statsRefused {
		s.Status = 400
	}
	switch {
	case s.requestCut():
		s.parts = nil
		if out != nil {
			out.Release() // nobody is told
		}
	case f.skip:
		s.parts = nil
		flush(&c.sock, out)
	case s.parts != nil:
		flush(&c.sock, out)
		if s.phase == full {
			s.listen() // to notice a client that leaves
		}
		s.giveParts()
		return
	default:
		s.sendPart(out, body)
	}
	s.replyDone()
}

// replyDone ends a reply of which all is on its way to the client.
func (s *stream) replyDone() {
	if to := s.toCli.to; to != nil {
		to.SendEnd(nil)
	}
	s.toCli.done = true
	s.dropServer()
	s.skipRequest()
}

// skipRequest skips what was received of a request that is answered here, and what
// is still to come: the connection can be kept when the request is complete.
func (s *stream) skipRequest() {
	switch s.phase {
	case full:
		s.requestDone()
		return
	case hold, pass:
	default:
		s.finishLater()
		return
	}
	s.stopWaiting()
	s.replays = false
	s.phase = pass
	if s.toSrv.dec.Finished() {
		s.requestDone()
		return
	}
	if head := (*loop.Buffer)(nil); s.passHeldBody(&head) {
		return
	}
	if s.c.end != nil || s.c.via != nil {
		s.finishLater()
		return
	}
	s.skipRest()
}

// badRequest answers what the parser refused.
func (s *stream) badRequest(status int) {
	s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InRequest}
	if s.w.traces.Any() {
		s.tellBadRequest()
	}
	s.c.glitched(1)
	if s.parser.ErrPos >= 0 {
		s.Front.Live.BadRequest.Store(s.captureBad(nil, &s.Req, &s.parser))
	}
	s.refuseRequest(status)
}

// captureBad keeps a message that broke its protocol for "show errors".
func (s *stream) captureBad(other *runtime.Proxy, m *message.Message, p *h1.Parser) *runtime.Capture {
	c := &runtime.Capture{
		When: time.Unix(0, s.w.loop.Wall()), Event: s.w.cfg.Stats.Captures.Load(), Other: other, Server: s.Chosen(), Src: s.Session.Src,
		Text: append([]byte(nil), m.Buf...), Size: s.w.limits.buffer, At: p.ErrPos, State: p.ErrState.String(),
	}
	s.w.cfg.Stats.Captures.Inc()
	return c
}

// refuseRequest ends a stream that has no valid request, which counts as one all the same: the answer is the
// parser's, which no rule touches. A client that left by a reset is told nothing.
func (s *stream) refuseRequest(status int) {
	s.countHTTP()
	s.countRate()
	if s.c.via != nil || s.LogLevel != silent && logger.Writes(s.Front) {
		s.counts().Reqs.Inc() // of HTTP/1 only a line in the logs makes it a request of the process
	}
	s.front().FailedReq.Inc()
	sticktable.CountInvalid(s.Session, status != 408 && status != 501)
	s.phase = drop
	s.Status = status
	if !s.c.killed && (s.c.end == nil || eof(s.c.end)) {
		s.sendRaw(status)
	}
	s.closing = true
	s.toCli.done = true
	s.finish()
}

// sendRaw sends an error page as it is.
func (s *stream) sendRaw(status int) {
	raw := []byte(h1.ReplyFor(status).Raw)
	if r := s.Front.Errors[status]; r != nil && r.Raw != nil {
		raw = r.Raw
	}
	switch {
	case len(raw) == 0:
	case s.c.via != nil:
		s.sendRawFramed(raw)
	default:
		s.c.sock.SendStatic(raw)
	}
}

// sendRawFramed sends an error page over HTTP/2.
func (s *stream) sendRawFramed(raw []byte) {
	s.beginReply()
	body, err := s.parseRaw(raw)
	if err != nil {
		return
	}
	if _, err := s.encodeHead(len(body) == 0); err != nil {
		return
	}
	s.replied = true
	s.c.sock.SendStatic(body)
	s.toCli.to.SendEnd(nil)
}
