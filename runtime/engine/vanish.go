package engine

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// vanish makes a socket end without telling the client, who will wait for its own timeouts: what is left of the
// connection costs it, not us. In repair mode the kernel says nothing at all; without the right to that, or when ttl is
// given, the reset that a close sends goes only so many hops. Section 4.4 "silent-drop".
func vanish(fd int, peer netip.Addr, ttl uint8) {
	// What was received is acknowledged at once, so that nothing is sent again.
	unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1)
	unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	if ttl == 0 {
		if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) == nil {
			return
		}
		ttl = 1
	}
	if peer.Is4() {
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, int(ttl))
	} else if peer.Is6() {
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, int(ttl))
	}
}
