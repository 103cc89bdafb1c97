package process

import (
	"golang.org/x/sys/unix"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

// settleLoops decides how many loops run: as many as CPUs that the process may
// use, unless "nbthread" says otherwise. A quota of CPU time does not count.
func settleLoops(g *runtime.Global, list *diag.List) {
	cpus := affinity()
	if g.NbThread == 0 {
		g.NbThread = cpus
		return
	}
	if cpus > 0 && g.NbThread > cpus {
		list.Warnf(ast.Pos{}, "This configuration binds %d threads to a total of %d CPUs via cpu-map directives. This means that some threads "+
			"will compete for the same CPU, which will cause severe performance degradation. Please fix either the 'cpu-map' directives or set "+
			"the global 'nbthread' value accordingly.", g.NbThread, cpus)
	}
}

// affinity is how many CPUs the process may run on.
func affinity() int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return 1
	}
	return max(set.Count(), 1)
}
