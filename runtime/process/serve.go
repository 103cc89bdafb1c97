package process

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	goruntime "runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/parser"
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/check"
	"hapax/runtime/engine"
	"hapax/runtime/httpclient"
	"hapax/runtime/logger"
	"hapax/runtime/lua"
	"hapax/runtime/peers"
	"hapax/runtime/resolver"
	"hapax/runtime/ssl"
	"hapax/stats/cli"
)

// server is a process that carries traffic: a standalone one or a worker.
type server struct {
	*Call
	mode Mode
	cfg  *runtime.Config
	env  *parser.Env

	checks  *check.Checks
	engine  *engine.Engine
	control *cli.Server // stats sockets
	link    *cli.Server // what comes over the link of a worker
	orphan  chan struct{}
	signals chan os.Signal
}

// Settle completes a configuration with what the machine says: it belongs to the
// checks of a configuration, also of one that is not started.
func (c *Call) Settle(cfg *runtime.Config) { cfg.Global.NbThread = cfg.Global.Loops() }

// confineThreads keeps all threads to the CPUs that "cpu-set" leaves; those that come are made by one of them.
func (s *server) confineThreads() {
	var now unix.CPUSet
	if unix.SchedGetaffinity(0, &now); now == s.cfg.Global.CPUs {
		return
	}
	threads, _ := os.ReadDir("/proc/self/task")
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			unix.SchedSetaffinity(id, &s.cfg.Global.CPUs)
		}
	}
}

// Serve runs a configuration until a signal ends it. It returns the exit status.
// The order of the start matters: what needs the rights or the files that the
// process was started with comes before they are given up, and the processes
// before this one are told to leave only when nothing can fail that they would be
// missed for.
func (c *Call) Serve(cfg *runtime.Config, env *parser.Env, mode Mode) int {
	s := &server{Call: c, mode: mode, cfg: cfg, env: env, orphan: make(chan struct{}), signals: make(chan os.Signal, 16)}
	signal.Notify(s.signals, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT,
		syscall.SIGTTOU, syscall.SIGTTIN, syscall.SIGPIPE)
	signal.Notify(s.signals, deadly...)
	debug.SetTraceback("crash") // a master sees a signal, as it does when a program in C crashes
	s.confineThreads()
	for _, step := range []func() bool{
		s.settle, s.open, s.prepare, s.pid, s.confine, s.leave, s.identity, s.background, s.accept, s.ready,
	} {
		if !step() {
			return ExitFailure
		}
	}
	return s.run()
}

// open binds the listeners, or takes them over.
func (s *server) open() bool {
	goruntime.LockOSThread() // binding may need what only this thread has
	defer goruntime.UnlockOSThread()
	takeCapabilities(&s.cfg.Global)
	from, ok := s.inherited()
	if !ok || !s.bind(s.cfg, from) {
		return false
	}
	closeUnused(from)
	if s.Role != Worker && !s.cfg.Listens() {
		s.alertf("[%s.main()] No enabled listener found (check for 'bind' directives) ! Exiting.", s.Program())
		return false
	}
	return s.enough()
}

// manyPatterns is the number of patterns from which the process gives back what reading their files took: it would
// stay resident, as a process that serves allocates too little for it to be needed again.
const manyPatterns = 20000

// prepare makes all that needs the rights of the start.
func (s *server) prepare() bool {
	if s.mode.Quiet && !s.Verbose {
		detach()
	}
	g := &s.cfg.Global
	debug.SetMaxThreads(10000 + g.NbThread)
	s.cfg.Stats.Started = time.Now()
	if err := logger.Start(s.cfg, g.NbThread, func(text string) { s.say(diag.Alert, text) }); err != nil {
		s.alertf("[%s.main()] %s", s.Program(), err)
		return false
	}
	s.checks = check.New(s.cfg, check.Options{
		Log:       func(level int, px *runtime.Proxy, text string) { logger.Server(level, px, "%s", text) },
		Print:     s.say,
		Shutdown:  s.shutdown,
		Kill:      func(srv *runtime.Server) { s.engine.Streams().KillServer(srv) },
		CloseIdle: func(srv *runtime.Server) { s.engine.CloseIdle(srv) },
	})
	s.engine = engine.New(s.cfg, engine.Options{Stats: s.Pages(s.cfg, s.checks), Say: s.say, Observe: func(srv *runtime.Server, what engine.Observation) {
		s.checks.Observe(srv, what.Layer4(), what.Good(), what.String())
	}})
	s.Preload(s.cfg)
	if read, _ := s.cfg.Patterns.Counts(); read > manyPatterns {
		debug.FreeOSMemory()
	}
	if err := s.engine.Prepare(); err != nil {
		s.alertf("[%s.main()] %s", s.Program(), err)
		return false
	}
	if s.Verbose || s.Debug {
		fmt.Printf("Using %s() as the polling mechanism.\n", s.engine.Loops()[0].Name())
	}
	return true
}

