package parser

import (
	"strings"

	"hapax/parser/diag"
)

// maxNested is how deep conditional blocks may be nested.
const maxNested = 100

// branch is the state of one conditional block (manual section 2.4).
type branch uint8

const (
	taken      branch = iota // the lines of the current branch are read
	waiting                  // no branch was true yet
	finished                 // a branch was taken before, or the whole block lies in one that is not read
	takenElse                // in .else, which is read
	maskedElse               // in .else, which is not read
)

// masked tells whether the current line lies in a branch that is not read.
func (x *Expander) masked() bool {
	if len(x.nested) == 0 {
		return false
	}
	top := x.nested[len(x.nested)-1]
	return top != taken && top != takenElse
}

// branch carries out .if, .elif, .else and .endif.
func (x *Expander) branch(word string) {
	if word == ".else" || word == ".endif" {
		if extra := x.line.Arg(1); extra != "" {
			// The file counts as read to its end here: its last section is ended and its blocks are checked.
			x.ended = true
			x.abort("Unexpected argument '%s' for '%s'.", extra, word)
			return
		}
	}
	if word == ".if" {
		if len(x.nested)+1 >= maxNested {
			x.stop()
			x.abort("too many nested '.if', max is %d.", maxNested)
			return
		}
		state := finished
		if !x.masked() {
			state = x.decide(word)
		}
		x.nested = append(x.nested, state)
		return
	}
	if len(x.nested) == 0 {
		x.ended, x.stopped = true, word != ".endif"
		x.abort("lone '%s' with no matching '.if'.", word)
		return
	}
	top := &x.nested[len(x.nested)-1]
	if word == ".endif" {
		x.nested = x.nested[:len(x.nested)-1]
		return
	}
	switch *top {
	case takenElse, maskedElse:
		x.stop()
		x.abort("'%s' after '.else' is not permitted.", word)
	case taken, finished:
		*top = finished
		if word == ".else" {
			*top = maskedElse
		}
	case waiting:
		if word == ".else" {
			*top = takenElse
		} else {
			*top = x.decide(word)
		}
	}
}

// decide evaluates the condition of an .if or .elif line.
func (x *Expander) decide(word string) branch {
	words := x.line.Words[1:]
	text := ""
	if len(words) > 0 {
		texts := make([]string, len(words))
		for i, w := range words {
			texts[i] = w.Text
		}
		text = strings.Join(texts, " ")
	}
	ok, at, err := x.opt.Predicates.Evaluate(text, x.env)
	if err != nil {
		x.stop()
		shown, pos := excerpt(text, at, 80-len(word)-1)
		x.abort("%v in '%s' at position %d:\n  %s %s\n  %s", err, word, at+1, word, shown, caret(pos, len(word)+1))
		return finished
	}
	if ok {
		return taken
	}
	return waiting
}

// directive carries out .notice, .warning, .alert and .diag.
func (x *Expander) directive() {
	l := &x.line
	word := l.Arg(0)
	switch word {
	case ".alert", ".warning", ".notice", ".diag":
	default:
		x.fatal++
		x.ended = true
		x.alert("unknown directive '%s'.", word)
		return
	}
	if extra := l.Arg(2); extra != "" {
		x.alert("Unexpected argument '%s' for '%s'. Use quotes if the message should contain spaces.", extra, word)
		return
	}
	d := diag.Diagnostic{Pos: l.Pos, Text: diag.AtTight(l.Pos, "'%s'.", l.Arg(1))}
	switch word {
	case ".alert":
		d.Severity, d.Fatal, d.Abort = diag.Alert, true, true
		x.stop()
	case ".warning":
		d.Severity = diag.Warning
	case ".notice":
		d.Severity = diag.Notice
	case ".diag":
		d.Severity = diag.Diag
	}
	x.list.Add(d)
}
