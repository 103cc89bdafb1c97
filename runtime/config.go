package runtime

import (
	"iter"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/runtime/netns"
	"hapax/runtime/sticktable/table"
	"hapax/stats/counter"
)

// Config is one loaded and resolved configuration.
type Config struct {
	Global    Global
	Proxies   []*Proxy // in the order of the files, defaults sections not included; see AllProxies
	Forwards  []*Proxy // "log-forward" sections
	Peers     []*Proxy // "peers" sections that are in use: their servers are the peers, their listener is where those connect
	Apps      []*Proxy // FastCGI applications, as far as they log
	Agents    []*Proxy // the frontends of SPOE agents, whose streams are the exchanges with them
	Userlists map[string]*Userlist
	HTTPErrs  map[string]*HTTPErrors // http-errors sections
	Vars      *sample.VarNames       // names of all variables, and their ids
	ProcVars  *sample.Vars           // the variables of the process
	VarLimits sample.VarLimits       // tune.vars.*-max-size

	Namespaces map[string]*netns.Namespace // network namespaces, by their names

	Patterns  *pattern.Refs // maps and pattern files
	Stats     GlobalStats
	Logger    any            // state of runtime/logger
	Tables    []*table.Table // the newest line first
	Resolvers any            // runtime/resolver's own: all sections of name servers
	Caches    any            // runtime/cache's own: all "cache" sections
	Sinks     any            // of runtime/logger: the "ring" sections and what is there without one
	Traces    any            // of runtime/trace: what is traced
	Client    any            // runtime/httpclient's own: it sends requests of the program's own
	Scripts   any            // of runtime/lua
	Loader    any            // runtime/config's own: it makes servers and backends while the process runs

	ServerEvents ServerEvents // live: who is told of what happens to any server

	Kept []KeptCounters // what the stats file says

	live atomic.Pointer[[]*Proxy] // the proxies now, once one came or went: replaced as a whole
}

// KeptCounters are a line of a stats file: counters of an object in a former process.
// Nobody has looked at the values.
type KeptCounters struct {
	Front    bool // those of a frontend or a listener
	Proxy    *Proxy
	Listener *Listener // nil: the proxy itself
	Server   *Server   // nil: the proxy itself
	Columns  []string
	Values   []string
}

// AllProxies are the proxies now: those of the files, without the backends that were deleted since, and the backends
// that were added. Nobody may change the slice.
func (c *Config) AllProxies() []*Proxy {
	if all := c.live.Load(); all != nil {
		return *all
	}
	return c.Proxies
}

// Join adds a backend at the end. Only one goroutine at a time may call Join and Leave.
func (c *Config) Join(px *Proxy) {
	all := append(slices.Clone(c.AllProxies()), px)
	c.live.Store(&all)
}

// Leave takes a backend out.
func (c *Config) Leave(px *Proxy) {
	all := slices.DeleteFunc(slices.Clone(c.AllProxies()), func(other *Proxy) bool { return other == px })
	c.live.Store(&all)
}

// Proxy by name; nil when there is none.
func (c *Config) Proxy(name string) *Proxy {
	for _, px := range c.AllProxies() {
		if px.Name == name {
			return px
		}
	}
	return nil
}

// Listeners are those of the files: of proxies, then those that receive logs, then those of peers.
func (c *Config) Listeners() iter.Seq[*Listener] {
	return func(yield func(*Listener) bool) {
		for _, all := range [...][]*Proxy{c.Proxies, c.Forwards, c.Peers} {
			for _, px := range all {
				for _, ln := range px.Listeners {
					if !yield(ln) {
						return
					}
				}
			}
		}
	}
}

// Listens tells whether there is anything to listen on: a configuration without is
// not started. Stats sockets count.
func (c *Config) Listens() bool {
	for ln := range c.Listeners() {
		if !ln.Proxy.Disabled {
			return true
		}
	}
	return len(c.Global.StatsSocks) > 0
}

