package engine

import (
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/cache"
	"hapax/runtime/compress"
	"hapax/runtime/h1"
	"hapax/runtime/logger"
	"hapax/runtime/loop"
	"hapax/runtime/message"
	"hapax/runtime/queue"
	"hapax/runtime/spoe"
	"hapax/runtime/sticktable"
	"hapax/runtime/trace"
)

// silent is a log level above all others: nothing is logged.
const silent = 8

// phase is what becomes of bytes that the client sends.
type phase uint8

const (
	readHead phase = iota // they belong to the request's head
	hold                  // they wait: no server yet, or a rule wants to see them
	pass                  // they go to the server
	full                  // the request is complete: they are the next one's
	drop                  // nobody wants them
)

// waiting is what the stream's timer is set for.
type waiting uint8

const (
	forNothing waiting = iota
	forRule            // a rule asked to come back
	forInspect         // tcp-request inspect-delay
	forBody            // http-buffer-request, wait-for-body
	forTarpit
	forQueue
	forConnect // and for the settings of a server that may know WebSocket over HTTP/2
	forRetry   // a moment before the same server is tried again
	forServer  // timeout server, or tunnel
)

// stream is one request and its response, or one TCP connection. It is taken
// out of the worker's free list and put back when it is logged.
type stream struct {
	runtime.Stream
	w     *worker
	c     *client
	link  *link
	fe    *runtime.FrontCounters // its loop's shard of those of its frontend or listener
	be    *runtime.BackCounters  // and of its backend; of the frontend as such, as long as none is chosen
	req   lane
	res   lane
	timer loop.Timer
	waits waiting
	phase phase
	http  bool // the client speaks HTTP
	kills bool // a rule ends the client's connection
	dead  bool // being put back: no step runs

	// The request.
	parser  h1.Parser
	in      *loop.Buffer // the request's head and what came with it; Req.Buf is its memory, or that of
	reqHead *loop.Buffer // where the head went when its body left no room to rewrite it; nil: in
	inEnd   int          // bytes received into in: what is behind was written by rules
	more    *loop.Buffer // received behind in while nothing may be passed on
	extra   *loop.Buffer // did not fit into more: the client is paused then
	replay  *loop.Buffer // copy of what was passed on behind in, to be sent again
	body    *loop.Buffer // decoded body, while rules look at it
	toSrv   flow
	inspect int64 // until when tcp-request content rules may wait; 0: not begun

	// The server.
	avoid       *runtime.Server
	missed      runtime.Termination // why no server was reached so far
	left        *runtime.Server     // that the stream had to leave, until another one is chosen
	counted     *runtime.Server     // that counts this stream in Current and Served
	inBack      bool                // counted in the backend's sessions
	queued      bool
	persist     bool // the server was named by a cookie or use-server: no balancing
	headSent    bool // the request's head went to the server
	replays     bool // the request may be sent again
	srvEnd      error
	linkErr     error // of the last connection that could not be made
	dialed      bool  // a connection to a server was tried
	srvGlitches int   // of the server's connection of HTTP/1
	linkServed  int   // how many requests the server's connection had served before

	// The response.
	out     *loop.Buffer // the response's head and what came with it; Res.Buf is its memory, or that of
	resCopy *loop.Buffer // as reqHead
	resBody *loop.Buffer // its decoded body, while rules look at it
	outAt   int          // next byte of out's body to pass on or decode
	outEnd  int
	toCli   flow
	replied bool // bytes of a response went to the client
	closing bool // the client connection ends with this response
	srvKeep bool // the server connection may be used again
	resEnd  bool // the end of the response came while its rules waited
	tunnel  bool
	early   bool // the response was over before the request

	reqFields, resFields   []message.Field
	steps                  *plan
	prevLive, nextLive     *stream
	nextFree               *stream
	waker                  waker
	ticket                 queue.Ticket
	slot                   *runtime.Server // whose slot the stream holds
	inAt                   int             // next byte of in's body to pass on or decode
	srvWant                h1.Want         // what becomes of the server connection
	resParser              h1.Parser
	resHead                bool         // the response's head is complete
	outMore, outExtra      *loop.Buffer // behind out while rules wait
	cliHeld, srvHeld       bool         // paused: the other side is slower
	cliDone                bool         // a pipe whose client has ended before its server
	cliMoved               int64        // when what is queued for the client was last seen to fall
	cliQueued              int          // what was queued for the client when its timer was set
	switched               bool         // from TCP mode to HTTP, in the middle of the frontend's steps
	draining               bool         // only the client has to take its last bytes
	sendFailed             bool         // the server does not take any more
	reqCounted, resCounted bodyCounts
	valves                 [2]*valve          // by side; nil: none
	sieves                 [2]*sieve          // by side, in TCP mode and tunnels; nil: none
	filtersBegun           [2]int             // by side: how many of its filters have begun
	coders                 [2]*compress.Coder // by side: kept for the next stream that compresses
	offloads               []spoe.Offload     // by agents
	ask                    *ask               // of one of them; nil: none is awaited
	loan                   *loan              // asked for and not yet answered
	lent                   bool               // a loan was answered: there is no use in asking again
	inH1                   bool               // counted among those of HTTP/1 of the client's connection
	begun                  bool               // counted among the streams of the process
	concluded              bool               // counted and logged
	monitored              bool               // the request asks for the monitor-uri: it is not logged
	failedReply            bool               // a reply could not be made: the next is the last
	inStats                bool               // the statistics answer this request
	parts                  runtime.Parts      // makes the rest of the reply's body; nil: there is none
	pull                   loop.Task          // makes some more of it in the next turn
	calls                  uint32             // how often a lane was run
	busy, late             int64              // ns that its lanes ran, and waited in the loop's turn: with profiling.tasks on
	statsRefused           bool               // not let through to the statistics page: logs tell the status as 400, whatever was answered
}

