package sample

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"

	"hapax/runtime/message"
)

// cast tells how a value of one type becomes one of another.
type cast uint8

const (
	never     cast = iota
	keep           // nothing to do: the value serves as it is and even keeps its type
	declared       // allowed while parsing; the type it starts from is never that of a value
	intToIP        // the number is the address
	intToIPv6      // and then mapped
	ipToInt        // only IPv4
	ipToIPv6       // ::ffff:a.b.c.d
	ipv6ToIP       // mapped, compatible and 6to4 addresses only
	addrToStr      // text
	addrToBin      // 4 or 16 bytes in network order
	intToStr       // decimal
	intToBin       // 8 bytes in network order
	boolToBin      // the same of 0 or 1
	strToInt       // what it starts with, 0 if that is no number; no value when empty
	strToAddr      // IPv4, else IPv6
	strToIP        // IPv4 only
	strToIPv6      // IPv6 only
	strToMeth      // always
	binToStr       // up to the first zero byte
	methToStr      // its text
)

// casts is the table of casts, from the row's type to the column's.
var casts = [types][types]cast{
	//       Any   Same   Bool      Int       Addr       IPv4      IPv6       Str        Bin        Meth
	Any:  {keep, never, declared, declared, declared, declared, declared, declared, declared, declared},
	Same: {},
	Bool: {keep, never, keep, keep, never, never, never, intToStr, boolToBin, never},
	Int:  {keep, never, keep, keep, intToIP, intToIP, intToIPv6, intToStr, intToBin, never},
	Addr: {keep, never, never, never, declared, declared, declared, declared, declared, never},
	IPv4: {keep, never, never, ipToInt, keep, keep, ipToIPv6, addrToStr, addrToBin, never},
	IPv6: {keep, never, never, never, keep, ipv6ToIP, keep, addrToStr, addrToBin, never},
	Str:  {keep, never, strToInt, strToInt, strToAddr, strToIP, strToIPv6, keep, keep, strToMeth},
	Bin:  {keep, never, never, never, never, never, never, binToStr, keep, strToMeth},
	Meth: {keep, never, never, never, never, never, never, methToStr, methToStr, keep},
}

// Castable tells whether a value of type from can stand where type to is wanted.
func Castable(from, to Type) bool { return casts[from][to] != never }

// CastFree tells whether that takes no conversion at all.
func CastFree(from, to Type) bool { return casts[from][to] == keep }

// Cast changes v so that it can stand where type to is wanted and reports whether that is possible. A
// cast that takes no conversion leaves even v.Type alone: an Int stays one where a Bool is wanted, a Str
// where a Bin is.
func Cast(ctx *Context, v *Value, to Type) bool {
	if v.Type == to {
		return true
	}
	switch casts[v.Type][to] {
	case keep:
	case intToIP, intToIPv6:
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(v.Int))
		v.IP = netip.AddrFrom4(b)
		v.Type = IPv4
		if to == IPv6 {
			v.IP, v.Type = mapped(v.IP), IPv6
		}
	case ipToInt:
		b := v.IP.As4()
		v.Type, v.Int = Int, int64(binary.BigEndian.Uint32(b[:]))
	case ipToIPv6:
		v.IP, v.Type = mapped(v.IP), IPv6
	case ipv6ToIP:
		a, ok := EmbeddedIPv4(v.IP)
		if !ok {
			return false
		}
		v.IP, v.Type = a, IPv4
	case addrToStr:
		v.SetStr(ctx.Scratch.Take(AppendAddr(ctx.Scratch.Room(), v.IP)))
	case addrToBin:
		room := ctx.Scratch.Room()
		if v.Type == IPv4 {
			b := v.IP.As4()
			room = append(room, b[:]...)
		} else {
			b := v.IP.As16()
			room = append(room, b[:]...)
		}
		v.SetBin(ctx.Scratch.Take(room))
	case intToStr:
		v.SetStr(ctx.Scratch.Take(strconv.AppendInt(ctx.Scratch.Room(), v.Int, 10)))
	case intToBin:
		v.SetBin(ctx.Scratch.Take(binary.BigEndian.AppendUint64(ctx.Scratch.Room(), uint64(v.Int))))
	case boolToBin:
		n := uint64(0)
		if v.Int != 0 {
			n = 1
		}
		v.SetBin(ctx.Scratch.Take(binary.BigEndian.AppendUint64(ctx.Scratch.Room(), n)))
	case strToInt:
		if len(v.Bytes) == 0 {
			return false
		}
		n, _ := ReadInt(v.Bytes)
		v.SetInt(n)
	case strToAddr:
		a, ok := ParseIPv4(v.Bytes)
		if !ok {
			a, ok = ParseIPv6(v.Bytes)
		}
		return ok && v.SetAddr(a)
	case strToIP:
		a, ok := ParseIPv4(v.Bytes)
		return ok && v.SetAddr(a)
	case strToIPv6:
		a, ok := ParseIPv6(v.Bytes)
		return ok && v.SetAddr(a)
	case strToMeth:
		v.Type, v.Int = Meth, int64(message.MethodOf(v.Bytes))
	case binToStr:
		for i, c := range v.Bytes {
			if c == 0 {
				v.Bytes = v.Bytes[:i]
				break
			}
		}
		v.Type = Str
	case methToStr:
		v.Type = Str
	default:
		return false
	}
	return true
}

