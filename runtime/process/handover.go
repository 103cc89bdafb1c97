package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"hapax/runtime"
	"hapax/runtime/engine"
	"hapax/runtime/netns"
	"hapax/stats/cli"
)

// Listening sockets go from one process to the next over a stats socket with
// "expose-fd listeners" or over the link of a worker: the new process asks
// "_getsocks", gets how many there are as four bytes, then messages with up to
// 253 descriptors each. The data of a message describes its sockets in turn: the
// length and the text of the network namespace, the same of the interface, and
// four bytes of zero. Each message is acknowledged with four bytes. A socket is
// recognized by the address that it is bound to.

const (
	mostDescriptors = 253 // in one message (SCM_MAX_FD of Linux)
	handoverTimeout = time.Second
)

// Fetch asks the process behind a connection for its listening sockets.
func fetch(conn net.Conn) (engine.Inherited, error) {
	u, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, errors.New("not a UNIX socket")
	}
	u.SetReadDeadline(time.Now().Add(handoverTimeout))
	if _, err := u.Write([]byte("_getsocks\n")); err != nil {
		return nil, err
	}
	var count [4]byte
	if err := readAll(u, count[:]); err != nil {
		return nil, err
	}
	want := int(binary.NativeEndian.Uint32(count[:]))
	var fds []int
	var data []byte
	buf := make([]byte, 1<<20)
	control := make([]byte, unix.CmsgSpace(4*mostDescriptors))
	for len(fds) < want {
		u.SetReadDeadline(time.Now().Add(handoverTimeout))
		n, controls, _, _, err := u.ReadMsgUnix(buf, control)
		if err != nil {
			closeAll(fds)
			return nil, err
		}
		if n == 0 {
			closeAll(fds)
			return nil, fmt.Errorf("%d sockets instead of %d", len(fds), want)
		}
		if _, err := u.Write(count[:]); err != nil {
			closeAll(fds)
			return nil, err
		}
		data = append(data, buf[:n]...)
		fds = append(fds, rights(control[:controls])...)
	}
	places, err := describe(data, len(fds))
	if err != nil {
		closeAll(fds)
		return nil, err
	}
	from := engine.Inherited{}
	for i, fd := range fds {
		unix.CloseOnExec(fd)
		name, listening := boundName(fd, places[i])
		if _, twice := from[name]; twice || !listening {
			unix.Close(fd)
			continue
		}
		from[name] = os.NewFile(uintptr(fd), name)
	}
	return from, nil
}

// readAll fills buf.
func readAll(c net.Conn, buf []byte) error {
	for len(buf) > 0 {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		buf = buf[n:]
	}
	return nil
}

// rights are all descriptors of control messages.
func rights(control []byte) (fds []int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	for i := range messages {
		if some, err := unix.ParseUnixRights(&messages[i]); err == nil {
			fds = append(fds, some...)
		}
	}
	return fds
}

func closeAll(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// errDescription says that what describes sockets is malformed.
var errDescription = errors.New("inconsistency while transferring sockets")

// place is what makes a socket a different one, beside its address.
type place struct{ namespace, iface string }

// describe reads the places of n sockets.
func describe(data []byte, n int) (places []place, err error) {
	text := func() (string, bool) {
		if len(data) == 0 || len(data) < 1+int(data[0]) {
			return "", false
		}
		s := string(data[1 : 1+data[0]])
		data = data[1+data[0]:]
		return s, true
	}
	for range n {
		namespace, ok := text()
		iface, named := text()
		if !ok || !named || len(data) < 4 {
			return nil, errDescription
		}
		data = data[4:]
		places = append(places, place{namespace, iface})
	}
	return places, nil
}

// boundName is the name under which engine.Bind looks for a socket, and whether
// it is one that accepts or receives.
func boundName(fd int, at place) (name string, open bool) {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return "", false
	}
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); kind == unix.SOCK_STREAM && (err != nil || on == 0) {
		return "", false
	}
	addr, err := unix.Getsockname(fd)
	if err != nil {
		return "", false
	}
	var a runtime.Addr
	switch addr := addr.(type) {
	case *unix.SockaddrInet4:
		a = runtime.Addr{Family: runtime.FamilyIPv4, IP: netip.AddrPortFrom(netip.AddrFrom4(addr.Addr), uint16(addr.Port))}
	case *unix.SockaddrInet6:
		a = runtime.Addr{Family: runtime.FamilyIPv6, IP: netip.AddrPortFrom(netip.AddrFrom16(addr.Addr), uint16(addr.Port))}
	case *unix.SockaddrUnix:
		a = unixAddr(unixName(fd))
	default:
		return "", false
	}
	b := &runtime.Bind{Datagrams: kind == unix.SOCK_DGRAM, Interface: at.iface}
	if at.namespace != "" {
		b.Namespace = &netns.Namespace{Name: at.namespace}
	}
	return engine.SocketName(&runtime.Listener{Addr: a, Bind: b}), true
}

