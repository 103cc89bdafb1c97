package stats

import "hapax/runtime"

// cell is one cell of a line of the page. Columns are looked up once, when the tables below are made: a line of the
// page is written without a search and without an allocation.
type cell struct {
	class string
	at    *Column             // whose value it shows; nil: write's, or none
	limit bool                // "-" stands for no limit
	write func(*markup, *Row) // shows what is no value of one column
	tips  []tip               // lines of the box that opens over it
	boxed func(*Row) bool     // whether there is something to tell there; nil: there is
	whole func(*markup, *Row) // writes the cell itself, or several
}

// tip is one line of the box over a cell.
type tip struct {
	label string
	at    *Column   // nil: the label is a title
	less  *Column   // is taken off
	mean  *Column   // stands behind it: "most / mean"
	share []*Column // of whose sum the value is a part: in percent
	unit  string
	limit bool    // "-" stands for no limit
	on    Objects // which objects have it; 0: all
	modes modes   // of their proxies; 0: all
}

// modes is a set of modes of proxies.
type modes uint8

const (
	inHTTP  modes = 1 << runtime.ModeHTTP
	pooling       = inHTTP | 1<<runtime.ModeSPOP // servers' connections are used again
)

// shown tells whether a line of the box is for an object.
func (t *tip) shown(r *Row) bool {
	return (t.on == 0 || t.on&r.On != 0) && (t.modes == 0 || t.modes&(1<<r.Proxy.Mode) != 0)
}

// byName is for tables: what it does not know is a mistake in one.
var byName = func() map[string]*Column {
	m := make(map[string]*Column, len(allColumns))
	for i := range allColumns {
		m[allColumns[i].Name] = &allColumns[i]
	}
	return m
}()

func col(name string) *Column {
	c := byName[name]
	if c == nil {
		panic("stats: no column " + name)
	}
	return c
}

// heads are the titles over the cells, and the columns of the CSV by which the script brings them up to date.
var heads = []struct{ title, column string }{
	{"Cur", "qcur"}, {"Max", "qmax"}, {"Limit", ""},
	{"Cur", "rate"}, {"Trend", ""}, {"Max", "rate_max"}, {"Limit", ""},
	{"Cur", "scur"}, {"Max", "smax"}, {"Limit", ""}, {"Total", "stot"}, {"LbTot", "lbtot"}, {"Last", ""},
	{"In", "bin"}, {"Out", "bout"},
	{"Req", "dreq"}, {"Resp", "dresp"},
	{"Req", "ereq"}, {"Conn", "econ"}, {"Resp", "eresp"},
	{"Retr", "wretr"}, {"Redis", "wredis"},
	{"Status", ""}, {"LastChk", ""}, {"Wght", ""}, {"Act", ""}, {"Bck", ""}, {"Chk", ""}, {"Dwn", ""}, {"Dwntme", ""}, {"Thrtle", ""},
}

