package config

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"hapax/runtime"
)

// AddrUse tells what an address may be at the place where it stands.
type AddrUse uint16

const (
	AddrPort       AddrUse = 1 << iota // a port may follow
	AddrNeedPort                       // and must
	AddrPortRange                      // low-high
	AddrPortOffset                     // +N and -N
	AddrResolve                        // a name is looked up now
	AddrName                           // a name is kept for later
	AddrStream                         // TCP and the like
	AddrDgram                          // UDP and the like
	AddrDgramFirst                     // datagrams unless the address says otherwise
	AddrSocket                         // fd@ is a bound socket
	AddrRawFD                          // fd@ is any descriptor
	AddrConnect                        // connections are made to it
)

// Address is an address as written. Section 2.9 of the manual ("Address formats").
type Address struct {
	runtime.Addr
	Low, High int    // the range of ports; equal for a single port, 0 for none
	Port      int    // the port, or the offset with its sign
	Offset    bool   // the port was written with a sign
	Host      string // the name that is to be looked up; the address is then invalid
	Dgram     bool   // a datagram socket
	Quic      bool   // a datagram socket with streams on it
	MPTCP     bool
	Reverse   string // what is behind rhttp@
}

// addrPrefixes are the families and the types of sockets that may stand in front
// of an address.
var addrPrefixes = []struct {
	text   string
	family runtime.Family
	kind   sockKind
	mptcp  bool
}{
	{"unix@", runtime.FamilyUnix, 0, false},
	{"uxdg@", runtime.FamilyUnix, dgramSocket, false},
	{"uxst@", runtime.FamilyUnix, streamSocket, false},
	{"abns@", runtime.FamilyAbstract, 0, false},
	{"abnsz@", runtime.FamilyAbstractZ, 0, false},
	{"ip@", runtime.FamilyNone, 0, false},
	{"ipv4@", runtime.FamilyIPv4, 0, false},
	{"ipv6@", runtime.FamilyIPv6, 0, false},
	{"tcp4@", runtime.FamilyIPv4, streamSocket, false},
	{"mptcp4@", runtime.FamilyIPv4, streamSocket, true},
	{"udp4@", runtime.FamilyIPv4, dgramSocket, false},
	{"tcp6@", runtime.FamilyIPv6, streamSocket, false},
	{"mptcp6@", runtime.FamilyIPv6, streamSocket, true},
	{"udp6@", runtime.FamilyIPv6, dgramSocket, false},
	{"tcp@", runtime.FamilyNone, streamSocket, false},
	{"mptcp@", runtime.FamilyNone, streamSocket, true},
	{"udp@", runtime.FamilyNone, dgramSocket, false},
	{"quic4@", runtime.FamilyIPv4, quicSocket, false},
	{"quic6@", runtime.FamilyIPv6, quicSocket, false},
	{"fd@", runtime.FamilyFD, 0, false},
	{"sockpair@", runtime.FamilySockpair, 0, false},
}

// sockKind is the type of a socket; 0 leaves it as it is.
type sockKind uint8

const (
	streamSocket sockKind = iota + 1
	dgramSocket
	quicSocket
)

// Address reads an address. prefix is put before the path of a UNIX socket
// (unix-bind prefix). The error is the text of a diagnostic.
func (l *Loader) Address(text string, use AddrUse, prefix string) (a Address, err error) {
	s := l.expandEnv(text)
	if s == "" {
		return a, fmt.Errorf("'%s' resolves to an empty address (environment variable missing?)", text)
	}
	kind := streamSocket
	if use&(AddrStream|AddrDgram) == AddrDgram || use&(AddrDgram|AddrDgramFirst) == AddrDgram|AddrDgramFirst {
		kind = dgramSocket
	}
	for _, p := range []struct {
		text string
		kind sockKind
	}{{"stream+", streamSocket}, {"dgram+", dgramSocket}, {"quic+", quicSocket}} {
		if rest, ok := strings.CutPrefix(s, p.text); ok {
			s, kind = rest, p.kind
			break
		}
	}
	switch rest, found := strings.CutPrefix(s, "rhttp@"); {
	case found:
		a.Reverse, a.Family = rest, runtime.FamilyReverse
		if !l.experimental("Address '"+s+"'", &err) {
			return a, err
		}
	case strings.HasPrefix(s, "/"):
		a.Family = runtime.FamilyUnix
	default:
		for _, p := range addrPrefixes {
			if rest, ok := strings.CutPrefix(s, p.text); ok {
				s, a.Family, a.MPTCP = rest, p.family, p.mptcp
				if p.kind != 0 {
					kind = p.kind
				}
				break
			}
		}
	}
	a.Dgram, a.Quic = kind == dgramSocket, kind == quicSocket

	switch a.Family {
	case runtime.FamilyFD, runtime.FamilySockpair:
		err = a.descriptor(s, text, use)
	case runtime.FamilyUnix, runtime.FamilyAbstract, runtime.FamilyAbstractZ:
		err = a.path(s, text, prefix)
	case runtime.FamilyReverse:
	default:
		err = l.inet(&a, s, text, use)
	}
	switch {
	case err != nil:
		return a, err
	case kind != dgramSocket && use&AddrStream == 0:
		return a, fmt.Errorf("stream-type address not acceptable in '%s'", text)
	case kind == dgramSocket && use&AddrDgram == 0:
		return a, fmt.Errorf("dgram-type address not acceptable in '%s'", text)
	}
	return a, nil
}

