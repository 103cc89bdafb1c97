package runtime

import (
	"net/netip"
	"time"

	"hapax/acl/sample"
	"hapax/runtime/message"
	"hapax/runtime/transport"
)

// Termination is the pair of flags that logs show first: who or what ended the
// stream, and in which state it was. Section 8.5.
type Termination struct{ Cause, State byte }

// Causes of an end.
const (
	EndNone     = '-'
	EndClient   = 'C' // the client aborted
	EndServer   = 'S' // the server aborted or refused
	EndProxy    = 'P' // a limit, a denial, a protocol error
	EndLocal    = 'L' // answered by the proxy itself
	EndResource = 'R' // a resource was exhausted
	EndInternal = 'I'
	EndDown     = 'D' // killed: its server went down
	EndUp       = 'U' // killed: a preferred server came up
	EndKilled   = 'K' // by an administrator
	EndClientTO = 'c' // timeout client
	EndServerTO = 's' // timeout server, queue or connect
)

// States at an end.
const (
	InNone    = '-'
	InRequest = 'R'
	InQueue   = 'Q'
	InConnect = 'C'
	InHeaders = 'H' // waiting for the response's headers
	InData    = 'D'
	InLast    = 'L' // sending the last data to the client
	InTarpit  = 'T'
)

// Timing are the moments of a stream, in ns of the loop's clock; 0: not reached.
// Section 8.4.
type Timing struct {
	Accept      int64 // of the connection for the first request, else end of the previous response
	AcceptWall  int64 // unix µs of Accept
	Handshake   int64 // TLS and PROXY protocol done
	First       int64 // first byte of the request (end of %Ti)
	Request     int64 // request headers complete
	RequestWall int64 // unix µs of First
	Queue       int64 // left the queue
	Connect     int64 // connection established
	Response    int64 // response headers complete
	Close       int64
}

// Latest is the last moment that was reached.
func (t *Timing) Latest() int64 {
	return max(t.Accept, t.Handshake, t.First, t.Request, t.Queue, t.Connect, t.Response)
}

// Stream is one request and its response, or one TCP connection through the
// proxy. It lives on one loop and is reused: whoever keeps bytes of it copies.
// engine's stream embeds it.
type Stream struct {
	ID      uint64 // from 1 on
	Config  *Config
	Session *Session
	Front   *Proxy
	Back    *Proxy  // the frontend itself until a backend was chosen
	Server  *Server // nil until chosen
	Direct  bool    // Server was named by persistence or use-server, not balanced
	Loop    int

	Req, Res                  message.Message
	Ctx                       sample.Context // Owner is this Stream; reused for each evaluation
	TxnVars, ReqVars, ResVars sample.Vars

	// Requests of actions to the engine.
	Reply       *Reply        // with Done and Deny
	WaitFor     time.Duration // with Wait: 0 waits for data only
	BodyTime    time.Duration // with NeedBody: the longest wait; 0: as long as the client or server may be silent
	BodyLeast   int           // with NeedBody: so many bytes are enough; 0: all, or what a buffer holds
	BodyLarge   bool          // with NeedBody: a buffer of tune.bufsize.large is meant
	Drop        bool          // with Abort: silent-drop
	DropTTL     uint8         // with Drop: hops that a reset may go; 0: none is sent if the kernel allows it, else 1
	Switch      bool          // in TCP mode: what the client sends is HTTP
	SwitchProto Proto         // and which
	Throttles   [2][]Throttle // limits of the bytes that go on, by side
	Filters     Filters       // what sees the messages
	CloseServer bool          // the server connection is not used again
	Early       []byte        // informational answers that rules made: the engine sends and empties them
	Inquiry     Inquiry       // with Wait: what the rule waits for; the engine begins it and comes back when it is answered
	Held        *Rule         // that returned Wait for a time
	Attach      *Attachment   // of rules on sessions: the connection is to become one to a server
	HeldOver    bool          // that time is over: set by the engine
	Values      [2][]byte     // what the rule made for a Reply with Compose, in the scratch buffer

	// What rules may set.
	LogLevel   int8   // -1: the default of the event; 8: silent
	LogWait    uint16 // logformat.Need bits of what the log line still waits for; set by runtime/logger
	LogStep    uint8  // of runtime/logger: at which moment the line is being written
	StrictMode bool   // a failed rewrite ends the request
	Tarpit     bool
	// A server that is down serves the stream all the same; persistence is ignored.
	ForcePersist, IgnorePersist bool
	BackMarks                   transport.Marks // of its connection to the server
	Retries                     int16           // set-retries; -1: the backend's
	PrioClass                   int32
	PrioOffset                  int32
	Timeouts                    struct{ Client, Server, Tunnel, Queue, Connect, Tarpit time.Duration } // set-timeout; 0: the proxy's

	// What happened.
	Time                       Timing
	End                        Termination
	Status                     int // of the response; 0 none
	ServerStatus               int // as the server sent it; 0 none
	Method                     message.Method
	URI                        []byte   // copy of the request's first line for logs, at most tune.http.logurilen
	ReqCaps, ResCaps           [][]byte // by slot; nil: not captured
	CookieReq, CookieRes       []byte   // captured cookies
	CookieIn                   byte     // flag of the persistence cookie in the request: N I D V O E U -
	CookieOut                  byte     // in the response: N I D U P R -
	BytesIn                    int64    // from the client
	BytesOut                   int64    // to the client
	ReqToServer, ResFromServer int64
	LastRule                   *Rule // the rule that ended the last rule set
	NoRetry                    bool  // disable-l7-retry
	RetriesDone                int
	Redispatched               bool
	Reused                     bool
	ServerQueue, BackendQueue  int            // positions passed, for logs
	ConnCounts                 [5]int         // actconn, feconn, beconn, srvconn at log time, see logger
	ServerAddr                 netip.AddrPort // the server connection's peer
	LocalAddr                  netip.AddrPort // its local end
	UniqueID                   []byte
	Applet                     Applet // with Serve
	Service                    string // what answered in the place of a server, as logs name it: "<STATS>"
	RewriteFailed              bool
	Tracked                    []Tracker   // by number; none as long as no rule tracks. Of runtime/sticktable
	Stored                     []Stored    // of runtime/sticktable: by store-request rules, then by store-response rules
	Cookie                     CookieState // of runtime/cookie
	Coding                     Coding
	Cache                      any     // of runtime/cache, kept for the next use of the stream; nil: no rule asked a cache
	LB                         LBState // of runtime/balance
	Internal                   bool    // the response is the proxy's own
	FirstRequest               bool    // of its connection
	Script                     Script  // of runtime/lua; nil: no script has run
	Engine                     any     // set by runtime/engine: its own part of the stream; nil where there is none
}

