package stats

import (
	"slices"
	"strconv"
	"strings"

	"hapax/runtime"
)

// metrics writes what the columns count in the text format of Prometheus: all lines of one metric, then those of
// the next one. It holds only its place, so that an answer of any size takes little memory.
type metrics struct {
	config   *runtime.Config
	query    metricQuery
	families []family
	at       int   // in families
	headed   bool  // the metric there has its HELP and TYPE
	scan     *Scan // over the objects that have it; nil: not begun
	row      Row
	labels   [6]label
	info     *info
	b        []byte
}

// family is one metric: what its head says and where the values of its lines come from.
type family struct {
	name, desc string
	kind       string      // "counter" or "gauge"; "": as the nature of its values
	info       *InfoColumn // of the process; nil: of objects
	on         Objects
	column     *Column
	code       string        // label of the class of responses that the column counts; "": none
	module     string        // label of the module that the column belongs to; "": none
	of         *moduleMetric // neither of the process nor of objects; nil: of one of these
	goesOn     bool          // with the metric before it: it has no head
}

// label is one label of a line; a value "" leaves it out.
type label struct{ name, value string }

// Metrics makes what a query asks for; false when it is no query.
func Metrics(cfg *runtime.Config, query string) (runtime.Parts, bool) {
	q, ok := parseMetricQuery(query)
	if !ok {
		return nil, false
	}
	m := &metrics{config: cfg, query: q, info: newInfo(cfg)}
	if q.process {
		m.processFamilies()
	}
	for _, o := range []struct {
		on     Objects
		prefix string
	}{{Frontend, "haproxy_frontend_"}, {Listener, "haproxy_listener_"}, {Backend, "haproxy_backend_"}, {Server, "haproxy_server_"}} {
		if q.objects&o.on != 0 {
			m.objectFamilies(o.on, o.prefix)
		}
	}
	if q.module {
		m.moduleFamilies()
	}
	return m.next, true
}

// want adds a metric when the query wants it.
func (m *metrics) want(f family) {
	if m.query.wants(f.name) {
		m.families = append(m.families, f)
	}
}

func (m *metrics) processFamilies() {
	for i := range infoColumns {
		c := &infoColumns[i]
		if c.Alt == "" {
			continue
		}
		f := family{name: "haproxy_process_" + c.Alt, desc: c.Desc, info: c}
		if slices.Contains(infoCounters, c.Name) {
			f.kind = "counter"
		}
		m.want(f)
	}
}

// objectFamilies adds all metrics of one kind of objects. The six classes of responses are columns, but one metric.
func (m *metrics) objectFamilies(on Objects, prefix string) {
	for i := range allColumns[:fixed] {
		c := &allColumns[i]
		if c.Alt == "" || c.On&on == 0 {
			continue
		}
		f := family{name: prefix + metricName(c, on), desc: c.Desc, on: on, column: c}
		if desc, ok := metricDescs[c.Name]; ok {
			f.desc = desc
		}
		if code, ok := strings.CutPrefix(c.Name, "hrsp_"); ok {
			f.code, f.goesOn = code, code != "1xx"
		}
		m.want(f)
	}
	if !m.query.extra {
		return
	}
	for _, mod := range modules {
		for i := range allColumns[fixed:] {
			if c := &allColumns[fixed+i]; moduleOf(c.Name) == mod.name && c.On&on != 0 {
				m.want(family{name: prefix + c.Name, desc: c.Desc, kind: "counter", on: on, column: c, module: mod.name})
			}
		}
	}
}

// Bounds of one part: how many bytes are enough, and how many objects are looked at in search of them.
const (
	metricPart = 1024
	metricRows = 32
)

// next makes some lines.
func (m *metrics) next(b []byte) (out []byte, last bool) {
	m.b = b
	for rows := 0; rows < metricRows && len(m.b) < len(b)+metricPart; rows++ {
		if m.at == len(m.families) {
			return m.b, true
		}
		if f := &m.families[m.at]; f.info != nil {
			m.process(f)
		} else if f.of != nil {
			m.moduleLines(f)
		} else if m.nextRow(f.on) {
			m.object(f, &m.row, m.named(f))
			continue
		}
		m.at, m.scan, m.headed = m.at+1, nil, false
	}
	return m.b, false
}

// nextRow goes to the next object of a kind.
func (m *metrics) nextRow(on Objects) bool {
	if m.scan == nil {
		m.scan = &Scan{Config: m.config, Select: Selection{Bound: true, Proxy: -1, ID: -1, Types: 1 << objectTypes[on], NoMaint: m.query.noMaint}}
	}
	return m.scan.Next(&m.row)
}

