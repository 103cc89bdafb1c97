package config

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
)

// cpuChoice are the "cpu-set" lines: which processors loops may run on. Section 3.1.
type cpuChoice struct {
	reset bool // what a service manager or "taskset" has left does not count
	rules []cpuRule
}

// cpuRule keeps, or leaves out, the processors of some of what a word names.
type cpuRule struct {
	only bool
	what string // "cpu", "node", "cluster", "core" or "thread"
	set  unix.CPUSet
}

// chooseCPUs reads "cpu-set <directive>...".
func chooseCPUs(l *Loader, line *ast.Line) error {
	const supported = "(only 'reset', 'only-cpu', 'drop-cpu', 'only-node', 'drop-node', 'only-cluster', 'drop-cluster', 'only-core', 'drop-core', 'only-thread', 'drop-thread' supported)."
	if line.Arg(1) == "" {
		return fmt.Errorf("'%s' requires a directive and an optional value %s", line.Arg(0), supported)
	}
	if l.cpuChoice == nil {
		l.cpuChoice = new(cpuChoice)
	}
	for i := 1; line.Arg(i) != ""; i++ {
		word := line.Arg(i)
		verb, what, _ := strings.Cut(word, "-")
		switch {
		case word == "reset":
			l.cpuChoice.reset = true
		case (verb == "only" || verb == "drop") && (what == "cpu" || what == "node" || what == "cluster" || what == "core" || what == "thread"):
			i++
			if line.Arg(i) == "" {
				if what == "cpu" {
					what = "CPU"
				}
				return fmt.Errorf("'%s %s': missing %s set\n.", line.Arg(0), word, what)
			}
			set, err := readCPUs([]string{line.Arg(i)})
			if err != nil {
				return fmt.Errorf("'%s %s': %s\n.", line.Arg(0), word, err)
			}
			l.cpuChoice.rules = append(l.cpuChoice.rules, cpuRule{verb == "only", what, set})
		default:
			return fmt.Errorf("'%s' passed an unknown directive '%s' %s", line.Arg(0), word, supported)
		}
	}
	return nil
}

// settleCPUs finds the processors that loops may run on. A choice that leaves none is none.
func (l *Loader) settleCPUs() {
	g := &l.Config.Global
	unix.SchedGetaffinity(0, &g.CPUs)
	if l.cpuChoice == nil {
		return
	}
	system := topology(os.DirFS("/sys/devices/system"))
	if l.cpuChoice.reset {
		for cpu := range system {
			g.CPUs.Set(cpu)
		}
	}
	left := g.CPUs
	for cpu := range mostCPUs {
		if left.IsSet(cpu) && !l.cpuChoice.allows(cpu, system[cpu]) {
			left.Clear(cpu)
		}
	}
	if left.Count() > 0 {
		g.CPUs = left
	}
}

func (c *cpuChoice) allows(cpu int, at cpuPlace) bool {
	for _, r := range c.rules {
		n := map[string]int{"cpu": cpu, "node": at.node, "cluster": at.cluster, "core": at.core, "thread": at.thread}[r.what]
		if r.set.IsSet(n) != r.only {
			return false
		}
	}
	return true
}

// cpuPlace is where a processor is: the numbers of its NUMA node, of its cluster (what shares the last cache) and of its core
// within the system, and its own within the core.
type cpuPlace struct{ node, cluster, core, thread int }

// topology reads where the processors are from the files of the system. What it does not tell is 0.
func topology(system fs.FS) map[int]cpuPlace {
	all := map[int]cpuPlace{}
	online, _ := readList(system, "cpu/online")
	clusters, cores := map[unix.CPUSet]int{}, map[unix.CPUSet]int{}
	for cpu := range mostCPUs {
		if !online.IsSet(cpu) {
			continue
		}
		dir := fmt.Sprintf("cpu/cpu%d/", cpu)
		at := cpuPlace{cluster: ordinal(clusters, lastCache(system, dir))}
		if core, ok := readList(system, dir+"topology/thread_siblings_list"); ok {
			at.core = ordinal(cores, core)
			for sibling := range cpu {
				if core.IsSet(sibling) {
					at.thread++
				}
			}
		}
		all[cpu] = at
	}
	nodes, _ := fs.Glob(system, "node/node[0-9]*")
	for _, dir := range nodes {
		set, _ := readList(system, dir+"/cpulist")
		for cpu, at := range all {
			if set.IsSet(cpu) {
				at.node = leadingNumber(strings.TrimPrefix(path.Base(dir), "node"))
				all[cpu] = at
			}
		}
	}
	return all
}

// lastCache are the processors that share the last cache of one.
func lastCache(system fs.FS, dir string) (set unix.CPUSet) {
	for level := range 5 {
		if shared, ok := readList(system, fmt.Sprintf("%scache/index%d/shared_cpu_list", dir, level)); ok {
			set = shared
		}
	}
	return set
}

// ordinal counts sets in the order in which they come.
func ordinal(known map[unix.CPUSet]int, set unix.CPUSet) int {
	n, ok := known[set]
	if !ok {
		n = len(known)
		known[set] = n
	}
	return n
}

// readList reads a file with a list of processors.
func readList(system fs.FS, name string) (set unix.CPUSet, ok bool) {
	data, err := fs.ReadFile(system, name)
	if err != nil {
		return set, false
	}
	set, err = readCPUs([]string{strings.TrimSpace(string(data))})
	return set, err == nil
}
