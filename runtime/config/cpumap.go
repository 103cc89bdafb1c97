package config

import (
	"fmt"
	"math/bits"
	goruntime "runtime"
	"strings"

	"hapax/parser/ast"
)

const (
	groupThreads = 64   // most threads of a group
	threadGroups = 32   // most groups of threads
	usualThreads = 16   // of a group, unless told otherwise
	mostCPUs     = 1024 // processors that can be named
)

// cpuSet is a set of processors.
type cpuSet [mostCPUs / 64]uint64

func (s *cpuSet) add(cpu int) { s[cpu/64] |= 1 << (cpu % 64) }

func (s *cpuSet) len() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// take removes the lowest processor and gives it.
func (s *cpuSet) take() (one cpuSet) {
	for i, word := range s {
		if word != 0 {
			one[i] = word & -word
			s[i] &^= one[i]
			break
		}
	}
	return one
}

// cpuMap is where "cpu-map" lines want threads to run, by group and thread.
type cpuMap [threadGroups][groupThreads]cpuSet

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
	if each && bits.OnesCount64(groups) != cpus.len() && bits.OnesCount64(threads) != cpus.len() {
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
				l.cpus[g][t] = left.take()
			default:
				l.cpus[g][t] = cpus
			}
		}
	}
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
func readCPUs(words []string) (set cpuSet, err error) {
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
				set.add(cpu)
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

// threads is how many threads the reference runs.
func (l *Loader) threads() int {
	threads := l.Config.Global.NbThread
	if threads == 0 {
		threads = goruntime.NumCPU()
	}
	if limit := l.Config.Global.ThreadLimit; limit > 0 {
		threads = min(threads, limit)
	}
	if l.threadGroups > 0 {
		threads = min(threads, l.threadGroups*groupThreads)
	}
	return threads
}

// groupCount is how many groups the threads form.
func (l *Loader) groupCount(threads int) int {
	if l.threadGroups > 0 {
		return l.threadGroups
	}
	return min((threads+usualThreads-1)/usualThreads, threadGroups)
}

// tellThreads tells with -dD how many threads run when the files do not say.
func (l *Loader) tellThreads() {
	if l.Config.Global.NbThread == 0 && l.threadGroups == 0 && l.cpus == nil {
		n := l.threads()
		l.List.Diagf(ast.Pos{}, "Created %d threads split into %d groups", n, l.groupCount(n))
	}
}

// checkThreads warns of threads that have to share processors.
func (l *Loader) checkThreads() {
	threads := l.threads()
	if l.cpus == nil || l.cpus[0][0].len() == 0 { // the reference then makes a map of its own
		l.warnShared(threads, goruntime.NumCPU())
		return
	}
	var all cpuSet
	bound, firstBound, firstFree := 0, -1, -1
	groups := l.groupCount(threads)
	for th := range threads {
		group, place := placeOfThread(th, threads, groups)
		if place >= groupThreads {
			continue
		}
		cpus := &l.cpus[group][place]
		switch {
		case cpus.len() > 0:
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
	l.warnShared(bound, all.len())
	if bound > all.len() || bound == threads {
		return
	}
	for cpu := range goruntime.NumCPU() {
		all.add(cpu)
	}
	if threads > all.len() {
		l.List.Warnf(ast.Pos{}, "This configuration enables %d threads running on a total of %d CPUs. "+
			"This means that some threads will compete for the same CPU, which will cause "+
			"severe performance degradation. Please either the 'cpu-map' directives to "+
			"adjust the CPUs to use, or fix the global 'nbthread' value.", threads, all.len())
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

// placeOfThread tells in which group a thread is, and which one of that group: the
// first groups take what does not divide evenly.
func placeOfThread(th, threads, groups int) (group, place int) {
	each, extra := threads/groups, threads%groups
	if big := extra * (each + 1); th >= big {
		return extra + (th-big)/each, (th - big) % each
	}
	return th / (each + 1), th % (each + 1)
}
