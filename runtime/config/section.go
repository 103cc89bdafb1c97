package config

import (
	"reflect"
	"slices"
	"time"

	"hapax/acl"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/sticktable/table"
)

// State returns what a domain keeps while it reads a configuration, one value of the
// type for each Loader: names that it has seen, say, and the section that is being read.
func State[T any](l *Loader) *T {
	key := reflect.TypeFor[T]()
	if s, ok := l.domainStates[key]; ok {
		return s.(*T)
	}
	if l.domainStates == nil {
		l.domainStates = map[reflect.Type]any{}
	}
	s := new(T)
	l.domainStates[key] = s
	return s
}

// InvalidChar finds the first character that a name may not have; an empty name is at
// fault too, with a zero byte.
func InvalidChar(name string) (c Char, bad bool) { return invalidChar(name) }

// SectionName reads the name of a section's header in the words that most sections
// share. It stops the reading when there is none or a bad one.
func (l *Loader) SectionName(line *ast.Line) (name string, ok bool) {
	section, name := line.Arg(0), line.Arg(1)
	if name == "" {
		l.Abort(line.Pos, "missing name for %s section.", section)
		return "", false
	}
	if c, bad := invalidChar(name); bad {
		l.Abort(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, section, name)
		return "", false
	}
	return name, true
}

// Clash reports in the words that sections share that a name is taken. text has the
// place of the other one in its last two verbs.
func (l *Loader) Clash(pos ast.Pos, abort bool, format string, args ...any) {
	l.parsing(pos, abort, format, args...)
}

// ServerLine reads a "server" line of a section that is no proxy, whose name is looked
// up at once: px has the servers. It tells whether one was added.
func (l *Loader) ServerLine(px *runtime.Proxy, line *ast.Line) bool {
	return l.foreignServer(px, line, serverForm{use: serverAddr | AddrResolve})
}

// PeerLine reads a line that describes a peer as a server; bare is one without address.
func (l *Loader) PeerLine(px *runtime.Proxy, line *ast.Line, bare bool) bool {
	return l.foreignServer(px, line, serverForm{bare: bare, use: AddrPort | AddrNeedPort | AddrStream | AddrDgram | AddrResolve})
}

func (l *Loader) foreignServer(px *runtime.Proxy, line *ast.Line, form serverForm) bool {
	defer l.Within(px)()
	n := len(px.Servers)
	l.serverLine(line, form)
	return len(px.Servers) > n
}

// FinishServers completes the servers of a section that is no proxy, once their lines are read.
func (l *Loader) FinishServers(px *runtime.Proxy) {
	defer l.Within(px)()
	for _, d := range l.Tables.Domains {
		for _, srv := range px.Servers {
			if d.FinishServer != nil {
				d.FinishServer(l, srv)
			}
		}
	}
	l.resolveArguments(px)
}

// DefaultServerLine reads a "default-server" line of a section that is no proxy.
func (l *Loader) DefaultServerLine(px *runtime.Proxy, line *ast.Line) {
	defer l.Within(px)()
	defaultServer(l, line)
}

// Within makes px the current proxy until what it returns is called.
func (l *Loader) Within(px *runtime.Proxy) (leave func()) {
	outer := l.Proxy
	l.Proxy = px
	return func() { l.Proxy = outer }
}

// BindLine reads a "bind" line of a section that is no proxy: px has the listeners. It
// returns those that were made.
func (l *Loader) BindLine(px *runtime.Proxy, line *ast.Line) []*runtime.Listener {
	b := l.NewBind(px, line.Pos)
	listeners, ok := l.BindAddress(px, line, b, 1)
	if ok {
		l.BindOptions(px, line, 2, b, listeners)
	}
	return listeners
}

// NewBind adds a bind line to a section that is no proxy.
func (l *Loader) NewBind(px *runtime.Proxy, pos ast.Pos) *runtime.Bind {
	b := &runtime.Bind{Pos: pos, UID: -1, GID: -1}
	px.Binds = append(px.Binds, b)
	return b
}

// BindAddress reads the addresses of a bind line, word at: px has the listeners.
func (l *Loader) BindAddress(px *runtime.Proxy, line *ast.Line, b *runtime.Bind, at int) (listeners []*runtime.Listener, ok bool) {
	defer l.Within(px)()
	b.Text = line.Arg(at)
	listeners, err := l.listeners(px, b, "")
	px.Listeners = append(px.Listeners, listeners...)
	if err != nil {
		l.Alert(line.Pos, "'%s %s' : %s", line.Arg(0), line.Arg(1), indent(err.Error(), 2))
		return nil, false
	}
	return listeners, true
}

// BindOptions reads the options of a line in the manner of "bind", from word at on.
func (l *Loader) BindOptions(px *runtime.Proxy, line *ast.Line, at int, b *runtime.Bind, listeners []*runtime.Listener) {
	defer l.Within(px)()
	l.bindOptions(line, at, b, listeners)
}

// SectionTime reads a time in milliseconds, value, in the words that sections share;
// shown is what they quote as the argument, what the keyword.
func (l *Loader) SectionTime(pos ast.Pos, value, shown, what string) (time.Duration, bool) {
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		return d, true
	case fault.Over:
		l.AlertTight(pos, "timer overflow in argument <%s> to <%s>, maximum value is 2147483647 ms (~24.8 days).", shown, what)
	case fault.Under:
		l.AlertTight(pos, "timer underflow in argument <%s> to <%s>, minimum non-null value is 1 ms.", shown, what)
	default:
		l.AlertTight(pos, "unexpected character '%c' in argument to <%s>.", fault.Char, what)
	}
	return 0, false
}

