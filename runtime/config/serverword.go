package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// serverWord is the row of an option with one argument.
func serverWord(name, summary string, t keyword.ArgType, parse func(l *Loader, value string, srv *runtime.Server) error) ServerWord {
	d := doc(name, "5.2", summary)
	d.Args = arg("value", t)
	return ServerWord{Doc: d, Parse: func(l *Loader, w *Words, srv *runtime.Server) error { return parse(l, w.Take(), srv) }}
}

// serverFlag is the row of an option without arguments.
func serverFlag(name, summary string, set func(*runtime.Server)) ServerWord {
	return ServerWord{Doc: doc(name, "5.2", summary), Parse: func(_ *Loader, _ *Words, srv *runtime.Server) error {
		set(srv)
		return nil
	}}
}

func static(w ServerWord) ServerWord { w.NotDynamic = true; return w }

// serverWords are the options of server lines that no other domain brings. Section 5.2.
func serverWords() []ServerWord {
	return []ServerWord{
		serverWord("weight", "share of the load", keyword.Uint, func(l *Loader, value string, srv *runtime.Server) error {
			n := atol32(value)
			if n < 0 || n > maxWeight {
				return fmt.Errorf("weight of server %s is not within 0 and %d (%d).", srv.Name, maxWeight, n)
			}
			srv.Weight = int(n)
			return nil
		}),
		serverWord("maxconn", "most connections at a time", keyword.Uint, func(l *Loader, value string, srv *runtime.Server) error {
			srv.MaxConn.Store(atol32(value))
			return nil
		}),
		serverWord("minconn", "limit of connections while the backend has no load", keyword.Uint, func(l *Loader, value string, srv *runtime.Server) error {
			srv.MinConn = atol(value)
			return nil
		}),
		serverWord("maxqueue", "most requests that wait for this server", keyword.Uint, func(l *Loader, value string, srv *runtime.Server) error {
			srv.MaxQueue = atol(value)
			return nil
		}),
		serverFlag("backup", "used when no other server is up", func(srv *runtime.Server) { srv.Backup = true }),
		serverFlag("no-backup", "no backup server", func(srv *runtime.Server) { srv.Backup = false }),
		serverFlag("disabled", "start in maintenance", func(srv *runtime.Server) { srv.Disabled = true }),
		static(serverFlag("enabled", "do not start in maintenance", func(srv *runtime.Server) { srv.Disabled = false })),
		serverWord("cookie", "value of the persistence cookie", keyword.Str, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'cookie' expects <value> as argument.\n")
			}
			srv.Cookie = value
			return nil
		}),
		serverGUID(),
		{Doc: keyword.Doc{Name: "id", Ref: "5.2", Summary: "number of the server", Args: arg("number", keyword.Int)}, NotDefault: true, Parse: serverID},
		serverWord("slowstart", "time over which a server that came up gets its full load", keyword.Time, slowStart),
		serverWord("track", "follow the state of another server", keyword.Server, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'track' expects [<proxy>/]<server> as argument.\n")
			}
			srv.TrackName = value
			return nil
		}),
		static(serverWord("redir", "redirect requests there instead of forwarding them", keyword.Str, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'redir' expects <prefix> as argument.\n")
			}
			srv.Redir = value
			return nil
		})),
		{Doc: keyword.Doc{Name: "source", Ref: "5.2", Summary: "the local address of connections", Args: []keyword.Arg{{Name: "address", Type: keyword.Addr},
			{Name: "interface", Type: keyword.Str, Joined: true, Opt: true}}}, Parse: serverSource},
		{Doc: doc("usesrc", "5.2", "belongs to source"), Parse: func(l *Loader, w *Words, srv *runtime.Server) error {
			return errors.New("'usesrc' only allowed after a 'source' statement.")
		}},
		static(serverWord("init-addr", "how the address is found at start", keyword.Str, initAddr)),
		serverFlag("tfo", "TCP fast open", func(srv *runtime.Server) { srv.TFO = true }),
		serverFlag("no-tfo", "no TCP fast open", func(srv *runtime.Server) { srv.TFO = false }),
		{Doc: keyword.Doc{Name: "tcp-ut", Ref: "5.2", Summary: "how long sent data may stay unacknowledged", Args: arg("time", keyword.Time)}, NotDynamic: true,
			Parse: func(l *Loader, w *Words, srv *runtime.Server) (err error) {
				srv.TCPUserTimeout, err = l.userTimeout(w)
				return err
			}},
		static(serverFlag("non-stick", "not remembered by stick tables", func(srv *runtime.Server) { srv.NonStick = true })),
		static(serverFlag("stick", "remembered by stick tables", func(srv *runtime.Server) { srv.NonStick = false })),
		serverFlag("strict-maxconn", "count connections, not requests", func(srv *runtime.Server) { srv.StrictMaxConn = true }),

		static(poolWord("max-reuse", "most requests on a connection", keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
			srv.MaxReuse = atol(value)
			return nil
		})),
		poolWord("pool-max-conn", "most idle connections", keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
			if srv.PoolMax = atol(value); srv.PoolMax < -1 {
				return errors.New("'pool-max-conn' must be >= -1")
			}
			return nil
		}),
		poolWord("pool-low-conn", "idle connections that are kept for other loops", keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
			srv.PoolLow = atol(value)
			return nil
		}),
		poolWord("pool-purge-delay", "how often idle connections are purged", keyword.Time, poolPurge),

		serverFlag("check", "check the server's health", func(srv *runtime.Server) { srv.CheckOn = true }),
		static(serverFlag("no-check", "do not check the server's health", func(srv *runtime.Server) { srv.CheckOn = false })),
		serverWord("addr", "where checks go", keyword.Addr, checkAddr),
		serverWord("port", "the port that checks go to", keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'port' expects a port number as argument.")
			}
			srv.CheckPort = atol(value)
			if !srv.Agent.PortGiven {
				srv.Agent.Port = srv.CheckPort
			}
			return nil
		}),
		{Doc: doc("agent-check", "5.2", "ask a program beside the server how it is"), Parse: func(_ *Loader, _ *Words, srv *runtime.Server) error {
			srv.Agent.On = true
			return nil
		}},
		static(serverFlag("no-agent-check", "ask no agent", func(srv *runtime.Server) {
			srv.Agent.On, srv.Agent.Addr, srv.Agent.Port, srv.Agent.Inter, srv.Agent.Send = false, runtime.Addr{}, 0, 0, ""
		})),
		serverWord("agent-addr", "where the agent is", keyword.Addr, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'agent-addr' expects an address as argument.")
			}
			a, err := l.Address(value, AddrResolve|AddrStream|AddrConnect, "")
			if err != nil || a.Addr.Family != runtime.FamilyIPv4 && a.Addr.Family != runtime.FamilyIPv6 {
				return fmt.Errorf("parsing agent-addr failed. Check if '%s' is correct address.", value)
			}
			srv.Agent.Addr, srv.Agent.AddrGiven = a.Addr, true
			return nil
		}),
		serverWord("agent-port", "the agent's port", keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'agent-port' expects a port number as argument.")
			}
			srv.Agent.Port, srv.Agent.PortGiven = atol(value), true
			return nil
		}),
		checkDelay("agent-inter", "how often the agent is asked", func(srv *runtime.Server) *time.Duration { return &srv.Agent.Inter }),
		serverWord("agent-send", "what the agent is told first", keyword.Str, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'agent-send' expects a string as argument.")
			}
			srv.Agent.Send = value
			return nil
		}),
		checkDelay("inter", "time between checks", func(srv *runtime.Server) *time.Duration { return &srv.Inter }),
		checkDelay("fastinter", "time between checks while the state changes", func(srv *runtime.Server) *time.Duration { return &srv.FastInter }),
		checkDelay("downinter", "time between checks of a server that is down", func(srv *runtime.Server) *time.Duration { return &srv.DownInter }),
		checkCount("rise", "good checks that bring a server up", func(srv *runtime.Server) *int { return &srv.Rise }),
		checkCount("fall", "failed checks that take a server down", func(srv *runtime.Server) *int { return &srv.Fall }),
		serverWord("error-limit", "errors in a row that on-error waits for", keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
			if value == "" {
				return errors.New("'error-limit' expects an integer argument.")
			}
			if srv.ErrorLimit = int(atol32(value)); srv.ErrorLimit <= 0 {
				return errors.New("error-limit has to be > 0.")
			}
			return nil
		}),
		serverWord("observe", "learn the server's health from its traffic", keyword.Str, observe),
		serverWord("on-error", "what happens after error-limit errors", keyword.Str, onError),
		serverWord("on-marked-down", "what happens when the server goes down", keyword.Str, func(l *Loader, value string, srv *runtime.Server) error {
			if value != "shutdown-sessions" {
				return fmt.Errorf("'on-marked-down' expects 'shutdown-sessions' but got '%s'", value)
			}
			srv.MarkedDownShut = true
			return nil
		}),
		serverWord("on-marked-up", "what happens when the server comes up", keyword.Str, func(l *Loader, value string, srv *runtime.Server) error {
			if value != "shutdown-backup-sessions" {
				return fmt.Errorf("'on-marked-up' expects 'shutdown-backup-sessions' but got '%s'", value)
			}
			srv.MarkedUpShut = true
			return nil
		}),
	}
}

