package stats

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"hapax/runtime"
)

// detail is one line of the box that opens over a cell.
type detail struct{ name, value string }

// line writes one row of a proxy's table.
func (v *view) line(m *markup, r *Row) {
	class, label := "frontend", "Frontend"
	anchor := r.Proxy.Name + "/Frontend"
	switch r.On {
	case Backend:
		class, label, anchor = "backend", "Backend", r.Proxy.Name+"/Backend"
	case Listener:
		label = ListenerName(r.Listener)
		class, anchor = "socket", r.Proxy.Name+"/+"+label
	case Server:
		class, label, anchor = serverClass(r), r.Server.Name, r.Proxy.Name+"/"+r.Server.Name
	}
	status, svname := byName["status"].Value(r), byName["svname"].Value(r)
	m.add("<tr class=\"", class, "\" data-k=\"", html.EscapeString(r.Proxy.Name+"/"+svname.Str), "\" data-s=\"", html.EscapeString(status.Str), "\">")
	if m.form {
		m.add("<td class=\"ac\">")
		if r.On == Server {
			m.add("<input type=\"checkbox\" name=\"s\" value=\"", html.EscapeString(r.Server.Name), "\" aria-label=\"", html.EscapeString(r.Server.Name), "\">")
		}
		m.add("</td>")
	}
	name := "<a id=\"" + html.EscapeString(anchor) + "\"></a><a class=\"lfsb\" href=\"" + fragment(anchor) + "\">" +
		html.EscapeString(label) + "</a>"
	m.cell("ac name", name, v.legend(r))
	m.queue(r)
	m.rates(r)
	m.sessions(r)
	m.traffic(r)
	m.state(r)
	if m.modul {
		m.modules(r)
	}
	m.add("</tr>\n")
}

// fragment is a link to a place on the page.
func fragment(anchor string) string {
	u := url.URL{Fragment: anchor}
	return html.EscapeString(u.String())
}

// cell writes one cell; lines of details open over it.
func (m *markup) cell(class, content string, details []detail) {
	m.add("<td")
	if class != "" {
		m.add(" class=\"", class, "\"")
	}
	m.add(">")
	if details == nil {
		m.add(content, "</td>")
		return
	}
	m.add("<div class=\"over\" tabindex=\"0\"><span>", content, "</span><div class=\"tips\"><table class=\"det\"><tbody>")
	for _, d := range details {
		m.add("<tr><th>", d.name, "</th><td>", d.value, "</td></tr>")
	}
	m.add("</tbody></table></div></div></td>")
}

// field is the value of a column, its digits in groups of three; "" when the object has none.
func field(r *Row, column string) string {
	f := byName[column].Value(r)
	switch f.Format {
	case Empty:
		return ""
	case Str:
		return html.EscapeString(f.Str)
	}
	return grouped(string(f.append(nil)))
}

// limitField is field with "-" for no limit.
func limitField(r *Row, column string) string {
	if s := field(r, column); s != "" && s != "0" {
		return s
	}
	return "-"
}

// value is the number in a column.
func value(r *Row, column string) int64 {
	f := byName[column].Value(r)
	return f.Int
}

var byName = func() map[string]*Column {
	m := make(map[string]*Column, len(allColumns))
	for i := range allColumns {
		m[allColumns[i].Name] = &allColumns[i]
	}
	return m
}()

