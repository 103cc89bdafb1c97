package config

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
)

// check is what the argument of a global keyword must be: it returns why not, as it
// follows the keyword in quotes, or errors of its own shape.
type check func(l *Loader, line *ast.Line) error

// dormant makes a row of a word that only configures something Missing.
func dormantRow(name, summary string, args []keyword.Arg, parse check) Keyword {
	k := global(name, summary, args, reporting(parse))
	k.Status, k.Dormant = keyword.Missing, true
	return k
}

// missingRow makes a row of a word that is Missing itself.
func missingRow(name, summary string, args []keyword.Arg, parse check) Keyword {
	k := dormantRow(name, summary, args, parse)
	k.Dormant = false
	return k
}

// checked makes an inert row whose argument is looked at all the same.
func checked(name, note string, args []keyword.Arg, parse check) Keyword {
	return inert(name, note, args, reporting(parse))
}

// single runs a check of the only argument a line may have.
func single(parse func(l *Loader, word, value string) error) check {
	return func(l *Loader, line *ast.Line) error {
		if l.TooMany(line, 1, 1) {
			return nil
		}
		return parse(l, line.Arg(0), line.Arg(1))
	}
}

// wordOf accepts a few words; expects is what is said about another one, with the
// keyword and the word.
func wordOf(expects string, values ...string) check {
	return single(func(_ *Loader, word, value string) error {
		for _, v := range values {
			if v == value {
				return nil
			}
		}
		if strings.Count(expects, "%") == 1 {
			return fmt.Errorf(expects, word)
		}
		return fmt.Errorf(expects, word, value)
	})
}

// number accepts what atol reads within a range; empty text is refused where absent is
// false.
func number(expects string, least, most int, absent bool) check {
	return single(func(_ *Loader, word, value string) error {
		if n := atol(value); value == "" && !absent || n < least || n > most {
			return fmt.Errorf(expects, word)
		}
		return nil
	})
}

// present wants an argument and does not look at it.
func present(expects string) check {
	return single(func(_ *Loader, word, value string) error {
		if value == "" {
			return fmt.Errorf(expects, word)
		}
		return nil
	})
}

func anything(l *Loader, line *ast.Line) error { l.TooMany(line, 1, 1); return nil }

func nothing(l *Loader, line *ast.Line) error { l.TooMany(line, 1, 0); return nil }

// sizeOf wants a number of bytes, which is handed to set; zero tells whether 0 is one.
func sizeOf(zero bool, set func(n uint32)) check {
	return single(func(_ *Loader, word, value string) error {
		if value == "" {
			return fmt.Errorf("'%s' expects an integer argument.", word)
		}
		n, bad, ok := units.Size(value)
		switch {
		case !ok:
			return fmt.Errorf("unexpected '%s' after size passed to '%s'", bad, word)
		case n == 0 && !zero:
			return fmt.Errorf("'%s' expects a positive integer argument.", word)
		case set != nil:
			set(n)
		}
		return nil
	})
}

const (
	onOrOff      = "'%s' expects 'on' or 'off'."
	eitherOnOff  = "'%s' expects either 'on' or 'off' but got '%s'."
	mostFatTimer = "(maximum value is 2147483647 ms or ~24.8 days)"
)

// dormantKeywords configure features of the reference that are not here: their arguments
// are checked.
func dormantKeywords() []Keyword {
	value := arg("value", keyword.Str)
	rows := []Keyword{
		global("dns-accept-family", "address families that names are resolved to", value, reporting(single(dnsFamilies))),
		dormantRow("shm-stats-file-max-objects", "most objects of a shared memory of statistics", value, func(l *Loader, line *ast.Line) error {
			switch {
			case l.global.shmObjects:
				return fmt.Errorf("'%s' already specified.\n", line.Arg(0))
			case line.Arg(1) == "":
				return fmt.Errorf("'%s' expect one argument: max objects number.\n", line.Arg(0))
			}
			l.global.shmObjects = true
			return nil
		}),
		missingRow("shm-stats-file", "the shared memory of statistics", arg("path", keyword.File), func(l *Loader, line *ast.Line) error {
			switch {
			case l.global.shmStats:
				return fmt.Errorf("'%s' already specified.\n", line.Arg(0))
			case line.Arg(1) == "":
				return fmt.Errorf("'%s' expect one argument: a file path.\n", line.Arg(0))
			}
			l.global.shmStats = true
			return nil
		}),
		dormantRow("harden.reject-privileged-ports.quic", "refuse QUIC clients with a privileged port", value, privilegedPorts),
	}
	return rows
}

