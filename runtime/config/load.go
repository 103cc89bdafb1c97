package config

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"hapax/acl/sample"
	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// Options are what the command line and the program around tell the loader.
type Options struct {
	Predicates parser.Predicates

	// Variables are set while files are read and removed afterwards: the predefined
	// log formats.
	Variables [][2]string

	// Lasting are set while files are read, and stay.
	Lasting [][2]string

	// MaxConnPerProxy is -N: the maxconn of proxies that give none.
	MaxConnPerProxy int

	// MasterWorker is -W, and Systemd -Ws besides: keywords that say the same or clash are told.
	MasterWorker, Systemd bool

	// TrustServers is -dV: certificates of servers are not verified unless the configuration says so.
	TrustServers bool

	// Unresolved is -dr: servers whose name cannot be looked up start disabled.
	Unresolved bool

	// LookUp finds the address of a host name; nil asks the system's resolver.
	LookUp func(name string, family runtime.Family) (netip.Addr, bool)

	// Localpeer is -L: the name of this process among peers.
	Localpeer string

	// IPv4Only is -4: names are resolved to addresses of IPv4 only.
	IPv4Only bool

	// NoSplice is -dS or -dF: the kernel passes nothing on by itself.
	NoSplice bool

	// Pidfile is -p: it comes before the keyword.
	Pidfile string

	// Start tells that the process will serve and not only check its configuration:
	// some names are looked up only then.
	Start bool

	// Discovered tells that the process which started this one has made the first pass
	// and printed what it found: it is made again in silence.
	Discovered bool

	dump *dumper // takes the lines instead of the sections; nil: they are understood
}

// Load reads files and resolves all names. The diagnostics are in list, which also
// prints them; ok is false when the configuration is refused. env is changed by
// setenv and its kin.
func Load(tables *Tables, files []*ast.File, env *parser.Env, list *diag.List, o Options) (c *runtime.Config, ok bool) {
	l := newLoader(tables, files, env, list, o)
	out := list.Out
	if o.Discovered {
		list.Out = nil
	}
	ok = l.pass(files, true)
	list.Out = out
	if !ok || !l.pass(files, false) {
		return nil, false
	}
	list.Prefix = ""
	if !l.resolve() {
		return nil, false
	}
	return l.Config, true
}

// Discover makes the first pass only: it finds what a process must know that will
// start another one to load the whole ("daemon", "master-worker", "pidfile" and their
// kin).
func Discover(tables *Tables, files []*ast.File, env *parser.Env, list *diag.List, o Options) (c *runtime.Config, ok bool) {
	l := newLoader(tables, files, env, list, o)
	ok = l.pass(files, true)
	list.Prefix = ""
	return l.Config, ok
}

func newLoader(tables *Tables, files []*ast.File, env *parser.Env, list *diag.List, o Options) *Loader {
	l := &Loader{
		Config:  newConfig(),
		Tables:  tables,
		List:    list,
		Env:     env,
		options: o,
		states:  map[*runtime.Proxy]*proxyState{},
		guids:   map[string]any{},
		byName:  map[string]*runtime.Proxy{},
		replies: map[string]*runtime.Reply{},

		fileOrder: map[string]int{},
		datagrams: map[*runtime.Listener]bool{},
	}
	if l.options.LookUp == nil {
		l.options.LookUp = LookUp
	}
	l.newCompilers()
	if o.IPv4Only {
		l.Config.Global.Families = []string{"ipv4"}
	}
	l.Config.Global.Localpeer, l.Config.Global.Pidfile, l.Config.Global.NoSplice = o.Localpeer, o.Pidfile, o.NoSplice
	for i, file := range files {
		l.fileOrder[file.Name] = i
	}
	return l
}

// pass reads all files once.
func (l *Loader) pass(files []*ast.File, discovering bool) bool {
	l.List.Prefix = "config"
	l.discovering = discovering
	return l.readAll(files)
}

func newConfig() *runtime.Config {
	c := &runtime.Config{
		Userlists: map[string]*runtime.Userlist{},
		HTTPErrs:  map[string]*runtime.HTTPErrors{},
		Vars:      &sample.VarNames{},
	}
	setDefaults(&c.Global)
	return c
}

// readAll makes one pass over the files.
func (l *Loader) readAll(files []*ast.File) bool {
	for _, v := range l.options.Variables {
		l.Env.Set(v[0], v[1])
	}
	for _, v := range l.options.Lasting {
		l.Env.Set(v[0], v[1])
	}
	l.Env.Set("HAPROXY_BRANCH", branch(l.options.Predicates.Version))
	if !l.discovering {
		l.setLocalpeer()
	}
	var names []string
	for _, file := range files {
		if err := l.paths.enter(file.Name); err != nil {
			l.List.Alertf(ast.Pos{}, "parsing [%s:0]: failed to apply default-path: %s.", file.Name, err)
			return false
		}
		read := l.readFile(file)
		if err := l.paths.leave(); err != nil {
			l.List.Alertf(ast.Pos{}, "%s", err)
			return false
		}
		if !read {
			return false
		}
		names = append(names, file.Name)
	}
	for _, v := range l.options.Variables {
		l.Env.Unset(v[0])
	}
	if l.List.Fatal() > 0 {
		l.List.Alertf(ast.Pos{}, "Fatal errors found in configuration.")
		return false
	}
	l.Env.Set("HAPROXY_CFGFILES", strings.Join(names, ";"))
	return true
}

// branch is the first two numbers of a version.
func branch(version string) string {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	return major + "." + minor
}

// setLocalpeer tells the files the name of this process among peers: the first pass
// has read it.
func (l *Loader) setLocalpeer() {
	g := &l.Config.Global
	if g.Localpeer == "" {
		g.Localpeer, _ = os.Hostname()
	}
	l.Env.Set("HAPROXY_LOCALPEER", g.Localpeer)
}