// Script is what scripts keep with a stream.
type Script interface {
	// Leave tells that the stream is over.
	Leave()
}

// Sides by which Stream.Throttles stand.
const (
	Upload   = iota // what the client sends
	Download        // what the server sends
)

// Throttle limits the bytes of one side of a stream. Package runtime/filter has those of bandwidth limits.
type Throttle interface {
	// Allow tells how many of n bytes may go on at a time in ms, and how long the rest has to wait; 0: there is none.
	Allow(n int, now int64) (allowed int, wait time.Duration)
	// Passed tells that so many went on, and how many became of them: that is another number where they were compressed.
	Passed(n, coded int, now int64)
	// Leave tells that the stream is over.
	Leave()
}

// Attachment is the server that the connection of a client is to belong to, and the name under which requests that want
// one by "pool-conn-name" or "sni" find it. Section 4.4 "attach-srv".
type Attachment struct {
	Server *Server
	Name   string
}

// CookieState is what runtime/cookie remembers between request and response.
type CookieState struct {
	Server              *Server // named by the client's cookie
	Value               []byte
	FirstDate, LastDate int64 // of a dated cookie, unix seconds
	Stripped            bool
}

// LBState is what runtime/balance remembers of a choice.
type LBState struct {
	Prev   *Server // last server of the session, for prefer-last-server
	Hash   uint32
	Hashed bool
}

// Chosen is the server as users see it: nil too where the backend's Dispatch takes its place.
func (s *Stream) Chosen() *Server {
	if s.Server == nil || s.Server.Hidden {
		return nil
	}
	return s.Server
}

// Count is the number of the stream as logs and rules tell it, from 0 on.
func (s *Stream) Count() uint64 { return s.ID - 1 }

// Reset makes the stream as good as new but for what it keeps for its next use:
// its loop and configuration, and the memory of what it copied.
func (s *Stream) Reset() {
	s.Session, s.Front, s.Back, s.Server, s.Direct = nil, nil, nil, nil, false
	s.BodyTime, s.BodyLeast, s.BodyLarge = 0, 0, false
	s.Reply, s.WaitFor, s.Drop, s.DropTTL, s.CloseServer = nil, 0, false, 0, false
	s.Inquiry, s.Held, s.HeldOver, s.Values, s.Early = nil, nil, false, [2][]byte{}, s.Early[:0]
	s.Attach, s.Applet = nil, nil
	if s.Script != nil {
		s.Script.Leave()
		s.Script = nil
	}
	for i := range s.Throttles {
		for _, t := range s.Throttles[i] {
			t.Leave()
		}
		clear(s.Throttles[i])
		s.Throttles[i] = s.Throttles[i][:0]
	}
	s.Filters.leave()
	s.LogLevel, s.StrictMode, s.Tarpit, s.Retries = -1, true, false, -1
	s.LogWait, s.LogStep = 0, 0
	s.ForcePersist, s.IgnorePersist = false, false
	s.PrioClass, s.PrioOffset, s.BackMarks = 0, 0, transport.Marks{}
	s.Timeouts.Client, s.Timeouts.Server, s.Timeouts.Tunnel = 0, 0, 0
	s.Timeouts.Queue, s.Timeouts.Connect, s.Timeouts.Tarpit = 0, 0, 0
	s.Time, s.End = Timing{}, Termination{}
	s.Status, s.ServerStatus, s.Method = 0, 0, 0
	s.URI = s.URI[:0]
	s.ReqCaps, s.ResCaps = s.ReqCaps[:0], s.ResCaps[:0]
	s.CookieReq, s.CookieRes = s.CookieReq[:0], s.CookieRes[:0]
	s.CookieIn, s.CookieOut = 0, 0
	s.BytesIn, s.BytesOut, s.ReqToServer, s.ResFromServer = 0, 0, 0, 0
	s.LastRule, s.NoRetry = nil, false
	s.RetriesDone, s.Redispatched, s.Reused = 0, false, false
	s.ServerQueue, s.BackendQueue = 0, 0
	s.ServerAddr, s.LocalAddr = netip.AddrPort{}, netip.AddrPort{}
	s.UniqueID, s.Service = s.UniqueID[:0], ""
	s.Switch, s.SwitchProto = false, ProtoAny
	s.RewriteFailed, s.Internal, s.FirstRequest = false, false, false
	s.Cookie, s.LB, s.Coding = CookieState{}, LBState{}, Coding{}
}
