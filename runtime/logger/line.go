package logger

import (
	"net/netip"
	"strconv"
	"time"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
)

// silent is Stream.LogLevel of a stream that is not to be logged.
const silent = 8

// Moments at which a line may be written, and how %OG names them.
const (
	stepUnknown = iota
	stepAccept
	stepRequest
	stepConnect
	stepResponse
	stepClose
	stepError
	stepKilled
	stepRule // of "do-log", and those behind it: by the place of the rule, as origins has them
)

var stepNames = append([]string{"unspec", "txn_accept", "txn_request", "txn_connect", "txn_response", "txn_close", "sess_error", "sess_killed"}, origins...)

// planOf gives the plan of the stream's frontend, nil when it has no targets.
func planOf(s *runtime.Stream) *plan {
	p, _ := s.Front.Logger.(*plan)
	if p == nil || len(p.targets) == 0 {
		return nil
	}
	return p
}

// Writes tells whether the connections of a frontend are logged anywhere.
func Writes(px *runtime.Proxy) bool {
	p, _ := px.Logger.(*plan)
	return p != nil && len(p.targets) > 0
}

// hasLine tells whether streams are logged by a format.
func (p *plan) hasLine() bool { return p.format != nil && !p.format.Empty() }

// needs is what the formats of a frontend need, those of its rules included. Lines that "log-steps" would have written without
// "option logasap" wait for everything, and never see it all.
func needs(px *runtime.Proxy) logformat.Need {
	if px.LogSteps != 0 && !stepped(px) {
		return ^logformat.Need(0)
	}
	return px.FormatNeeds.In(px.Mode == runtime.ModeHTTP)
}

// stepped tells whether a frontend is logged at the steps that "log-steps" names: "option logasap" takes that back.
func stepped(px *runtime.Proxy) bool {
	return px.LogSteps != 0 && px.Options&runtime.OptLogAsap == 0
}

// KeepsLine tells whether streams of a frontend keep the line of a request: for formats that need it, and with "log-steps"
// only for what is written when it was read.
func KeepsLine(px *runtime.Proxy) bool {
	if stepped(px) {
		return px.LogSteps&(1<<stepRequest) != 0
	}
	return needs(px)&logformat.NeedRequest != 0
}

// KeepsHeaders tells whether the captured headers of a message are kept: with "log-steps", as long as nothing was written.
func KeepsHeaders(s *runtime.Stream) bool {
	p := planOf(s)
	return p == nil || p.steps == 0 || s.LogWait != 0
}

// Accepted is called when a stream begins, which each request of a connection does.
// A proxy with targets and no format announces it.
func Accepted(s *runtime.Stream) {
	p := planOf(s)
	if p == nil || s.LogLevel == silent {
		return
	}
	line, read, req := s.URI, s.Time.Request, s.Ctx.Req
	s.URI, s.Time.Request, s.Ctx.Req = line[:0], 0, nil // nothing was read when the connection came
	switch {
	case p.steps != 0:
		s.LogWait = ^uint16(0)
		p.step(s, stepAccept)
	case !p.hasLine():
		p.announce(s)
	default:
		s.LogWait = uint16(p.wait)
		p.known(s, logformat.NeedClientIP, stepAccept)
	}
	s.URI, s.Time.Request, s.Ctx.Req = line, read, req
}

// Requested is called when the head of a request has been read.
func Requested(s *runtime.Stream) {
	switch p := planOf(s); {
	case p == nil:
	case p.steps != 0:
		p.step(s, stepRequest)
	case p.hasLine():
		p.known(s, logformat.NeedRequest, stepRequest)
	}
}

// Reached is called in HTTP mode when the connection to the server stands.
func Reached(s *runtime.Stream) {
	if p := planOf(s); p != nil && p.steps != 0 {
		p.step(s, stepConnect)
	}
}

