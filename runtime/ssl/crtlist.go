package ssl

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"hapax/runtime/config"
)

// crtList is a list of certificates: a file ("crt-list"), a directory, or the "ssl-f-use" lines
// of a proxy.
type crtList struct {
	name  string
	dir   bool // each certificate is there once, and has no options
	lines []*listLine
	count int // lines of the file
	users []*Context

	warning string // about one of its lines
	faults  string // of files of certificates that could not be read: told with what goes wrong first
}

// listLine is a line of a list: a certificate, what holds for it alone, and the names that it
// is for.
type listLine struct {
	number int
	entry  *entry
	own    *options // nil: as the "bind" line says

	misplaced bool     // names stand before the options, where they mean nothing
	filters   []string // empty: the names in the certificate
}

// maxListLine is how long a line may be; maxListWords how many words it may have.
const (
	maxListLine  = 65535
	maxListWords = 2048
)

// crtList places the certificates of a list, which is read when it is met first.
func (g *settings) crtList(at *Context, name string, dir bool) error {
	name = strings.TrimRight(name, "/")
	list := g.store.lists[name]
	if list == nil {
		var err error
		if dir {
			list, err = g.readDirectory(name)
		} else {
			list, err = g.readList(name)
		}
		if err != nil {
			return err
		}
		g.store.lists[name] = list
	}
	for _, line := range list.lines {
		fb := noFallback
		if len(at.uses) == 0 {
			fb = implicitFallback
		}
		if _, err := g.place(line.entry, at, line, fb); err != nil {
			faults := list.faults
			list.faults = ""
			return fmt.Errorf("error processing line %d in file '%s' : %s%w", line.number, name, faults, err)
		}
	}
	list.users = slices.Insert(list.users, 0, at)
	if list.warning != "" {
		return config.Warning(list.warning)
	}
	return nil
}

// readDirectory makes a list of the files of a directory.
func (g *settings) readDirectory(name string) (*crtList, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, refusal("unable to scan directory '%s' : %s.\n", name, systemReason(err))
	}
	list := &crtList{name: name, dir: true}
	var faults strings.Builder
	for _, de := range entries {
		ext := filepath.Ext(de.Name())
		if ext != "" && (de.Name()[0] == '.' || slices.Contains([]string{".issuer", ".ocsp", ".sctl", ".key"}, ext)) {
			continue
		}
		path := name + "/" + de.Name()
		st, err := os.Stat(path)
		if err != nil {
			fmt.Fprintf(&faults, "unable to stat SSL certificate from file '%s' : %s.\n", path, systemReason(err))
			continue
		}
		if !st.Mode().IsRegular() {
			continue
		}
		e, err := g.entry(path)
		if err != nil {
			return nil, refusal("%s%s", faults.String(), err)
		}
		list.lines = append(list.lines, &listLine{entry: e})
	}
	if faults.Len() > 0 {
		return nil, refusal("%s", faults.String())
	}
	return list, nil
}

// readList reads a file.
func (g *settings) readList(name string) (*crtList, error) {
	text, err := contents(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open file '%s' : %s", name, systemReason(err))
	}
	list := &crtList{name: name}
	in := bufio.NewReader(bytes.NewReader(text))
	cut := -1 // where the line ends that is read, if not in a line feed
	for number := 1; ; number++ {
		line, err := in.ReadString('\n')
		switch {
		case line == "" && err != nil && cut >= 0:
			return nil, refusal("parsing [%s:%d]: Missing LF on last line, file might have been truncated at position %d.\n", name, number-1, cut+1)
		case line == "" && err != nil:
			list.count = number - 1
			return list, nil
		case cut >= 0:
			return nil, refusal("parsing [%s:%d]: Stray NUL character at position %d.\n", name, number-1, cut+1)
		case len(line) >= maxListLine && line[maxListLine-1] != '\n':
			return nil, fmt.Errorf("parsing [%s:%d]: line too long, limit is %d characters", name, number, maxListLine)
		case strings.ContainsRune("#\n\r", rune(line[0])):
			continue
		}
		line, whole := strings.CutSuffix(line, "\n")
		if zero := strings.IndexByte(line, 0); zero >= 0 {
			line, whole = line[:zero], false
		}
		if !whole {
			cut = len(line)
		}
		if err := g.readLine(list, line, number); err != nil {
			return nil, err
		}
	}
}

// readLine reads a line of a file.
func (g *settings) readLine(list *crtList, text string, number int) error {
	r := &reader{set: g, list: g.list, pos: g.pos, what: "crt-list", experimental: g.experimental}
	crt, line, conf, err := g.parseListLine(text, r, list.name, number)
	if err != nil || crt == "" {
		return err
	}
	g.missing = append(g.missing, conf.beyondList("crt-list")...)
	if line.own != nil {
		g.missing = append(g.missing, line.own.missing...)
	}
	if line.misplaced {
		list.warning = fmt.Sprintf("parsing [%s:%d]: malformated line, filters can't be between filename and options!", list.name, number)
	}
	return g.addLines(list, line, based(g.crtBase, crt), conf, list.name, number)
}

