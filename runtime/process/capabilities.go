package process

import (
	"os"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

const (
	netAdmin = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW
	sysAdmin = 1 << unix.CAP_SYS_ADMIN
)

// eachThread runs a function on the threads that serve: rights belong to threads.
type eachThread func(func() error) error

// keepCapabilities makes the rights that "setcap" names outlive the change of the user. Section 3.1 "setcap".
func keepCapabilities(g *runtime.Global, list *diag.List, each eachThread) bool {
	if g.Capabilities == 0 || g.UID <= 0 || os.Geteuid() != 0 {
		return true
	}
	if err := each(func() error { return unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0) }); err != nil {
		list.Alertf(ast.Pos{}, "Failed to preserve capabilities using prctl(): %s", err)
		return false
	}
	return true
}

// dropCapabilities leaves the process, which is nobody special any more, the rights that "setcap" names and no others.
func dropCapabilities(g *runtime.Global, wasRoot bool, list *diag.List, each eachThread) bool {
	if g.Capabilities == 0 || g.UID <= 0 || !wasRoot {
		return true
	}
	if err := each(func() error { return setCapabilities(g.Capabilities, g.Capabilities) }); err != nil {
		list.Alertf(ast.Pos{}, "Failed to set the final capabilities using capset(): %s", err)
		return false
	}
	return true
}

// takeCapabilities puts those rights in force that "setcap" names and that the file of the program gives to users other
// than root. It is called on each thread that needs them.
func takeCapabilities(g *runtime.Global) error {
	if g.Capabilities == 0 || os.Geteuid() == 0 || g.UID > 0 {
		return nil
	}
	effective, permitted := capabilities()
	if more := permitted & g.Capabilities &^ effective; more != 0 {
		setCapabilities(effective|more, permitted) // what is then missing is told when it is needed
	}
	return nil
}

// capabilities are those of the thread.
func capabilities() (effective, permitted uint32) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&head, &data[0]) != nil {
		return 0, 0
	}
	return data[0].Effective, data[0].Permitted
}

// setCapabilities changes those of the thread.
func setCapabilities(effective, permitted uint32) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: effective, Permitted: permitted}}
	return unix.Capset(&head, &data[0])
}

// enoughRights tells whether the process may do what its configuration asks for: an alert when it has given its rights up, a
// warning when it never had them.
func enoughRights(g *runtime.Global, name string, list *diag.List, each eachThread) bool {
	var effective uint32
	each(func() error {
		effective, _ = capabilities()
		return nil
	})
	lacks := g.NeedsNetAdmin && effective&netAdmin == 0 || g.NeedsSysAdmin && effective&sysAdmin == 0
	if !lacks || os.Getuid() == 0 {
		return true
	}
	if g.UID > 0 {
		list.Alertf(ast.Pos{}, "[%s.main()] Some configuration options require full privileges, so global.uid cannot be changed.", name)
		list.Alertf(ast.Pos{}, "[%s.main()] Alternately, if your system supports Linux capabilities, you may also consider using "+
			"'setcap cap_net_raw', 'setcap cap_net_admin' or 'setcap cap_sys_admin' in the 'global' section.", name)
		return false
	}
	list.Warnf(ast.Pos{}, "[%s.main()] Some options which require full privileges might not work well.", name)
	return true
}
