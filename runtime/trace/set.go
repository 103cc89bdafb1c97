// Package trace tells what happens inside the program, event by event, to who asks for it: the section "traces", the
// commands "trace" and "show trace", and -dt. It holds the section of network namespaces, too.
//
// Events and their places are this program's own, under the names of HAProxy. As long as nothing is traced, a place where
// something is to be told costs a load and a branch.
package trace

import (
	"sync"
	"sync/atomic"

	"hapax/runtime"
	"hapax/runtime/logger"
)

// Set is what is traced in a process. It is runtime.Config.Traces.
type Set struct {
	live atomic.Uint32 // a bit for each source whose events somebody may want to hear of

	mu     sync.Mutex // guards what follows
	cfg    *runtime.Config
	states [sourceCount]state
	line   []byte // memory for one event
}

// status tells whether a source is traced.
type status uint8

const (
	stopped status = iota
	waiting        // for an event that starts it
	running
)

func (s status) letter() string { return [...]string{".", "w", "R"}[s] }

// state is how one source is traced.
type state struct {
	status
	level                      Level
	verbosity                  int
	report, start, stop, pause Event
	lock                       string // a criterion
	locked                     any    // the object; nil: none yet
	follows                    bool
	leader                     Source // that it follows
	sink                       *logger.Sink
}

// lockNothing is the criterion that everything fulfils.
const lockNothing = "nothing"

// Of gives the traces of a configuration.
func Of(cfg *runtime.Config) *Set {
	t, ok := cfg.Traces.(*Set)
	if !ok {
		t = &Set{cfg: cfg}
		for i := range t.states {
			t.states[i] = state{level: User, verbosity: Clean, report: anyEvent, lock: lockNothing}
		}
		cfg.Traces = t
	}
	return t
}

// Any tells whether any event may be wanted: the one thing that places ask while nothing is traced.
func (t *Set) Any() bool { return t.live.Load() != 0 }

// On tells whether events of the kind may be wanted.
func (t *Set) On(e Event) bool { return t.live.Load()&(1<<e.Source()) != 0 }

// refresh computes live anew. The caller holds mu.
func (t *Set) refresh() {
	live := uint32(0)
	for i := range t.states {
		if s := &t.states[i]; s.status != stopped || s.follows {
			live |= 1 << i
		}
	}
	t.live.Store(live)
}

// Emit tells of an event.
func (t *Set) Emit(e Event, level Level, text string, about *About) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := &t.states[e.Source()]
	if s.status == stopped && !s.follows || (s.report|s.start|s.pause|s.stop)&e&anyEvent == 0 {
		return
	}
	if s.status == waiting {
		if s.start&e&anyEvent == 0 {
			return
		}
		s.status = running
	}
	if !t.within(s, about) {
		return
	}
	if s.report&e&anyEvent != 0 && level <= s.level && s.sink != nil {
		t.line = appendLine(t.line[:0], e, level, s.verbosity, text, about)
		s.sink.Write(t.line)
	}
	switch {
	case s.stop&e&anyEvent != 0:
		s.locked, s.status = nil, stopped
		t.refresh()
	case s.pause&e&anyEvent != 0:
		s.locked, s.status = nil, waiting
	}
}

// within tells whether the event is about what the source, and the one that it follows, are locked on. The first event of
// a running source that is to be locked says on what.
func (t *Set) within(s *state, about *About) bool {
	if s.lock != lockNothing {
		object := about.object(s.lock)
		if s.locked != nil && s.locked != object {
			return false
		}
		if s.locked == nil && s.status == running {
			s.locked = object
		}
	}
	if s.follows {
		leader := &t.states[s.leader]
		return leader.locked != nil && leader.locked == about.object(leader.lock)
	}
	return true
}
