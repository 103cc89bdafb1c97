package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime/message"
)

// headerCaseKeywords tell with which capitals names of header fields go out to HTTP/1 peers that heed them. Section 3
// "h1-case-adjust".
func headerCaseKeywords() []Keyword {
	one := global("h1-case-adjust", "capitals of the name of a header field, where an option of the proxy wants them",
		[]keyword.Arg{{Name: "from", Type: keyword.Str}, {Name: "to", Type: keyword.Str}}, reporting(headerCase))
	one.Examples = []keyword.Example{{Config: "global\n  h1-case-adjust content-length Content-Length\n"}}
	return []Keyword{one,
		global("h1-case-adjust-file", "a file with two names a line, as h1-case-adjust has them", arg("file", keyword.File), reporting(headerCaseFile)),
	}
}

func headerCase(l *Loader, line *ast.Line) error {
	if l.TooMany(line, 1, 2) {
		return nil
	}
	from, to := line.Arg(1), line.Arg(2)
	if from == "" || to == "" {
		return fmt.Errorf("'%s' expects <from> and <to> as argument.", line.Arg(0))
	}
	return l.addHeaderCase(from, to)
}

// addHeaderCase makes a field go out under another name.
func (l *Loader) addHeaderCase(from, to string) error {
	g := &l.Config.Global
	switch {
	case to == "":
		return errors.New("expect <to>")
	case !message.EqualFold([]byte(from), to):
		return errors.New("<from> and <to> must not differ except the case")
	case g.HeaderCases[from] != nil:
		return fmt.Errorf("duplicate entry '%s'", from)
	}
	if g.HeaderCases == nil {
		g.HeaderCases = map[string][]byte{}
	}
	g.HeaderCases[from] = []byte(to)
	return nil
}

func headerCaseFile(l *Loader, line *ast.Line) error {
	switch {
	case l.TooMany(line, 1, 1):
	case line.Arg(1) == "":
		return fmt.Errorf("'%s' expects <file> as argument.", line.Arg(0))
	default:
		l.global.headerCases = line.Arg(1)
	}
	return nil
}

// readHeaderCases reads the last file that was named, if any was.
func readHeaderCases(l *Loader) {
	name := l.global.headerCases
	if name == "" {
		return
	}
	data, err := os.ReadFile(name)
	if err != nil {
		l.List.Alertf(ast.Pos{}, "h1-headers-case-adjust-file '%s': failed to open file.", name)
		return
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.Trim(strings.TrimRight(line, "\r\n"), " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		from, to := line, ""
		if blank := strings.IndexAny(line, " \t"); blank >= 0 {
			from, to = line[:blank], strings.TrimLeft(line[blank:], " \t")
		}
		if err := l.addHeaderCase(from, to); err != nil {
			l.List.Alertf(ast.Pos{}, "h1-headers-case-adjust-file '%s' : %s at line %d.", name, err, n)
			return
		}
	}
}
