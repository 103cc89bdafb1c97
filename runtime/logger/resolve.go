package logger

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// resolveTargets finds what the log lines of all sections refer to. A configuration that is only checked may refer to what
// is not there, but for applications and agents.
func resolveTargets(l *config.Loader) {
	resolve := func(logs []*runtime.LogTarget, required bool, what, in string) {
		for _, t := range logs {
			if err := resolveTarget(l, t); err != nil && required {
				l.List.Alertf(ast.Pos{File: t.File, Line: t.Line}, "%slog directive declared in %sfile %s at line %s %s.", what, in, quoted(t.File, in), numbered(t.Line, in), err)
			}
		}
	}
	resolve(l.Config.Global.Logs, l.Starting(), "global ", "")
	for _, px := range l.Config.Proxies {
		resolve(px.Logs, l.Starting(), "", "proxy section '"+px.Name+"' in ")
	}
	for _, px := range l.Config.Agents {
		resolve(px.Logs, true, "", "SPOE agent section '"+px.Name+"' in ")
	}
	for _, px := range l.Config.Forwards {
		resolve(px.Logs, l.Starting(), "", "log-forward section '"+px.Name+"' in ")
	}
	for _, px := range l.Config.Apps {
		resolve(px.Logs, true, "", "fcgi-app section '"+px.Name+"' in ")
	}
}

// quoted and numbered show the place of a line: in a global section only the number has
// quotes, in others only the file.
func quoted(file, in string) string {
	if in == "" {
		return file
	}
	return "'" + file + "'"
}

func numbered(line int, in string) string {
	if in == "" {
		return fmt.Sprintf("'%d'", line)
	}
	return fmt.Sprint(line)
}

func resolveTarget(l *config.Loader, t *runtime.LogTarget) error {
	if name, ok := strings.CutPrefix(t.Text, "ring@"); ok {
		if err := findRing(l, name); err != nil {
			return err
		}
	}
	if name, ok := strings.CutPrefix(t.Text, "backend@"); ok {
		px := l.ProxyNamed(name)
		switch {
		case px == nil || px.Caps&runtime.CapBack == 0:
			return fmt.Errorf("uses unknown log backend '%s'", name)
		case px.Mode != runtime.ModeSyslog:
			return fmt.Errorf("uses incompatible log backend '%s'", name)
		}
		t.Backend = px
	}
	if t.Stream && !t.IsRing {
		sinksOf(l.Config).ofTarget(t)
	}
	if t.ProfileName == "" || t.Profile != nil {
		return nil
	}
	if t.Profile = config.State[profiles](l).named[t.ProfileName]; t.Profile == nil {
		return fmt.Errorf("unknown log-profile '%s'", t.ProfileName)
	}
	return nil
}

// findRing looks for a section of that name, or for one of the rings that are always there.
func findRing(l *config.Loader, name string) error {
	switch x := sinksOf(l.Config).named(name); {
	case x == nil:
	case x.kind == "buffer":
		return nil
	default:
		return fmt.Errorf("uses incompatible ring '%s'", name)
	}
	return fmt.Errorf("uses unknown ring named '%s'", name)
}
