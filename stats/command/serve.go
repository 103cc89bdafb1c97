package command

import (
	"net"
	"time"

	"hapax/runtime"
	"hapax/runtime/trace"
	"hapax/stats/cli"
)

// NewServer makes the server of the stats sockets; its Serve is called for each of them. What each socket allows stands
// in its listener.
func NewServer(p *Process, table *cli.Table, sockets map[net.Listener]*runtime.Listener) *cli.Server {
	return &cli.Server{Max: p.Config.Global.StatsConns, New: func(nc net.Conn, l net.Listener) *cli.Conn {
		c := p.conn(table, sockets[l].Bind)
		id, over := p.dialogs.open(nc, sockets[l], c.Timeout), c.OnClose
		c.OnClose = func() {
			p.dialogs.close(id)
			over()
		}
		return c
	}}
}

// conn is the state of one connection. Connections to stats sockets are streams of the process in its counters.
func (p *Process) conn(table *cli.Table, bind *runtime.Bind) *cli.Conn {
	live := &p.Config.Stats
	live.OpenStream()
	p.traceSession(trace.SessionNew, "new session")
	level, severity := cli.Level(bind.Level), cli.SeverityOutput(bind.Severity)
	return &cli.Conn{
		Table: table, Owner: p,
		Level: level, SocketLevel: level, Severity: severity, SocketSeverity: severity,
		Expose:  bind.Expose,
		Timeout: p.Config.Global.CLITimeout, Started: live.Started,
		MaxLine: max(p.Config.Global.Tune.BufSize-1, 0), MaxPayload: p.Config.Global.Tune.MaxPayload,
		OnUnsafe: func(row *cli.Command) {
			if row.Expert {
				live.Tainted.Or(runtime.TaintExpert)
			} else {
				live.Tainted.Or(runtime.TaintExperimental)
			}
		},
		OnSent: func(n int) { live.CLISent.Add(uint64(n)) },
		OnClose: func() {
			p.traceSession(trace.SessionEnd, "releasing session")
			live.CloseStream()
		},
	}
}

// Run runs one command line as an administrator, and gives its answer.
func (p *Process) Run(table *cli.Table, line string) string {
	c := &cli.Conn{Table: table, Owner: p, Level: cli.Admin, SocketLevel: cli.Admin, Started: p.Config.Stats.Started, MaxPayload: p.Config.Global.Tune.MaxPayload}
	c.Feed([]byte(line + "\n"))
	c.EndInput()
	var answer []byte
	for {
		c.Advance()
		out := c.Output()
		answer = append(answer, out...)
		c.Sent(len(out))
		if c.Over() {
			c.Close()
			return string(answer)
		}
		time.Sleep(c.Waiting())
	}
}

// traceSession tells traces of a connection to a stats socket.
func (p *Process) traceSession(e trace.Event, text string) {
	if t := trace.Of(p.Config); t.Any() {
		t.Emit(e, trace.State, text, &trace.About{})
	}
}