// say prints a message while the process runs.
func (s *server) say(severity diag.Severity, text string) {
	if severity == diag.Warning {
		s.cfg.Stats.Warnings.Inc()
	}
	s.Out.Print(diag.Diagnostic{Severity: severity, Text: text})
}

// shutdown ends the streams of a server that went down, or of backups when a
// preferred one came up.
func (s *server) shutdown(srv *runtime.Server, up bool) {
	cause := byte(runtime.EndDown)
	if up {
		cause = runtime.EndUp
	}
	s.engine.EndStreams(srv, cause)
}

// pid sets the priority of the process, and leaves the number of a daemon in its file; the one of a master is written by itself.
func (s *server) pid() bool {
	renice(&s.cfg.Global, s.Program(), s.List)
	if !s.mode.Daemon || s.Role == Worker || s.cfg.Global.Pidfile == "" {
		return true
	}
	return writePidfile(s.cfg.Global.Pidfile, s.Name(), s.List) || s.giveUp()
}

// giveUp lets the old processes go on.
func (s *server) giveUp() bool {
	s.tell(syscall.SIGTTIN)
	return false
}

func (s *server) confine() bool { return confine(&s.cfg.Global, s.Program(), s.List) || s.giveUp() }

// leave tells the old processes of a standalone one to go; those of a worker are its master's.
func (s *server) leave() bool {
	if s.Role != Worker {
		s.tell(s.OldSignal)
	}
	return true
}

func (s *server) identity() bool {
	g := &s.cfg.Global
	s.engine.EachThread(func() error { return takeCapabilities(g) })
	return become(g, s.Program(), s.List, s.engine.EachThread) && (!g.Dumpable || s.allowDumps())
}

// allowDumps undoes what keeps the system from writing a core dump when the process crashes: limits, and another user than
// that of the start.
func (s *server) allowDumps() bool {
	g := &s.cfg.Global
	none := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	for _, limit := range []struct {
		resource int
		what     string
	}{{unix.RLIMIT_FSIZE, "maximum file size"}, {unix.RLIMIT_CORE, "core dump size"}} {
		if unix.Setrlimit(limit.resource, &none) == nil {
			continue
		}
		text := fmt.Sprintf("[%s.main()] Failed to set the raise the %s.", s.Program(), limit.what)
		if !g.NoStrictLimits {
			s.alertf("%s", text)
			return false
		}
		s.List.Warnf(ast.Pos{}, "%s", text)
	}
	if unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) != nil {
		s.List.Warnf(ast.Pos{}, "[%s.main()] Failed to set the dumpable flag, no core will be dumped.", s.Program())
	}
	return true
}

// background lets go of the terminal.
func (s *server) background() bool {
	if s.mode.Daemon && (!s.mode.Quiet || s.Verbose) {
		detach()
		s.Out.W = io.Discard
	}
	return true
}

// accept begins to serve.
func (s *server) accept() bool {
	table, err := s.Table(Commands())
	if err == nil {
		table, err = table.With(lua.Commands(s.cfg))
	}
	if err != nil {
		s.alertf("%s", err)
		return false
	}
	sockets, err := controlSockets(s.cfg)
	if err != nil {
		s.alertf("[%s.main()] %s", s.Program(), err)
		return false
	}
	c := Controlled{Config: s.cfg, Engine: s.engine, Checks: s.checks, Env: s.env, StartLog: func() []byte { return []byte(s.Out.Log()) }}
	if s.Link != nil {
		c.Link = sprintf("sockpair@%d", descriptor(s.Link))
	}
	s.control = s.Control(c, table, sockets)
	s.count(+1)
	live := &s.cfg.Stats
	live.Warnings.Add(uint64(s.List.Warnings()))
	live.BootTime = time.Since(s.began)
	peers.Start(s.cfg, s.engine.Loops(), len(s.OldPIDs) > 0)
	s.engine.Run()
	s.checks.Start(s.engine.Loops(), s.engine)
	logger.Forward(s.cfg, s.engine.Loops())
	resolver.Start(s.cfg, s.checks)
	httpclient.Start(s.cfg, s.engine.Control())
	lua.Start(s.cfg)
	ssl.Start(s.cfg, httpclient.Of(s.cfg).Ask, func(text string) { logger.Server(logger.Notice, nil, "%s", text) })
	for l := range sockets {
		go s.control.Serve(l)
	}
	if s.Link != nil {
		s.followMaster(c, table)
	}
	return true
}

