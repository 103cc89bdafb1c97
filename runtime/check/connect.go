package check

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/loop"
	"hapax/runtime/proxyproto"
	"hapax/runtime/transport"
)

// connect opens a connection, after the one before was closed.
type connect struct {
	addr      runtime.Addr // FamilyNone: that of the check or of the server
	port      int          // 0: portExpr's or those of the addresses
	portExpr  *sample.Expr
	useServer bool // as the server's own connections are: "default"
	implicit  bool // nobody wrote it
	linger    bool // the server shall see a clean end
	socks     bool // through the server's SOCKS4 proxy
	sendProxy bool // begin with a PROXY header
	tls       bool // TLS, whatever the server's own connections are
	hello     transport.CheckHello
	proto     runtime.Proto // ProtoAny: what the server line says, or ALPN

	// quiet: the first acknowledgement of the server's is held back, as nothing
	// follows or data will carry it.
	quiet, data bool
}

func (c *connect) run(ck *Check, r *rule) verdict {
	ck.close()
	ck.current = r
	ck.forget()
	ck.up, ck.eof, ck.err, ck.speaker = false, false, nil, nil
	srv, px := ck.srv, ck.srv.Proxy

	limit := srv.Inter
	if ck.agent != nil {
		limit = ck.interval()
	}
	if t := px.Timeout; t.Check > 0 && t.Connect > 0 {
		limit = min(limit, t.Connect)
	}
	ck.timer.After(limit)

	pooled, name := c.pooled(ck), ""
	if pooled {
		if name = c.poolName(ck); ck.borrow(name) {
			ck.limit()
			return proceed
		}
	}
	srv.Used.Show(srv.Used.Load() + 1) // connections, with this one
	to, err := c.target(ck)
	if err != nil {
		ck.connectionFailed(err, false)
		return over
	}
	ck.inet = to.Family() != unix.AF_UNIX
	fd, err := dial.Socket(ck.checks.cfg, srv, to, &dial.Wish{})
	if err != nil {
		ck.connectionFailed(err, false)
		return over
	}
	if c.quiet && ck.inet {
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0)
	}
	if pooled {
		ck.use(ck.checks.pool.Make(srv, ck.lane.Load().id, name))
	}
	layer := c.layer(ck)
	if c.sendsProxy(ck.srv) {
		ck.greeting, ck.behind, layer = true, layer, nil
	}
	if c.viaSocks(srv) {
		layer = transport.Via(ck.conn, ck.stream.ServerAddr, layer)
		proxy := loop.AddrFrom(srv.Socks)
		to = &proxy
	}
	ck.conn.Connect(ck.loop(), fd, to, ck, layer)
	if layer == nil && ck.behind == nil && (ck.loan == nil || ck.proto() != runtime.ProtoH2) {
		ck.speak()
	}
	return await
}

// sendsProxy tells whether the connection begins with a PROXY header: the rule or
// "check-send-proxy" says so, or it goes where the server's traffic goes.
func (c *connect) sendsProxy(srv *runtime.Server) bool {
	switch {
	case c.sendProxy:
		return true
	case !c.useServer:
		return false
	}
	return srv.CheckSendProxy || srv.SendProxy != 0 && !elsewhere(srv)
}

// viaSocks tells whether the connection goes through the server's proxy.
func (c *connect) viaSocks(srv *runtime.Server) bool {
	return srv.Socks.IsValid() && (c.socks || c.useServer && srv.CheckViaSocks)
}

// elsewhere tells that checks do not talk to the server as its traffic does: they go apart from it, or the server was added at run time, where each says what its checks do.
func elsewhere(srv *runtime.Server) bool { return srv.Dynamic || apart(srv) }

// apart tells that checks have an address or a port of their own.
func apart(srv *runtime.Server) bool {
	return srv.LiveCheckPort.Load() != 0 || srv.CheckAddr.Family != runtime.FamilyNone
}

