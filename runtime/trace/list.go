package trace

import (
	"fmt"
	"strings"

	"hapax/runtime/logger"
	"hapax/stats/cli"
)

// choices ends a list of what may stand somewhere: an error behind a value that may not.
func choices(b *strings.Builder, value string) *answer {
	if value != "" {
		return &answer{cli.Err, b.String()}
	}
	return told(b)
}

// appendChoice is a line of such a list; a star marks the one in force.
func appendChoice(b *strings.Builder, current bool, w word) {
	mark := byte(' ')
	if current {
		mark = '*'
	}
	fmt.Fprintf(b, "  %c %-10s : %s\n", mark, w.name, w.desc)
}

const sourcesTitle = "Supported trace sources and states (.=stopped, w=waiting, R=running) :\n"

// listSources answers `trace` alone.
func (t *Set) listSources() *strings.Builder {
	var b strings.Builder
	b.WriteString(sourcesTitle +
		" [.] 0          : not a source, will immediately stop all traces\n" +
		" [.] all        : all sources below, only for 'sink', 'level' and 'follow'\n")
	t.appendSources(&b)
	return &b
}

func (t *Set) appendSources(b *strings.Builder) {
	for i := range t.states {
		fmt.Fprintf(b, " [%s] %-10s : %s\n", t.states[i].letter(), sources[i].name, sources[i].desc)
	}
}

// listEvents tells which events of the source are in a set.
func (st *statement) listEvents(word string, set Event) *strings.Builder {
	var b strings.Builder
	fmt.Fprintf(&b, "Supported events for source %s (+=enabled, -=disabled):\n", st.name())
	if word != "event" {
		b.WriteString("  - now          : don't wait for events, immediately change the state\n")
	}
	b.WriteString("  - none         : disable all event types\n  - any          : enable all event types\n")
	for i, e := range sources[st.src].events {
		fmt.Fprintf(&b, "  %c %-12s : %s\n", sign(set, i), e.name, e.desc)
	}
	return &b
}

// sign tells whether event i is in a set.
func sign(set Event, i int) byte {
	if set&(1<<i) != 0 {
		return '+'
	}
	return '-'
}

func (st *statement) listSinks() *strings.Builder {
	var b strings.Builder
	var current *logger.Sink
	if !st.all {
		current = st.state().sink
	}
	fmt.Fprintf(&b, "Supported sinks for source %s (*=current):\n", st.name())
	appendChoice(&b, current == nil, word{"none", "no sink"})
	for _, x := range logger.Sinks(st.cfg) {
		appendChoice(&b, x == current, word{x.Name, x.Desc})
	}
	if st.file {
		b.WriteString("(forward-declared sinks are not displayed here!)\n")
	}
	return &b
}

// list answers `show trace`.
func (t *Set) list() string {
	var b strings.Builder
	b.WriteString(sourcesTitle)
	for i := range t.states {
		name, dropped := sinkOf(&t.states[i])
		fmt.Fprintf(&b, " [%s] %-10s -> %s [drp %d]  [%s]\n", t.states[i].letter(), sources[i].name, name, dropped, sources[i].desc)
	}
	return b.String()
}

// describe answers `show trace <source>`.
func (t *Set) describe(src Source) string {
	var b strings.Builder
	s := &t.states[src]
	name, dropped := sinkOf(s)
	fmt.Fprintf(&b, "Trace status for %s:\n  - sink: %s [%d dropped]\n  - event name   :     report    start    stop    pause\n", sources[src].name, name, dropped)
	for i, e := range sources[src].events {
		fmt.Fprintf(&b, "    %-12s :        %c        %c        %c       %c\n", e.name, sign(s.report, i), sign(s.start, i), sign(s.stop, i), sign(s.pause, i))
	}
	return b.String()
}

func sinkOf(s *state) (name string, dropped uint64) {
	if s.sink == nil {
		return "none", 0
	}
	return s.sink.Name, s.sink.Dropped()
}
