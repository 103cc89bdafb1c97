package process

import (
	"bufio"
	"io"
	"os"
	"os/signal"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"hapax/runtime"
	"hapax/stats/cli"
)

// master is the process that starts workers, watches them and replaces them. It
// carries no traffic and keeps the rights that it was started with. To reload, it
// executes itself again, so that a new version of the program takes over as well:
// the workers stay its children and their links stay open. Management guide,
// section 3.3.
type master struct {
	*Call
	mode Mode
	cfg  *runtime.Config // what the first pass over the files found

	// own is a link from this process to itself: connections that wait for the
	// outcome of a reload cross the execution in it.
	own [2]*os.File

	signals chan os.Signal
	orders  chan func() // run by the loop, in its goroutine
	held    []os.Signal // came while a worker starts
	control *cli.Server

	mu      sync.Mutex // guards what follows: the loop changes it, commands read it
	self    *child
	workers []*child // the newest first
	loading bool     // a worker starts
	loaded  bool     // the last load went well
	exit    int      // status to end with, -1: none yet
	newLog  chan struct{}
}

// reexecuted tells whether this process is a master that was executed again.
func reexecuted() bool { _, again := os.LookupEnv(reexecVariable); return again }

// Reloading tells whether this process is a master that was executed again to reload.
func (c *Call) Reloading() bool { return c.Role == First && reexecuted() }

// Master runs the master with a new worker. loaded is false when not even the
// first pass over the files went well: then the workers that are there go on. It
// returns the exit status.
func (c *Call) Master(cfg *runtime.Config, mode Mode, loaded bool) int {
	m := &master{Call: c, mode: mode, cfg: cfg, exit: -1, signals: make(chan os.Signal, 64), orders: make(chan func(), 16)}
	goruntime.GOMAXPROCS(2)
	signal.Notify(m.signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP, syscall.SIGCHLD,
		syscall.SIGTTIN, syscall.SIGTTOU, syscall.SIGQUIT, syscall.SIGPIPE)
	if !m.remember() {
		return ExitFailure
	}
	m.program.keepGiven()
	os.Setenv(workerVariable, "1")
	if !loaded {
		m.carryOn()
	} else if m.self.failed = 0; !m.startWorker() {
		return ExitFailure
	}
	if !m.openSockets() {
		m.kill(syscall.SIGTERM)
		return ExitFailure
	}
	m.answerReload()
	return m.loop()
}

