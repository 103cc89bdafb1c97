package command

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"hapax/runtime"
)

// dialogs are the connections to stats sockets. For the reference they are streams of a proxy of its own, and "show sess"
// shows them beside the others.
type dialogs struct {
	mu   sync.Mutex // guards what follows
	last uint64
	list []dialog // in the order of their numbers
}

type dialog struct {
	info runtime.StreamInfo
	conn net.Conn
}

// firstDialog is above the numbers of streams.
const firstDialog = 1 << 48

// socketProxy stands for the proxy that stats sockets belong to.
var socketProxy = &runtime.Proxy{Name: "GLOBAL"}

// open adds a connection and gives its number.
func (d *dialogs) open(nc net.Conn, ln *runtime.Listener, timeout time.Duration) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	i := runtime.StreamInfo{ID: firstDialog + d.last, Listener: ln, Front: socketProxy, Dialog: true, Calls: 1, Accepted: time.Now(),
		Expire: timeout, ReadClient: timeout, ClientFD: descriptorOf(nc), ServerFD: -1}
	if a, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		i.Src, i.Dst = unmapped(a), unmapped(nc.LocalAddr().(*net.TCPAddr))
	} else {
		i.Unix = true
	}
	d.list = append(d.list, dialog{i, nc})
	return i.ID
}

// unmapped is an address without what makes one of IPv6 of it.
func unmapped(a *net.TCPAddr) netip.AddrPort {
	to := a.AddrPort()
	return netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
}

// find gives the place of the first connection with a number of at least id.
func (d *dialogs) find(id uint64) (at int, found bool) {
	return slices.BinarySearchFunc(d.list, id, func(x dialog, id uint64) int {
		return int(int64(x.info.ID - id))
	})
}

func (d *dialogs) close(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at, found := d.find(id); found {
		d.list = slices.Delete(d.list, at, at+1)
	}
}

// after describes at most limit connections with numbers above id.
func (d *dialogs) after(id uint64, limit int) (list []runtime.StreamInfo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, _ := d.find(max(id+1, firstDialog))
	for _, x := range d.list[at:min(at+limit, len(d.list))] {
		x.info.Age = time.Since(x.info.Accepted)
		list = append(list, x.info)
	}
	return list
}

// kill ends a connection; false: there is none of this number.
func (d *dialogs) kill(id uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	at, found := d.find(id)
	if found {
		d.list[at].conn.Close()
	}
	return found
}

// descriptorOf gives the number of a connection's descriptor, -1 when it has none.
func descriptorOf(nc net.Conn) int {
	fd := -1
	if conn, ok := nc.(syscall.Conn); ok {
		if raw, err := conn.SyscallConn(); err == nil {
			raw.Control(func(n uintptr) { fd = int(n) })
		}
	}
	return fd
}