// named are the labels that name the object of the row. That of a module stands behind the name of the proxy, or behind
// that of its server or listener.
func (m *metrics) named(f *family) []label {
	r := &m.row
	desc := ""
	if m.query.desc {
		desc = r.Proxy.Desc
	}
	l := append(m.labels[:0], label{"proxy", r.Proxy.Name})
	if f.on&Proxies != 0 {
		return append(l, label{"mod", f.module}, label{"desc", desc}, label{"code", f.code})
	}
	l = append(l, label{"desc", desc})
	if f.on == Listener {
		l = append(l, label{"listener", ListenerName(r.Listener)})
	} else {
		l = append(l, label{"server", r.Server.Name})
	}
	return append(l, label{"mod", f.module}, label{"code", f.code})
}

// line writes a value with its labels, behind the head of the metric when it is the first one.
func (m *metrics) line(fam *family, f Field, labels ...label) {
	if !m.headed && !fam.goesOn {
		m.headed = true
		kind := fam.kind
		if kind == "" {
			kind = "gauge"
			if f.Tags.Nature == Counter {
				kind = "counter"
			}
		}
		m.add("# HELP ", fam.name, " ", fam.desc, "\n# TYPE ", fam.name, " ", kind, "\n")
	}
	m.add(fam.name)
	brace := byte('{')
	for _, l := range labels {
		if l.value != "" {
			m.b = append(m.b, brace)
			m.add(l.name, `="`)
			m.b = appendLabel(m.b, l.value)
			m.b = append(m.b, '"')
			brace = ','
		}
	}
	if brace == ',' {
		m.b = append(m.b, '}')
	}
	m.b = append(m.b, ' ')
	switch f.Format {
	case Empty, Str:
		m.b = append(m.b, "NaN"...)
	case Float:
		m.b = strconv.AppendFloat(m.b, f.Float, 'f', 6, 64)
	default:
		m.b = f.append(m.b)
	}
	m.b = append(m.b, '\n')
}

func (m *metrics) add(parts ...string) {
	for _, p := range parts {
		m.b = append(m.b, p...)
	}
}

// appendLabel writes the value of a label; the reference does not escape what is in descriptions.
func appendLabel(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return b
}

// Fields of the process that are no counters by their nature and yet are ones for Prometheus.
var infoCounters = []string{"PoolFailed", "CumConns", "CumReq", "CumSslConns", "PipesUsed", "PipesFree", "SslCacheLookups", "SslCacheMisses",
	"CompressBpsIn", "CompressBpsOut", "DroppedLogs", "FailedResolutions", "TotalBytesOut", "TotalSplicedBytesOut", "CumRecvLogs"}

// process writes a metric of the process.
func (m *metrics) process(f *family) {
	global := label{}
	if m.query.desc {
		global = label{"desc", m.config.Global.Desc}
	}
	one := Field{Format: U32, Int: 1}
	switch f.info.Name {
	case "node":
		m.line(f, one, label{"node", m.config.Global.NodeName()}, global)
	case "description":
		if desc := m.config.Global.Desc; desc != "" {
			m.line(f, one, label{"desc", desc})
		}
	case "build_info", "Build info":
		m.line(f, one, label{"version", runtime.Version}, global)
	default:
		m.line(f, f.info.Get(m.info), global)
	}
}

// metricName is the name of a column's metric: of a server "active" and "backup" are not numbers of servers.
func metricName(c *Column, on Objects) string {
	if on == Server && (c.Name == "act" || c.Name == "bck") {
		return map[string]string{"act": "active", "bck": "backup"}[c.Name]
	}
	return c.Alt
}

// metricDescs are the descriptions of metrics that are not shown as the column is.
var metricDescs = map[string]string{
	"status":         "Current status of the service, per state label value.",
	"check_status":   "Status of last health check, per state label value.",
	"check_code":     "layer5-7 code, if available of the last health check.",
	"check_duration": "Total duration of the latest server health check, in seconds.",
	"qtime":          "Avg. queue time for last 1024 successful connections.",
	"ctime":          "Avg. connect time for last 1024 successful connections.",
	"rtime":          "Avg. response time for last 1024 successful connections.",
	"ttime":          "Avg. total time for last 1024 successful connections.",
	"agent_status":   "Status of last agent check, per state label value.",
	"agent_duration": "Total duration of the latest server agent check, in seconds.",
	"qtime_max":      "Maximum observed time spent in the queue",
	"ctime_max":      "Maximum observed time spent waiting for a connection to complete",
	"rtime_max":      "Maximum observed time spent waiting for a server response",
	"ttime_max":      "Maximum observed total request+response time (request+queue+connect+response+processing)",
}