// SuspiciouslySmall tells whether a time is a small number without unit.
func SuspiciouslySmall(text string) bool { return bareBelow(text, 100) }

// Atol reads a number as most keywords do: what follows the digits is ignored, and
// text that starts with no number is 0.
func Atol(text string) int { return atol(text) }

// Strtol reads the number at the start of text and gives what follows it.
func Strtol(text string, base int64) (n int64, rest string) { return strtol(text, base) }

// MissingRow is the row of a keyword that is read and checked as the reference does it,
// and that is Missing all the same.
func MissingRow(in Sections, name, ref, summary string, args []keyword.Arg, parse func(*Loader, *ast.Line)) Keyword {
	return Keyword{Doc: keyword.Doc{Name: name, Ref: ref, Summary: summary, Status: keyword.Missing, Args: args}, In: in, Parse: parse}
}

// Indent prepares a text that is quoted inside of another one.
func Indent(text string, spaces int) string { return indent(text, spaces) }

// AddTable makes a stick table known to expressions and rules.
func (l *Loader) AddTable(t *table.Table) {
	if l.tables == nil {
		l.tables = map[string]*table.Table{}
	}
	l.tables[t.Name] = t
	l.Config.Tables = slices.Insert(l.Config.Tables, 0, t)
}

// Table finds a stick table that a rule or an expression names; nil when there is none.
func (l *Loader) Table(name string) *table.Table { return l.tables[name] }

// Know makes the name of a section known to those that refer to it; pos is where its header stands.
func (l *Loader) Know(kind Sections, name string, pos ast.Pos) {
	if l.known == nil {
		l.known = map[Sections]map[string]ast.Pos{}
	}
	if l.known[kind] == nil {
		l.known[kind] = map[string]ast.Pos{}
	}
	l.known[kind][name] = pos
}

// Known tells whether there is a section of that name.
func (l *Loader) Known(kind Sections, name string) bool {
	_, known := l.KnownAt(kind, name)
	return known
}

// KnownAt tells where the section of that name begins.
func (l *Loader) KnownAt(kind Sections, name string) (at ast.Pos, known bool) {
	at, known = l.known[kind][name]
	return at, known
}

// KnowFirst makes the name in a section's header known, and tells whether it is the first
// of its name; a second one is an error.
func (l *Loader) KnowFirst(kind Sections, line *ast.Line) bool {
	section, name := line.Arg(0), line.Arg(1)
	other, taken := l.KnownAt(kind, name)
	if taken {
		l.Clash(line.Pos, false, "%s section '%s' has the same name as another %s section declared at %s:%d.", section, name, section, other.File, other.Line)
	}
	l.Know(kind, name, line.Pos)
	return !taken
}

// ErrnoText is what the system says about a failure, as messages have it.
func ErrnoText(err error) string { return errnoText(cause(err)) }

// ProxyNamed finds a frontend, backend or listen section; nil when there is none.
func (l *Loader) ProxyNamed(name string) *runtime.Proxy { return l.byName[name] }

// DatagramLine reads a line that makes datagram sockets: px has the listeners.
func (l *Loader) DatagramLine(px *runtime.Proxy, line *ast.Line) {
	defer l.Within(px)()
	b := &runtime.Bind{Pos: line.Pos, Text: line.Arg(1), UID: -1, GID: -1, Datagrams: true}
	listeners, err := l.listeners(px, b, "")
	px.Listeners = append(px.Listeners, listeners...)
	if err != nil {
		l.Alert(line.Pos, "'%s %s' : %s", line.Arg(0), b.Text, indent(err.Error(), 2))
		return
	}
	l.datagramOptions(line, 2, b, listeners)
}

// datagramOptions reads the options from word at on.
func (l *Loader) datagramOptions(line *ast.Line, at int, b *runtime.Bind, listeners []*runtime.Listener) {
	l.binding = listeners
	for w := NewWords(line, at); !w.Done(); {
		word := w.Take()
		row := l.Tables.BindWords.Get(word)
		if row == nil {
			l.Alert(line.Pos, "unknown keyword '%s' in '%s' section%s", word, l.section.Name, l.suggestBindWord(word, "; did you mean '%s' maybe ?", "."))
			return
		}
		err := l.bindWord(row, &w, b)
		if _, mild := err.(Warning); err != nil && !mild {
			l.Alert(line.Pos, "%s", indent(err.Error(), 2))
			return
		} else if mild {
			l.Alert(line.Pos, "%s", indent(err.Error(), 2)) // an alert all the same
		}
	}
}

// Scratch makes a proxy that keeps what a section holds which is no proxy itself.
func (l *Loader) Scratch(name string, pos ast.Pos) *runtime.Proxy {
	px := &runtime.Proxy{Name: name, Kind: "backend", Caps: runtime.CapBack, Pos: pos}
	l.newACLs(px)
	return px
}

// ForeignACL reads the words behind "acl" of a section that is no proxy.
func (l *Loader) ForeignACL(px *runtime.Proxy, words []string) error {
	defer l.Within(px)()
	l.For(sample.InACL)
	_, err := l.acls.ACL(px.ACLs, words[0], words[1:])
	l.Samples.Take() // names in it are not looked up
	return err
}

// ForeignCond reads a condition of a section that is no proxy.
func (l *Loader) ForeignCond(px *runtime.Proxy, w *Words) (*acl.Cond, error) {
	defer l.Within(px)()
	cond, err := l.Cond(w)
	l.Samples.Take()
	return cond, err
}
