package config

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// globalState is what only the loading needs to know of the global section.
type globalState struct {
	uidSet, gidSet bool
	limitedQUIC    bool           // "limited-quic"
	headerCases    string         // "h1-case-adjust-file"
	shmStats       bool           // "shm-stats-file"
	shmObjects     bool           // "shm-stats-file-max-objects"
	cli            *runtime.Proxy // of the stats sockets; nil before the first of them
}

// What the process is set to when the file says nothing.
const (
	defaultBufSize    = 16384
	defaultMaxRewrite = 1024
	defaultMaxPayload = 128 << 10
	defaultMaxHeaders = 101
	defaultURILen     = 1023
	defaultCookieLen  = 63
	defaultLowFD      = 20 // percent
	defaultHighFD     = 25
	defaultStickCtr   = 3
	defaultStatsConns = 10
	defaultCLITimeout = 10 * time.Second
	defaultReloads    = 50
)

// setDefaults fills in what holds when the file says nothing.
func setDefaults(g *runtime.Global) {
	g.UID, g.GID = -1, -1
	g.UnixBind = runtime.UnixBind{UID: -1, GID: -1}
	g.StatsConns = defaultStatsConns
	g.CLITimeout = defaultCLITimeout
	g.MaxReloads = defaultReloads
	g.ErrCodes.Put(400, 499, true)
	g.FailCodes.Put(500, 599, true)
	g.FailCodes.Put(501, 501, false)
	g.FailCodes.Put(505, 505, false)
	g.Tune = runtime.Tune{
		BufSize: defaultBufSize, MaxRewrite: defaultMaxRewrite, MaxPayload: defaultMaxPayload, MaxHdr: defaultMaxHeaders,
		LogURILen: defaultURILen, CookieLen: defaultCookieLen,
		PoolLowFDRatio: defaultLowFD, PoolHighFD: defaultHighFD, StickCounters: defaultStickCtr,
		IdleTimer: time.Second,
	}
}

func globalSections() []Section {
	return []Section{{Doc: doc("global", "3", "settings of the process"), Kind: Global, Start: func(l *Loader, line *ast.Line) {
		l.TooMany(line, 1, 0)
	}}}
}

func globalKeywords() []Keyword {
	return slices.Concat(processKeywords(), tuneKeywords(), tuneH2Keywords(), spliceKeywords(), headerCaseKeywords(), inertKeywords(), dormantKeywords(), privilegeKeywords(), checkedKeywords(), []Keyword{parserPause()})
}

