package stats

import (
	"html"
	"strconv"
	"strings"
	"time"
)

// line writes one row of a proxy's table.
func (v *view) line(m *markup, r *Row) {
	class, label := "frontend", "Frontend"
	anchor := [3]string{r.Proxy.Name, "/", ""}
	m.status = colStatus(r).Str
	svname := colSvname(r).Str
	switch r.On {
	case Backend:
		class, label = "backend", "Backend"
	case Listener:
		class, label, anchor[1] = "socket", svname, "/+"
	case Server:
		class, label = serverClass(r, m.status), svname
	}
	anchor[2] = label
	m.add("<tr class=\"", class, "\" id=\"")
	m.text(anchor[:]...)
	m.add("\" data-k=\"")
	m.text(r.Proxy.Name, "/", svname)
	m.add("\">")
	if m.form {
		m.box(r)
	}
	m.name(anchor[:], label, v.page.ShowLegends, r)
	cells := lines[r.On]
	for i := range cells {
		m.cell(&cells[i], r)
	}
	if m.modul {
		for i := range modules {
			m.module(&modules[i], r)
		}
	}
	m.add("</tr>\n")
}

// box is the cell by which a server is chosen for an action.
func (m *markup) box(r *Row) {
	if r.On != Server {
		m.add("<td></td>")
		return
	}
	m.add("<td class=\"ac\"><input type=\"checkbox\" name=\"s\" value=\"")
	m.text(r.Server.Name)
	m.add("\" aria-label=\"")
	m.text(r.Server.Name)
	m.add("\"></td>")
}

// name is the cell with the name of the object, which is a link to its line, and its state, which a phone shows there.
func (m *markup) name(anchor []string, label string, legend bool, r *Row) {
	legend = legend && r.On != Frontend
	m.add("<td class=\"ac name\" data-s=\"")
	m.text(m.status)
	m.add("\">")
	if legend {
		m.add(overStart)
	}
	m.add("<a class=\"lfsb\" href=\"#")
	m.fragment(anchor...)
	m.add("\">")
	m.text(label)
	m.add("</a>")
	if legend {
		m.tips(legendTips, r)
	}
	m.end(legend)
}

// cell writes a cell of the tables.
func (m *markup) cell(c *cell, r *Row) {
	if c.whole != nil {
		c.whole(m, r)
		return
	}
	boxed := c.tips != nil && (c.boxed == nil || c.boxed(r))
	m.open(c.class, boxed)
	switch {
	case c.write != nil:
		c.write(m, r)
	case c.at != nil && c.limit:
		m.limit(c.at.Value(r))
	case c.at != nil:
		m.field(c.at.Value(r))
	}
	if boxed {
		m.tips(c.tips, r)
	}
	m.end(boxed)
}

// open begins a cell, over which a box opens when it is boxed.
func (m *markup) open(class string, boxed bool) {
	if class == "" {
		m.add("<td>")
	} else {
		m.add("<td class=\"", class, "\">")
	}
	if boxed {
		m.add(overStart)
	}
}

// Marks of a cell with a box over it: before what the cell shows, and behind it.
const (
	overStart = "<div class=\"over\" tabindex=\"0\"><span>"

	boxStart = "</span><div class=\"tips\"><table class=\"det\"><tbody>"
	boxEnd   = "</tbody></table></div></div>"
)

// end ends a cell.
func (m *markup) end(boxed bool) {
	if boxed {
		m.add(boxEnd)
	}
	m.add("</td>")
}

// tips writes the lines of the box.
func (m *markup) tips(tips []tip, r *Row) {
	m.add(boxStart)
	for i := range tips {
		if t := &tips[i]; t.shown(r) {
			m.tip(t, r)
		}
	}
}

func (m *markup) tip(t *tip, r *Row) {
	if t.at == nil {
		m.add("<tr><th colspan=\"2\">", t.label, "</th></tr>")
		return
	}
	f := t.at.Value(r)
	if f.Format == Empty && !t.limit {
		return
	}
	if t.less != nil {
		f.Int -= t.less.Value(r).Int
	}
	m.add("<tr><th>", t.label, "</th><td>")
	if t.limit {
		m.limit(f)
	} else {
		m.field(f)
	}
	if t.mean != nil {
		m.add(" / ")
		m.field(t.mean.Value(r))
	}
	if t.share != nil {
		m.percent(f.Int, t.share, r)
	}
	m.add(t.unit, "</td></tr>")
}

// percent writes how large a part of a sum is.
func (m *markup) percent(part int64, of []*Column, r *Row) {
	all := int64(0)
	for _, c := range of {
		all += c.Value(r).Int
	}
	if all == 0 {
		part, all = 0, 1
	}
	m.add(" (")
	m.b = strconv.AppendInt(m.b, 100*part/all, 10)
	m.add("%)")
}

