package convert

import (
	"encoding/binary"
	"net/netip"

	"hapax/acl/sample"
)

// frameRows take apart the headers of a saved SYN packet (bind option "tcp-ss", fetch fc_saved_syn).
var frameRows = []sample.Converter{
	slice("eth.data", "what follows an Ethernet header and its VLAN tags",
		func(b []byte) ([]byte, bool) { n, _, ok := ethHeader(b); return b[n:], ok }, "bin("+demoFrame+"),eth.data,hex,length", "88"),
	slice("eth.dst", "the destination address of an Ethernet header", func(b []byte) ([]byte, bool) { return part(b, 0, 6) },
		"bin("+demoFrame+"),eth.dst,hex", "000102030405"),
	slice("eth.hdr", "an Ethernet header with its VLAN tags",
		func(b []byte) ([]byte, bool) { n, _, ok := ethHeader(b); return b[:n], ok }, "bin("+demoFrame+"),eth.hdr,hex,length", "36"),
	integer("eth.proto", "the protocol that an Ethernet header announces behind its VLAN tags", func(b []byte) (int64, bool) {
		n, _, ok := ethHeader(b)
		if !ok {
			return 0, false
		}
		return int64(binary.BigEndian.Uint16(b[n-2:])), true
	}, "bin("+demoFrame+"),eth.proto", "2048"),
	slice("eth.src", "the source address of an Ethernet header", func(b []byte) ([]byte, bool) { return part(b, 6, 12) },
		"bin("+demoFrame+"),eth.src,hex", "060708090A0B"),
	integer("eth.vlan", "the number of the innermost VLAN of an Ethernet header; none if it is 0", func(b []byte) (int64, bool) {
		_, vlan, ok := ethHeader(b)
		return int64(vlan), ok && vlan != 0
	}, "bin("+demoFrame+"),eth.vlan", "42"),

	slice("ip.data", "what follows an IP header and its extensions",
		func(b []byte) ([]byte, bool) { n := ipHeader(b); return b[n:], n > 0 }, "bin("+demoFrame+"),eth.data,ip.data,hex,length", "48"),
	integer("ip.df", "1 if an IP packet must not be fragmented", func(b []byte) (int64, bool) {
		switch ipVersion(b) {
		case 4:
			return bit(len(b) >= 7 && b[6]&0x40 != 0), len(b) >= 6
		case 6:
			return 1, true
		}
		return 0, false
	}, "bin("+demoFrame+"),eth.data,ip.df", "1"),
	address("ip.dst", "the destination address of an IP header", 16, 24, "bin("+demoFrame+"),eth.data,ip.dst", "10.0.0.2"),
	{Doc: doc("ip.fp", "a fingerprint of the IP and TCP settings in a SYN packet", args(opt(number("mode"))),
		"bin("+demoFrame+"),eth.data,ip.fp,hex", "005060010005B401"), In: sample.Bin, Out: sample.Bin, Eval: fingerprint},
	slice("ip.hdr", "an IP header with its extensions",
		func(b []byte) ([]byte, bool) { n := ipHeader(b); return b[:n], n > 0 }, "bin("+demoFrame+"),eth.data,ip.hdr,hex,length", "40"),
	integer("ip.proto", "the protocol above IP", ipProtocol, "bin("+demoFrame+"),eth.data,ip.proto", "6"),
	address("ip.src", "the source address of an IP header", 12, 8, "bin("+demoFrame+"),eth.data,ip.src", "10.0.0.1"),
	integer("ip.tos", "the type of service, or traffic class, of an IP header", func(b []byte) (int64, bool) {
		return int64(ipTOS(b)), len(b) >= 2 && (ipVersion(b) == 4 || ipVersion(b) == 6)
	}, "bin("+demoFrame+"),eth.data,ip.tos", "0"),
	integer("ip.ttl", "the time to live, or hop limit, of an IP header", func(b []byte) (int64, bool) {
		switch ipVersion(b) {
		case 4:
			return byteAt(b, 8, 20)
		case 6:
			return byteAt(b, 7, 40)
		}
		return 0, false
	}, "bin("+demoFrame+"),eth.data,ip.ttl", "64"),
	integer("ip.ver", "the version of an IP header", func(b []byte) (int64, bool) { return int64(ipVersion(b)), len(b) > 0 },
		"bin("+demoFrame+"),eth.data,ip.ver", "4"),

	integer("tcp.dst", "the destination port of a TCP header", func(b []byte) (int64, bool) { return shortAt(b, 2) },
		"bin("+demoFrame+"),eth.data,ip.data,tcp.dst", "80"),
	integer("tcp.flags", "the flags of a TCP header", func(b []byte) (int64, bool) { return byteAt(b, 13, 20) },
		"bin("+demoFrame+"),eth.data,ip.data,tcp.flags", "2"),
	integer("tcp.options.mss", "the MSS option of a TCP header, 0 without one", tcpOption(2, 2), "bin("+demoFrame+"),eth.data,ip.data,tcp.options.mss", "1460"),
	integer("tcp.options.sack", "1 if a TCP header permits selective acknowledgements", tcpOption(4, 0), "bin("+demoFrame+"),eth.data,ip.data,tcp.options.sack", "0"),
	integer("tcp.options.tsopt", "1 if a TCP header has the timestamp option", tcpOption(8, 0), "bin("+demoFrame+"),eth.data,ip.data,tcp.options.tsopt", "0"),
	integer("tcp.options.tsval", "the timestamp in a TCP header, 0 without one", tcpOption(8, 4), "bin("+demoFrame+"),eth.data,ip.data,tcp.options.tsval", "0"),
	integer("tcp.options.wscale", "the window scale of a TCP header, 0 without one", tcpOption(3, 1), "bin("+demoFrame+"),eth.data,ip.data,tcp.options.wscale", "0"),
	integer("tcp.options.wsopt", "1 if a TCP header has the window scale option", tcpOption(3, 0), "bin("+demoFrame+"),eth.data,ip.data,tcp.options.wsopt", "0"),
	{Doc: doc("tcp.options_list", "the kinds of the options of a TCP header, a byte each", nil,
		"bin("+demoFrame+"),eth.data,ip.data,tcp.options_list,hex", "02"), In: sample.Bin, Out: sample.Bin, Eval: tcpOptionList},
	integer("tcp.seq", "the sequence number of a TCP header", func(b []byte) (int64, bool) {
		if len(b) < tcpMinimum {
			return 0, false
		}
		return int64(binary.BigEndian.Uint32(b[4:])), true
	}, "bin("+demoFrame+"),eth.data,ip.data,tcp.seq", "1"),
	integer("tcp.src", "the source port of a TCP header", func(b []byte) (int64, bool) { return shortAt(b, 0) },
		"bin("+demoFrame+"),eth.data,ip.data,tcp.src", "4660"),
	integer("tcp.win", "the window of a TCP header", func(b []byte) (int64, bool) { return shortAt(b, 14) },
		"bin("+demoFrame+"),eth.data,ip.data,tcp.win", "256"),
}