// processKeywords are about what the process is and may do.
func processKeywords() []Keyword {
	return []Keyword{
		discovered(flag("daemon", "run in the background", daemon)),
		discovered(flag("quiet", "print nothing while starting", func(l *Loader) {
			l.Config.Global.Quiet = true
			if l.List.Out != nil {
				l.List.Out.Quiet = true
			}
		})),
		discovered(flag("zero-warning", "refuse a configuration that has warnings", func(l *Loader) { l.Config.Global.ZeroWarning = true })),
		discovered(flag("expose-deprecated-directives", "do not warn about deprecated directives", func(l *Loader) { l.deprecatedOn = true })),
		flag("expose-experimental-directives", "allow experimental directives", func(l *Loader) { l.experimentOn = true }),
		discovered(global("master-worker", "run workers under a master process", []keyword.Arg{{Name: "no-exit-on-failure", Type: keyword.Flag, Opt: true}}, reporting(masterWorker))),
		discovered(global("pidfile", "where the process number is written", arg("path", keyword.File), reporting(pidfile))),
		discovered(global("localpeer", "the name of this process among peers", arg("name", keyword.Str), reporting(localpeer))),
		discovered(global("mworker-max-reloads", "reloads that a worker survives before it is killed", arg("number", keyword.Int), reporting(maxReloads))),
		discovered(global("setenv", "set an environment variable", envArgs(), reporting(setenv))),
		discovered(global("presetenv", "set an environment variable that is not set yet", envArgs(), reporting(setenv))),
		discovered(global("unsetenv", "remove environment variables", []keyword.Arg{{Name: "name", Type: keyword.Str, Many: true}}, reporting(unsetenv))),
		discovered(global("resetenv", "remove all environment variables but those named", []keyword.Arg{{Name: "name", Type: keyword.Str, Many: true, Opt: true}}, func(l *Loader, line *ast.Line) {
			l.Env.Reset(line.Texts(nil, 1))
		})),
		discovered(inertFlag("noepoll", notePoller, false)),
		discovered(inertFlag("noevports", notePoller, false)),
		discovered(inertFlag("nokqueue", notePoller, false)),
		discovered(inertFlag("nopoll", notePoller, false)),
		discovered(inertFlag("noktls", "kernel TLS is not used", false)),

		global("chroot", "change the root directory after start", arg("path", keyword.File), reporting(chroot)),
		global("user", "run as this user", arg("name", keyword.Str), runAsUser),
		global("group", "run as this group", arg("name", keyword.Str), runAsGroup),
		global("uid", "run as this user number", arg("number", keyword.Int), runAsUID),
		global("gid", "run as this group number", arg("number", keyword.Int), runAsGID),
		global("nbthread", "how many threads run", arg("number", keyword.Int), reporting(nbthread)),
		global("cpu-map", "which CPUs threads run on", []keyword.Arg{{Name: "threads", Type: keyword.Opaque}, {Name: "cpus", Type: keyword.Opaque, Many: true}}, mapCPUs),
		global("cpu-set", "which CPUs are used", []keyword.Arg{{Name: "directive", Type: keyword.Opaque, Many: true}}, reporting(chooseCPUs)),
		inert("thread-groups", noteGroups, arg("number", keyword.Int), reporting(setThreadGroups)),
		global("maxconn", "most client connections of the process", arg("number", keyword.Int), globalMaxConn),
		globalOnce("ulimit-n", "limit of file descriptors", func(g *runtime.Global) *int { return &g.UlimitN }),
		globalOnce("fd-hard-limit", "highest limit of file descriptors that maxconn may be computed from", func(g *runtime.Global) *int { return &g.FDHardLimit }),
		globalOnce("maxconnrate", "most connections per second", func(g *runtime.Global) *int { return &g.MaxConnRate }),
		globalOnce("maxsslrate", "most TLS handshakes of clients per second", func(g *runtime.Global) *int { return &g.MaxTLSRate }),
		globalOnce("maxsessrate", "most sessions per second", func(g *runtime.Global) *int { return &g.MaxSessRate }),
		withNo(global("set-dumpable", "leave a core dump behind a crash", []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: []string{"on", "off", "libs"}, Opt: true}}, setDumpable)),
		withNo(global("strict-limits", "refuse to start when limits cannot be raised", nil, func(l *Loader, line *ast.Line) {
			if !l.TooMany(line, 1, 0) {
				l.Config.Global.NoStrictLimits = line.Modifier == ast.No
			}
		})),
		global("description", "text about this process", arg("text", keyword.Str), func(l *Loader, line *ast.Line) {
			if line.Arg(1) == "" {
				l.AlertTight(line.Pos, "'%s' expects a string argument.", line.Arg(0))
				return
			}
			l.Config.Global.Desc = strings.Join(line.Texts(nil, 1), " ")
		}),
		global("node", "name of this node", arg("name", keyword.Str), func(l *Loader, line *ast.Line) {
			if l.TooMany(line, 1, 1) {
				return
			}
			if !validNode(line.Arg(1)) {
				l.AlertTight(line.Pos, "'%s' requires valid node name - non-empty string with digits(0-9), letters(A-Z, a-z), dot(.), hyphen(-) or underscode(_).", line.Arg(0))
				return
			}
			l.Config.Global.Node = line.Arg(1)
		}),
		global("unix-bind", "how UNIX sockets are created", []keyword.Arg{
			{Name: "prefix", Type: keyword.File, Joined: true, Opt: true}, {Name: "mode", Type: keyword.Int, Joined: true, Opt: true},
			{Name: "user", Type: keyword.Str, Joined: true, Opt: true}, {Name: "uid", Type: keyword.Int, Joined: true, Opt: true},
			{Name: "group", Type: keyword.Str, Joined: true, Opt: true}, {Name: "gid", Type: keyword.Int, Joined: true, Opt: true},
		}, unixBind),
		global("log-send-hostname", "the host name in syslog headers", []keyword.Arg{{Name: "name", Type: keyword.Str, Opt: true}}, func(l *Loader, line *ast.Line) {
			g := &l.Config.Global
			if g.LogHost != "" {
				l.Complain(line.Pos, "'%s' already specified. Continuing.", line.Arg(0))
				return
			}
			if g.LogHost = line.Arg(1); g.LogHost == "" {
				g.LogHost, _ = os.Hostname()
			}
		}),
		global("log-tag", "the tag in syslog headers", arg("tag", keyword.Str), func(l *Loader, line *ast.Line) {
			switch {
			case l.TooMany(line, 1, 1):
			case line.Arg(1) == "":
				l.Alert(line.Pos, "'%s' expects a tag for use in syslog.", line.Arg(0))
			default:
				l.Config.Global.LogTag = line.Arg(1)
			}
		}),
		global("profiling.tasks", "whether streams measure their CPU and latency", []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: []string{"on", "auto", "off"}, Doc: "auto: off, as no loop falls so far behind that it would matter"}},
			reporting(func(l *Loader, line *ast.Line) error {
				switch v := line.Arg(1); {
				case l.TooMany(line, 1, 1):
				case v != "on" && v != "auto" && v != "off":
					return fmt.Errorf("'profiling.tasks' expects either 'on', 'auto', or 'off' but got '%s'.", v)
				default:
					l.Config.Global.ProfileTasks = map[string]runtime.Profiling{"on": runtime.ProfileOn, "off": runtime.ProfileOff}[v]
				}
				return nil
			})),
		defaultPathRow(),
		global("server-state-base", "directory of the files with server states", arg("path", keyword.File),
			onceFile("expects one argument: a directory path.", func(g *runtime.Global) *string { return &g.StateBase })),
		global("server-state-file", "file with server states", arg("path", keyword.File),
			onceFile("expect one argument: a file path.", func(g *runtime.Global) *string { return &g.StateFile })),
		global("stats-file", "file with counters of a former process", arg("path", keyword.File),
			onceFile("expect one argument: a file path.", func(g *runtime.Global) *string { return &g.StatsFile })),
		global("spread-checks", "percent of random variation of the interval between checks", arg("percent", keyword.Int), spreadChecks),
		global("max-spread-checks", "most time between the first and the last check", arg("time", keyword.Time), maxSpreadChecks),
		globalTime("hard-stop-after", "most time that a soft stop may take", func(g *runtime.Global) *time.Duration { return &g.HardStopAfter }),
		globalTime("grace", "time between a soft stop and the closing of listeners", func(g *runtime.Global) *time.Duration { return &g.Grace }),
		global("close-spread-time", "over how long idle connections are closed while stopping", arg("time", keyword.Time), reporting(closeSpread)),
		global("stats", "the stats socket", arg("setting", keyword.Opaque), func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'%s' only supports 'socket', 'maxconn', 'bind-process', 'calculate-max-counters'  and 'timeout' (got '%s')", line.Arg(0), line.Arg(1))
		}),
		global("stats socket", "a socket for the runtime API", []keyword.Arg{{Name: "address", Type: keyword.Addr}, {Name: "options", Type: keyword.Opaque, Many: true, Opt: true, Doc: "options of a bind line"}}, reporting(statsSocket)),
		global("stats timeout", "time after which an idle client of the stats socket is closed", arg("time", keyword.Time), reporting(statsTimeout)),
		global("stats maxconn", "most clients of the stats sockets", arg("number", keyword.Int), reporting(func(l *Loader, line *ast.Line) error {
			n := atol(line.Arg(2))
			if n <= 0 {
				return fmt.Errorf("'stats maxconn' expects a positive value")
			}
			l.Config.Global.StatsConns = n
			return nil
		})),
		global("stats bind-process", "not supported anymore", nil, func(l *Loader, line *ast.Line) {
			l.Alert(line.Pos, "'stats bind-process' is not supported anymore.")
		}),
		inert("stats calculate-max-counters", "maxima cost nothing here", arg("on|off", keyword.Bool), reporting(func(l *Loader, line *ast.Line) error {
			if v := strings.ToLower(line.Arg(2)); v != "on" && v != "off" {
				return fmt.Errorf("'%s' only supports 'on' and 'off', received '%s'", line.Arg(1), line.Arg(2))
			}
			return nil
		})),
	}
}

