package config

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/parser/keyword"
	"hapax/runtime"
)

// Boot is what limits the process beside its configuration. Section 3.1 "maxconn".
type Boot struct {
	MaxConn    int    // -n: overrides the file's; 0 none
	MemMax     int    // -m, in megabytes; 0 none
	Soft, Hard uint64 // RLIMIT_NOFILE as it was when the program was executed
	Threads    int    // loops that will run
	Links      int    // descriptors that tie a worker, its master and other workers together
	Program    string // the program's name, as messages have it
}

const (
	reservedFDs    = 10      // for what is not counted
	leastMaxConn   = 100     // however few descriptors there are
	mostFDs        = 1 << 20 // taken when nothing limits them
	threadFDs      = 3       // of each loop
	memoryUsable   = 0.97    // share of -m that connections may take
	streamCost     = 1792    // bytes of a stream beside its buffers and texts, as the reference counts it
	bufferOfStream = 2
)

// SetLimits decides how many connections the process takes where the file leaves it
// open, and spreads that over the proxies. It is called before the process starts
// to serve, not with -c.
func SetLimits(c *runtime.Config, boot Boot, list *diag.List) {
	g := &c.Global
	g.BootFiles, g.BootMaxFiles = boot.Soft, boot.Hard
	if boot.MaxConn > 0 {
		g.MaxConn = boot.MaxConn
	}
	if boot.MemMax > 0 {
		g.MemMax = boot.MemMax
	}
	sockets := countSockets(c) + boot.Links
	used := sockets + threadFDs*boot.Threads
	ideal := idealMaxConn(c, boot, used)
	switch {
	case g.MaxConn != 0:
	case g.MemMax == 0:
		g.MaxConn = ideal
		list.Noticef(ast.Pos{}, "Automatically setting global.maxconn to %d.", g.MaxConn)
	default:
		g.MaxConn = maxConnOfMemory(c, boot, sockets, ideal)
	}
	g.HardMaxConn = g.MaxConn
	g.MaxPipes = cmp.Or(g.MaxPipes, idealPipes(c, g.MaxConn))
	g.MaxSock = maxSock(c, sockets, g.MaxConn, boot.Threads)
	g.PoolLow = atShare(c, g.Tune.PoolLowFDRatio, boot.Threads)
	g.PoolHigh = atShare(c, g.Tune.PoolHighFD, boot.Threads)
	spreadMaxConn(c)
	for _, ln := range g.StatsSocks {
		ln.Proxy.MaxConn = g.StatsConns
	}
	g.Tune.MaxRewrite = min(g.Tune.MaxRewrite, g.Tune.BufSize/2)
}

// countSockets is how many descriptors the configuration takes before the first
// connection comes.
func countSockets(c *runtime.Config) int {
	n := reservedFDs
	for range c.Listeners() {
		n++
	}
	for _, px := range c.Proxies {
		for _, srv := range px.Servers {
			if srv.Agent.On {
				n++
			}
			if srv.CheckOn {
				n++
			}
			if srv.CheckPort != 0 {
				n++
			}
			if srv.Agent.PortGiven {
				n++
			}
		}
	}
	for _, px := range c.Peers {
		n += px.MaxConn
	}
	if socks := len(c.Global.StatsSocks); socks > 0 {
		n += socks + c.Global.StatsConns
	}
	return n
}

// maxSock is how many descriptors so many connections take.
func maxSock(c *runtime.Config, sockets, maxConn, threads int) int {
	pipes := cmp.Or(c.Global.MaxPipes, idealPipes(c, maxConn))
	return sockets + 2*maxConn + 2*pipes + threadFDs*threads
}

// atShare is how many connections there are when so many percent of all descriptors are in use: listeners, loops and the process
// have some, as in the reference.
func atShare(c *runtime.Config, percent, threads int) int64 {
	taken := 1 + threads + len(c.Global.StatsSocks)
	for range c.Listeners() {
		taken++
	}
	const none = -1 // not 0, which is no limit
	return int64(cmp.Or((c.Global.MaxSock*percent+99)/100-taken, none))
}

