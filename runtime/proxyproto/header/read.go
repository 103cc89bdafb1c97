package header

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// Read takes a PROXY protocol header of either version from the beginning of b, and
// tells how long it is. It must be there as a whole: what a peer sends in pieces is
// refused, as the specification allows. A checksum in b is put to zero. When extensions
// are at fault, the addresses hold all the same.
func Read(b []byte) (h Header, n int, err error) {
	const shortest = 6
	switch {
	case len(b) < shortest:
		return h, 0, Truncated
	case bytes.HasPrefix(b, []byte("PROXY ")):
		return readV1(b)
	case len(b) < fixedLen:
		return h, 0, Truncated
	case string(b[:len(signature)]) != signature || b[12]&0xF0 != version2:
		return h, 0, NotHeader
	}
	return readV2(b)
}

func readV1(b []byte) (h Header, n int, err error) {
	const head = len("PROXY ")
	if len(b) < head+3 {
		return h, 0, Truncated
	}
	rest := b[head:]
	const unknown = "UNKNOWN\r\n"
	switch {
	case bytes.HasPrefix(rest, []byte("TCP4 ")):
		h, n, err = readTCP4(rest)
	case bytes.HasPrefix(rest, []byte("TCP6 ")):
		h, n, err = readTCP6(rest)
	case bytes.HasPrefix(rest, []byte(unknown)):
		n = len(unknown)
	default:
		err = BadProto
	}
	if err != nil {
		return h, 0, err
	}
	return h, head + n, nil
}

// readTCP4 reads "TCP4 <src> <dst> <sport> <dport>\r\n".
func readTCP4(b []byte) (h Header, n int, err error) {
	at := len("TCP4 ")
	var ip [2]uint32
	var port [2]uint16
	for i := range ip {
		ip[i], at = readIPv4(b, at)
		if err := expect(b, at, " "); err != nil {
			return h, 0, err
		}
		at++
	}
	for i, end := range [...]string{" ", "\r\n"} {
		port[i], at = readPort(b, at)
		if err := expect(b, at, end); err != nil {
			return h, 0, err
		}
		at += len(end)
	}
	addr := func(i int) netip.AddrPort {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], ip[i])
		return netip.AddrPortFrom(netip.AddrFrom4(a), port[i])
	}
	return Header{Src: addr(0), Dst: addr(1)}, at, nil
}

// expect tells whether the text stands at this place, and all of it has come.
func expect(b []byte, at int, text string) error {
	switch {
	case at+len(text) > len(b):
		return Truncated
	case string(b[at:at+len(text)]) != text:
		return BadHeader
	}
	return nil
}

// readIPv4 reads an address as leniently as the reference: of each number the last three
// digits count, what is above 255 goes into the number before, and numbers may be missing.
func readIPv4(b []byte, at int) (ip uint32, end int) {
	for shift := 24; ; shift -= 8 {
		from := at
		for at < len(b) && isDigit(b[at]) {
			at++
		}
		n := uint32(0)
		for _, c := range b[max(from, at-3):at] {
			n = n*10 + uint32(c-'0')
		}
		ip += n << shift
		if shift == 0 || at == len(b) || b[at] != '.' {
			return ip, at
		}
		at++
	}
}

// readPort reads a number, of which the last 16 bits count.
func readPort(b []byte, at int) (port uint16, end int) {
	for at < len(b) && isDigit(b[at]) {
		port = port*10 + uint16(b[at]-'0')
		at++
	}
	return port, at
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// readTCP6 reads "TCP6 <src> <dst> <sport> <dport>\r\n". Words behind the ports mean
// nothing.
func readTCP6(b []byte) (h Header, n int, err error) {
	const head = len("TCP6 ")
	end := bytes.IndexByte(b, '\r')
	switch {
	case end < 0 || end+1 == len(b):
		return h, 0, Truncated
	case b[end+1] != '\n':
		return h, 0, BadHeader
	}
	words := bytes.SplitN(b[head:end], []byte(" "), 5)
	if len(words) < 4 {
		return h, 0, BadHeader
	}
	for i, word := range words {
		words[i], _, _ = bytes.Cut(word, []byte{0})
	}
	for i, to := range [...]*netip.AddrPort{&h.Src, &h.Dst} {
		ip, err := netip.ParseAddr(string(words[i]))
		port, at := readPort(words[2+i], 0)
		if err != nil || ip.Is4() || ip.Zone() != "" || at < len(words[2+i]) {
			return Header{}, 0, BadHeader
		}
		*to = netip.AddrPortFrom(ip, port)
	}
	return h, end + 2, nil
}

// Limits of what an extension may hold.
const (
	maxAuthority = 255
	maxUniqueID  = 128
	maxValue     = 1024
)

func readV2(b []byte) (h Header, n int, err error) {
	n = fixedLen + int(binary.BigEndian.Uint16(b[14:]))
	if len(b) < n {
		return h, 0, Truncated
	}
	b = b[:n]
	at := fixedLen
	switch b[12] {
	case local:
	case proxied:
		switch b[13] {
		case familyTCP4:
			at += lenTCP4
		case familyTCP6:
			at += lenTCP6
		default:
			// The reference looks for extensions in the signature then, which tells of one
			// that is longer than most headers.
			at = 0
		}
	default:
		return h, 0, BadHeader
	}
	if at > n {
		return h, 0, BadHeader
	}
	if at > fixedLen {
		half := (at - fixedLen - 4) / 2
		h.Src, h.Dst = readAddr(b, fixedLen, half, at-4), readAddr(b, fixedLen+half, half, at-2)
	}
	if err := checkTLVs(b, at); err != nil {
		return h, 0, err
	}
	h.TLVs = b[at:]
	return h, n, nil
}

// readAddr takes an address of size bytes, and its port.
func readAddr(b []byte, at, size, port int) netip.AddrPort {
	ip, _ := netip.AddrFromSlice(b[at : at+size])
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[port:]))
}

// castagnoli is the polynomial of the checksum.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkTLVs looks at the extensions of the header b, which begin at.
func checkTLVs(b []byte, at int) error {
	for list := b[at:]; len(list) > 0; {
		kind, value, rest, ok := Next(list)
		if !ok {
			return BadHeader
		}
		switch kind {
		case TypeCRC32C:
			if len(value) != 4 {
				return BadHeader
			}
			sum := binary.BigEndian.Uint32(value)
			clear(value)
			if crc32.Checksum(b, castagnoli) != sum {
				return BadHeader
			}
		case TypeAuthority:
			if len(value) > maxAuthority {
				return BadHeader
			}
		case TypeUniqueID:
			if len(value) > maxUniqueID {
				return BadHeader
			}
		}
		if len(value) > maxValue {
			return Unnamed
		}
		list = rest
	}
	return nil
}
