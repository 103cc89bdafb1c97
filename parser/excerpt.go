package parser

import "strings"

// excerpt returns about width printable characters of line around pos, with "..." where it was cut on the left,
// and where pos is in it. A line cut on the right only has no "...": this is the established shape.
func excerpt(line string, pos, width int) (string, int) {
	var b strings.Builder
	shift := 0
	room := width
	if pos >= width {
		shift = pos - width/2
		b.WriteString("...")
		line = line[min(shift+3, len(line)):]
		room = width - 6
	}
	for i := 0; i < len(line) && i < room && line[i] != 0; i++ {
		switch c := line[i]; {
		case isSpace(c):
			b.WriteByte(' ')
		case c > ' ' && c < 0x7f:
			b.WriteByte(c)
		default:
			b.WriteByte('?')
		}
	}
	if shift > 0 {
		b.WriteString("...")
	}
	return b.String(), pos - shift
}

// caret underlines character pos of an excerpt that is printed behind indent characters.
func caret(pos, indent int) string { return strings.Repeat(" ", max(pos+indent, 0)) + "^" }
