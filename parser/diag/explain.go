package diag

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"strings"

	"hapax/parser/ast"
)

// Explain tells below a message what it is about: the line of the file, a caret under the
// word, and what may have been meant. What tools match on stands in the lines above.
//
//	12 |   option httpcheck
//	   |          ^^^^^^^^^ write 'httpchk' ?
type Explain struct {
	lines map[string][]string // of the files, read when a message first names them
}

// Text gives the lines to be printed below a message; it is empty where there is nothing
// to show.
func (e *Explain) Text(d Diagnostic) string {
	line, ok := e.line(d.Pos)
	if !ok || d.Severity != Alert && d.Severity != Warning {
		return ""
	}
	line = strings.ReplaceAll(strings.TrimRight(line, " \t\r"), "\t", " ")
	at, width := place(line, d.Text)
	hint := ""
	if m := meant.FindStringSubmatch(d.Text); m != nil {
		hint = " write '" + m[1] + "' ?"
	}
	number := fmt.Sprintf("%5d", d.Pos.Line)
	return fmt.Sprintf("%s | %s\n%s | %s%s%s\n", number, line, strings.Repeat(" ", len(number)), strings.Repeat(" ", at), strings.Repeat("^", width), hint)
}

var (
	meant  = regexp.MustCompile(`[Dd]id you mean '([^']+)' maybe`)
	quoted = regexp.MustCompile(`'([^']+)'`)
)

// place finds the word that a message is about: the last one that it quotes and that the
// line has, else the line's first.
func place(line, text string) (at, width int) {
	first := len(line) - len(strings.TrimLeft(line, " "))
	at, width = first, strings.IndexByte(line[first:]+" ", ' ')
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		word := m[1]
		if i := wordIn(line, word); i >= 0 && i >= at {
			at, width = i, len(word)
		}
	}
	return at, max(width, 1)
}

// wordIn finds a whole word in a line, -1 when it has none.
func wordIn(line, word string) int {
	for from := 0; ; {
		i := strings.Index(line[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		if (i == 0 || strings.IndexByte(" ,(\"'", line[i-1]) >= 0) && (end == len(line) || strings.IndexByte(" ,()\"'", line[end]) >= 0) {
			return i
		}
		from = i + 1
	}
}

// longest is how much of a line is shown.
const longest = 200

func (e *Explain) line(pos ast.Pos) (string, bool) {
	if pos.File == "" || pos.Line <= 0 {
		return "", false
	}
	lines, read := e.lines[pos.File]
	if !read {
		lines = readLines(pos.File)
		if e.lines == nil {
			e.lines = map[string][]string{}
		}
		e.lines[pos.File] = lines
	}
	if pos.Line > len(lines) || len(lines[pos.Line-1]) > longest {
		return "", false
	}
	return lines[pos.Line-1], true
}

// readLines reads a file that has been read before; what cannot be read again shows
// nothing.
func readLines(name string) (lines []string) {
	f, err := os.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}
