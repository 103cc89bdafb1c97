package config

import (
	"errors"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
)

// loadStates looks at the files with states of servers that a former process has
// left. A file that is not there is normal; one that is there cannot be read yet.
func (l *Loader) loadStates() {
	g := &l.Config.Global
	global := false
	if g.StateFile != "" {
		global = l.openState(l.statePath(g.StateFile), "config: Can't open global server state file '%s': %s")
	}
	for _, px := range l.Config.Proxies {
		st := l.state(px)
		if px.Caps&runtime.CapBack == 0 || px.Disabled || len(px.Servers) == 0 {
			continue
		}
		switch st.state {
		case stateGlobal:
			if global {
				l.Missing(px.Pos, "load-server-state-from-file global")
			}
		case stateLocal:
			file := st.stateFile
			if file == "" {
				file = px.Name
			}
			if l.openState(l.statePath(file), "Proxy '"+px.Name+"': Can't open server state file '%s': %s.") {
				l.Missing(px.Pos, "load-server-state-from-file local")
			}
		}
	}
}

// statePath puts server-state-base in front of a relative path.
func (l *Loader) statePath(path string) string {
	base := l.Config.Global.StateBase
	if base == "" || strings.HasPrefix(path, "/") {
		return path
	}
	return strings.TrimSuffix(base, "/") + "/" + path
}

// openState tells whether a file with states is there and holds something.
func (l *Loader) openState(path, refusal string) bool {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		l.List.Noticef(ast.Pos{}, refusal, path, errnoText(cause(err)))
	case err != nil:
		l.List.Warnf(ast.Pos{}, refusal, path, errnoText(cause(err)))
	}
	return err == nil && info.Size() > 0
}
