package runtime

import (
	"net/netip"
	"sync/atomic"
	"time"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/runtime/netns"
	"hapax/stats/counter"
)

// ServerState is the operational state of a server.
type ServerState int32

const (
	ServerStopped  ServerState = iota // DOWN
	ServerStarting                    // UP, throttled by slowstart
	ServerRunning
	ServerStopping // NOLB: answers 404 to its check; only persistent requests
)

// Admin is the administrative state of a server: bits, as show servers state prints them.
type Admin uint32

const (
	ForcedMaint    Admin = 0x01 // set server state maint, disable server
	InheritedMaint Admin = 0x02 // from the tracked server
	ConfigMaint    Admin = 0x04 // "disabled": remembered besides ForcedMaint, which alone takes effect
	ForcedDrain    Admin = 0x08
	InheritedDrain Admin = 0x10
	ResolverMaint  Admin = 0x20 // no address yet
	HostnameMaint  Admin = 0x40 // the host name was changed

	Maint = ForcedMaint | InheritedMaint | ResolverMaint
	Drain = ForcedDrain | InheritedDrain
)

// Whether connections to a server are TLS, as show servers state prints it.
const (
	TLSNever = -1 // "no-ssl" is said
	TLSOff   = 0
	TLSOn    = 1
)

// OnError is the server word "on-error".
type OnError uint8

const (
	OnErrorFailCheck OnError = iota
	OnErrorFastInter
	OnErrorSuddenDeath
	OnErrorMarkDown
)

// Observe is the server word "observe".
type Observe uint8

const (
	ObserveNone Observe = iota
	ObserveLayer4
	ObserveLayer7
)

// HashKey is the server word "hash-key": what places a server on the ring of
// consistent hashing.
type HashKey uint8

const (
	HashKeyID HashKey = iota
	HashKeyID32
	HashKeyGUID
	HashKeyAddr
	HashKeyAddrPort
)

// Proto is the word "proto" of bind and server lines: what is spoken on connections.
type Proto uint8

const (
	ProtoAny Proto = iota // HTTP/1, unless TLS settles on another one
	ProtoH1
	ProtoH2
	ProtoNone // bytes
	ProtoFCGI
)

// InitState is the server word "init-state": how a server starts, and leaves maintenance.
type InitState uint8

const (
	InitNone InitState = iota
	InitFullyUp
	InitUp
	InitDown
	InitFullyDown
)

// WebSocket is the server word "ws": what WebSocket handshakes are relayed by.
type WebSocket uint8

const (
	WebSocketAuto WebSocket = iota
	WebSocketH1
	WebSocketH2
)

// Agent is a program beside a server that says how the server is. Section 5.2 "agent-check".
type Agent struct {
	On   bool // it is asked
	Addr Addr // FamilyNone: the server's
	Port int

	AddrGiven bool // Addr is the agent's own, not that of the server's checks
	PortGiven bool // Port likewise

	Inter time.Duration // 0: that of the server's own checks
	Send  string

	LiveAddr atomic.Pointer[Addr]        // live: set server agent-addr; nil: the server's
	LivePort atomic.Int32                // live: set server agent-port
	LiveSend atomic.Pointer[string]      // live: set server agent-send
	Off      atomic.Bool                 // live: disable agent
	Health   atomic.Int32                // live: 0 or 1
	Running  atomic.Bool                 // live: it is being asked
	Last     atomic.Pointer[CheckResult] // live: nil until it was asked once
	Check    any                         // runtime/check's own
}

// Asked tells whether the agent is asked now.
func (a *Agent) Asked() bool { return a.On && !a.Off.Load() }

// LineExpr is an expression of a server line.
type LineExpr struct {
	Text string
	Expr *sample.Expr // Text compiled, when the line is read; nil: there is none
}

