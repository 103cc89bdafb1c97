package fcgi

import (
	"cmp"
	"slices"
	"strings"

	"hapax/acl"
	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// App is a FastCGI application. Section 10.1.1.
type App struct {
	Name        string
	KeepConn    bool // connections are kept behind a request
	GetValues   bool // it is asked what it can do
	Multiplexes bool // one connection carries several requests
	MaxRequests int  // at once
	Logs        *runtime.Proxy

	docroot, index []byte
	pathInfo       *sample.Regex // nil: paths are not cut
	params         []rule
	headers        []rule
}

// rule sets a parameter, or passes a header field or hides it.
type rule struct {
	name  string // of the field
	text  string // of the value
	value *logformat.Format
	hides bool
	cond  *acl.Cond // nil: always
	pos   ast.Pos
}

// hidden are the fields that applications are not told of, unless "pass-header" says so.
var hidden = []string{"connection", "keep-alive", "authorization", "proxy", "proxy-authorization", "proxy-authenticate", "te",
	"trailers", "transfer-encoding", "upgrade"}

func newApp(l *config.Loader, name string, pos ast.Pos) *App {
	a := &App{Name: name, KeepConn: true, MaxRequests: 1, Logs: l.Scratch(name, pos)}
	a.Logs.LogTag = name
	a.setParam("REMOTE_USER", "%[http_auth_user]", nil, pos)
	a.setParam("AUTH_TYPE", "%[http_auth_type]", nil, pos)
	for _, name := range hidden {
		a.headers = append(a.headers, rule{name: name, hides: true})
	}
	return a
}

// setParam adds a rule for a parameter.
func (a *App) setParam(name, value string, cond *acl.Cond, pos ast.Pos) {
	field := []byte(rulePrefix)
	for _, c := range []byte(strings.ToLower(name)) {
		if upper[c] == '_' {
			c = '_'
		}
		field = append(field, c)
	}
	a.params = append(a.params, rule{name: string(field), text: value, cond: cond, pos: pos})
}

// Use is what a backend has of its application.
type Use struct {
	App           *App
	params        [][]rule // by name, in the order of names: of each, the last one whose condition holds counts
	headers       [][]rule
	SeesResponses bool // the filter is on them
	seesRequests  bool
}

// Of gives the application of a backend; nil: it has none.
func Of(px *runtime.Proxy) *Use {
	u, _ := px.FastCGI.(*Use)
	return u
}

// use makes the rules of an application those of a backend: what values are made of may depend on it.
func (a *App) use(l *config.Loader, px *runtime.Proxy, sees [2]bool) *Use {
	defer l.Within(px)()
	u := &Use{App: a, seesRequests: sees[runtime.Upload], SeesResponses: sees[runtime.Download]}
	own := slices.Clone(a.params)
	for i := range own {
		f, err := l.Format(own[i].text, logformat.ForHTTP, sample.BackReqHeaders)
		if err != nil {
			l.List.Alertf(px.Pos, "proxy '%s' : %s.", px.Name, err)
			return u
		}
		own[i].value = f
	}
	u.params, u.headers = byName(own), byName(a.headers)
	return u
}

// byName puts the rules for one name together, in the order of names.
func byName(rules []rule) (groups [][]rule) {
	sorted := slices.Clone(rules)
	slices.SortStableFunc(sorted, func(a, b rule) int { return cmp.Compare(a.name, b.name) })
	for len(sorted) > 0 {
		n := 1
		for n < len(sorted) && sorted[n].name == sorted[0].name {
			n++
		}
		groups = append(groups, sorted[:n])
		sorted = sorted[n:]
	}
	return groups
}

// last finds the last of the rules whose condition holds; nil: none does.
func last(rules []rule, ctx *sample.Context) *rule {
	for i := len(rules) - 1; i >= 0; i-- {
		r := &rules[i]
		ctx.Scratch.Reset()
		if r.cond == nil || r.cond.Eval(ctx) == acl.Pass {
			return r
		}
	}
	return nil
}

// Apply lets the rules set parameters of a request and hide fields of it. value is memory for what is made meanwhile, which
// is given back. The error is that of a parameter for which there was no room: the rules behind it did nothing.
func (u *Use) Apply(m *message.Message, ctx *sample.Context, value []byte) ([]byte, error) {
	if !u.seesRequests {
		return value, nil
	}
	ctx.Checkpoint, ctx.Dir, ctx.Final = sample.BackReqHeaders, sample.Request, true
	for _, rules := range u.params {
		r := last(rules, ctx)
		if r == nil {
			continue
		}
		ctx.Scratch.Reset()
		if value = r.value.Append(value[:0], ctx); len(value) == 0 {
			continue
		}
		if err := m.Add(r.name, value); err != nil {
			return value, err
		}
	}
	for _, rules := range u.headers {
		if r := last(rules, ctx); r != nil && r.hides {
			m.RemoveAll(r.name)
		}
	}
	return value, nil
}
