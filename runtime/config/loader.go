// Package config reads a configuration: it pulls lines from the parser, hands
// each to the row of its keyword, and turns names into objects when all files
// are read. It holds the types of all rows and those rows that describe
// listeners, proxies, servers and the process itself; every other keyword
// stands with its domain.
package config

import (
	"strings"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

// Loader reads one configuration. Functions of rows are given it: it carries the
// tables, what was read so far, and the diagnostics.
type Loader struct {
	Config *runtime.Config // being made
	Tables *Tables
	List   *diag.List
	Env    *parser.Env

	// Proxy is the proxy or defaults section being read, nil in other sections.
	Proxy *runtime.Proxy

	section  section
	options  Options
	later    []func()
	missing  []use
	dormant  []use
	defaults defaultsState
	files    fileCache
	global   globalState
}

// use is one place where something Missing is written.
type use struct {
	pos  ast.Pos
	what string
}

// Alert adds an error in the shape `parsing [file:line] : text`; reading goes on.
func (l *Loader) Alert(pos ast.Pos, format string, args ...any) { l.List.Alert(pos, format, args...) }

// Abort adds an error in the same shape; nothing more is read.
func (l *Loader) Abort(pos ast.Pos, format string, args ...any) { l.List.Abort(pos, format, args...) }

// Warn adds a warning in the same shape.
func (l *Loader) Warn(pos ast.Pos, format string, args ...any) { l.List.Warn(pos, format, args...) }

// Missing records that the configuration uses something that is known and not
// supported. It refuses nothing at once: all uses are reported in the order of
// the files after the checks of the whole configuration.
func (l *Loader) Missing(pos ast.Pos, what string) {
	l.missing = append(l.missing, use{pos, what})
}

// Dormant records a line that only configures something Missing which nothing
// has referred to. All of them together are told in one notice.
func (l *Loader) Dormant(pos ast.Pos, what string) {
	l.dormant = append(l.dormant, use{pos, what})
}

// Later runs f when all files are read without error and the names of all
// objects are known, in the order of the calls.
func (l *Loader) Later(f func()) { l.later = append(l.later, f) }

// IgnoredWithout warns and reports true when the current proxy has none of the
// sides that what needs. hint may be empty; it follows the text as it is.
func (l *Loader) IgnoredWithout(caps runtime.Cap, pos ast.Pos, what, hint string) bool {
	if l.Proxy.Caps&caps != 0 {
		return false
	}
	l.Warn(pos, "'%s' ignored because %s '%s' has %s capability.%s", what, l.Proxy.Kind, l.Proxy.Name, without(caps), hint)
	return true
}

// RefusedWithout is IgnoredWithout with an error.
func (l *Loader) RefusedWithout(caps runtime.Cap, pos ast.Pos, what, hint string) bool {
	if l.Proxy.Caps&caps != 0 {
		return false
	}
	l.Alert(pos, "'%s' not allowed because %s '%s' has %s capability.%s", what, l.Proxy.Kind, l.Proxy.Name, without(caps), hint)
	return true
}

func without(caps runtime.Cap) string {
	switch caps {
	case runtime.CapBack:
		return "no backend"
	case runtime.CapFront:
		return "no frontend"
	case runtime.CapListen:
		return "neither frontend nor backend"
	}
	return "not enough"
}

// TooMany refuses a line that has more than most arguments behind the first
// words of it, which form the keyword.
func (l *Loader) TooMany(line *ast.Line, words, most int) bool {
	extra := line.Arg(words + most)
	if extra == "" {
		return false
	}
	l.Alert(line.Pos, "'%s' cannot handle unexpected argument '%s'.", strings.Join(line.Texts(nil, 0)[:words], " "), extra)
	return true
}

// InDefaults tells whether the current proxy is a defaults section.
func (l *Loader) InDefaults() bool { return l.Proxy != nil && l.Proxy.Caps&runtime.CapDefaults != 0 }
