package process

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"hapax/runtime"
	"hapax/runtime/engine"
)

// inherited asks the process before this one for its listening sockets: over the
// link of a worker, or over the socket that -x names. A process that has none, or
// does not answer, leaves none.
func (c *Call) inherited() (engine.Inherited, bool) {
	var conn net.Conn
	var err error
	switch {
	case c.Old != nil:
		conn, err = connect(c.Old)
		c.Old.Close()
	case c.OldSocket == "" || c.OldSocket == "/dev/null" || c.Role == Worker:
		return nil, true
	default:
		conn, err = net.Dial("unix", c.OldSocket)
		if err != nil {
			c.warnf("Failed to connect to the old process socket '%s'", c.OldSocket)
		}
	}
	var from engine.Inherited
	if err == nil {
		from, err = fetch(conn)
		conn.Close()
	}
	if err != nil {
		c.alertf("Failed to get the sockets from the old process!")
		return nil, c.Role == Worker
	}
	return from, true
}

// close ends the sockets that no listener took.
func closeUnused(from engine.Inherited) {
	for _, f := range from {
		f.Close()
	}
}

const (
	bindRetries = 100 // while old processes let go of their ports
	bindPause   = 10 * time.Millisecond
)

// bind opens all listeners. Old processes that hold a port are asked to pause.
func (c *Call) bind(cfg *runtime.Config, from engine.Inherited) bool {
	listeners := allListeners(cfg)
	retries := bindRetries
	for {
		last := retries == 0 || len(c.OldPIDs) == 0
		failed, inUse := c.bindOnce(cfg, listeners, from, last)
		if len(failed) == 0 {
			return true
		}
		if last || !inUse {
			c.alertf("[%s.main()] Some protocols failed to start their listeners! Exiting.", c.Name())
			if retries < bindRetries {
				c.tell(syscall.SIGTTIN)
			}
			return false
		}
		listeners = failed
		retries--
		if c.tell(syscall.SIGTTOU) == 0 {
			retries = 0
			continue
		}
		time.Sleep(bindPause)
	}
}

// bindOnce tries each listener and returns those that failed; inUse tells that
// another try may be worth it. Faults are printed the last time only.
func (c *Call) bindOnce(cfg *runtime.Config, listeners []*runtime.Listener, from engine.Inherited, last bool) (failed []*runtime.Listener, inUse bool) {
	inUse = true
	for _, ln := range listeners {
		steps := []func() error{
			func() error { return engine.Bind(&cfg.Global, ln, from) },
			func() error { return engine.Listen(&cfg.Global, ln) },
		}
		if ln.Addr.Family == runtime.FamilyReverse {
			steps = []func() error{func() error { return engine.Target(cfg, ln) }}
		}
		for _, step := range steps {
			err := step()
			var fault *engine.BindError
			if err == nil {
				continue
			}
			if errors.As(err, &fault) && fault.Warning {
				c.List.Warnf(ln.Bind.Pos, "%s.", err)
				continue
			}
			failed = append(failed, ln)
			retry := errors.Is(err, syscall.EADDRINUSE)
			inUse = inUse && retry
			if last || !retry {
				c.List.Alertf(ln.Bind.Pos, "%s.", err)
			}
			break
		}
	}
	return failed, inUse
}

// tell sends a signal to the processes of -sf and -st and returns how many got it.
func (c *Call) tell(sig syscall.Signal) (told int) {
	for _, pid := range c.OldPIDs {
		if syscall.Kill(pid, sig) == nil {
			told++
		}
	}
	return told
}

// controlSockets are the command sockets of the configuration, which are bound.
func controlSockets(cfg *runtime.Config) (map[net.Listener]*runtime.Listener, error) {
	sockets := map[net.Listener]*runtime.Listener{}
	for _, ln := range cfg.Global.StatsSocks {
		l, err := netListener(ln.Sock)
		if err != nil {
			return nil, err
		}
		sockets[l] = ln
		ln.State.Store(int32(runtime.ListenerListening))
	}
	return sockets, nil
}

// netListener accepts from a socket; its path is left alone at the end: it may be
// a newer process's by then.
func netListener(sock *os.File) (net.Listener, error) {
	l, err := net.FileListener(sock)
	if err != nil {
		return nil, err
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	return l, nil
}