// Server is one server of a backend. Section 5.2.
type Server struct {
	ID    int // puid: "id" or counted
	Name  string
	Proxy *Proxy
	Pos   ast.Pos
	GUID  string

	ForcedID bool // ID comes from an "id" word
	Dynamic  bool // made by "add server"
	Hidden   bool // it is the Dispatch of its proxy
	Revision int  // how often the first server behind a deletion had been added by then
	Pinned   bool // something in the configuration refers to it: it cannot be deleted

	// Where it is.
	Addr       atomic.Pointer[Addr]   // live: set server addr
	Host       string                 // the name as written; "" when an address was
	LiveHost   atomic.Pointer[string] // live: set server fqdn, or what a SRV record names; nil: Host
	Service    string                 // the SRV record that names it; "": none
	Resolvers  string                 // the section whose name servers are asked for Host or Service at run time; "": none are
	Resolve    any                    // how its name is asked for at run time: runtime/resolver's own, nil: nothing was said
	PortOffset bool                   // "+N": the client's port plus N
	Reversed   bool                   // rhttp@: it connects to us, see Attachment
	MapPorts   bool                   // no port: the client's, plus that of Addr modulo 65536
	Source     *SourceAddr            // nil: the proxy's
	InitAddr   []string
	Interface  string
	HostFamily Family // the family that Host was restricted to; FamilyNone: any

	// How much it gets.
	Weight         int          // as configured: 0-256
	UserWeight     atomic.Int32 // live: set weight
	Effective      atomic.Int32 // live: in the scale of the algorithm, after slowstart, set by runtime/balance; 0: no load balancing
	MaxConn        atomic.Int32 // live: 0 none
	MinConn        int
	StaticMaxConn  bool // maxconn does not follow the load: no minconn, or the same
	MaxQueue       int  // 0 none
	HashKey        HashKey
	StrictMaxConn  bool         // "strict-maxconn": counts connections, idle ones included
	Conns          atomic.Int64 // live, with StrictMaxConn: connections in all
	Backup         bool
	Disabled       bool
	SlowStart      time.Duration
	Cookie         string                 // as configured: LiveCookie is the one in use
	AddrCookie     atomic.Pointer[string] // live: made of the address, with "cookie ... dynamic"; nil without
	TrackName      string
	Track          *Server
	Trackers       []*Server // the last one first
	Redir          string    // "redir": prefix of a Location
	PoolName       LineExpr  // "pool-conn-name"
	SNI            LineExpr  // "sni": the name that it is asked for in TLS
	MaxReuse       int       // -1 none
	LogOctets      bool      // log-proto octet-count: messages begin with their length
	LogBufSize     int       // log-bufsize: bytes of messages that wait for a server of a log backend; 0: the usual
	Datagrams      bool      // messages are sent to it over UDP
	MPTCP          bool      // its connections may take several paths (RFC 8684)
	PoolMax        int       // pool-max-conn; -1 none
	PoolLow        int
	PoolPurge      time.Duration
	IdlePing       time.Duration // between questions to idle HTTP/2 connections whether they live; 0: none
	NonStick       bool
	Proto          Proto
	WebSocket      WebSocket
	InitState      InitState
	ALPN           []string     // what TLS offers
	TLS            TLSConfig    // nil: no settings of TLS. Set by runtime/ssl
	TLSMode        atomic.Int32 // live: TLSOn, TLSOff or TLSNever; set server ssl
	CheckTLS       TLSConfig    // "check-ssl": of checks, wherever they go
	ChecksClear    bool         // "no-check-ssl": they are clear, whatever the traffic is
	TLSStats       TLSCounters  // live
	SSL            any          // the line's words about TLS: runtime/ssl's own
	SendProxy      SendProxy
	ProxyTLVs      []ProxyTLV // "set-proxy-v2-tlv-fmt"
	CheckSendProxy bool       // checks begin with a PROXY header too, wherever they go
	TFO            bool
	TCPUserTimeout int            // ms
	Socks          netip.AddrPort // "socks4": the proxy on the way; not valid: none
	CheckViaSocks  bool           // "check-via-socks4": checks go through it too
	Congestion     string         // "cc": the algorithm against congestion
	MD5Key         string         // "tcp-md5sig"
	Namespace      *netns.Namespace

	ClientNamespace bool // "namespace *": that of the client

	// Checks. Section 5.2 "check".
	CheckOn                     bool
	CheckAddr                   Addr
	CheckPort                   int
	LiveCheckPort               atomic.Int32  // live: set server check-port; 0: the address's
	Healthcheck                 string        // the section that describes its checks; "": the proxy does
	CheckRules                  any           // what its checks do, nil: they connect; set by runtime/check
	ChecksTLS                   bool          // a step of its checks connects over TLS
	CheckProto                  Proto         // "check-proto": ProtoAny: that of the server
	CheckReusePool              bool          // "check-reuse-pool": checks use idle connections of the traffic
	CheckPoolName               string        // "check-pool-conn-name": those that were made for it
	Inter, FastInter, DownInter time.Duration // 0: default 2s; the others default to inter
	Rise, Fall                  int
	Check                       any // runtime/check's own; nil: not checked
	OnError                     OnError
	Observe                     Observe
	ErrorLimit                  int
	Shard                       int  // of a peer: the kind of entries that it is told of; 0: all
	MarkedDownShut              bool // on-marked-down shutdown-sessions
	MarkedUpShut                bool // on-marked-up shutdown-backup-sessions
	Agent                       Agent

	// What it does now: changed under the proxy's Mu, read by all.
	State      atomic.Int32 // ServerState
	AdminState atomic.Uint32
	Health     atomic.Int32 // 0..Rise+Fall-1
	LastChange atomic.Int64 // unix seconds
	DownTime   atomic.Int64 // seconds DOWN before LastChange
	Errors     atomic.Int32 // consecutive, for observe
	HealthOff  atomic.Bool  // disable health
	Restored   bool         // a state file told how it was: it goes on from there
	Fresh      atomic.Bool  // added by the runtime API and not enabled since: its checks were never paused

	Events       ServerEvents                // live: who is told of what happens to it
	LastCheck    atomic.Pointer[CheckResult] // live: published by runtime/check; nil until the first check ended
	CheckRunning atomic.Bool                 // live: a check is under way

	// Live numbers.
	Stats                               []BackCounters // one shard per loop
	Current                             counter.Level  // sessions now
	Used                                counter.Level  // connections in use, and the most of them since the last purge
	Rate                                counter.Meter
	Need                                atomic.Int64 // how many connections it was expected to need at the last purge
	Purged                              atomic.Int64 // when idle connections were purged: loop clock
	FailedChecks, FailedHana, DownTrans counter.Counter
	LastSess                            atomic.Int64           // unix seconds; 0 never
	Negotiated                          atomic.Pointer[string] // what a connection was made for on which TLS settled on HTTP/2 last; nil: none did

	_ [64]byte // what is above is written seldom; what is below, by all loops

	Served    counter.Gauge // streams that use a connection now: compared with maxconn
	Queued    counter.Gauge
	QueuedMax counter.Max

	_ [64]byte

	Log     LogSender // of a server of a log backend. Set by runtime/logger
	Queue   any       // set by runtime/queue
	LB      any       // set by runtime/balance: its node in the tree
	Pools   any       // set by runtime/engine: idle connections per loop
	Streams any       // set by runtime/engine: for shutdown sessions
}

