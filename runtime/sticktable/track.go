package sticktable

import (
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
)

// Accepted counts a session whose rules let it in, in what they track.
func Accepted(sess *runtime.Session) {
	if sess.Tracked == nil {
		return
	}
	for _, t := range *sess.Tracked {
		if t.Entry.Table() == nil {
			continue
		}
		e := t.Entry.Lock()
		e.Add(table.SessCnt, 0, 1)
		e.Add(table.SessRate, 0, 1)
		e.Unlock()
	}
}

// CountRequest counts a request in what is tracked so far, CountError one that the client is to blame for, and
// CountFailure one that the server is.
func CountRequest(s *runtime.Stream) { count(s, table.HTTPReqCnt, table.HTTPReqRate, 1) }
func CountError(s *runtime.Stream)   { count(s, table.HTTPErrCnt, table.HTTPErrRate, 1) }
func CountFailure(s *runtime.Stream) { count(s, table.HTTPFailCnt, table.HTTPFailRate, 1) }

// CountStatus counts the answer of a server by its status.
func CountStatus(s *runtime.Stream, status int) {
	if g := &s.Config.Global; tracks(s) {
		if g.ErrCodes.Has(status) {
			CountError(s)
		}
		if g.FailCodes.Has(status) {
			CountFailure(s)
		}
	}
}

// CountInvalid counts what the client sent in the place of a request, in what its session tracks.
func CountInvalid(sess *runtime.Session, mistake bool) {
	if sess.Tracked == nil {
		return
	}
	for _, t := range *sess.Tracked {
		add(t.Entry, table.HTTPReqCnt, table.HTTPReqRate, 1)
		if mistake {
			add(t.Entry, table.HTTPErrCnt, table.HTTPErrRate, 1)
		}
	}
}

// CountBackRequest counts a request in what content rules of the backend track.
func CountBackRequest(s *runtime.Stream) {
	for i := range s.Tracked {
		if s.Tracked[i].Back {
			add(s.Tracked[i].Entry, table.HTTPReqCnt, table.HTTPReqRate, 1)
		}
	}
}

// CountBytes counts what came from the client and from the server.
func CountBytes(s *runtime.Stream, in, out int64) {
	if !tracks(s) {
		return
	}
	if in > 0 {
		count(s, table.BytesInCnt, table.BytesInRate, uint64(in))
	}
	if out > 0 {
		count(s, table.BytesOutCnt, table.BytesOutRate, uint64(out))
	}
}

// CountGlitches counts oddities of the client's connection.
func CountGlitches(sess *runtime.Session, n int) {
	if sess.Tracked == nil || n == 0 {
		return
	}
	for _, t := range *sess.Tracked {
		add(t.Entry, table.GlitchCnt, table.GlitchRate, uint64(n))
	}
}

// Leave gives up what a stream tracks and what it was to store.
func Leave(s *runtime.Stream) {
	if len(s.Tracked) > 0 {
		leave(s.Tracked)
		s.Tracked = s.Tracked[:0]
	}
	for i := range s.Stored {
		s.Stored[i].Table.Unreserve()
	}
	s.Stored = s.Stored[:0]
}

// LeaveSession gives up what a session tracks.
func LeaveSession(sess *runtime.Session) {
	if sess.Tracked != nil {
		leave(*sess.Tracked)
	}
}

func leave(trackers []runtime.Tracker) {
	for i := range trackers {
		if trackers[i].Entry.Table() == nil {
			continue
		}
		e := trackers[i].Entry.Lock()
		if now, ok := e.Get(table.ConnCur, 0); ok {
			e.Set(table.ConnCur, 0, max(now-1, 0))
			e.Touch()
		}
		e.Drop()
		e.Unlock()
		trackers[i] = runtime.Tracker{}
	}
}

// tracks tells whether the stream or its session may track anything.
func tracks(s *runtime.Stream) bool { return len(s.Tracked) > 0 || s.Session.Tracked != nil }

// tracked is what the stream tracks under a number: its own, else its session's.
func tracked(s *runtime.Stream, n int) table.Ref {
	if n < len(s.Tracked) && s.Tracked[n].Entry.Table() != nil {
		return s.Tracked[n].Entry
	}
	if of := s.Session.Tracked; of != nil && n < len(*of) {
		return (*of)[n].Entry
	}
	return table.Ref{}
}

// count adds to all that the stream tracks.
func count(s *runtime.Stream, total, rate table.Data, n uint64) {
	if !tracks(s) {
		return
	}
	for i := range s.Config.Global.Tune.StickCounters {
		add(tracked(s, i), total, rate, n)
	}
}

func add(r table.Ref, total, rate table.Data, n uint64) {
	if r.Table() == nil {
		return
	}
	e := r.Lock()
	_, counted := e.Add(total, 0, n)
	_, rated := e.Add(rate, 0, n)
	if counted || rated {
		e.Touch()
	}
	e.Unlock()
}