// addedHeaders is how many headers rules may add to a message that came with as many as are allowed.
const addedHeaders = 64

func newStream(w *worker) *stream {
	s := &stream{w: w}
	s.timer.Init(w.loop, s)
	s.reqFields = make([]message.Field, 0, w.cfg.Global.Tune.MaxHdr+addedHeaders)
	s.resFields = make([]message.Field, 0, w.cfg.Global.Tune.MaxHdr+addedHeaders)
	s.URI = make([]byte, 0, 128)
	s.waker.init(s)
	s.pull.Init(s)
	limits := &w.cfg.VarLimits
	s.TxnVars.Init(sample.TxnScope, limits, nil)
	s.ReqVars.Init(sample.ReqScope, limits, &s.TxnVars)
	s.ResVars.Init(sample.ResScope, limits, &s.TxnVars)
	s.Ctx.Scratch = w.scratch
	s.Ctx.Owner = &s.Stream
	s.Engine = s
	s.Stream.Config = w.cfg
	s.Loop = w.id
	return s
}

// begin fills in what a stream of the client starts with.
func (s *stream) begin(c *client) {
	w := s.w
	s.c = c
	s.ID = w.number(&w.madeStreams)
	sess := c.sess
	s.Session = sess
	s.Front, s.Back = sess.Front, sess.Front
	s.fe, s.be = sess.Counters(w.id), &sess.Front.Live.Back[w.id]
	if s.LogLevel = -1; c.ask != nil {
		s.LogLevel = silent
	}
	s.Retries = -1
	s.StrictMode = true
	s.End = runtime.Termination{Cause: runtime.EndNone, State: runtime.InNone}
	s.FirstRequest = sess.Requests == 0 && c.via == nil // HTTP/2 clients try again what failed
	s.Time = runtime.Timing{Accept: sess.Accepted, AcceptWall: sess.AcceptedWall, Handshake: sess.Handshake}
	s.CookieIn, s.CookieOut = '-', '-'
	s.steps = planOf(sess.Front)

	ctx := &s.Ctx
	ctx.Now = time.Unix(0, w.loop.Wall())
	ctx.Src, ctx.Dst = sess.Client(), sess.Local()
	ctx.Front = sample.Conn{Src: sess.Src, Dst: sess.Dst}
	if sess.TLS != nil {
		ctx.Front.TLS = sess.TLS.Info()
	}
	s.http = sess.Front.Mode == runtime.ModeHTTP || c.http
	if s.http {
		ctx.Front.HTTP = 1
		if c.via != nil {
			ctx.Front.HTTP = 2
		}
	}
	ctx.Vars[sample.ProcScope] = w.cfg.ProcVars
	ctx.Vars[sample.SessScope] = &sess.Vars
	ctx.Vars[sample.TxnScope] = &s.TxnVars
	ctx.Vars[sample.ReqScope], ctx.Vars[sample.ResScope] = &s.ReqVars, nil
}

