package config

import (
	"fmt"
	"slices"
	"strings"

	"hapax/parser/ast"
	"hapax/runtime"
)

const (
	groupThreads = 64 // most threads of a group
	threadGroups = 32 // most groups of threads
	usualThreads = 16 // of a group, unless told otherwise
)

// threads is how many threads the reference runs.
func (l *Loader) threads() int {
	threads := l.Config.Global.Loops()
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

// placeOfThread tells in which group a thread is, and which one of that group: the
// first groups take what does not divide evenly.
func placeOfThread(th, threads, groups int) (group, place int) {
	each, extra := threads/groups, threads%groups
	if big := extra * (each + 1); th >= big {
		return extra + (th-big)/each, (th - big) % each
	}
	return th / (each + 1), th % (each + 1)
}

// bindRange is one range of what "thread" of a bind line names.
type bindRange struct {
	group             int // its threads are counted within it, from 1 on; 0: they are counted in all
	first, last, step int
}

// has tells whether a thread is in the range: th of the process, or place of a group, all from 0 on.
func (r *bindRange) has(th, group, place int) bool {
	n := th + 1
	if r.group > 0 {
		if n = place + 1; group != r.group-1 {
			return false
		}
	}
	return n >= r.first && n <= r.last && (n-r.first)%r.step == 0
}

// bindThread reads the threads that accept: `[<group>/]<set>[,...]`. Section 5.1.
func bindThread(l *Loader, w *Words, b *runtime.Bind) error {
	set := w.Take()
	relative := strings.HasPrefix(strings.TrimLeft(set, "0123456789"), "/")
	for set != "" {
		r, most := bindRange{}, maxThreads
		if relative {
			most = groupThreads
			group, rest, both := strings.Cut(set, "/")
			n, bad := strtol(group, 10)
			switch {
			case both && group == "":
				return fmt.Errorf("thread group number expected before '%s'.", set)
			case !both || bad != "":
				return fmt.Errorf("absolute thread specification '%s' is not permitted after a group-relative thread range.", set)
			case n < 1 || n > threadGroups:
				return fmt.Errorf("invalid thread group number '%d', permitted range is 1..%d in '%s'.", n, threadGroups, set)
			}
			r.group, set = int(n), rest
		}
		part, rest, _ := strings.Cut(set, ",")
		if err := r.read(part, set, most); err != nil {
			return err
		}
		if l.threadSets == nil {
			l.threadSets = map[*runtime.Bind][]bindRange{}
		}
		l.threadSets[b] = append(l.threadSets[b], r)
		set = rest
	}
	return nil
}

// read reads one range of a set; messages quote the set from there on.
func (r *bindRange) read(part, quoted string, most int) error {
	digits := part[:len(part)-len(strings.TrimLeft(part, "0123456789"))]
	if next := strings.TrimPrefix(part, digits); digits != "" && next != "" && next[0] != '-' {
		if next[0] == '/' {
			return fmt.Errorf("group-relative thread specification '%s' is not permitted after a absolute thread range.", quoted)
		}
		return fmt.Errorf("invalid character '%c' in thread set specification: '%s'.", next[0], quoted)
	}
	first, last, ranged := strings.Cut(part, "-")
	r.first, r.last, r.step = 1, most, 1
	named := first == "all" || first == "odd" || first == "even"
	switch n := atol(digits); {
	case first == "odd":
		r.step = 2
	case first == "even":
		r.first, r.step = 2, 2
	case first != "" && !named && (n < 1 || n > most):
		return fmt.Errorf("invalid first thread number '%s', permitted range is 1..%d, or 'all', 'odd', 'even'.", quoted, most)
	case first != "" && !named:
		r.first = n
	}
	if !ranged {
		if !named && first != "" {
			r.last = r.first
		}
		return nil
	}
	tail := quoted[len(first)+1:]
	rest := strings.TrimLeft(last, "0123456789")
	n := atol(last)
	switch {
	case named:
		return fmt.Errorf("extraneous range after 'all', 'odd' or 'even': '%s'.", quoted)
	case last != "" && (n < 1 || n > most):
		return fmt.Errorf("invalid last thread number '%s', permitted range is 1..%d.", tail, most)
	case rest != "":
		return fmt.Errorf("invalid character '%c' after thread set specification: '%s'.", rest[0], tail)
	case last != "":
		r.last = n
	}
	r.first, r.last = min(r.first, r.last), max(r.first, r.last)
	return nil
}

// resolveThreads finds the loops that accept for the bind lines of a proxy.
func (l *Loader) resolveThreads(px *runtime.Proxy) {
	var last *runtime.Bind
	for _, ln := range px.Listeners {
		b := ln.Bind
		if b == last || l.threadSets[b] == nil {
			continue
		}
		last = b
		if fault := l.loopsOf(b); fault != "" {
			l.List.Alertf(ast.Pos{}, "%s '%s': 'thread' directive %s in 'bind %s' at [%s:%d].", px.Kind, px.Name, fault, b.Text, b.Pos.File, b.Pos.Line)
		}
	}
}

// loopsOf sets the loops of one line, or tells what is wrong with it.
func (l *Loader) loopsOf(b *runtime.Bind) (fault string) {
	threads := l.threads()
	groups := l.groupCount(threads)
	b.Loops = make([]bool, threads)
	ranges := slices.Clone(l.threadSets[b])
	slices.SortStableFunc(ranges, func(a, b bindRange) int { return a.group - b.group })
	wanted := map[int]bool{} // of the groups that are named, those that have a thread
	for _, r := range ranges {
		for th := range threads {
			if group, place := placeOfThread(th, threads, groups); r.has(th, group, place) {
				b.Loops[th], wanted[r.group] = true, true
			}
		}
	}
	for _, r := range ranges {
		switch {
		case r.group > groups:
			return fmt.Sprintf("references non-existing thread group %d", r.group)
		case r.group > 0 && !wanted[r.group]:
			return fmt.Sprintf("only references threads not belonging to group %d", r.group)
		}
	}
	if !slices.Contains(b.Loops, true) {
		return "only references non-existing threads"
	}
	return ""
}