func (l *Loader) readFile(file *ast.File) bool {
	x := parser.NewExpander(file, l.Env, l.List, parser.Options{
		Discovery:  l.discovering,
		Undecided:  l.options.dump != nil,
		IsSection:  func(word string) bool { return l.Tables.Sections.Get(word) != nil && !l.foreign.noSections },
		Predicates: l.options.Predicates,
	})
	l.section = nil
	for {
		line, more := x.Next()
		if !more {
			break
		}
		if l.options.dump != nil {
			l.options.dump.line(l, line)
			continue
		}
		l.pos, l.Samples.Pos = line.Pos, line.Pos
		before := l.List.Fatal()
		if line.Header {
			l.endSection()
			l.beginSection(line)
		} else if l.section != nil {
			l.readLine(line)
		}
		if l.section != nil && l.section.Strict && l.List.Fatal() > before {
			l.List.Stop()
		}
	}
	if !x.Stopped() {
		l.endSection()
	}
	return x.Close()
}

func (l *Loader) beginSection(line *ast.Line) {
	l.section = l.Tables.Sections.Get(line.Arg(0))
	l.Proxy = nil
	if l.discovering {
		if l.section.Kind == Global {
			l.section.Start(l, line)
		}
		return
	}
	if l.section.Status == keyword.Missing {
		l.missed(l.section.Dormant, "section "+l.section.Name)
	}
	if l.section.Start != nil && l.exposed(line) {
		l.section.Start(l, line)
	}
}

// exposed refuses a line of a section that is experimental and not allowed.
func (l *Loader) exposed(line *ast.Line) bool {
	if !l.section.Experimental {
		return true
	}
	if !l.experimentOn {
		l.AlertTight(line.Pos, "section '%s' is experimental, must be allowed via a global 'expose-experimental-directives'", l.section.Name)
		return false
	}
	l.experimented = true
	return true
}

// endProxy leaves the expressions of the lines of a proxy with it.
func (l *Loader) endProxy() {
	if l.Proxy != nil {
		st := l.state(l.Proxy)
		st.unresolved = append(st.unresolved, l.Samples.Take()...)
	}
}

// endFrontend tells the domains that a frontend is read.
func (l *Loader) endFrontend() {
	if l.Proxy == nil || l.section.Kind&(Frontend|Listen) == 0 {
		return
	}
	for _, d := range l.Tables.Domains {
		if d.EndFrontend != nil {
			d.EndFrontend(l, l.Proxy)
		}
	}
}

func (l *Loader) endSection() {
	l.endProxy()
	if l.section != nil && !l.discovering {
		if l.section.End != nil {
			l.section.End(l)
		}
		l.endFrontend()
	}
	l.section = nil
}

func (l *Loader) missed(dormant bool, what string) {
	switch {
	case l.discovering:
	case dormant:
		l.Dormant(l.pos, what)
	default:
		l.missing = append(l.missing, use{l.pos, what})
	}
}

// readLine hands a line to the row of its keyword.
func (l *Loader) readLine(line *ast.Line) {
	if l.foreign.noSections && l.section.Kind&Proxies != 0 && slices.Contains(proxySectionNames, line.Arg(0)) {
		l.endProxy()
		startProxy(l, line)
		return
	}
	if l.section.Kind&Proxies != 0 && l.Proxy == nil {
		l.Alert(line.Pos, "'listen' or 'defaults' expected.")
		return
	}
	table := l.Tables.Keywords(l.section.Kind)
	row, words := table.Match(line.Arg)
	if l.discovering && (row == nil || !row.Discover) {
		return
	}
	if row == nil {
		l.unknown(line, table)
		return
	}
	name := joinWords(line, words)
	if row.Experimental {
		var err error
		if !l.experimental("'"+name+"' directive", &err) {
			l.Alert(line.Pos, "%s", err)
			return
		}
	}
	if row.Parse != nil {
		row.Parse(l, line)
	}
	if row.Status == keyword.Missing && l.section.Status != keyword.Missing {
		l.missed(row.Dormant, name)
	}
}

// unknown refuses a keyword that the section does not have.
func (l *Loader) unknown(line *ast.Line, table *keyword.Table[Keyword]) {
	if table.Len() == 0 {
		return
	}
	word := line.Arg(0)
	if l.section.Unknown != nil {
		l.section.Unknown(l, line)
		return
	}
	if l.section.Kind == Userlist {
		if l.globalInUserlist(line) {
			return
		}
		l.AlertTight(line.Pos, "unknown keyword '%s' in '%s' section", word, l.section.Name)
		return
	}
	hint := ""
	for _, known := range knownKeywords {
		if known.in&l.section.Kind == 0 {
			continue
		}
		if best := keyword.Suggest(word, known.suggested); best != "" {
			hint = fmt.Sprintf("; did you mean '%s' maybe ?", best)
		}
	}
	name := l.section.Name
	if hint == "" && l.section.Kind == Traces {
		name = "global" // as the reference has it
	}
	l.Alert(line.Pos, "unknown keyword '%s' in '%s' section%s", word, name, hint)
}

// Extend keeps what a domain knows of a proxy in Proxy.Ext.
func (l *Loader) Extend(px *runtime.Proxy, key string, value any) {
	if px.Ext == nil {
		px.Ext = map[string]any{}
	}
	px.Ext[key] = value
}

// joinWords gives the first n words of a line, the keyword as it was written.
func joinWords(line *ast.Line, n int) string {
	if n == 1 {
		return line.Arg(0)
	}
	return strings.Join(line.Texts(nil, 0)[:n], " ")
}

func firstWord(name string) string {
	head, _, _ := strings.Cut(name, " ")
	return head
}
