package parser

import (
	"hapax/parser/ast"
	"hapax/parser/diag"
)

// Options are the answers that the lexical layer needs from the program around it.
type Options struct {
	// Discovery is the first of the two readings of a configuration: words are split and conditions evaluated, but
	// .alert and its kin say nothing, empty arguments pass, and only the lines of "global" sections are given out.
	Discovery bool
	// IsSection tells whether a word opens a section. It must not be nil.
	IsSection func(word string) bool
	// Predicates answers what conditions ask of the program.
	Predicates Predicates
}

// Expander gives out the lines of one file as they are to be understood: words split, quotes and escapes resolved,
// variables replaced, conditional blocks decided, directives carried out, empty lines and comments skipped.
//
// It is a pull, because a line may change the environment that the next one is expanded with.
type Expander struct {
	file *ast.File
	env  *Env
	opt  Options
	list *diag.List

	next      int    // index of the next line to read
	section   string // what .SECTION stands for: the name of the section, or its kind when it has no name
	kind      string // first word of the header of the section that is being read
	scope     string // what the last `[scope]` line named
	fatal     int    // lines that had a fatal error; reading stops at 50
	seen      int    // list.Fatal() when the last line was given out
	failed    bool
	done      bool
	missingLF int // column of the end of a line that has no line feed, -1 if there is none
	nested    []branch

	line  ast.Line
	split splitter
}

// NewExpander starts reading a file. Diagnostics go to list.
func NewExpander(file *ast.File, env *Env, list *diag.List, opt Options) *Expander {
	return &Expander{file: file, env: env, opt: opt, list: list, missingLF: -1, seen: list.Fatal()}
}

// Next returns the next line that holds a keyword. It returns false at the end of the file, when a diagnostic
// asked to abort, or after 50 lines with fatal errors. The Line and its Words are overwritten by the next call;
// the strings in them stay valid.
func (x *Expander) Next() (*ast.Line, bool) {
	return nil, false
}

// Close ends the file after the caller has ended its last section. It reports what only the end of a file tells,
// and whether the next file may be read: not after an abort.
func (x *Expander) Close() bool {
	return false
}

// Section returns what .SECTION stands for on the current line.
func (x *Expander) Section() string { return x.section }

// Scope returns the scope that the last `[scope]` line named, empty without one.
func (x *Expander) Scope() string { return x.scope }
