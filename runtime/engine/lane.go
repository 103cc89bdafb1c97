package engine

import "hapax/runtime/loop"

// outcome is what a step tells its lane.
type outcome uint8

const (
	next   outcome = iota // go on with the step behind this one
	wait                  // something is missing: the lane is run again when it may have come
	answer                // the stream has an answer of its own (stream.answerWith): the request lane is over
	end                   // the lane is over
)

// step is one stage of a request or a response. Its name is what "show sess" prints.
type step struct {
	name string
	run  func(*stream) outcome
}

// lane is where a request or a response stands in its steps.
type lane struct {
	steps []step
	at    int
	rule  int // where the rule set of the current step goes on after a wait
}

// start puts the lane at the first of the steps.
func (l *lane) start(steps []step) { *l = lane{steps: steps} }

// goOn replaces the steps behind the current one, which is over.
func (l *lane) goOn(steps []step) { *l = lane{steps: steps} }

// over tells whether no step is left.
func (l *lane) over() bool { return l.at >= len(l.steps) }

// name is that of the current step, "" when the lane is over.
func (l *lane) name() string {
	if l.over() {
		return ""
	}
	return l.steps[l.at].name
}

// run runs a lane until it waits or is over. A step that changes the steps of
// its lane (a chosen backend adds its own) has put it where it goes on.
func (s *stream) run(l *lane) {
	s.calls++
	if s.w.profiling {
		s.measured(l)
		return
	}
	s.advance(l)
}

// measured is run with "profiling.tasks on". What a step makes run in turn counts once.
func (s *stream) measured(l *lane) {
	w, step, began := s.w, l.name(), loop.Clock()
	outermost := !w.measuring
	w.measuring = true
	s.advance(l)
	if outermost {
		w.measuring = false
		busy, late := loop.Clock()-began, began-w.loop.Now()
		s.busy += busy
		s.late += late
		w.note(step, busy, late)
	}
}

func (s *stream) advance(l *lane) {
	for !s.dead && l.at < len(l.steps) {
		cur := &l.steps[l.at]
		if s.w.traces.Any() {
			s.tellStep(cur.name)
		}
		switch cur.run(s) {
		case next:
			if l.at < len(l.steps) && cur == &l.steps[l.at] {
				l.at, l.rule = l.at+1, 0
			}
		case wait:
			return
		case answer, end:
			l.at = len(l.steps)
		}
	}
}
