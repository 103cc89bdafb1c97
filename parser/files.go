package parser

import (
	"hapax/parser/ast"
	"hapax/parser/diag"
)

// Files reads the files that the -f options and trailing arguments name: a directory stands for the regular files
// in it whose names end in .cfg, in the order of the locale "C", hidden ones left out. It returns false after an
// error, which is in list.
func Files(paths []string, list *diag.List) ([]*ast.File, bool) {
	return nil, false
}