// reset makes the stream ready for the free list: buffers go back, what keeps
// its memory for the next use is emptied.
func (s *stream) reset() {
	s.timer.Stop()
	for _, b := range [...]**loop.Buffer{&s.in, &s.reqHead, &s.more, &s.extra, &s.replay, &s.body, &s.out, &s.resCopy, &s.resBody, &s.outMore, &s.outExtra} {
		if *b != nil {
			(*b).Release()
			*b = nil
		}
	}
	for i, v := range s.valves {
		if v != nil {
			v.drop()
			s.valves[i] = nil
		}
	}
	for _, x := range [...]*sieve{s.sieves[upload], s.sieves[download], s.toSrv.sieve, s.toCli.sieve} {
		if x != nil {
			x.timer.Remove()
		}
	}
	s.sieves, s.filtersBegun = [2]*sieve{}, [2]int{}
	s.TxnVars.Reset()
	s.ReqVars.Reset()
	s.ResVars.Reset()
	s.forget()
	s.c, s.link = nil, nil
	s.req, s.res = lane{}, lane{}
	s.waits, s.phase, s.dead = forNothing, readHead, false
	s.inEnd, s.outAt, s.outEnd, s.inspect = 0, 0, 0, 0
	s.toSrv.drop()
	s.toCli.drop()
	if x, ok := s.Cache.(*cache.Exchange); ok {
		x.Leave()
	}
	s.avoid, s.left, s.counted, s.slot = nil, nil, nil, nil
	s.missed = runtime.Termination{}
	s.inAt, s.cliQueued = 0, 0
	s.lent = false
	s.reqCounted, s.resCounted = bodyCounts{}, bodyCounts{}
	s.resHead, s.cliHeld, s.srvHeld, s.cliDone = false, false, false, false
	s.early, s.resEnd, s.kills = false, false, false
	s.switched = false
	s.calls, s.busy, s.late = 0, 0, 0
	s.draining, s.sendFailed, s.failedReply, s.inStats, s.statsRefused, s.concluded = false, false, false, false, false, false
	s.begun, s.monitored = false, false
	s.inBack, s.queued, s.persist, s.headSent, s.replays = false, false, false, false, false
	s.replied, s.closing, s.srvKeep, s.tunnel = false, false, false, false
	s.srvEnd, s.linkErr, s.dialed, s.linkServed, s.srvGlitches = nil, nil, false, 0, 0
}

// forget empties the model's part, keeping its memory.
func (s *stream) forget() {
	ctx := &s.Ctx
	ctx.Req, ctx.Res, ctx.ResVersion = nil, nil, ""
	ctx.ReqBody, ctx.ResBody = sample.Body{}, sample.Body{}
	ctx.ReqRaw, ctx.ResRaw = sample.Raw{}, sample.Raw{}
	ctx.Final = false
	ctx.Back = sample.Conn{}
	ctx.ReqCaptures, ctx.ResCaptures = nil, nil
	ctx.Line, ctx.NotHTTP = nil, false
	s.Stream.Reset()
}

