package config

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
)

// Fields of a line of a state file, as "show servers state" writes it. Section 9.3 of
// the management guide. Those behind stateSRV may be left out.
const (
	stateBackendID = iota
	stateBackend
	stateServerID
	stateServer
	stateAddr
	stateOp
	stateAdmin
	stateUserWeight
	stateWeight
	stateAge
	stateCheckStatus
	stateCheckResult
	stateHealth
	stateCheck
	stateAgent
	stateForcedBackend
	stateForcedServer
	stateHost
	statePort
	stateSRV
	stateTLS
	stateCheckPort
	stateCheckAddr
	stateAgentAddr
	stateAgentPort
	stateFields

	stateLeast = stateSRV + 1 // fields of a line
	stateLine  = 2000         // bytes of a line with its end
)

// stateTable holds what a file tells of servers, by "backend server". What no server
// has asked for stays.
type stateTable struct {
	lines map[string][]string
	order []string
}

// take gives the line of a server once.
func (t *stateTable) take(px *runtime.Proxy, srv *runtime.Server) []string {
	key := px.Name + " " + srv.Name
	line := t.lines[key]
	delete(t.lines, key)
	return line
}

// stateFile names a file in messages.
type stateFile struct {
	path  string
	about string // in front of all messages
	kind  string // of file
	end   string // of the message that it cannot be opened
	check func(line []string) (key string, ok bool)
}

// loadStates gives servers the states that a former process has left in files.
// Section 3.1 "server-state-file", section 4.2 "load-server-state-from-file".
func (l *Loader) loadStates() {
	var global *stateTable
	if name := l.Config.Global.StateFile; name != "" {
		global = l.readStates(&stateFile{path: l.statePath(name), about: "config:", kind: "global server state file",
			check: func(line []string) (string, bool) { return line[stateBackend] + " " + line[stateServer], true }})
	}
	for _, px := range l.Config.Proxies {
		st := l.state(px)
		if px.Caps&runtime.CapBack == 0 || px.Disabled || len(px.Servers) == 0 {
			continue
		}
		switch st.state {
		case stateGlobal:
			l.restoreAll(px, global)
		case stateLocal:
			file := st.stateFile
			if file == "" {
				file = px.Name
			}
			own := l.readStates(&stateFile{path: l.statePath(file), about: "Proxy '" + px.Name + "':", kind: "server state file", end: ".",
				check: func(line []string) (string, bool) { return px.Name + " " + line[stateServer], l.stateOf(px, line) }})
			l.restoreAll(px, own)
			if own == nil {
				continue
			}
			for _, key := range own.order {
				if line := own.lines[key]; line != nil {
					l.List.Warnf(ast.Pos{}, "Proxy '%s': can't find server '%s' in backend '%s'", px.Name, line[stateServer], px.Name)
				}
			}
		}
	}
}

// stateOf tells whether a line of a backend's own file is about that backend.
func (l *Loader) stateOf(px *runtime.Proxy, line []string) bool {
	sameID, sameName := atol(line[stateBackendID]) == px.ID, line[stateBackend] == px.Name
	switch {
	case !sameID && !sameName:
		return false
	case !sameID:
		l.List.Warnf(ast.Pos{}, "Proxy '%s': backend ID mismatch: from server state file: '%s', from running config '%d'", px.Name, line[stateBackendID], px.ID)
	case !sameName:
		l.List.Warnf(ast.Pos{}, "Proxy '%s': backend name mismatch: from server state file: '%s', from running config '%s'", px.Name, line[stateBackend], px.Name)
		return line[stateForcedBackend] == "1"
	}
	return true
}

func (l *Loader) restoreAll(px *runtime.Proxy, table *stateTable) {
	if table == nil {
		return
	}
	for _, srv := range px.Servers {
		if line := table.take(px, srv); line != nil {
			l.restore(srv, line)
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

// readStates reads a whole file; nil when it cannot be used. One that is not there is
// normal.
func (l *Loader) readStates(file *stateFile) *stateTable {
	f, err := os.Open(file.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		l.List.Noticef(ast.Pos{}, "%s Can't open %s '%s': %s%s", file.about, file.kind, file.path, errnoText(cause(err)), file.end)
		return nil
	case err != nil:
		l.List.Warnf(ast.Pos{}, "%s Can't open %s '%s': %s%s", file.about, file.kind, file.path, errnoText(cause(err)), file.end)
		return nil
	}
	defer f.Close()
	return l.parseStates(file, f)
}

func (l *Loader) parseStates(file *stateFile, from io.Reader) *stateTable {
	in := bufio.NewReaderSize(from, stateLine)
	version, err := in.ReadSlice('\n')
	if len(version) == 0 {
		l.List.Noticef(ast.Pos{}, "%s Empty %s '%s'.", file.about, file.kind, file.path)
		return nil
	}
	if n, rest := strtol(string(version), 10); err != nil || n != 1 || rest != "\n" {
		l.List.Warnf(ast.Pos{}, "%s Can't get version of the %s '%s'.", file.about, file.kind, file.path)
		return nil
	}
	table := &stateTable{lines: map[string][]string{}}
	for n := 1; ; n++ {
		text, err := in.ReadSlice('\n')
		if len(text) == 0 {
			return table
		}
		fields := strings.Fields(string(text))
		if err == nil && (len(fields) == 0 || fields[0][0] == '#') {
			continue
		}
		if err != nil || len(fields) < stateLeast {
			l.List.Warnf(ast.Pos{}, "%s corrupted %s '%s' at line %d.", file.about, file.kind, file.path, n)
			return nil
		}
		line := make([]string, stateFields)
		copy(line, fields)
		if key, ok := file.check(line); ok && table.lines[key] == nil {
			table.lines[key] = line
			table.order = append(table.order, key)
		}
	}
}