// poolWord is an option of the connection pool, which want their argument in the
// same words.
func poolWord(name, summary string, t keyword.ArgType, parse func(l *Loader, value string, srv *runtime.Server) error) ServerWord {
	return serverWord(name, summary, t, func(l *Loader, value string, srv *runtime.Server) error {
		if value == "" {
			return fmt.Errorf("'%s' expects <value> as argument.\n", name)
		}
		return parse(l, value, srv)
	})
}

func serverID(l *Loader, w *Words, srv *runtime.Server) error {
	value := w.Take()
	if value == "" {
		return errors.New("'id' : expects an integer argument")
	}
	n := atol(value)
	if n < 1 || n > 1<<32-1 {
		return errors.New("'id' : custom id has to be between 1 and 4294967295.")
	}
	for _, other := range l.Proxy.Servers {
		if other.ID == n {
			return fmt.Errorf("'id' : custom id %d already used at %s:%d ('server %s')", n, other.Pos.File, other.Pos.Line, other.Name)
		}
	}
	srv.ID, srv.ForcedID = n, true
	return nil
}

func slowStart(l *Loader, value string, srv *runtime.Server) error {
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		srv.SlowStart = (d + time.Second - 1).Truncate(time.Second)
		return nil
	case fault.Over:
		return fmt.Errorf("overflow in argument <%s> to <slowstart> of server %s, maximum value is 2147483647 ms (~24.8 days).", value, srv.Name)
	case fault.Under:
		return fmt.Errorf("underflow in argument <%s> to <slowstart> of server %s, minimum non-null value is 1 ms.", value, srv.Name)
	}
	return fmt.Errorf("unexpected character '%c' in 'slowstart' argument of server %s.", fault.Char, srv.Name)
}

