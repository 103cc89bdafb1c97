package config

import (
	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/stats/cli"
)

// Domain is everything that one package declares. The program has ONE ordered
// list of domains; parsing, listings and documentation are derived from it.
//
// No function of a row may refer to a table or to its own Domain: look-ups go
// through the Loader that the function is given.
type Domain struct {
	Name        string
	Sections    []Section
	Fetches     []sample.Fetch
	Converters  []sample.Converter
	Keywords    []Keyword
	Options     []Option
	BindWords   []BindWord
	ServerWords []ServerWord
	Actions     []Action
	Aliases     []logformat.Alias
	Commands    []cli.Command

	// Inherit copies what the domain keeps in a proxy (or in Proxy.Ext) from its
	// defaults section. Fields of the object model are copied here already: those
	// in Balance, Cookie, Check, Forwarded and Ext by reference. May be nil.
	Inherit func(px, from *runtime.Proxy)

	// CopyServer copies what the domain keeps in a server from a "default-server" line
	// or between the servers of a template; Server.TLS and Server.Check are copied
	// here, by reference. May be nil.
	CopyServer func(dst, src *runtime.Server)

	// EndFrontend is called behind the last line of a frontend or listen section. May be
	// nil.
	EndFrontend func(l *Loader, px *runtime.Proxy)

	// CheckMode is called for each proxy that is not disabled as the first of its
	// checks: what needs HTTP mode is taken back with a warning there. May be nil.
	CheckMode func(l *Loader, px *runtime.Proxy)

	// CheckLines is called for each proxy that is not disabled before its default backend
	// is looked up: lines that do not go together are told there. May be nil.
	CheckLines func(l *Loader, px *runtime.Proxy)

	// CheckProxy is called for each proxy that is not disabled, in the order of the
	// files, within the checks of that proxy: behind the resolution of its backends
	// and rules, before the arguments of its expressions are resolved. May be nil.
	CheckProxy func(l *Loader, px *runtime.Proxy)

	// FinishServer is called for each server of a proxy behind CheckProxy, and for
	// a server that the runtime API adds: it makes what the words of the line have
	// asked for. May be nil.
	FinishServer func(l *Loader, srv *runtime.Server)

	// ServersDone is called for each proxy that is not disabled when all of its servers have
	// numbers and states. May be nil.
	ServersDone func(l *Loader, px *runtime.Proxy)

	// CheckFilters is called for each proxy that is not disabled as the last of its checks. May be nil.
	CheckFilters func(l *Loader, px *runtime.Proxy)

	// LeaveServer is called when the runtime API has deleted a server: it forgets what
	// FinishServer has made. May be nil.
	LeaveServer func(cfg *runtime.Config, srv *runtime.Server)

	// CheckServer is called for each server of each proxy that is not disabled when
	// all proxies were checked without error. May be nil.
	CheckServer func(l *Loader, srv *runtime.Server)

	// CheckEnd is called for each proxy that is not disabled behind CheckServer: the last
	// look at it as a whole. May be nil.
	CheckEnd func(l *Loader, px *runtime.Proxy)

	// Check is called once when all proxies were checked without error, in the order
	// of the domains. It makes the domain's checks of the whole configuration. May be
	// nil.
	Check func(l *Loader)
}

// Sections is a set of sections.
type Sections uint32

const (
	Global Sections = 1 << iota
	Defaults
	Frontend
	Backend
	Listen
	Userlist
	HTTPErrors
	Peers
	Resolvers
	Mailers
	Cache
	Ring
	LogForward
	LogProfile
	FCGIApp
	CrtStore
	ACME
	Traces
	Healthcheck
	NamespaceList

	// Proxies are the four sections that share one table of keywords: a keyword
	// that has no meaning in one of them is known there all the same, and its
	// Parse says so (see Loader.IgnoredWithout and Loader.RefusedWithout).
	Proxies = Defaults | Frontend | Backend | Listen
)

// Keyword is the row of a keyword that starts a line of a section. A Name of
// several words ("timeout client") matches them all; the longest match wins.
type Keyword struct {
	keyword.Doc
	In Sections

	// No tells that "no" and "default" may stand before the keyword: Parse finds
	// which in Line.Modifier.
	No bool

	// Discover tells that the keyword of the global section is read in the first
	// pass too, which looks for what must be known before anything else: Parse is
	// called in both, and Loader.Discovering tells which one it is.
	Discover bool

	// Experimental keywords want "expose-experimental-directives".
	Experimental bool

	// Dormant goes with Missing: the line only configures a feature, and means
	// nothing as long as nothing refers to it.
	Dormant bool

	// Parse reads the line; Arg(0) is the first word of the keyword, so the
	// arguments of a keyword of two words start at 2. It reports through the
	// Loader. Nil for a row that is Missing, or Inert and accepted as it stands.
	Parse func(l *Loader, line *ast.Line)
}