// mapped is the IPv6 form ::ffff:a.b.c.d of an IPv4 address.
func mapped(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }

// EmbeddedIPv4 is the IPv4 address inside a mapped (::ffff:a.b.c.d), compatible (::a.b.c.d) or 6to4
// (2002:aabb:ccdd::) IPv6 address.
func EmbeddedIPv4(a netip.Addr) (netip.Addr, bool) {
	b := a.As16()
	first := binary.BigEndian.Uint64(b[:8])
	middle := binary.BigEndian.Uint32(b[8:12])
	switch {
	case first == 0 && (middle == 0xFFFF || middle == 0):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	case b[0] == 0x20 && b[1] == 0x02:
		return netip.AddrFrom4([4]byte(b[2:6])), true
	}
	return netip.Addr{}, false
}

// AppendAddr appends the text of an address as inet_ntop writes it.
func AppendAddr(dst []byte, a netip.Addr) []byte {
	if a.Is6() && !a.Is4In6() {
		// ::a.b.c.d keeps its dotted part, which netip writes in hexadecimal; ::1 and :: have none.
		b := a.As16()
		if binary.BigEndian.Uint64(b[:8]) == 0 && binary.BigEndian.Uint32(b[8:12]) == 0 && (b[12] != 0 || b[13] != 0) {
			return netip.AddrFrom4([4]byte(b[12:16])).AppendTo(append(dst, "::"...))
		}
	}
	return a.AppendTo(dst)
}

// ParseIPv4 reads four decimal numbers of up to 255. More leading zeroes than usual are fine, and what
// follows the last number is ignored once it cannot continue an address.
func ParseIPv4[T ~string | ~[]byte](s T) (netip.Addr, bool) {
	var b [4]byte
	octet, digits := -1, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch d := c - '0'; {
		case d <= 9:
			if !digits {
				if octet++; octet > 3 {
					return netip.Addr{}, false
				}
				digits = true
			}
			n := uint(b[octet])*10 + uint(d)
			if n > math.MaxUint8 {
				return netip.Addr{}, false
			}
			b[octet] = byte(n)
		case c == '.':
			if !digits || octet == 3 {
				return netip.Addr{}, false
			}
			digits = false
		default:
			return netip.AddrFrom4(b), octet == 3
		}
	}
	return netip.AddrFrom4(b), octet == 3
}

// ParseIPv6 reads the text of an IPv6 address, without zone.
func ParseIPv6[T ~string | ~[]byte](s T) (netip.Addr, bool) {
	var b [16]byte
	at, gap := 0, -1 // gap: where "::" stands
	i := 0
	if len(s) >= 2 && s[0] == ':' && s[1] == ':' {
		gap, i = 0, 2
	}
	for i < len(s) {
		if at == len(b) {
			return netip.Addr{}, false
		}
		group, start := uint32(0), i
		for ; i < len(s) && isHex(s[i]); i++ {
			if i-start == 4 {
				return netip.Addr{}, false
			}
			group = group<<4 | uint32(hexDigit(s[i]))
		}
		switch {
		case i == start:
			return netip.Addr{}, false
		case i < len(s) && s[i] == '.':
			v4, ok := ParseIPv4(s[start:])
			if last := s[len(s)-1]; !ok || at > len(b)-4 || last-'0' > 9 || !plainIPv4(s[start:]) {
				return netip.Addr{}, false
			}
			four := v4.As4()
			at += copy(b[at:], four[:])
			i = len(s)
			continue
		}
		binary.BigEndian.PutUint16(b[at:], uint16(group))
		at += 2
		if i == len(s) {
			break
		}
		if s[i] != ':' {
			return netip.Addr{}, false
		}
		i++
		switch {
		case i == len(s):
			return netip.Addr{}, false
		case s[i] == ':':
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap = at
			i++
		}
	}
	switch {
	case gap < 0 && at < len(b), gap >= 0 && at == len(b):
		return netip.Addr{}, false
	case gap >= 0:
		tail := at - gap
		copy(b[len(b)-tail:], b[gap:at])
		clear(b[gap : len(b)-tail])
	}
	return netip.AddrFrom16(b), true
}

// plainIPv4 tells whether s is made of digits and dots only, without leading zeroes: what may end an
// IPv6 address.
func plainIPv4[T ~string | ~[]byte](s T) bool {
	for i := 0; i < len(s); i++ {
		first := i == 0 || s[i-1] == '.'
		switch {
		case s[i] != '.' && s[i]-'0' > 9, s[i] == '0' && first && i+1 < len(s) && s[i+1] != '.':
			return false
		}
	}
	return true
}
