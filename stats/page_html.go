package stats

import (
	_ "embed"
	"fmt"
	"html"
	"os"
	"strconv"
	"strings"
	"time"

	"hapax/runtime"
)

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// markup collects the page. What it writes for each line goes straight there, without an allocation.
type markup struct {
	b     []byte
	modul bool // show-modules
	form  bool // the table that is being written is in a form: it has a column of boxes

	status string // of the object of the line that is being written
}

func (m *markup) add(parts ...string) {
	for _, p := range parts {
		m.b = append(m.b, p...)
	}
}

func (m *markup) addf(format string, args ...any) { m.b = fmt.Appendf(m.b, format, args...) }

// render makes the page: its head, each of its lines, its end.
func (v *view) render(scan Scan) runtime.Parts {
	m := &markup{modul: v.page.ShowModules}
	var row Row
	var px *runtime.Proxy // whose table is open; nil: none is
	begun := false
	return func(b []byte) (out []byte, last bool) {
		m.b = b
		if !begun {
			begun = true
			v.head(m)
			v.process(m)
			v.result(m)
			return m.b, false
		}
		more := scan.Next(&row)
		if px != nil && (!more || row.Proxy != px) {
			v.tail(m, px)
			px = nil
		}
		if !more {
			m.add("<script>\n", pageScript, "</script>\n</body></html>\n")
			return m.b, true
		}
		if px == nil {
			px = row.Proxy
			v.title(m, px)
		}
		v.line(m, &row)
		return m.b, false
	}
}

func (v *view) head(m *markup) {
	title := "Statistics Report for HAProxy"
	if n := v.node(); n != "" {
		title += " on " + n
	}
	m.add("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>", html.EscapeString(title),
		"</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n", pageStyle, "</style></head>\n<body>\n")
}

// process writes what is known of the process, the legend and the links.
func (v *view) process(m *markup) {
	g, live := &v.config.Global, &v.config.Stats
	clock := Clock(v.config)
	_, _, streams := live.Requests()
	_, sent := live.BytesOut()
	m.add("<h1>HAProxy")
	if !v.page.HideVersion {
		m.add(" version ", runtime.Version, ", released ", ReleaseDate)
	}
	m.addf("</h1>\n<h2>Statistics Report for pid %d", os.Getpid())
	if n := v.node(); n != "" {
		m.add(" on ", html.EscapeString(n))
	}
	if d := v.desc(); d != "" {
		m.add(": ", html.EscapeString(d))
	}
	m.add("</h2>\n<hr>\n<h3>&gt; General process information</h3>\n<div class=\"top\"><p>")
	memory := "unlimited"
	if g.MemMax > 0 {
		memory = strconv.Itoa(g.MemMax) + " MB"
	}
	m.addf("<b>pid = </b>%d (process #1, nbproc = 1, nbthread = %d)<br>\n", os.Getpid(), g.NbThread)
	m.addf("<b>uptime = </b>%s; warnings = %d<br>\n", Uptime(time.Since(live.Started)), live.Warnings.Load())
	m.addf("<b>system limits:</b> memmax = %s; ulimit-n = %d<br>\n", memory, g.UlimitN)
	m.addf("<b>maxsock = </b>%d; <b>maxconn = </b>%d; <b>reached = </b>%d; <b>maxpipes = </b>%d<br>\n", g.MaxSock,
		inForce(&g.LiveMaxConn, g.MaxConn), live.MaxConnReached.Load(), g.MaxPipes)
	pipes := live.Spliced()
	m.addf("current conns = %d; current pipes = %d/%d; conn rate = %d/sec; bit rate = %s<br>\n", live.Conns.Load(), pipes.PipesUsed, pipes.PipesUsed+pipes.PipesFree,
		live.ConnRate.PerSecond(clock), bitRate(sent))
	m.addf("current streams = %d; idle = %d %%</p>\n", streams, live.IdlePercent())
	m.add(pageLegend)

	keepUp, keepRefresh := word(v.up, ";up"), word(v.noRefresh, ";norefresh")
	m.add("<div><b>Display option:</b><ul>\n<li><form method=\"get\">Scope : <input name=\"scope\" value=\"", html.EscapeString(v.scope),
		"\" size=\"8\" maxlength=\"20\" tabindex=\"1\"></form></li>\n")
	if v.up {
		m.add("<li><a href=\"", v.link(keepRefresh), "\">Show all servers</a></li>\n")
	} else {
		m.add("<li><a href=\"", v.link(";up", keepRefresh), "\">Hide 'DOWN' servers</a></li>\n")
	}
	if v.page.Refresh > 0 {
		if v.noRefresh {
			m.add("<li><a href=\"", v.link(keepUp), "\">Enable refresh</a></li>\n")
		} else {
			m.add("<li><a href=\"", v.link(keepUp, ";norefresh"), "\">Disable refresh</a></li>\n")
		}
	}
	never := word(v.page.Refresh > 0, ";norefresh")
	m.add("<li><a href=\"", v.link(keepUp, keepRefresh), "\">Refresh now</a></li>\n",
		"<li><a href=\"", v.link(";csv", never), "\">CSV export</a></li>\n",
		"<li><a href=\"", v.link(";json", never), "\">JSON export</a> (<a href=\"", html.EscapeString(v.page.URI+";json-schema"),
		"\">schema</a>)</li>\n</ul></div></div>\n")
	m.add("<div class=\"tools\"><input type=\"search\" id=\"filter\" placeholder=\"Filter: names, states\" aria-label=\"Filter\">",
		"<label><input type=\"checkbox\" id=\"live\" data-csv=\"", v.link(";csv;norefresh"), "\"> Live</label>",
		"<button type=\"button\" id=\"theme\">Theme</button></div>\n")
}

