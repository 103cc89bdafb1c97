package transport

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// Marks are what routing and shaping outside of the proxy know a connection by.
type Marks struct {
	Mark, TOS       int
	HasMark, HasTOS bool
}

// Apply gives the marks that are set to an IP socket.
func (m *Marks) Apply(fd int, v6 bool) {
	if m.HasMark {
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, m.Mark)
	}
	switch {
	case m.HasTOS && v6:
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_TCLASS, m.TOS)
	case m.HasTOS:
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TOS, m.TOS)
	}
}

// AppendTo appends the marks so that no others look the same.
func (m *Marks) AppendTo(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(m.Mark))
	dst = binary.BigEndian.AppendUint32(dst, uint32(m.TOS))
	set := byte(0)
	if m.HasMark {
		set |= 1
	}
	if m.HasTOS {
		set |= 2
	}
	return append(dst, set)
}