// field writes the value of a column, its digits in groups of three; nothing when the object has none.
func (m *markup) field(f Field) {
	if f.Format == Str {
		m.text(f.Str)
		return
	}
	start := len(m.b)
	m.b = f.append(m.b)
	m.group(start)
}

// limit is field with "-" for no limit.
func (m *markup) limit(f Field) {
	if f.Format == Empty || f.Int == 0 {
		m.add("-")
		return
	}
	m.field(f)
}

// group leaves a gap before each group of three of the digits that were written last, from start on; they stay one
// number for copying.
func (m *markup) group(start int) {
	n := len(m.b) - start
	if n <= 3 {
		return
	}
	var digits [24]byte
	copy(digits[:], m.b[start:])
	m.b = m.b[:start]
	for i, d := range digits[:n] {
		if left := n - i - 1; left > 0 && left%3 == 0 {
			m.b = append(append(append(m.b, "<span class=\"rls\">"...), d), "</span>"...)
		} else {
			m.b = append(m.b, d)
		}
	}
}

// text writes words that come from the configuration or from servers.
func (m *markup) text(words ...string) {
	for _, s := range words {
		for {
			i := strings.IndexAny(s, `&<>"'`)
			if i < 0 {
				break
			}
			m.add(s[:i], html.EscapeString(s[i:i+1]))
			s = s[i+1:]
		}
		m.b = append(m.b, s...)
	}
}

// fragment writes a place on the page as a link has it.
func (m *markup) fragment(words ...string) {
	for _, s := range words {
		for i := range len(s) {
			switch c := s[i]; {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~:/+", c) >= 0:
				m.b = append(m.b, c)
			default:
				const hex = "0123456789ABCDEF"
				m.b = append(m.b, '%', hex[c>>4], hex[c&15])
			}
		}
	}
}

// span is an empty cell over n columns.
func (m *markup) span(n int64) {
	m.add("<td colspan=\"")
	m.b = strconv.AppendInt(m.b, n, 10)
	m.add("\"></td>")
}

// trend is the cell in which the script draws how the rate went lately.
func (m *markup) trend(*Row) { m.add("<td class=\"spark\"></td>") }

func (m *markup) yes(is bool) {
	if is {
		m.add("Y")
	} else {
		m.add("-")
	}
}

func (m *markup) lastSession(r *Row) {
	if s := colLastsess(r).Int; s >= 0 {
		m.age(s)
	} else {
		m.add("?")
	}
}

// weights are what counts now, and what is set.
func (m *markup) weights(r *Row) {
	m.field(colWeight(r))
	m.add("/")
	m.field(colUweight(r))
}

func (m *markup) throttle(r *Row) {
	f := colThrottle(r)
	if f.Format == Empty {
		m.add("-")
		return
	}
	m.field(f)
	m.add(" %")
}

// backendState stands out when the backend has no server, or is not published.
func (m *markup) backendState(r *Row) {
	m.age(colLastchg(r).Int)
	class := ""
	switch {
	case strings.HasPrefix(m.status, "DOWN"):
		class = "down"
	case strings.Contains(m.status, "UNPUB"):
		class = "unpub"
	default:
		m.add(" ")
		m.text(m.status)
		return
	}
	m.add(" <span class=\"", class, "\">")
	m.text(m.status)
	m.add("</span>")
}

// downtime is shown for backends that may be down.
func (m *markup) downtime(r *Row) {
	if f := colDowntime(r); f.Format != Empty {
		m.age(f.Int)
	}
}

// serverState is the state and since when it holds, with an arrow when checks are about to change it.
func (m *markup) serverState(r *Row) {
	if m.status == "no check" {
		m.add("<i>no check</i>")
		return
	}
	m.age(colLastchg(r).Int)
	m.add(" ")
	if strings.HasPrefix(m.status, "MAINT") {
		m.add("MAINT")
		return
	}
	m.text(m.status)
	switch health := colCheckHealth(r).Int; {
	case strings.HasPrefix(m.status, "DOWN"):
		if health > 0 {
			m.add(" &uarr;")
		}
	case health < healthiest(r):
		m.add(" &darr;")
	}
}

// healthiest is the health of a server none of whose last checks failed, 0 without checks.
func healthiest(r *Row) int64 {
	if f := colCheckRise(r); f.Format != Empty {
		return f.Int + colCheckFall(r).Int - 1
	}
	return 0
}

// report is what a check has found: columns of the health check or of the agent.
type report struct{ status, code, duration, desc, last *Column }

var (
	ofCheck = report{col("check_status"), col("check_code"), col("check_duration"), col("check_desc"), col("last_chk")}
	byAgent = report{col("agent_status"), col("agent_code"), col("agent_duration"), col("agent_desc"), col("last_agt")}
)

