// Package parser reads the text of a configuration: lines, words, quotes, escapes, variables, conditional blocks and
// directives (manual sections 2.2 to 2.4). It knows which words open a section and nothing else about keywords.
package parser

import "hapax/parser/ast"

// Parse cuts a text into a file. Nothing can be wrong at this level: Print gives the text back whatever it is.
func Parse(name, source string) *ast.File { return ast.NewFile(name, source) }

type splitter struct{}

type branch uint8
