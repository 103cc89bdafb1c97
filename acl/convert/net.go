package convert

import (
	"encoding/binary"
	"net/netip"

	"hapax/acl/sample"
	"hapax/parser/keyword"
)

var addressRows = []sample.Converter{
	{Doc: doc("ipmask", "the address with a mask applied; none for IPv6 without a mask of its own", args(
		keyword.Arg{Name: "mask4", Type: keyword.Mask4}, opt(keyword.Arg{Name: "mask6", Type: keyword.Mask6})),
		"ipv4(10.1.2.3),ipmask(24)", "10.1.2.0", "ipv6(2001:db8:1::1),ipmask(24,32)", "2001:db8::"),
		In: sample.Addr, Out: sample.Addr, Eval: ipMask},
}

// ipMask treats an IPv6 address that holds an IPv4 one as that.
func ipMask(ctx *sample.Context, a []sample.Arg, v *sample.Value) bool {
	if v.Type == sample.IPv6 {
		if ip4, ok := sample.EmbeddedIPv4(v.IP); ok {
			v.SetAddr(ip4)
		}
	}
	if v.Type == sample.IPv4 {
		ip, mask := v.IP.As4(), a[0].IP.As4()
		binary.NativeEndian.PutUint32(ip[:], binary.NativeEndian.Uint32(ip[:])&binary.NativeEndian.Uint32(mask[:]))
		return v.SetAddr(netip.AddrFrom4(ip))
	}
	if !a[1].Present {
		return false
	}
	ip, mask := v.IP.As16(), a[1].IP.As16()
	for i := range ip {
		ip[i] &= mask[i]
	}
	return v.SetAddr(netip.AddrFrom16(ip))
}