// Resolved is where a server was found to be.
type Resolved struct {
	IP    netip.Addr // the zero value: as before
	Port  uint16     // 0: as before
	Quiet bool       // nothing is told about it
}

// Idle tells how many connections are idle in all pools, and how many of them are safe.
func (s *Server) Idle() (all, safe int64) {
	for i := range s.Stats {
		all, safe = all+int64(s.Stats[i].Idle.Load()), safe+int64(s.Stats[i].IdleSafe.Load())
	}
	return max(all, 0), max(safe, 0)
}

// IdleOwned tells how many connections clients keep idle for themselves.
func (s *Server) IdleOwned() (n int64) {
	for i := range s.Stats {
		n += int64(s.Stats[i].IdleOwned.Load())
	}
	return max(n, 0)
}

// NeedEst is how many connections the server is expected to need.
func (s *Server) NeedEst() uint64 { return max(uint64(s.Need.Load()), s.Used.Max()) }

// HostName is the name that the server's address is asked for by, "" when there is none.
func (s *Server) HostName() string {
	if name := s.LiveHost.Load(); name != nil {
		return *name
	}
	return s.Host
}

// Encrypted tells whether connections to the server are TLS.
func (s *Server) Encrypted() bool { return s.TLSMode.Load() == TLSOn }

// LiveCookie is the value that persistence cookies have for the server, "" when there is none.
func (s *Server) LiveCookie() string {
	if s.Cookie == "" {
		if made := s.AddrCookie.Load(); made != nil {
			return *made
		}
	}
	return s.Cookie
}

// Usable tells whether the server may be given requests by load balancing.
func (s *Server) Usable() bool {
	if s.AdminState.Load()&uint32(Maint|Drain) != 0 || s.Effective.Load() == 0 {
		return false
	}
	state := ServerState(s.State.Load())
	return state == ServerStarting || state == ServerRunning
}

// Up tells whether the server may be given persistent requests.
func (s *Server) Up() bool {
	return s.AdminState.Load()&uint32(Maint) == 0 && ServerState(s.State.Load()) != ServerStopped
}
