package parser

import (
	"fmt"
	"strings"

	"hapax/parser/ast"
)

// Split cuts one line into words without an environment: variables stay as they are written. It is for programs
// that look at a file as a text, to format or to check it.
func Split(line string) (words []ast.Word, comment string, err error) {
	line, _, _ = strings.Cut(line, "\n")
	s := splitter{verbatim: true}
	s.split(line)
	if s.fault == tooManyWords {
		return nil, "", fmt.Errorf("more than %d words", maxWords)
	}
	if s.fault != noFault {
		return nil, "", fmt.Errorf("%s at position %d", s.fault.text(), s.faultAt+1)
	}
	if s.comment >= 0 {
		comment = line[s.comment:]
	}
	return s.words, comment, nil
}

// Sections cuts a file where a line starts with a word that opens a section. Lines before the first header belong
// to no section. Conditional blocks are not decided: a header inside one counts.
func Sections(f *ast.File, isSection func(word string) bool) []ast.Section {
	var sections []ast.Section
	for i := range f.NumLines() {
		words, _, err := Split(f.Raw(i))
		if err != nil || len(words) == 0 || !isSection(words[0].Text) {
			continue
		}
		if n := len(sections); n > 0 {
			sections[n-1].Last = i
		}
		s := ast.Section{Kind: words[0].Text, First: i, Last: f.NumLines()}
		if len(words) > 1 {
			s.Name = words[1].Text
		}
		sections = append(sections, s)
	}
	return sections
}
