package config

import (
	"strings"

	"hapax/acl"
	"hapax/acl/logformat"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// newCompilers makes what turns words into expressions and conditions.
func (l *Loader) newCompilers() {
	c := l.Config
	c.Patterns = &pattern.Refs{}
	c.ProcVars = sample.NewProcVars(&c.VarLimits)
	l.compilers()
}

func (l *Loader) compilers() {
	c := l.Config
	l.Samples = &sample.Compiler{
		Fetches:    l.Tables.Fetches,
		Converters: l.Tables.Converters,
		Names:      c.Vars,
		Proc:       c.ProcVars,
		Missing:    func(kind string, doc *keyword.Doc) { l.Missing(l.Samples.Pos, kind+" "+doc.Name) },
		Warn:       func(text string) { l.List.Warnf(l.pos, "%s", printed(text)) },
		LookUp:     l,
	}
	l.formats = &logformat.Compiler{Samples: l.Samples, Aliases: l.Tables.Aliases, Warn: l.Samples.Warn}
	l.acls = &acl.Compiler{
		Samples:  l.Samples,
		Patterns: c.Patterns,
		Warn:     l.Samples.Warn,
		Diagnose: func(text string) { l.List.Diagf(l.pos, "%s", text) },
	}
}

// Aside is a loader for single expressions and formats that are read while the process runs, beside the one that
// read the configuration. from stands for the file in messages.
func Aside(cfg *runtime.Config, use sample.Use, from string) *Loader {
	of := cfg.Loader.(*Loader)
	l := &Loader{Config: cfg, Tables: of.Tables, byName: of.byName, List: &diag.List{}}
	l.compilers()
	l.For(use)
	l.Samples.Pos.File = from
	return l
}

// ResolveAside resolves what the expressions read so far name, for a proxy called name that is none.
func (l *Loader) ResolveAside(name string) error {
	d := directory{l, &runtime.Proxy{Name: name}}
	for _, u := range l.Samples.Take() {
		if err := u.Resolve(d); err != nil {
			return err
		}
	}
	return nil
}

// ACLs gives the compiler of conditions and the ACLs of the current proxy: the
// fetch acl() asks for them.
func (l *Loader) ACLs() (*acl.Compiler, *acl.Set) {
	if l.Proxy == nil {
		return l.acls, &acl.Set{}
	}
	return l.acls, l.Proxy.ACLs
}

// Patterns gives the registry of maps and pattern files: the map converters ask
// for it.
func (l *Loader) Patterns() *pattern.Refs { return l.Config.Patterns }

func (l *Loader) newACLs(px *runtime.Proxy) { px.ACLs = &acl.Set{} }

// For tells for which kind of rule expressions are read from now on; diagnostics
// about their arguments say so. It is set for each rule line already.
func (l *Loader) For(use sample.Use) { l.Samples.Use = use }

// Expr reads a sample expression at the cursor, converters in words of their own
// included. Whether it can be evaluated where it stands is the caller's to check
// (Expr.ValidAt), as each place has its own text for that.
func (l *Loader) Expr(w *Words) (*sample.Expr, error) {
	e, used, err := l.Samples.Parse(w.Rest())
	if err == nil {
		w.Skip(used)
	}
	return e, err
}

// Cond reads a condition at the cursor, which stands at "if" or "unless", to the
// end of the line, for the current proxy.
func (l *Loader) Cond(w *Words) (*acl.Cond, error) {
	use := l.Samples.Use
	l.Samples.Use = sample.InACL
	cond, err := l.acls.Cond(l.Proxy.ACLs, w.Rest())
	l.Samples.Use = use
	if err == nil {
		w.Seek(len(w.Line.Words))
	}
	return cond, err
}

// WarnConflict warns about a condition that has no data at a checkpoint. The stray
// quote behind the text has always been there.
func (l *Loader) WarnConflict(pos ast.Pos, cond *acl.Cond, at sample.Checkpoint) {
	if cond == nil {
		return
	}
	if text := cond.Warning(at); text != "" {
		l.List.Add(diag.Diagnostic{Severity: diag.Warning, Pos: pos, Text: diag.At(pos, "'%s.\n'", text), Unended: true})
	}
}

// sides gives the checkpoint of each side that the proxy has.
func sides(px *runtime.Proxy, front, back sample.Checkpoint) (at sample.Checkpoint) {
	if px.Caps&runtime.CapFront != 0 {
		at |= front
	}
	if px.Caps&runtime.CapBack != 0 {
		at |= back
	}
	return at
}

// requestHeaders is where rules on requests of the proxy are evaluated.
func requestHeaders(px *runtime.Proxy) sample.Checkpoint {
	return sides(px, sample.FrontReqHeaders, sample.BackReqHeaders)
}

// responseHeaders is where rules on responses of the proxy are evaluated.
func responseHeaders(px *runtime.Proxy) sample.Checkpoint {
	return sides(px, sample.FrontResHeaders, sample.BackResHeaders)
}

// directory finds the objects that arguments of expressions name, for one proxy.
type directory struct {
	l  *Loader
	px *runtime.Proxy
}

func (d directory) Name() string   { return d.px.Name }
func (d directory) Defaults() bool { return d.px.Caps&runtime.CapDefaults != 0 }
func (d directory) Self() any      { return d.px }
func (d directory) Listens() bool  { return d.px.Caps&(runtime.CapFront|runtime.CapDefaults) != 0 }
func (d directory) Balances() bool { return d.px.Caps&(runtime.CapBack|runtime.CapDefaults) != 0 }

func (d directory) Frontend(name string) any {
	return d.find(name, runtime.CapFront)
}

func (d directory) Backend(name string) any {
	return d.find(name, runtime.CapBack)
}

func (d directory) find(name string, caps runtime.Cap) any {
	if px := d.l.find(name, caps); px != nil {
		px.Pinned = true
		return px
	}
	return nil
}

func (d directory) Server(backend any, name string) any {
	if srv := findServer(backend.(*runtime.Proxy), name); srv != nil {
		srv.Pinned = true
		return srv
	}
	return nil
}

func (d directory) Table(name string) (any, bool) {
	if t := d.l.Table(name); t != nil {
		return t, false
	}
	return nil, false
}

func (d directory) Userlist(name string) any {
	if u := d.l.Config.Userlists[name]; u != nil {
		return u
	}
	return nil
}

func (d directory) Identifier(*sample.Arg) error { return nil }

// find looks a proxy up that has one of the sides; see named.
func (l *Loader) find(name string, caps runtime.Cap) *runtime.Proxy {
	px := l.named(name)
	if px == nil || px.Caps&caps == 0 {
		return nil
	}
	return px
}

// named looks a proxy up by its name or, with a number sign, by its id: that of the stats sockets' own is 0.
func (l *Loader) named(name string) *runtime.Proxy {
	id, isID := strings.CutPrefix(name, "#")
	if !isID {
		if px := l.byName[name]; px != nil {
			return px
		}
		return l.forward(name)
	}
	n := atol(id)
	if n == 0 {
		return l.global.cli
	}
	for _, px := range l.Config.Proxies {
		if px.ID == n {
			return px
		}
	}
	return nil
}

// forward finds a log-forward section, which is a frontend too.
func (l *Loader) forward(name string) *runtime.Proxy {
	for _, px := range l.Config.Forwards {
		if px.Name == name {
			return px
		}
	}
	return nil
}

func findServer(px *runtime.Proxy, name string) *runtime.Server {
	for _, srv := range px.AllServers() {
		if srv.Name == name {
			return srv
		}
	}
	return nil
}
