package process

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// child is a process that a master knows: a worker, or itself.
type child struct {
	pid      int
	link     *os.File // worker: this side of the link
	reloads  int      // since it was started
	failed   int      // of the last reloads: the master's own are those since it last started a worker
	started  time.Time
	version  string
	starting bool // it has not said yet that it serves
}

// leaving tells that a newer worker took its place, or shall.
func (c *child) leaving() bool { return c.reloads > 0 }

// Variables of the environment by which a master that executes itself leaves
// what it knows. Their form is the reference's, so that either program can take
// over from the other when the executable was replaced.
const (
	reexecVariable   = "HAPROXY_MWORKER_REEXEC"
	childrenVariable = "HAPROXY_PROCESSES"
	workerVariable   = "HAPROXY_MWORKER"
)

// errChildren says that what an earlier master left is not understood.
var errChildren = errors.New("Failed to deserialize data for the master process. Unrecoverable error, exiting.")

// encode puts a child into one entry of childrenVariable. fd and cfd are its descriptors, -1 for none.
func (c *child) encode(kind byte, fd, cfd int) string {
	return fmt.Sprintf("|type=%c;fd=%d;cfd=%d;pid=%d;reloads=%d;failedreloads=%d;timestamp=%d;id=;version=%s",
		kind, fd, cfd, c.pid, c.reloads, c.failed, c.started.Unix(), c.version)
}

// legacy is what a master leaves of a process: fds are the ends of its link, -1 for none.
type legacy struct {
	*child
	fds [2]int
}

// decodeChildren reads childrenVariable: the master itself, and the workers, the
// one with the fewest reloads first.
func decodeChildren(text string) (master legacy, workers []legacy, err error) {
	for entry := range strings.SplitSeq(text, "|") {
		if entry == "" {
			continue
		}
		c, kind := legacy{&child{}, [2]int{-1, -1}}, ""
		for field := range strings.SplitSeq(entry, ";") {
			name, value, _ := strings.Cut(field, "=")
			n, _ := strconv.Atoi(value)
			switch name {
			case "type":
				kind = value
			case "fd":
				c.fds[0] = n
			case "cfd":
				c.fds[1] = n
			case "pid":
				c.pid = n
			case "reloads":
				c.reloads = n
			case "failedreloads":
				c.failed = n
			case "timestamp":
				c.started = time.Unix(int64(n), 0)
			case "version":
				c.version = value
			}
		}
		switch {
		case kind == "m":
			master = c
		case kind == "w" && c.pid > 0:
			workers = append(workers, c)
		}
	}
	if master.child == nil {
		return master, nil, errChildren
	}
	slices.SortStableFunc(workers, func(a, b legacy) int { return a.reloads - b.reloads })
	return master, workers, nil
}

// row is the line of "show proc".
func (c *child) row(kind, reloads string) string {
	up := max(int64(time.Since(c.started)/time.Second), 0)
	uptime := fmt.Sprintf("%dd%02dh%02dm%02ds", up/86400, up%86400/3600, up%3600/60, up%60)
	return fmt.Sprintf("%-15d %-15s %-15s %-15s %-15s", c.pid, kind, reloads, uptime, c.version)
}
