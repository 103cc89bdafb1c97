// Package lua runs scripts in Lua that a configuration loads: actions, sample fetches, converters, services, tasks and
// commands that they register, and what they may ask of the program ("core", "txn" and the classes behind them). The
// reference describes all that in a document of its own (lua-api).
//
// The language is that of package lua54, which tells why. One state serves all loops for "lua-load", with a lock, and each
// loop has one for "lua-load-per-thread". What a script does runs as a coroutine of Lua on the loop that wants it, no
// longer than the limits allow (tune.lua.*); it is left when the script waits, and resumed when what it waits for is there.
package lua

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/config"
)

// Domain holds what global lines say of scripts.
var Domain = config.Domain{
	Name: "lua",
	Keywords: []config.Keyword{
		row("lua-load", "a Lua program", loadShared, keyword.Arg{Name: "file", Type: keyword.File}, keyword.Arg{Name: "argument", Type: keyword.Str, Many: true, Opt: true}),
		row("lua-load-per-thread", "a Lua program for each thread", loadPerThread,
			keyword.Arg{Name: "file", Type: keyword.File}, keyword.Arg{Name: "argument", Type: keyword.Str, Many: true, Opt: true}),
		row("lua-prepend-path", "where Lua programs look for modules", prependPath,
			keyword.Arg{Name: "path", Type: keyword.Str}, keyword.Arg{Name: "type", Type: keyword.Enum, Enum: []string{"path", "cpath"}, Opt: true}),
		row("tune.lua.bool-sample-conversion", "how Lua sees booleans", parseBooleans, keyword.Arg{Name: "mode", Type: keyword.Enum, Enum: []string{"normal", "pre-3.1-bug"}}),
		row("tune.lua.burst-timeout", "how long a Lua program may run without waiting", timeout(func(s *settings) *time.Duration { return &s.burst }), delay),
		row("tune.lua.forced-yield", "instructions between two interruptions of a Lua program", parseForcedYield, keyword.Arg{Name: "number", Type: keyword.Int}),
		row("tune.lua.log.loggers", "whether Lua programs log to the log targets", parseLoggers, keyword.Arg{Name: "value", Type: keyword.Enum, Enum: []string{"on", "off"}}),
		row("tune.lua.log.stderr", "whether Lua programs log to standard error", parseStderr, keyword.Arg{Name: "value", Type: keyword.Enum, Enum: []string{"on", "auto", "off"}}),
		row("tune.lua.maxmem", "megabytes of Lua programs", parseMemory, keyword.Arg{Name: "size", Type: keyword.Int}),
		row("tune.lua.openlibs", "libraries of Lua programs", parseLibraries, keyword.Arg{Name: "libraries", Type: keyword.Str}),
		row("tune.lua.service-timeout", "how long a Lua service may run", timeout(func(s *settings) *time.Duration { return &s.service }), delay),
		row("tune.lua.session-timeout", "how long a Lua action may run", timeout(func(s *settings) *time.Duration { return &s.session }), delay),
		row("tune.lua.task-timeout", "how long a Lua task may run", timeout(func(s *settings) *time.Duration { return &s.task }), delay),
	},
	Check: initialize,
}

var delay = keyword.Arg{Name: "time", Type: keyword.Time}

func row(name, summary string, parse func(l *config.Loader, m *machine, line *ast.Line) error, args ...keyword.Arg) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "3.4", Summary: summary, Args: args},
		In:  config.Global,
		Parse: func(l *config.Loader, line *ast.Line) {
			l.Report(line.Pos, parse(l, machineOf(l), line))
		},
	}
}

// settings are what global lines say of scripts.
type settings struct {
	booleans      string // "normal" or "pre-3.1-bug"; "": nothing was said
	paths         [][2]string
	libraries     string // "all", "none" or a list
	memory        int    // bytes; 0: no limit
	instructions  int    // 0: the usual ones
	loggers       bool
	stderr        string
	burst         time.Duration
	session, task time.Duration // 0: no limit
	service       time.Duration
}

// defaults are what holds where nothing is said.
func defaults() settings {
	return settings{libraries: "all", loggers: true, stderr: "auto", burst: time.Second, session: 4 * time.Second, service: 4 * time.Second}
}