// step writes a line for one of the steps of "log-steps". Times go up to now once a server was reached, else there is no
// total yet.
func (p *plan) step(s *runtime.Stream, step uint8) {
	if p.steps&(1<<step) == 0 {
		return
	}
	end, counts := s.Time.Close, takeCounts(s)
	switch step {
	case stepConnect:
		s.Time.Close = s.Time.Connect
	case stepClose:
		counts.give(s)
	case stepResponse:
		s.Time.Close = s.Time.Response
		s.ResFromServer = forwarded(s)
	}
	p.write(s, step)
	s.Time.Close = end
	counts.give(s)
}

// known notes what is known now, and writes the line when nothing else is waited for.
func (p *plan) known(s *runtime.Stream, what logformat.Need, step uint8) {
	wait := logformat.Need(s.LogWait)
	if wait&what == 0 {
		return
	}
	wait &^= what | logformat.NeedInit
	s.LogWait = uint16(wait)
	if wait == 0 {
		p.write(s, step)
	}
}

// Connected is called in TCP mode when the connection to the server stands, Responded in
// HTTP mode when the head of the response is about to be forwarded. A line that does not
// wait for the bytes to be counted ("option logasap") is written then; as on the
// reference also one that the request alone has made complete before.
func Connected(s *runtime.Stream) { early(s, stepConnect, s.Time.Connect) }

// Responded: see Connected.
func Responded(s *runtime.Stream) {
	s.LogWait &^= uint16(logformat.NeedResponse)
	early(s, stepResponse, s.Time.Response)
}

func early(s *runtime.Stream, step uint8, now int64) {
	p := planOf(s)
	if p != nil && p.steps != 0 {
		p.step(s, step)
		return
	}
	if p == nil || !p.hasLine() || logformat.Need(s.LogWait)&logformat.NeedBytes != 0 {
		return
	}
	end, counts := s.Time.Close, takeCounts(s)
	s.Time.Close = now
	if step == stepResponse {
		s.ResFromServer = forwarded(s)
	}
	p.write(s, step)
	s.Time.Close = end
	counts.give(s)
}

// forwarded is how many bytes of a response count as read when its head is about to be
// forwarded: the reference counts those of its own form of the message, whose start line
// takes 20 bytes beside its words and whose end of the headers takes one, and what of the
// body came with it.
func forwarded(s *runtime.Stream) int64 {
	m := &s.Res
	b := &s.Ctx.ResBody
	n := int64(20 + 1)
	if len(b.Chunks) > 0 {
		n += int64(len(b.Decode(s.Ctx.Scratch.Room(), b.Chunks)))
		if b.Complete {
			n++ // its end takes a byte of its own
		}
	} else {
		n += int64(len(b.Data))
	}
	for _, word := range m.Line {
		n += int64(word.Len)
	}
	for i := range m.Fields {
		n += int64(m.Fields[i].Name.Len + m.Fields[i].Value.Len)
	}
	return n
}

// Log is called at the end of each stream, and writes the line unless it is written.
// A stream of an HTTP proxy without a request line stands for a request that could not
// be read: it has a format of its own ("error-log-format").
func Log(s *runtime.Stream) {
	p := planOf(s)
	if p == nil || s.Front.Options&runtime.OptDontLogNull != 0 && nothing(s) {
		return
	}
	status := s.Res.Status
	if b := &s.Ctx.ResBody; b.Own || !b.Complete || b.Size != 0 {
		s.Res.Status = 0 // the body has pushed it out
	}
	switch {
	case unread(s):
		p.refused(s)
	case p.steps != 0:
		p.step(s, stepClose)
	case p.hasLine() && s.LogWait != 0:
		p.write(s, stepClose)
	}
	s.Res.Status = status
}

// Refuse writes the line of a connection whose client broke the protocol beside any request, be it by its silence.
func Refuse(s *runtime.Stream) {
	if p := planOf(s); p != nil {
		p.refused(s)
	}
}

// nothing tells that the client has sent nothing, not even a part of a request.
func nothing(s *runtime.Stream) bool {
	return s.BytesIn == 0 && (s.Front.Mode != runtime.ModeHTTP || s.Time.First == 0)
}