// remember takes over what the master knew before it executed itself.
func (m *master) remember() bool {
	text := os.Getenv(childrenVariable)
	again := reexecuted()
	for _, name := range []string{childrenVariable, reexecVariable} {
		os.Unsetenv(name)
		m.program.env = slices.DeleteFunc(m.program.env, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	}
	if !again {
		m.self = &child{pid: os.Getpid(), started: time.Now(), version: m.Out.Version}
		return true
	}
	self, workers, err := decodeChildren(text)
	if err != nil {
		m.alertf("%s", err)
		m.alertf("Master failed to deserialize monitored processes list, it's a non-recoverable error, exiting.")
		return false
	}
	m.self = self.child
	m.self.version = m.Out.Version
	for i, fd := range self.fds {
		if fd >= 0 {
			m.own[i] = linkEnd(fd)
		}
	}
	for _, w := range workers {
		if w.fds[0] >= 0 {
			w.link = linkEnd(w.fds[0])
			m.workers = append(m.workers, w.child)
		}
	}
	return true
}

// links counts the descriptors that tie the master to itself and to its workers.
func (m *master) links() (n int) {
	for _, f := range m.own {
		if f != nil {
			n++
		}
	}
	for _, w := range m.workers {
		if w.link != nil {
			n++
		}
	}
	return n
}

// startWorker executes a worker.
func (m *master) startWorker() bool {
	here, there, err := newLink()
	if err != nil {
		m.alertf("Cannot create worker master CLI socketpair.")
		return false
	}
	logs, theirs, err := os.Pipe()
	if err != nil {
		m.alertf("[%s.main()] Cannot fork.", m.Name())
		return false
	}
	before := earlier(m.Out.Log())
	pid, err := m.program.start(Birth{Role: Worker, Links: m.links()},
		map[int]*os.File{birthLink: there, birthOld: m.oldLink(), birthEarlier: before, birthLog: theirs}, false, workerVariable+"=1")
	for _, f := range []*os.File{there, theirs, before} {
		f.Close()
	}
	if err != nil {
		m.alertf("[%s.main()] Cannot fork.", m.Name())
		return false
	}
	m.noticef("Initializing new worker (%d)", pid)
	w := &child{pid: pid, link: here, started: time.Now(), version: m.Out.Version, starting: true}
	m.mu.Lock()
	m.workers = slices.Insert(m.workers, 0, w)
	m.loading = true
	m.newLog = make(chan struct{})
	m.mu.Unlock()
	go m.collect(logs, m.newLog)
	go m.expect(w)
	return true
}

// oldLink is the link of the worker whose listening sockets the next one takes
// over: -x names its descriptor.
func (m *master) oldLink() *os.File {
	text, ok := strings.CutPrefix(m.OldSocket, "sockpair@")
	if !ok {
		return nil
	}
	fd, _ := strconv.Atoi(text)
	for _, w := range m.workers {
		if w.link != nil && descriptor(w.link) == fd {
			return w.link
		}
	}
	return nil
}

// collect keeps what a new worker prints until it serves or ends.
func (m *master) collect(logs *os.File, done chan struct{}) {
	text, _ := io.ReadAll(logs)
	logs.Close()
	m.Out.Keep(string(text))
	close(done)
}

// expect waits for a worker to say that it serves.
func (m *master) expect(w *child) {
	fd, err := receiveDescriptor(w.link)
	if err != nil || fd < 0 {
		return
	}
	conn, err := fileConn(fd)
	if err != nil {
		return
	}
	defer conn.Close()
	line, _ := bufio.NewReader(conn).ReadString('\n')
	if word := strings.Fields(line); len(word) < 2 || word[0] != "_send_status" || word[1] != "READY" {
		return
	}
	noted := make(chan struct{})
	m.orders <- func() {
		m.ready(w)
		close(noted)
	}
	<-noted
	io.WriteString(conn, m.Out.Log())
}

// starting is the worker that does not serve yet; nil: there is none.
func (m *master) starting() *child {
	for _, w := range m.workers {
		if w.starting {
			return w
		}
	}
	return nil
}

// ready makes a worker the one that serves.
func (m *master) ready(w *child) {
	<-m.newLog
	w.starting = false
	if most := m.cfg.Global.MaxReloads; most >= 0 {
		for _, old := range m.workers {
			if old.leaving() && old.reloads > most {
				syscall.Kill(old.pid, syscall.SIGTERM)
			}
		}
	}
	if path := m.cfg.Global.Pidfile; path != "" && !writePidfile(path, m.Name(), m.List) {
		m.alertf("Fatal error(s) found, exiting.")
		m.kill(syscall.SIGTERM)
		os.Exit(ExitFailure)
	}
	m.tell(m.OldSignal)
	m.serving()
	m.mu.Lock() // who has read the message may order a reload
	m.noticef("Loading success.")
	m.loading, m.loaded = false, true
	m.mu.Unlock()
	if m.Systemd {
		notify("READY=1\nMAINPID=%d\nSTATUS=Ready.\n", os.Getpid())
	}
	if m.mode.Daemon && (!m.mode.Quiet || m.Verbose) {
		detach()
		m.Out.W = io.Discard
	}
	m.release()
}

// failed notes that a load went wrong, for those who wait for its end.
func (m *master) failed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loading, m.loaded = false, false
}

// release handles the signals that waited for the end of a start.
func (m *master) release() {
	held := m.held
	m.held = nil
	for _, sig := range held {
		m.handle(sig)
	}
}

// carryOn keeps the workers that are there: the new configuration cannot even be
// looked at.
func (m *master) carryOn() {
	m.countFailure()
	m.failed()
	if m.Systemd {
		notify("READY=1\nSTATUS=Reload failed (master failed to load or to parse new configuration)!\n")
	}
}

// countFailure counts a reload that failed.
func (m *master) countFailure() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.self.failed++
	for _, w := range m.workers {
		w.failed++
	}
}

// loop follows signals and orders. It returns the exit status.
func (m *master) loop() int {
	for {
		if status, over := m.reap(); over {
			return status
		}
		select {
		case sig := <-m.signals:
			m.handle(sig)
		case order := <-m.orders:
			order()
		}
	}
}

