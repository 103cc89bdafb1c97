package ast

import (
	"slices"
	"strings"
	"testing"
)

func TestFile(t *testing.T) {
	for source, want := range map[string][]string{
		"":           nil,
		"a":          {"a"},
		"a\n":        {"a\n"},
		"a\n\nb":     {"a\n", "\n", "b"},
		"\n":         {"\n"},
		"a\r\nb\x00": {"a\r\n", "b\x00"},
	} {
		f := NewFile("f", source)
		var got []string
		Walk(f, func(l Line) bool {
			if l.Pos != (Pos{File: "f", Line: len(got) + 1}) {
				t.Errorf("%q: line %d stands at %+v", source, len(got), l.Pos)
			}
			got = append(got, l.Raw)
			return true
		})
		if !slices.Equal(got, want) || f.NumLines() != len(want) {
			t.Errorf("%q is cut into %q", source, got)
		}
		var b strings.Builder
		if err := Print(&b, f); err != nil || b.String() != source {
			t.Errorf("%q is printed as %q, %v", source, b.String(), err)
		}
	}
}

func TestLine(t *testing.T) {
	l := Line{Pos: Pos{File: "f", Line: 3}, Words: []Word{{Text: "bind", Col: 5}, {Text: ":80", Col: 10}}}
	if l.Arg(0) != "bind" || l.Arg(1) != ":80" || l.Arg(2) != "" || l.Arg(-1) != "" || l.NumArgs() != 1 {
		t.Errorf("arguments of %+v", l)
	}
	if l.At(1) != (Pos{File: "f", Line: 3, Col: 10}) || l.At(7) != l.Pos {
		t.Errorf("places are %+v and %+v", l.At(1), l.At(7))
	}
	if got := l.Texts([]string{"x"}, 1); !slices.Equal(got, []string{"x", ":80"}) {
		t.Errorf("texts are %q", got)
	}
	if (&Line{}).NumArgs() != 0 || (Pos{}).IsValid() || !l.Pos.IsValid() {
		t.Error("an empty line has arguments, or a place")
	}
}
