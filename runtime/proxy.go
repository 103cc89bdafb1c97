package runtime

import (
	"iter"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hapax/acl"
	"hapax/acl/logformat"
	"hapax/parser/ast"
	"hapax/stats/counter"
)

// Mode is what a proxy speaks. Section 4.2 "mode".
type Mode uint8

const (
	ModeTCP Mode = iota
	ModeHTTP
	ModeCLI    // the GLOBAL proxy of the stats sockets
	ModeSyslog // "mode log"
	ModeSPOP
)

// Cap is what a proxy can do: listen, balance or both.
type Cap uint8

const (
	CapFront Cap = 1 << iota
	CapBack
	CapDefaults
	CapListen = CapFront | CapBack
)

// Option is one "option" word that is a plain switch. Section 4.2.
type Option uint64

const (
	OptAbortOnClose Option = 1 << iota
	OptAcceptUnsafeRequest
	OptAcceptUnsafeResponse
	OptAllBackups
	OptCheckCache
	OptCliTCPKA
	OptSrvTCPKA
	OptContStats
	OptDisableH2Upgrade
	OptDontLogNormal
	OptDontLogNull
	OptBufferRequest
	OptIgnoreProbes
	OptNoDelay
	OptPretendKeepAlive
	OptUseProxyHeader
	OptIndependent
	OptLogAsap
	OptLogHealth
	OptLogSeparateErrors
	OptNoLinger
	OptPersist
	OptPreferLastServer
	OptRedispatch
	OptSocketStats
	OptSpliceAuto
	OptSpliceRequest
	OptSpliceResponse
	OptTCPSmartAccept
	OptTCPSmartConnect
	OptDropRequestTrailers
	OptDropResponseTrailers
	OptIdleCloseOnResponse
	OptH1AdjustClients // h1-case-adjust-bogus-client
	OptH1AdjustServers // h1-case-adjust-bogus-server
	OptHTTPUpgrade     // found while loading: some stream may be switched from TCP to HTTP
)

// HeaderNames is what is done with request headers whose names have unusual
// characters. Section 4.2 "option http-restrict-req-hdr-names".
type HeaderNames uint8

const (
	HeaderNamesUnset HeaderNames = iota // preserved, or deleted where FastCGI is spoken
	HeaderNamesPreserve
	HeaderNamesReject
	HeaderNamesDelete
)

// HTTPMode is how connections are kept. Section 4.2 "option http-keep-alive".
type HTTPMode uint8

const (
	KeepAlive   HTTPMode = iota // the default
	ServerClose                 // option http-server-close
	CloseBoth                   // option httpclose
)

// Reuse is "http-reuse".
type Reuse uint8

const (
	ReuseSafe Reuse = iota // the default
	ReuseNever
	ReuseAggressive
	ReuseAlways
)

// Timeouts of a proxy, the 12 of section 4.2; 0 is unset (infinite).
type Timeouts struct {
	Check, Client, ClientFin, ClientHandshake time.Duration
	Connect, KeepAlive, Request, Queue        time.Duration
	Server, ServerFin, Tarpit, Tunnel         time.Duration
}

// ProxyStats are the live numbers of a proxy.
type ProxyStats struct {
	Front []FrontCounters // one shard per loop
	Back  []BackCounters

	TLSFront, TLSBack TLSCounters // handshakes with clients and with servers

	BackConns                   counter.Level // sessions on the backend now
	ConnRate, SessRate, ReqRate counter.Meter // frontend
	BackRate                    counter.Meter

	LastSess   atomic.Int64 // unix seconds; 0 never
	LastChange atomic.Int64 // unix seconds of the last UP or DOWN
	DownTime   atomic.Int64 // seconds spent DOWN before LastChange
	DownTrans  counter.Counter

	_ [64]byte // what is above is written seldom; what is below, by all loops

	FrontConns    counter.Gauge // client connections now: what limits them must be exact
	FrontConnsMax counter.Max
	Queued        counter.Gauge // waiting in the backend's own queue
	QueuedMax     counter.Max
	TotalQueued   counter.Gauge // in the backend's and its servers' queues
	Served        counter.Gauge // streams that hold a slot of one of the servers

	_ [64]byte

	BadRequest  atomic.Pointer[Capture]
	BadResponse atomic.Pointer[Capture]
}

