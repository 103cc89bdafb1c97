package config

import (
	"fmt"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
)

// Why a word has no effect.
const (
	noteThreads  = "the kernel places loops on the CPUs that cpu-map and cpu-set leave them"
	noteGroups   = "what loops share needs no groups"
	noteMemory   = "memory is managed by the language's runtime"
	notePoller   = "the loop engine is chosen by what the kernel offers"
	noteNoFork   = "nothing forks"
	noteBuffers  = "buffers are not limited in number"
	noteDebug    = "a developer's setting of the reference"
	noteRunQueue = "there is no run queue"
)

// inertKeywords are words whose arguments are checked and that have no meaning here.
func inertKeywords() []Keyword {
	return []Keyword{
		inertFlag("busy-polling", notePoller, true),
		inertFlag("insecure-setuid-wanted", "programs may always change their user", false),
		inertFlag("nogetaddrinfo", "names are looked up by one resolver", false),
		inertFlag("quick-exit", "leaving frees nothing one by one", false),
		inert("limited-quic", "there is no QUIC", nil, func(l *Loader, line *ast.Line) { l.global.limitedQUIC = !l.TooMany(line, 1, 0) }),
		inertFlag("prealloc-fd", noteMemory, false),
		inertFlag("no-memory-trimming", noteMemory, false),
		inert("tune.defaults.purge", noteMemory, nil, func(l *Loader, line *ast.Line) { l.TooMany(line, 1, 1) }),
		withNo(inert("numa-cpu-mapping", noteThreads, nil, nil)),
		inertInt("maxzlibmem", noteMemory, false, "expects an integer argument."),
		inertInt("tune.runqueue-depth", noteRunQueue, true, "expects an integer argument."),
		inert("tune.buffers.limit", noteBuffers, arg("number", keyword.Int), reporting(notNegative)),
		inert("tune.buffers.reserve", noteBuffers, arg("number", keyword.Int), reporting(notNegative)),
		inert("tune.pattern.cache-size", "patterns are not cached", arg("number", keyword.Int), reporting(positiveNumeric)),
		inert("tune.max-rules-at-once", "rules never yield", arg("number", keyword.Int), reporting(positiveNumeric)),
		inert("tune.memory.hot-size", noteMemory, arg("number", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
			if !l.TooMany(line, 1, 1) && atol(line.Arg(1)) <= 0 {
				return fmt.Errorf("'%s' expects a strictly positive value.", line.Arg(0))
			}
			return nil
		})),
		inert("tune.fail-alloc", noteDebug, arg("percent", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
			if n := atol(line.Arg(1)); !l.TooMany(line, 1, 1) && (n < 0 || n > 100) {
				return fmt.Errorf("'%s' expects a numeric value between 0 and 100.", line.Arg(0))
			}
			return nil
		})),
		inert("tune.recv_enough", "one receive takes what a buffer holds", arg("size", keyword.Size), reporting(sizeOnly)),
		choice("tune.sched.low-latency", noteRunQueue, "either 'on' or 'off' but got '%s'.", "on", "off"),
		choice("tune.listener.multi-queue", "each loop accepts for itself", "either 'on', 'fair', or 'off' but got '%s'.", "on", "fair", "off"),
	}
}

// inertInt is a number without meaning here, refused when it is not there.
func inertInt(name, note string, once bool, missing string) Keyword {
	return inert(name, note, arg("number", keyword.Int), func(l *Loader, line *ast.Line) {
		if !l.TooMany(line, 1, 1) && line.Arg(1) == "" {
			l.Alert(line.Pos, "'%s' %s", line.Arg(0), missing)
		}
	})
}

func notNegative(l *Loader, line *ast.Line) error {
	if !l.TooMany(line, 1, 1) && atol(line.Arg(1)) < 0 {
		return fmt.Errorf("'%s' expects a non-negative number but got '%s'.", line.Arg(0), line.Arg(1))
	}
	return nil
}

func positiveNumeric(l *Loader, line *ast.Line) error {
	if !l.TooMany(line, 1, 1) && (line.Arg(1) == "" || atol(line.Arg(1)) < 0) {
		return fmt.Errorf("'%s' expects a positive numeric value", line.Arg(0))
	}
	return nil
}

func sizeOnly(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects an integer argument.", line.Arg(0))
	}
	if _, bad, ok := units.Size(line.Arg(1)); !ok {
		return fmt.Errorf("unexpected '%s' after size passed to '%s'", bad, line.Arg(0))
	}
	return nil
}
