package trace

import (
	"fmt"
	"strings"

	"hapax/runtime"
	"hapax/runtime/logger"
)

// Help is what -dthelp prints.
const Help = `-dt activates traces on stderr output via the command-line.
Without argument, all registered trace sources are activated with error level as filter.
A list can be specified as argument to configure several trace sources with comma as separator.
Each entry can contains the trace name, a log level and a verbosity using colon as separator.
Every fields are optional and can be left empty, or with a colon to specify the next one.

An empty name or the alias 'all' will activate all registered sources.
Verbosity cannot be configured in this case except 'quiet' as their values are specific to each source.

Examples:
-dt           activate every sources on error level
-dt all:user  activate every sources on user level
-dt h1        activate HTTP/1 traces on error level
-dt h2:data   activate HTTP/2 traces on data level
-dt quic::clean,qmux::minimal
    activate both QUIC transport and MUX traces on error level with their custom verbosity
`

// Activate carries out the argument of a -dt: <source>[:<level>[:<verbosity>]], separated by commas. What a file says of
// the same sources is forgotten.
func Activate(cfg *runtime.Config, text string) error {
	t := Of(cfg)
	t.mu.Lock()
	defer t.mu.Unlock()
	defer t.refresh()
	stderr := logger.SinkNamed(cfg, "stderr")
	entries := strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
	if text == "" {
		entries = []string{"all"}
	}
	for _, entry := range entries {
		first, last, level, verbosity, err := readEntry(entry)
		if err != nil {
			return err
		}
		for src := first; src <= last; src++ {
			s := &t.states[src]
			*s = state{status: running, level: level, verbosity: verbosity, lock: lockNothing, sink: stderr,
				report: s.report, start: s.start, stop: s.stop, pause: s.pause, follows: s.follows, leader: s.leader}
		}
	}
	return nil
}

// readEntry reads one entry: it is about the sources from first to last.
func readEntry(entry string) (first, last Source, level Level, verbosity int, err error) {
	name, rest, _ := strings.Cut(entry, ":")
	last, verbosity = sourceCount-1, Clean
	one := name != "" && name != "all"
	if one {
		var ok bool
		if first, ok = find(name); !ok {
			return 0, 0, 0, 0, fmt.Errorf("unknown trace source '%s'", name)
		}
		last = first
	}
	levelName, rest, _ := strings.Cut(rest, ":")
	if levelName != "" {
		var ok bool
		if level, ok = levelOf(levelName); !ok {
			return 0, 0, 0, 0, fmt.Errorf("no such trace level '%s', available levels are 'error', 'user', 'proto', 'state', 'data', and 'developer'", levelName)
		}
	}
	switch {
	case rest == "":
		return first, last, level, verbosity, nil
	case strings.Contains(rest, ":"):
		return 0, 0, 0, 0, fmt.Errorf("too many colon separators in trace definition")
	case rest == "quiet":
		return first, last, level, Quiet, nil
	case !one:
		return 0, 0, 0, 0, fmt.Errorf("trace source must be specified for verbosity other than 'quiet'")
	}
	verbosity, ok := sources[first].verbosity(rest)
	if !ok {
		return 0, 0, 0, 0, fmt.Errorf("no such trace verbosity '%s' for source '%s', available verbosities for this source are: %s", rest, name, sources[first].verbosityNames())
	}
	return first, last, level, verbosity, nil
}

// verbosityNames lists them: "'quiet', 'clean', and 'minimal'".
func (s *source) verbosityNames() string {
	names := []string{"'quiet'"}
	for _, v := range s.verbosities {
		names = append(names, "'"+v.name+"'")
	}
	if s.verbosities == nil {
		names = append(names, "'default'")
	}
	names[len(names)-1] = "and " + names[len(names)-1]
	return strings.Join(names, ", ")
}
