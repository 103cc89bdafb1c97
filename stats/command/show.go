package command

import (
	"fmt"
	"time"

	"hapax/runtime"
	"hapax/stats"
	"hapax/stats/cli"
)

var show = []cli.Command{
	{Doc: doc("show info", "information about the process"), Run: showInfo},
	{Doc: doc("show stat", "statistics of proxies, listeners and servers"), Run: showStat},
	{Doc: doc("dump stats-file", "counters in the form of a stats file"), Run: dumpCounters},
	{Doc: doc("show schema json", "the schema of JSON outputs"), Run: showSchema},
	{Doc: doc("clear counters", "reset maxima, or all counters"), Level: cli.Operator, Run: clearCounters},
	{Doc: doc("show activity", "what each thread has done"), Level: cli.Operator, Run: showActivity},
	{Doc: doc("show errors", "last protocol errors"), Level: cli.Operator, Run: showErrors},
}

func showInfo(c *cli.Conn, args []string) cli.Step {
	o := stats.Info{Config: process(c).Config}
	for _, arg := range args[2:] {
		switch arg {
		case "typed":
			o.Style = stats.Typed
		case "json":
			o.Style = stats.JSON
		case "desc":
			o.Desc = true
		case "float":
			o.Float = true
		}
	}
	c.SetBuffer(o.Append(c.Buffer()))
	return nil
}

func showStat(c *cli.Conn, args []string) cli.Step {
	p := process(c)
	d := &stats.Dump{Scan: stats.Scan{Config: p.Config, Legends: c.SocketLevel >= cli.Operator}}
	args = args[2:]
	if cli.Arg(args, 0) == "domain" {
		switch cli.Arg(args, 1) {
		case "proxy":
			args = args[2:]
		case "resolvers":
			return showResolverStats(c, args[2:])
		default:
			return c.Fail("Invalid statistics domain.")
		}
	}
	if len(args) >= 3 {
		id := p.proxyID(args[0])
		if id == 0 {
			return c.Fail("No such proxy.")
		}
		d.Scan.Select = stats.Selection{Bound: true, Proxy: id, Types: number(args[1]), ID: number(args[2])}
		args = args[3:]
	}
	for _, arg := range args {
		switch arg {
		case "typed":
			d.Style = stats.Typed
		case "json":
			d.Style = stats.JSON
		case "desc":
			d.Desc = true
		case "no-maint":
			d.Scan.Select.NoMaint = true
		case "up":
			d.Scan.Select.Up = true
		}
	}
	return parts(d.Next)
}

// showResolverStats prints the counters of name servers.
func showResolverStats(c *cli.Conn, args []string) cli.Step {
	style, desc := stats.CSV, false
	for _, arg := range args {
		switch arg {
		case "typed":
			style = stats.Typed
		case "json":
			style = stats.JSON
		case "desc":
			desc = true
		}
	}
	c.SetBuffer(stats.AppendResolvers(c.Buffer(), process(c).Config, style, desc))
	return nil
}

// dumpCounters prints what "stats-file" reads.
func dumpCounters(c *cli.Conn, _ []string) cli.Step {
	d := &stats.KeepDump{Config: process(c).Config}
	return rows(func(c *cli.Conn) bool {
		out, done := d.Next(c.Buffer())
		c.SetBuffer(out)
		return !done
	})
}

func showSchema(c *cli.Conn, _ []string) cli.Step {
	c.WriteString(stats.Schema + "\n")
	return nil
}

func clearCounters(c *cli.Conn, args []string) cli.Step {
	all := cli.Arg(args, 2) == "all"
	if all && !c.Allow(cli.Admin) {
		return nil
	}
	stats.Clear(process(c).Config, all)
	return nil
}

// showErrors prints the last captured request and response of each proxy, or of one.
func showErrors(c *cli.Conn, args []string) cli.Step {
	cfg := process(c).Config
	id := -1
	if name := cli.Arg(args, 2); name != "" {
		if id = process(c).proxyID(name); id == 0 {
			return c.Fail("No such proxy.")
		}
	}
	want := cli.Arg(args, 3)
	c.Printf("Total events captured on [%s] : %d\n", time.Now().Format(captureDate), cfg.Stats.Captures.Load())
	proxies, i := cfg.AllProxies(), 0
	return rows(func(c *cli.Conn) bool {
		if i == len(proxies) {
			return false
		}
		px := proxies[i]
		i++
		if e := px.Live.BadRequest.Load(); want != "response" && concerns(px, e, id) {
			back, number := "<NONE>", -1
			if e.Other != nil {
				back, number = e.Other.Name, e.Other.ID
			}
			c.Printf(" \n[%s] frontend %s (#%d): invalid request\n  backend %s (#%d)", e.When.Format(captureDate), px.Name, px.ID, back, number)
			writeCapture(c, e)
		}
		if e := px.Live.BadResponse.Load(); want != "request" && concerns(px, e, id) {
			front, number := "<NONE>", -1
			if e.Other != nil {
				front, number = e.Other.Name, e.Other.ID
			}
			c.Printf(" \n[%s] backend %s (#%d): invalid response\n  frontend %s (#%d)", e.When.Format(captureDate), px.Name, px.ID, front, number)
			writeCapture(c, e)
		}
		return true
	})
}

const captureDate = "02/Jan/2006:15:04:05.000"

// concerns tells whether there is a capture, of the wanted proxy (-1: of any).
func concerns(px *runtime.Proxy, e *runtime.Capture, id int) bool {
	return e != nil && (id < 0 || px.ID == id || e.Other != nil && e.Other.ID == id)
}

func writeCapture(c *cli.Conn, e *runtime.Capture) {
	name, id, src := "<NONE>", -1, "unix:0"
	if e.Server != nil {
		name, id = e.Server.Name, e.Server.ID
	}
	if e.Src.IsValid() {
		src = fmt.Sprintf("%s:%d", e.Src.Addr(), e.Src.Port())
	}
	c.Printf(", server %s (#%d), event #%d, src %s\n  buffer starts at %d (including 0 out), %d free,\n"+
		"  len %d, wraps at %d, error at position %d\n  message state %s\n  \n",
		name, id, e.Event, src, e.Offset, e.Size-len(e.Text), len(e.Text), e.Size, e.At, e.State)
	writeText(c, e.Text)
}

// writeText writes bytes as lines of text of at most 80 characters, each with its offset; those that go on a line of
// the text have a "+" behind the offset.
func writeText(c *cli.Conn, text []byte) {
	const width = 80
	begin := true
	for at := 0; at < len(text); {
		mark := byte('+')
		if begin {
			mark = ' '
		}
		line := fmt.Appendf(nil, "  %05d%c ", at, mark)
		for begin = false; at < len(text); at++ {
			shown := printable(text[at])
			if len(line)+len(shown) >= width {
				break
			}
			line = append(line, shown...)
			if begin = text[at] == '\n'; begin {
				at++
				break
			}
		}
		c.Write(append(line, '\n'))
	}
}

func printable(b byte) string {
	switch b {
	case '\t':
		return `\t`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case 0x1b:
		return `\e`
	case '\\':
		return `\\`
	}
	if b >= ' ' && b <= '~' {
		return string(rune(b))
	}
	return fmt.Sprintf(`\x%02X`, b)
}
