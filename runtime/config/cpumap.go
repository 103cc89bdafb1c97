package config

import (
	"fmt"
	"math/bits"
	"strings"

	"golang.org/x/sys/unix"

	"hapax/parser/ast"
)

// mostCPUs is how many processors can be named.
const mostCPUs = 1024

// cpuMap is where "cpu-map" lines want threads to run, by group and thread.
type cpuMap [threadGroups][groupThreads]unix.CPUSet

// mapCPUs reads "cpu-map". Section 3.1.
func mapCPUs(l *Loader, line *ast.Line) {
	if line.Arg(1) == "" || line.Arg(2) == "" {
		l.Alert(line.Pos, "%s expects a thread group number  ('all', 'odd', 'even', a number from 1 to %d or a range), "+
			" followed by a list of CPU ranges with numbers from 0 to %d.", line.Arg(0), groupThreads, groupThreads-1)
		return
	}
	refuse := func(err error) { l.Alert(line.Pos, "%s", printed(line.Arg(0)+" : "+err.Error())) }
	first, second, both := strings.Cut(line.Arg(1), "/")
	first, each := strings.CutPrefix(first, "auto:")
	groups, err := threadRange(first)
	if err != nil {
		refuse(err)
		return
	}
	threads := ^uint64(0)
	if both {
		if threads, err = threadRange(second); err != nil {
			refuse(err)
			return
		}
	}
	cpus, err := readCPUs(line.Texts(nil, 2))
	if err != nil {
		refuse(err)
		return
	}
	if each && bits.OnesCount64(groups) != cpus.Count() && bits.OnesCount64(threads) != cpus.Count() {
		l.Alert(line.Pos, "%s : TGROUP/THREAD range and CPU sets must have the same size to be automatically bound", line.Arg(0))
		return
	}
	if l.cpus == nil {
		l.cpus = new(cpuMap)
	}
	for g := range l.cpus {
		if groups>>g&1 == 0 {
			continue
		}
		left := cpus
		for t := range l.cpus[g] {
			switch {
			case threads>>t&1 == 0:
			case each:
				l.cpus[g][t] = takeCPU(&left)
			default:
				l.cpus[g][t] = cpus
			}
		}
	}
}

// takeCPU removes the lowest processor of a set and gives it.
func takeCPU(set *unix.CPUSet) (one unix.CPUSet) {
	for cpu := range mostCPUs {
		if set.IsSet(cpu) {
			set.Clear(cpu)
			one.Set(cpu)
			break
		}
	}
	return one
}

// threadRange reads "all", "odd", "even", N, N-M or N-.
func threadRange(text string) (set uint64, err error) {
	const odd = ^uint64(0) / 3
	switch text {
	case "all":
		return ^uint64(0), nil
	case "odd":
		return odd, nil
	case "even":
		return odd << 1, nil
	}
	from, to, ranged := strings.Cut(text, "-")
	if strings.Trim(from+to, "0123456789") != "" {
		return 0, fmt.Errorf("'%s' is not a valid number/range.", text)
	}
	low := atol(from)
	high := low
	switch {
	case ranged && to == "":
		high = groupThreads
	case ranged:
		high = atol(to)
	}
	low, high = min(low, high), max(low, high)
	if low < 1 || high > groupThreads {
		return 0, fmt.Errorf("'%s' is not a valid number/range. It supports numbers from 1 to %d.\n", text, groupThreads)
	}
	for n := low; n <= high; n++ {
		set |= 1 << (n - 1)
	}
	return set, nil
}

// readCPUs reads lists of processors: numbers, and ranges that may be open at the end.
func readCPUs(words []string) (set unix.CPUSet, err error) {
	for _, word := range words {
		if word == "" {
			break
		}
		for i, one := range strings.Split(word, ",") {
			if i == 0 && (one == "" || one[0] < '0' || one[0] > '9') {
				return set, fmt.Errorf("'%s' is not a CPU range.", word)
			}
			from, to, ranged := strings.Cut(one, "-")
			low := leadingNumber(from)
			high := low
			switch {
			case ranged && to == "":
				high = mostCPUs - 1
			case ranged:
				high = leadingNumber(to)
			}
			low, high = min(low, high), max(low, high)
			if high >= mostCPUs {
				return set, fmt.Errorf("supports CPU numbers from 0 to %d.", mostCPUs-1)
			}
			for cpu := low; cpu <= high; cpu++ {
				set.Set(cpu)
			}
		}
	}
	return set, nil
}

// leadingNumber reads the digits that a text starts with.
func leadingNumber(text string) int {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	return atol(text[:end])
}

// checkThreads warns of threads that have to share processors.
func (l *Loader) checkThreads() {
	threads := l.threads()
	if l.cpus == nil || l.cpus[0][0].Count() == 0 { // the reference then makes a map of its own
		l.warnShared(threads, l.Config.Global.CPUs.Count())
		return
	}
	var all unix.CPUSet
	bound, firstBound, firstFree := 0, -1, -1
	groups := l.groupCount(threads)
	for th := range threads {
		group, place := placeOfThread(th, threads, groups)
		if place >= groupThreads {
			continue
		}
		cpus := &l.cpus[group][place]
		switch {
		case cpus.Count() > 0:
			bound++
			if firstBound < 0 {
				firstBound = th
			}
			for i := range all {
				all[i] |= cpus[i]
			}
		case firstFree < 0:
			firstFree = th
		}
	}
	if bound > 0 && bound < threads {
		l.List.Warnf(ast.Pos{}, "Found %d thread(s) mapped to a CPU and %d thread(s) not mapped to any CPU. "+
			"This will result in some threads being randomly assigned to the same CPU, "+
			"which will occasionally cause severe performance degradation. First thread "+
			"bound is %d and first thread not bound is %d. Please either bind all threads "+
			"or none (maybe some cpu-map directives are missing?).", bound, threads-bound, firstBound, firstFree)
	}
	l.warnShared(bound, all.Count())
	if bound > all.Count() || bound == threads {
		return
	}
	for i := range all {
		all[i] |= l.Config.Global.CPUs[i]
	}
	if threads > all.Count() {
		l.List.Warnf(ast.Pos{}, "This configuration enables %d threads running on a total of %d CPUs. "+
			"This means that some threads will compete for the same CPU, which will cause "+
			"severe performance degradation. Please either the 'cpu-map' directives to "+
			"adjust the CPUs to use, or fix the global 'nbthread' value.", threads, all.Count())
	}
}

func (l *Loader) warnShared(threads, cpus int) {
	if cpus > 0 && threads > cpus {
		l.List.Warnf(ast.Pos{}, "This configuration binds %d threads to a total of %d CPUs via cpu-map "+
			"directives. This means that some threads will compete for the same CPU, "+
			"which will cause severe performance degradation. Please fix either the "+
			"'cpu-map' directives or set the global 'nbthread' value accordingly.", threads, cpus)
	}
}

// bindThreads gives each loop the processors that "cpu-map" wants it to run on, else those that "cpu-set" leaves.
func (l *Loader) bindThreads() {
	g := &l.Config.Global
	threads := l.threads()
	groups := l.groupCount(threads)
	g.Affinity = make([]unix.CPUSet, threads)
	for th := range threads {
		if l.cpuChoice != nil {
			g.Affinity[th] = g.CPUs
		}
		if group, place := placeOfThread(th, threads, groups); l.cpus != nil && place < groupThreads && l.cpus[group][place].Count() > 0 {
			g.Affinity[th] = l.cpus[group][place]
		}
	}
}
