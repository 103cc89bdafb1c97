// Package parser reads the text of a configuration: lines, words, quotes, escapes, variables, conditional blocks and
// directives (manual sections 2.2 to 2.4). It is told which words open a section and knows nothing else of keywords.
package parser

import (
	"strings"

	"hapax/parser/ast"
)

// Parse cuts a text into a file. Nothing can be wrong at this level: Print gives the text back whatever it is.
func Parse(name, source string) *ast.File { return ast.NewFile(name, source) }

// maxWords is how many words one line may have.
const maxWords = 64

// fault is what can be wrong with the words of a line.
type fault uint8

const (
	noFault fault = iota
	unmatchedQuote
	unmatchedBrace
	badVariableName
	badHex
	badExpansion
	tooManyWords
)

// text is how a fault is told in front of the line and a caret. tooManyWords has a message of its own.
func (f fault) text() string {
	return [...]string{
		unmatchedQuote:  "unmatched quote",
		unmatchedBrace:  "unmatched brace in environment variable name",
		badVariableName: "forbidden first char in environment variable name",
		badHex:          "truncated or invalid hexadecimal sequence",
		badExpansion:    "truncated or invalid word expansion sequence",
		tooManyWords:    "",
	}[f]
}

// splitter cuts a line into words. It is reused from line to line, so that a line without escapes and variables
// costs no allocation: its words are pieces of the line.
type splitter struct {
	// lookup returns the value of a variable; names of pseudo-variables start with a dot.
	lookup func(name string) (value string, ok bool)
	// keepHash makes '#' an ordinary character: there are no comments on a command line.
	keepHash bool
	// verbatim leaves variables as they are written.
	verbatim bool

	line  string
	at    int
	words []ast.Word

	open    bool   // a word has begun
	begin   int    // what is reported when the word turns out to be empty
	from    int    // the word's text is line[from:from+length] ...
	length  int    //
	copied  bool   // ... unless it was copied to text
	text    []byte //
	hasNUL  bool   // the text ends at its first NUL, as the words were C strings ever since
	pending int    // words of the current run that have no Raw yet
	start   int    // where the current run of non-spaces begins

	output  int // bytes of all finished words, one more for the end of each
	fault   fault
	faultAt int
	blankAt int // value of output when the first word began that starts with a NUL, -1 when there is none
	emptyAt int // where the first empty word is, -1 when none is known
	unknown int // where the name of the last unset variable is, -1 when none
	comment int // where the comment starts, -1 when there is none
	wordsAt int // value of output when word number maxWords began
}

// isSpace tells the characters that separate words.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// special marks the characters that an unquoted word cannot hold as they are.
var special = [256]bool{0: true, '\t': true, '\n': true, '\v': true, '\f': true, '\r': true, ' ': true, '"': true,
	'\'': true, '\\': true, '#': true}

// split cuts line into s.words. The line must not contain its line feed.
func (s *splitter) split(line string) {
	s.line, s.at, s.words = line, 0, s.words[:0]
	s.open, s.pending, s.output, s.fault = false, 0, 0, noFault
	s.emptyAt, s.blankAt, s.unknown, s.comment = -1, -1, -1, -1
	for s.at < len(line) {
		c := line[s.at]
		if isSpace(c) {
			// A carriage return between words counts as a space, one right behind a word ends the line.
			s.at++
			continue
		}
		s.start = s.at
		end := s.at
		for end < len(line) && !special[line[end]] {
			end++
		}
		if end > s.at && (end == len(line) || line[end] == ' ' || line[end] == '\t') {
			s.begin, s.from, s.length = s.at, s.at, end-s.at
			s.open, s.copied, s.hasNUL = true, false, false
			s.at = end
			s.endWord()
			s.endRun()
			continue
		}
		if !s.run() {
			break
		}
	}
}

// run reads from s.start to the next unquoted space: usually one word, none or many where a variable is expanded
// into words. It returns false at the end of the line or at a fault.
func (s *splitter) run() bool {
	var quote byte // the quote that is open, or 0
	quoteAt := 0   // where it is
	bare := false  // nothing came out of it yet
	more := false  // the run ended at a space
	line := s.line
scan:
	for s.at < len(line) {
		i := s.at
		c := line[i]
		switch {
		case c == 0 || c == '\n' || c == '\r':
			break scan
		case c == '#' && quote == 0 && !s.keepHash:
			s.comment = i
			break scan
		case quote == 0 && (c == '"' || c == '\''):
			quote, quoteAt, bare = c, i, true
			s.at++
		case quote != 0 && c == quote:
			quote = 0
			s.at++
			if bare {
				s.begins(i)
			}
		case c == '\\' && quote != '\'':
			if !s.escape(quote == '"') {
				s.endRun()
				return false
			}
			bare = false
		case quote == 0 && isSpace(c):
			more = true
			break scan
		case c == '$' && quote == '"' && !s.verbatim:
			if !s.variable(&bare) {
				s.endRun()
				return false
			}
		default:
			s.begins(i)
			s.keep(i)
			s.at++
			bare = false
		}
	}
	s.endWord()
	s.endRun()
	if quote != 0 {
		s.fault, s.faultAt = unmatchedQuote, quoteAt
		return false
	}
	return more
}

// begins notes that a word exists; at is where, should it stay empty.
func (s *splitter) begins(at int) {
	if s.open {
		return
	}
	s.open, s.begin, s.from, s.length, s.copied, s.hasNUL = true, at, 0, 0, false, false
	s.text = s.text[:0]
}