func poolPurge(l *Loader, value string, srv *runtime.Server) error {
	d, fault := l.Time(value, time.Millisecond)
	if fault != nil {
		return timeError(fault, value, "pool-purge-delay", fmt.Sprintf("unexpected character '%c' in argument to <pool-purge-delay>.\n", fault.Char))
	}
	srv.PoolPurge = d
	return nil
}

// badSource is a mistake behind "usesrc", printed as it is; an alert behind it names the word.
type badSource string

func (e badSource) Error() string { return string(e) }

// serverSource reads `source <address>[:port[-port]] [interface <name>] [usesrc ...]`.
func serverSource(l *Loader, w *Words, srv *runtime.Server) error {
	value := w.Take()
	if value == "" {
		return errors.New("'source' expects <addr>[:<port>[-<port>]], and optionally 'usesrc' <addr>, and 'interface' <name> as argument.\n")
	}
	a, err := l.Address(value, AddrResolve|AddrPort|AddrPortRange|AddrStream|AddrConnect, "")
	if err != nil {
		return fmt.Errorf("'source %s' : %w\n", value, err)
	}
	src := &runtime.SourceAddr{Addr: a.Addr, PortLow: a.Low, PortHigh: a.High}
	srv.Source = src
	for {
		switch w.Peek() {
		case "usesrc":
			w.Skip(1)
			arg := w.Take()
			if arg == "" {
				return badSource("'usesrc' expects <addr>[:<port>], 'client', 'clientip', or 'hdr_ip(name,#)' as argument.")
			}
			if err := l.useSource(src, arg); err != nil {
				return badSource(err.Error())
			}
		case "interface":
			w.Skip(1)
			l.Config.Global.NeedsNetAdmin = true
			if src.Interface = w.Take(); src.Interface == "" {
				return fmt.Errorf("'%s' : missing interface name.", w.Line.Arg(0))
			}
		default:
			return nil
		}
	}
}

