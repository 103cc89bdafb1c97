package process

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

// confine closes the file system to the process. Section 3.1 "chroot".
func confine(g *runtime.Global, name string, list *diag.List) bool {
	if g.Chroot == "" {
		if mayChroot() {
			list.Warnf(ast.Pos{}, "[%s.main()] HAProxy was started as root without any 'chroot' directive. A chroot limits filesystem access of an "+
				"intruder to a single, preferably empty, directory. It is strongly recommended to enable this feature whenever possible (it's always "+
				"possible when starting as root), via 'chroot auto' in the global section. If you think you have good reasons for running outside a "+
				"chroot, explicitly configure 'chroot /' to silence this warning.", name)
		}
		return true
	}
	if dir, err := enter(g.Chroot); err != nil {
		list.Alertf(ast.Pos{}, "[%s.main()] Cannot chroot(%s).", name, dir)
		return false
	}
	return true
}

// enter makes a directory the root of the process: "auto" is an anonymous empty
// one. It returns the directory that messages name.
func enter(path string) (dir string, err error) {
	switch path {
	case "/":
	case "auto":
		path, err = os.MkdirTemp("", "haproxy.")
		if err != nil {
			return "/tmp/haproxy.XXXXXX", err
		}
		err = os.Chdir(path)
		os.Remove(path) // it lives on as the working directory
		if err == nil {
			err = unix.Chroot(".")
		}
	default:
		err = unix.Chroot(path)
	}
	if err == nil {
		err = os.Chdir("/")
	}
	return path, err
}

// mayChroot tells whether a chroot would have been possible.
func mayChroot() bool {
	if os.Geteuid() != 0 {
		return false
	}
	allowed, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, unix.CAP_SYS_CHROOT, 0, 0, 0)
	return err != nil || allowed == 1
}

// become changes the user and the group of all threads. Section 3.1 "uid", "gid",
// "user", "group". The threads that serve keep what "setcap" says, the others nothing.
func become(g *runtime.Global, name string, list *diag.List, each eachThread) bool {
	wasRoot := os.Geteuid() == 0
	if !keepCapabilities(g, list, each) {
		return false
	}
	if g.GID > 0 {
		if groups, _ := syscall.Getgroups(); len(groups) > 0 && syscall.Setgroups(nil) != nil {
			list.Warnf(ast.Pos{}, "[%s.main()] Failed to drop supplementary groups. Using 'gid'/'group' without 'uid'/'user' is generally useless.", name)
		}
		if syscall.Setgid(g.GID) != nil {
			list.Alertf(ast.Pos{}, "[%s.main()] Cannot set gid %d.", name, g.GID)
			return false
		}
	}
	if g.UID > 0 && syscall.Setuid(g.UID) != nil {
		list.Alertf(ast.Pos{}, "[%s.main()] Cannot set uid %d.", name, g.UID)
		return false
	}
	if !dropCapabilities(g, wasRoot, list, each) || !enoughRights(g, name, list, each) {
		return false
	}
	if g.UID < 0 && os.Geteuid() == 0 {
		list.Warnf(ast.Pos{}, "[%s.main()] HAProxy was started as the root user and does not make use of 'user' nor 'uid' global options to drop the "+
			"privileges. This is generally considered as a bad practice security-wise. If running as root is intentional, please make it explicit "+
			"using 'uid 0' or 'user root', and also please consider using the 'chroot' directive to isolate the process into a totally empty and "+
			"read-only directory if possible. Also, since your operating system supports it, always prefer relying on capabilities with unprivileged "+
			"users than running with full privileges (look for 'setcap' in the configurationmanual).", name)
	}
	return true
}

// writePidfile leaves the number of the process where administrators look for it.
func writePidfile(path, name string, list *diag.List) bool {
	os.Remove(path)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		list.Alertf(ast.Pos{}, "[%s.main()] Cannot create pidfile %s", name, path)
		return false
	}
	defer f.Close()
	f.WriteString(pidLine())
	return true
}

// pidLine is what a pid file holds.
func pidLine() string { return strconv.Itoa(os.Getpid()) + "\n" }
