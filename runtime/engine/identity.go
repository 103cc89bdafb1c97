package engine

import (
	"net/netip"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/dial"
	"hapax/runtime/proxyproto"
	"hapax/runtime/transport"
)

// identity is what a connection to a server was made for, beside the server: only
// requests for the same may use it. Most connections were made for nothing in particular.
type identity struct {
	text []byte // name, what else counts, and header
	name int    // where the name ends that the server is asked for in TLS
	head int    // where the PROXY header begins
	from int    // what is before does not count: "pool-conn-name" stands for the name

	source netip.AddrPort // the foreign address that it comes from ("usesrc")
}

// key is what requests are compared by.
func (id *identity) key() []byte { return id.text[id.from:] }

// identify tells what the stream wants of a connection to the server. The bytes are good
// until the worker identifies another one. ok is false when it cannot be told where the connection is to come from.
func (s *stream) identify(srv *runtime.Server) (id identity, ok bool) {
	if id.source, ok = dial.Foreign(&s.Stream, srv); !ok {
		return id, false
	}
	if !id.source.IsValid() && !srv.Encrypted() && s.c.ask == nil && srv.PoolName.Expr == nil && srv.SendProxy&runtime.SendProxyAny == 0 && !followsClient(srv) && s.BackMarks == (transport.Marks{}) {
		return id, true
	}
	text := s.w.line[:0]
	if srv.Encrypted() {
		text = append(text, srv.TLS.(transport.Maker).Name(&s.Stream)...)
	}
	id.name = len(text)
	switch {
	case s.c.ask != nil:
		id.from = id.name
		text = append(text, s.c.ask.agent.Engine...)
	case srv.PoolName.Expr != nil:
		id.from = id.name
		text = s.appendPoolName(text, srv.PoolName.Expr)
	}
	if followsClient(srv) {
		text = appendAddr(text, s.target(srv))
	}
	if id.source.IsValid() {
		text = appendAddr(text, id.source)
	}
	if s.BackMarks != (transport.Marks{}) {
		text = s.BackMarks.AppendTo(text)
	}
	id.head = len(text)
	if srv.SendProxy&runtime.SendProxyAny != 0 {
		text = proxyproto.Append(text, &s.Stream, srv)
	}
	s.w.line, id.text = text, text
	return id, true
}

// followsClient tells whether the address of the server depends on the one that the client wanted.
func followsClient(srv *runtime.Server) bool {
	return srv.MapPorts || srv.Addr.Load().IP.Addr().IsUnspecified()
}

// appendPoolName evaluates "pool-conn-name".
func (s *stream) appendPoolName(dst []byte, e *sample.Expr) []byte {
	ctx := &s.Ctx
	ctx.Checkpoint, ctx.Dir, ctx.Final = sample.SetServer, sample.Request, true
	ctx.Scratch.Reset()
	v := ctx.Scratch.Borrow()
	defer ctx.Scratch.Return()
	if e.EvalAs(ctx, sample.Str, v) {
		dst = append(dst, v.Bytes...)
	}
	return dst
}

// appendAddr appends an address so that no other one looks the same.
func appendAddr(dst []byte, a netip.AddrPort) []byte {
	ip := a.Addr().As16()
	return append(append(dst, ip[:]...), byte(a.Port()>>8), byte(a.Port()))
}