// Proxy is a frontend, a backend or both (listen). Section 4 of the manual.
// It starts as a copy of its defaults section.
type Proxy struct {
	ID          int // uuid: "id" or counted from 1
	Name        string
	Kind        string // "frontend", "backend", "proxy" (a listen) or "defaults", as messages name it
	Pos         ast.Pos
	Caps        Cap
	Mode        Mode
	Options     Option
	NoOptions   Option // switched off by "no option": not inherited again
	HTTP        HTTPMode
	HeaderNames HeaderNames
	Desc        string
	Disabled    bool // "disabled": not started
	ForcedID    bool // ID comes from an "id" line
	GUID        string

	Defaults          *Proxy // the named or last defaults section; nil
	Timeout           Timeouts
	MaxConn           int // frontend; 0: the process's
	Backlog           int
	RateLimit         int // rate-limit sessions; 0 none
	FullConn          int
	MaxOwnConns       int // max-session-srv-conns: idle server connections that only one client may use
	Retries           int
	RedispatchAfter   int // option redispatch <interval>; 0 off
	RetryOn           RetryOn
	Reuse             Reuse
	MaxKeepAliveQueue int // -1 unlimited
	Tarpit            time.Duration

	Binds         []*Bind
	Listeners     []*Listener
	Servers       []*Server // in the order of the file; see AllServers
	DefaultServer *Server   // what "default-server" set: the template of later servers
	Pinned        bool      // something in the configuration refers to it: it cannot be deleted
	Dynamic       bool      // it was made at run time: its newest server stands first

	ACLs                   *acl.Set // named ACLs of this proxy
	TCPConn                Ruleset  // tcp-request connection
	TCPSess                Ruleset  // tcp-request session
	TCPReq                 Ruleset  // tcp-request content
	TCPRes                 Ruleset  // tcp-response content
	HTTPReq                Ruleset
	HTTPRes                Ruleset
	HTTPAfter              Ruleset
	InspectReq, InspectRes time.Duration // inspect-delay; 0 none
	Monitor                []*acl.Cond   // monitor fail
	MonitorURI             string
	Switching              []*SwitchRule // use_backend
	ServerRules            []*ServerRule // use-server
	Redirects              []*Rule       // legacy "redirect" lines: run after http-request rules
	DefaultName            string        // default_backend as written
	DefaultBack            *Proxy

	ForwardedFor ForwardFor // option forwardfor
	OriginalTo   ForwardFor // option originalto
	// Forwarded adds the header of "option forwarded"; nil without it. Set by runtime/rules.
	Forwarded    func(*Stream) error
	Attach       func(*Stream) // puts filters that see messages on a stream; nil: there are none. Set by runtime/filter
	Capture      Captures
	Cookie       *CookieConfig // "cookie": set by runtime/cookie
	Compression  *Compression  // nil: nothing is said of it. Set by runtime/compress and runtime/filter
	PersistRules []PersistRule
	StickReq     []StickRule // stick on, match, store-request
	StickRes     []StickRule // stick store-response
	RDPCookie    string      // persist rdp-cookie: the name of that cookie; "" none
	ForceSwitch  []*acl.Cond // force-be-switch: use backends that are disabled or not published
	Balance      BalanceConfig
	Dispatch     *Server      // "dispatch", "transparent": takes what no other server was chosen for, unseen by users; nil when the proxy balances
	LB           Balancer     // built by runtime/balance when the engine starts
	Check        any          // option httpchk, tcp-check...: set by runtime/check
	Source       *SourceAddr  // "source"
	Keepalive    [2]Keepalive // client, server side TCP keep-alive settings

	Logs           []*LogTarget
	LogGlobal      bool // "log global"
	LogTag         string
	LogFormat      LineFormat
	LogFormatSD    LineFormat
	FormatNeeds    logformat.Need // of all formats of its section, of rules too: what logs wait for and streams keep for them
	LogSteps       uint32         // "log-steps": a bit for each step of runtime/logger; 0: one line for each stream
	ErrorFormat    LineFormat
	UniqueIDFormat LineFormat
	Logger         any // its targets and formats, ready to use: set by runtime/logger
	UniqueIDHeader string

	Errors map[int]*Reply // errorfile, errorloc, http-error by status
	Stats  *StatsPage     // nil: no stats page

	Plan        any          // the steps of its streams: set by runtime/engine
	LiveMaxConn atomic.Int64 // live: connections of a frontend at most; 0: none is let in. Set by the engine at start and by "set maxconn frontend"
	FastCGI     any          // of a backend with an application: set by runtime/fcgi; nil: it has none
	SendName    string       // http-send-name-header, lower case; "" none

	Live        ProxyStats
	State       atomic.Int32 // live: ProxyState
	Unpublished atomic.Bool  // live: a backend that frontends do not choose; unpublish backend

	Mu      sync.Mutex                // guards Queue, server state changes and the list of servers; never held over I/O
	live    atomic.Pointer[[]*Server] // the servers now, once one came or went: replaced as a whole
	Queue   any                       // the queue of the backend: set by runtime/queue
	Forward *LogForward               // of a "log-forward" section; nil: it is none
	Peers   any                       // of a "peers" section: runtime/peers's own; nil: it is none
	Ext     map[string]any            // what other domains hang on a proxy at load time; nothing on the request path reads it
}

