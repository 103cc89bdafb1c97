package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/h1"
	"hapax/runtime/message"
)

// errorStatuses are those that an errorfile may replace. 200 is the answer to the
// monitoring URI.
var errorStatuses = []int{200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504}

// errorRule is one line that says what an error looks like. They are kept in order
// and resolved at the end, as http-errors sections may come later.
type errorRule struct {
	status   int
	reply    *runtime.Reply // nil: from a section
	section  string
	statuses []int // taken from the section; nil: all that it has
	pos      ast.Pos
}

func errorKeywords() []Keyword {
	file := []keyword.Arg{{Name: "status", Type: keyword.Code}, {Name: "file", Type: keyword.File}}
	url := []keyword.Arg{{Name: "status", Type: keyword.Code}, {Name: "url", Type: keyword.Str}}
	return []Keyword{
		onProxy("errorfile", "4.2", "the file that is sent for an error", file, reporting(errorFile)),
		onProxy("errorloc", "4.2", "where an error redirects to, by 302", url, reporting(errorLocation)),
		onProxy("errorloc302", "4.2", "where an error redirects to, by 302", url, reporting(errorLocation)),
		onProxy("errorloc303", "4.2", "where an error redirects to, by 303", url, reporting(errorLocation)),
		onProxy("errorfiles", "4.2", "errors of an http-errors section", []keyword.Arg{{Name: "name", Type: keyword.Name}, {Name: "status", Type: keyword.Code, Many: true, Opt: true}}, reporting(errorFiles)),
		onProxy("http-error", "4.2", "what is sent for an error", []keyword.Arg{{Name: "status", Type: keyword.Code, Joined: true}, {Name: "reply", Type: keyword.Opaque, Many: true, Opt: true}}, reporting(httpError)),
		{Doc: keyword.Doc{Name: "errorfile", Ref: "12.4", Summary: "the file that is sent for an error", Args: file}, In: HTTPErrors, Parse: sectionErrorFile},
	}
}

func errorSections() []Section {
	return []Section{{Doc: doc("http-errors", "12.4", "a set of errors that proxies share"), Kind: HTTPErrors, Start: startHTTPErrors}}
}

func startHTTPErrors(l *Loader, line *ast.Line) {
	name := line.Arg(1)
	if name == "" {
		l.Abort(line.Pos, "missing name for http-errors section.")
		return
	}
	if c, bad := invalidChar(name); bad {
		l.Alert(line.Pos, "character '%c' is not permitted in '%s' name '%s'.", c, line.Arg(0), name)
	}
	if at, known := l.errorPos[name]; known {
		l.AlertTight(line.Pos, "http-errors section '%s' already exists (declared at %s:%d).", name, at.File, at.Line)
	}
	l.errors = &runtime.HTTPErrors{Name: name, Replies: map[int]*runtime.Reply{}}
	if l.errorPos == nil {
		l.errorPos = map[string]ast.Pos{}
	}
	l.errorPos[name] = line.Pos
	l.Config.HTTPErrs[name] = l.errors
}

func sectionErrorFile(l *Loader, line *ast.Line) {
	if line.Arg(1) == "" || line.Arg(2) == "" {
		l.Alert(line.Pos, "%s: expects <status_code> and <file> as arguments.", line.Arg(0))
		return
	}
	status := atol(line.Arg(1))
	reply, err := l.fileOfStatus(status, line.Arg(2))
	if err != nil {
		l.Alert(line.Pos, "%s : %s", line.Arg(0), err)
		return
	}
	if l.errors != nil {
		l.errors.Replies[status] = reply
	}
}

func (l *Loader) addError(rule errorRule) {
	st := l.state(l.Proxy)
	st.errors = append(st.errors, rule)
}

// twoArgs refuses lines that have not exactly two arguments.
func twoArgs(line *ast.Line, second string) error {
	if line.Arg(1) == "" || line.Arg(2) == "" {
		return fmt.Errorf("%s : expects <status_code> and <%s> as arguments.\n", line.Arg(0), second)
	}
	if line.Arg(3) != "" {
		return fmt.Errorf("%s : expects exactly two arguments.\n", line.Arg(0))
	}
	return nil
}