// descriptor reads the number behind fd@ and sockpair@ and looks at the socket.
func (a *Address) descriptor(s, text string, use AddrUse) error {
	n, rest := strtol(s, 10)
	if s == "" || n < 0 || rest != "" {
		return fmt.Errorf("file descriptor '%s' is not a valid integer in '%s'", s, text)
	}
	a.FD = int(n)
	switch {
	case a.Family == runtime.FamilySockpair || use&AddrSocket != 0:
		name, err := unix.Getsockname(a.FD)
		if err != nil {
			return fmt.Errorf("cannot use file descriptor '%d' : %s.", a.FD, errnoText(err))
		}
		if a.Family == runtime.FamilySockpair {
			return nil
		}
		kind, err := unix.GetsockoptInt(a.FD, unix.SOL_SOCKET, unix.SO_TYPE)
		if err != nil || (kind == unix.SOCK_STREAM) == a.Dgram {
			return fmt.Errorf("socket on file descriptor '%d' is of the wrong type.", a.FD)
		}
		switch n := name.(type) {
		case *unix.SockaddrInet4:
			a.IP = netip.AddrPortFrom(netip.AddrFrom4(n.Addr), uint16(n.Port))
		case *unix.SockaddrInet6:
			a.IP = netip.AddrPortFrom(netip.AddrFrom16(n.Addr), uint16(n.Port))
		case *unix.SockaddrUnix:
			a.Path = n.Name
		}
		a.Port = int(a.IP.Port())
		a.Low, a.High = a.Port, a.Port
	case use&AddrRawFD == 0:
		return fmt.Errorf("a file descriptor is not acceptable here in '%s'", text)
	}
	return nil
}

// sunPath is the size of the path in a UNIX address, its final zero included.
const sunPath = 108

// path checks the length of a UNIX path: while the process starts the socket is
// called PATH.PID.tmp.
func (a *Address) path(s, text, prefix string) error {
	most := sunPath - 1
	if a.Family == runtime.FamilyUnix {
		most -= len(prefix) + len(".12345.bak")
	} else {
		prefix = ""
	}
	if len(s) > most {
		return fmt.Errorf("socket path '%s' too long (max %d)", text, most)
	}
	a.Path = prefix + s
	return nil
}

// inet reads an IPv4 or IPv6 address, or a name, and its port.
func (l *Loader) inet(a *Address, s, text string, use AddrUse) error {
	port := ""
	at := strings.LastIndexAny(s, "]:")
	switch {
	case at > 0 && s[at] == ':' || at == 0 && s[0] == ':':
		if use&AddrPort == 0 {
			return fmt.Errorf("port specification not permitted here in '%s'", text)
		}
		s, port = s[:at], s[at+1:]
	case use&AddrNeedPort != 0:
		return fmt.Errorf("missing port specification in '%s'", text)
	}
	if err := a.ports(port, text, use); err != nil {
		return err
	}
	ip, ok := a.literal(s)
	if !ok {
		if use&(AddrResolve|AddrName) == 0 {
			return fmt.Errorf("invalid address: '%s' in '%s'", s, text)
		}
		if use&AddrResolve != 0 {
			if ip, ok = l.lookUpOnce(s, a.Family); !ok {
				return fmt.Errorf("invalid address: '%s' in '%s'", s, text)
			}
		}
		if use&AddrName != 0 {
			a.Host = s
		}
	}
	if ip.Is4() {
		a.Family = runtime.FamilyIPv4
	} else if ip.IsValid() {
		a.Family = runtime.FamilyIPv6
	}
	a.IP = netip.AddrPortFrom(ip, uint16(a.Port)) // an offset wraps: it is added modulo 65536
	return nil
}

