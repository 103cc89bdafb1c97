package trace

import (
	"fmt"
	"strings"

	"hapax/runtime/logger"
	"hapax/stats/cli"
)

// answer is what a statement says; no text: it was carried out.
type answer struct {
	severity cli.Severity
	text     string
}

func refused(format string, args ...any) *answer {
	return &answer{cli.Err, fmt.Sprintf(format, args...)}
}

// told answers a question: a setting without a value asks for what may stand there.
func told(b *strings.Builder) *answer { return &answer{cli.Warning, b.String()} }

const supportedCommands = `Supported commands:
  event     : list/enable/disable source-specific event reporting
  level     : list/set trace reporting level
  lock      : automatic lock on thread/connection/stream/...
  follow    : passively follow another source's locked pointer (e.g. session)
  pause     : pause and automatically restart after a specific event
  sink      : list/set event sinks
  start     : start immediately or after a specific event
  stop      : stop immediately or after a specific event
  verbosity : list/set trace output verbosity
`

// statement is one `trace <source> { <setting> <value> }*` while it is carried out: settings before a mistake hold.
type statement struct {
	*Set
	src  Source
	all  bool // the statement is about all sources, and src is none
	sink func(name string) (*logger.Sink, *answer)
	file bool // it stands in a file: sinks may be declared behind it
}

// execute carries out a statement; args[0] is "trace".
func (t *Set) execute(args []string, st statement) *answer {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.refresh()
	st.Set = t
	switch name := cli.Arg(args, 1); name {
	case "":
		return told(t.listSources())
	case "0":
		for i := range t.states {
			t.states[i].status = stopped
		}
		return &answer{cli.Notice, "All traces now stopped"}
	case "all":
		st.all = true
	default:
		src, ok := find(name)
		if !ok {
			return refused("No such trace source '%s'", name)
		}
		st.src = src
	}
	if cli.Arg(args, 2) == "" {
		return &answer{cli.Warning, supportedCommands}
	}
	for i := 2; cli.Arg(args, i) != ""; i += 2 {
		if a := st.set(args[i], cli.Arg(args, i+1)); a != nil {
			return a
		}
	}
	return nil
}

// set carries out one setting.
func (st *statement) set(word, value string) *answer {
	if st.all && word != "follow" && word != "sink" && word != "level" {
		return refused("'%s' not applicable to meta-source 'all'", word)
	}
	switch word {
	case "follow":
		return st.setFollow(value)
	case "event", "start", "stop", "pause":
		return st.setEvents(word, value)
	case "sink":
		return st.setSink(value)
	case "level":
		return st.setLevel(value)
	case "lock":
		return st.setLock(value)
	case "verbosity":
		return st.setVerbosity(value)
	}
	return refused("Unknown trace keyword '%s'", word)
}

// state is that of the source; of all sources there is none.
func (st *statement) state() *state { return &st.states[st.src] }

func (st *statement) name() string {
	if st.all {
		return "all"
	}
	return sources[st.src].name
}

// each calls f for the source, or for all.
func (st *statement) each(f func(Source, *state)) {
	if !st.all {
		f(st.src, st.state())
		return
	}
	for i := range st.states {
		f(Source(i), &st.states[i])
	}
}

func (st *statement) setFollow(value string) *answer {
	if value == "" {
		var b strings.Builder
		switch {
		case st.all:
		case st.state().follows:
			fmt.Fprintf(&b, "Currently following source '%s'.\n", sources[st.state().leader].name)
		default:
			b.WriteString("Not currently following any other source.\n")
		}
		b.WriteString("Please specify another source to follow, among the following ones:\n [.] none       : follow no other source\n")
		st.appendSources(&b)
		return told(&b)
	}
	leader, ok := find(value)
	if !ok && value != "none" {
		return refused("No such trace source '%s'", value)
	}
	st.each(func(src Source, s *state) {
		if !st.all || !ok || src != leader {
			s.follows, s.leader = ok, leader
		}
	})
	return nil
}

// events is the set that a setting changes.
func (s *state) events(word string) *Event {
	switch word {
	case "start":
		return &s.start
	case "stop":
		return &s.stop
	case "pause":
		return &s.pause
	}
	return &s.report
}

func (st *statement) setEvents(word, value string) *answer {
	s := st.state()
	set := s.events(word)
	name := strings.TrimLeft(value, "!-+")
	sign := value[:len(value)-len(name)]
	off := strings.LastIndexByte(sign, '+') < strings.LastIndexAny(sign, "!-")
	switch {
	case name == "":
		return told(st.listEvents(word, *set))
	case name == "now" && word != "event":
		*set = 0
		st.now(word)
		return nil
	case name == "none":
		*set = 0
		return nil
	case name == "any":
		*set = anyEvent
	default:
		e, ok := sources[st.src].event(name)
		switch {
		case !ok:
			return refused("No such trace event '%s'", name)
		case off:
			*set &^= e
		default:
			*set |= e
		}
	}
	if word == "start" && *set != 0 && s.status == stopped {
		s.status = waiting
	}
	return nil
}

// now changes the state at once.
func (st *statement) now(word string) {
	s := st.state()
	switch word {
	case "start":
		s.status = running
	case "stop":
		s.status, s.locked = stopped, nil
	case "pause":
		s.status, s.locked = waiting, nil
	}
}

func (st *statement) setSink(value string) *answer {
	if value == "" {
		return told(st.listSinks())
	}
	var sink *logger.Sink
	if value != "none" {
		var a *answer
		if sink, a = st.sink(value); a != nil {
			return a
		}
	}
	st.each(func(_ Source, s *state) { s.sink = sink })
	return nil
}

func (st *statement) setLevel(value string) *answer {
	level, ok := levelOf(value)
	if !ok {
		var b strings.Builder
		if value != "" {
			fmt.Fprintf(&b, "No such trace level '%s'. ", value)
		}
		fmt.Fprintf(&b, "Supported trace levels for source %s:\n", st.name())
		for i, l := range levels {
			appendChoice(&b, !st.all && st.state().level == Level(i), l)
		}
		return choices(&b, value)
	}
	st.each(func(_ Source, s *state) { s.level = level })
	return nil
}

func (st *statement) setLock(value string) *answer {
	s := st.state()
	if value == "" {
		var b strings.Builder
		fmt.Fprintf(&b, "Supported lock-on criteria for source %s:\n", st.name())
		for _, l := range sources[st.src].locks {
			appendChoice(&b, s.lock == l.name, l)
		}
		return told(&b)
	}
	for _, l := range sources[st.src].locks {
		name := l.name
		if name == "applet" {
			name = "appctx" // as the reference wants it, whatever it lists
		}
		if name == value {
			s.lock, s.locked = l.name, nil
			return nil
		}
	}
	return refused("Unsupported lock-on criterion '%s'", value)
}

func (st *statement) setVerbosity(value string) *answer {
	src, s := &sources[st.src], st.state()
	v, ok := src.verbosity(value)
	if ok {
		s.verbosity = v
		return nil
	}
	var b strings.Builder
	if value != "" {
		fmt.Fprintf(&b, "No such verbosity level '%s'. ", value)
	}
	fmt.Fprintf(&b, "Supported trace verbosities for source %s:\n", st.name())
	appendChoice(&b, s.verbosity == Quiet, word{"quiet", "only report basic information with no decoding"})
	if src.verbosities == nil {
		appendChoice(&b, s.verbosity > Quiet, word{"default", "report extra information when available"})
	}
	for i, v := range src.verbosities {
		appendChoice(&b, s.verbosity == Clean+i, v)
	}
	return choices(&b, value)
}
