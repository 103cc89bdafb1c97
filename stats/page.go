package stats

import (
	"bytes"
	"html"
	"strings"

	"hapax/runtime"
)

// Page makes the service that answers requests for the statistics page. Authentication and the "stats http-request"
// rules are over by then. Section 4.2 "stats uri".
func Page(cfg *runtime.Config, admin Admin) runtime.StatsService {
	return func(r runtime.StatsRequest) runtime.StatsAnswer {
		v := view{config: cfg, admin: admin, px: r.Proxy, page: r.Proxy.Stats, forms: r.Admin}
		v.parse(bytes.TrimPrefix(r.URI, []byte(v.page.URI)))
		switch {
		case !r.Post:
			return v.answer()
		case !r.Admin:
			return v.redirect(formDenied)
		case !r.Whole:
			return v.redirect(formTooLarge)
		}
		return v.redirect(v.apply(r.Body))
	}
}

// maxScope is how many bytes of the scope typed by the user count.
const maxScope = 20

// view is one request for the page: what its URI asks for.
type view struct {
	config *runtime.Config
	admin  Admin
	forms  bool           // the client may change servers
	px     *runtime.Proxy // whose page it is
	page   *runtime.StatsPage

	style     Style
	html      bool
	schema    bool
	up        bool
	noMaint   bool
	noRefresh bool
	notice    string // code of the result of an earlier action
	scope     string
}

// parse reads the words behind the page's own URI, wherever they stand: ";csv;norefresh?scope=app".
func (v *view) parse(words []byte) {
	has := func(word string) bool { return bytes.Contains(words, []byte(word)) }
	v.up, v.noMaint = has(";up"), has(";no-maint")
	v.noRefresh = v.page.Refresh > 0 && has(";norefresh")
	v.html = true
	switch {
	case has(";json-schema"):
		v.html, v.schema = false, true
	case has(";json"):
		v.html, v.style = false, JSON
	case has(";typed"):
		v.html, v.style = false, Typed
	case has(";csv"):
		v.html = false
	}
	if code, ok := behind(words, ";st="); ok {
		if v.notice = string(code[:4]); notices[v.notice].text == "" {
			v.notice = formUnknown
		}
	}
	scope, ok := behind(words, "scope=")
	if !ok {
		return
	}
	if end := bytes.IndexAny(scope, ";& "); end >= 0 {
		scope = scope[:end]
	}
	scope = scope[:min(len(scope), maxScope)]
	if !bytes.ContainsFunc(scope, notInName) {
		v.scope = string(scope)
	}
}

// behind gives what follows a mark. Within the last eight bytes the reference does not look for one.
func behind(words []byte, mark string) (rest []byte, ok bool) {
	i := bytes.Index(words, []byte(mark))
	if i < 0 || i > len(words)-8 {
		return nil, false
	}
	return words[i+len(mark):], true
}

// notInName tells which characters no name of a proxy has.
func notInName(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(".:_-", c)
}

func (v *view) answer() runtime.StatsAnswer {
	a := runtime.StatsAnswer{Status: 200, Type: "text/plain"}
	if !v.noRefresh {
		a.Refresh = int(v.page.Refresh.Seconds())
	}
	scan := Scan{Config: v.config, Legends: v.page.ShowLegends,
		Select: Selection{NoMaint: v.noMaint, Up: v.up, Scope: v.scope, Only: v.shows}}
	switch {
	case v.schema:
		a.Type, a.Parts = "application/json", func(b []byte) ([]byte, bool) { return append(b, Schema+"\n"...), true }
	case v.html:
		a.Type, a.Parts = "text/html", v.render(scan)
	default:
		if v.style == JSON {
			a.Type = "application/json"
		}
		a.Parts = (&Dump{Scan: scan, Style: v.style}).Next
	}
	return a
}

// shows tells whether "stats scope" admits a proxy.
func (v *view) shows(px *runtime.Proxy) bool {
	if len(v.page.Scope) == 0 {
		return true
	}
	for _, name := range v.page.Scope {
		if name == px.Name || name == "." && px == v.px {
			return true
		}
	}
	return false
}

// link is the page's address with the given words, which keeps the scope.
func (v *view) link(words ...string) string {
	s := v.page.URI + strings.Join(words, "")
	if v.scope != "" {
		s += "?scope=" + v.scope
	}
	return html.EscapeString(s)
}

// word is a word of the URI that is kept when it is set.
func word(on bool, w string) string {
	if on {
		return w
	}
	return ""
}

// node is the name that the page shows, "" when it shows none.
func (v *view) node() string {
	switch {
	case !v.page.ShowNode:
		return ""
	case v.page.Node != "":
		return v.page.Node
	}
	return v.config.Global.NodeName()
}

// desc is the description that the page shows.
func (v *view) desc() string {
	switch {
	case !v.page.ShowDesc:
		return ""
	case v.page.Desc != "":
		return v.page.Desc
	}
	return v.config.Global.Desc
}
