package sample

import "strings"

// Source tells where a fetch takes its data from, as a set of bits: a fetch that works both ways has
// two. Where a source exists is told by one table, not by each keyword.
type Source uint32

const (
	Constant     Source = 1 << iota // known while the configuration is read
	Internal                        // state of the process
	Listener                        // the listener that accepted the connection
	Frontend                        // the frontend that accepted it
	ClientAddr                      // addresses of the client's connection
	ClientConn                      // the client's connection past its handshakes
	Tracked                         // tracked counters
	ReqBuffer                       // bytes of the request buffer
	ReqHeaders                      // request headers, gone once the request was forwarded
	ReqLine                         // what is remembered of the request (method)
	ReqBody                         // the request body
	BackendProxy                    // the backend
	ServerChosen                    // the server
	ServerAddr                      // addresses of the server's connection
	ServerConn                      // the server's connection past its handshakes
	ResBuffer                       // bytes of the response buffer
	ResHeaders                      // response headers, gone once the response was forwarded
	ResLine                         // what is remembered of the response (status)
	ResBody                         // the response body
	ReqFinal                        // counts of the request buffer
	ResFinal                        // counts of the response buffer
	TxnFinal                        // counts of the transaction
	SessionFinal                    // counts of the session
	sources      = 23
)

var sourceNames = [sources]string{
	"constant", "internal state", "listener", "frontend", "client address", "client-side connection", "track counters",
	"request buffer", "HTTP request headers", "HTTP request", "HTTP request body", "backend", "server",
	"server address", "server-side connection", "response buffer", "HTTP response headers", "HTTP response",
	"HTTP response body", "request buffer statistics", "response buffer statistics", "transaction statistics",
	"session statistics",
}

// String lists the names of the sources, as diagnostics do.
func (s Source) String() string {
	var b strings.Builder
	for bit, name := range sourceNames {
		if s&(1<<bit) != 0 {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			b.WriteString(name)
		}
	}
	return b.String()
}

// Checkpoint is a place where expressions are evaluated, or a set of them (a rule of a "listen"
// section stands at the frontend's place and at the backend's).
type Checkpoint uint32

const (
	FrontConnection Checkpoint = 1 << iota // tcp-request connection
	FrontSession                           // tcp-request session
	FrontReqContent                        // tcp-request content of the frontend
	FrontReqHeaders                        // http-request, redirect, monitor, stats of the frontend
	FrontReqBody                           // the same with the body
	SetBackend                             // use_backend
	BackReqContent                         // tcp-request content of the backend
	BackReqHeaders                         // http-request of the backend
	BackReqBody                            // the same with the body
	SetServer                              // use-server, balance, force-persist, stick match
	ServerConnect                          // source
	BackResContent                         // tcp-response content of the backend
	BackResHeaders                         // http-response of the backend
	BackResBody                            // the same with the body
	StickStore                             // stick store-response
	FrontResContent                        // tcp-response content of the frontend
	FrontResHeaders                        // http-response of the frontend
	FrontResBody                           // the same with the body
	LogEnd                                 // logs
	CheckRule                              // tcp-check and http-check
	ConfigParser                           // while the configuration is read
	CLIParser                              // a command of the runtime API
	checkpoints     = 22
	everywhere      = Checkpoint(1<<checkpoints - 1)
)

// AnyRequest and AnyResponse are the checkpoints of each direction; logs count as response.
const (
	AnyRequest = FrontConnection | FrontSession | FrontReqContent | FrontReqHeaders | FrontReqBody | SetBackend |
		BackReqContent | BackReqHeaders | BackReqBody | SetServer | CheckRule
	AnyResponse = ServerConnect | BackResContent | BackResHeaders | BackResBody | StickStore |
		FrontResContent | FrontResHeaders | FrontResBody | LogEnd | CheckRule
)

// WithoutStream are the checkpoints where there is no stream: a connection that carries none yet, and health checks.
// What belongs to a stream has no value there.
const WithoutStream = FrontConnection | FrontSession | CheckRule

