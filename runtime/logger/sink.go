package logger

import (
	"fmt"
	"strconv"
	"time"

	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/logger/ring"
	"hapax/stats/cli"
)

// open makes the ring of a sink.
func (x *sink) open() {
	if x.kind == "buffer" && x.ring == nil {
		x.ring = ring.New(int(max(x.size, 2*ringOverhead)) - ringOverhead)
	}
}

// forward begins to send the messages of all rings to their servers, until stop is closed.
func (s *sinks) forward(stop chan struct{}) {
	for _, x := range s.all {
		if x.proxy == nil {
			continue
		}
		for _, srv := range x.proxy.Servers {
			f := &forwarder{ring: x.ring, srv: srv, px: x.proxy, stop: stop}
			go f.run()
		}
	}
}

// ringSender writes the messages of a target to a ring.
type ringSender struct {
	target *runtime.LogTarget
	sink   *sink
}

// newRingSender finds the ring of a target, which is known to be there.
func newRingSender(cfg *runtime.Config, t *runtime.LogTarget) *ringSender {
	x := sinksOf(cfg).named(t.Ring)
	x.open()
	return &ringSender{t, x}
}

// Send implements runtime.LogSender. Messages that were dropped before are told of first.
func (r *ringSender) Send(_ int, head, sd, body []byte) {
	x := r.sink
	if n := x.ring.Dropped(); n > 0 {
		if !x.ring.Write(head, droppedText(n)) {
			r.target.Dropped.Add(1) // one more is counted: the message
			return
		}
		x.ring.Told(n)
	}
	most := r.target.MaxLen - 1 // the line feed counts
	if x.maxLen > 0 {
		most = min(most, int(x.maxLen))
	}
	parts := [...][]byte{head, sd, body}
	for i, p := range parts {
		parts[i] = p[:min(len(p), most)]
		most -= len(parts[i])
	}
	if !x.ring.Write(parts[:]...) {
		r.target.Dropped.Add(1)
	}
}

func droppedText(n uint64) []byte {
	if n == 1 {
		return []byte("1 event dropped")
	}
	return append(strconv.AppendUint(nil, n, 10), " events dropped"...)
}

var commands = []cli.Command{
	{Doc: keyword.Doc{Name: "show events", Ref: "9.3", Summary: "rings, or the messages in one"}, Run: showEvents},
}

const eventsUsage = "Supported events sinks are listed below. Add -0(zero), -w(wait), -n(new). Any key to stop.\n"

// eventsPace is how often a command that waits looks for new messages.
const eventsPace = 20 * time.Millisecond

// showEvents is `show events [<sink>] [-w] [-n] [-0]`.
func showEvents(c *cli.Conn, args []string) cli.Step {
	all := sinksOf(c.Owner.(interface{ RunningConfig() *runtime.Config }).RunningConfig())
	name := cli.Arg(args, 2)
	if name == "" {
		text := eventsUsage
		for _, x := range all.all {
			dropped := uint64(0)
			if x.ring != nil {
				dropped = 2 * x.ring.Dropped() // as the reference shows it, whose lowest bit is a lock
			}
			text += fmt.Sprintf("    %-10s : type=%s, %d dropped, %s\n", x.name, x.kind, dropped, x.desc)
		}
		return c.Say(cli.Warning, text)
	}
	if !c.Allow(cli.Operator) {
		return nil
	}
	x := all.named(name)
	switch {
	case x == nil:
		return c.Fail("No such event sink")
	case x.ring == nil:
		return c.Say(cli.Notice, "Nothing to report for this sink")
	}
	var wait, fresh bool
	end := byte('\n')
	for _, option := range args[3:] {
		switch option {
		case "-w":
			wait = true
		case "-n":
			fresh = true
		case "-0":
			end = 0
		case "-nw", "-wn":
			wait, fresh = true, true
		default:
			return c.Fail("unknown option")
		}
	}
	from := x.ring.Attach(fresh)
	c.OnRelease(from.Detach)
	var message []byte
	return func(c *cli.Conn) bool {
		for !c.Full() {
			var ok bool
			if message, ok = from.Next(message[:0]); !ok {
				if !wait || c.Interrupted() {
					return true
				}
				c.Pause(eventsPace)
				return false
			}
			c.Write(append(message, end))
		}
		return wait && c.Interrupted()
	}
}
