package parser

import (
	"strconv"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
)

// maxFatal is after how many lines with fatal errors the rest of a file is not read.
const maxFatal = 50

// Options are the answers that the lexical layer needs from the program around it.
type Options struct {
	// Discovery is the first of the two readings of a configuration: words are split and conditions evaluated, but
	// .alert and its kin say nothing, empty arguments pass, and only the lines of "global" sections are given out.
	// Its diagnostics are why an unmatched quote hides what is wrong with the keywords of the lines before it.
	Discovery bool
	// Undecided gives out each line that can be split, those without words included: conditions and directives are
	// lines like others, modifiers stay words, and nothing is known of sections but their headers.
	Undecided bool
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
	fatal     int    // lines that had a fatal error
	before    int    // list.Fatal() when the file was opened
	given     int    // list.Fatal() when the last line was given out
	out       bool   // a line was given out
	ended     bool   // there are no more lines
	stopped   bool   // reading ended before the end of the file by an abort
	missingLF int    // column behind the end of a line that has no line feed, 0 if there is none
	nested    []branch

	line  ast.Line
	split splitter
}

// NewExpander starts reading a file. Diagnostics go to list.
func NewExpander(file *ast.File, env *Env, list *diag.List, opt Options) *Expander {
	x := &Expander{file: file, env: env, opt: opt, list: list, before: list.Fatal()}
	x.split.lookup = x.lookup
	return x
}

// lookup resolves a variable for the splitter.
func (x *Expander) lookup(name string) (string, bool) {
	switch name {
	case ".LINE":
		return strconv.Itoa(x.line.Pos.Line), true
	case ".FILE":
		return x.file.Name, true
	case ".SECTION":
		return x.section, x.section != ""
	}
	return x.env.Lookup(name)
}

// Next returns the next line that holds a keyword, or with Undecided any line. It returns false at the end of the file, when a diagnostic
// asked to abort, or after 50 lines with fatal errors. The Line and its Words are overwritten by the next call;
// the strings in them stay valid.
func (x *Expander) Next() (*ast.Line, bool) {
	if x.out {
		x.out = false
		if x.list.Fatal() > x.given {
			x.fatal++
		}
		if x.list.Aborted() {
			x.stop()
		}
	}
	if x.ended {
		return nil, false
	}
	for !x.ended {
		if x.next == x.file.NumLines() {
			x.ended = true
			break
		}
		if x.missingLF > 0 {
			x.ended = true
			x.alert("Stray NUL character at position %d.", x.missingLF)
			x.missingLF = 0
			break
		}
		x.line.Raw = x.file.Raw(x.next)
		x.next++
		x.line.Pos = ast.Pos{File: x.file.Name, Line: x.next}
		if x.fatal >= maxFatal {
			x.ended = true
			x.list.Add(diag.Diagnostic{Severity: diag.Alert, Pos: x.line.Pos,
				Text: diag.AtTight(x.line.Pos, "too many fatal errors (%d), stopping now.", x.fatal)})
			break
		}
		if x.read() {
			x.out = true
			x.given = x.list.Fatal()
			return &x.line, true
		}
	}
	if x.missingLF > 0 && !x.stopped {
		x.alert("Missing LF on last line, file might have been truncated at position %d.", x.missingLF)
	}
	return nil, false
}

// Stopped tells whether reading ended before the end of the file by an abort; the last section is not ended then.
func (x *Expander) Stopped() bool { return x.stopped }

// Close ends the file after the caller has ended its last section. It reports what only the end of a file tells,
// and returns whether the next file may be read: not after an abort.
func (x *Expander) Close() bool {
	x.Finish()
	if x.list.Fatal() > x.before || x.list.Aborted() {
		x.list.Add(diag.Diagnostic{Severity: diag.Alert, Pos: ast.Pos{File: x.file.Name},
			Text: "Error(s) found in configuration file : " + x.file.Name})
	}
	return !x.list.Aborted()
}

// Finish reports what only the end of a file tells, for a file that another one makes
// part of itself.
func (x *Expander) Finish() {
	if len(x.nested) > 0 && !x.stopped && x.ended {
		x.abort("non-terminated '.if' block.")
	}
}

// Section returns what .SECTION stands for on the current line, empty before the first section.
func (x *Expander) Section() string { return x.section }

// Scope returns the scope that the last `[scope]` line named, empty without one.
func (x *Expander) Scope() string { return x.scope }

func (x *Expander) stop() { x.ended, x.stopped = true, true }

func (x *Expander) alert(format string, args ...any) {
	x.list.Alertf(x.line.Pos, "%s", diag.AtTight(x.line.Pos, format, args...))
}

func (x *Expander) abort(format string, args ...any) {
	x.list.Add(diag.Diagnostic{Severity: diag.Alert, Pos: x.line.Pos, Fatal: true, Abort: true,
		Text: diag.AtTight(x.line.Pos, format, args...)})
}

