package engine

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"hapax/runtime"
)

// note counts a run of a stream that began with a step and took busy ns of CPU, late ns after its turn began.
func (w *worker) note(step string, busy, late int64) {
	e := w.efforts[step]
	if e == nil {
		if w.efforts == nil {
			w.efforts = map[string]*runtime.Effort{}
		}
		e = &runtime.Effort{Step: step}
		w.efforts[step] = e
	}
	e.Calls++
	e.Busy += busy
	e.Late += late
}

// Profile switches the measuring of streams. What was measured before is forgotten when it is switched on.
func (s Streams) Profile(on bool) {
	for _, w := range s.e.workers {
		w.ask(func() {
			w.profiling = on
			if on {
				w.efforts = nil
			}
		})
	}
}

// Efforts are what was measured on all loops, by the step that runs of streams began with.
func (s Streams) Efforts() []runtime.Effort {
	sums := map[string]*runtime.Effort{}
	for _, w := range s.e.workers {
		w.ask(func() {
			for step, e := range w.efforts {
				sum := sums[step]
				if sum == nil {
					sum = &runtime.Effort{Step: step}
					sums[step] = sum
				}
				sum.Calls += e.Calls
				sum.Busy += e.Busy
				sum.Late += e.Late
			}
		})
	}
	var all []runtime.Effort
	for _, e := range sums {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b runtime.Effort) int { return strings.Compare(a.Step, b.Step) })
	return all
}

// Spin keeps the first loop, or all loops, busy for so long and returns behind that.
func (s Streams) Spin(d time.Duration, all bool) {
	var wait sync.WaitGroup
	for i, w := range s.e.workers {
		if i > 0 && !all {
			break
		}
		wait.Go(func() {
			w.ask(func() {
				for end := time.Now().Add(d); time.Now().Before(end); {
				}
			})
		})
	}
	wait.Wait()
}

// Descriptors are the sockets of listeners, clients and servers, in the order of their numbers.
func (s Streams) Descriptors() []runtime.Descriptor {
	var all []runtime.Descriptor
	for ln := range s.e.Config.Listeners() {
		if fd := s.e.sockets[ln.Slot]; fd >= 0 {
			all = append(all, runtime.Descriptor{FD: fd, Loop: -1, Listener: ln})
		}
	}
	for i, w := range s.e.workers {
		w.ask(func() {
			for c := w.clients.head; c != nil; c = c.next {
				if c.via == nil && c.sock.IsOpen() {
					all = append(all, runtime.Descriptor{FD: c.sock.Fd(), Loop: i, Front: c.Front, Mux: c.mux()})
				}
			}
			for st := w.streams.head; st != nil; st = st.nextLive {
				if st.link == nil {
					continue
				}
				if k := st.link.conn(); k.sock.IsOpen() {
					all = append(all, runtime.Descriptor{FD: k.sock.Fd(), Loop: i, Server: k.srv, Mux: k.mux(st.http)})
				}
			}
			for srv := range s.e.servers() {
				p := w.pool(srv)
				for _, l := range []*linkList{&p.safe, &p.idle, &p.avail} {
					for k := l.head; k != nil; k = k.next {
						all = append(all, runtime.Descriptor{FD: k.sock.Fd(), Loop: i, Server: srv, Mux: k.mux(srv.Proxy.Mode == runtime.ModeHTTP)})
					}
				}
			}
		})
	}
	slices.SortStableFunc(all, func(a, b runtime.Descriptor) int { return cmp.Compare(a.FD, b.FD) })
	return slices.CompactFunc(all, func(a, b runtime.Descriptor) bool { return a.FD == b.FD })
}

// mux is what the client speaks.
func (c *client) mux() runtime.Mux {
	if c.h2 != nil {
		return runtime.MuxH2
	}
	return alone(c.http)
}

// mux is what the server speaks.
func (k *link) mux(http bool) runtime.Mux {
	switch k.shared.(type) {
	case *fcgiConn:
		return runtime.MuxFCGI
	case *spopConn:
		return runtime.MuxSPOP
	case *shared:
		return runtime.MuxH2
	}
	return alone(http)
}

// alone is what connections speak that carry one stream at a time.
func alone(http bool) runtime.Mux {
	if http {
		return runtime.MuxH1
	}
	return runtime.MuxPass
}
