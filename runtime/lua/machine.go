package lua

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/lua/lua54"
)

// Version is that of the language.
const Version = "Lua " + lua54.LUA_VERSION_MAJOR + "." + lua54.LUA_VERSION_MINOR + "." + lua54.LUA_VERSION_RELEASE

// machine is all that a configuration has of Lua.
type machine struct {
	settings
	cfg       *runtime.Config
	out       *diag.Writer // the terminal
	begun     bool         // libraries cannot be chosen any more
	loaded    bool         // a script was
	running   bool         // all scripts are loaded and set up
	shared    *state       // of all loops; nil: no script is
	own       []*state     // of each loop: only that of the first one while files are read
	perThread [][]string   // files, with their arguments, that each loop has loaded

	functions []*function // in the order in which they were registered
	filters   []*FilterLine
	host      *Host      // nil before the process serves
	tasks     []*thread  // that wait for the start
	handlers  []*handler // that have subscribed before it
	started   atomic.Bool
}

// machineOf is that of the configuration which is read.
func machineOf(l *config.Loader) *machine {
	if m, ok := l.Config.Scripts.(*machine); ok {
		return m
	}
	m := &machine{settings: defaults(), cfg: l.Config, out: l.List.Out}
	l.Config.Scripts = m
	return m
}

// of is the machine of a configuration; nil when it loads no scripts.
func of(cfg *runtime.Config) *machine {
	m, _ := cfg.Scripts.(*machine)
	if m == nil || !m.loaded {
		return nil
	}
	return m
}

// all are the states that there are.
func (m *machine) all() []*state {
	if m.shared == nil {
		return m.own
	}
	return append([]*state{m.shared}, m.own...)
}

// stateOf is the state that a function runs in on a loop.
func (m *machine) stateOf(f *function, loop int) *state {
	if f.refs[0] != lua54.NoRef {
		return m.shared
	}
	return m.own[loop]
}

func loadShared(l *config.Loader, m *machine, line *ast.Line) error {
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects a file name as parameter.", line.Arg(0))
	}
	if m.shared == nil {
		m.shared = newState(m, l, 0)
	}
	return m.load(l, m.shared, line.Texts(nil, 1))
}

func loadPerThread(l *config.Loader, m *machine, line *ast.Line) error {
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects a file as parameter.", line.Arg(0))
	}
	if len(m.own) == 0 {
		m.own = []*state{newState(m, l, 1)}
	}
	words := slices.Clone(line.Texts(nil, 1))
	path, err := filepath.Abs(words[0])
	if err != nil {
		return errors.New("failed to retrieve cur path")
	}
	if !filepath.IsAbs(words[0]) {
		words[0] = path
	}
	m.perThread = append(m.perThread, words)
	return m.load(l, m.own[0], words)
}

// load runs a file in a state.
func (m *machine) load(l *config.Loader, st *state, words []string) error {
	if !m.loaded {
		m.begun, m.loaded = true, true
		if m.booleans == "" {
			l.List.Warnf(l.Pos(), "hlua: please set \"tune.lua.bool-sample-conversion\" tunable to either \"normal\" or \"pre-3.1-bug\" explicitly to avoid "+
				"ambiguities. This must be set before any \"lua-load\" or \"lua-load-per-thread\" directive. Defaulting to \"pre-3.1-bug\".")
		}
	}
	return st.run(words)
}

// run loads a file and runs it, with its arguments.
func (st *state) run(words []string) error {
	s := st.main
	defer s.SetTop(0)
	if s.LoadFile(words[0]) != lua54.OK {
		return fmt.Errorf("error in Lua file '%s': %s", words[0], s.Display(-1))
	}
	for _, w := range words[1:] {
		s.PushString(w)
	}
	switch s.Call(len(words)-1, lua54.MultRet) {
	case lua54.OK:
		return nil
	case lua54.RunError:
		return fmt.Errorf("Lua runtime error: %s", s.Display(-1))
	case lua54.MemoryError:
		return errNoMemory
	case lua54.HandlerError:
		return fmt.Errorf("Lua message handler error: %s", s.Display(-1))
	}
	return fmt.Errorf("Lua unknown error: %s", s.Display(-1))
}

// initialize ends the loading: each loop gets its state, and functions of register_init run. It is called when the
// configuration was checked.
func initialize(l *config.Loader) {
	m := of(l.Config)
	if m == nil {
		return
	}
	if m.shared != nil && !m.shared.initialize(l) {
		return
	}
	for len(m.own) > 0 && len(m.own) < m.cfg.Global.Loops() {
		st := newState(m, l, len(m.own)+1)
		m.own = append(m.own, st)
		for _, words := range m.perThread {
			if err := st.run(words); err != nil {
				l.List.Alertf(ast.Pos{}, "Lua init: %s", err)
				return
			}
		}
	}
	for _, st := range m.own {
		if !st.initialize(l) {
			return
		}
	}
	for _, f := range m.functions {
		f.check(l, len(m.own))
	}
	for _, x := range m.filters {
		if !x.prepare(l) {
			l.List.Alertf(ast.Pos{}, "Failed to initialize filters for proxy '%s'.", x.proxy.Name)
			return
		}
	}
	for _, r := range m.cfg.Patterns.All() {
		r.ChangedByTraffic()
	}
	for _, st := range m.all() {
		st.loader = nil
		st.world.Limit(m.memory)
	}
	m.running = true
}

// initialize runs the functions that were registered for the end of the loading.
func (st *state) initialize(l *config.Loader) bool {
	for _, ref := range st.inits {
		s := st.main.NewThread()
		s.PushRef(ref)
		status, _ := s.Resume(st.main, 0)
		kind, text := "", ""
		switch status {
		case lua54.OK:
		case lua54.RunError, lua54.HandlerError:
			kind = map[lua54.Status]string{lua54.RunError: "runtime error", lua54.HandlerError: "message handler error"}[status]
			text = "'" + s.Display(-1) + "' from " + traceback(s)
			kind += ": "
		case lua54.Yielded:
			kind = "yield not allowed: "
		default:
			kind = "out of memory error: "
		}
		st.main.SetTop(0)
		st.main.Unref(ref)
		if kind != "" {
			l.List.Alertf(ast.Pos{}, "Lua init: %s%s", kind, text)
			return false
		}
	}
	st.inits = nil
	return true
}

// Start starts the tasks of a configuration's scripts, when the process serves.
func Start(cfg *runtime.Config) {
	m := of(cfg)
	if m == nil {
		return
	}
	m.started.Store(true)
	for _, t := range m.tasks {
		go t.live(taskWord)
	}
	for _, h := range m.handlers {
		h.mu.Lock()
		h.wake()
		h.mu.Unlock()
	}
	m.tasks, m.handlers = nil, nil
}
