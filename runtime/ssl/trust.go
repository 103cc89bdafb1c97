package ssl

import (
	"hapax/parser/ast"
	"hapax/runtime"
	"hapax/runtime/config"
)

// LoadAuthorities reads a file of authorities, or those of the system, and tells why it could not.
func LoadAuthorities(l *config.Loader, path string) (fault string) {
	_, fault = of(l).store.trusted(fileReader(l, ast.Pos{}, "server"), path, authorityKind)
	return fault
}

// Trust makes the certificates of a server lead to authorities that were loaded before, or to those of the system. No
// connection to the server was made yet.
func Trust(cfg *runtime.Config, srv *runtime.Server, path string) {
	g, x := cfg.Global.SSL.(*settings), srv.TLS.(*Context)
	g.store.mu.Lock()
	defer g.store.mu.Unlock()
	if x.roots, _ = g.store.trusted(&reader{}, path, authorityKind); x.roots == nil {
		x.roots = &trusted{} // nobody is trusted
		x.roots.data.Store(newAnchors())
	}
}
