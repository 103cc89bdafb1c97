// Package netns makes sockets in network namespaces. Sections 5.1 and 5.2 "namespace".
package netns

import (
	goruntime "runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// Namespace is a network namespace that the configuration names. It stays open: its name may be gone, or out of
// reach behind a chroot, when the next socket is made.
type Namespace struct {
	Name string
	fd   int
}

// own is the namespace of the process.
var own = sync.OnceValues(func() (int, error) { return unix.Open("/proc/self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0) })

// Open finds a namespace by its name.
func Open(name string) (*Namespace, error) {
	if _, err := own(); err != nil {
		return nil, err
	}
	fd, err := unix.Open("/var/run/netns/"+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return &Namespace{Name: name, fd: fd}, nil
}

// Socket is socket(2) in the namespace; nil is that of the process.
func (n *Namespace) Socket(domain, kind, protocol int) (int, error) {
	if n == nil {
		return unix.Socket(domain, kind, protocol)
	}
	home, err := own()
	if err != nil {
		return -1, err
	}
	goruntime.LockOSThread()
	if err := unix.Setns(n.fd, unix.CLONE_NEWNET); err != nil {
		goruntime.UnlockOSThread()
		return -1, err
	}
	fd, err := unix.Socket(domain, kind, protocol)
	if back := unix.Setns(home, unix.CLONE_NEWNET); back != nil {
		unix.Close(fd)
		return -1, back // the thread stays locked: nobody else may get it
	}
	goruntime.UnlockOSThread()
	return fd, err
}