// demoFrame is a SYN from 10.0.0.1:4660 to 10.0.0.2:80 in VLAN 42 with an MSS of 1460.
const demoFrame = "000102030405060708090a0b8100002a0800" +
	"4500002c00014000400600000a0000010a000002" + "123400500000000100000000600201000000000002" + "0405b4"

func slice(name, summary string, cut func([]byte) ([]byte, bool), examples ...string) sample.Converter {
	return sample.Converter{Doc: doc(name, summary, nil, examples...), In: sample.Bin, Out: sample.Bin,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			b, ok := cut(v.Bytes)
			v.Bytes = b
			return ok
		}}
}

func integer(name, summary string, read func([]byte) (int64, bool), examples ...string) sample.Converter {
	return sample.Converter{Doc: doc(name, summary, nil, examples...), In: sample.Bin, Out: sample.Int,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			n, ok := read(v.Bytes)
			v.SetInt(n)
			return ok
		}}
}

// address reads the address at one offset of an IPv4 header and at another of an IPv6 one.
func address(name, summary string, at4, at6 int, examples ...string) sample.Converter {
	return sample.Converter{Doc: doc(name, summary, nil, examples...), In: sample.Bin, Out: sample.Addr,
		Eval: func(_ *sample.Context, _ []sample.Arg, v *sample.Value) bool {
			b := v.Bytes
			switch {
			case ipVersion(b) == 4 && len(b) >= ip4Minimum:
				return v.SetAddr(netip.AddrFrom4([4]byte(b[at4:])))
			case ipVersion(b) == 6 && len(b) >= ip6Header:
				return v.SetAddr(netip.AddrFrom16([16]byte(b[at6:])))
			}
			return false
		}}
}