// initAddr reads a list of last, libc, none and an address.
func initAddr(l *Loader, value string, srv *runtime.Server) error {
	const most = 10 // methods
	srv.InitAddr = nil
	seen := false
	for _, method := range strings.Split(value, ",") {
		switch method {
		case "":
			continue
		case "libc", "last", "none":
		default:
			if _, err := netip.ParseAddr(strings.Trim(method, "[]")); err != nil {
				return fmt.Errorf("'init-addr' : unknown init-addr method '%s', supported methods are 'libc', 'last', 'none'.", method)
			}
			if seen {
				return fmt.Errorf("'init-addr' : initial address already specified, cannot add '%s'.", method)
			}
			seen = true
		}
		if len(srv.InitAddr) == most {
			return fmt.Errorf("'init-addr' : too many init-addr methods when trying to add '%s'", method)
		}
		srv.InitAddr = append(srv.InitAddr, method)
	}
	return nil
}

func checkAddr(l *Loader, value string, srv *runtime.Server) error {
	if value == "" {
		return errors.New("'addr' expects <ipv4|ipv6> as argument.")
	}
	a, err := l.Address(value, AddrResolve|AddrPort|AddrStream|AddrConnect, "")
	if err != nil {
		return fmt.Errorf("'addr' : %w", err)
	}
	srv.CheckAddr = a.Addr
	if !srv.Agent.AddrGiven && a.Addr.IP.IsValid() {
		srv.Agent.Addr = a.Addr
	}
	return nil
}

// checkDelay is the row of a time between checks. The reference names another word
// in one of the messages.
func checkDelay(name, summary string, target func(*runtime.Server) *time.Duration) ServerWord {
	return serverWord(name, summary, keyword.Time, func(l *Loader, value string, srv *runtime.Server) error {
		if value == "" {
			return fmt.Errorf("'%s' expects a delay as argument.", name)
		}
		d, fault := l.Time(value, time.Millisecond)
		if fault != nil {
			return serverTime(fault, value, name, srv.Name, fmt.Sprintf("unexpected character '%c' in 'agent-inter' argument of server %s.", fault.Char, srv.Name))
		}
		if d == 0 {
			return fmt.Errorf("invalid value %d for argument '%s' of server %s.", 0, name, srv.Name)
		}
		*target(srv) = d
		if bareBelow(value, 100) {
			return warnSmall(name, d, srv.Name)
		}
		return nil
	})
}

func checkCount(name, summary string, target func(*runtime.Server) *int) ServerWord {
	return serverWord(name, summary, keyword.Int, func(l *Loader, value string, srv *runtime.Server) error {
		if value == "" {
			return fmt.Errorf("'%s' expects an integer argument.", name)
		}
		n := atol(value)
		if n <= 0 {
			return fmt.Errorf("'%s' has to be > 0.", name)
		}
		*target(srv) = n
		return nil
	})
}

func observe(l *Loader, value string, srv *runtime.Server) error {
	switch value {
	case "":
		return errors.New("'observe' expects <mode> as argument.\n")
	case "none":
		srv.Observe = runtime.ObserveNone
	case "layer4":
		srv.Observe = runtime.ObserveLayer4
	case "layer7":
		if l.Proxy.Mode != runtime.ModeHTTP {
			return Complaint("'layer7' can only be used in http proxies.\n")
		}
		srv.Observe = runtime.ObserveLayer7
	default:
		return fmt.Errorf("'observe' expects one of 'none', 'layer4', 'layer7' but got '%s'\n", value)
	}
	return nil
}

func onError(l *Loader, value string, srv *runtime.Server) error {
	kinds := map[string]runtime.OnError{"fastinter": runtime.OnErrorFastInter, "fail-check": runtime.OnErrorFailCheck,
		"sudden-death": runtime.OnErrorSuddenDeath, "mark-down": runtime.OnErrorMarkDown}
	kind, ok := kinds[value]
	if !ok {
		return fmt.Errorf("'on-error' expects one of 'fastinter', 'fail-check', 'sudden-death' or 'mark-down' but got '%s'", value)
	}
	srv.OnError = kind
	return nil
}
