// Package config reads a configuration: it pulls lines from the parser, hands
// each to the row of its keyword, and turns names into objects when all files
// are read. It holds the types of all rows and those rows that describe
// listeners, proxies, servers and the process itself; every other keyword
// stands with its domain.
package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"

	"hapax/acl"
	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
)

// Loader reads one configuration. Functions of rows are given it: it carries the
// tables, what was read so far, and the diagnostics.
type Loader struct {
	Config *runtime.Config // being made
	Tables *Tables
	List   *diag.List
	Env    *parser.Env

	// Samples turns words into expressions; Expr and Cond use it.
	Samples *sample.Compiler

	// Proxy is the proxy or defaults section being read, nil in other sections.
	Proxy *runtime.Proxy

	options     Options
	acls        *acl.Compiler
	discovering bool
	section     *Section
	pos         ast.Pos // of the line that is being read
	later       map[*runtime.Proxy][]func()
	fileOrder   map[string]int
	missing     []use
	dormant     []use

	defaults     defaultsState
	states       map[*runtime.Proxy]*proxyState
	byName       map[string]*runtime.Proxy // proxies but defaults
	global       globalState
	threadGroups int
	foreign      foreignState
	speaker      *serverSpeaker                  // of the server line whose options are read, else nil
	binding      []*runtime.Listener             // of the bind line being read
	datagrams    map[*runtime.Listener]bool      // whose socket is one of datagrams
	nextID       int                             // below it no backend that is added gets its number
	tables       map[string]*table.Table         // stick tables by name
	known        map[Sections]map[string]ast.Pos // where sections that others refer to begin, by name
	domainStates map[reflect.Type]any            // see State
	userlist     *runtime.Userlist
	userlists    []*runtime.Userlist // in the order of the files
	groups       []groupUsers
	errors       *runtime.HTTPErrors
	errorPos     map[string]ast.Pos // of http-errors sections
	formats      *logformat.Compiler
	replies      map[string]*runtime.Reply // error files by path
	hosts        map[hostKey]hostAnswer
	lastAddrs    map[*runtime.Server]netip.Addr // from state files
	guids        map[string]any                 // objects by unique identifier
	paths        defaultPath
	cpus         *cpuMap                       // nil without "cpu-map"
	cpuChoice    *cpuChoice                    // nil without "cpu-set"
	threadSets   map[*runtime.Bind][]bindRange // of bind lines with "thread"
	passed       int                           // errors of proxies that do not keep the next proxy from being looked at
	experimentOn bool                          // expose-experimental-directives
	experimented bool                          // something experimental was used
	deprecatedOn bool                          // expose-deprecated-directives
	scripted     bool                          // Tables are the loader's own: see ownTables
}

// use is one place where something Missing is written.
type use struct {
	pos  ast.Pos
	what string
}

// Alert adds an error in the shape `parsing [file:line] : text`; reading goes on.
func (l *Loader) Alert(pos ast.Pos, format string, args ...any) { l.List.Alert(pos, format, args...) }

// AlertTight is Alert without the space before the second colon, as some keywords
// have always written it.
func (l *Loader) AlertTight(pos ast.Pos, format string, args ...any) {
	l.List.Alertf(pos, "%s", diag.AtTight(pos, format, args...))
}

// Abort adds an error in the shape of Alert; nothing more is read.
func (l *Loader) Abort(pos ast.Pos, format string, args ...any) { l.List.Abort(pos, format, args...) }

// AbortTight is Abort in the shape of AlertTight.
func (l *Loader) AbortTight(pos ast.Pos, format string, args ...any) {
	l.List.Add(diag.Diagnostic{Severity: diag.Alert, Pos: pos, Fatal: true, Abort: true, Text: diag.AtTight(pos, format, args...)})
}

// Complain adds an alert in the shape of Alert that does not refuse the
// configuration.
func (l *Loader) Complain(pos ast.Pos, format string, args ...any) {
	l.List.Add(diag.Diagnostic{Severity: diag.Alert, Pos: pos, Text: diag.At(pos, format, args...)})
}

// Warn adds a warning in the shape of Alert.
func (l *Loader) Warn(pos ast.Pos, format string, args ...any) { l.List.Warn(pos, format, args...) }

// WarnTight adds a warning in the shape of AlertTight.
func (l *Loader) WarnTight(pos ast.Pos, format string, args ...any) {
	l.List.Warnf(pos, "%s", diag.AtTight(pos, format, args...))
}

