package command

import (
	"fmt"
	"strconv"
	"time"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/stats/cli"
)

// activities are the lines of "show activity" in the reference's order. Those without a function count what only the
// reference's scheduler has: they are zero.
var activities = []struct {
	name string
	mean bool // the mean of the threads, not the sum, stands in front
	get  func(a *runtime.Activity, up time.Duration) int64
}{
	{name: "ctxsw"}, {name: "tasksw"}, {name: "empty_rq"}, {name: "long_rq"}, {name: "curr_rq"},
	{name: "loops", get: func(a *runtime.Activity, _ time.Duration) int64 { return a.Turns }},
	{name: "wake_tasks"}, {name: "wake_signal"},
	{name: "poll_io", get: func(a *runtime.Activity, _ time.Duration) int64 { return a.Events }},
	{name: "poll_exp"}, {name: "poll_drop_fd"}, {name: "poll_skip_fd"}, {name: "conn_dead"}, {name: "stream_calls"},
	{name: "pool_fail"}, {name: "buf_wait"}, {name: "cpust_ms_tot"}, {name: "cpust_ms_1s"}, {name: "cpust_ms_15s"},
	{name: "avg_cpu_pct", mean: true, get: func(a *runtime.Activity, _ time.Duration) int64 { return int64(100 - a.Idle) }},
	{name: "avg_loop_us", mean: true, get: func(a *runtime.Activity, up time.Duration) int64 {
		return max(up-a.Waited, 0).Microseconds() / max(a.Turns, 1)
	}},
	{name: "accepted", get: func(a *runtime.Activity, _ time.Duration) int64 { return int64(a.Accepted) }},
	{name: "accq_pushed"}, {name: "accq_full"}, {name: "accq_ring"}, {name: "fd_takeover"},
	{name: "check_adopted"}, {name: "check_started"}, {name: "check_active"}, {name: "check_running"},
}

// showActivity is `show activity [-1|0|<thread>]`: all, the sums alone, or one thread.
func showActivity(c *cli.Conn, args []string) cli.Step {
	p := process(c)
	if p.Streams == nil {
		return nil
	}
	n := p.Streams.Loops()
	which := -1
	if text := cli.Arg(args, 2); text != "" {
		if which = number(text); which < -1 || which > n {
			return c.Fail("Thread ID number must be between -1 and nbthread")
		}
	}
	up := time.Since(p.Config.Stats.Started)
	all := make([]runtime.Activity, n)
	for i := range all {
		all[i] = p.Streams.Activity(i)
	}
	now := time.Now()
	c.Printf("thread_id: 1 (1..%d)\ndate_now: %d.%06d\nuptime_now: %.6f\n", n, now.Unix(), now.Nanosecond()/1000, up.Seconds())
	for _, row := range activities {
		sum, each := int64(0), ""
		for i := range all {
			v := int64(0)
			if row.get != nil {
				v = row.get(&all[i], up)
			}
			if which > 0 && which == i+1 {
				each = strconv.FormatInt(v, 10)
			} else if which < 0 {
				each += fmt.Sprintf(" %d", v)
			}
			sum += v
		}
		if row.mean {
			sum /= int64(max(n, 1))
		}
		switch {
		case which > 0:
			c.Printf("%s: %s\n", row.name, each)
		case which == 0 || n == 1:
			c.Printf("%s: %d\n", row.name, sum)
		default:
			c.Printf("%s: %d [%s ]\n", row.name, sum, each)
		}
	}
	// Not of the reference, whose library counts its steps without telling.
	c.Printf("regex_cut_off: %d\n", sample.CutOff.Load())
	return nil
}