func discovered(k Keyword) Keyword { k.Discover = true; return k }

// setDumpable reads "set-dumpable". The program has no libraries that "libs" could add to what is dumped.
func setDumpable(l *Loader, line *ast.Line) {
	if l.TooMany(line, 1, 1) {
		return
	}
	g := &l.Config.Global
	switch v := line.Arg(1); {
	case line.Modifier == ast.No, v == "off":
		g.Dumpable = false
	case v == "", v == "on", v == "libs":
		g.Dumpable = true
	default:
		l.Alert(line.Pos, "'%s' only supports 'on' and 'off' as an argument, found '%s'.", line.Arg(0), v)
	}
}

func withNo(k Keyword) Keyword { k.No = true; return k }

func daemon(l *Loader) {
	if l.options.Systemd {
		if l.discovering {
			l.List.Warnf(l.pos, "'daemon' is not compatible with -Ws (master-worker mode for systemd), ignoring.")
		}
		return
	}
	l.Config.Global.Daemon = true
}

func masterWorker(l *Loader, line *ast.Line) error {
	if !l.discovering || l.TooMany(line, 1, 1) {
		return nil
	}
	switch line.Arg(1) {
	case "":
		if l.options.MasterWorker || l.Config.Global.MasterWorker {
			l.List.Warnf(line.Pos, "master-worker mode is already configured.")
		}
		l.List.Warnf(line.Pos, "The '%s' keyword is deprecated in 3.3 and will be removed in 3.5. Use -W or -Ws in the startup script instead.", line.Arg(0))
	case "no-exit-on-failure":
		l.Config.Global.NoExitOnFailure = true
	default:
		return fmt.Errorf("'%s' only supports 'no-exit-on-failure' option", line.Arg(0))
	}
	l.Config.Global.MasterWorker = true
	return nil
}

