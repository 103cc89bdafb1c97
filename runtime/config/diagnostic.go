package config

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/diag"
	"hapax/runtime"
)

// parsingAlert is an alert in the shape `Parsing [file:line]: text`, with which
// names that clash are told.
func parsingAlert(pos ast.Pos, abort bool, format string, args ...any) diag.Diagnostic {
	text := fmt.Sprintf("Parsing [%s:%d]: ", pos.File, pos.Line) + fmt.Sprintf(format, args...)
	return diag.Diagnostic{Severity: diag.Alert, Pos: pos, Text: text, Fatal: true, Abort: abort}
}

// complaintTight is an alert in the shape of AlertTight that refuses nothing.
func complaintTight(pos ast.Pos, text string) diag.Diagnostic {
	return diag.Diagnostic{Severity: diag.Alert, Pos: pos, Text: diag.AtTight(pos, "%s", text)}
}

// placeOf names where a section starts: "file:line".
func placeOf(px *runtime.Proxy) string { return fmt.Sprintf("%s:%d", px.Pos.File, px.Pos.Line) }

// indent prepares a text that is quoted inside of another one: a line feed at its
// end is dropped, several lines start on a line of their own, behind spaces.
func indent(text string, spaces int) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	if strings.IndexByte(text, '\n') == len(text)-1 {
		return text[:len(text)-1]
	}
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(strings.TrimLeft(text, "\n"), "\n"), "\n") {
		b.WriteString("\n" + strings.Repeat(" ", spaces) + line)
	}
	return b.String()
}