// unixName is the name that a UNIX socket is bound to, as the kernel has it: an
// abstract one begins with a zero and may end with many.
func unixName(fd int) string {
	var sa unix.RawSockaddrUnix
	size := uint32(unsafe.Sizeof(sa))
	if _, _, err := unix.RawSyscall(unix.SYS_GETSOCKNAME, uintptr(fd), uintptr(unsafe.Pointer(&sa)), uintptr(unsafe.Pointer(&size))); err != 0 {
		return ""
	}
	name := make([]byte, max(int(size)-int(unsafe.Offsetof(sa.Path)), 0))
	for i := range name {
		name[i] = byte(sa.Path[i])
	}
	if len(name) > 0 && name[0] != 0 {
		name = bytes.TrimRight(name, "\x00")
	}
	return string(name)
}

// unixAddr is the configured address of a bound UNIX socket. A path was bound
// under a temporary name; an abstract name is padded with zeroes or not.
func unixAddr(name string) runtime.Addr {
	if strings.HasPrefix(name, "\x00") {
		short := strings.TrimRight(name[1:], "\x00")
		if len(short) < len(name)-1 {
			return runtime.Addr{Family: runtime.FamilyAbstract, Path: short}
		}
		return runtime.Addr{Family: runtime.FamilyAbstractZ, Path: short}
	}
	path := strings.TrimSuffix(name, ".tmp")
	if at := strings.LastIndexByte(path, '.'); path != name && at >= 0 && strings.Trim(path[at+1:], "0123456789") == "" {
		return runtime.Addr{Family: runtime.FamilyUnix, Path: path[:at]}
	}
	return runtime.Addr{Family: runtime.FamilyUnix, Path: name}
}

// handOver gives the listening sockets of a configuration to the process behind
// a connection.
func handOver(u *net.UnixConn, listeners []*runtime.Listener) error {
	u.SetDeadline(time.Now().Add(handoverTimeout))
	defer u.SetDeadline(time.Time{})
	var open []*runtime.Listener
	for _, ln := range listeners {
		if ln.Sock != nil && runtime.ListenerState(ln.State.Load()) != runtime.ListenerClosed {
			open = append(open, ln)
		}
	}
	if len(open) == 0 {
		return nil
	}
	var word [4]byte
	binary.NativeEndian.PutUint32(word[:], uint32(len(open)))
	if _, err := u.Write(word[:]); err != nil {
		return err
	}
	for len(open) > 0 {
		var data []byte
		var fds []int
		for _, ln := range open[:min(len(open), mostDescriptors)] {
			at := place{iface: ln.Bind.Interface}
			if ln.Bind.Namespace != nil {
				at.namespace = ln.Bind.Namespace.Name
			}
			data = append(append(data, byte(len(at.namespace))), at.namespace...)
			data = append(append(data, byte(len(at.iface))), at.iface...)
			data = append(data, 0, 0, 0, 0)
			fds = append(fds, descriptor(ln.Sock))
			ln.Shared.Store(true)
		}
		open = open[len(fds):]
		if _, _, err := u.WriteMsgUnix(data, unix.UnixRights(fds...), nil); err != nil {
			return err
		}
		if _, err := u.Read(word[:]); err != nil {
			return err
		}
	}
	return nil
}

// descriptor is the descriptor of a file, which stays as it is: File.Fd would
// make it blocking.
func descriptor(f *os.File) (fd int) {
	raw, err := f.SyscallConn()
	if err != nil {
		return -1
	}
	raw.Control(func(n uintptr) { fd = int(n) })
	return fd
}

// configured is asked of what the commands of a connection work on.
type configured interface{ RunningConfig() *runtime.Config }

// getSockets answers "_getsocks": the connection ends with it.
func getSockets(c *cli.Conn, _ []string) cli.Step {
	c.Quit()
	c.NoLineFeed()
	u, ok := c.Peer.(*net.UnixConn)
	owner, known := c.Owner.(configured)
	if !ok || !known || !c.Expose {
		return nil
	}
	handOver(u, allListeners(owner.RunningConfig()))
	return nil
}

// allListeners are those of the proxies and the stats sockets.
func allListeners(cfg *runtime.Config) (all []*runtime.Listener) {
	for ln := range cfg.Listeners() {
		if !ln.Proxy.Disabled {
			all = append(all, ln)
		}
	}
	return append(all, cfg.Global.StatsSocks...)
}
