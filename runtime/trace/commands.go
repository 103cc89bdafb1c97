package trace

import (
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/logger"
	"hapax/stats/cli"
)

func commands() []cli.Command {
	return []cli.Command{
		{Doc: keyword.Doc{Name: "trace", Ref: "9.3", Summary: "what is traced"}, Run: runTrace},
		{Doc: keyword.Doc{Name: "show trace", Ref: "9.3", Summary: "what is traced now"}, Run: showTrace},
	}
}

func setOf(c *cli.Conn) *Set {
	return Of(c.Owner.(interface{ RunningConfig() *runtime.Config }).RunningConfig())
}

func runTrace(c *cli.Conn, args []string) cli.Step {
	if !c.Allow(cli.Operator) {
		return nil
	}
	t := setOf(c)
	a := t.execute(args, statement{sink: func(name string) (*logger.Sink, *answer) {
		if x := logger.SinkNamed(t.cfg, name); x != nil {
			return x, nil
		}
		return nil, refused("No such trace sink '%s' ", name)
	}})
	if a == nil {
		return nil
	}
	return c.Say(a.severity, a.text)
}

func showTrace(c *cli.Conn, args []string) cli.Step {
	t := setOf(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	name := cli.Arg(args, 2)
	if name == "" {
		return c.Say(cli.Info, t.list())
	}
	if !c.Allow(cli.Operator) {
		return nil
	}
	src, ok := find(name)
	if !ok {
		return c.Fail("No such trace source")
	}
	return c.Say(cli.Warning, t.describe(src))
}
