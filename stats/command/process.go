// Package command holds the general commands of the stats socket: what they show is the running configuration, what
// they change goes through the interfaces of Process. Section 9.3 of the management guide.
package command

import (
	"net/netip"
	"os"
	"sync"
	"time"

	"hapax/runtime"
	"hapax/stats/cli"
)

// Process is what commands work on: the Owner of every connection to a stats socket.
type Process struct {
	Config    *runtime.Config
	Servers   ServerControl
	Listeners ListenerControl
	Streams   Streams
	StartLog  func() []byte // what was printed while the process started
	Link      string        // address of what ties the process to its master; empty: none
	revision  int           // see runtime.Server
	deleted   bool          // servers were, since one was added
	making    sync.Mutex    // held by commands that add servers and backends, or delete them, and by those about profiling
	profiling profiling
	dialogs   dialogs
	Env       func() []string // the environment as the configuration left it; nil: that of the process
}

// RunningConfig is the configuration in force: commands of domains ask the owner of their connection for it.
func (p *Process) RunningConfig() *runtime.Config { return p.Config }

func (p *Process) environment() []string {
	if p.Env != nil {
		return p.Env()
	}
	return os.Environ()
}

// ServerControl changes the state of servers. Each call locks the backend's Mu itself, tells the balancer, logs what
// the change makes, and does what follows from it: it is the same path that health checks take.
type ServerControl interface {
	// SetMaint, SetDrain and SetReady change what the administrator wants of the server: ForcedMaint and ForcedDrain take
	// the place of each other, ready ends both. ConfigMaint stays.
	SetMaint(*runtime.Server)
	SetDrain(*runtime.Server)
	SetReady(*runtime.Server)

	// SetHealth puts the server in a state as if its checks had found it: ServerRunning and ServerStopping with full
	// health, ServerStopped with none.
	SetHealth(srv *runtime.Server, state runtime.ServerState, by string)

	// SetChecks switches health checks off and on again. It is only called for servers with "check".
	SetChecks(srv *runtime.Server, on bool)
	SetCheckPort(srv *runtime.Server, port int)

	// SetAgent switches agent checks off and on, SetAgentHealth does as if an agent had said so.
	SetAgent(srv *runtime.Server, on bool)
	SetAgentHealth(srv *runtime.Server, up bool, by string)

	// SetWeight changes the wanted weight, 0 to 256; the algorithm allows it.
	SetWeight(srv *runtime.Server, weight int)

	// SetAddr moves the server. mapped: the port is added to the client's.
	SetAddr(srv *runtime.Server, addr netip.AddrPort, mapped bool)

	// SetMaxConn changes the server's limit, 0 for none, and serves its queue.
	SetMaxConn(srv *runtime.Server, limit int)

	// SetTLS makes connections to a server that has settings of TLS encrypted or clear.
	SetTLS(srv *runtime.Server, on bool)

	// Join takes in a server that was made at run time, in maintenance; Leave forgets one that
	// is in maintenance and that nothing uses. The given function puts the server into its
	// backend, or takes it out.
	Join(srv *runtime.Server, place func(*runtime.Server))
	Leave(srv *runtime.Server, take func(*runtime.Server))
}

// ListenerControl changes what is accepted.
type ListenerControl interface {
	// Pause stops accepting on all listeners of a frontend, Resume goes on; both tell whether they could and warn
	// ("Paused frontend NAME."). Stop unbinds them for good.
	Pause(*runtime.Proxy) bool
	Resume(*runtime.Proxy) bool
	Stop(*runtime.Proxy)

	SetFrontMaxConn(px *runtime.Proxy, limit int)

	// SetProcessMaxConn changes the limit of connections of the process.
	SetProcessMaxConn(limit int)

	// JoinServer puts a server into its backend, LeaveServer takes it out: see ServerControl.
	JoinServer(*runtime.Server)
	LeaveServer(*runtime.Server)

	// JoinProxy takes in a backend that was made at run time; LeaveProxy forgets one that has no server and no stream.
	JoinProxy(*runtime.Proxy)
	LeaveProxy(*runtime.Proxy)

	// SetRateLimit limits the connections, sessions or ssl-sessions of the process per second; 0: no limit.
	SetRateLimit(what string, perSecond int)
}

// Streams shows and ends streams. Calls come from ordinary goroutines; the implementation asks the loops.
type Streams interface {
	Loops() int

	// List describes at most limit streams of a loop with numbers greater than after, in order of their numbers.
	List(loop int, after uint64, limit int) []runtime.StreamInfo

	// Kill ends a stream and tells whether there was one of this number.
	Kill(id uint64) bool

	// KillServer ends all streams that use the server.
	KillServer(*runtime.Server)

	// Activity tells what a loop has done.
	Activity(loop int) runtime.Activity

	// Profile switches the measuring of streams; Efforts are what was measured since.
	Profile(on bool)
	Efforts() []runtime.Effort

	// Spin keeps the first loop, or all loops, busy for so long.
	Spin(d time.Duration, all bool)

	// Descriptors are the sockets of listeners, clients and servers, in the order of their numbers.
	Descriptors() []runtime.Descriptor
}

// process is what the connection's commands work on.
func process(c *cli.Conn) *Process { return c.Owner.(*Process) }