// twice repeats a mistake in the reference's words for none, which then looks for a text
// that it has printed already.
func twice(c check) check {
	return func(l *Loader, line *ast.Line) error {
		err := c(l, line)
		if err != nil {
			l.Alert(line.Pos, "%s", err)
			return errors.New("(null)")
		}
		return nil
	}
}

func dnsFamilies(l *Loader, word, value string) error {
	families := strings.Split(value, ",")
	if !l.options.IPv4Only {
		l.Config.Global.Families = families
	}
	if value == "auto" {
		return nil
	}
	for _, family := range families {
		if family != "ipv4" && family != "ipv6" {
			return fmt.Errorf("'%s' expects a comma-delimited list of 'ipv4' and 'ipv6' but got '%s'.", word, family)
		}
	}
	return nil
}

func privilegedPorts(_ *Loader, line *ast.Line) error {
	if line.Arg(2) != "" || line.Arg(1) != "on" && line.Arg(1) != "off" {
		return fmt.Errorf("'%s' expects either 'on' or 'off'.", line.Arg(0))
	}
	return nil
}

// checkedKeywords have no meaning here; their arguments are checked.
func checkedKeywords() []Keyword {
	value := arg("value", keyword.Str)
	const forwarded = "data is forwarded from where it was received"
	return []Keyword{
		checked("cluster-secret", "only QUIC tokens are made of it", value, single(func(_ *Loader, _, value string) error {
			if value == "" {
				return errors.New("expects an ASCII string argument.")
			}
			return nil
		})),
		checked("cpu-affinity", noteThreads, value, func(_ *Loader, line *ast.Line) error {
			switch word := line.Arg(1); word {
			case "per-core", "per-group", "per-thread", "per-ccx", "auto":
				return nil
			default:
				return fmt.Errorf("'%s' parsed an unknown directive '%s'. Known values are : per-core per-group per-thread per-ccx auto", line.Arg(0), word)
			}
		}),
		checked("cpu-policy", noteThreads, value, cpuPolicy),
		checked("max-threads-per-group", noteGroups, value, single(func(_ *Loader, word, value string) error {
			n, rest := strtol(value, 10)
			if value == "" || rest != "" || n < 0 || n > 64 {
				return fmt.Errorf("'%s' value must be an integer between 1 and 64,  got '%s'", word, value)
			}
			return nil
		})),
		checked("stress-level", noteDebug, value, single(func(_ *Loader, word, value string) error {
			n, rest := strtol(value, 10)
			switch {
			case value == "":
				return fmt.Errorf("'%s' expects a level as an argument.", word)
			case rest != "" || n < 0 || n > 9:
				return fmt.Errorf("'%s' level must be between 0 and 9 inclusive.", word)
			}
			return nil
		})),
		checked("thread-group", noteGroups, []keyword.Arg{{Name: "group", Type: keyword.Int}, {Name: "threads", Type: keyword.Opaque, Many: true, Opt: true}}, threadGroup),
		checked("tune.applet.zero-copy-forwarding", forwarded, value, wordOf(onOrOff, "on", "off")),
		checked("tune.h1.zero-copy-fwd-recv", forwarded, value, wordOf(onOrOff, "on", "off")),
		checked("tune.h1.zero-copy-fwd-send", forwarded, value, wordOf(onOrOff, "on", "off")),
		checked("tune.pt.zero-copy-forwarding", forwarded, value, wordOf(onOrOff, "on", "off")),
		checked("tune.epoll.mask-events", notePoller, value, single(func(_ *Loader, word, value string) error {
			for _, event := range strings.FieldsFunc(value, func(c rune) bool { return c == ',' }) {
				if event != "err" && event != "hup" && event != "rdhup" {
					return fmt.Errorf("'%s' expects a comma-delimited list of 'err', 'hup' and 'rdhup' but got '%s'.", word, event)
				}
			}
			return nil
		})),
		checked("tune.events.max-events-at-once", "events have no queue", value, number("'%s' expects an integer argument between 1 and 10000.", 1, 10000, false)),
		experimentalWord(checked("tune.fd.edge-triggered", notePoller, value, wordOf(eitherOnOff, "on", "off"))),
		checked("tune.listener.default-shards", "each loop has its own socket where the kernel allows it", value,
			wordOf("'%s' expects either 'by-process', 'by-group', or 'by-thread' but got '%s'.", "by-process", "by-group", "by-thread")),
		checked("tune.rcvbuf.backend", "nothing is received from log servers", value, datagramBuffer(nil)),
		global("tune.rcvbuf.frontend", "kernel receive buffer of sockets for datagrams", value, reporting(datagramBuffer(func(t *runtime.Tune) *int { return &t.RcvBufDgram }))),
		global("tune.sndbuf.backend", "kernel send buffer of sockets to log servers", value, reporting(datagramBuffer(func(t *runtime.Tune) *int { return &t.SndBufLog }))),
		global("tune.sndbuf.frontend", "kernel send buffer of sockets for datagrams", value, reporting(datagramBuffer(func(t *runtime.Tune) *int { return &t.SndBufDgram }))),
		checked("tune.ring.queues", "messages are written one after the other", value, single(func(_ *Loader, word, value string) error {
			if n := atol(value); n < 0 || n > 16 {
				return fmt.Errorf("'%s' expects a number between 0 and 16 but got '%s'.", word, value)
			}
			return nil
		})),
		checked("tune.takeover-other-tg-connections", "threads form no groups", value, single(func(_ *Loader, word, value string) error {
			switch value {
			case "none", "restricted", "full":
				return nil
			case "":
				return fmt.Errorf("'%s' expects 'none', 'restricted', or 'full'", word)
			}
			return fmt.Errorf("'%s' expects 'none', 'restricted', or 'full', got '%s'", word, value)
		})),
		checked("warn-blocked-traffic-after", "no watchdog looks at loops", arg("time", keyword.Time), blockedTraffic),
		global("thread-hard-limit", "most threads that run", arg("number", keyword.Int), reporting(threadHardLimit)),
		global("anonkey", "the key that hides names in what is dumped", arg("key", keyword.Uint), func(l *Loader, line *ast.Line) {
			value := line.Arg(1)
			if value == "" {
				l.AlertTight(line.Pos, "a key is expected after '%s'.", line.Arg(0))
				return
			}
			if l.Config.Global.AnonKey.Load() != 0 {
				return // the first key counts, and the others are not looked at
			}
			n, _ := strtol(value, 10)
			if n < 0 || n > 1<<32-1 {
				l.AlertTight(line.Pos, "'%s' value must be within range 0-4294967295 (was '%s').", line.Arg(0), value)
				return
			}
			l.Config.Global.AnonKey.Store(uint32(n))
		}),
		flag("noreuseport", "share no listening sockets with another process", func(l *Loader) { l.Config.Global.NoReusePort = true }),
	}
}

