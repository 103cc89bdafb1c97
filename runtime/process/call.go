package process

import (
	"fmt"
	"net"
	"path/filepath"
	"syscall"
	"time"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/engine"
	"hapax/stats/cli"
)

// Exit statuses.
const (
	ExitOK      = 0
	ExitFailure = 1
	ExitNoBind  = 2 // a configuration without listeners
)

// Options are what the command line says about the process. Management guide, section 3.
type Options struct {
	Daemon       bool // -D
	Foreground   bool // -db, and -Ws
	Debug        bool // -d
	MasterWorker bool // -W, -Ws
	Systemd      bool // -Ws: tell the service manager
	Quiet        bool // -q
	Verbose      bool // -V

	OldPIDs   []int          // -sf, -st
	OldSignal syscall.Signal // SIGUSR1 for -sf, SIGTERM for -st
	OldSocket string         // -x

	MasterSockets []string // -S, the last one first

	MaxConn int // -n
	MemMax  int // -m, megabytes
}

// Services are what a process offers besides its traffic; the packages that make
// them stand above this one.
type Services struct {
	// Table makes the table of commands; more are rows of the process itself.
	Table func(more []cli.Command) (*cli.Table, error)

	// Pages makes the service of the statistics pages.
	Pages func(*runtime.Config, *check.Checks) runtime.StatsService

	// Preload gives counters the values that a stats file has of a former process.
	Preload func(*runtime.Config)

	// Control makes the server of command sockets; what each socket allows stands in its listener.
	Control func(c Controlled, table *cli.Table, sockets map[net.Listener]*runtime.Listener) *cli.Server

	// Socket reads an address with bind options behind commas, as -S gives it.
	Socket func(text string) (*runtime.Listener, error)

	// Greeting is what a program prints of its version when something went very wrong.
	Greeting func() string
}

// Controlled is what commands of a serving process work on. A master has no
// engine and no checks.
type Controlled struct {
	Config   *runtime.Config
	Engine   *engine.Engine
	Checks   *check.Checks
	StartLog func() []byte
	Env      *parser.Env

	// Link is the address of what ties a worker to its master; empty: none.
	Link string
}

// Call is one call of the program: by whom, how, and what it prints.
type Call struct {
	Birth
	Options
	Services
	Out  *diag.Writer
	List *diag.List

	program program
	began   time.Time
}

// NewCall notes how the process was called, before anything changes.
func NewCall(args []string, b Birth) *Call {
	return &Call{Birth: b, program: called(args), began: time.Now()}
}

// Program is the name that messages give the program: what it was called as.
func (c *Call) Program() string { return c.program.args[0] }

// Name is Program without its folders.
func (c *Call) Name() string { return filepath.Base(c.Program()) }

// sprintf is fmt.Sprintf: most of what a process says is a format with numbers.
var sprintf = fmt.Sprintf

// noPos is the place of messages about no line.
var noPos ast.Pos

func (c *Call) alertf(format string, args ...any)  { c.List.Alertf(noPos, format, args...) }
func (c *Call) warnf(format string, args ...any)   { c.List.Warnf(noPos, format, args...) }
func (c *Call) noticef(format string, args ...any) { c.List.Noticef(noPos, format, args...) }

// Mode is what command line and configuration together make of the process.
type Mode struct {
	Daemon, MasterWorker, Quiet bool
}

// Mode decides how the process runs: the command line overrides the configuration.
func (c *Call) Mode(g *runtime.Global) Mode {
	m := Mode{Daemon: g.Daemon, MasterWorker: c.MasterWorker || g.MasterWorker, Quiet: g.Quiet}
	if c.Foreground || c.Debug {
		m.Daemon, m.Quiet = false, false
	}
	m.Daemon = m.Daemon || c.Options.Daemon
	m.Quiet = m.Quiet || c.Quiet
	if c.Debug && !c.Options.Daemon && m.Quiet {
		c.warnf("<debug> mode incompatible with <quiet> and <daemon>. Keeping <debug> only.")
		m.Quiet = false
	}
	return m
}