// Sizes of headers without options.
const (
	ip4Minimum = 20
	ip6Header  = 40
	tcpMinimum = 20
)

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func part(b []byte, from, to int) ([]byte, bool) {
	if len(b) < to {
		return nil, false
	}
	return b[from:to], true
}

func byteAt(b []byte, at, need int) (int64, bool) {
	if len(b) < need {
		return 0, false
	}
	return int64(b[at]), true
}

func shortAt(b []byte, at int) (int64, bool) {
	if len(b) < tcpMinimum {
		return 0, false
	}
	return int64(binary.BigEndian.Uint16(b[at:])), true
}

// ethHeader is the length of an Ethernet header with its VLAN tags, and the last of these.
func ethHeader(b []byte) (n int, vlan uint16, ok bool) {
	const tagged = 0x8100
	for at := 12; at+2 < len(b); at += 4 {
		if binary.BigEndian.Uint16(b[at:]) != tagged {
			return at + 2, vlan, true
		}
		if at+4 > len(b) {
			break
		}
		vlan = binary.BigEndian.Uint16(b[at+2:]) & 0xfff
	}
	return 0, 0, false
}

func ipVersion(b []byte) byte {
	if len(b) == 0 {
		return 0
	}
	return b[0] >> 4
}

func ipTOS(b []byte) byte {
	switch {
	case len(b) < 2:
		return 0
	case ipVersion(b) == 4:
		return b[1]
	}
	return byte(binary.BigEndian.Uint16(b) >> 4)
}

// ipExtensions walks to the TCP or UDP header of an IPv6 packet.
func ipExtensions(b []byte) (next byte, n int, ok bool) {
	const tcp, udp = 6, 17
	if len(b) < ip6Header {
		return 0, 0, false
	}
	next, n = b[6], ip6Header
	for next != tcp && next != udp {
		if len(b) < n+2 {
			return 0, 0, false
		}
		next, n = b[n], n+int(b[n+1])*8+8
	}
	return next, n, len(b) >= n
}

// ipHeader is the length of an IP header with its extensions, 0 if it is not complete.
func ipHeader(b []byte) int {
	switch ipVersion(b) {
	case 4:
		if n := int(b[0]&15) * 4; n <= len(b) {
			return n
		}
	case 6:
		if _, n, ok := ipExtensions(b); ok {
			return n
		}
	}
	return 0
}

func ipProtocol(b []byte) (int64, bool) {
	switch ipVersion(b) {
	case 4:
		return byteAt(b, 9, 10)
	case 6:
		next, _, ok := ipExtensions(b)
		return int64(next), ok
	}
	return 0, false
}

// tcpHeader is the length of a complete TCP header, else 0.
func tcpHeader(b []byte) int {
	if len(b) < tcpMinimum {
		return 0
	}
	if n := int(b[12]>>4) * 4; n >= tcpMinimum && n <= len(b) {
		return n
	}
	return 0
}

// nextTCPOption is where the option after the one at i begins; ok is false when none can follow.
func nextTCPOption(header []byte, i int) (next int, ok bool) {
	const end, nop = 0, 1
	switch {
	case header[i] == end:
		return i, false
	case header[i] == nop:
		return i + 1, true
	case i+1 < len(header) && header[i+1] > 1:
		return i + int(header[i+1]), true
	}
	return i, false
}

