// Package diag holds what a configuration load has to say: the diagnostics in the order they were found, what they
// mean for the exit status, and the writer that prints them in the established format.
//
// Texts are given by whoever finds the fault, in full, because their shapes differ from one place to the other and
// tools match on them. The few shapes that are common have functions here.
package diag

import (
	"fmt"

	"hapax/parser/ast"
)

// Severity is the label that a diagnostic is printed with.
type Severity uint8

const (
	Alert   Severity = iota // an error: something is refused
	Warning                 // accepted, but suspicious or deprecated
	Notice                  // informs; never counted
	Diag                    // only printed with -dD, where it counts as a warning
)

func (s Severity) String() string {
	return [...]string{"ALERT", "WARNING", "NOTICE", "DIAG"}[s]
}

// Diagnostic is one message.
type Diagnostic struct {
	Severity Severity
	Pos      ast.Pos // the place it is about, for tools; what is printed of it stands in Text
	Text     string  // the message without label and process number; may have several lines
	Fatal    bool    // the configuration is refused
	Abort    bool    // and nothing that follows is read
	Unended  bool    // the message has no line feed behind it, as some have always been printed
}

// At is the place in front of a message in the usual shape: `parsing [file:line] : text`.
func At(pos ast.Pos, format string, args ...any) string {
	return fmt.Sprintf("parsing [%s:%d] : ", pos.File, pos.Line) + fmt.Sprintf(format, args...)
}

// AtTight is At without the space before the colon, as the lexical layer and some keywords write it.
func AtTight(pos ast.Pos, format string, args ...any) string {
	return fmt.Sprintf("parsing [%s:%d]: ", pos.File, pos.Line) + fmt.Sprintf(format, args...)
}

// AtObject is the shape used while an object's options are read: `[file:line] : 'server b/s1' : text`.
// An empty object leaves its part out.
func AtObject(pos ast.Pos, object string, format string, args ...any) string {
	text := fmt.Sprintf("[%s:%d] : ", pos.File, pos.Line)
	if object != "" {
		text += "'" + object + "' : "
	}
	return text + fmt.Sprintf(format, args...)
}