// unread tells that a stream stands for a request that could not be read. One that rules on the content of the connection
// have refused was not looked at, and has no status.
func unread(s *runtime.Stream) bool {
	return s.Front.Mode == runtime.ModeHTTP && len(s.URI) == 0 && s.Ctx.Req == nil && s.Status >= 0
}

// write builds the line of a stream and sends it.
func (p *plan) write(s *runtime.Stream, step uint8) {
	failed := Failed(s)
	opt := s.Front.Options
	if !failed && opt&runtime.OptDontLogNormal != 0 {
		return // what fails later is written all the same
	}
	s.LogWait = 0
	level := int(s.LogLevel)
	switch {
	case level == silent:
		return
	case level >= 0:
	case failed && opt&runtime.OptLogSeparateErrors != 0:
		level = Err
	default:
		level = Info
	}
	p.line(s, p.format, level, step, nil)
}

// now is "do-log", at a step that it stands for.
func (p *plan) now(s *runtime.Stream, step uint8, profile *runtime.LogProfile) {
	level := int(s.LogLevel)
	switch {
	case level == silent:
		return
	case level < 0:
		level = Info
	}
	at, final := s.Ctx.Checkpoint, s.Ctx.Final
	times, cause, status, captured := s.Time, s.End, s.Status, s.ResCaps
	counts := takeCounts(s)
	switch {
	case step == stepOfRules(runtime.TCPResRules) && s.Front.Mode == runtime.ModeHTTP:
		s.Time.Response, s.Status, s.ResCaps = 0, 0, nil // the response has not been looked at
	case step == stepOfRules(runtime.TCPConnRules), step == stepOfRules(runtime.TCPSessRules):
		s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InRequest} // as of connections that get no further
	}
	p.line(s, p.format, level, step, profile)
	s.Ctx.Checkpoint, s.Ctx.Final = at, final
	s.Time, s.End, s.Status, s.ResCaps = times, cause, status, captured
	counts.give(s)
}

// counts are the numbers of bytes of a stream, which logs know at its end only.
type counts [4]int64

func takeCounts(s *runtime.Stream) counts {
	c := counts{s.BytesIn, s.BytesOut, s.ReqToServer, s.ResFromServer}
	counts{}.give(s)
	return c
}

func (c counts) give(s *runtime.Stream) {
	s.BytesIn, s.BytesOut, s.ReqToServer, s.ResFromServer = c[0], c[1], c[2], c[3]
}

// Failed tells whether a stream counts as an error for logs.
func Failed(s *runtime.Stream) bool {
	switch s.End.Cause {
	case runtime.EndNone:
		if s.RetriesDone > 0 {
			return true
		}
	case runtime.EndLocal:
	default:
		return true
	}
	return s.Redispatched || s.Front.Mode == runtime.ModeHTTP && s.Status >= 500
}

// refused writes the line of what never became a request.
func (p *plan) refused(s *runtime.Stream) {
	f := p.failed
	if f == nil || f.Empty() {
		f = p.format
	}
	if p.steps == 0 && (f == nil || f.Empty()) || s.LogLevel == silent {
		return
	}
	p.line(s, f, p.errorLevel(s.Front), stepError, nil)
}

func (p *plan) errorLevel(px *runtime.Proxy) int {
	if px.Options&runtime.OptLogSeparateErrors != 0 {
		return Err
	}
	return Info
}

// line evaluates a format on a stream.
// profile is that of "do-log", nil otherwise.
func (p *plan) line(s *runtime.Stream, f *logformat.Format, level int, step uint8, profile *runtime.LogProfile) {
	w := scribeOf(s)
	if w == nil {
		return
	}
	s.LogStep = step
	s.Ctx.Checkpoint, s.Ctx.Final = sample.LogEnd, true
	if step == stepError {
		s.Ctx.Checkpoint = sample.FrontSession // what is no request has no stream that fetches could ask
	}
	w.line = w.line[:0]
	if f != nil {
		w.line = f.Append(w.line, &s.Ctx)
	}
	n := len(w.line)
	if p.sd != nil {
		w.line = p.sd.Append(w.line, &s.Ctx)
	}
	if step < stepRule {
		s.Front.Live.Front[s.Loop].Logged.Inc()
	}
	p.send(w, level, wall(s), w.line[n:], w.line[:n], s, profile)
}