func errorFile(l *Loader, line *ast.Line) error {
	if err := twoArgs(line, "file"); err != nil {
		return err
	}
	status := atol(line.Arg(1))
	reply, err := l.fileOfStatus(status, line.Arg(2))
	if err != nil {
		return fmt.Errorf("%s : %w", line.Arg(0), err)
	}
	l.addError(errorRule{status: status, reply: reply, pos: line.Pos})
	return nil
}

func errorLocation(l *Loader, line *ast.Line) error {
	if err := twoArgs(line, "url"); err != nil {
		return err
	}
	status := atol(line.Arg(1))
	if !slices.Contains(errorStatuses, status) {
		return fmt.Errorf("%s : status code '%d' not handled.", line.Arg(0), status)
	}
	head := "302 Found"
	code := 302
	if line.Arg(0) == "errorloc303" {
		head, code = "303 See Other", 303
	}
	raw := "HTTP/1.1 " + head + "\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: " + line.Arg(2) + "\r\n\r\n"
	l.addError(errorRule{status: status, reply: &runtime.Reply{Status: code, Raw: []byte(raw)}, pos: line.Pos})
	return nil
}

func errorFiles(l *Loader, line *ast.Line) error {
	if line.Arg(1) == "" {
		return fmt.Errorf("%s : expects <name> as argument.", line.Arg(0))
	}
	rule := errorRule{section: line.Arg(1), pos: line.Pos}
	for _, word := range line.Texts(nil, 2) {
		status := atol(word)
		if !slices.Contains(errorStatuses, status) {
			return fmt.Errorf("%s : status code '%d' not handled.", line.Arg(0), status)
		}
		rule.statuses = append(rule.statuses, status)
	}
	slices.Sort(rule.statuses)
	rule.statuses = slices.Compact(rule.statuses)
	l.addError(rule)
	return nil
}

func httpError(l *Loader, line *ast.Line) error {
	l.For(sample.InHTTPError)
	w := NewWords(line, 1)
	reply, section, err := l.readReply(&w, 0, sample.AnyRequest|sample.AnyResponse)
	switch {
	case err != nil:
		return fmt.Errorf("%s : %w", line.Arg(0), err)
	case reply.Status == 0:
		return fmt.Errorf("%s : expects at least a <status> as arguments.\n", line.Arg(0))
	case !slices.Contains(errorStatuses, reply.Status):
		return fmt.Errorf("%s: status code '%d' not handled.", line.Arg(0), reply.Status)
	case !w.Done():
		return fmt.Errorf("%s : unknown keyword '%s'.", line.Arg(0), w.Peek())
	}
	if section != "" {
		l.addError(errorRule{section: section, statuses: []int{reply.Status}, pos: line.Pos})
	} else if !reply.Default {
		l.addError(errorRule{status: reply.Status, reply: reply, pos: line.Pos})
	}
	return nil
}

func (l *Loader) fileOfStatus(status int, path string) (*runtime.Reply, error) {
	if !slices.Contains(errorStatuses, status) {
		return nil, fmt.Errorf("status code '%d' not handled.", status)
	}
	return l.ErrorFile(path)
}

// ErrorFile reads a whole HTTP response from a file. An empty file answers nothing.
func (l *Loader) ErrorFile(path string) (*runtime.Reply, error) {
	if reply := l.replies[path]; reply != nil {
		return reply, nil
	}
	most := l.Config.Global.Tune.BufSize
	data, size, err := readStart(path, most)
	if err != nil {
		return nil, err
	}
	if size > int64(most) {
		l.List.Warnf(l.pos, "custom error message file '%s' larger than %d bytes. Truncating.", path, most)
	}
	reply, err := parseErrorFile(data, &l.Config.Global.Tune)
	if err != nil {
		return nil, fmt.Errorf("'%s': %w", path, err)
	}
	l.replies[path] = reply
	return reply, nil
}

// readStart reads at most so many bytes of a file, and tells how many it has. What has
// no size, like a device, is empty.
func readStart(path string, most int) (data []byte, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("error opening file '%s'.", path)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("error opening file '%s'.", path)
	}
	data = make([]byte, min(info.Size(), int64(most)))
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, 0, fmt.Errorf("error reading file '%s'.", path)
	}
	return data, info.Size(), nil
}