func experimentalWord(k Keyword) Keyword { k.Experimental = true; return k }

// cpuPolicies are the ways of placing threads, and what the reference says of them.
const cpuPolicies = "and 'none' (use all available CPUs), 'performance' (make one thread group per perf. core cluster), " +
	"'group-by-ccx' (make one thread group per CCX), 'group-by-2-ccx' (make one thread group per 2 CCX), " +
	"'group-by-3-ccx' (make one thread group per 3 CCX), 'group-by-4-ccx' (make one thread group per 4 CCX), " +
	"'group-by-cluster' (make one thread group per core cluster), 'group-by-2-clusters' (make one thread group per 2 core clusters), " +
	"'group-by-3-clusters' (make one thread group per 3 core clusters), 'group-by-4-clusters' (make one thread group per 4 core clusters), " +
	"'efficiency' (make one thread group per eff. core cluster), 'resource' (make one thread group from the smallest cluster), " +
	"and 'first-usable-node' (use only first usable node if nbthreads not set)"

func cpuPolicy(_ *Loader, line *ast.Line) error {
	word, policy := line.Arg(0), line.Arg(1)
	if policy == "" || !strings.Contains(cpuPolicies, "'"+policy+"'") {
		return fmt.Errorf("'%s' passed an unknown CPU policy '%s'. Supported values are: %s.", word, policy, cpuPolicies)
	}
	if extra := line.Arg(2); extra != "" && extra != "threads-per-core" {
		return fmt.Errorf("'%s' passed an unknown keyword '%s', the only known values are threads-per-core", word, extra)
	}
	return nil
}