// parseListLine reads `crt [options] filters`. An empty crt is an empty line.
func (g *settings) parseListLine(text string, r *reader, file string, number int) (crt string, line *listLine, conf loadConf, err error) {
	at := func(format string, args ...any) error {
		return fmt.Errorf("parsing [%s:%d]: %s", file, number, fmt.Sprintf(format, args...))
	}
	words, open, end, err := splitListLine(text, at)
	if err != nil || len(words) == 0 {
		return "", nil, conf, err
	}
	line = &listLine{number: number, misplaced: open > 1}
	var fault error // of the last option that has one: those behind it are read all the same
	next := max(open, 1)
	for next < end {
		word := words[next]
		value := ""
		if next+1 < end {
			value = words[next+1]
		}
		if row := findOption(word); row != nil {
			if line.own == nil {
				line.own = &options{}
			}
			if next+1+row.args > end {
				return "", nil, conf, at("ssl args out of '[]' for %s", word)
			}
			if err := row.parse(r, word, value, line.own); err != nil {
				fault = err
			}
			next += 1 + row.args
			continue
		}
		known, err := conf.parse(word, value, r, file, number)
		if err = cmp.Or(err, fault); err != nil {
			return "", nil, conf, err
		}
		if !known {
			return "", nil, conf, at("unknown ssl keyword %s", word)
		}
		conf.by = byList
		next += 2
	}
	if fault != nil {
		return "", nil, conf, fault
	}
	line.filters = words[min(next, len(words)):]
	return words[0], line, conf, nil
}

// splitListLine cuts a line into words. open and end are the places of the first word in
// brackets and of the first one behind them; 0: there are none.
func splitListLine(text string, at func(string, ...any) error) (words []string, open, end int, err error) {
	start := -1
	flush := func(i int) {
		if start >= 0 {
			words = append(words, text[start:i])
			start = -1
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ' ' || c >= '\t' && c <= '\r':
			flush(i)
		case c == '[':
			flush(i)
			if open > 0 {
				return nil, 0, 0, at("too many '['")
			}
			if len(words) == 0 {
				return nil, 0, 0, at("file must start with a cert")
			}
			open = len(words)
		case c == ']':
			flush(i)
			if end > 0 {
				return nil, 0, 0, at("too many ']'")
			}
			if open == 0 {
				return nil, 0, 0, at("missing '['")
			}
			end = len(words)
		case start < 0:
			if len(words) == maxListWords {
				return nil, 0, 0, at("too many args ")
			}
			start = i
		}
	}
	flush(len(text))
	return words, open, end, nil
}

// addLines adds a line to a list, or several for a bundle. An error is told behind the faults
// of lines before.
func (g *settings) addLines(list *crtList, line *listLine, crt string, conf loadConf, file string, number int) error {
	if e := g.store.entries[crt]; e != nil {
		if text := e.conf.differs(g, &conf); text != "" {
			return refusal("'%s' in crt-list '%s' line %d, is already defined with incompatible parameters:\n %s%s", crt, file, number, list.faults, text)
		}
		line.entry = e
		list.lines = append(list.lines, line)
		return nil
	}
	if _, reason := found(crt); reason == "" {
		e, err := g.loadEntry(crt, conf)
		switch {
		case err != nil && conf.named():
			return refusal("%s%s", list.faults, err)
		case err != nil:
			list.faults += err.Error()
			e = &entry{name: crt, conf: conf, cert: &certificate{}}
		}
		line.entry = e
		list.lines = append(list.lines, line)
		return nil
	} else if parts, err := g.bundle(crt); err != nil {
		return refusal("%s%s", list.faults, err)
	} else if len(parts) == 0 {
		return refusal("%s%s", list.faults, statError(crt, reason))
	} else if conf.by != byNobody {
		text := fmt.Sprintf("Can't load '%s'. Using crt-store keyword is not compatible with multi certificates bundle.\n", crt)
		return refusal("%s%s", list.faults, strings.Repeat(text, len(parts))) // once for each file
	} else {
		for i, e := range parts {
			l := *line
			l.entry = e
			l.number = number + 2*i
			list.lines = append(list.lines, &l)
		}
	}
	return nil
}

// show writes the line as a list has it; numbers tells its place.
func (l *listLine) show(number bool) string {
	var b strings.Builder
	b.WriteString(l.entry.name)
	if number {
		fmt.Fprintf(&b, ":%d", l.number)
	}
	if l.own != nil || l.entry.conf.by != byNobody {
		b.WriteString(" [")
		words := ""
		if l.own != nil {
			words = l.own.show()
		}
		if l.entry.conf.by != byNobody && l.entry.conf.update != unset {
			if words != "" {
				words += " "
			}
			words += "ocsp-update " + onOff(l.entry.conf.update == on)
		}
		b.WriteString(words + "]")
	}
	for _, f := range l.filters {
		b.WriteString(" " + f)
	}
	return b.String()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}
