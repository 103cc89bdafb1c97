package command

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"hapax/runtime"
	"hapax/stats/cli"
)

var profiles = []cli.Command{
	{Doc: doc("set profiling", "switch the measuring of streams"), Level: cli.Admin, Run: setProfiling},
	{Doc: doc("show profiling", "what streams took"), Level: cli.Admin, Run: showProfiling},
	{Doc: doc("show tasks", "what waits for its turn: nothing ever does, loops run what comes to its end"), Run: showTasks},
	{Doc: doc("show threads", "what the thread of each loop does"), Run: showThreads},
}

// profiling is the state of what "set profiling tasks" switches. Guarded by Process.making.
type profiling struct {
	said          bool // on or off was said since the start
	mode          runtime.Profiling
	started, over time.Time
}

func (p *Process) profile() *profiling {
	if !p.profiling.said {
		p.profiling.said, p.profiling.mode = true, p.Config.Global.ProfileTasks
		if p.profiling.mode == runtime.ProfileOn {
			p.profiling.started = p.Config.Stats.Started
		}
	}
	return &p.profiling
}

// switchTo changes the mode; on and auto begin a new measure.
func (p *Process) switchTo(mode runtime.Profiling) {
	now := p.profile()
	now.mode = mode
	if mode != runtime.ProfileOff {
		now.started, now.over = time.Now(), time.Time{}
	} else if !now.started.IsZero() {
		now.over = time.Now()
	}
	if p.Streams != nil {
		p.Streams.Profile(mode == runtime.ProfileOn || mode == runtime.ProfileAutoOn)
	}
}

func setProfiling(c *cli.Conn, args []string) cli.Step {
	switch cli.Arg(args, 2) {
	case "tasks":
	case "memory":
		return c.Fail("Memory profiling not compiled in.")
	default:
		return c.Fail("Expects either 'tasks' or 'memory'.")
	}
	p := process(c)
	p.making.Lock()
	defer p.making.Unlock()
	for _, word := range args[3:] {
		switch word {
		case "on":
			p.switchTo(runtime.ProfileOn)
			continue
		case "auto":
			mode := runtime.ProfileAuto
			if now := p.profile().mode; now == runtime.ProfileOn || now == runtime.ProfileAutoOn {
				mode = runtime.ProfileAutoOn
			}
			p.switchTo(mode)
			continue
		case "off":
			p.switchTo(runtime.ProfileOff)
			continue
		case "lock", "no-lock", "memory", "no-memory": // there are neither locks nor allocations to measure in a run
			continue
		}
		return c.Fail(profilingUsage)
	}
	if len(args) == 3 {
		return c.Fail(profilingUsage)
	}
	return nil
}

const profilingUsage = "Expects a combination of either 'on', 'auto', 'off', 'lock', 'no-lock', 'memory' or 'no-memory'."

func showProfiling(c *cli.Conn, args []string) cli.Step {
	status, tasks, most := true, true, 0
	order := func(a, b runtime.Effort) int { return cmp.Compare(b.Calls, a.Calls) }
	for _, word := range args[2:] {
		switch word {
		case "all":
			status, tasks = true, true
		case "status":
			status, tasks = true, false
		case "tasks":
			status, tasks = false, true
		case "memory":
			status, tasks = false, false
		case "byaddr":
			order = func(a, b runtime.Effort) int { return strings.Compare(a.Step, b.Step) }
		case "bytime":
			order = func(a, b runtime.Effort) int { return cmp.Compare(b.Busy, a.Busy) }
		case "byctx", "aggr": // a step is its own context
		default:
			if word[0] < '0' || word[0] > '9' {
				return c.Fail("Expects either 'all', 'status', 'tasks', 'memory', 'byaddr', 'bytime', 'byctx', 'aggr' or a max number of output lines.")
			}
			most = number(word)
		}
	}
	p := process(c)
	p.making.Lock()
	defer p.making.Unlock()
	now := p.profile()
	if status {
		c.Printf("Per-task CPU profiling              : %-8s      # set profiling tasks {on|auto|off}\n"+
			"Memory usage profiling              : off           # set profiling memory {on|off}\n", now.mode)
	}
	if tasks && p.Streams != nil {
		now.write(c, p.Streams.Efforts(), order, most)
	}
	return nil
}

// write shows what was measured, in an order, at most some lines (0: all).
func (now *profiling) write(c *cli.Conn, efforts []runtime.Effort, order func(a, b runtime.Effort) int, most int) {
	var lasted, ago time.Duration
	switch {
	case now.started.IsZero():
	case now.over.IsZero():
		lasted = time.Since(now.started)
	default:
		lasted, ago = now.over.Sub(now.started), time.Since(now.over)
	}
	c.Printf("Tasks activity over %.3f sec till %.3f sec ago:\n"+
		"  function                      calls   cpu_tot   cpu_avg   lkw_avg   lkd_avg   mem_avg   lat_avg\n", lasted.Seconds(), ago.Seconds())
	slices.SortStableFunc(efforts, order)
	for i, e := range efforts {
		if most > 0 && i == most {
			return
		}
		name := cmp.Or(strings.ReplaceAll(e.Step, " ", "_"), "other")
		c.Printf("  %s%*d   %s   %s      -         -         -      %s\n", name, max(35-len(name), 1), e.Calls,
			shortTime(e.Busy), shortTime(e.Busy/e.Calls), shortTime(e.Late/e.Calls))
	}
}

// shortTime writes nanoseconds in seven columns.
func shortTime(ns int64) string {
	v := float64(ns)
	if v <= 0 {
		return "   -   "
	}
	unit := ""
	for _, u := range []struct {
		name string
		next float64
	}{{"ns", 1000}, {"us", 1000}, {"ms", 1000}, {"s ", 60}, {"m ", 60}, {"h ", 24}, {"d ", 365}, {"yr", 1000}} {
		if unit = u.name; v < u.next {
			break
		}
		v /= u.next
	}
	switch {
	case v < 10:
		return fmt.Sprintf("%1.3f%s", v, unit)
	case v < 100:
		return fmt.Sprintf("%2.2f%s", v, unit)
	}
	return fmt.Sprintf("%3.1f%s", v, unit)
}

func showTasks(c *cli.Conn, _ []string) cli.Step {
	loops := 1
	if s := process(c).Streams; s != nil {
		loops = s.Loops()
	}
	c.Printf("Running tasks: 0 (%d threads)\n"+
		"  function                     places     %%    lat_tot   lat_avg  calls_tot  calls_avg calls%%\n", loops)
	return nil
}

func showThreads(c *cli.Conn, _ []string) cli.Step {
	p := process(c)
	if p.Streams == nil {
		return nil
	}
	up := time.Since(p.Config.Stats.Started)
	for i := range p.Streams.Loops() {
		a := p.Streams.Activity(i)
		c.Printf("  Thread %d : loops=%d events=%d accepted=%d idle=%d%%\n             cpu_ns: poll=%d now=%d diff=%d\n",
			i+1, a.Turns, a.Events, a.Accepted, a.Idle, a.Waited.Nanoseconds(), up.Nanoseconds(), max(up-a.Waited, 0).Nanoseconds())
	}
	return nil
}