const pageLegend = `<table class="lgd"><tbody>
<tr><td class="active_up"></td><td>active UP</td><td class="backup_up"></td><td>backup UP</td></tr>
<tr><td class="active_going_down"></td><td>active UP, going down</td><td class="backup_going_down"></td><td>backup UP, going down</td></tr>
<tr><td class="active_going_up"></td><td>active DOWN, going up</td><td class="backup_going_up"></td><td>backup DOWN, going up</td></tr>
<tr><td class="active_down"></td><td>active or backup DOWN</td><td class="active_no_check"></td><td>not checked</td></tr>
<tr><td class="maintain"></td><td colspan="3">active or backup DOWN for maintenance (MAINT)</td></tr>
<tr><td class="active_draining"></td><td colspan="3">active or backup SOFT STOPPED for maintenance</td></tr>
<tr><td colspan="4">"NOLB"/"DRAIN" = UP with load-balancing disabled.</td></tr>
</tbody></table>
`

// bitRate tells bits per second on the wire of an Ethernet: full frames carry 1448 bytes of payload in 1538.
func bitRate(bytesPerSecond uint64) string {
	bits := float64(bytesPerSecond * 8 * 1538 / 1448)
	switch {
	case bits >= 1e9:
		return fmt.Sprintf("%.3f Gbps", bits/1e9)
	case bits >= 1e6:
		return fmt.Sprintf("%.3f Mbps", bits/1e6)
	}
	return fmt.Sprintf("%.3f kbps", bits/1e3)
}

// result says how an action went: the page was reached by a redirection after a form.
func (v *view) result(m *markup) {
	if n, ok := notices[v.notice]; ok {
		m.add("<div class=\"notice ", n.class, "\"><a class=\"lfsb\" href=\"", v.link(word(v.up, ";up"), word(v.noRefresh, ";norefresh")),
			"\" title=\"Remove this message\">[X]</a> ", n.text, "</div>\n")
	}
}

// title starts the table of a proxy.
func (v *view) title(m *markup, px *runtime.Proxy) {
	name := html.EscapeString(px.Name)
	m.form = v.forms && px.Caps&runtime.CapBack != 0 && len(px.AllServers()) > 0
	m.add("<div class=\"proxy\">")
	if m.form {
		m.add("<form method=\"post\">")
	}
	m.add("<div class=\"wide\"><table class=\"tbl\"><caption><a id=\"", name, "\"></a><a class=\"px\" href=\"#", name, "\"")
	if v.page.ShowLegends {
		m.addf(" title=\"cap: %s, mode: %s, id: %d\"", capText(px.Caps), ModeName(px.Mode), px.ID)
	}
	m.add(">", name, "</a>")
	if px.Desc != "" {
		m.add("<span class=\"desc\">", html.EscapeString(px.Desc), "</span>")
	}
	m.add("</caption>\n<thead><tr class=\"titre\">")
	if m.form {
		m.add("<th rowspan=\"2\"><input type=\"checkbox\" class=\"all\" title=\"Check all/none\"></th>")
	}
	m.add("<th rowspan=\"2\" class=\"name\"></th><th colspan=\"3\">Queue</th><th colspan=\"4\">Session rate</th>",
		"<th colspan=\"6\">Sessions</th><th colspan=\"2\">Bytes</th><th colspan=\"2\">Denied</th><th colspan=\"3\">Errors</th>",
		"<th colspan=\"2\">Warnings</th><th colspan=\"9\">Server</th>")
	if m.modul {
		m.addf("<th colspan=\"%d\">Extra modules</th>", len(modules))
	}
	m.add("</tr>\n<tr class=\"titre\">")
	for i := range heads {
		m.add("<th")
		if heads[i].column != "" {
			m.add(" data-c=\"", heads[i].column, "\"")
		}
		m.add(">", heads[i].title, "</th>")
	}
	if m.modul {
		for i := range modules {
			m.add("<th>", modules[i].name, "</th>")
		}
	}
	m.add("</tr></thead><tbody>\n")
}

// tail ends the table of a proxy, and its form.
func (v *view) tail(m *markup, px *runtime.Proxy) {
	m.add("</tbody></table></div>")
	if m.form {
		m.add("\n<div class=\"do\">Choose the action to perform on the checked servers : <select name=\"action\" aria-label=\"Action\"><option value=\"\"></option>")
		for _, a := range formActions {
			if a.label != "" {
				m.add("<option value=\"", a.name, "\">", a.label, "</option>")
			}
		}
		m.addf("</select><input type=\"hidden\" name=\"b\" value=\"#%d\"> <input type=\"submit\" value=\"Apply\"></div></form>", px.ID)
	}
	m.add("</div>\n")
}

func capText(c runtime.Cap) string {
	switch c {
	case runtime.CapFront:
		return "FRONTEND"
	case runtime.CapBack:
		return "BACKEND"
	}
	return "LISTEN"
}

// moduleOf is the module that a column behind the "-" belongs to.
func moduleOf(column string) string {
	for _, name := range [...]string{"ssl", "quic", "h2", "h1"} {
		if strings.HasPrefix(column, name+"_") {
			return name
		}
	}
	return "h3" // QPACK too
}
