package engine

import (
	"time"

	"hapax/runtime"
)

// Streams shows and ends the streams of all loops, for other goroutines: each
// call asks the loops and waits for their answer.
type Streams struct{ e *Engine }

// Streams of the engine.
func (e *Engine) Streams() Streams { return Streams{e} }

// Loops is how many loops there are.
func (s Streams) Loops() int { return len(s.e.workers) }

// ask runs f on the worker's loop and waits for its end; false: the loop has stopped.
func (w *worker) ask(f func()) bool {
	done := make(chan struct{})
	w.loop.PostFunc(func() {
		f()
		close(done)
	})
	select {
	case <-done:
		return true
	case <-w.over:
		return false
	}
}

// List describes at most limit streams of a loop with numbers greater than after, in the order of their numbers: those
// that have something to do.
func (s Streams) List(loop int, after uint64, limit int) []runtime.StreamInfo {
	var list []runtime.StreamInfo
	w := s.e.workers[loop]
	w.ask(func() {
		for st := w.streams.head; st != nil && len(list) < limit; st = st.nextLive {
			if st.begun && st.ID > after {
				list = append(list, st.info())
			}
		}
	})
	return list
}

// Activity tells what a loop has done.
func (s Streams) Activity(loop int) runtime.Activity {
	st := s.e.workers[loop].loop.Stats()
	a := runtime.Activity{Turns: st.Turns.Load(), Events: st.Events.Load(), Idle: int(st.IdlePct.Load()), Waited: time.Duration(st.Idle.Load())}
	for _, px := range s.e.Config.Proxies {
		a.Accepted += px.Live.Front[loop].Conns.Load()
		for _, ln := range px.Listeners {
			if ln.Stats != nil {
				a.Accepted += ln.Stats[loop].Conns.Load()
			}
		}
	}
	return a
}

// Kill ends a stream and tells whether there was one of this number.
func (s Streams) Kill(id uint64) bool {
	found := false
	for _, w := range s.e.workers {
		w.ask(func() {
			for st := w.streams.head; st != nil; st = st.nextLive {
				if st.ID == id {
					found = true
					st.kill(runtime.EndKilled)
					return
				}
			}
		})
	}
	return found
}

// KillServer ends all streams that use the server.
func (s Streams) KillServer(srv *runtime.Server) { s.e.endStreams(srv, runtime.EndKilled) }

// EndStreams ends all streams that use the server because of a change of state:
// cause is runtime.EndDown when it went down, EndUp when a preferred one came up.
// It returns at once and may be called from a loop.
func (e *Engine) EndStreams(srv *runtime.Server, cause byte) { e.endStreams(srv, cause) }

func (e *Engine) endStreams(srv *runtime.Server, cause byte) {
	for _, w := range e.workers {
		w.loop.PostFunc(func() {
			for st := w.streams.head; st != nil; {
				next := st.nextLive
				if st.Server == srv && !st.dead {
					st.kill(cause)
				}
				st = next
			}
		})
	}
}

// EndAll cuts all connections: what has not ended long after a soft stop.
func (e *Engine) EndAll() {
	for _, w := range e.workers {
		w.loop.PostFunc(func() {
			for st := w.streams.head; st != nil; {
				next := st.nextLive
				st.kill(runtime.EndKilled)
				st = next
			}
			for c := w.clients.head; c != nil; {
				next := c.next
				if c.st == nil && !c.guest {
					c.close(0)
				}
				c = next
			}
		})
	}
}

// kill ends a stream whatever it does.
func (s *stream) kill(cause byte) {
	if s.dead {
		return
	}
	if s.link != nil {
		// What the reference logs, however far the response has come.
		s.End = runtime.Termination{Cause: cause, State: runtime.InConnect}
		if s.http {
			s.Status = 500
		}
	}
	s.setEnd(cause)
	s.resetServer()
	s.leaveQueue()
	s.cut()
}

// info is the stream's picture.
func (s *stream) info() runtime.StreamInfo {
	now := s.w.loop.Now()
	wall := s.w.loop.Wall()
	i := runtime.StreamInfo{
		ID: s.ID, Loop: s.w.id, Listener: s.Session.Listener, Src: s.Session.Src, Dst: s.Session.Dst, Unix: s.Session.Unix,
		Front: s.Front, Server: s.Chosen(), Accepted: time.Unix(0, wall-(now-s.Session.Accepted)),
		Age: time.Duration(now - s.Time.Accept), Retries: s.RetriesDone,
		ClientFD: s.c.sock.Fd(), ServerFD: -1, ServerAddr: s.ServerAddr, LocalAddr: s.LocalAddr,
		RequestStep: s.req.name(), ResponseStep: s.res.name(), HTTP: s.http, Status: s.Status,
	}
	if s.inBack {
		i.Back = s.Back
	}
	if s.link != nil {
		i.ServerFD = s.link.sock.Fd()
	}
	if i.HTTP && len(s.URI) > 0 {
		i.Method, i.URI = string(s.Req.MethodName()), string(s.Req.URI())
	}
	if d := s.c.timer.Deadline(); d > 0 {
		i.ReadClient = time.Duration(d - now)
	}
	if d := s.timer.Deadline(); d > 0 {
		i.ReadServer = time.Duration(d - now)
	}
	i.Expire = i.ReadClient
	if i.Expire == 0 || i.ReadServer > 0 && i.ReadServer < i.Expire {
		i.Expire = i.ReadServer
	}
	if s.in != nil && s.phase != full {
		i.RequestIn = s.inEnd - s.inAt
	}
	return i
}
