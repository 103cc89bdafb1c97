package process

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

const (
	netAdmin = 1<<unix.CAP_NET_ADMIN | 1<<unix.CAP_NET_RAW
	sysAdmin = 1 << unix.CAP_SYS_ADMIN
)

// keepCapabilities makes the rights that "setcap" names outlive the change of the user. Section 3.1 "setcap".
func keepCapabilities(g *runtime.Global, list *diag.List) bool {
	if g.Capabilities == 0 || g.UID <= 0 || os.Geteuid() != 0 {
		return true
	}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); errno != 0 {
		list.Alertf(ast.Pos{}, "Failed to preserve capabilities using prctl(): %s", errno)
		return false
	}
	return true
}

// dropCapabilities leaves the process, which is nobody special any more, the rights that "setcap" names and no others.
func dropCapabilities(g *runtime.Global, wasRoot bool, list *diag.List) bool {
	if g.Capabilities == 0 || g.UID <= 0 || !wasRoot {
		return true
	}
	if err := setCapabilities(g.Capabilities, g.Capabilities); err != nil {
		list.Alertf(ast.Pos{}, "Failed to set the final capabilities using capset(): %s", err)
		return false
	}
	return true
}

// takeCapabilities puts those rights in force that "setcap" names and that the file of the program gives to users other than root.
func takeCapabilities(g *runtime.Global) {
	if g.Capabilities == 0 || os.Geteuid() == 0 || g.UID > 0 {
		return
	}
	if effective, permitted := capabilities(); permitted&g.Capabilities&^effective != 0 {
		setCapabilities(effective|permitted&g.Capabilities, permitted) // what is then missing is told when it is needed
	}
}

// capabilities are those of the process.
func capabilities() (effective, permitted uint32) {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&head, &data[0]) != nil {
		return 0, 0
	}
	return data[0].Effective, data[0].Permitted
}

// setCapabilities changes those of all threads.
func setCapabilities(effective, permitted uint32) error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := [2]unix.CapUserData{{Effective: effective, Permitted: permitted}}
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&data[0])), 0); errno != 0 {
		return errno
	}
	return nil
}

// enoughRights tells whether the process may do what its configuration asks for: an alert when it has given its rights up, a
// warning when it never had them.
func enoughRights(g *runtime.Global, name string, list *diag.List) bool {
	effective, _ := capabilities()
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