func pidfile(l *Loader, line *ast.Line) error {
	if !l.discovering || l.TooMany(line, 1, 1) {
		return nil
	}
	switch g := &l.Config.Global; {
	case g.Pidfile != "":
		return Warning(fmt.Sprintf("'%s' already specified. Continuing.", line.Arg(0)))
	case line.Arg(1) == "":
		return fmt.Errorf("'%s' expects a file name as an argument.", line.Arg(0))
	default:
		g.Pidfile = line.Arg(1)
	}
	return nil
}

func localpeer(l *Loader, line *ast.Line) error {
	if !l.discovering || l.TooMany(line, 1, 1) {
		return nil
	}
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects a name as an argument.\n", line.Arg(0))
	}
	if l.options.Localpeer != "" {
		return fmt.Errorf("'%s' ignored since it is already set by using the '-L' command line argument.\n", line.Arg(0))
	}
	l.Config.Global.Localpeer = line.Arg(1)
	return nil
}

func maxReloads(l *Loader, line *ast.Line) error {
	if !l.discovering || l.TooMany(line, 1, 1) {
		return nil
	}
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' expects an integer argument.", line.Arg(0))
	}
	n := atol(line.Arg(1))
	if n < 0 {
		return fmt.Errorf("'%s' expects a positive value or zero.", line.Arg(0))
	}
	l.Config.Global.MaxReloads = n
	return nil
}

// maxThreads is how many loops a process may have.
const maxThreads = 1024

func nbthread(l *Loader, line *ast.Line) error {
	return l.threadNumber(line, maxThreads, &l.Config.Global.NbThread)
}

func setThreadGroups(l *Loader, line *ast.Line) error {
	return l.threadNumber(line, threadGroups, &l.threadGroups)
}

// threadNumber reads a number that must be known before any section but the global ones.
func (l *Loader) threadNumber(line *ast.Line, most int64, set *int) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	if len(l.Config.Proxies)+len(l.defaults.all) > 0 {
		return fmt.Errorf("'%s' not allowed if a non-global section was previously defined. This parameter must be declared in the first global section", line.Arg(0))
	}
	n, rest := strtol(line.Arg(1), 10)
	switch {
	case line.Arg(1) == "" || rest != "":
		return fmt.Errorf("'%s' passed a missing or unparsable integer value in '%s'", line.Arg(0), line.Arg(1))
	case n < 1 || n > most:
		return fmt.Errorf("'%s' value must be between 1 and %d (was %d)", line.Arg(0), most, n)
	}
	if *set != 0 {
		l.List.Diagf(line.Pos, "parsing [%s:%d] : '%s' is already defined and will be overridden.", line.Pos.File, line.Pos.Line, line.Arg(0))
	}
	*set = int(n)
	return nil
}

func globalMaxConn(l *Loader, line *ast.Line) {
	word, value := line.Arg(0), line.Arg(1)
	switch {
	case l.TooMany(line, 1, 1):
		return
	case l.Config.Global.MaxConn != 0:
		l.Complain(line.Pos, "'%s' already specified. Continuing.", word)
		return
	case value == "":
		l.Alert(line.Pos, "'%s' expects an integer argument.", word)
		return
	}
	n, rest := strtol(value, 10)
	l.Config.Global.MaxConn = int(n)
	if rest != "" {
		l.Alert(line.Pos, "cannot parse '%s' value '%s', an integer is expected.", word, value)
	}
}

