package logger

import (
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/balance"
	"hapax/runtime/config"
)

// Log backends are backends in the mode "log": their servers take log messages, over UDP or TCP.

// backendSender gives each message to one of the servers of a log backend.
type backendSender struct {
	px       *runtime.Proxy
	contexts []*sample.Context // by loop; the last one is of calls from outside the loops
}

func (l *Logger) newBackendSender(px *runtime.Proxy) *backendSender {
	b := &backendSender{px: px}
	for range l.outlets {
		ctx := &sample.Context{Scratch: sample.NewScratch(l.config.Global.Tune.BufSize), Final: true, Checkpoint: sample.LogEnd}
		ctx.Vars[sample.ProcScope] = l.config.ProcVars
		b.contexts = append(b.contexts, ctx)
	}
	return b
}

// Send implements runtime.LogSender.
func (b *backendSender) Send(loop, limit int, head, sd, body []byte) unix.Errno {
	at := loop
	if at < 0 {
		at = len(b.contexts) - 1
	}
	srv := balance.PickLog(b.px, b.contexts[at], body)
	if srv == nil {
		return unix.EAGAIN
	}
	return srv.Log.Send(loop, limit, head, sd, body)
}

// openBackends makes what messages reach the servers of all log backends with.
func (l *Logger) openBackends() error {
	for _, px := range l.config.Proxies {
		if px.Mode != runtime.ModeSyslog || px.Disabled {
			continue
		}
		for _, srv := range px.Servers {
			if !srv.Datagrams {
				srv.Log = ringSender(sinksOf(l.config).named(sinkOfServer(srv)))
				continue
			}
			d, err := l.newDatagram(srv.Addr.Load())
			if err != nil {
				return err
			}
			m := &movingServer{logger: l, srv: srv}
			m.at.Store(&place{srv.Addr.Load(), d})
			srv.Log = m
		}
	}
	return nil
}

// movingServer sends datagrams to a server, whose address may change.
type movingServer struct {
	logger *Logger
	srv    *runtime.Server
	at     atomic.Pointer[place]
}

// place is a server's address and how it is reached.
type place struct {
	addr *runtime.Addr
	*datagram
}

// Send implements runtime.LogSender.
func (m *movingServer) Send(loop, limit int, head, sd, body []byte) unix.Errno {
	at := m.at.Load()
	if addr := m.srv.Addr.Load(); at.addr != addr {
		at = m.logger.move(at.datagram, addr)
		m.at.Store(at)
	}
	return at.Send(loop, limit, head, sd, body)
}

// move makes what reaches a new address. Only addresses of IPv4 and IPv6 come here, whose sockets are there.
func (l *Logger) move(from *datagram, to *runtime.Addr) *place {
	d := &datagram{outlets: from.outlets}
	d.family, d.addrLen = sockaddr(to, &d.addr)
	return &place{to, d}
}

// sinkOfServer is the name of the ring in which messages wait for a server over TCP.
func sinkOfServer(srv *runtime.Server) string { return srv.Proxy.Name + "/" + srv.Name }

// serverWords are the words of server lines about messages.
func serverWords() []config.ServerWord {
	return []config.ServerWord{
		{
			Doc: keyword.Doc{Name: "log-proto", Ref: "5.2", Summary: "how messages are set apart on a connection",
				Args:     []keyword.Arg{{Name: "framing", Type: keyword.Enum, Enum: []string{"legacy", "octet-count"}}},
				Examples: []keyword.Example{{Config: "ring r\n  server s 127.0.0.1:6514 log-proto octet-count\n"}}},
			NotDynamic: true, Parse: func(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
				value := w.Take()
				if value != "legacy" && value != "octet-count" {
					return fmt.Errorf("'log-proto' expects one of 'legacy' or 'octet-count' but got '%s'", value)
				}
				srv.LogOctets = value == "octet-count"
				return nil
			},
		},
		{
			Doc: keyword.Doc{Name: "log-bufsize", Ref: "5.2", Summary: "bytes of messages that wait for a server of a log backend",
				Args:     []keyword.Arg{{Name: "bytes", Type: keyword.Int, Default: "16384"}},
				Examples: []keyword.Example{{Config: "backend b\n  mode log\n  server s 127.0.0.1:6514 log-bufsize 65536\n"}}},
			Parse: func(_ *config.Loader, w *config.Words, srv *runtime.Server) error {
				value := w.Take()
				if value == "" {
					return errors.New("'log-bufsize' expects an integer argument.")
				}
				if srv.LogBufSize = config.Atol(value); srv.LogBufSize <= 0 {
					return errors.New("log-bufsize has to be > 0.")
				}
				return nil
			},
		},
	}
}

// checkBackend looks at what a log backend may have, and makes what its servers need.
func checkBackend(l *config.Loader, px *runtime.Proxy) {
	if px.Mode != runtime.ModeSyslog || px.Caps&runtime.CapBack == 0 {
		return
	}
	ignoreRules(l, px)
	switch px.Balance.Algo {
	case "", balance.Random, balance.RoundRobin, balance.Sticky:
	case balance.LogHash:
		if err := balance.CompileLogHash(l, px); err != nil {
			l.List.Alertf(ast.Pos{}, "log backend '%s': failed to initialize: %s.", px.Name, err)
			return
		}
	default:
		l.List.Alertf(ast.Pos{}, `in %s '%s': "balance" only supports 'roundrobin', 'random', 'sticky' and 'log-hash'.`, px.Kind, px.Name)
		return
	}
	for _, srv := range px.Servers {
		if !srv.Datagrams {
			sinksOf(l.Config).ofServer(srv)
		}
		if srv.Datagrams != px.Servers[0].Datagrams {
			l.List.Alertf(ast.Pos{}, "log backend '%s': failed to initialize: cannot mix server types within a log backend, '%s' srv's network type differs from previous server.", px.Name, srv.Name)
			return
		}
	}
}

// ignoreRules takes back what means nothing in a log backend.
func ignoreRules(l *config.Loader, px *runtime.Proxy) {
	ignored := func(there bool, what, them string) {
		if there {
			l.List.Warnf(ast.Pos{}, "Cannot %s with 'mode log' in %s '%s'. %s will be ignored.", what, px.Kind, px.Name, them)
		}
	}
	ignored(len(px.TCPConn)+len(px.TCPSess)+len(px.TCPReq) > 0, "use tcp-request rules", "They")
	px.TCPConn, px.TCPSess, px.TCPReq = nil, nil, nil
	ignored(len(px.TCPRes) > 0, "use tcp-response rules", "They")
	px.TCPRes = nil
	ignored(l.Table(px.Name) != nil, "use stick table", "It")
	ignored(px.SendName != "", `set "http-send-name-header"`, "It")
	ignored(px.Cookie != nil && px.Cookie.DynamicKey != "", `set "dynamic-cookie-key"`, "It")
	ignored(len(px.ServerRules) > 0, `use "use-server" rules`, "They")
	px.ServerRules = nil
	ignored(px.LogSteps != 0, `use "log-steps"`, "It")
}