// idealMaxConn is how many connections the limit of descriptors allows.
func idealMaxConn(c *runtime.Config, boot Boot, used int) int {
	g := &c.Global
	pipes := cmp.Or(g.MaxPipes, idealPipes(c, g.MaxConn))
	if g.MaxConn == 0 && g.UlimitN == 0 && g.MemMax == 0 && g.FDHardLimit == 0 {
		g.FDHardLimit = mostFDs
	}
	left := int(min(max(boot.Soft, boot.Hard), math.MaxInt32))
	if g.FDHardLimit > 0 {
		left = min(left, g.FDHardLimit)
	}
	left -= used
	switch {
	case pipes < 0: // one for four connections
		return max(2*left/5, leastMaxConn)
	case 2*pipes < left:
		left -= 2 * pipes
	}
	return max(left/2, leastMaxConn)
}

// maxConnOfMemory is how many connections fit into the memory of -m. It is lowered
// to what the limit of descriptors allows when that cannot be raised far enough.
func maxConnOfMemory(c *runtime.Config, boot Boot, sockets, ideal int) int {
	g, t := &c.Global, &c.Global.Tune
	each := streamCost + t.LogURILen + 1 + 2*(t.CookieLen+1) + bufferOfStream*t.BufSize
	n := int(float64(g.MemMax) * (1 << 20) * memoryUsable / float64(each))
	n = roundDown(n)
	if !permitted(g, maxSock(c, sockets, n, boot.Threads)) {
		n = roundDown(min(n, ideal))
	}
	return n
}

// roundDown keeps the first two digits of a number.
func roundDown(n int) int {
	scale := 1
	for n >= 100 {
		n /= 10
		scale *= 10
	}
	return n * scale
}

// permitted tries whether the limit of descriptors can be raised that far.
func permitted(g *runtime.Global, sockets int) bool {
	if g.FDHardLimit > 0 && sockets > g.FDHardLimit {
		return false
	}
	var now unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &now) != nil {
		return true
	}
	want := max(uint64(sockets), now.Max)
	if want == now.Max {
		return true
	}
	err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: want, Max: want})
	unix.Setrlimit(unix.RLIMIT_NOFILE, &now)
	return err == nil
}

// spreadMaxConn gives frontends without a limit that of the process, and backends
// without "fullconn" a tenth of what their frontends may bring.
func spreadMaxConn(c *runtime.Config) {
	reach := map[*runtime.Proxy]int{}
	for _, px := range c.Proxies {
		if px.Disabled || px.Caps&runtime.CapFront == 0 {
			continue
		}
		if px.MaxConn == 0 {
			px.MaxConn = c.Global.MaxConn
		}
		targets := map[*runtime.Proxy]bool{}
		switch {
		case px.DefaultBack != nil:
			targets[px.DefaultBack] = true
		case px.Caps == runtime.CapListen:
			targets[px] = true
		}
		for _, rule := range px.Switching {
			if rule.Backend != nil {
				targets[rule.Backend] = true
			}
		}
		for to := range targets {
			reach[to] += px.MaxConn
		}
	}
	for _, px := range c.Proxies {
		if !px.Disabled && px.FullConn == 0 && px.Caps&runtime.CapBack != 0 {
			px.FullConn = max((reach[px]+9)/10, 1)
		}
	}
}

// RaiseLimits gives the process the descriptors that its connections need, and the
// memory of -m. It returns false when the process must not start.
func RaiseLimits(c *runtime.Config, boot Boot, list *diag.List) bool {
	g := &c.Global
	if g.UlimitN == 0 {
		g.UlimitN = g.MaxSock
	}
	return raiseDescriptors(g, boot, countSockets(c)+boot.Links+threadFDs*boot.Threads, list) && raiseMemory(g, boot, list)
}