// parseErrorFile checks a response and brings it into the form that is sent: names of headers in lower case, folded lines
// in one, lines ended by CR LF.
func parseErrorFile(data []byte, tune *runtime.Tune) (*runtime.Reply, error) {
	if len(data) == 0 {
		return &runtime.Reply{Raw: []byte{}}, nil
	}
	var m message.Message
	m.Reset(data, make([]message.Field, 0, tune.MaxHdr))
	var p h1.Parser
	p.Response(message.GET, h1.Stored, h1.Limits{Buffer: tune.BufSize, Headers: tune.MaxHdr})
	switch p.Parse(&m) {
	case h1.More:
		return nil, errors.New("unable to parse headers (error offset: -2)")
	case h1.Invalid:
		if v := m.Bytes(m.Line[0]); p.State >= h1.ChunkSize && len(v) != len("HTTP/1.1") {
			return nil, fmt.Errorf("invalid http version (%s)", v)
		}
		return nil, fmt.Errorf("unable to parse headers (error offset: %d)", p.ErrPos)
	}
	body := data[m.HeadLen:]
	switch {
	case m.Status == 100, m.Status > 101 && m.Status < 200:
		return nil, fmt.Errorf("invalid http status code for an error message (%d)", m.Status)
	case m.Flags&message.Bodyless != 0:
		if len(body) > 0 {
			return nil, errors.New("message payload not expected")
		}
		if m.Flags&message.BodylessResponse != 0 {
			m.RemoveAllID(message.ContentLengthHeader)
		}
	case m.Flags&message.Chunked != 0:
		return nil, errors.New("chunk-encoded payload not supported")
	case m.Flags&message.ContentLength != 0 && m.BodyLength != uint64(len(body)):
		return nil, fmt.Errorf("payload size does not match the announced content-length (%d != %d)", len(body), m.BodyLength)
	case p.Room(&m) < len(body):
		return nil, errors.New("unable to add payload into the HTX message")
	}
	out := bytes.Join([][]byte{m.Bytes(m.Line[0]), m.Bytes(m.Line[1]), m.Bytes(m.Line[2])}, []byte(" "))
	out = append(out, '\r', '\n')
	for i := range m.Fields {
		out = append(append(append(append(out, m.Name(i)...), ": "...), m.Value(i)...), '\r', '\n')
	}
	out = append(out, '\r', '\n')
	return &runtime.Reply{Status: int(m.Status), Raw: append(out, body...)}, nil
}

// resolveErrors makes the errors of a proxy from its lines, the last of a status
// counts.
func (l *Loader) resolveErrors(px *runtime.Proxy) {
	st := l.state(px)
	unnamed := px.Caps&runtime.CapDefaults != 0 && px.Name == "" // what is wrong is told of the proxies that inherit it
	for i := range st.errors {
		rule := &st.errors[i]
		if rule.section == "" {
			l.setError(px, rule.status, rule.reply)
			continue
		}
		section := l.Config.HTTPErrs[rule.section]
		if section == nil {
			if unnamed {
				continue
			}
			l.passed++
			l.List.Alertf(rule.pos, "proxy '%s': unknown http-errors section '%s' (at %s:%d).", px.Name, rule.section, rule.pos.File, rule.pos.Line)
			continue
		}
		if rule.statuses == nil {
			for status, reply := range section.Replies {
				l.setError(px, status, reply)
			}
		}
		for _, status := range rule.statuses {
			switch reply := section.Replies[status]; {
			case reply != nil:
				l.setError(px, status, reply)
			case !unnamed:
				l.List.Warnf(rule.pos, "config: proxy '%s' : status '%d' not declared in http-errors section '%s' (at %s:%d).",
					px.Name, status, rule.section, rule.pos.File, rule.pos.Line)
			}
		}
	}
}

func (l *Loader) setError(px *runtime.Proxy, status int, reply *runtime.Reply) {
	if px.Errors == nil {
		px.Errors = map[int]*runtime.Reply{}
	}
	px.Errors[status] = reply
}
