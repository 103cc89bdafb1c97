package engine

import (
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/h2"
	"hapax/runtime/transport"
)

// attachAction is how connections of clients become connections to a server: one that this process cannot reach, and that
// comes itself (reverse HTTP).
var attachAction = config.Action{
	Doc: keyword.Doc{Name: "attach-srv", Ref: "4.4", Summary: "make the connection one to a server, which serves on it from now on",
		Args: []keyword.Arg{{Name: "server", Type: keyword.Server}, {Name: "name", Type: keyword.Sample, Opt: true}},
		Examples: []keyword.Example{{Config: `global
  expose-experimental-directives
defaults
  mode http
frontend f
  bind :1 proto h2
  tcp-request session attach-srv b/s
backend b
  server s rhttp@
`}}},
	In: runtime.TCPSessRules, Parse: parseAttach,
}

// parseAttach reads "<backend>/<server> [name <expr>]".
func parseAttach(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if err := l.Experimental("'attach-srv' action"); err != nil {
		return nil, fmt.Errorf("parsing [%s:%d] : %w", l.Pos().File, l.Pos().Line, err)
	}
	to, target := &runtime.Attachment{}, a.Take()
	var name *sample.Expr
	if a.Peek() == "name" {
		a.Skip(1)
		if a.Done() {
			return nil, errors.New("missing name value")
		}
		var err error
		if name, err = l.Expr(&a.Words); err != nil {
			return nil, err
		}
	}
	px := a.Proxy
	l.CheckRule(func() (err error) {
		to.Server, err = attached(l, px, target, name != nil)
		return err
	})
	if name == nil {
		return func(s *runtime.Stream) runtime.Verdict {
			s.Attach = to
			return runtime.Continue
		}, nil
	}
	return func(s *runtime.Stream) runtime.Verdict {
		v := s.Ctx.Scratch.Borrow()
		defer s.Ctx.Scratch.Return()
		s.Attach = &runtime.Attachment{Server: to.Server}
		if name.EvalAs(&s.Ctx, sample.Str, v) {
			s.Attach.Name = string(v.Bytes)
		}
		return runtime.Continue
	}, nil
}

// attached is the server that a rule names.
func attached(l *config.Loader, px *runtime.Proxy, target string, named bool) (*runtime.Server, error) {
	if px.Mode != runtime.ModeHTTP {
		return nil, errors.New("attach-srv rule requires HTTP proxy mode")
	}
	backend, name, _ := strings.Cut(target, "/")
	if name == "" {
		return nil, fmt.Errorf("attach-srv rule: invalid server name '%s'", target)
	}
	be := l.Config.Proxy(backend)
	if be == nil || be.Caps&runtime.CapBack == 0 {
		return nil, fmt.Errorf("attach-srv rule: no such backend '%s'", target)
	}
	srv := be.ServerByName([]byte(name))
	switch {
	case srv == nil:
		return nil, fmt.Errorf("attach-srv rule: no such server '%s'", target)
	case named && !takesNames(srv):
		return nil, fmt.Errorf("attach-srv rule has a name argument while server '%s' does not use pool-conn-name; "+
			"either reconfigure the server or remove the name argument from this attach-srv rule", target)
	case !named && takesNames(srv):
		return nil, fmt.Errorf("attach-srv rule has no name argument while server '%s' uses pool-conn-name; "+
			"either add a name argument to the attach-srv rule or reconfigure the server", target)
	}
	return srv, nil
}

// takesNames tells whether requests want a connection of a certain name.
func takesNames(srv *runtime.Server) bool {
	return srv.SNI.Text != "" || srv.PoolName.Text != "" || srv.Encrypted() && srv.TLS.(transport.Maker).Named()
}

// turn makes the connection of a client, which has told its settings, one to the server that a rule attached it to: idle,
// and good for all requests that want its name. Who opened the connection serves from now on.
func (m *h2Client) turn() {
	c, w, to := m.c, m.w, m.attach
	m.push()
	k := w.newLink(to.Server)
	k.made, k.up, k.safe = to.Name, true, true
	k.met, k.peer = true, c.Src
	c.sock.MoveTo(&k.sock)
	t, beyond := k.carry(&m.h2), m.beyond
	k.sock.SetHandler(t)
	t.h2.Turn(&w.engine.h2Attached)
	t.counters().Conns.Inc()
	m.shut(false)
	c.depart()
	k.unuse()
	if !w.mayPool(k) {
		t.room(0)
		t.h2.Fail(h2.InternalError)
		k.close()
		if beyond != nil {
			beyond.Release()
		}
		return
	}
	t.watch()
	w.give(k)
	if beyond != nil {
		t.Received(beyond, nil)
	}
}

// depart ends the client of a connection that has become another one.
func (c *client) depart() {
	c.closed = true
	c.timer.Stop()
	c.left()
}

// carry makes a link whose connection stands a shared one that goes on with the state of the one that it was before.
func (k *link) carry(state *h2.Conn) *shared {
	m := &shared{k: k, be: k.srv.Proxy}
	m.timer.Init(k.w.loop, m)
	k.shared = m
	m.mux.init(k.w, &k.sock, &k.w.engine.h2Servers, m)
	m.h2.Take(state)
	m.counters().Open.Inc()
	return m
}
