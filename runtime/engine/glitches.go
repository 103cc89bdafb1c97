package engine

import (
	"syscall"

	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/sticktable"
)

// Glitches are what a peer does that is odd or wrong, though the connection could go on. HTTP/2 connections count theirs
// themselves, see h2.Conn; here are those of HTTP/1.

// busy tells whether the loop has so much to do that connections with too many glitches are killed.
func (w *worker) busy() bool {
	least := w.cfg.Global.Tune.Glitches.Busy
	return least == 0 || 100-int(w.loop.Stats().IdlePct.Load()) >= least
}

// tolerance says what becomes of a connection with n glitches: at three quarters of the limit it is not used again, at
// the limit it is killed. limit 0: nothing.
func (w *worker) tolerance(n, limit int) (last, kill bool) {
	if limit == 0 || n < (limit*3+1)/4 {
		return false, false
	}
	return true, n >= limit && w.busy()
}

// glitched counts glitches of a client of HTTP/1, whose connection may end for them: it is told nothing any more then.
func (c *client) glitched(n int) {
	if n == 0 || c.via != nil {
		return
	}
	c.glitches += int32(n)
	var kill bool
	if c.tired, kill = c.w.tolerance(int(c.glitches), c.w.cfg.Global.Tune.Glitches.H1Front); kill && !c.killed {
		c.killed = true
		c.sock.Shutdown()
	}
}

// trackGlitches counts glitches in the head of a request, and in what came with it, in what is tracked.
func (s *stream) trackGlitches() {
	if n := s.parser.Glitches; n > 0 && s.c.via == nil {
		s.parser.Glitches = 0
		sticktable.CountGlitches(s.Session, n)
	}
}

// serverGlitched counts glitches of a server of HTTP/1.
func (s *stream) serverGlitched(n int) {
	k := s.link
	if n == 0 || k == nil || k.part != nil {
		return
	}
	k.glitches += n
	s.srvGlitches = k.glitches
	last, kill := s.w.tolerance(k.glitches, s.w.cfg.Global.Tune.Glitches.H1Back)
	if last && s.srvWant == h1.KeepAlive {
		s.srvWant = h1.Close
	}
	k.killed = kill
}

// oddResponse passes on a response whose head is complete and of which not all is as it should be. A connection that is
// killed for it ends behind what came.
func (s *stream) oddResponse() {
	k := s.link
	s.serverGlitched(s.resParser.Glitches)
	if k.killed {
		s.countBroken()
		s.End = runtime.Termination{Cause: runtime.EndServer, State: runtime.InData}
	}
	s.startResponse()
	if k.killed && s.link == k && !s.toCli.done {
		s.serverEnd(syscall.ECONNABORTED)
	}
}