// Section is the row of a section.
type Section struct {
	keyword.Doc
	Kind Sections

	// Start reads the header; End, if any, is called behind the section's last line.
	// Nil for a Missing section: its lines are looked up, not read.
	Start func(l *Loader, line *ast.Line)
	End   func(l *Loader)

	// Experimental sections want "expose-experimental-directives".
	Experimental bool

	// Strict tells that nothing is read behind an error in the section.
	Strict bool

	// Unknown refuses a word that the section does not have, where that is not said in
	// the usual words. May be nil.
	Unknown func(l *Loader, line *ast.Line)

	// Dormant goes with Missing: see Keyword.
	Dormant bool
}

// Option is the row of a word behind "option".
type Option struct {
	keyword.Doc

	// Caps are the sides of a proxy that the option is for. A proxy that has none
	// of them ignores it with a warning. Options with a Parse check themselves.
	Caps runtime.Cap

	// HTTP tells that the option has no meaning in another mode: it is then
	// switched off with a warning.
	HTTP bool

	// Flag is the bit of a plain switch. It is handled here: "option", "no option"
	// and "default option" without further arguments.
	Flag runtime.Option

	// No tells that a Parse accepts "no" and "default" (a plain switch always does).
	No bool

	// Parse reads an option that is more than a switch. Arg(0) is "option", Arg(1)
	// the row's name.
	Parse func(l *Loader, line *ast.Line)
}

// BindWord is the row of an option of a "bind" line (section 5.1).
type BindWord struct {
	keyword.Doc

	// Parse is called with the cursor behind the word and takes its arguments.
	// The text of the error is printed behind `'bind <addr>' in section '<name>' : `
	// and usually starts with the word in quotes. A Warning lets the line go on.
	Parse func(l *Loader, w *Words, b *runtime.Bind) error
}

// ServerWord is the row of an option of a "server" line (section 5.2).
type ServerWord struct {
	keyword.Doc

	// NotDefault tells that the word is refused on a "default-server" line.
	NotDefault bool
	// NotDynamic tells that "add server" on the CLI refuses the word.
	NotDynamic bool

	// Parse is called with the cursor behind the word and takes its arguments. On
	// a "default-server" line srv is the template. The text of the error is printed
	// behind `'server b/s1' : `. A Warning lets the line go on.
	Parse func(l *Loader, w *Words, srv *runtime.Server) error
}

// Action is the row of an action of rule lines.
type Action struct {
	keyword.Doc

	// In are the rule sets that know the action.
	In runtime.RulesetKind

	// Final tells that no rule behind an unconditional one is ever reached.
	Final bool

	// Experimental actions want "expose-experimental-directives".
	Experimental bool

	// Parse reads the arguments: the cursor stands behind the action's word and is
	// left at the condition or at the end of the line. It returns what the action
	// does; the text of the error is printed behind
	// `error detected in frontend 'f' while parsing 'http-request deny' rule : `.
	Parse func(l *Loader, a *ActionLine) (runtime.Exec, error)
}

// ActionLine is what the Parse of an action reads.
type ActionLine struct {
	Words
	Name  string              // the action as written: "sc-inc-gpc0(1)" for the prefix row "sc-inc-gpc0"
	Kind  runtime.RulesetKind // exactly one bit
	Proxy *runtime.Proxy      // where the rule stands; the object of a defaults section too
	Rule  *runtime.Rule       // being made: Parse may fill fields beside Do

	// At is where expressions of the rule are evaluated: of a "listen" both sides,
	// of a defaults section what it may be used for.
	At sample.Checkpoint

	// Plain tells the action "redirect" that the line is a "redirect" line, whose
	// texts are no log formats.
	Plain bool
}

// Words is a cursor over the words of a line. An empty word is the end.
type Words struct {
	Line *ast.Line
	next int
}

// NewWords starts at word i of the line.
func NewWords(line *ast.Line, i int) Words { return Words{Line: line, next: i} }

// Peek returns the next word without taking it, "" at the end.
func (w *Words) Peek() string { return w.Line.Arg(w.next) }

// PeekAt returns the word n places behind the next one.
func (w *Words) PeekAt(n int) string { return w.Line.Arg(w.next + n) }

// Take returns the next word, "" at the end.
func (w *Words) Take() string {
	s := w.Line.Arg(w.next)
	if s != "" {
		w.next++
	}
	return s
}

// Skip takes n words.
func (w *Words) Skip(n int) { w.next = min(w.next+n, len(w.Line.Words)) }

// TakeIf takes the next word if it is this one.
func (w *Words) TakeIf(word string) bool {
	if word == "" || w.Peek() != word {
		return false
	}
	w.next++
	return true
}

// Done tells whether all words were taken.
func (w *Words) Done() bool { return w.Peek() == "" }

// AtCond tells whether a condition starts here.
func (w *Words) AtCond() bool { s := w.Peek(); return s == "if" || s == "unless" }

// Index is the place of the next word in the line.
func (w *Words) Index() int { return w.next }

// Seek goes to word i of the line.
func (w *Words) Seek(i int) { w.next = i }

// Rest returns the words that are left. They are copies and stay valid.
func (w *Words) Rest() []string { return w.Line.Texts(nil, w.next) }

// Pos is the place of the line.
func (w *Words) Pos() ast.Pos { return w.Line.Pos }

// Warning is an error that is printed as a warning and refuses nothing.
type Warning string

func (w Warning) Error() string { return string(w) }