// tracker is an action that begins to track.
type tracker struct {
	number int
	key    *sample.Expr
	table  *table.Table
}

// key evaluates an expression as a key of a table. later is true when there may be one once more data is there.
func key(ctx *sample.Context, e *sample.Expr, t *table.Table, room *[16]byte) (k []byte, ok, later bool) {
	v := ctx.Scratch.Borrow()
	ok = e.Eval(ctx, v)
	if v.Flags&sample.MayChange != 0 {
		ok, later = false, true
	}
	if ok {
		k, ok = t.KeyOf(ctx, v, room)
	}
	ctx.Scratch.Return()
	return k, ok, later
}

// Hold finds or makes the entry of a key and keeps it in the table until Drop is called. It reports false when there is
// no key, or no room for the entry. What is there of a key counts, even if more of it may come.
func Hold(ctx *sample.Context, e *sample.Expr, t *table.Table) (table.Ref, bool) {
	var room [16]byte
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	if !e.Eval(ctx, v) {
		return table.Ref{}, false
	}
	k, ok := t.KeyOf(ctx, v, &room)
	if !ok {
		return table.Ref{}, false
	}
	entry, ok := t.Make(k)
	if !ok {
		return table.Ref{}, false
	}
	defer entry.Unlock()
	return entry.Hold(), true
}

// ofConnection tracks for the whole connection.
func (r *tracker) ofConnection(s *runtime.Stream) runtime.Verdict {
	var room [16]byte
	sess := s.Session
	if sess.Tracked != nil && (*sess.Tracked)[r.number].Entry.Table() != nil {
		return runtime.Continue
	}
	k, ok, _ := key(&s.Ctx, r.key, r.table, &room)
	if !ok {
		return runtime.Continue
	}
	if e, ok := r.table.Make(k); ok {
		if sess.Tracked == nil {
			all := make([]runtime.Tracker, s.Config.Global.Tune.StickCounters)
			sess.Tracked = &all
		}
		(*sess.Tracked)[r.number] = runtime.Tracker{Entry: begin(&e)}
		e.Unlock()
	}
	return runtime.Continue
}

// ofContent tracks for the rest of the stream, as soon as the key is there.
func (r *tracker) ofContent(s *runtime.Stream) runtime.Verdict {
	var room [16]byte
	if tracked(s, r.number).Table() != nil {
		return runtime.Continue
	}
	k, ok, later := key(&s.Ctx, r.key, r.table, &room)
	if later && !s.Ctx.Final {
		s.WaitFor = 0
		return runtime.Wait
	}
	if !ok {
		return runtime.Continue
	}
	if e, ok := r.table.Make(k); ok {
		r.follow(s, &e)
		e.Unlock()
	}
	return runtime.Continue
}

// ofRequest tracks for the rest of the stream and counts its request; ofResponse counts what the server answered too.
func (r *tracker) ofRequest(s *runtime.Stream) runtime.Verdict  { return r.ofMessage(s, 0) }
func (r *tracker) ofResponse(s *runtime.Stream) runtime.Verdict { return r.ofMessage(s, s.Status) }

func (r *tracker) ofMessage(s *runtime.Stream, status int) runtime.Verdict {
	var room [16]byte
	if tracked(s, r.number).Table() != nil {
		return runtime.Continue
	}
	k, ok, _ := key(&s.Ctx, r.key, r.table, &room)
	if !ok {
		return runtime.Continue
	}
	e, ok := r.table.Make(k)
	if !ok {
		return runtime.Continue
	}
	r.follow(s, &e)
	both := func(total, rate table.Data) {
		e.Add(total, 0, 1)
		e.Add(rate, 0, 1)
	}
	both(table.HTTPReqCnt, table.HTTPReqRate)
	if s.Config.Global.ErrCodes.Has(status) {
		both(table.HTTPErrCnt, table.HTTPErrRate)
	}
	if s.Config.Global.FailCodes.Has(status) {
		both(table.HTTPFailCnt, table.HTTPFailRate)
	}
	e.Unlock()
	return runtime.Continue
}

// follow makes the stream track an entry.
func (r *tracker) follow(s *runtime.Stream, e *table.Entry) {
	if n := s.Config.Global.Tune.StickCounters; len(s.Tracked) < n {
		if cap(s.Tracked) < n {
			s.Tracked = make([]runtime.Tracker, 0, n)
		}
		s.Tracked = s.Tracked[:n] // all of them are empty: see Leave
	}
	s.Tracked[r.number] = runtime.Tracker{Entry: begin(e), Back: s.Front != s.Back}
}

// begin holds an entry for a tracker and counts the connection.
func begin(e *table.Entry) table.Ref {
	e.Add(table.ConnCur, 0, 1)
	e.Add(table.ConnCnt, 0, 1)
	e.Add(table.ConnRate, 0, 1)
	e.Touch()
	return e.Hold()
}
