package ast

// Modifier is a word that may stand before a keyword (manual section 4.1, "no" and "default").
type Modifier uint8

const (
	Plain   Modifier = iota // no modifier
	No                      // "no": the setting is disabled
	Default                 // "default": the setting returns to its default
)

// Line is one line of a file. The words that follow a modifier are in Words, the modifier itself is not.
type Line struct {
	Pos      Pos
	Raw      string // as written, with comment and line feed
	Modifier Modifier
	Header   bool // opens a section
	Words    []Word
	Comment  string // from its '#' to the end of the line; empty when there is none
}

// Word is one word of a line after quotes and escapes are resolved.
type Word struct {
	Text string // the word's value
	Raw  string // as written, with quotes, escapes and variables; shared by all words that came out of one `${X[*]}`
	Col  int    // byte of the line where Raw starts, counted from 1
}

// Arg returns the text of word i, "" when the line has fewer words: the keyword is Arg(0). An empty word ends a
// line in this language, so "" always means "not there".
func (l *Line) Arg(i int) string {
	if i < 0 || i >= len(l.Words) {
		return ""
	}
	return l.Words[i].Text
}

// NumArgs returns how many words follow the keyword.
func (l *Line) NumArgs() int { return max(len(l.Words)-1, 0) }

// At returns the place of word i, or of the line when it has no such word.
func (l *Line) At(i int) Pos {
	p := l.Pos
	if i >= 0 && i < len(l.Words) {
		p.Col = l.Words[i].Col
	}
	return p
}

// Texts appends the values of all words from word i on to dst. Their strings stay valid for good.
func (l *Line) Texts(dst []string, i int) []string {
	for ; i < len(l.Words); i++ {
		dst = append(dst, l.Words[i].Text)
	}
	return dst
}

// Section is a header line and the lines up to the next header or the end of the file.
type Section struct {
	Kind  string // first word of the header: "frontend"
	Name  string // second word, may be empty
	First int    // index of the header in its file, counted from 0
	Last  int    // index after the section's last line
}