// tcpOption reads a number of size bytes from an option, 0 without the option; size 0 asks whether it
// is there.
func tcpOption(kind byte, size int) func([]byte) (int64, bool) {
	return func(b []byte) (int64, bool) {
		n := tcpHeader(b)
		for i, more := tcpMinimum, true; i < n && more; {
			at := i
			if i, more = nextTCPOption(b[:n], i); !more || i > n {
				break
			}
			if b[at] != kind {
				continue
			}
			if size == 0 {
				return 1, true
			}
			v := int64(0)
			for j := 0; j < size && at+2+j < len(b); j++ {
				v = v<<8 | int64(b[at+2+j])
			}
			return v, true
		}
		return 0, n > 0
	}
}

func tcpOptionList(ctx *sample.Context, _ []sample.Arg, v *sample.Value) bool {
	n := tcpHeader(v.Bytes)
	if n == 0 {
		return false
	}
	out := ctx.Scratch.Room()
	header := v.Bytes[:n]
	for i := tcpMinimum; i < n && header[i] != 0; {
		out = append(out, header[i])
		var more bool
		if i, more = nextTCPOption(header, i); !more {
			break
		}
	}
	v.SetBin(ctx.Scratch.Take(out))
	return true
}

// Bits of the mode of ip.fp: what is appended to the fixed part.
const (
	fpTTL     = 1
	fpOptions = 2
	fpSource  = 4
)

// fingerprint describes the settings of the stack that sent a SYN packet. The first eight bytes are
// fixed: type of service; flags; header size and window scale; window; MSS; which options there are.
func fingerprint(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	b := v.Bytes
	mode := a[0].Int
	ver := ipVersion(b)
	var size uint16
	var ttl byte
	var source []byte
	df, extended := true, false
	switch {
	case ver == 4 && len(b) >= ip4Minimum && len(b) >= int(b[0]&15)*4:
		extended = b[0]&15 != 5
		size = binary.BigEndian.Uint16(b[2:])
		df = b[6]&0x40 != 0
		ttl, source = b[8], b[12:16]
	case ver == 6 && len(b) >= ip6Header:
		size = ip6Header + binary.BigEndian.Uint16(b[4:])
		extended = b[6] != 6 && b[6] != 17
		ttl, source = b[7], b[8:24]
	default:
		return false
	}
	n := ipHeader(b)
	if n == 0 || n > int(size) {
		return false
	}
	size -= uint16(n)
	seg := b[n:]
	hdr := tcpHeader(seg)
	if hdr == 0 || hdr > int(size) {
		return false
	}
	payload := int(size) > hdr
	out := append(ctx.Scratch.Room(), make([]byte, 8)...)
	out[0] = ipTOS(b)
	if mode&fpTTL != 0 {
		out = append(out, ttl)
	}
	var class byte
	switch {
	case ttl > 128:
		class = 3
	case ttl > 64:
		class = 2
	case ttl > 32:
		class = 1
	}
	out[1] = byte(bit(ver == 6))<<7 | byte(bit(df))<<6 | class<<4 | byte(bit(extended))<<3 | byte(bit(payload))<<2 | seg[13]>>6

	mss, scale, seen := uint16(0), byte(0), byte(0)
	header := seg[:hdr]
	for i := tcpMinimum; i < hdr; {
		next, more := nextTCPOption(header, i)
		if !more || next > hdr {
			break
		}
		kind := header[i]
		if mode&fpOptions != 0 {
			out = append(out, kind)
		}
		switch {
		case kind == 2 && i+3 < hdr:
			mss = binary.BigEndian.Uint16(header[i+2:])
		case kind == 3 && i+2 < hdr:
			scale = min(header[i+2], 14) + 1 // from 1, so that 0 is "no option"
		}
		if kind >= 2 {
			seen |= 1 << min(kind-2, 7)
		}
		i = next
	}
	out[2] = byte(hdr)<<2 | scale
	binary.BigEndian.PutUint16(out[3:], binary.BigEndian.Uint16(seg[14:]))
	binary.BigEndian.PutUint16(out[5:], mss)
	out[7] = seen
	if mode&fpSource != 0 {
		out = append(out, source...)
	}
	v.SetBin(ctx.Scratch.Take(out))
	return true
}
