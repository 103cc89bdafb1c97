// Package ast holds a configuration file as it was written: a File is a sequence of lines, a line is a sequence of
// words, and Print gives back the bytes that were read. It knows neither keywords nor the environment, and nothing
// is copied: every string is a piece of the file's text.
package ast

import (
	"io"
	"strings"
)

// Pos is a place in a configuration file. The zero Pos means "no place": the check of a whole configuration, a
// command-line flag.
type Pos struct {
	File string // as given on the command line, or the directory given there, a slash and the entry's name
	Line int    // counted from 1; 0 when the whole file is meant
	Col  int    // counted in bytes from 1, spaces at the start of the line included; 0 when the whole line is meant
}

// IsValid tells whether p names a file.
func (p Pos) IsValid() bool { return p.File != "" }

// File is the text of one configuration file, cut into lines. It costs four bytes a line beside the text itself.
type File struct {
	Name   string
	Source string
	starts []uint32 // offset in Source of each line
}

// NewFile cuts source into lines. A line ends with its line feed; the last one may lack it.
// Source must be shorter than 4 GiB.
func NewFile(name, source string) *File {
	f := &File{Name: name, Source: source, starts: make([]uint32, 0, strings.Count(source, "\n")+1)}
	for at := 0; at < len(source); {
		f.starts = append(f.starts, uint32(at))
		end := strings.IndexByte(source[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	return f
}

// NumLines returns how many lines the file has; an empty file has none.
func (f *File) NumLines() int { return len(f.starts) }

// Raw returns line i (counted from 0) as written, its line feed included.
func (f *File) Raw(i int) string {
	if i+1 < len(f.starts) {
		return f.Source[f.starts[i]:f.starts[i+1]]
	}
	return f.Source[f.starts[i]:]
}

// Line returns line i (counted from 0), not split into words yet.
func (f *File) Line(i int) Line {
	return Line{Raw: f.Raw(i), Pos: Pos{File: f.Name, Line: i + 1}}
}

// Walk calls visit for each line in turn until it returns false.
func Walk(f *File, visit func(Line) bool) {
	for i := range f.starts {
		if !visit(f.Line(i)) {
			return
		}
	}
}

// Print writes the file back, byte for byte.
func Print(w io.Writer, f *File) error {
	for i := range f.starts {
		if _, err := io.WriteString(w, f.Raw(i)); err != nil {
			return err
		}
	}
	return nil
}
