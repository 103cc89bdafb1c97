package peers

import (
	"fmt"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/loop"
	"hapax/runtime/peers/exchange"
	"hapax/stats/cli"
)

func commands() []cli.Command {
	return []cli.Command{{Doc: keyword.Doc{Name: "show peers", Ref: "9.3", Summary: "what was exchanged with the peers of all sections, or of one",
		Args: []keyword.Arg{{Name: "dict", Type: keyword.Enum, Enum: []string{"dict", "-"}, Opt: true, Doc: "show texts too; `-`: a section may be called dict"}, {Name: "section", Type: keyword.Name, Opt: true}}}, Run: showPeers}}
}

// owner is what the owner of a connection to a stats socket answers.
type owner interface {
	RunningConfig() *runtime.Config
}

func showPeers(c *cli.Conn, args []string) cli.Step {
	name, texts := cli.Arg(args, 2), false
	if name == "dict" || name == "-" {
		texts = name == "dict"
		name = cli.Arg(args, 3)
	}
	all := Sections(c.Owner.(owner).RunningConfig())
	if name != "" {
		for _, s := range all {
			if s.name == name {
				return show([]*Section{s}, texts)
			}
		}
		return c.Fail("No such peers")
	}
	return show(all, texts)
}

// show tells of sections, one at a time.
func show(all []*Section, texts bool) cli.Step {
	first := true
	return func(c *cli.Conn) (done bool) {
		if len(all) == 0 {
			return true
		}
		if !first {
			c.WriteString("\n")
		}
		first = false
		s := all[0]
		all = all[1:]
		c.SetBuffer(s.ask(c.Buffer(), texts))
		return len(all) == 0
	}
}

// ask lets the section's loop tell of it.
func (s *Section) ask(b []byte, texts bool) []byte {
	answer := make(chan []byte, 1)
	s.loop.PostFunc(func() { answer <- s.group.AppendState(b, s.began.Format("02/Jan/2006:15:04:05"), s, texts) })
	return <-answer
}

// Address is where a peer is.
func (s *Section) Address(p *exchange.Peer) string {
	at := s.here.AddrPort()
	if a := s.servers[p].Addr.Load(); !p.Local && a != nil {
		at = a.IP
	}
	if !at.IsValid() {
		return "unix:0"
	}
	return fmt.Sprint(at.Addr(), ":", at.Port())
}

// Connection is that of a peer who has connected.
func (s *Section) Connection(p *exchange.Peer) string {
	c := s.conns[p.Session()]
	if c == nil {
		return ""
	}
	if !c.sock.IsOpen() || c.closed == nil {
		return " state=" + c.state()
	}
	text := " state=EST\n        xprt=" + map[bool]string{true: "SSL", false: "RAW"}[c.sock.Layer() != nil]
	if peer, err := loop.PeerAddr(c.sock.Fd()); err == nil && peer.AddrPort().IsValid() {
		text += fmt.Sprint(" src=", peer.AddrPort())
	}
	if own, err := loop.LocalAddr(c.sock.Fd()); err == nil && own.AddrPort().IsValid() {
		text += fmt.Sprint(" addr=", own.AddrPort())
	}
	return text
}
