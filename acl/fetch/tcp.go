package fetch

import (
	"net/netip"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
)

// which names one end of one connection.
type which func(ctx *sample.Context) netip.AddrPort

func src(ctx *sample.Context) netip.AddrPort   { return ctx.Src }
func dst(ctx *sample.Context) netip.AddrPort   { return ctx.Dst }
func fcSrc(ctx *sample.Context) netip.AddrPort { return ctx.Front.Src }
func fcDst(ctx *sample.Context) netip.AddrPort { return ctx.Front.Dst }
func bcSrc(ctx *sample.Context) netip.AddrPort { return ctx.Back.Src }
func bcDst(ctx *sample.Context) netip.AddrPort { return ctx.Back.Dst }

var addressRows = []sample.Fetch{
	{Doc: doc("src", "7.3.3", "the client's address, as rules or the PROXY protocol set it", nil, "src", "", "192.0.2.1"),
		Out: sample.Addr, From: sample.ClientAddr, Eval: address(src)},
	{Doc: doc("src_is_local", "7.3.3", "whether the client's address is one of this machine", nil, "src_is_local", "", "0"),
		Out: sample.Bool, From: sample.ClientAddr, Eval: isLocal(src)},
	{Doc: doc("src_port", "7.3.3", "the client's port", nil, "src_port", "", "40000"),
		Out: sample.Int, From: sample.ClientAddr, Eval: port(src)},
	{Doc: doc("dst", "7.3.3", "the address that the client connected to, as rules or the PROXY protocol set it", nil, "dst", "", "203.0.113.2"),
		Out: sample.Addr, From: sample.ClientAddr, Eval: address(dst)},
	{Doc: doc("dst_is_local", "7.3.3", "whether that address is one of this machine", nil, "dst_is_local", "", "0"),
		Out: sample.Bool, From: sample.ClientAddr, Eval: isLocal(dst)},
	{Doc: doc("dst_port", "7.3.3", "the port that the client connected to", nil, "dst_port", "", "80"),
		Out: sample.Int, From: sample.ClientAddr, Eval: port(dst)},

	{Doc: doc("fc_src", "7.3.3", "the source address of the client's connection", nil, "fc_src", "", "192.0.2.3"),
		Out: sample.Addr, From: sample.ClientAddr, Eval: address(fcSrc)},
	{Doc: doc("fc_src_is_local", "7.3.3", "whether it is one of this machine", nil, "fc_src_is_local", "", "0"),
		Out: sample.Bool, From: sample.ClientAddr, Eval: isLocal(fcSrc)},
	{Doc: doc("fc_src_port", "7.3.3", "the source port of the client's connection", nil, "fc_src_port", "", "40001"),
		Out: sample.Int, From: sample.ClientAddr, Eval: port(fcSrc)},
	{Doc: doc("fc_dst", "7.3.3", "the destination address of the client's connection", nil, "fc_dst", "", "192.0.2.4"),
		Out: sample.Addr, From: sample.ClientAddr, Eval: address(fcDst)},
	{Doc: doc("fc_dst_is_local", "7.3.3", "whether it is one of this machine", nil, "fc_dst_is_local", "", "0"),
		Out: sample.Bool, From: sample.ClientAddr, Eval: isLocal(fcDst)},
	{Doc: doc("fc_dst_port", "7.3.3", "the destination port of the client's connection", nil, "fc_dst_port", "", "81"),
		Out: sample.Int, From: sample.ClientAddr, Eval: port(fcDst)},
	{Doc: doc("fc_http_major", "7.3.3", "the major version of HTTP on the client's connection", nil, "fc_http_major", "", "1"),
		Out: sample.Int, From: sample.ClientAddr, Eval: major(func(ctx *sample.Context) *sample.Conn { return &ctx.Front })},
	{Doc: doc("bc_src", "7.3.3", "the source address of the server's connection", nil, "bc_src", "", "198.51.100.1"),
		Out: sample.Addr, From: sample.ServerAddr, Eval: address(bcSrc)},
	{Doc: doc("bc_src_port", "7.3.3", "the source port of the server's connection", nil, "bc_src_port", "", "50000"),
		Out: sample.Int, From: sample.ServerAddr, Eval: port(bcSrc)},
	{Doc: doc("bc_dst", "7.3.3", "the destination address of the server's connection", nil, "bc_dst", "", "198.51.100.2"),
		Out: sample.Addr, From: sample.ServerAddr, Eval: address(bcDst)},
	{Doc: doc("bc_dst_port", "7.3.3", "the destination port of the server's connection", nil, "bc_dst_port", "", "8080"),
		Out: sample.Int, From: sample.ServerAddr, Eval: port(bcDst)},
	{Doc: doc("bc_http_major", "7.3.3", "the major version of HTTP on the server's connection", nil, "bc_http_major", "", "1"),
		Out: sample.Int, From: sample.ServerAddr, Eval: major(func(ctx *sample.Context) *sample.Conn { return &ctx.Back })},
}

func address(of which) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		return out.SetAddr(of(ctx).Addr())
	}
}

func port(of which) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		n := of(ctx).Port()
		out.SetInt(int64(n))
		return n != 0
	}
}

// major has no value for a client's connection that carries nothing yet.
func major(of func(*sample.Context) *sample.Conn) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		n := of(ctx).HTTP
		out.SetInt(int64(n))
		return n != 0
	}
}

func isLocal(of which) func(*sample.Context, []sample.Arg, *sample.Value) bool {
	return func(ctx *sample.Context, _ []sample.Arg, out *sample.Value) bool {
		local, known := localAddr(of(ctx).Addr())
		out.SetBool(local)
		return known
	}
}

// localAddr asks the kernel whether an address belongs to this machine: only such a one can be bound and
// connected to itself. An invalid address is that of a UNIX socket, which is local.
func localAddr(a netip.Addr) (local, known bool) {
	if !a.IsValid() {
		return true, true
	}
	family := unix.AF_INET
	var to unix.Sockaddr
	if a.Is4() {
		to = &unix.SockaddrInet4{Addr: a.As4()}
	} else {
		family = unix.AF_INET6
		to = &unix.SockaddrInet6{Addr: a.As16()}
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_UDP)
	if err != nil {
		return false, false
	}
	defer unix.Close(fd)
	if err = unix.Bind(fd, to); err != nil {
		return false, err == unix.EADDRNOTAVAIL
	}
	return unix.Connect(fd, to) == nil, true
}