var checkpointNames = [checkpoints]string{
	"frontend tcp-request connection rule",
	"frontend tcp-request session rule",
	"frontend tcp-request content rule",
	"frontend http-request header rule",
	"frontend http-request body rule",
	"frontend use-backend rule",
	"backend tcp-request content rule",
	"backend http-request header rule",
	"backend http-request body rule",
	"backend use-server, balance or stick-match rule",
	"server source selection",
	"backend tcp-response content rule",
	"backend http-response header rule",
	"backend http-response body rule",
	"backend stick-store rule",
	"frontend tcp-response content rule",
	"frontend http-response header rule",
	"frontend http-response body rule",
	"logs",
	"backend tcp-check rule",
	"configuration parser",
	"CLI parser",
}

// String is the name of the first checkpoint of the set, as diagnostics use it.
func (c Checkpoint) String() string {
	for bit, name := range checkpointNames {
		if c&(1<<bit) != 0 {
			return name
		}
	}
	return "unknown sample check place, please report this bug"
}

// CheckpointNames lists the checkpoints in the order of the columns of -dKsmp.
func CheckpointNames() []string { return checkpointNames[:] }

// fromBackend: the response of the connection to a server exists there.
const fromBackend = BackResContent | BackResHeaders | BackResBody | StickStore | FrontResContent | FrontResHeaders | FrontResBody

// reqParse are the checkpoints of the request where its bytes are still there.
const reqParse = FrontReqContent | FrontReqHeaders | FrontReqBody | SetBackend |
	BackReqContent | BackReqHeaders | BackReqBody | SetServer | ServerConnect

// traffic is every checkpoint of a connection's life.
const traffic = FrontConnection | FrontSession | reqParse | fromBackend | LogEnd

// validity tells at which checkpoints the data of a source exists (configuration manual, 7.3).
var validity = [sources]Checkpoint{
	everywhere,                      // Constant
	everywhere &^ ConfigParser,      // Internal
	traffic,                         // Listener
	traffic,                         // Frontend
	traffic | CheckRule,             // ClientAddr
	traffic &^ FrontConnection,      // ClientConn
	traffic,                         // Tracked
	reqParse,                        // ReqBuffer
	reqParse,                        // ReqHeaders
	reqParse | fromBackend | LogEnd, // ReqLine
	reqParse &^ (FrontReqContent | FrontReqHeaders),                                                              // ReqBody
	BackReqContent | BackReqHeaders | BackReqBody | SetServer | ServerConnect | fromBackend | LogEnd | CheckRule, // BackendProxy
	ServerConnect | fromBackend | LogEnd | CheckRule,                                                             // ServerChosen
	fromBackend | LogEnd | CheckRule,                                                                             // ServerAddr
	fromBackend | LogEnd | CheckRule,                                                                             // ServerConn
	fromBackend | CheckRule,                                                                                      // ResBuffer
	fromBackend | CheckRule,                                                                                      // ResHeaders
	fromBackend | LogEnd | CheckRule,                                                                             // ResLine
	fromBackend&^(BackResContent|BackResHeaders) | CheckRule,                                                     // ResBody
	reqParse | fromBackend | LogEnd,                                                                              // ReqFinal
	SetServer | ServerConnect | fromBackend | LogEnd,                                                             // ResFinal
	reqParse | fromBackend | LogEnd,                                                                              // TxnFinal
	traffic,                                                                                                      // SessionFinal
}

// ValidAt is the set of checkpoints where at least one of the sources exists.
func (s Source) ValidAt() Checkpoint {
	var c Checkpoint
	for bit, at := range validity {
		if s&(1<<bit) != 0 {
			c |= at
		}
	}
	return c
}

// HTTP tells whether a source is a part of an HTTP message, so that the proxy must be in HTTP mode.
func (s Source) HTTP() bool {
	return s&(ReqHeaders|ReqLine|ReqBody|ResHeaders|ResLine|ResBody) != 0
}