// Loops is how many loops run: as many as CPUs that they may run on, unless "nbthread" says otherwise. A quota of CPU time does
// not count.
func (g *Global) Loops() int {
	n := g.NbThread
	if n == 0 {
		n = max(g.CPUs.Count(), 1)
	}
	if g.ThreadLimit > 0 {
		n = min(n, g.ThreadLimit)
	}
	return n
}

// Global is the global section. Section 3 of the manual.
type Global struct {
	Daemon, MasterWorker, Quiet, Debug bool
	SSL                                any  // settings of TLS: runtime/ssl's own, nil when there are none
	PP2NeverSendLocal                  bool // "pp2-never-send-local"
	NoH2WebSocket                      bool // "h2-workaround-bogus-websocket-clients"
	NoExitOnFailure                    bool // master-worker no-exit-on-failure: a worker that crashed leaves the others
	ZeroWarning                        bool
	Dumpable                           bool          // "set-dumpable": a crash leaves a core dump
	NbThread                           int           // "nbthread", 0: see Loops
	CPUs                               unix.CPUSet   // that loops may run on: those of the process, without what "cpu-set" leaves out
	Affinity                           []unix.CPUSet // by loop, where it has to run ("cpu-map"); empty: anywhere
	MaxConn                            int           // process-wide limit of client connections
	HardMaxConn                        int           // what "set maxconn global" may rise to
	LiveMaxConn                        atomic.Int64  // live: set maxconn global; 0: no limit
	MaxPipes                           int           // for option splice-*
	NoSplice                           bool          // "nosplice", -dS and what else keeps the kernel from passing bytes on by itself
	MaxSock                            int           // descriptors needed at MaxConn
	PoolLow, PoolHigh                  int64         // connections of clients and to servers, from which on few idle ones, or none, are pooled
	UlimitN                            int           // 0: computed
	BootFiles, BootMaxFiles            uint64        // RLIMIT_NOFILE as it was when the program was executed
	FDHardLimit                        int
	NoStrictLimits                     bool
	MemMax                             int   // megabytes, -m; 0 none
	MaxConnRate, MaxSessRate           int   // per second; 0 none
	MaxTLSRate                         int   // handshakes of clients per second; 0 none
	MaxCompRate                        int64 // bytes per second that are compressed; 0: no limit
	CompMinIdle                        int   // percent of the processor that must be idle for anything to be compressed
	MaxTLSConn                         int   // connections with TLS, to clients and to servers; 0 no limit
	SpreadChecks                       int   // percent, 0-50
	MaxSpreadChecks                    time.Duration
	HardStopAfter                      time.Duration // 0: never
	Grace                              time.Duration
	CloseSpread                        time.Duration // -1: idle connections are not closed while stopping
	MaxReloads                         int           // mworker-max-reloads
	ThreadLimit                        int           // thread-hard-limit; 0 none
	ProfileTasks                       Profiling     // whether streams measure what they take
	Families                           []string      // dns-accept-family: "ipv4", "ipv6", "auto"; nil: auto
	Capabilities                       uint32        // setcap: bits of what an unprivileged process may do
	NeedsNetAdmin, NeedsSysAdmin       bool          // what is configured needs such rights
	Renice                             bool          // the process runs with Niceness
	Niceness                           int           // tune.renice.runtime
	RejectPrivileged                   bool          // harden.reject-privileged-ports.tcp: clients with such a port are refused
	NoReusePort                        bool          // sockets are not shared with another process
	ExternalCheck                      bool          // external-check: programs may check servers
	KeepEnvironment                    bool          // external-check preserve-env: they see the process's own environment
	InsecureFork                       bool          // insecure-fork-wanted: programs may be run without being root
	AnonKey                            atomic.Uint32 // live: anonkey, which "set anon on" takes; 0: none

	Pidfile    string
	Chroot     string
	User       string
	Group      string
	UID, GID   int // -1: unchanged; 0 says that root is meant
	Node       string
	Desc       string
	Localpeer  string
	UnixBind   UnixBind
	Logs       []*LogTarget
	LogTag     string
	LogHost    string // log-send-hostname; "" does not send it
	StatsSocks []*Listener
	StatsConns int // "stats maxconn"
	CLITimeout time.Duration
	StateFile  string // server-state-file
	StateBase  string // server-state-base
	StatsFile  string // stats-file

	HeaderCases map[string][]byte // h1-case-adjust: names of fields as HTTP/1 peers want them, by those in lower case

	ErrCodes, FailCodes Statuses // http-err-codes, http-fail-codes: what stick tables count as errors and failures

	Tune Tune
}