func (a *Address) ports(port, text string, use AddrUse) error {
	number := func(s string) (int, error) {
		n, rest := strtol(s, 10)
		if rest != "" {
			return 0, fmt.Errorf("invalid character '%c' in port number '%s' in '%s'", rest[0], s, text)
		}
		return int(n), nil
	}
	least := 0
	if use&AddrNeedPort != 0 {
		least = 1
	}
	switch c := first(port); {
	case c >= '0' && c <= '9':
		low, high, ranged := strings.Cut(port, "-")
		if !ranged {
			high = low
		} else if use&AddrPortRange == 0 {
			return fmt.Errorf("port range not permitted here in '%s'", text)
		}
		var err error
		if a.Low, err = number(low); err != nil {
			return err
		}
		if a.High, err = number(high); err != nil {
			return err
		}
		switch {
		case a.Low < least || a.Low > 65535:
			return fmt.Errorf("invalid port '%s'", low)
		case a.High < least || a.High > 65535:
			return fmt.Errorf("invalid port '%s'", high)
		case a.Low > a.High:
			return fmt.Errorf("invalid port range '%d-%d'", a.Low, a.High)
		}
		a.Port = a.Low
	case c == '-' || c == '+':
		if use&AddrPortOffset == 0 {
			return fmt.Errorf("port offset not permitted here in '%s'", text)
		}
		n, err := number(port[1:])
		if err != nil {
			return err
		}
		a.Offset = true
		if c == '-' {
			a.Low, a.Port = n, -n
		} else {
			a.High, a.Port = n, n
		}
	case c != 0:
		return fmt.Errorf("invalid character '%c' in port number '%s' in '%s'", c, port, text)
	case use&AddrNeedPort != 0:
		return fmt.Errorf("missing port specification in '%s'", text)
	}
	return nil
}

// literal reads an address that needs no look-up: "", "*", "::", brackets.
func (a *Address) literal(s string) (netip.Addr, bool) {
	if strings.HasPrefix(s, "[") {
		if len(s) < 4 || len(s) >= 48 || s[len(s)-1] != ']' {
			return netip.Addr{}, false
		}
		s = s[1 : len(s)-1]
	}
	if s == "" || s == "*" {
		if a.Family == runtime.FamilyIPv6 {
			return netip.IPv6Unspecified(), true
		}
		return netip.IPv4Unspecified(), true
	}
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" ||
		a.Family == runtime.FamilyIPv4 && !ip.Is4() || a.Family == runtime.FamilyIPv6 && !ip.Is6() {
		return netip.Addr{}, false
	}
	return ip, true
}

// LookUp asks the system's resolver for a name and takes its first answer.
func LookUp(name string, family runtime.Family) (netip.Addr, bool) {
	if ip, ok := shortIPv4(name); ok {
		return ip, family != runtime.FamilyIPv6
	}
	network := "ip"
	switch family {
	case runtime.FamilyIPv4:
		network = "ip4"
	case runtime.FamilyIPv6:
		network = "ip6"
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, network, name)
	if err != nil || len(ips) == 0 {
		return netip.Addr{}, false
	}
	return ips[0].Unmap(), true
}

// shortIPv4 reads the old forms of an IPv4 address that resolvers take for a name: up
// to four numbers, also octal and hexadecimal, of which the last one fills the rest.
func shortIPv4(name string) (netip.Addr, bool) {
	parts := strings.Split(name, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var addr uint64
	for i, part := range parts {
		if part == "" || part[0] < '0' || part[0] > '9' || strings.ContainsAny(part, "_oO") || strings.HasPrefix(strings.ToLower(part), "0b") {
			return netip.Addr{}, false
		}
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		n, err := strconv.ParseUint(part, 0, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = addr<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}), true
}

// validHost tells whether a name may be given to a resolver: labels of at most 63
// letters, digits, '-' and '_'.
func validHost(name string) bool {
	if name == "" || len(name) > 255 {
		return false
	}
	label := 0
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '.':
			if label == 0 || label > 63 {
				return false
			}
			label = 0
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_':
			label++
		default:
			return false
		}
	}
	return label <= 63
}

// expandEnv replaces $NAME and ${NAME} in an address, whatever quotes it stood in.
func (l *Loader) expandEnv(text string) string {
	if !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '$' {
			b.WriteByte(text[i])
			i++
			continue
		}
		i++
		braced := i < len(text) && text[i] == '{'
		if braced {
			i++
		}
		start := i
		for i < len(text) && (text[i] == '_' || digitOf(text[i]) < 36) {
			i++
		}
		value, _ := l.Env.Lookup(text[start:i])
		b.WriteString(value)
		if braced && i < len(text) && text[i] == '}' {
			i++
		}
	}
	return b.String()
}

// errnoText is the operating system's text of an error, with its capital letter.
func errnoText(err error) string {
	s := err.Error()
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
