package process

import (
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/runtime/config"
	"hapax/runtime/process/boot"
)

// restoreDescriptors gives the process the limit of descriptors back that it was
// started with, and returns it.
func restoreDescriptors() (soft, hard uint64) {
	l := boot.Descriptors
	if l.Hard == 0 {
		var now syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
		return now.Cur, now.Max
	}
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: l.Soft, Max: l.Hard})
	if l.Hard == unix.RLIM_INFINITY {
		l.Hard = l.Soft
	}
	return l.Soft, l.Hard
}

// settle computes the limits and raises those of the system.
func (s *server) settle() bool {
	soft, hard := restoreDescriptors()
	b := config.Boot{MaxConn: s.MaxConn, MemMax: s.MemMax, Soft: soft, Hard: hard, Threads: s.cfg.Global.NbThread,
		Program: s.Name(), Links: s.Links}
	if s.Role == Worker {
		b.Links++
	}
	config.SetLimits(s.cfg, b, s.List)
	if most := int64(s.cfg.Global.MemMax) << 20; most > 0 {
		debug.SetMemoryLimit(most - most/8) // the collector works harder before the system refuses memory
	}
	paceCollector()
	return config.RaiseLimits(s.cfg, b, s.List)
}

// enough checks at the end of the start that the descriptors in force suffice.
func (s *server) enough() bool {
	var now syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
	g := &s.cfg.Global
	if now.Cur >= uint64(g.MaxSock) {
		return true
	}
	s.alertf("[%s.main()] FD limit (%d) too low for maxconn=%d/maxsock=%d. Please raise 'ulimit-n' to %d or more to avoid any trouble.",
		s.Name(), now.Cur, g.MaxConn, g.MaxSock, g.MaxSock)
	return g.NoStrictLimits
}
