package stats

import (
	"iter"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hapax/runtime"
)

// metrics writes what the columns count in the text format of Prometheus: all lines of one metric, then those of
// the next one. It holds only its place, so that an answer of any size takes little memory.
type metrics struct {
	config *runtime.Config
	query  metricQuery
	b      []byte
	yield  func([]byte) bool
	ended  bool // nobody wants more

	prefix string // of the names: "haproxy_server_"
	name   string
	desc   string
	headed bool // the metric has its HELP and TYPE
	kind   string
}

// metricQuery is what the query of the URI asks for.
type metricQuery struct {
	process bool
	objects Objects
	only    bool            // only the metrics that named holds as true
	named   map[string]bool // false: left out
	extra   bool            // columns of modules too
	noMaint bool
	desc    bool // descriptions are labels
}

// label is one label of a line; a value "" leaves it out.
type label struct{ name, value string }

// parseMetricQuery reads `scope=..&metrics=..&extra-counters&no-maint&desc-labels`. ok is false for what is no query.
func parseMetricQuery(text string) (q metricQuery, ok bool) {
	scoped := false
	text, _, _ = strings.Cut(text, "#")
	for text != "" {
		var word string
		word, text, _ = strings.Cut(text, "&")
		key, value, valued := strings.Cut(word, "=")
		key, err := url.PathUnescape(key)
		value, err2 := url.PathUnescape(value)
		if err != nil || err2 != nil || strings.Contains(word[min(len(word), len(key)+1):], "=") {
			return q, false
		}
		switch key {
		case "scope":
			scoped = true
			if !valued || !q.scope(value) {
				return q, false
			}
		case "metrics":
			if !valued {
				return q, false
			}
			q.filter(value)
		case "extra-counters":
			q.extra = true
		case "no-maint":
			q.noMaint = true
		case "desc-labels":
			q.desc = true
		}
	}
	if !scoped {
		q.process, q.objects = true, Any
	}
	return q, true
}

// scope adds one scope to those that are wanted; none takes all back.
func (q *metricQuery) scope(name string) bool {
	switch name {
	case "":
		q.process, q.objects = false, 0
	case "*":
		q.process, q.objects = true, Any
	case "global":
		q.process = true
	case "frontend":
		q.objects |= Frontend
	case "listener":
		q.objects |= Listener
	case "backend":
		q.objects |= Backend
	case "server":
		q.objects |= Server
	default:
		return strings.HasPrefix(name, "sticktable") || strings.HasPrefix(name, "resolver")
	}
	return true
}

// filter reads a list of metrics that are wanted, or with "-" not wanted.
func (q *metricQuery) filter(list string) {
	for name := range strings.SplitSeq(list, ",") {
		name, out := strings.CutPrefix(name, "-")
		if name == "" {
			continue
		}
		if q.named == nil {
			q.named = map[string]bool{}
		}
		q.named[name] = !out
		q.only = q.only || !out
	}
}

func (q *metricQuery) wants(name string) bool {
	wanted, named := q.named[name]
	if named {
		return wanted
	}
	return !q.only
}

// Metrics gives what a query asks for in parts; false when it is no query. The parts are valid until the next one.
func Metrics(cfg *runtime.Config, query string) (iter.Seq[[]byte], bool) {
	q, ok := parseMetricQuery(query)
	if !ok {
		return nil, false
	}
	return func(yield func([]byte) bool) {
		m := &metrics{config: cfg, query: q, yield: yield}
		m.all()
		if len(m.b) > 0 && !m.ended {
			yield(m.b)
		}
	}, true
}

func (m *metrics) all() {
	if m.query.process {
		m.process()
	}
	for _, on := range []struct {
		kind   Objects
		prefix string
	}{{Frontend, "haproxy_frontend_"}, {Listener, "haproxy_listener_"}, {Backend, "haproxy_backend_"}, {Server, "haproxy_server_"}} {
		if m.query.objects&on.kind != 0 {
			m.objects(on.kind, on.prefix)
		}
	}
}