// Diag adds in the shape of Alert what is only told with -dD.
func (l *Loader) Diag(pos ast.Pos, format string, args ...any) {
	l.List.Diagf(pos, "%s", diag.At(pos, format, args...))
}

// Report adds what a row's function returned: an error, or a Warning.
func (l *Loader) Report(pos ast.Pos, err error) {
	if w, ok := err.(Warning); ok {
		l.Warn(pos, "%s", printed(string(w)))
	} else if err != nil {
		l.Alert(pos, "%s", printed(err.Error()))
	}
}

// printed gives a text as it has always been printed: up to a zero byte, which an
// unexpected end of a value shows as a character, and with the empty line that some
// have behind them (the writer ends each message with one line feed).
func printed(text string) string {
	text, _, _ = strings.Cut(text, "\x00")
	if strings.HasSuffix(text, "\n") {
		return text + "\n"
	}
	return text
}

// Missing records that the configuration uses something that is known and not
// supported: what is named as `'what' is known to HAProxy ...`. It refuses nothing at once: all uses are reported in the order of
// the files after the checks of the whole configuration. What a section has that is
// Missing as a whole goes with it.
func (l *Loader) Missing(pos ast.Pos, what string) {
	inMissing := l.section != nil && l.section.Status == keyword.Missing
	if !l.discovering && !inMissing {
		l.missing = append(l.missing, use{pos, what})
	}
}

// Dormant records a line that only configures something Missing which nothing
// has referred to. All of them together are told in one notice.
func (l *Loader) Dormant(pos ast.Pos, what string) {
	if !l.discovering {
		l.dormant = append(l.dormant, use{pos, what})
	}
}

// Later runs f when all files are read without error and all proxies are known:
// among the checks of the current proxy, behind the resolution of its backends, in
// the order of the calls; outside of a proxy before all of them. It is not called
// for a disabled proxy. The Line of a row is reused by then: keep strings, not the
// Line.
func (l *Loader) Later(f func()) {
	if l.later == nil {
		l.later = map[*runtime.Proxy][]func(){}
	}
	l.later[l.Proxy] = append(l.later[l.Proxy], f)
}

// CheckRule is Later for what an action checks of the whole configuration; its
// error is told as `Proxy 'name': error.`
func (l *Loader) CheckRule(f func() error) {
	px, pos := l.Proxy, l.pos
	l.Later(func() {
		if err := f(); err != nil {
			l.List.Alertf(pos, "Proxy '%s': %s.", px.Name, err)
		}
	})
}

// Discovering tells that this is the first of two passes over the files, which
// reads keywords with Discover only.
func (l *Loader) Discovering() bool { return l.discovering }

// Starting tells that the process will serve and not only check its configuration.
func (l *Loader) Starting() bool { return l.options.Start }

// TrustsServers tells that the command line asks not to verify certificates of servers.
func (l *Loader) TrustsServers() bool { return l.options.TrustServers }

// Pos is the place of the line being read.
func (l *Loader) Pos() ast.Pos { return l.pos }

// Deprecated tells whether deprecated directives are to be warned about.
func (l *Loader) Deprecated() bool { return !l.deprecatedOn }

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

// RefusedInDefaults refuses a keyword that a defaults section cannot have.
func (l *Loader) RefusedInDefaults(pos ast.Pos, what string) bool {
	if !l.InDefaults() {
		return false
	}
	l.Alert(pos, "'%s' not allowed in 'defaults' section.", what)
	return true
}

// RefusedInAnonymous refuses rules in a defaults section without a name.
func (l *Loader) RefusedInAnonymous(pos ast.Pos, what string) bool {
	if !l.InDefaults() || l.Proxy.Name != "" {
		return false
	}
	l.Alert(pos, "'%s' not allowed in anonymous 'defaults' section.", what)
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

// TooMany refuses a line that has more than most arguments behind its first words,
// which form the keyword.
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

// Experimental refuses what is experimental and not allowed.
func (l *Loader) Experimental(what string) (err error) {
	l.experimental(what, &err)
	return err
}

// experimental reports whether what may be used, and leaves the text of the
// refusal in err when not.
func (l *Loader) experimental(what string, err *error) bool {
	if !l.experimentOn {
		*err = fmt.Errorf("%s is experimental, must be allowed via a global 'expose-experimental-directives'", what)
		return false
	}
	l.experimented = true
	l.Config.Stats.Tainted.Or(runtime.TaintDeclared)
	return true
}