// wall is the wall clock in µs at the end of a stream, told from its own times.
func wall(s *runtime.Stream) int64 {
	if s.Time.Close > s.Time.Accept {
		return s.Time.AcceptWall + (s.Time.Close-s.Time.Accept)/1e3
	}
	return time.Now().UnixMicro()
}

// announce writes that a connection came.
func (p *plan) announce(s *runtime.Stream) {
	w := scribeOf(s)
	if w == nil {
		return
	}
	mode := "TCP"
	if s.Front.Mode == runtime.ModeHTTP {
		mode = "HTTP"
	}
	b := w.line[:0]
	if s.Session.Unix {
		b = append(b, "Connect to unix:"...)
		b = strconv.AppendInt(b, int64(s.Session.Listener.ID), 10)
	} else {
		b = appendPeer(append(b, "Connect from "...), s.Ctx.Src)
		b = appendPeer(append(b, " to "...), s.Ctx.Dst)
	}
	b = append(append(b, " ("...), s.Front.Name...)
	b = append(append(append(b, '/'), mode...), ')')
	w.line = b
	p.send(w, Info, time.Now().UnixMicro(), nil, b, nil, nil)
}

// appendPeer appends an address and a port, without brackets.
func appendPeer(b []byte, a netip.AddrPort) []byte {
	b = append(a.Addr().AppendTo(b), ':')
	return strconv.AppendInt(b, int64(a.Port()), 10)
}

// Connect logs a connection that ended before there was a stream: its handshake failed.
// It is called on the loop of the session.
func Connect(sess *runtime.Session, err error) {
	p, _ := sess.Front.Logger.(*plan)
	if p == nil || len(p.targets) == 0 || int(sess.Loop) >= len(p.logger.loops) {
		return
	}
	w := p.logger.loops[sess.Loop]
	level := p.errorLevel(sess.Front)
	now := time.Now().UnixMicro()
	if f := p.failed; f != nil && !f.Empty() {
		sess.Failure = err
		s := &w.spare
		s.Session, s.Front, s.Back = sess, sess.Front, sess.Front
		s.Ctx.Owner, s.Ctx.Scratch = s, w.scratch
		s.Ctx.Src, s.Ctx.Dst = sess.Client(), sess.Local()
		s.Ctx.Front = sample.Conn{Src: sess.Src, Dst: sess.Dst}
		if sess.TLS != nil {
			s.Ctx.Front.TLS = sess.TLS.Info()
		}
		s.Ctx.Vars[sample.ProcScope], s.Ctx.Vars[sample.SessScope] = s.Config.ProcVars, &sess.Vars
		s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InRequest}
		s.Time = runtime.Timing{Accept: sess.Accepted, AcceptWall: sess.AcceptedWall}
		s.Time.Close = sess.Accepted + (now-sess.AcceptedWall)*1e3
		s.Time.Handshake = s.Time.Close
		p.line(s, f, level, stepKilled, nil)
		s.Session = nil
		return
	}
	b := w.line[:0]
	switch client := sess.Client(); {
	case sess.Unix:
		b = append(b, "unix:"...)
		b = strconv.AppendInt(b, int64(sess.Listener.ID), 10)
	case client.IsValid():
		b = appendPeer(b, client)
	default:
		b = append(b, "unknown"...)
	}
	b = w.dates.milli(append(b, " ["...), sess.AcceptedWall)
	b = append(append(append(b, "] "...), sess.Front.Name...), '/')
	if sess.Listener.Name != "" {
		b = append(b, sess.Listener.Name...)
	} else {
		b = strconv.AppendInt(b, int64(sess.Listener.ID), 10)
	}
	b = append(append(b, ": "...), err.Error()...)
	w.line = b
	sess.Front.Live.Front[sess.Loop].Logged.Inc()
	p.send(w, level, now, nil, b, nil, nil)
}