// count counts the listening sockets in, or with -1 out: all but those of frontends that were shut down.
func (s *server) count(sign int) {
	n := 0
	for _, ln := range allListeners(s.cfg) {
		if ln.Sock != nil && (ln.Proxy == nil || runtime.ProxyState(ln.Proxy.State.Load()) != runtime.ProxyStopped) {
			n++
		}
	}
	s.cfg.Stats.Listeners.Add(int64(sign * n))
}

// followMaster answers what the master asks over the link, and ends when it is gone.
func (s *server) followMaster(c Controlled, table *cli.Table) {
	l := &linkListener{link: s.Link, gone: func() { close(s.orphan) }}
	bind := &runtime.Bind{Level: runtime.LevelAdmin, Expose: true}
	s.cfg.Stats.Listeners.Inc()
	s.cfg.Stats.Unstoppable.Inc()
	s.link = s.Control(c, table, map[net.Listener]*runtime.Listener{l: {ID: 1, Bind: bind, Addr: runtime.Addr{Family: runtime.FamilySockpair}}})
	s.link.Max = 0
	go s.link.Serve(l)
}

// readyTimeout is how long a worker waits for its master to note that it serves.
const readyTimeout = 2 * time.Second

// ready tells whoever started the process that it serves.
func (s *server) ready() bool {
	s.serving()
	s.Out.Running = true
	if s.Link == nil {
		return true
	}
	if s.Log != nil {
		s.Out.Also = nil
		s.Log.Close()
	}
	conn, err := connect(s.Link)
	if err != nil {
		s.alertf("[%s.main()] Cannot transfer connection fd over the sockpair", s.Program())
		return false
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "_send_status READY %d\n", os.Getpid()); err != nil {
		s.alertf("[%s.main()] Failed to send READY status to master", s.Program())
		return false
	}
	if u, ok := conn.(*net.UnixConn); ok {
		u.CloseWrite()
	}
	conn.SetReadDeadline(time.Now().Add(readyTimeout))
	if log, err := io.ReadAll(conn); err == nil {
		s.Out.Rewrite(string(log)) // what this start has said, by both
	}
	return true
}

// deadly are signals of a crash that somebody may send as well: the process dies of
// them without a dump of what it does.
var deadly = []os.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGABRT, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP}

// run follows signals until the end.
func (s *server) run() int {
	stop := newStop(s)
	for {
		select {
		case sig := <-s.signals:
			switch sig {
			case syscall.SIGUSR1:
				stop.begin()
			case syscall.SIGTERM, syscall.SIGINT:
				s.close()
				dieOf(sig.(syscall.Signal))
				return 128 + int(sig.(syscall.Signal))
			case syscall.SIGHUP:
				s.dumpServers()
			case syscall.SIGQUIT:
				debug.FreeOSMemory()
			case syscall.SIGTTOU:
				s.pause()
			case syscall.SIGTTIN:
				s.resume()
			case syscall.SIGPIPE, syscall.SIGUSR2:
			default:
				dieOf(sig.(syscall.Signal))
			}
		case <-stop.grace:
			stop.now()
		case <-stop.deadline:
			if stop.hard() {
				s.close()
				return ExitOK
			}
		case <-stop.over:
			s.engine.Drain()
			s.close()
			return ExitOK
		case <-s.orphan:
			return ExitFailure
		}
	}
}

// close ends the loops, so that their sockets are free at once.
func (s *server) close() {
	ssl.Stop(s.cfg)
	s.checks.Stop()
	s.engine.Close()
	logger.Stop(s.cfg)
}

// dieOf ends the process by the signal itself, so that whoever waits for it sees
// why it ended. The first process of a container is immune to that and goes on.
func dieOf(sig syscall.Signal) {
	var byDefault [4]uint64 // struct sigaction of the kernel: Go keeps its own handler for some signals
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&byDefault)), 0, 8, 0, 0)
	syscall.Kill(os.Getpid(), sig)
	if os.Getpid() != 1 {
		time.Sleep(time.Second)
	}
}