// check is the cell of the last check: that of the agent when it is who holds the server down.
func (m *markup) check(r *Row) {
	from := &ofCheck
	if strings.HasPrefix(m.status, "DOWN") && byAgent.status.Value(r).Format != Empty && colAgentHealth(r).Int == 0 {
		from = &byAgent
	}
	state := from.status.Value(r)
	if state.Format == Empty {
		m.add("<td></td>")
		return
	}
	m.open("ac", true)
	m.text(state.Str)
	if f := from.code.Value(r); f.Format != Empty {
		m.add("/")
		m.b = f.append(m.b)
	}
	if f := from.duration.Value(r); f.Format != Empty {
		m.add(" in ")
		m.b = f.append(m.b)
		m.add("ms")
	}
	m.add(boxStart, "<tr><th>")
	m.text(from.desc.Value(r).Str)
	if said := from.last.Value(r).Str; said != "" {
		m.text(": ", said)
	}
	m.add("</th></tr>")
	m.end(true)
}

// checkFailures are the cells of failed checks, of times that the server went down, and of how long it was.
func (m *markup) checkFailures(r *Row) {
	switch fails := colChkfail(r); {
	case m.status == "MAINT (resolution)":
		m.add("<td class=\"ac\" colspan=\"3\">resolution</td>")
	case fails.Format != Empty:
		about := "Failed Health Checks"
		m.open("", true)
		m.field(fails)
		if hana := colHanafail(r); hana.Format != Empty {
			m.add("/")
			m.field(hana)
			about = "Failed Health Checks/Health Analyses"
		}
		m.add(boxStart, "<tr><th>", about, "</th></tr>")
		m.end(true)
		m.add("<td>")
		m.field(colChkdown(r))
		m.add("</td><td>")
		m.downtime(r)
		m.add("</td>")
	case r.Server.Track != nil && m.status != "MAINT":
		px, srv := r.Server.Track.Proxy.Name, r.Server.Track.Name
		m.add("<td class=\"ac\" colspan=\"3\"><a class=\"lfsb\" href=\"#")
		m.fragment(px, "/", srv)
		m.add("\">via ")
		m.text(px, "/", srv)
		m.add("</a></td>")
	default:
		m.span(3)
	}
}

// serverClass is the colour of a server's line.
func serverClass(r *Row, state string) string {
	role := &activeClasses
	if r.Server.Backup {
		role = &backupClasses
	}
	switch {
	case strings.HasPrefix(state, "MAINT"):
		return "maintain"
	case state == "DOWN", state == "DOWN (agent)":
		return role.down
	case strings.HasPrefix(state, "DOWN "):
		return role.goingUp
	case state == "DRAIN":
		return role.draining
	case state == "NOLB":
		return role.nolb
	case strings.HasPrefix(state, "NOLB "):
		return role.goingDown
	case state == "no check":
		return role.noCheck
	case checking(r.Server) && colCheckHealth(r).Int < healthiest(r):
		return role.goingDown
	case colWeight(r).Int == 0:
		return role.draining
	}
	return role.up
}

// classes are the colours of servers.
type classes struct{ up, goingDown, goingUp, down, noCheck, nolb, draining string }

var (
	activeClasses = classes{"active_up", "active_going_down", "active_going_up", "active_down", "active_no_check", "active_nolb", "active_draining"}
	backupClasses = classes{"backup_up", "backup_going_down", "backup_going_up", "backup_down", "backup_no_check", "backup_nolb", "backup_draining"}
)

// module is the cell of a group of columns of one module.
func (m *markup) module(mod *module, r *Row) {
	some := false
	for i := range mod.tips {
		some = some || mod.tips[i].shown(r)
	}
	if !some {
		m.add("<td></td>")
		return
	}
	m.open("", true)
	m.add(mod.name)
	m.tips(mod.tips, r)
	m.end(true)
}

// age writes seconds with their two largest units: "1d2h", "3m4s".
func (m *markup) age(seconds int64) { m.b = appendCoarse(m.b, seconds) }

// Coarse writes a duration with its two largest units: "1d2h", "3m4s".
func Coarse(d time.Duration) string { return string(appendCoarse(nil, int64(d/time.Second))) }

func appendCoarse(b []byte, s int64) []byte {
	left := 2
	for _, unit := range [...]struct {
		size int64
		name byte
	}{{86400, 'd'}, {3600, 'h'}, {60, 'm'}} {
		if n := s / unit.size; n > 0 && left > 0 {
			b = append(strconv.AppendInt(b, n, 10), unit.name)
			left--
		}
		s %= unit.size
	}
	if left > 0 && s > 0 || left == 2 {
		b = append(strconv.AppendInt(b, s, 10), 's')
	}
	return b
}