// lines are the cells of an object's line, behind its name.
var lines = map[Objects][]cell{
	Frontend: {
		{}, {}, {},
		{at: col("rate"), tips: rateTips}, {whole: (*markup).trend}, {at: col("rate_max"), tips: rateMaxTips}, {at: col("rate_lim"), limit: true},
		{at: col("scur")}, {at: col("smax")}, {at: col("slim"), limit: true}, {at: col("stot"), tips: totalTips}, {}, {},
		{at: col("bin")}, {at: col("bout"), tips: byteTips, boxed: compressed},
		{at: col("dreq")}, {at: col("dresp")},
		{at: col("ereq")}, {}, {},
		{}, {},
		{class: "ac", at: col("status")}, {whole: func(m *markup, _ *Row) { m.span(8) }},
	},
	Listener: {
		{}, {}, {},
		{}, {}, {}, {},
		{at: col("scur")}, {at: col("smax")}, {at: col("slim"), limit: true}, {at: col("stot")}, {}, {},
		{at: col("bin")}, {at: col("bout")},
		{at: col("dreq")}, {at: col("dresp")},
		{at: col("ereq")}, {}, {},
		{}, {},
		{class: "ac", at: col("status")}, {whole: func(m *markup, _ *Row) { m.span(8) }},
	},
	Server: {
		{at: col("qcur")}, {at: col("qmax")}, {at: col("qlimit"), limit: true},
		{at: col("rate")}, {whole: (*markup).trend}, {at: col("rate_max")}, {},
		{at: col("scur"), tips: connectionTips}, {at: col("smax")}, {at: col("slim"), limit: true}, {at: col("stot"), tips: totalTips}, {at: col("lbtot")}, {write: (*markup).lastSession},
		{at: col("bin")}, {at: col("bout")},
		{}, {at: col("dresp")},
		{}, {at: col("econ")}, {at: col("eresp"), tips: resetTips},
		{at: col("wretr")}, {at: col("wredis")},
		{class: "ac", write: (*markup).serverState}, {whole: (*markup).check}, {class: "ac", write: (*markup).weights},
		{class: "ac", write: func(m *markup, r *Row) { m.yes(!r.Server.Backup) }}, {class: "ac", write: func(m *markup, r *Row) { m.yes(r.Server.Backup) }},
		{whole: (*markup).checkFailures}, {class: "ac", write: (*markup).throttle},
	},
	Backend: {
		{at: col("qcur")}, {at: col("qmax")}, {},
		{at: col("rate")}, {whole: (*markup).trend}, {at: col("rate_max")}, {},
		{at: col("scur")}, {at: col("smax")}, {at: col("slim"), limit: true}, {at: col("stot"), tips: totalTips}, {at: col("lbtot")}, {write: (*markup).lastSession},
		{at: col("bin")}, {at: col("bout"), tips: byteTips, boxed: compressed},
		{at: col("dreq")}, {at: col("dresp")},
		{}, {at: col("econ")}, {at: col("eresp"), tips: resetTips},
		{at: col("wretr")}, {at: col("wredis")},
		{class: "ac", write: (*markup).backendState}, {}, {class: "ac", write: (*markup).weights}, {class: "ac", at: col("act")}, {class: "ac", at: col("bck")},
		{}, {at: col("chkdown")}, {write: (*markup).downtime}, {},
	},
}

var rateTips = []tip{
	{label: "Current connection rate:", at: col("conn_rate"), unit: "/s"},
	{label: "Current session rate:", at: col("rate"), unit: "/s"},
	{label: "Current request rate:", at: col("req_rate"), unit: "/s", modes: inHTTP},
}

var rateMaxTips = []tip{
	{label: "Max connection rate:", at: col("conn_rate_max"), unit: "/s"},
	{label: "Max session rate:", at: col("rate_max"), unit: "/s"},
	{label: "Max request rate:", at: col("req_rate_max"), unit: "/s", modes: inHTTP},
}

// connectionTips tell about the connections of a server.
var connectionTips = []tip{
	{label: "Current active connections:", at: col("scur")},
	{label: "Current used connections:", at: col("used_conn_cur")},
	{label: "Current idle connections:", at: col("srv_icur")},
	{label: "- unsafe:", at: col("idle_conn_cur")},
	{label: "- safe:", at: col("safe_conn_cur")},
	{label: "Estimated need of connections:", at: col("need_conn_est")},
	{label: "Private idle connections:", at: col("priv_idle_cur")},
	{label: "Active connections limit:", at: col("slim"), limit: true},
	{label: "Idle connections limit:", at: col("src_ilim"), limit: true},
}