// NodeName is what "node" says, or the name of the host.
func (g *Global) NodeName() string {
	if g.Node != "" {
		return g.Node
	}
	name, _ := os.Hostname()
	return name
}

// Profiling is a value of "profiling.tasks".
type Profiling uint8

const (
	ProfileAuto Profiling = iota // off, as no loop falls so far behind that it would matter
	ProfileOn
	ProfileOff
	ProfileAutoOn // it was on before it became auto
)

func (p Profiling) String() string { return [...]string{"auto-off", "on", "off", "auto-on"}[p] }

// UnixBind is the "unix-bind" line: how UNIX sockets are created by default.
type UnixBind struct {
	Prefix   string
	Mode     uint32 // 0: unchanged
	UID, GID int    // -1: unchanged
}

// Tune is what the tune.* words set, where they have meaning here.
type Tune struct {
	BufSize    int // bytes, default 16384
	LargeBuf   int // bytes of the buffers that some rules may ask for; 0: there are none
	MaxRewrite int // bytes, default 1024
	MaxPayload int // bytes of a payload of the runtime API, default 131072
	MaxHdr     int // headers per message, default 101
	LogURILen  int // bytes kept of a request line, default 1023
	CookieLen  int // default 63

	AnyMethodPayload bool // h1-accept-payload-with-any-method
	KeepInsecure     bool // h1-do-not-close-on-insecure-transfer-encoding

	MaxAccept      int // connections per wake-up of a listener
	MaxPollEvents  int
	PipeSize       int // bytes; 0: the system's default
	IdleTimer      time.Duration
	RcvBufClient   int // bytes; 0: the kernel's
	SndBufClient   int
	RcvBufServer   int
	SndBufServer   int
	RcvBufDgram    int // tune.rcvbuf.frontend: of sockets that receive datagrams
	SndBufDgram    int // tune.sndbuf.frontend
	SndBufLog      int // tune.sndbuf.backend: of sockets that send messages to log servers
	NotSentClient  int // bytes that may lie unsent in the kernel; 0: any
	NotSentServer  int
	PoolLowFDRatio int  // percent
	PoolHighFD     int  // percent
	OwnPools       bool // idle connections of a loop are not there for others
	StickCounters  int
	MaxChecks      int // checks under way per loop; 0: no limit
	Glitches       GlitchTune
	H2             H2Tune
}

// GlitchTune is how many oddities on one connection are too many. HTTP/2 has thresholds of its own: see H2Side.
type GlitchTune struct {
	H1Front, H1Back int // of HTTP/1; 0: any number
	Busy            int // percent of the time that a loop must be busy for connections to be killed for them
}

// What a process is tainted with, as "show info" tells it.
const (
	TaintDeclared     uint32 = 1 << iota // an experimental keyword in the configuration
	TaintExecuted                        // an experimental action has run
	TaintExpert                          // a command of expert mode
	TaintExperimental                    // a command of experimental mode
)

