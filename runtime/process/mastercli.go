package process

import (
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/engine"
	"hapax/stats/cli"
)

// openSockets binds the master's command sockets (-S).
func (m *master) openSockets() bool {
	table, err := m.Table(m.commands())
	if err != nil {
		m.alertf("%s", err)
		return false
	}
	sockets := map[net.Listener]*runtime.Listener{}
	for _, text := range m.MasterSockets {
		ln, err := m.Socket(text)
		if err != nil {
			m.alertf("Cannot create the listener of the master CLI")
			m.alertf("%s", err)
			m.alertf("Can't create the master's CLI.")
			return false
		}
		err = engine.Bind(&runtime.Global{}, ln, nil)
		if err == nil {
			err = engine.Listen(&runtime.Global{}, ln)
		}
		if err != nil {
			m.List.Alertf(noPos, "%s.", err)
			m.alertf("[%s.main()] Some protocols failed to start their listeners! Exiting.", m.Name())
			return false
		}
		l, err := netListener(ln.Sock)
		if err != nil {
			m.alertf("%s", err)
			return false
		}
		sockets[l] = ln
	}
	if len(sockets) > 0 && m.own[0] == nil {
		here, there, err := newLink()
		if err != nil {
			m.alertf("Can't create the mcli_reload socketpair.")
			return false
		}
		m.own = [2]*os.File{here, there}
	}
	m.control = m.newControl(table, sockets)
	for l := range sockets {
		if l != nil {
			go m.control.Serve(l)
		}
	}
	return true
}

// newControl makes the server of the master's command sockets. A nil listener
// stands for a connection that waits for the outcome of a reload.
func (m *master) newControl(table *cli.Table, sockets map[net.Listener]*runtime.Listener) *cli.Server {
	m.cfg.Stats.Started = m.self.started
	sockets[nil] = &runtime.Listener{Bind: &runtime.Bind{Level: runtime.LevelAdmin}}
	server := m.Control(Controlled{Config: m.cfg, StartLog: m.startLog}, table, sockets)
	connection := server.New
	server.Max = masterConns
	server.New = func(nc net.Conn, l net.Listener) *cli.Conn {
		c := connection(nc, l)
		c.Master = true
		c.Timeout = 0
		return c
	}
	server.Carry = m.serveConsole
	return server
}

// startLog is what was printed since the last load began.
func (m *master) startLog() []byte { return []byte(m.Out.Log()) }

// MasterCommands are those that only a master's sockets have, for listings. Consoles and links to workers see to the last ones themselves.
func MasterCommands() []cli.Command {
	all := (&master{}).commands()
	for _, name := range []string{"@<relative pid>", "@!<pid>", "@master", "_send_status"} {
		all = append(all, cli.Command{Doc: keyword.Doc{Name: name, Summary: "what process commands go to", Ref: "9.4"},
			Run: func(*cli.Conn, []string) cli.Step { return nil }})
	}
	return all
}

// commands are those that only a master has.
func (m *master) commands() []cli.Command {
	row := func(name, summary string, run func(*cli.Conn, []string) cli.Step) cli.Command {
		return cli.Command{Doc: keyword.Doc{Name: name, Summary: summary, Ref: "9.4.2"}, Level: cli.Operator, Run: run}
	}
	return []cli.Command{
		row("show proc", "the master and its workers", m.showProc),
		row("reload", "load the configuration into a new worker", m.orderReload),
		row("hard-reload", "the same, and end the old worker at once", m.orderReload),
		row("_loadstatus", "outcome of the last load", m.loadStatus),
	}
}

// showProc lists the processes.
func (m *master) showProc(c *cli.Conn, args []string) cli.Step {
	debug := cli.Arg(args, 2) == "debug"
	if word := cli.Arg(args, 2); word != "" && !debug {
		return c.Fail("'show proc' only supports 'debug' as argument")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	row := func(text string, a, b any) {
		if debug {
			text += sprintf("\t\t %-15v %-15v", a, b)
		}
		c.WriteString(text + "\n")
	}
	fd := func(i int) int {
		if m.own[i] == nil {
			return -1
		}
		return descriptor(m.own[i])
	}
	row(sprintf("#%-14s %-15s %-15s %-15s %-15s", "<PID>", "<type>", "<reloads>", "<uptime>", "<version>"), "<ipc_fd[0]>", "<ipc_fd[1]>")
	row(m.self.row("master", sprintf("%d [failed: %d]", m.self.reloads, m.self.failed)), fd(0), fd(1))
	c.WriteString("# workers\n")
	old := false
	for _, w := range m.workers {
		if w.leaving() && !old {
			old = true
			c.WriteString("# old workers\n")
		}
		row(w.row("worker", strconv.Itoa(w.reloads)), descriptor(w.link), -1)
	}
	return nil
}

// orderReload begins a reload. The connection is kept open across it: it hears
// how the reload went from the next incarnation of the master.
func (m *master) orderReload(c *cli.Conn, args []string) cli.Step {
	m.mu.Lock()
	busy := m.loading
	m.mu.Unlock()
	if busy {
		c.WriteString("Success=0\n--\nAnother reload is still in progress.\n")
		return nil
	}
	if end, ok := c.Peer.(*masterEnd); ok && m.own[0] != nil {
		if s, ok := end.client.(syscall.Conn); ok {
			if raw, err := s.SyscallConn(); err == nil {
				raw.Control(func(fd uintptr) { sendDescriptor(m.own[0], int(fd)) })
			}
		}
	}
	hard := args[0] == "hard-reload"
	var failed atomic.Bool
	m.orders <- func() {
		m.reload(hard)
		failed.Store(true)
	}
	return func(c *cli.Conn) bool {
		c.Pause(loadPoll) // until the process is replaced
		return failed.Load()
	}
}

// loadPoll is how often the outcome of a load is looked for.
const loadPoll = 50 * time.Millisecond

// loadStatus waits for the end of a load and tells how it went.
func (m *master) loadStatus(*cli.Conn, []string) cli.Step {
	return func(c *cli.Conn) bool {
		m.mu.Lock()
		busy, loaded := m.loading, m.loaded
		m.mu.Unlock()
		if busy {
			c.Pause(loadPoll)
			return false
		}
		c.WriteString(map[bool]string{false: "Success=0\n", true: "Success=1\n"}[loaded])
		if log := m.startLog(); len(log) > 0 {
			c.WriteString("--\n")
			c.Write(log)
		}
		return true
	}
}