// handle acts on a signal, or holds it back while a worker starts.
func (m *master) handle(sig os.Signal) {
	switch sig {
	case syscall.SIGTERM, syscall.SIGINT:
		m.stop(sig.(syscall.Signal))
		return
	case syscall.SIGCHLD, syscall.SIGQUIT, syscall.SIGPIPE:
		return
	}
	if m.starting() != nil {
		m.held = append(m.held, sig)
		return
	}
	switch sig {
	case syscall.SIGUSR1:
		m.stop(syscall.SIGUSR1)
	case syscall.SIGUSR2, syscall.SIGHUP:
		m.reload(false)
	case syscall.SIGTTIN, syscall.SIGTTOU:
		m.kill(sig.(syscall.Signal))
	}
}

// stop passes a signal on that ends all workers; the master leaves with the last of them.
func (m *master) stop(sig syscall.Signal) {
	if m.Systemd {
		notify("STOPPING=1")
	}
	m.warnf("Exiting Master process...")
	m.kill(sig)
}

// kill sends a signal to all workers.
func (m *master) kill(sig syscall.Signal) {
	for _, w := range m.workers {
		syscall.Kill(w.pid, sig)
	}
}

// reap collects children that ended. It tells whether none is left.
func (m *master) reap() (status int, over bool) {
	for {
		var ws syscall.WaitStatus
		pid, err := wait4(-1, &ws, syscall.WNOHANG)
		switch {
		case err == syscall.ECHILD:
			status = max(m.exit, ExitOK)
			m.warnf("All workers exited. Exiting... (%d)", status)
			return status, true
		case err != nil || pid <= 0:
			return 0, false
		}
		if status, over := m.ended(pid, exitStatus(ws)); over {
			return status, true
		}
	}
}

// ended notes the end of a child.
func (m *master) ended(pid, status int) (exit int, over bool) {
	m.mu.Lock()
	at := slices.IndexFunc(m.workers, func(w *child) bool { return w.pid == pid })
	if at < 0 {
		m.mu.Unlock()
		m.warnf("Process %d exited with code %d (%s)", pid, status, statusText(status))
		return 0, false
	}
	w := m.workers[at]
	m.workers = slices.Delete(m.workers, at, at+1)
	m.mu.Unlock()
	switch {
	case w.starting:
		return m.startFailed(w, status)
	case w.leaving():
		tail := ""
		if most := m.cfg.Global.MaxReloads; w.reloads > most {
			tail = sprintf(", as it exceeds max reloads (%d)", most)
		}
		m.warnf("Former worker (%d) exited with code %d (%s)%s", pid, status, statusText(status), tail)
		m.OldPIDs = slices.DeleteFunc(m.OldPIDs, func(old int) bool { return old == pid })
	default:
		m.lost(pid, status)
	}
	w.link.Close()
	return 0, false
}

// startFailed notes that a new worker did not come up. The first one takes the
// master with it.
func (m *master) startFailed(w *child, status int) (exit int, over bool) {
	<-m.newLog
	m.countFailure()
	m.warnf("Failed to load worker (%d) exited with code %d (%s)", w.pid, status, statusText(status))
	m.failed()
	if m.Systemd {
		notify("READY=1\nSTATUS=Reload failed!\n")
	}
	w.link.Close()
	if m.self.reloads == 0 {
		return status, true
	}
	m.release()
	return 0, false
}

// lost notes the end of the worker that served: a crash takes all others with it,
// unless "master-worker no-exit-on-failure" says otherwise.
func (m *master) lost(pid, status int) {
	if status < 128 {
		m.warnf("Current worker (%d) exited with code %d (%s)", pid, status, statusText(status))
	} else {
		m.alertf("Current worker (%d) exited with code %d (%s)", pid, status, statusText(status))
	}
	const interrupted, terminated = 128 + int(syscall.SIGINT), 128 + int(syscall.SIGTERM)
	if status != ExitOK && status != interrupted && status != terminated {
		m.warnf("A worker process unexpectedly died and this can only be explained by a bug in haproxy or its dependencies.\n" +
			"Please check that you are running an up to date and maintained version of haproxy and open a bug report.")
		os.Stdout.WriteString(m.Greeting())
		if !m.cfg.Global.NoExitOnFailure {
			m.alertf("exit-on-failure: killing every processes with SIGTERM")
			m.kill(syscall.SIGTERM)
		}
	}
	if m.exit < 0 && status != ExitOK && status != terminated {
		m.exit = status
	}
}