// ProxyState is what a proxy does now.
type ProxyState int32

const (
	ProxyReady ProxyState = iota
	ProxyPaused
	ProxyStopped // shut down or soft-stopped
)

// RetryOn is a set of events after which a request is sent again. Section 4.2 "retry-on".
type RetryOn struct {
	ConnFailure, EmptyResponse, JunkResponse, ResponseTimeout, Early bool
	Status                                                           map[int]bool
	Set                                                              bool // a retry-on line was seen
}

// Any tells whether something beyond a failed connection is retried: then the
// request must be kept.
func (r *RetryOn) Any() bool {
	return r.EmptyResponse || r.JunkResponse || r.ResponseTimeout || r.Early || len(r.Status) > 0
}

// Connection tells whether it is retried whatever comes of a connection.
func (r *RetryOn) Connection() bool { return r.ConnFailure && r.EmptyResponse && r.ResponseTimeout }

// ForwardFor is "option forwardfor" and "option originalto".
type ForwardFor struct {
	On     bool
	Header string // default x-forwarded-for or x-original-to; lower case
	Name   string // as written
	IfNone bool
	Except netip.Prefix // invalid: no exception
}

// Captures are the slots that "capture" and "declare capture" reserve.
type Captures struct {
	Req, Res  []CaptureSlot
	Cookie    string // prefix or whole name of the captured cookie; "" none
	CookieLen int
}

// CaptureSlot is one captured header. Header is "" for declared slots.
type CaptureSlot struct {
	Header string // lower case
	Len    int    // bytes kept
}

// SwitchRule is one use_backend line.
type SwitchRule struct {
	Cond    *acl.Cond // nil: always
	Name    string
	Backend *Proxy      // nil when the name is dynamic
	Dynamic *LineFormat // an expression that gives the name
	Pos     ast.Pos
}

// ServerRule is one use-server line.
type ServerRule struct {
	Cond    *acl.Cond
	Name    string
	Server  *Server
	Dynamic *LineFormat
	Pos     ast.Pos
}

// BalanceConfig is "balance" and "hash-type" as parsed by runtime/balance.
type BalanceConfig struct {
	Algo     string // "roundrobin", "uri", ... as "show stat" prints it
	Args     any    // of the algorithm: set and read by runtime/balance
	HashType any
	Factor   int // hash-balance-factor; 0 off
	Affinity HashAffinity
}

// HashAffinity is "hash-preserve-affinity": when a hash may choose another server.
type HashAffinity uint8

const (
	AffinityAlways   HashAffinity = iota // never for load
	AffinityMaxConn                      // when the server's connection limit is reached
	AffinityMaxQueue                     // when its queue is full too
)

// Balancer chooses servers. It is safe for concurrent use by all loops.
type Balancer interface {
	// Pick chooses a server for the stream. avoid is a server that just failed,
	// or nil: it is chosen only when there is no other. nil: none is usable.
	Pick(s *Stream, avoid *Server) *Server
	// Update tells that a server's state or weight changed. The caller holds the
	// backend's Mu.
	Update(srv *Server)
	// Taken and Released tell that a stream was given to the server or left it
	// (leastconn sorts by this).
	Taken(srv *Server)
	Released(srv *Server)
	// Takes tells whether the server may serve the backend's own queue now: it is
	// usable, and no backup server while active ones are up.
	Takes(srv *Server) bool
}

// SourceUse tells whose address connections to servers come from ("usesrc").
type SourceUse uint8

const (
	UseNone     SourceUse = iota // their own
	UseAddr                      // one that is given
	UseClient                    // the client's, with its port
	UseClientIP                  // the client's, with any port
	UseHeader                    // the one in a header of the request
)

