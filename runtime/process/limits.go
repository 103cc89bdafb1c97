package process

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/process/boot"
)

const (
	leastMaxConn    = 100     // what is tried however few descriptors there are
	defaultFDLimit  = 1 << 20 // used when nothing else limits: a hard limit may be a billion
	reservedFDs     = 10      // standard streams, log sockets and the like
	fdsPerLoop      = 3       // a poller and a wake-up
	sidesPerConn    = 2       // client and server
	usableMemory    = 0.97    // of -m, the rest is lost between allocations
	connectionCost  = 3280    // bytes besides two buffers, as the reference counts them
	bytesPerMegabye = 1 << 20
)

// limits computes how many connections the process may have, from what the
// configuration, the command line and the system say. Section 3.2 "maxconn",
// "ulimit-n", "fd-hard-limit".
type limits struct {
	g        *runtime.Global
	boot     boot.Limits
	fixed    int // descriptors in use whatever the number of connections
	overhead int // fixed and those of the loops
}

// restoreDescriptors gives the process the limit back that it was started with.
func restoreDescriptors() boot.Limits {
	l := boot.Descriptors
	if l.Hard == 0 {
		var now syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
		return boot.Limits{Soft: now.Cur, Hard: now.Max}
	}
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: l.Soft, Max: l.Hard})
	if l.Hard == unix.RLIM_INFINITY {
		l.Hard = l.Soft
	}
	return l
}

// newLimits counts what is used besides connections; links are the descriptors
// that tie masters and workers together.
func newLimits(cfg *runtime.Config, links int) *limits {
	l := &limits{g: &cfg.Global, boot: restoreDescriptors(), fixed: reservedFDs + links}
	for _, px := range cfg.Proxies {
		l.fixed += len(px.Listeners)
		for _, srv := range px.Servers {
			if srv.CheckOn {
				l.fixed++
			}
		}
	}
	if n := len(l.g.StatsSocks); n > 0 {
		l.fixed += n + l.g.StatsConns
	}
	l.overhead = l.fixed + fdsPerLoop*l.g.NbThread
	return l
}

// sockets is how many descriptors so many connections need.
func (l *limits) sockets(maxconn int) int { return l.overhead + sidesPerConn*maxconn }

// most is the highest maxconn that the descriptors allow.
func (l *limits) most() int {
	g := l.g
	if g.MaxConn == 0 && g.UlimitN == 0 && g.MemMax == 0 && g.FDHardLimit == 0 {
		g.FDHardLimit = defaultFDLimit
	}
	remain := max(int(l.boot.Soft), int(l.boot.Hard))
	if g.FDHardLimit > 0 {
		remain = min(remain, g.FDHardLimit)
	}
	return max((remain-l.overhead)/sidesPerConn, leastMaxConn)
}

// settle decides on maxconn and all that follows from it.
func (l *limits) settle(list *diag.List) {
	g := l.g
	most := l.most()
	switch {
	case g.MaxConn > 0:
	case g.MemMax == 0:
		g.MaxConn = most
		list.Noticef(ast.Pos{}, "Automatically setting global.maxconn to %d.", g.MaxConn)
	default:
		wanted := twoDigits(int(float64(g.MemMax) * bytesPerMegabye * usableMemory / float64(connectionCost+2*g.Tune.BufSize)))
		g.MaxConn = wanted
		if !l.permitted(l.sockets(wanted)) {
			g.MaxConn = twoDigits(min(wanted, most))
		}
	}
	g.MaxSock = l.sockets(g.MaxConn)
	g.HardMaxConn = g.MaxConn
}

// permitted tells whether so many descriptors could be had.
func (l *limits) permitted(n int) bool {
	return (l.g.FDHardLimit == 0 || n <= l.g.FDHardLimit) && (uint64(n) <= l.boot.Hard || mayRaise(unix.RLIMIT_NOFILE))
}