func raiseDescriptors(g *runtime.Global, boot Boot, used int, list *diag.List) bool {
	var now unix.Rlimit
	unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
	want := unix.Rlimit{Cur: uint64(g.UlimitN), Max: max(boot.Hard, uint64(g.UlimitN))}
	over := g.FDHardLimit > 0 && g.UlimitN > g.FDHardLimit
	if !over && raise(&now, &want) == nil {
		return true
	}
	unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
	if g.FDHardLimit > 0 {
		now.Cur = min(now.Cur, uint64(g.FDHardLimit))
	}
	advice := func() string {
		left := max(int64(now.Max)-int64(used), 3)
		return fmt.Sprintf("[%s.main()] Cannot raise FD limit to %d, current "+
			"limit is %d and hard limit is %d. You may prefer to let HAProxy "+
			"adjust the limit by itself; for this, please just drop any 'maxconn' and "+
			"'ulimit-n' from the global section, and possibly add 'fd-hard-limit' lower "+
			"than this hard limit. You may also force a new 'maxconn' value that is a bit "+
			"lower than half of the hard limit minus listeners and checks. This results in "+
			"roughly %d here.", boot.Program, g.UlimitN, now.Cur, now.Max, roundDown(int(left*49/100)))
	}
	if !g.NoStrictLimits {
		list.Alertf(ast.Pos{}, "%s", advice())
		return false
	}
	now.Cur = now.Max
	if g.FDHardLimit > 0 {
		now.Cur = min(now.Cur, uint64(g.FDHardLimit))
	}
	if unix.Setrlimit(unix.RLIMIT_NOFILE, &now) == nil {
		unix.Getrlimit(unix.RLIMIT_NOFILE, &now)
	}
	list.Warnf(ast.Pos{}, "[%s.main()] Cannot raise FD limit to %d, limit is %d.", boot.Program, g.UlimitN, now.Cur)
	list.Warnf(ast.Pos{}, "%s", advice())
	g.UlimitN = int(now.Cur)
	return true
}

// raise changes a limit unless it is high enough.
func raise(now, want *unix.Rlimit) error {
	if now.Cur >= want.Cur && now.Max >= want.Max {
		return nil
	}
	return unix.Setrlimit(unix.RLIMIT_NOFILE, want)
}

func raiseMemory(g *runtime.Global, boot Boot, list *diag.List) bool {
	if g.MemMax == 0 {
		return true
	}
	bytes := uint64(g.MemMax) << 20
	if unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: bytes, Max: bytes}) == nil {
		return true
	}
	text := fmt.Sprintf("[%s.main()] Cannot fix MEM limit to %d megs.", boot.Program, g.MemMax)
	if g.NoStrictLimits {
		list.Warnf(ast.Pos{}, "%s", text)
		return true
	}
	list.Alertf(ast.Pos{}, "%s", text)
	return false
}

// parserPause is "force-cfg-parser-pause": whoever watches the reading has time to.
func parserPause() Keyword {
	k := global("force-cfg-parser-pause", "wait while the configuration is read", arg("time", keyword.Time), reporting(func(l *Loader, line *ast.Line) error {
		word, value := line.Arg(0), line.Arg(1)
		const most = 65535 * time.Millisecond
		if value == "" {
			return fmt.Errorf("'%s' expects a timer value between 0 and 65535 ms.", word)
		}
		if l.TooMany(line, 1, 1) {
			return nil
		}
		d, fault := l.Time(value, time.Millisecond)
		switch {
		case fault == nil && d > most:
			return fmt.Errorf("'%s' expects a timer value between 0 and 65535 ms.", word)
		case fault == nil:
			time.Sleep(d)
			return nil
		case fault.Over:
			return fmt.Errorf("timer overflow in argument <%s> to <%s>, maximum value is 65535 ms.", value, word)
		case fault.Under:
			return fmt.Errorf("timer underflow in argument <%s> to <%s>, minimum non-null value is 1 ms.", value, word)
		}
		return fmt.Errorf("unexpected character '%c' in argument to <%s>.", fault.Char, word)
	}))
	k.Experimental = true
	return k
}