// greet sends the PROXY header of a connection that stands, and begins with TLS, which is
// to come behind it. Without TLS the connection counts as made when the header is sent.
func (ck *Check) greet() {
	ck.greeting = false
	var src, dst netip.AddrPort
	if ck.inet {
		if a, err := loop.LocalAddr(ck.conn.Fd()); err == nil {
			src, dst = a.AddrPort(), ck.stream.ServerAddr
		}
	}
	ck.expose()
	ck.conn.SendStatic(proxyproto.AppendLocal(nil, &ck.stream, ck.srv, src, dst))
	layer := ck.behind
	if ck.behind = nil; layer == nil {
		ck.conn.NotifySent(0)
		return
	}
	ck.conn.Insert(ck.loop(), layer, ck)
	layer.Connected(nil)
}

// layer is that of TLS; nil: the connection is clear.
func (c *connect) layer(ck *Check) transport.Layer {
	maker, hello := c.secures(ck)
	if maker == nil {
		return nil
	}
	return maker.Check(&hello)
}

// secures tells what the connection is encrypted by: with the "ssl" of the rule, with "check-ssl", or when the check goes
// where the server's traffic goes and that is encrypted; and what the server is told then.
func (c *connect) secures(ck *Check) (maker transport.Maker, hello transport.CheckHello) {
	srv := ck.srv
	settings := srv.TLS
	switch {
	case c.tls:
	case !c.useServer:
		return nil, hello
	case srv.CheckTLS != nil:
		settings = srv.CheckTLS
	case srv.ChecksClear:
		return nil, hello
	case !srv.Encrypted() || elsewhere(srv):
		return nil, hello
	}
	hello = c.hello
	hello.Server, hello.Host = c.useServer, ck.hostName()
	return settings.(transport.Maker), hello
}

// hostName is what a check in HTTP asks for, without a port, when nobody wrote how it
// connects.
func (ck *Check) hostName() string {
	first, ok := ck.rules.rules[0].do.(*connect)
	if !ok || !first.implicit {
		return ""
	}
	for _, r := range ck.rules.rules {
		q, ok := r.do.(*request)
		if !ok {
			continue
		}
		for _, h := range q.headers {
			if h.name == "host" {
				host := string(ck.write(h.value))
				if colon := strings.LastIndexAny(host, ":]"); colon >= 0 && host[colon] == ':' {
					host = host[:colon]
				}
				return host
			}
		}
		break
	}
	return ""
}

// errReversed tells that a server which comes to us has no connection that is free.
var errReversed = errors.New("Invalid argument")

// target finds where to connect to: the rule's address, or the check's, or the
// server's, and the first port among those of the rule, the check and the server.
func (c *connect) target(ck *Check) (*loop.Addr, error) {
	if ck.agent != nil {
		return ck.agentTarget()
	}
	srv := ck.srv
	if srv.Reversed {
		return nil, errReversed
	}
	own, check := c.addr, srv.CheckAddr
	addr := own
	if addr.Family == runtime.FamilyNone {
		addr = check
	}
	if addr.Family == runtime.FamilyNone {
		addr = *srv.Addr.Load()
	}
	switch addr.Family {
	case runtime.FamilyUnix, runtime.FamilyAbstract, runtime.FamilyAbstractZ:
		to, err := dial.Target(&addr)
		return &to, err
	}
	port := uint16(c.port)
	if port == 0 && c.portExpr != nil {
		ck.expose()
		v := ck.stream.Ctx.Scratch.Borrow()
		if c.portExpr.EvalAs(&ck.stream.Ctx, sample.Int, v) {
			port = uint16(v.Int)
		}
		ck.stream.Ctx.Scratch.Return()
	}
	for _, p := range []uint16{own.IP.Port(), uint16(srv.LiveCheckPort.Load()), check.IP.Port(), srv.Addr.Load().IP.Port()} {
		if port == 0 {
			port = p
		}
	}
	if !addr.IP.IsValid() {
		return nil, syscall.EADDRNOTAVAIL
	}
	to := loop.AddrFrom(withPort(addr, port))
	ck.stream.ServerAddr = withPort(addr, port)
	ck.stream.Ctx.Back.Dst = ck.stream.ServerAddr
	return &to, nil
}