// threadGroup reads `thread-group <group> [<thread>[-<thread>]]*`.
func threadGroup(l *Loader, line *ast.Line) error {
	word, group := line.Arg(0), line.Arg(1)
	if len(l.Config.Proxies)+len(l.defaults.all) > 0 {
		return fmt.Errorf("'%s' not allowed if a non-global section was previously defined. This parameter must be declared in the first global section", word)
	}
	n, rest := strtol(group, 10)
	switch {
	case group == "" || rest != "":
		return fmt.Errorf("'%s' passed a missing or unparsable integer value in '%s'", word, group)
	case n < 1 || n > threadGroups:
		return fmt.Errorf("'%s' thread-group number must be between 1 and %d (was %d)", word, threadGroups, n)
	}
	for i := 2; line.Arg(i) != ""; i++ {
		first, rest := strtol(line.Arg(i), 10)
		last := first
		if tail, found := strings.CutPrefix(rest, "-"); found {
			last, rest = strtol(tail, 10)
		}
		if rest != "" || first < 1 || last < 1 || first > maxThreads || last > maxThreads {
			return fmt.Errorf("'%s %d' passed an unparsable or invalid thread number '%s' (valid range is 1 to %d)", word, n, line.Arg(i), maxThreads)
		}
	}
	return nil
}

func threadHardLimit(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 1) {
		return nil
	}
	word, value := line.Arg(0), line.Arg(1)
	n, rest := strtol(value, 10)
	switch {
	case value == "" || rest != "":
		return fmt.Errorf("'%s' passed a missing or unparsable integer value in '%s'", word, value)
	case n < 1 || n > maxThreads:
		return fmt.Errorf("'%s' value must be at least 1 (was %d)", word, n)
	}
	l.Config.Global.ThreadLimit = int(n)
	return nil
}

// datagramBuffer reads the size of a buffer of sockets for datagrams into a field; nil: none has any.
func datagramBuffer(of func(*runtime.Tune) *int) check {
	return func(l *Loader, line *ast.Line) error {
		word, value := line.Arg(0), line.Arg(1)
		if l.TooMany(line, 1, 1) {
			return nil
		}
		n, bad, ok := units.Size(value)
		switch {
		case !ok:
			return fmt.Errorf("parsing [%s:%d]: unexpected '%s' after size passed to '%s'", line.Pos.File, line.Pos.Line, bad, word)
		case n == 0:
			return fmt.Errorf("parsing [%s:%d] : '%s' expects a strictly positive integer argument.\n", line.Pos.File, line.Pos.Line, word)
		case of != nil:
			*of(&l.Config.Global.Tune) = int(n)
		}
		return nil
	}
}

func blockedTraffic(l *Loader, line *ast.Line) error {
	word, value := line.Arg(0), line.Arg(1)
	if value == "" {
		return fmt.Errorf("'%s' expects <time> as argument between 1 and 1000 ms.\n", word)
	}
	d, fault := l.Time(value, time.Millisecond)
	switch {
	case fault != nil && fault.Over:
		return fmt.Errorf("timer overflow in argument '%s' to '%s' (maximum value is 1000 ms)", value, word)
	case fault != nil && fault.Under:
		return fmt.Errorf("timer underflow in argument '%s' to '%s' (minimum non-null value is 1 ms)", value, word)
	case fault != nil:
		return fmt.Errorf("unexpected character '%c' in argument to <%s>.\n", fault.Char, word)
	case d < time.Millisecond || d > time.Second:
		return fmt.Errorf("timer out of range in argument '%s' to '%s' (value must be between 1 and 1000 ms)", value, word)
	}
	return nil
}