// SourceAddr is "source": the local address of connections to servers.
type SourceAddr struct {
	Addr              Addr
	PortLow, PortHigh int
	Interface         string
	Use               SourceUse
	UseAddr           netip.AddrPort // with UseAddr
	Header            string         // with UseHeader, in lower case
	Occurrence        int            // with UseHeader
	Next              atomic.Uint32  // live: the next port of the range to try
}

// Keepalive are the tcpka settings; 0: the kernel's.
type Keepalive struct {
	Count          int
	Idle, Interval time.Duration
}

// StatsPage is what the "stats" words set. Section 4.2 "stats enable".
type StatsPage struct {
	URI                                          string
	Realm                                        string
	Refresh                                      time.Duration
	HideVersion                                  bool
	ShowLegends, ShowNode, ShowDesc, ShowModules bool
	Node, Desc                                   string
	Scope                                        []string    // "." is the proxy itself
	Users                                        *Userlist   // stats auth
	Admin                                        []*acl.Cond // stats admin if; an entry nil: always
	Rules                                        Ruleset     // stats http-request
	Challenge                                    *Reply      // 401 for who is not among Users; made when the engine starts
}

// PersistRule is one "force-persist" or "ignore-persist" line.
type PersistRule struct {
	Cond  *acl.Cond
	Force bool
}

// CookieConfig is the "cookie" line; its words are parsed by runtime/cookie.
type CookieConfig struct {
	Name                                                             string
	Mode                                                             CookieMode
	Indirect, NoCache, PostOnly, Preserve, HTTPOnly, Secure, Dynamic bool
	Domain                                                           string // "; domain=..." ready to append
	Attr                                                             string // "; ..." ready to append
	MaxIdle, MaxLife                                                 time.Duration
	DynamicKey                                                       string // dynamic-cookie-key
	Tail                                                             string // what follows the value in Set-Cookie: set by runtime/cookie
}

// CookieMode is what is done with the cookie.
type CookieMode uint8

const (
	CookieNone CookieMode = iota
	CookieRewrite
	CookieInsert
	CookiePrefix
)

// Excepts tells whether the header is not added for this address.
func (f *ForwardFor) Excepts(a netip.Addr) bool {
	return f.Except.IsValid() && f.Except.Contains(a.Unmap())
}

// FrontCounters are all counters of the frontend: its own and those of its listeners.
func (px *Proxy) FrontCounters() iter.Seq[*FrontCounters] {
	return func(yield func(*FrontCounters) bool) {
		for i := range px.Live.Front {
			if !yield(&px.Live.Front[i]) {
				return
			}
		}
		for _, l := range px.Listeners {
			for c := range l.Shards() {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// AllServers are the servers now: those of the file, without those that were deleted since, and those that were
// added. Nobody may change the slice.
func (px *Proxy) AllServers() []*Server {
	if all := px.live.Load(); all != nil {
		return *all
	}
	return px.Servers
}

// Join adds a server at the end. The caller holds Mu.
func (px *Proxy) Join(srv *Server) {
	all, at := slices.Clone(px.AllServers()), 0
	if !px.Dynamic {
		at = len(all)
	}
	all = slices.Insert(all, at, srv)
	px.live.Store(&all)
}

// Leave takes a server out. The caller holds Mu.
func (px *Proxy) Leave(srv *Server) {
	all := slices.DeleteFunc(slices.Clone(px.AllServers()), func(other *Server) bool { return other == srv })
	px.live.Store(&all)
}

// ServerByName finds a server of the backend, nil when there is none.
func (px *Proxy) ServerByName(name []byte) *Server {
	for _, srv := range px.AllServers() {
		if srv.Name == string(name) {
			return srv
		}
	}
	return nil
}

// Side is what messages call the proxy: "frontend", "backend" or "proxy".
func (px *Proxy) Side() string {
	switch px.Caps & CapListen {
	case CapFront:
		return "frontend"
	case CapBack:
		return "backend"
	}
	return "proxy"
}

// Accepted is how many connections the proxy has accepted.
func (px *Proxy) Accepted() (n uint64) {
	for c := range px.FrontCounters() {
		n += c.Conns.Load()
	}
	return n
}

// Served is how many sessions the proxy had as a backend.
func (px *Proxy) Served() (n uint64) {
	for i := range px.Live.Back {
		n += px.Live.Back[i].Sess.Load()
	}
	return n
}