// grouped leaves a gap before each group of three digits; the digits stay one number for copying.
func grouped(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	var b strings.Builder
	for i := range len(digits) {
		if i+1 < len(digits) && (len(digits)-i-1)%3 == 0 {
			b.WriteString("<span class=\"rls\">" + digits[i:i+1] + "</span>")
			continue
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}

// legend tells about an object when "stats show-legends" asks for it.
func (v *view) legend(r *Row) []detail {
	if !v.page.ShowLegends {
		return nil
	}
	switch r.On {
	case Listener:
		return []detail{{"address:", field(r, "addr")}, {"proto:", field(r, "proto")}, {"id:", field(r, "sid")}}
	case Server:
		d := []detail{{"address:", field(r, "addr")}, {"id:", field(r, "sid")}}
		if c := field(r, "cookie"); c != "" {
			d = append(d, detail{"cookie:", c})
		}
		return d
	case Backend:
		d := []detail{{"balance:", field(r, "algo")}}
		if c := field(r, "cookie"); c != "" {
			d = append(d, detail{"cookie:", c})
		}
		return d
	}
	return nil
}

func (m *markup) empty(n int) {
	for range n {
		m.add("<td></td>")
	}
}

func (m *markup) plain(cells ...string) {
	for _, c := range cells {
		m.add("<td>", c, "</td>")
	}
}

func (m *markup) queue(r *Row) {
	switch r.On {
	case Server:
		m.plain(moving(r, "qcur"), field(r, "qmax"), limitField(r, "qlimit"))
	case Backend:
		m.plain(moving(r, "qcur"), field(r, "qmax"), "")
	default:
		m.empty(3)
	}
}

func (m *markup) rates(r *Row) {
	switch r.On {
	case Frontend:
		now := []detail{{"Current connection rate:", field(r, "conn_rate") + "/s"}, {"Current session rate:", field(r, "rate") + "/s"}}
		most := []detail{{"Max connection rate:", field(r, "conn_rate_max") + "/s"}, {"Max session rate:", field(r, "rate_max") + "/s"}}
		if r.Proxy.Mode == runtime.ModeHTTP {
			now = append(now, detail{"Current request rate:", field(r, "req_rate") + "/s"})
			most = append(most, detail{"Max request rate:", field(r, "req_rate_max") + "/s"})
		}
		m.cell("", moving(r, "rate"), now)
		m.trend(r)
		m.cell("", field(r, "rate_max"), most)
		m.plain(limitField(r, "rate_lim"))
	case Listener:
		m.empty(4)
	default:
		m.plain(moving(r, "rate"))
		m.trend(r)
		m.plain(field(r, "rate_max"), "")
	}
}

// trend is the cell in which the script draws how the rate went lately.
func (m *markup) trend(r *Row) {
	m.addf("<td class=\"spark\" data-v=\"%d\"><canvas width=\"96\" height=\"28\"></canvas></td>", value(r, "rate"))
}

// moving is a field that the script brings up to date.
func moving(r *Row, column string) string {
	return "<span data-c=\"" + column + "\">" + field(r, column) + "</span>"
}

func (m *markup) sessions(r *Row) {
	var now []detail
	if r.On == Server {
		now = []detail{{"Current active connections:", field(r, "scur")}, {"Current used connections:", field(r, "used_conn_cur")},
			{"Current idle connections:", field(r, "srv_icur")}, {"- unsafe:", field(r, "idle_conn_cur")}, {"- safe:", field(r, "safe_conn_cur")},
			{"Estimated need of connections:", field(r, "need_conn_est")}, {"Active connections limit:", limitField(r, "slim")},
			{"Idle connections limit:", limitField(r, "src_ilim")}}
	}
	m.cell("", moving(r, "scur"), now)
	m.plain(field(r, "smax"), limitField(r, "slim"))
	if r.On == Listener {
		m.plain(field(r, "stot"), "", "")
		return
	}
	m.cell("", field(r, "stot"), totals(r))
	if r.On == Frontend {
		m.empty(2)
		return
	}
	last := "?"
	if s := value(r, "lastsess"); s >= 0 {
		last = age(s)
	}
	m.plain(field(r, "lbtot"), last)
}

// totals are the lines over the number of sessions.
func totals(r *Row) []detail {
	var d []detail
	show := func(name, column string) { d = append(d, detail{name, field(r, column)}) }
	share := func(name, column string) {
		percent := int64(0)
		if all := value(r, "req_tot"); all > 0 {
			percent = 100 * value(r, column) / all
		}
		d = append(d, detail{name, fmt.Sprintf("%s (%d%%)", field(r, column), percent)})
	}
	web := r.Proxy.Mode == runtime.ModeHTTP
	if r.On == Frontend {
		show("Cum. connections:", "conn_tot")
	}
	show("Cum. sessions:", "stot")
	if web && r.On == Frontend {
		show("- HTTP/1 sessions:", "h1sess")
		show("- other sessions:", "sess_other")
	}
	if r.On != Frontend {
		show("New connections:", "connect")
		show("Reused connections:", "reuse")
	}
	if web {
		show("Cum. HTTP requests:", "req_tot")
		share("- HTTP 1xx responses:", "hrsp_1xx")
		share("- HTTP 2xx responses:", "hrsp_2xx")
		share("- HTTP 3xx responses:", "hrsp_3xx")
		share("- HTTP 4xx responses:", "hrsp_4xx")
		share("- HTTP 5xx responses:", "hrsp_5xx")
		share("- other responses:", "hrsp_other")
		if r.On == Frontend {
			show("Intercepted requests:", "intercepted")
		}
		show("Failed hdr rewrites:", "wrew")
		show("Internal errors:", "eint")
	}
	if r.On == Frontend {
		return d
	}
	d = append(d, detail{"Max / Avg over last 1024 success. conn.", ""})
	times := func(name, most, mean string) {
		d = append(d, detail{name, field(r, most) + " / " + field(r, mean) + " ms"})
	}
	times("- Queue time:", "qtime_max", "qtime")
	times("- Connect time:", "ctime_max", "ctime")
	if web {
		times("- Responses time:", "rtime_max", "rtime")
	}
	times("- Total time:", "ttime_max", "ttime")
	return d
}

// traffic writes bytes, denials, errors and warnings.
func (m *markup) traffic(r *Row) {
	m.plain(field(r, "bin"), field(r, "bout"), field(r, "dreq"), field(r, "dresp"), field(r, "ereq"), field(r, "econ"))
	if r.On == Frontend || r.On == Listener {
		m.empty(3)
		return
	}
	m.cell("", field(r, "eresp"), []detail{{"Connection resets during transfers, client:", field(r, "cli_abrt")},
		{"server:", field(r, "srv_abrt")}})
	m.plain(field(r, "wretr"), field(r, "wredis"))
}

// state writes the nine columns about what the object does now.
func (m *markup) state(r *Row) {
	switch r.On {
	case Frontend, Listener:
		m.cell("ac", field(r, "status"), nil)
		m.add("<td colspan=\"8\"></td>")
	case Backend:
		m.cell("ac", age(value(r, "lastchg"))+" "+field(r, "status"), nil)
		m.plain("", field(r, "weight")+"/"+field(r, "uweight"), field(r, "act"), field(r, "bck"), "", field(r, "chkdown"))
		down := ""
		if len(r.Proxy.AllServers()) > 0 {
			down = age(value(r, "downtime"))
		}
		m.plain(down, "")
	case Server:
		m.server(r)
	}
}

func (m *markup) server(r *Row) {
	state := field(r, "status")
	health, top := value(r, "check_health"), value(r, "check_rise")+value(r, "check_fall")-1
	switch changed := age(value(r, "lastchg")); {
	case strings.HasPrefix(state, "MAINT"):
		m.cell("ac", changed+" MAINT", nil)
	case state == "no check":
		m.cell("ac", "<i>no check</i>", nil)
	case strings.HasPrefix(state, "DOWN") && health > 0:
		m.cell("ac", changed+" "+state+" &uarr;", nil)
	case !strings.HasPrefix(state, "DOWN") && health < top:
		m.cell("ac", changed+" "+state+" &darr;", nil)
	default:
		m.cell("ac", changed+" "+state, nil)
	}
	if check := field(r, "check_status"); check != "" {
		if code := field(r, "check_code"); code != "" {
			check += "/" + code
		}
		if took := field(r, "check_duration"); took != "" {
			check += " in " + took + "ms"
		}
		about := field(r, "check_desc")
		if said := field(r, "last_chk"); said != "" {
			about += ": " + said
		}
		m.cell("ac", check, []detail{{about, ""}})
	} else {
		m.empty(1)
	}
	m.cell("ac", field(r, "weight")+"/"+field(r, "uweight"), nil)
	m.cell("ac", yes(!r.Server.Backup), nil)
	m.cell("ac", yes(r.Server.Backup), nil)
	tracked := field(r, "tracked")
	switch fails := field(r, "chkfail"); {
	case fails != "":
		about := "Failed Health Checks"
		if hana := field(r, "hanafail"); hana != "" {
			fails, about = fails+"/"+hana, about+"/Health Analyses"
		}
		m.cell("", fails, []detail{{about, ""}})
		m.plain(field(r, "chkdown"), age(value(r, "downtime")))
	case tracked != "" && state != "MAINT":
		m.add("<td class=\"ac\" colspan=\"3\"><a class=\"lfsb\" href=\"#", tracked, "\">via ", tracked, "</a></td>")
	default:
		m.add("<td colspan=\"3\"></td>")
	}
	if t := field(r, "throttle"); t != "" {
		m.cell("ac", t+" %", nil)
	} else {
		m.cell("ac", "-", nil)
	}
}

func yes(is bool) string {
	if is {
		return "Y"
	}
	return "-"
}

// serverClass is the colour of a server's line.
func serverClass(r *Row) string {
	state := ServerStatus(r.Server)
	role := "active_"
	if r.Server.Backup {
		role = "backup_"
	}
	switch {
	case strings.HasPrefix(state, "MAINT"):
		return "maintain"
	case state == "DOWN":
		return role + "down"
	case strings.HasPrefix(state, "DOWN "):
		return role + "going_up"
	case state == "DRAIN":
		return role + "draining"
	case state == "NOLB":
		return role + "nolb"
	case strings.HasPrefix(state, "NOLB "):
		return role + "going_down"
	case state == "no check":
		return role + "no_check"
	case checking(r.Server) && value(r, "check_health") < value(r, "check_rise")+value(r, "check_fall")-1:
		return role + "going_down"
	case value(r, "weight") == 0:
		return role + "draining"
	}
	return role + "up"
}

// modules writes the groups of columns behind the "-".
func (m *markup) modules(r *Row) {
	for _, mod := range modules {
		var d []detail
		for i := fixed; i < len(allColumns); i++ {
			c := &allColumns[i]
			if strings.HasPrefix(c.Name, mod.prefix) && c.On&r.On != 0 {
				d = append(d, detail{html.EscapeString(c.Desc), field(r, c.Name)})
			}
		}
		if d == nil {
			m.empty(1)
			continue
		}
		m.cell("", mod.name, d)
	}
}

// age writes seconds with their two largest units: "1d2h", "3m4s".
func age(seconds int64) string { return Coarse(time.Duration(seconds) * time.Second) }

// Coarse writes a duration with its two largest units: "1d2h", "3m4s".
func Coarse(d time.Duration) string {
	s := int64(d / time.Second)
	out, parts := "", 2
	for _, unit := range []struct {
		size int64
		name string
	}{{86400, "d"}, {3600, "h"}, {60, "m"}} {
		if n := s / unit.size; n > 0 && parts > 0 {
			out += fmt.Sprintf("%d%s", n, unit.name)
			parts--
		}
		s %= unit.size
	}
	if parts > 0 && s > 0 || out == "" {
		out += fmt.Sprintf("%ds", s)
	}
	return out
}