// begin starts a metric and tells whether it is wanted.
func (m *metrics) begin(prefix, name, desc string) bool {
	if m.ended || !m.query.wants(prefix+name) {
		return false
	}
	m.prefix, m.name, m.desc, m.headed, m.kind = prefix, name, desc, false, ""
	return true
}

// metricPart is how many bytes make a part.
const metricPart = 12 << 10

// line writes a value with its labels, behind the head of the metric when it is the first one.
func (m *metrics) line(f Field, labels ...label) {
	if !m.headed {
		m.headed = true
		kind := m.kind
		if kind == "" {
			kind = "gauge"
			if f.Tags.Nature == Counter {
				kind = "counter"
			}
		}
		m.add("# HELP ", m.prefix, m.name, " ", m.desc, "\n# TYPE ", m.prefix, m.name, " ", kind, "\n")
	}
	m.add(m.prefix, m.name)
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
	if len(m.b) >= metricPart {
		m.ended = !m.yield(m.b)
		m.b = m.b[:0]
	}
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

func (m *metrics) process() {
	p := newInfo(m.config)
	global := label{}
	if m.query.desc {
		global = label{"desc", m.config.Global.Desc}
	}
	one := Field{Format: U32, Int: 1}
	for i := range infoColumns {
		c := &infoColumns[i]
		if c.Alt == "" || !m.begin("haproxy_process_", c.Alt, c.Desc) {
			continue
		}
		if slices.Contains(infoCounters, c.Name) {
			m.kind = "counter"
		}
		switch c.Name {
		case "node":
			m.line(one, label{"node", nodeName(m.config)}, global)
		case "description":
			if desc := m.config.Global.Desc; desc != "" {
				m.line(one, label{"desc", desc})
			}
		case "build_info", "Build info":
			m.line(one, label{"version", Version}, global)
		default:
			m.line(c.Get(p), global)
		}
	}
}

// objects writes all metrics of one kind of objects.
func (m *metrics) objects(on Objects, prefix string) {
	for i := range allColumns[:fixed] {
		c := &allColumns[i]
		if c.Alt == "" || c.On&on == 0 {
			continue
		}
		code, coded := strings.CutPrefix(c.Name, "hrsp_")
		if coded && c.Name != "hrsp_1xx" && !m.ended {
			m.headed = true // one metric of six columns
		} else if desc, ok := metricDescs[c.Name]; !m.begin(prefix, metricName(c, on), first(desc, ok, c.Desc)) {
			continue
		}
		if coded && !m.query.wants(prefix+c.Alt) {
			continue
		}
		m.each(on, func(r *Row, labels []label) {
			if coded {
				labels = append(labels, label{"code", code})
			}
			m.object(c, r, labels)
		})
	}
	if m.query.extra {
		m.modules(on, prefix)
	}
}

func first(text string, ok bool, other string) string {
	if ok {
		return text
	}
	return other
}

// modules writes the columns of modules.
func (m *metrics) modules(on Objects, prefix string) {
	for _, mod := range modules {
		for i := range allColumns[fixed:] {
			c := &allColumns[fixed+i]
			if moduleOf(c.Name) != mod.name || c.On&on == 0 || !m.begin(prefix, c.Name, c.Desc) {
				continue
			}
			m.kind = "counter"
			m.each(on, func(r *Row, labels []label) {
				m.line(c.Value(r), slices.Insert(labels, m.modulePlace(on), label{"mod", mod.name})...)
			})
		}
	}
}

// modulePlace is where the label of the module stands: behind the name of the object, before the description of a
// frontend or backend and behind that of others.
func (m *metrics) modulePlace(on Objects) int {
	if on&Proxies != 0 {
		return 1
	}
	return 3
}

// each calls write for each object of a kind, with the labels that name it.
func (m *metrics) each(on Objects, write func(r *Row, labels []label)) {
	scan := Scan{Config: m.config, Select: Selection{Bound: true, Proxy: -1, ID: -1, Types: 1 << objectTypes[on], NoMaint: m.query.noMaint}}
	var row Row
	var labels [5]label
	for !m.ended && scan.Next(&row) {
		desc := ""
		if m.query.desc {
			desc = row.Proxy.Desc
		}
		named := append(labels[:0], label{"proxy", row.Proxy.Name}, label{"desc", desc})
		switch on {
		case Listener:
			named = append(named, label{"listener", ListenerName(row.Listener)})
		case Server:
			named = append(named, label{"server", row.Server.Name})
		}
		write(&row, named)
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
func (m *metrics) object(c *Column, r *Row, labels []label) {
	web := r.Proxy.Mode == runtime.ModeHTTP
	switch c.Name {
	case "status":
		m.states(statesOf(r.On), stateOf(r), labels)
	case "agg_server_status", "agg_server_check_status":
		m.countStates(r, labels)
	case "agg_check_status":
		m.countChecks(r, labels)
	case "check_status":
		if reporting(r.Server) {
			m.states(checkNames, lastCheck(r.Server).Status.String(), labels)
		}
	case "check_code":
		if reporting(r.Server) {
			f := c.Value(r)
			f.Format = U32
			m.line(f, labels...)
		}
	case "agent_status":
		if f := c.Value(r); f.Format != Empty {
			m.states(checkNames, strings.TrimPrefix(f.Str, "* "), labels)
		}
	case "agent_code":
		if r.Server.Agent.Asked() {
			f := c.Value(r)
			f.Format = U32
			m.line(f, labels...)
		}
	case "agent_duration":
		if last := r.Server.Agent.Last.Load(); last != nil && last.Status.Ended() {
			m.line(Field{Format: Float, Float: float64(last.Duration.Milliseconds()) / 1000}, labels...)
		}
	case "check_duration":
		if f := c.Value(r); f.Format != Empty {
			m.line(seconds(f), labels...)
		}
	case "qtime", "ctime", "rtime", "ttime", "qtime_max", "ctime_max", "rtime_max", "ttime_max":
		m.line(seconds(c.Value(r)), labels...)
	case "req_tot", "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other":
		if web || r.On == Listener {
			m.line(c.Value(r), labels...)
		}
	case "req_rate_max", "intercepted", "cache_lookups", "cache_hits", "comp_in", "comp_out", "comp_byp", "comp_rsp":
		if web || r.On == Server || r.On == Listener {
			m.line(c.Value(r), labels...)
		}
	default:
		m.line(c.Value(r), labels...)
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
func (m *metrics) states(all []string, now string, labels []label) {
	for _, state := range all {
		f := Field{Format: U32}
		if state == now {
			f.Int = 1
		}
		m.line(f, append(labels, label{"state", state})...)
	}
}

// countStates tells how many servers of a backend are in each state.
func (m *metrics) countStates(r *Row, labels []label) {
	servers := r.Proxy.AllServers()
	counts := map[string]int64{}
	for _, srv := range servers {
		counts[serverState(srv)]++
	}
	m.counts(servers, serverStates, counts, labels)
}

// countChecks tells how many checks of servers of a backend ended in each way.
func (m *metrics) countChecks(r *Row, labels []label) {
	servers := r.Proxy.AllServers()
	counts := map[string]int64{}
	for _, srv := range servers {
		if reporting(srv) {
			counts[lastCheck(srv).Status.String()]++
		}
	}
	m.counts(servers, checkNames, counts, labels)
}

func (m *metrics) counts(servers []*runtime.Server, names []string, counts map[string]int64, labels []label) {
	if len(servers) == 0 {
		return
	}
	for _, name := range names {
		m.line(Field{Format: U32, Int: counts[name]}, append(labels, label{"state", name})...)
	}
}