// mayRaise tells whether the process may raise a hard limit.
func mayRaise(resource int) bool {
	var now syscall.Rlimit
	syscall.Getrlimit(resource, &now)
	raised := now
	raised.Max++
	if syscall.Setrlimit(resource, &raised) != nil {
		return false
	}
	syscall.Setrlimit(resource, &now)
	return true
}

// apply raises the limits of the system to what is needed; name is what messages
// call the program. It returns false when the process must not start.
func (l *limits) apply(name string, list *diag.List) bool {
	g := l.g
	if g.UlimitN == 0 {
		g.UlimitN = g.MaxSock
	}
	want := syscall.Rlimit{Cur: uint64(g.UlimitN), Max: max(l.boot.Hard, uint64(g.UlimitN))}
	if g.FDHardLimit > 0 && g.UlimitN > g.FDHardLimit || !raise(&want) {
		if !l.short(name, list) {
			return false
		}
	}
	if g.MemMax > 0 {
		// Address space that the Go runtime has only reserved would count in
		// RLIMIT_DATA: what -m promises is kept by maxconn.
		var now syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_DATA, &now)
		if bytes := uint64(g.MemMax) << 20; now.Max != unix.RLIM_INFINITY && bytes > now.Max {
			if !l.fault(list, "[%s.main()] Cannot fix MEM limit to %d megs.", name, g.MemMax) {
				return false
			}
		}
	}
	return true
}

// fault is an alert that refuses the start, or a warning with "no strict-limits".
func (l *limits) fault(list *diag.List, format string, args ...any) (goOn bool) {
	if l.g.NoStrictLimits {
		list.Warnf(ast.Pos{}, format, args...)
		return true
	}
	list.Alertf(ast.Pos{}, format, args...)
	return false
}

// raise raises the limit of descriptors where it is lower than wanted.
func raise(want *syscall.Rlimit) bool {
	var now syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now) != nil {
		return false
	}
	if now.Max >= want.Max && now.Cur >= want.Cur {
		return true
	}
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, want) == nil
}

// short deals with a limit that is too low.
func (l *limits) short(name string, list *diag.List) bool {
	g := l.g
	var now syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
	if g.FDHardLimit > 0 {
		now.Cur = min(now.Cur, uint64(g.FDHardLimit))
	}
	if g.NoStrictLimits {
		best := syscall.Rlimit{Cur: now.Max, Max: now.Max}
		if g.FDHardLimit > 0 {
			best.Cur = min(best.Cur, uint64(g.FDHardLimit))
		}
		if raise(&best) {
			syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
		}
		list.Warnf(ast.Pos{}, "[%s.main()] Cannot raise FD limit to %d, limit is %d.", name, g.UlimitN, now.Cur)
	}
	hint := twoDigits(max(int(now.Max)-l.overhead, 3) * 49 / 100)
	text := fmt.Sprintf("[%s.main()] Cannot raise FD limit to %d, current limit is %d and hard limit is %d. You may prefer to let HAProxy adjust "+
		"the limit by itself; for this, please just drop any 'maxconn' and 'ulimit-n' from the global section, and possibly add 'fd-hard-limit' lower "+
		"than this hard limit. You may also force a new 'maxconn' value that is a bit lower than half of the hard limit minus listeners and checks. "+
		"This results in roughly %d here.", name, g.UlimitN, now.Cur, now.Max, hint)
	if !l.fault(list, "%s", text) {
		return false
	}
	g.UlimitN = int(now.Cur)
	return true
}

// enough checks at the end of the start that the descriptors in force suffice.
func (l *limits) enough(name string, list *diag.List) bool {
	var now syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
	g := l.g
	if now.Cur >= uint64(g.MaxSock) {
		return true
	}
	list.Alertf(ast.Pos{}, "[%s.main()] FD limit (%d) too low for maxconn=%d/maxsock=%d. Please raise 'ulimit-n' to %d or more to avoid any trouble.",
		name, now.Cur, g.MaxConn, g.MaxSock, g.MaxSock)
	return g.NoStrictLimits
}

// twoDigits rounds down to two significant digits.
func twoDigits(n int) int {
	unit := 1
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}
