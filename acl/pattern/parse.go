package pattern

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// interval is a range of integers, both ends included.
type interval struct{ min, max int64 }

const (
	lowest  = -1 << 63
	highest = 1<<63 - 1
)

// parseRange reads "n", "n:m", ":m" or "n:", where a dash may stand for the colon. Since the first dash
// separates, a negative number cannot be written as a lower end.
func parseRange(text string) (interval, error) {
	at := strings.IndexAny(text, ":-")
	if at < 0 && text != "" {
		n, ok := ParseInt(text)
		if !ok {
			return interval{}, fmt.Errorf("'%s' is not a number", text)
		}
		return interval{n, n}, nil
	}
	r, ok := splitRange(text, at, ParseInt)
	if !ok {
		return interval{}, fmt.Errorf("'%s' is not a valid number range", text)
	}
	return r, nil
}

// parseVersion reads the same ranges over versions "major.minor".
func parseVersion(text string) (interval, error) {
	at := strings.IndexAny(text, ":-")
	if at < 0 && text != "" {
		n, ok := dotted(text)
		if !ok {
			return interval{}, fmt.Errorf("'%s' is not a dotted number", text)
		}
		return interval{n, n}, nil
	}
	r, ok := splitRange(text, at, dotted)
	if !ok {
		return interval{}, fmt.Errorf("'%s' is not a valid dotted number range", text)
	}
	return r, nil
}

// splitRange reads a range whose separator stands at index at.
func splitRange(text string, at int, number func(string) (int64, bool)) (interval, bool) {
	r := interval{lowest, highest}
	if at < 0 {
		return r, false
	}
	low, high := text[:at], text[at+1:]
	ok := true
	if low != "" || high == "" {
		r.min, ok = number(low)
	}
	if ok && high != "" {
		r.max, ok = number(high)
	}
	return r, ok && r.min <= r.max
}

// dotted reads "major.minor" as major<<16 + minor.
func dotted(text string) (int64, bool) {
	high, low, _ := strings.Cut(text, ".")
	major, ok := ParseInt(high)
	if !ok || major >= 65536 {
		return 0, false
	}
	minor := int64(0)
	if len(high) < len(text) {
		if minor, ok = ParseInt(low); !ok || minor >= 65536 {
			return 0, false
		}
	}
	return major<<16 | minor&0xffff, true
}

// ParseInt reads a decimal number with an optional minus, and nothing else.
func ParseInt(text string) (int64, bool) {
	if text == "" || text[0] == '+' {
		return 0, false
	}
	if text == "-" {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && strings.IndexByte(text, '_') < 0
}

// ParseHex reads pairs of hexadecimal digits.
func ParseHex(text string) ([]byte, error) {
	if len(text)%2 != 0 {
		return nil, errors.New("an even number of hex digit is expected")
	}
	b, err := hex.DecodeString(text)
	var bad hex.InvalidByteError
	if errors.As(err, &bad) {
		return nil, fmt.Errorf("an hex digit is expected (found '%c')", byte(bad))
	}
	return b, err
}

// network is what an IP pattern stands for: a prefix, or an IPv4 address under a mask with holes.
type network struct {
	prefix netip.Prefix // not masked: what is behind Bits does not count
	addr   uint32
	mask   uint32
	holes  bool
}

// parseNetwork reads "address[/mask]". An IPv4 mask may be dotted. Without NoDNS the address may be a host
// name, which is resolved at once.
func parseNetwork(text string, flags Flags) (network, error) {
	host, mask, masked := text, "", false
	if i := strings.LastIndexByte(text, '/'); i >= 0 {
		host, mask, masked = text[:i], text[i+1:], true
	}
	addr, err := netip.ParseAddr(host)
	if err == nil && addr.Is6() && addr.Zone() == "" {
		bits := uint64(128)
		if masked {
			if bits, err = strconv.ParseUint(mask, 10, 32); err != nil || bits > 128 {
				return network{}, notAnAddress(text)
			}
		}
		return network{prefix: netip.PrefixFrom(addr, int(bits))}, nil
	}
	if err != nil && flags&NoDNS == 0 {
		if _, _, valid := mask4(mask, masked); valid {
			addr, err = resolve(host)
		}
	}
	if err != nil || !addr.Is4() {
		return network{}, notAnAddress(text)
	}
	bits, m, ok := mask4(mask, masked)
	if !ok {
		return network{}, notAnAddress(text)
	}
	if bits < 0 {
		return network{addr: v4bits(addr), mask: m, holes: true}, nil
	}
	return network{prefix: netip.PrefixFrom(addr, bits)}, nil
}

func notAnAddress(text string) error {
	return fmt.Errorf("'%s' is not a valid IPv4 or IPv6 address", text)
}

// resolve asks the system for the first IPv4 address of a host.
func resolve(host string) (netip.Addr, error) {
	if a, ok := classicIPv4(host); ok {
		return a, nil
	}
	if host == "" {
		return netip.Addr{}, errors.New("no host name")
	}
	ips, err := net.LookupIP(host)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, ip := range ips {
		if v4 := ip.To4(); v4 != nil {
			return netip.AddrFrom4([4]byte(v4)), nil
		}
	}
	return netip.Addr{}, errors.New("no IPv4 address")
}

// classicIPv4 reads the numeric forms that the resolver of the C library takes: fewer than four numbers, the
// last of which fills the rest ("10.1" is 10.0.0.1), in decimal, octal or hexadecimal.
func classicIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var all uint64
	for i, part := range parts {
		size := 8
		if i == len(parts)-1 {
			size = 8 * (4 - i)
		}
		if part == "" || strings.ContainsAny(part, "+-_") {
			return netip.Addr{}, false
		}
		n, err := strconv.ParseUint(part, 0, 64)
		if err != nil || n>>size != 0 {
			return netip.Addr{}, false
		}
		all = all<<size | n
	}
	return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
}

// mask4 reads an IPv4 mask as a number of bits, or gives -1 and the mask itself when it has holes.
func mask4(text string, given bool) (bits int, mask uint32, ok bool) {
	if !given {
		return 32, ^uint32(0), true
	}
	if strings.IndexByte(text, '.') >= 0 {
		a, err := netip.ParseAddr(text)
		if err != nil || !a.Is4() {
			return 0, 0, false
		}
		mask = v4bits(a)
		for bits = 0; bits < 32 && mask<<bits&(1<<31) != 0; bits++ {
		}
		if bits < 32 && mask<<bits != 0 {
			return -1, mask, true
		}
		return bits, mask, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 32 {
		return 0, 0, false
	}
	return int(n), 0, true
}

// v4bits gives an IPv4 address as a number.
func v4bits(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}