// begun by startHTTP: the first bytes of a request came.
func (s *stream) startHTTP(b *loop.Buffer) {
	s.Time.First = s.w.loop.Now()
	s.Time.RequestWall = s.w.loop.Wall() / 1e3
	if s.c.kept {
		// A kept connection: the request's time begins where the previous response ended.
		s.Time.Accept, s.Time.Handshake = s.c.idleSince, s.c.idleSince
		s.Time.AcceptWall = s.Time.RequestWall - (s.Time.First-s.c.idleSince)/1e3
	}
	s.in = b
	s.Req.Reset(b.Data, s.reqFields)
	s.parser.Request(s.requestOptions(), s.w.headLimits())
	s.parse()
}

// startBroken makes a stream without a request, for the log of a connection
// that never sent one.
func (s *stream) startBroken() {
	s.Req.Reset(nil, s.reqFields)
	s.phase = drop
}

// parse reads the request's head as far as it came.
func (s *stream) parse() {
	s.Req.Buf = s.in.Data
	if h1.PrefaceBegins(s.in.Data) && s.mayUpgrade() {
		return // the rest of it is on its way
	}
	if h1.HasPreface(s.in.Data) {
		if s.mayUpgrade() {
			s.upgradeH2()
		} else {
			s.parser.Glitches = 1
			s.badRequest(405) // PRI is no method of HTTP/1
		}
		return
	}
	switch s.parser.Parse(&s.Req) {
	case h1.Complete:
		if s.c.port.inner && !s.c.port.proxied {
			s.Req.Flags |= message.NormalizedURI // servers get the path alone
		}
		s.c.timer.Stop()
		s.c.glitched(s.parser.Glitches)
		s.startRequest()
	case h1.Invalid:
		s.badRequest(s.parser.Status)
	case h1.More:
		// the timer of the client bounds the wait
	}
}

// startRequest runs the steps of a complete head.
func (s *stream) startRequest() {
	w := s.w
	s.inEnd = len(s.in.Data)
	if s.toSrv.dec.Start(&s.Req); s.c.via != nil && s.Req.Flags&message.Bodyless == 0 {
		s.toSrv.dec.StartFramed() // trailers may follow a body of known length
		if s.c.via.whole {
			s.endBody()
		}
	}
	if _, ev := s.toSrv.dec.Check(s.in.Data[s.Req.HeadLen:]); ev == h1.BadBody {
		s.parser.Glitches++
		s.badRequest(400) // nothing of it is passed on
		return
	}
	s.trackGlitches()
	s.Session.Requests++
	s.phase = hold
	s.inAt = int(s.Req.HeadLen)
	s.Method = s.Req.Method
	s.Ctx.Req = &s.Req
	if s.w.traces.Any() {
		s.tellRequest()
	}
	if s.steps.keepsLine {
		s.URI = appendLine(s.URI[:0], &s.Req, w.cfg.Global.Tune.LogURILen)
	}
	if !s.switched {
		s.started()
	}
	s.Ctx.Line = s.URI
	s.BytesIn += headSize(&s.Req)
	s.toSrv.chunkedIn = s.Req.Flags&message.Chunked != 0
	s.viewBody()
	if s.toSrv.dec.Finished() {
		s.phase = full
		if s.w.traces.Any() {
			s.tellRequestEnd()
		}
		untouched := len(s.Req.Buf) == s.inEnd // else the parser wrote behind it already
		s.keepRest()
		if untouched {
			s.in.Data = s.in.Data[:s.Req.HeadLen] // rules have its room for what they write
			s.Req.Buf = s.in.Data
		}
	}
	s.makeCaptures()
	logger.Accepted(&s.Stream)
	if s.switched || !s.steps.inspects {
		s.arrived()
	}
	s.giveRoom(&s.Req, &s.reqHead)
	if s.switched {
		s.req.start(s.steps.after)
	} else {
		s.req.start(s.steps.http)
	}
	s.run(&s.req)
}

// giveRoom moves a head to a buffer of its own when what came of the body leaves less than tune.maxrewrite bytes behind
// it: rules have that much in any case.
func (s *stream) giveRoom(m *message.Message, to **loop.Buffer) {
	reserve := s.w.limits.rewrite
	if cap(m.Buf)-len(m.Buf) >= reserve {
		return
	}
	b := s.w.loop.Buffer()
	if m.MoveTo(b.Data[:0:min(m.Stored()+reserve, cap(b.Data))]) != nil {
		b.Release()
		return
	}
	*to = b
}