// totalTips tell about the sessions of an object.
var totalTips = []tip{
	{label: "Cum. connections:", at: col("conn_tot"), on: Frontend},
	{label: "Cum. sessions:", at: col("stot")},
	{label: "- HTTP/1 sessions:", at: col("h1sess"), on: Frontend, modes: inHTTP},
	{label: "- HTTP/2 sessions:", at: col("h2sess"), on: Frontend, modes: inHTTP},
	{label: "- HTTP/3 sessions:", at: col("h3sess"), on: Frontend, modes: inHTTP},
	{label: "- other sessions:", at: col("sess_other"), on: Frontend, modes: inHTTP},
	{label: "New connections:", at: col("connect"), on: Backend | Server, modes: pooling},
	{label: "Reused connections:", at: col("reuse"), share: []*Column{col("connect"), col("reuse")}, on: Backend | Server, modes: pooling},
	{label: "Cum. HTTP requests:", at: col("req_tot"), modes: inHTTP},
	{label: "- HTTP/1 requests:", at: col("h1req"), on: Frontend, modes: inHTTP},
	{label: "- HTTP/2 requests:", at: col("h2req"), on: Frontend, modes: inHTTP},
	{label: "- HTTP/3 requests:", at: col("h3req"), on: Frontend, modes: inHTTP},
	{label: "- other requests:", at: col("req_other"), on: Frontend, modes: inHTTP},
	{label: "- HTTP 1xx responses:", at: col("hrsp_1xx"), share: []*Column{col("req_tot")}, modes: inHTTP},
	{label: "- HTTP 2xx responses:", at: col("hrsp_2xx"), share: []*Column{col("req_tot")}, modes: inHTTP},
	{label: "&nbsp;&nbsp;Compressed 2xx:", at: col("comp_rsp"), share: []*Column{col("hrsp_2xx")}, on: Proxies, modes: inHTTP},
	{label: "- HTTP 3xx responses:", at: col("hrsp_3xx"), share: []*Column{col("req_tot")}, modes: inHTTP},
	{label: "- HTTP 4xx responses:", at: col("hrsp_4xx"), share: []*Column{col("req_tot")}, modes: inHTTP},
	{label: "- HTTP 5xx responses:", at: col("hrsp_5xx"), share: []*Column{col("req_tot")}, modes: inHTTP},
	{label: "- other responses:", at: col("hrsp_other"), share: []*Column{col("req_tot")}, modes: inHTTP},
	{label: "Intercepted requests:", at: col("intercepted"), on: Frontend, modes: inHTTP},
	{label: "Cache lookups:", at: col("cache_lookups"), on: Proxies, modes: inHTTP},
	{label: "Cache hits:", at: col("cache_hits"), share: []*Column{col("cache_lookups")}, on: Proxies, modes: inHTTP},
	{label: "Failed hdr rewrites:", at: col("wrew"), modes: inHTTP},
	{label: "Internal errors:", at: col("eint"), modes: inHTTP},
	{label: "Max / Avg over last 1024 success. conn.", on: Backend | Server},
	{label: "- Queue time:", at: col("qtime_max"), mean: col("qtime"), unit: " ms", on: Backend | Server},
	{label: "- Connect time:", at: col("ctime_max"), mean: col("ctime"), unit: " ms", on: Backend | Server},
	{label: "- Responses time:", at: col("rtime_max"), mean: col("rtime"), unit: " ms", on: Backend | Server, modes: inHTTP},
	{label: "- Total time:", at: col("ttime_max"), mean: col("ttime"), unit: " ms", on: Backend | Server},
}

// byteTips tell what compression saved.
var byteTips = []tip{
	{label: "Response bytes in:", at: col("bout")},
	{label: "Compression in:", at: col("comp_in")},
	{label: "Compression out:", at: col("comp_out"), share: []*Column{col("comp_in")}},
	{label: "Compression bypass:", at: col("comp_byp")},
	{label: "Total bytes saved:", at: col("comp_in"), less: col("comp_out"), share: []*Column{col("bout")}},
}

var compIn, compByp = col("comp_in"), col("comp_byp")

// compressed tells whether compression had something to do.
func compressed(r *Row) bool { return compIn.Value(r).Int != 0 || compByp.Value(r).Int != 0 }

var resetTips = []tip{
	{label: "Connection resets during transfers, client:", at: col("cli_abrt")},
	{label: "server:", at: col("srv_abrt")},
}

// legendTips name an object more closely, with "stats show-legends".
var legendTips = []tip{
	{label: "address:", at: col("addr"), on: Listener | Server},
	{label: "proto:", at: col("proto"), on: Listener},
	{label: "id:", at: col("sid"), on: Listener | Server},
	{label: "rid:", at: col("srid"), on: Server},
	{label: "balancing:", at: col("algo"), on: Backend},
	{label: "cookie:", at: col("cookie"), on: Server | Backend},
}

// module is a group of columns behind the "-".
type module struct {
	name string
	tips []tip
}

// modules are in the order of the page and of metrics.
var modules = func() []module {
	all := []module{{name: "ssl"}, {name: "h3"}, {name: "quic"}, {name: "h2"}, {name: "h1"}}
	for i := range all {
		for j := range allColumns[fixed:] {
			if c := &allColumns[fixed+j]; moduleOf(c.Name) == all[i].name {
				all[i].tips = append(all[i].tips, tip{label: c.Desc, at: c, on: c.On})
			}
		}
	}
	return all
}()
