package config

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/keyword"
)

// privilegeKeywords are about what the process may do, and what is done for others.
func privilegeKeywords() []Keyword {
	names := []keyword.Arg{{Name: "names", Type: keyword.Str, Doc: "with commas between them: cap_net_raw, cap_net_admin, cap_net_bind_service, cap_sys_admin"}}
	nice := arg("number", keyword.Int)
	return []Keyword{
		global("setcap", "rights that the process keeps when it changes its user", names, reporting(capabilities)),
		global("harden.reject-privileged-ports.tcp", "refuse clients with a privileged port", []keyword.Arg{{Name: "value", Type: keyword.Enum, Enum: []string{"on", "off"}}},
			reporting(func(l *Loader, line *ast.Line) error {
				err := privilegedPorts(l, line)
				l.Config.Global.RejectPrivileged = err == nil && line.Arg(1) == "on"
				return err
			})),
		global("tune.renice.runtime", "scheduling priority while running", nice, reporting(func(l *Loader, line *ast.Line) error {
			n, ok, err := niceness(l, line)
			if ok {
				l.Config.Global.Renice, l.Config.Global.Niceness = true, n
			}
			return err
		})),
		global("tune.renice.startup", "scheduling priority while the files are read", nice, reporting(func(l *Loader, line *ast.Line) error {
			n, ok, err := niceness(l, line)
			if !ok {
				return err
			}
			if err := SetNiceness(n); err != nil {
				l.List.Warnf(ast.Pos{}, "couldn't set the startup nice value to %d: %s", n, err)
			}
			if g := &l.Config.Global; !g.Renice {
				g.Renice, g.Niceness = true, n // it stays, other than the manual says
			}
			return nil
		})),
	}
}

// capabilityBits are the rights that "setcap" may name.
var capabilityBits = map[string]uint32{
	"cap_net_raw": 1 << unix.CAP_NET_RAW, "cap_net_admin": 1 << unix.CAP_NET_ADMIN,
	"cap_net_bind_service": 1 << unix.CAP_NET_BIND_SERVICE, "cap_sys_admin": 1 << unix.CAP_SYS_ADMIN,
}

func capabilities(l *Loader, line *ast.Line) error {
	const supported = "Supported ones are: cap_net_raw, cap_net_admin, cap_net_bind_service and cap_sys_admin."
	word := line.Arg(0)
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' : missing capability name(s).  %s", word, supported)
	}
	for _, name := range strings.Split(line.Arg(1), ",") {
		bit, ok := capabilityBits[name]
		if !ok {
			return fmt.Errorf("'%s' : unsupported capability '%s'.  %s", word, name, supported)
		}
		l.Config.Global.Capabilities |= bit
	}
	return nil
}

// niceness reads a priority; ok is false when nothing is to be done.
func niceness(l *Loader, line *ast.Line) (value int, ok bool, err error) {
	if l.TooMany(line, 1, 1) {
		return 0, false, nil
	}
	n, rest := strtol(line.Arg(1), 10)
	if rest != "" || n < -20 || n > 19 {
		return 0, false, fmt.Errorf("'%s' only supports values between -20 and 19 inclusive (was given %s)", line.Arg(0), line.Arg(1))
	}
	return int(n), true, nil
}

// SetNiceness changes the priority of all threads: the kernel has one for each, and new ones inherit theirs.
func SetNiceness(n int) error {
	threads, err := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		id, _ := strconv.Atoi(thread.Name())
		if e := unix.Setpriority(unix.PRIO_PROCESS, id, n); e != nil && e != unix.ESRCH {
			err = e
		}
	}
	return err
}