// appendLine copies the first line of a request, at most limit bytes of it.
func appendLine(dst []byte, m *message.Message, limit int) []byte {
	for i, word := range [...][]byte{m.MethodName(), m.URI(), m.Version()} {
		if i > 0 && len(dst) < limit {
			dst = append(dst, ' ')
		}
		dst = append(dst, word[:min(len(word), limit-len(dst))]...)
	}
	return dst
}

// viewBody lets rules see the part of the body that came with the head.
func (s *stream) viewBody() {
	ctx := &s.Ctx
	if s.toSrv.dec.Finished() {
		ctx.ReqBody = sample.Body{Complete: true}
		return
	}
	if s.Req.Flags&message.Framed != 0 {
		ctx.ReqBody = sample.Body{Data: s.in.Data[s.Req.HeadLen:s.inEnd], Size: -1}
		return
	}
	if s.Req.Flags&message.Chunked != 0 {
		ctx.ReqBody = sample.Body{Size: -1, Chunks: s.in.Data[s.Req.HeadLen:s.inEnd], Decode: h1.AppendChunks}
		return
	}
	data := s.in.Data[s.Req.HeadLen:s.inEnd]
	if uint64(len(data)) > s.Req.BodyLength {
		data = data[:s.Req.BodyLength]
	}
	ctx.ReqBody = sample.Body{Data: data, Size: int64(s.Req.BodyLength), Complete: uint64(len(data)) == s.Req.BodyLength}
}

// requestOptions are the parser's.
func (s *stream) requestOptions() h1.Options {
	var o h1.Options
	if s.Front.Options&runtime.OptAcceptUnsafeRequest != 0 {
		o |= h1.AcceptUnsafe
	}
	return o | s.w.engine.h1Options
}

// headLimits bound a message head.
func (w *worker) headLimits() h1.Limits {
	return h1.Limits{Buffer: w.limits.buffer, Rewrite: w.limits.rewrite, Headers: w.cfg.Global.Tune.MaxHdr}
}

// conclude counts and logs the stream, once.
func (s *stream) conclude() {
	if s.concluded {
		return
	}
	s.concluded = true
	s.endFilters(upload)
	s.endFilters(download)
	s.Time.Close = s.w.loop.Now()
	s.countBytes()
	if s.End.Cause != runtime.EndNone && s.End.Cause != runtime.EndLocal {
		s.trace(trace.StreamErr, trace.Error, "stream ended with an error")
	}
	s.account()
	sticktable.CountBytes(&s.Stream, s.BytesIn, s.ResFromServer)
	s.leaveCounts()
	s.log()
}

// finish ends the stream: it is counted, logged and put back, and its
// connections go on or end.
func (s *stream) finish() {
	if s.dead {
		return
	}
	s.dead, s.parts = true, nil
	if s.inStats {
		s.trace(trace.AppletRelease, trace.State, "the statistics have answered")
	}
	s.endH1()
	if s.begun {
		s.counts().Ended.Inc()
	}
	w, c := s.w, s.c
	s.leaveQueue()
	s.forgo()
	s.leaveAgents()
	s.conclude()
	s.trackGlitches() // those of what was refused
	sticktable.Leave(&s.Stream)
	s.releaseServer()
	keep := !s.closing && !c.closed && s.toCli.done && s.phase == full && !s.tunnel
	abort := s.Drop
	if abort && !c.closed {
		vanish(c.sock.Fd(), c.sess.Src.Addr(), s.DropTTL)
	}
	c.st = nil
	if keep && c.via == nil {
		c.idleSince = w.loop.Now()
	}
	w.bury(s)
	if c.via != nil {
		c.via.finish(s)
		return
	}
	switch {
	case c.closed:
	case keep:
		c.again()
	case abort:
		c.abort()
	default:
		c.close(linger)
	}
}