// read understands the current line, and returns whether it is to be given out.
func (x *Expander) read() bool {
	l := &x.line
	l.Modifier, l.Words, l.Comment, l.Header = ast.Plain, nil, "", false
	text := strings.TrimSuffix(l.Raw, "\n")
	if nul := strings.IndexByte(text, 0); nul >= 0 {
		text = text[:nul]
		x.missingLF = nul + 1
	} else if len(text) == len(l.Raw) {
		x.missingLF = len(text) + 1
	}
	indent := 0
	for indent < len(text) && isSpace(text[indent]) {
		indent++
	}
	if indent < len(text) && text[indent] == '[' {
		x.readScope(text[indent:])
		return false
	}
	s := &x.split
	s.split(text)
	if s.fault != noFault {
		x.fatal++
		x.reportFault(text, indent)
		return false
	}
	if s.comment >= 0 {
		l.Comment = text[s.comment:]
	}
	if x.opt.Undecided {
		l.Words = s.words
		l.Header = x.opt.IsSection(l.Arg(0))
		return true
	}
	if len(s.words) == 0 || s.words[0].Text == "" {
		return false
	}
	l.Words = s.words
	switch keyword := s.words[0].Text; keyword {
	case ".if", ".elif", ".else", ".endif":
		x.branch(keyword)
		return false
	}
	if x.masked() {
		return false
	}
	if s.words[0].Text[0] == '.' {
		if !x.opt.Discovery {
			x.directive()
		}
		return false
	}
	if !x.opt.Discovery {
		for i, w := range s.words {
			if w.Text == "" {
				x.fatal++
				x.reportEmpty(text, indent, i)
				return false
			}
		}
	}
	x.readModifier()
	if x.opt.IsSection(l.Arg(0)) {
		l.Header = true
		x.kind, x.section = l.Arg(0), l.Arg(1)
		if x.section == "" {
			x.section = x.kind
		}
	}
	if x.opt.Discovery {
		return x.kind == "global"
	}
	if x.kind == "" {
		x.fatal++
		x.alert("unknown keyword '%s' out of section.", l.Arg(0))
		return false
	}
	return true
}

// readModifier takes "no" or "default" off the line. Which keywords they may stand before is a rule of the language,
// and breaking it does not keep the keyword from being looked at.
func (x *Expander) readModifier() {
	l := &x.line
	switch l.Arg(0) {
	case "no":
		l.Modifier = ast.No
	case "default":
		l.Modifier = ast.Default
	default:
		return
	}
	l.Words = l.Words[1:]
	switch l.Arg(0) {
	case "option", "log", "busy-polling", "set-dumpable", "strict-limits", "insecure-fork-wanted", "numa-cpu-mapping":
	default:
		x.fatal++
		x.alert("negation/default currently supported only for options, log, busy-polling, set-dumpable, " +
			"strict-limits, insecure-fork-wanted and numa-cpu-mapping.")
	}
}

// reportFault tells what is wrong with the words of the line.
func (x *Expander) reportFault(text string, indent int) {
	s := &x.split
	if s.fault == tooManyWords {
		x.alert("too many words, truncating after word %d, position %d: <%s>.", maxWords, s.wordsAt+1,
			s.words[maxWords-1].Text)
		return
	}
	shown, at := excerpt(text[indent:], s.faultAt-indent, 80)
	x.alert("%s at position %d:\n  %s\n  %s", s.fault.text(), s.faultAt+1, shown, caret(at, 0))
}

// reportEmpty refuses an empty argument: it used to end the line, and everything behind it was silently ignored.
func (x *Expander) reportEmpty(text string, indent, arg int) {
	s := &x.split
	at := s.emptyAt
	name := ""
	if at < 0 {
		// The word is not empty as written: it starts with `\x00`. Its place in the output has to do.
		at = indent + s.blankAt
		if at >= len(text) {
			at = indent
		}
	} else {
		end := at
		for end < len(text) && isWordChar(text[end]) {
			end++
		}
		name = text[at:end]
	}
	advice := ""
	if x.list.Once("empty argument") {
		advice = "\nAborting to prevent all subsequent arguments from being silently ignored. " +
			"If this is caused by an environment variable expansion, please have a look at section " +
			"2.3 of the configuration manual to find solutions to address this."
	}
	shown, pos := excerpt(text[indent:], at-indent, 80)
	x.alert("argument number %d at position %d is empty and marks the end of the argument list:\n  %s\n  %s%s",
		arg, at+1, shown, caret(pos, 0), advice)
	if name != "" {
		if known := x.env.suggest(name); known != "" {
			x.list.Noticef(x.line.At(arg), "Hint: maybe you meant %s instead ?", known)
		}
	}
}

// readScope reads a `[name]` line, which gives the name to the lines that follow.
func (x *Expander) readScope(text string) {
	end := strings.IndexByte(text, ']')
	if end <= 1 {
		x.list.Alert(x.line.Pos, "empty scope name is forbidden.")
		return
	}
	name := text[1:end]
	refuse := func(c byte, where string) {
		x.list.Add(diag.Diagnostic{Severity: diag.Alert, Pos: x.line.Pos, Abort: true,
			Text: diag.At(x.line.Pos, "character '%c' is not permitted %s.", c, where)})
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !isWordChar(c) && c != '.' && c != ':' && c != '-' {
			refuse(c, "in a scope name")
			return
		}
	}
	rest := strings.TrimLeft(text[end+1:], " \t\v\f\r")
	if rest != "" && rest[0] != '#' {
		refuse(rest[0], "after scope declaration")
		return
	}
	x.scope = name
}