// GlobalStats are the process-wide counters, live and sharded by loop where the
// request path writes them.
type GlobalStats struct {
	Conns              counter.Gauge   // client connections now
	ServerConns        counter.Gauge   // connections to servers now
	CumConns           counter.Counter // accepted since the start
	CumReqs            counter.Counter
	ConnRate, SessRate counter.Meter
	ActivePeers        counter.Gauge // connections with peers, and attempts to connect to one
	ConnectedPeers     counter.Gauge // of these, where messages go
	DroppedLogs        counter.Counter
	CumLogs            counter.Counter // that log-forward sections received
	FailedAlloc        counter.Counter
	Started            time.Time

	// Buffers tells how many bytes of buffers the loops have handed out and how many
	// they have mapped. nil: there are no loops.
	Buffers func() (used, mapped int64)

	Clock                           func() int64 // ms of the clock that all rates are fed with; nil: ms since Started
	BootTime                        time.Duration
	Loops                           []LoopCounters
	CurStreams                      counter.Gauge                    // beside those of loops: see OpenStream
	CumStreams                      counter.Counter                  // the same
	Unstoppable                     counter.Gauge                    // listeners that go on while the process stops
	Listeners                       counter.Gauge                    // listening sockets
	Sent                            func() (total, perSecond uint64) // bytes that loops sent on connections of any kind; nil: there are no loops
	CLISent                         counter.Counter                  // and those that stats sockets did
	MaxConnReached                  counter.Counter
	Warnings                        counter.Counter // printed since the start, those of the configuration included
	Stopping                        atomic.Bool
	Tainted                         atomic.Uint32   // what is not for everyday use and was used: bits of Taint...
	ConnRateLimit                   atomic.Int64    // maxconnrate in force, set by the engine at start and by "set rate-limit"
	SessRateLimit                   atomic.Int64    // maxsessrate in force
	TLSRateLimit                    atomic.Int64    // maxsslrate in force
	CompRateLimit                   atomic.Int64    // bytes per second that are compressed at most: "set rate-limit"
	CompIn, CompOut                 counter.Rate    // bytes that were compressed, and what became of them
	Captures                        counter.Counter // messages that broke their protocol
	DebugCommands                   counter.Counter // "debug dev" commands
	Idle                            func() int      // percent of the last half second that loops waited, the mean of all; nil: nothing runs. Set by the engine
	TLSConns                        counter.Gauge   // client and server side
	CumTLSConns                     counter.Counter
	TLSRate                         counter.Rate
	TLSRateMax                      counter.Max
	TLSFrontKeys, TLSBackKeys       counter.Rate // handshakes that resumed no session
	TLSFrontKeysMax, TLSBackKeysMax counter.Max
	TLSLookups, TLSMisses           counter.Counter // of sessions that are kept
	Splicing                        func() Splicing // nil: nothing runs. Set by the engine
}

// Splicing is what the kernel passes on by itself.
type Splicing struct {
	PipesUsed, PipesFree int64
	Bytes                uint64 // since the start
}

// OpenStream counts a session that no loop counts, and its stream: of a stats socket, or of a connection that the
// process makes for itself.
func (s *GlobalStats) OpenStream() {
	s.CumConns.Inc()
	s.CumReqs.Inc()
	s.CumStreams.Inc()
	s.CurStreams.Inc()
}

// CloseStream counts the end of one.
func (s *GlobalStats) CloseStream() { s.CurStreams.Dec() }

// Requests tells how many requests there were, streams since the start, and streams now.
func (s *GlobalStats) Requests() (reqs, streams, now uint64) {
	reqs, streams, now = s.CumReqs.Load(), s.CumStreams.Load(), uint64(max(s.CurStreams.Load(), 0))
	for i := range s.Loops {
		l := &s.Loops[i]
		ended, begun := l.Ended.Load(), l.Streams.Load() // in this order: it is never less than none
		reqs, streams, now = reqs+l.Reqs.Load(), streams+begun, now+begun-ended
	}
	return reqs, streams, now
}

// BytesOut tells how many bytes were sent on connections of any kind, and how many there were in the last second.
func (s *GlobalStats) BytesOut() (total, perSecond uint64) {
	if s.Sent != nil {
		total, perSecond = s.Sent()
	}
	return total + s.CLISent.Load(), perSecond
}

// Spliced tells what the kernel passed on by itself.
func (s *GlobalStats) Spliced() Splicing {
	if s.Splicing == nil {
		return Splicing{}
	}
	return s.Splicing()
}

// IdlePercent is how much of the last half second the loops waited.
func (s *GlobalStats) IdlePercent() int {
	if s.Idle == nil {
		return 100
	}
	return s.Idle()
}
