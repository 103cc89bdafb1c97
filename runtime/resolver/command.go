package resolver

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/stats/cli"
)

// commands are the rows of the runtime API. Section 9.3 of the management guide.
var commands = []cli.Command{
	{Doc: keyword.Doc{Name: "show resolvers", Ref: "9.3", Summary: "dumps counters from all resolvers section and associated name servers",
		Args: []keyword.Arg{{Name: "id", Type: keyword.Name, Opt: true}}}, Run: showResolvers},
}

// configured is what a connection of the socket belongs to.
type configured interface{ RunningConfig() *runtime.Config }

func showResolvers(c *cli.Conn, args []string) cli.Step {
	all, _ := c.Owner.(configured).RunningConfig().Resolvers.([]*Section)
	if name := cli.Arg(args, 2); name != "" {
		i := slices.IndexFunc(all, func(s *Section) bool { return s.Name == name })
		if i < 0 {
			return c.Fail("Can't find that resolvers section")
		}
		all = all[i : i+1]
	}
	if len(all) == 0 {
		c.Printf("No resolvers found\n")
	}
	for _, s := range all {
		c.Printf("Resolvers section %s\n", s.Name)
		for _, ns := range s.servers {
			c.Printf(" nameserver %s:\n", ns.name)
			for i, n := range ns.count.values() {
				c.Printf("  %-13s%d\n", names[i]+":", n)
			}
		}
	}
	return nil
}

// names of the counters in the order in which they are shown.
var names = [...]string{"sent", "snd_error", "valid", "update", "cname", "cname_error", "any_err", "nx", "timeout", "refused", "other",
	"invalid", "too_big", "truncated", "outdated"}

// Row are the counters of one name server.
type Row struct {
	Section, Name string
	Counters      [len(names)]uint64
}

// All gives the counters of all name servers, section by section.
func All(cfg *runtime.Config) iter.Seq[Row] {
	return func(yield func(Row) bool) {
		all, _ := cfg.Resolvers.([]*Section)
		for _, s := range all {
			for _, ns := range s.servers {
				if !yield(Row{s.Name, ns.name, ns.count.values()}) {
					return
				}
			}
		}
	}
}

// values are the counters in the order of names. The reference never counts a timeout.
func (c *Counters) values() [len(names)]uint64 {
	return [...]uint64{c.Sent.Load(), c.SendError.Load(), c.Valid.Load(), c.Update.Load(), c.CName.Load(), c.CNameError.Load(),
		c.AnyErr.Load(), c.NX.Load(), 0, c.Refused.Load(), c.Other.Load(), c.Invalid.Load(), c.TooBig.Load(), c.Truncated.Load(),
		c.Outdated.Load()}
}

// SetHost gives a server another name to be resolved. Section 9.3 of the management guide "set server fqdn".
// It returns what the reference answers; changed tells whether it did.
func SetHost(srv *runtime.Server, host, by string) (said string, changed bool) {
	o, _ := srv.Resolve.(*options)
	switch {
	case srv.Resolvers == "" || o == nil || o.lookup == nil:
		return "set server <b>/<s> fqdn failed because no resolution is configured.", false
	case srv.HostName() == host:
		return fmt.Sprintf("no need to change the FDQN by '%s'", by), true
	case !validName(host) || strings.ContainsFunc(host, unfit):
		return fmt.Sprintf("invalid fqdn '%s' by '%s'", host, by), true
	}
	l, done := o.lookup, make(chan string)
	l.sec.do(func() {
		was := srv.HostName()
		l.sec.control.Renamed(srv, host, by)
		l.follow(host)
		done <- l.sec.control.RenameText(srv, was, host, by)
	})
	select {
	case said = <-done:
	case <-l.sec.stop:
	}
	return said, true
}

// unfit tells whether a character may not stand in a host name.
func unfit(c rune) bool {
	return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
}