// keep adds the character at i of the line to the word.
func (s *splitter) keep(i int) {
	if s.copied {
		s.text = append(s.text, s.line[i])
		return
	}
	if s.length == 0 {
		s.from = i
	} else if i != s.from+s.length {
		s.put(s.line[i])
		return
	}
	s.length++
}

// put adds a character that does not stand like this in the line.
func (s *splitter) put(c byte) {
	if !s.copied {
		s.text = append(s.text[:0], s.line[s.from:s.from+s.length]...)
		s.copied = true
	}
	if c == 0 {
		s.hasNUL = true
	}
	s.text = append(s.text, c)
}

// endWord finishes the word that has begun, if one has.
func (s *splitter) endWord() {
	if !s.open {
		return
	}
	s.open = false
	text := ""
	if s.copied {
		text = string(s.text)
	} else if s.length > 0 {
		text = s.line[s.from : s.from+s.length]
	}
	if text == "" && s.emptyAt < 0 {
		s.emptyAt = s.begin
		if s.unknown >= 0 {
			s.emptyAt = s.unknown
		}
	}
	if len(s.words) == maxWords-1 {
		s.wordsAt = s.output
	}
	length := len(text)
	s.output += length + 1
	if s.hasNUL {
		text = text[:strings.IndexByte(text, 0)]
		if text == "" && s.blankAt < 0 {
			s.blankAt = s.output - length - 1
		}
	}
	if len(s.words) == maxWords {
		s.fault = tooManyWords
		return
	}
	s.words = append(s.words, ast.Word{Text: text})
	s.pending++
}

// endRun tells the words of a run where they come from.
func (s *splitter) endRun() {
	raw := s.line[s.start:s.at]
	for i := len(s.words) - s.pending; i < len(s.words); i++ {
		s.words[i].Raw, s.words[i].Col = raw, s.start+1
	}
	s.pending = 0
}

// escape reads what follows a backslash. Sequences that have no meaning stay as they are, backslash included.
func (s *splitter) escape(weak bool) bool {
	i := s.at
	s.begins(i)
	next := byte(0)
	if i+1 < len(s.line) {
		next = s.line[i+1]
	}
	switch next {
	case 't':
		s.put('\t')
	case 'n':
		s.put('\n')
	case 'r':
		s.put('\r')
	case ' ', '\\', '\'', '"':
		s.put(next)
	case '#':
		if s.keepHash {
			s.keep(i)
			s.at++
			return true
		}
		s.put(next)
	case '$':
		if !weak {
			s.keep(i)
			s.at++
			return true
		}
		s.put(next)
	case 'x':
		hi, lo := -1, -1
		if i+3 < len(s.line) {
			hi, lo = hexValue(s.line[i+2]), hexValue(s.line[i+3])
		}
		if hi < 0 || lo < 0 {
			s.fault, s.faultAt = badHex, i
			return false
		}
		s.put(byte(hi<<4 | lo))
		s.at += 4
		return true
	default:
		s.keep(i)
		s.at++
		return true
	}
	s.at += 2
	return true
}

func hexValue(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isWordChar(c byte) bool { return isAlpha(c) || c >= '0' && c <= '9' || c == '_' }

// variable replaces `$X`, `${X}`, `${X-default}` and `${X[*]}`. bare is cleared when the quotes around it are no
// longer to make an empty word by themselves.
func (s *splitter) variable(bare *bool) bool {
	line := s.line
	dollar := s.at
	i := dollar + 1
	peek := func() byte {
		if i < len(line) {
			return line[i]
		}
		return 0
	}
	fail := func(f fault, at int) bool {
		s.fault, s.faultAt = f, at
		return false
	}
	brace := peek() == '{'
	if brace {
		i++
	}
	if c := peek(); !isAlpha(c) && c != '_' && c != '.' {
		return fail(badVariableName, i)
	}
	nameAt := i
	for i++; isWordChar(peek()); i++ {
	}
	name := line[nameAt:i]
	value, set := s.lookup(name)
	if name[0] == '.' && !set && name != ".SECTION" {
		return fail(badVariableName, nameAt)
	}
	asWords := false
	if brace && peek() == '[' {
		if !strings.HasPrefix(line[i:], "[*]") {
			return fail(badExpansion, i)
		}
		asWords = true
		i += len("[*]")
	}
	if brace {
		if peek() == '-' {
			end := strings.IndexByte(line[i:], '}')
			if end < 0 {
				return fail(unmatchedBrace, dollar+1)
			}
			if !set {
				value, set = line[i+1:i+end], true
			}
			i += end
			s.unknown = -1
		}
		if peek() != '}' {
			return fail(unmatchedBrace, dollar+1)
		}
		i++
	}
	s.at = i
	if asWords {
		// An empty or unset list makes no word, and the quotes around it vanish.
		*bare = false
	}
	if !set {
		if !asWords {
			// An unset variable is an argument, though an empty one.
			s.begins(dollar)
			if s.unknown < 0 {
				s.unknown = nameAt
			}
		}
		return true
	}
	s.unknown = -1
	for k := 0; k < len(value); k++ {
		if asWords && isSpace(value[k]) {
			s.endWord()
			continue
		}
		s.begins(dollar)
		s.put(value[k])
		*bare = false
	}
	return true
}
