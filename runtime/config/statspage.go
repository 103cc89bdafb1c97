package config

import (
	"slices"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// defaultStatsURI is where the page is when "stats uri" does not say.
const defaultStatsURI = "/haproxy?stats"

// statsUsers is the name of the list of users that "stats auth" makes.
const statsUsers = ".internal-stats-userlist"

func statsKeyword() Keyword {
	return onProxy("stats", "4.2", "the statistics page", []keyword.Arg{{Name: "setting", Type: keyword.Opaque, Many: true}}, statsPage)
}

// page gives the page that the current proxy may change: one inherited from a
// defaults section is left behind by the first "stats" line.
func (l *Loader) page() *runtime.StatsPage {
	if l.Proxy.Stats == nil {
		l.Proxy.Stats = &runtime.StatsPage{URI: defaultStatsURI, HideVersion: true}
	}
	return l.Proxy.Stats
}

func statsPage(l *Loader, line *ast.Line) {
	px, word, what, value := l.Proxy, line.Arg(0), line.Arg(1), line.Arg(2)
	if base := l.defaults.current; !l.InDefaults() && base != nil && px.Stats == base.Stats {
		px.Stats = nil
	}
	need := func(text string) bool {
		if value != "" {
			return true
		}
		l.Alert(line.Pos, "%s", text)
		return false
	}
	switch what {
	case "enable":
		l.page()
	case "uri":
		if need("'uri' needs an URI prefix.") {
			l.page().URI = value
		}
	case "realm":
		if need("'realm' needs an realm name.") {
			l.page().Realm = value
		}
	case "auth":
		if need("'auth' needs a user:password account.") {
			l.statsAuth(line.Pos, value)
		}
	case "scope":
		if need("'scope' needs a proxy name.") {
			if p := l.page(); !slices.Contains(p.Scope, value) {
				p.Scope = append(p.Scope, value)
			}
		}
	case "refresh":
		l.statsRefresh(line.Pos, value)
	case "hide-version":
		if px.Stats != nil {
			px.Stats.HideVersion = true
		}
	case "show-version":
		l.page().HideVersion = false
	case "show-legends":
		l.page().ShowLegends = true
	case "show-modules":
		l.page().ShowModules = true
	case "show-node":
		if value != "" && !validNode(value) {
			l.AlertTight(line.Pos, "'%s %s' invalid node name - should be a stringwith digits(0-9), letters(A-Z, a-z), hyphen(-) or underscode(_).", word, what)
			return
		}
		p := l.page()
		p.ShowNode = true
		if value != "" {
			p.Node = value
		}
	case "show-desc":
		if value == "" && l.Config.Global.Desc == "" {
			l.WarnTight(line.Pos, "'%s' requires a parameter or 'desc' to be set in the global section.", what)
			return
		}
		p := l.page()
		p.ShowDesc = true
		if value != "" {
			p.Desc = strings.Join(line.Texts(nil, 2), " ")
		}
	case "admin":
		l.statsAdmin(line)
	case "http-request":
		if l.InDefaults() {
			l.AlertTight(line.Pos, "'%s' not allowed in 'defaults' section.", word)
			return
		}
		l.httpRule(line, 2, runtime.StatsRules, &l.page().Rules)
	default:
		problem, name := "unknown stats parameter", what
		if what == "" {
			problem, name = "missing keyword in", word
		}
		l.AlertTight(line.Pos, "%s '%s', expects 'admin', 'uri', 'realm', 'auth', 'scope', 'enable', 'hide-version', 'show-node', 'show-desc' , 'show-legends' or 'show-version'.", problem, name)
	}
}

func (l *Loader) statsAuth(pos ast.Pos, account string) {
	name, password, _ := strings.Cut(account, ":")
	p := l.page()
	if p.Users == nil {
		p.Users = &runtime.Userlist{Name: statsUsers}
	}
	if p.Users.User([]byte(name)) != nil {
		l.List.Warnf(pos, "uri auth: ignoring duplicated user '%s'.", name)
		return
	}
	p.Users.Users = append(p.Users.Users, &runtime.User{Name: name, Password: password, Insecure: true})
}

func (l *Loader) statsRefresh(pos ast.Pos, value string) {
	d, fault := l.Time(value, time.Second)
	switch {
	case fault == nil:
		l.page().Refresh = d
	case fault.Over:
		l.AlertTight(pos, "timer overflow in argument <%s> to stats refresh interval, maximum value is 2147483647 s (~68 years).", value)
	case fault.Under:
		l.AlertTight(pos, "timer underflow in argument <%s> to stats refresh interval, minimum non-null value is 1 s.", value)
	default:
		l.AlertTight(pos, "unexpected character '%c' in argument to stats refresh interval.", fault.Char)
	}
}

func (l *Loader) statsAdmin(line *ast.Line) {
	if l.InDefaults() {
		l.AlertTight(line.Pos, "'stats admin' not allowed in 'defaults' section.")
		return
	}
	p, w := l.page(), NewWords(line, 2)
	if !w.AtCond() {
		l.Alert(line.Pos, "'stats admin' requires either 'if' or 'unless' followed by a condition.")
		return
	}
	cond, err := l.Cond(&w)
	if err != nil {
		l.Alert(line.Pos, "error detected while parsing a 'stats admin' rule : %s.", err)
		return
	}
	l.WarnConflict(line.Pos, cond, requestHeaders(l.Proxy))
	p.Admin = append(p.Admin, cond)
}