// object writes the line, or the lines by state, of one object.
func (m *metrics) object(fam *family, r *Row, labels []label) {
	c := fam.column
	web := r.Proxy.Mode == runtime.ModeHTTP
	switch c.Name {
	case "status":
		m.states(fam, statesOf(r.On), stateOf(r), labels)
	case "agg_server_status", "agg_server_check_status":
		m.countStates(fam, r, labels)
	case "agg_check_status":
		m.countChecks(fam, r, labels)
	case "check_status":
		if reporting(r.Server) {
			m.states(fam, checkNames, lastCheck(r.Server).Status.String(), labels)
		}
	case "check_code":
		if reporting(r.Server) {
			f := c.Value(r)
			f.Format = U32
			m.line(fam, f, labels...)
		}
	case "agent_status":
		if f := c.Value(r); f.Format != Empty {
			m.states(fam, checkNames, strings.TrimPrefix(f.Str, "* "), labels)
		}
	case "agent_code":
		if r.Server.Agent.Asked() {
			f := c.Value(r)
			f.Format = U32
			m.line(fam, f, labels...)
		}
	case "agent_duration":
		if last := r.Server.Agent.Last.Load(); last != nil && last.Status.Ended() {
			m.line(fam, Field{Format: Float, Float: float64(last.Duration.Milliseconds()) / 1000}, labels...)
		}
	case "check_duration":
		if f := c.Value(r); f.Format != Empty {
			m.line(fam, seconds(f), labels...)
		}
	case "qtime", "ctime", "rtime", "ttime", "qtime_max", "ctime_max", "rtime_max", "ttime_max":
		m.line(fam, seconds(c.Value(r)), labels...)
	case "req_tot", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other":
		if web || r.On == Listener {
			m.line(fam, c.Value(r), labels...)
		}
	case "req_rate_max", "intercepted", "cache_lookups", "cache_hits", "comp_in", "comp_out", "comp_byp", "comp_rsp":
		if web || r.On == Server || r.On == Listener {
			m.line(fam, c.Value(r), labels...)
		}
	default:
		m.line(fam, c.Value(r), labels...)
	}
}

func seconds(f Field) Field {
	f.Float, f.Format = float64(f.Int)/1000, Float
	return f
}

// States of servers and listeners, and those of frontends and backends, in the order of their lines.
var (
	serverStates   = []string{"DOWN", "UP", "MAINT", "DRAIN", "NOLB"}
	proxyStates    = []string{"DOWN", "UP"}
	listenerStates = []string{"WAITING", "OPEN", "FULL"}
	checkNames     = func() (names []string) {
		for s := runtime.CheckUnknown; s <= runtime.CheckProcOK; s++ {
			if s.Result() >= runtime.OutcomeFailed {
				names = append(names, s.String())
			}
		}
		return names
	}()
)

func statesOf(on Objects) []string {
	switch on {
	case Server:
		return serverStates
	case Listener:
		return listenerStates
	}
	return proxyStates
}

// stateOf is the state of the row's object among statesOf.
func stateOf(r *Row) string {
	alive := false
	switch r.On {
	case Server:
		return serverState(r.Server)
	case Listener:
		return colStatus(r).Str
	case Frontend:
		alive = runtime.ProxyState(r.Proxy.State.Load()) != runtime.ProxyStopped
	case Backend:
		alive = up(r.Proxy)
	}
	if alive {
		return "UP"
	}
	return "DOWN"
}

func serverState(srv *runtime.Server) string {
	admin, state := srv.AdminState.Load(), runtime.ServerState(srv.State.Load())
	switch {
	case admin&uint32(runtime.Maint) != 0:
		return "MAINT"
	case state == runtime.ServerStopping:
		return "NOLB"
	case state == runtime.ServerStopped:
		return "DOWN"
	case admin&uint32(runtime.Drain) != 0:
		return "DRAIN"
	}
	return "UP"
}

// states writes one line for each state: 1 for the one that holds.
func (m *metrics) states(fam *family, all []string, now string, labels []label) {
	for _, state := range all {
		f := Field{Format: U32}
		if state == now {
			f.Int = 1
		}
		m.line(fam, f, append(labels, label{"state", state})...)
	}
}

// countStates tells how many servers of a backend are in each state.
func (m *metrics) countStates(fam *family, r *Row, labels []label) {
	servers := r.Proxy.AllServers()
	counts := map[string]int64{}
	for _, srv := range servers {
		counts[serverState(srv)]++
	}
	m.counts(fam, servers, serverStates, counts, labels)
}

// countChecks tells how many checks of servers of a backend ended in each way.
func (m *metrics) countChecks(fam *family, r *Row, labels []label) {
	servers := r.Proxy.AllServers()
	counts := map[string]int64{}
	for _, srv := range servers {
		if reporting(srv) {
			counts[lastCheck(srv).Status.String()]++
		}
	}
	m.counts(fam, servers, checkNames, counts, labels)
}

func (m *metrics) counts(fam *family, servers []*runtime.Server, names []string, counts map[string]int64, labels []label) {
	if len(servers) == 0 {
		return
	}
	for _, name := range names {
		m.line(fam, Field{Format: U32, Int: counts[name]}, append(labels, label{"state", name})...)
	}
}