func validNode(name string) bool {
	if name == "" {
		return false
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; digitOf(c) >= 36 && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func unixBind(l *Loader, line *ast.Line) {
	ub := &l.Config.Global.UnixBind
	for i := 1; line.Arg(i) != ""; i += 2 {
		word, value := line.Arg(i), line.Arg(i+1)
		switch word {
		case "prefix":
			switch {
			case ub.Prefix != "":
				l.Complain(line.Pos, "unix-bind '%s' already specified. Continuing.", word)
			case value == "":
				l.Alert(line.Pos, "unix_bind '%s' expects a path as an argument.", word)
				return
			default:
				ub.Prefix = value
			}
		case "mode":
			n, _ := strtol(value, 8)
			ub.Mode = uint32(n)
		case "uid":
			ub.UID = atol(value)
		case "gid":
			ub.GID = atol(value)
		case "user":
			id, ok := userID(value)
			if !ok {
				l.Alert(line.Pos, "'%s' : '%s' unknown user.", line.Arg(0), value)
				return
			}
			ub.UID = id
		case "group":
			id, ok := groupID(value)
			if !ok {
				l.Alert(line.Pos, "'%s' : '%s' unknown group.", line.Arg(0), value)
				return
			}
			ub.GID = id
		default:
			l.Alert(line.Pos, "'%s' only supports the 'prefix', 'mode', 'uid', 'gid', 'user' and 'group' options.", line.Arg(0))
			return
		}
	}
}

func onceFile(missing string, target func(*runtime.Global) *string) func(*Loader, *ast.Line) {
	return func(l *Loader, line *ast.Line) {
		switch path := target(&l.Config.Global); {
		case *path != "":
			l.Complain(line.Pos, "'%s' already specified. Continuing.", line.Arg(0))
		case line.Arg(1) == "":
			l.Alert(line.Pos, "'%s' %s", line.Arg(0), missing)
		default:
			*path = line.Arg(1)
		}
	}
}

func spreadChecks(l *Loader, line *ast.Line) {
	g := &l.Config.Global
	switch {
	case l.TooMany(line, 1, 1):
		return
	case g.SpreadChecks != 0:
		l.List.Add(complaintTight(line.Pos, "spread-checks already specified. Continuing."))
		return
	case line.Arg(1) == "":
		l.AlertTight(line.Pos, "'%s' expects an integer argument (0..50).", line.Arg(0))
		return
	}
	g.SpreadChecks = atol(line.Arg(1))
	if g.SpreadChecks < 0 || g.SpreadChecks > 50 {
		l.AlertTight(line.Pos, "'spread-checks' needs a positive value in range 0..50.")
	}
}

func maxSpreadChecks(l *Loader, line *ast.Line) {
	word, value := line.Arg(0), line.Arg(1)
	if l.TooMany(line, 1, 1) {
		return
	}
	if value == "" {
		l.AlertTight(line.Pos, "'%s' expects an integer argument (0..50).", word)
		return
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault == nil:
		l.Config.Global.MaxSpreadChecks = d
	case fault.Over:
		l.AlertTight(line.Pos, "timer overflow in argument <%s> to <%s>, maximum value is 2147483647 ms (~24.8 days).", value, word)
	case fault.Under:
		l.AlertTight(line.Pos, "timer underflow in argument <%s> to <%s>, minimum non-null value is 1 ms.", value, word)
	default:
		l.AlertTight(line.Pos, "unsupported character '%c' in '%s' (wants an integer delay).", fault.Char, word)
	}
}

func closeSpread(l *Loader, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	if value == "" {
		return fmt.Errorf("'%s' expects <time> as argument.\n", word)
	}
	if value == "infinite" {
		l.Config.Global.CloseSpread = -1
		return nil
	}
	d, fault := l.Time(value, time.Millisecond)
	if fault != nil {
		return timeError(fault, value, word, fmt.Sprintf("unexpected character '%c' in argument to <%s>.\n", fault.Char, word))
	}
	l.Config.Global.CloseSpread = d
	return nil
}

func statsTimeout(l *Loader, line *ast.Line) error {
	value := line.Arg(2)
	d, fault := l.Time(value, time.Millisecond)
	if fault != nil {
		return timeError(fault, value, "stats timeout", fmt.Sprintf("'stats timeout' : unexpected character '%c'", fault.Char))
	}
	if d == 0 {
		return fmt.Errorf("'stats timeout' expects a positive value")
	}
	l.Config.Global.CLITimeout = d
	return nil
}
