package process

import (
	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
	"hapax/runtime/config"
)

// renice gives the process the priority that "tune.renice.runtime" wants. Section 3.2.
func renice(g *runtime.Global, name string, list *diag.List) {
	if !g.Renice {
		return
	}
	if err := config.SetNiceness(g.Niceness); err != nil {
		list.Warnf(ast.Pos{}, "[%s.main()] couldn't set the runtime nice value to %d: %s", name, g.Niceness, err)
	}
}