func parseBooleans(l *config.Loader, m *machine, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	mode := line.Arg(1)
	if mode != "normal" && mode != "pre-3.1-bug" {
		return fmt.Errorf("'%s' expects either 'normal' or 'pre-3.1-bug' but got '%s'.", line.Arg(0), mode)
	}
	if m.loaded {
		return config.Warning("ignored as some Lua was loaded already. \"tune.lua.bool-sample-conversion\" must be set before any \"lua-load\" or " +
			"\"lua-load-per-thread\" directive for it to be considered.\n")
	}
	m.booleans = mode
	return nil
}

func prependPath(l *config.Loader, m *machine, line *ast.Line) error {
	word, kind := line.Arg(0), line.Arg(2)
	m.begun = true
	switch {
	case l.TooMany(line, 1, 2):
		return nil
	case line.Arg(1) == "":
		return fmt.Errorf("'%s' expects to receive a <path> as argument", word)
	case kind == "":
		kind = "path"
	case kind != "path" && kind != "cpath":
		return fmt.Errorf("'%s' expects <type> to either be 'path' or 'cpath'", word)
	}
	path := [2]string{kind, line.Arg(1)}
	m.paths = append(m.paths, path)
	for _, st := range m.all() {
		st.prepend(path)
	}
	return nil
}

func timeout(of func(*settings) *time.Duration) func(*config.Loader, *machine, *ast.Line) error {
	return func(l *config.Loader, m *machine, line *ast.Line) error {
		word, value := line.Arg(0), line.Arg(1)
		d, fault := l.Time(value, time.Millisecond)
		const most = "(maximum value is 2147483647 ms or ~24.8 days)"
		switch {
		case fault == nil:
			*of(&m.settings) = d
			return nil
		case fault.Over:
			return fmt.Errorf("timer overflow in argument <%s> to <%s> %s", value, word, most)
		case fault.Under:
			return fmt.Errorf("timer underflow in argument <%s> to <%s> (minimum non-null value is 1 ms)", value, word)
		}
		return fmt.Errorf("%s: invalid timeout", word)
	}
}

func parseForcedYield(_ *config.Loader, m *machine, line *ast.Line) error {
	n, rest := config.Strtol(line.Arg(1), 10)
	if rest != "" {
		return fmt.Errorf("%s: invalid number", line.Arg(0))
	}
	m.instructions = int(n)
	return nil
}

func parseMemory(_ *config.Loader, m *machine, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	if value == "" {
		return fmt.Errorf("'%s' expects an integer argument (Lua memory size in MB).", word)
	}
	n, rest := config.Strtol(value, 10)
	if rest != "" {
		return fmt.Errorf("%s: invalid number %s (error at '%c')", word, value, rest[0])
	}
	m.memory = int(n) << 20
	return nil
}

func parseLoggers(l *config.Loader, m *machine, line *ast.Line) error {
	value := line.Arg(1)
	switch {
	case l.TooMany(line, 1, 1):
		return nil
	case value != "on" && value != "off":
		return fmt.Errorf("'%s' expects either 'on' or 'off' but got '%s'.", line.Arg(0), value)
	}
	m.loggers = value == "on"
	return nil
}

func parseStderr(l *config.Loader, m *machine, line *ast.Line) error {
	value := line.Arg(1)
	switch {
	case l.TooMany(line, 1, 1):
		return nil
	case value != "on" && value != "auto" && value != "off":
		return fmt.Errorf("'%s' expects either 'on', 'auto', or 'off' but got '%s'.", line.Arg(0), value)
	}
	m.stderr = value
	return nil
}

// libraries are those that may be left out; the others are always there.
const libraries = "table,io,os,string,math,utf8,package,debug"

func parseLibraries(l *config.Loader, m *machine, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	switch {
	case l.TooMany(line, 1, 1):
		return nil
	case value == "":
		return fmt.Errorf("'%s' expects 'all', 'none', or a comma-separated list of libraries: %s", word, libraries)
	case value != "all" && value != "none":
		for _, lib := range strings.Split(value, ",") {
			if !strings.Contains(","+libraries+",", ","+lib+",") {
				return fmt.Errorf("'%s': unknown library '%s', expected one of: all,none,%s", word, lib, libraries)
			}
		}
	}
	if value != "all" && m.begun {
		return fmt.Errorf("'%s' must appear before any 'lua-load', 'lua-load-per-thread' or 'lua-prepend-path' directive", word)
	}
	m.libraries = value
	return nil
}

// opens tells whether a library is opened.
func (s *settings) opens(name string) bool {
	return s.libraries == "all" || name == "_G" || name == "coroutine" || strings.Contains(","+s.libraries+",", ","+name+",")
}

var errNoMemory = errors.New("Lua out of memory error")
