package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
)

// Format compiles a log format of the line that is being read. flags are those
// of its use: logformat.ForLog, logformat.ForHTTP or 0. Inside of a defaults
// section formats are compiled for both sides, as for the proxies behind it.
func (l *Loader) Format(text string, flags logformat.Flags, at sample.Checkpoint) (*logformat.Format, error) {
	first := len(l.Samples.Unresolved)
	f, err := l.formats.Compile(text, flags, at)
	switch {
	case err != nil:
		l.Samples.Unresolved = l.Samples.Unresolved[:first] // nobody asks for them any more
	case l.Proxy != nil:
		l.checkFormat(l.Proxy, f)
	}
	return f, err
}

// checkFormat notes what a format needs, and that its items may want a proxy in HTTP mode.
func (l *Loader) checkFormat(px *runtime.Proxy, f *logformat.Format) {
	px.FormatNeeds |= f.Need()
	if items := f.HTTPItems(); len(items) > 0 {
		st := l.state(px)
		st.httpFormats = append(st.httpFormats, formatUse{l.Samples.Pos, items})
	}
}

// Reply reads the words that describe an answer: "status", "content-type",
// "errorfile", "string", "lf-file", "hdr" and so on, up to the first other word.
// status is used when no word gives one, 0 for none. An answer of an http-errors
// section is filled when all sections are read.
func (l *Loader) Reply(w *Words, status int, at sample.Checkpoint) (*runtime.Reply, error) {
	reply, section, err := l.readReply(w, status, at)
	if err != nil || section == "" {
		return reply, err
	}
	px := l.Proxy
	pos := w.Pos()
	l.Later(func() {
		errs := l.Config.HTTPErrs[section]
		if errs == nil {
			l.List.Alertf(pos, "Proxy '%s': unknown http-errors section '%s' referenced by an http reply .", px.Name, section)
			return
		}
		if found := errs.Replies[reply.Status]; found != nil {
			reply.Raw = found.Raw
			return
		}
		l.List.Warnf(pos, "Proxy '%s': status '%d' referenced by an http reply not declared in http-errors section '%s'.", px.Name, reply.Status, section)
	})
	return reply, nil
}

// readReply gives the name of the section too whose answer is meant.
func (l *Loader) readReply(w *Words, status int, at sample.Checkpoint) (r *runtime.Reply, section string, err error) {
	r = &runtime.Reply{Status: status}
	source := "" // the word that gave the payload
	var payload string
	// takes reads the argument of a word that gives the payload.
	takes := func(word, argument string) (string, error) {
		if source != "" {
			return "", fmt.Errorf("unexpected '%s' argument, '%s' already defined", word, source)
		}
		source = word
		w.Skip(1)
		if argument == "" {
			return "", nil
		}
		value := w.Take()
		if value == "" {
			return "", fmt.Errorf("'%s' expects <%s> as argument", word, argument)
		}
		return value, nil
	}
	for {
		word := w.Peek()
		var value string
		switch word {
		case "status":
			w.Skip(1)
			if value = w.Take(); value == "" {
				return nil, "", fmt.Errorf("'%s' expects <status_code> as argument", word)
			}
			if r.Status = atol(value); r.Status < 200 || r.Status > 599 {
				return nil, "", fmt.Errorf("Unexpected status code '%d'", r.Status)
			}
		case "content-type":
			w.Skip(1)
			if r.Type = w.Take(); r.Type == "" {
				return nil, "", fmt.Errorf("'%s' expects <ctype> as argument", word)
			}
		case "errorfiles":
			section, err = takes(word, "name")
		case "default-errorfiles":
			_, err = takes(word, "")
			r.Default = true
		case "errorfile":
			if value, err = takes(word, "fmt"); err == nil {
				var file *runtime.Reply
				if file, err = l.ErrorFile(value); err == nil {
					r.Raw = file.Raw
				}
			}
		case "file", "lf-file":
			if value, err = takes(word, "file"); err == nil {
				payload, err = l.payloadFile(value)
			}
		case "string":
			payload, err = takes(word, "str")
		case "lf-string":
			payload, err = takes(word, "fmt")
		case "hdr":
			err = l.replyHeader(w, r, at)
		default:
			return r, section, l.finishReply(r, source, payload, at)
		}
		if err != nil {
			return nil, "", err
		}
	}
}

func (l *Loader) replyHeader(w *Words, r *runtime.Reply, at sample.Checkpoint) error {
	word := w.Take()
	name, value := w.Peek(), w.PeekAt(1)
	if name == "" || value == "" {
		return fmt.Errorf("'%s' expects <name> and <value> as arguments", word)
	}
	w.Skip(2)
	switch strings.ToLower(name) {
	case "content-length", "transfer-encoding", "content-type":
		l.Warn(w.Pos(), "header '%s' always ignored by the http reply.", name)
		return nil
	}
	f, err := l.Format(value, logformat.ForHTTP, at)
	if err != nil {
		return err
	}
	r.Headers = append(r.Headers, runtime.ReplyHeader{Name: strings.ToLower(name), Value: f})
	return nil
}

func (l *Loader) payloadFile(path string) (string, error) {
	most := l.Config.Global.Tune.BufSize
	data, size, err := readStart(path, most)
	if err != nil {
		return "", errors.New(strings.TrimSuffix(err.Error(), "."))
	}
	if size > int64(most) {
		return "", fmt.Errorf("file '%s' exceeds the buffer size (%d > %d)", path, size, most)
	}
	return string(data), nil
}

// finishReply checks that the parts of an answer go together.
func (l *Loader) finishReply(r *runtime.Reply, source, payload string, at sample.Checkpoint) error {
	pos := l.pos
	bodyless := r.Status == 204 || r.Status == 304
	switch source {
	case "":
		if r.Type != "" {
			l.Warn(pos, "content-type '%s' ignored by the http reply because neither errorfile nor payload defined.", r.Type)
			r.Type = ""
		}
	case "errorfiles", "default-errorfiles", "errorfile":
		if source != "errorfile" && !slices.Contains(errorStatuses, r.Status) {
			return fmt.Errorf("status code '%d' not handled by default with '%s' argument.", r.Status, source)
		}
		if r.Type != "" {
			l.Warn(pos, "content-type '%s' ignored by the http reply when used with an errorfile.", r.Type)
			r.Type = ""
		}
		if len(r.Headers) > 0 {
			l.Warn(pos, "hdr parameters ignored by the http reply when used with an errorfile.")
			r.Headers = nil
		}
	case "file", "string":
		if bodyless && payload != "" {
			return fmt.Errorf("No body expected for %d responses", r.Status)
		}
		if r.Type == "" && payload != "" {
			return errors.New("a content type must be defined when non-empty payload is configured")
		}
		if r.Type != "" && payload == "" {
			l.Warn(pos, "content-type '%s' ignored by the http reply when used with an empty payload.", r.Type)
			r.Type = ""
		}
		if t := &l.Config.Global.Tune; t.BufSize-len(payload) < t.MaxRewrite {
			l.Warn(pos, "http reply payload runs over the buffer space reserved to headers rewriting. It may lead to internal errors if strict rewriting mode is enabled.")
		}
		r.Body = []byte(payload)
	default:
		if bodyless {
			return fmt.Errorf("No body expected for %d responses", r.Status)
		}
		if r.Type == "" {
			return errors.New("a content type must be defined with a log-format payload")
		}
		f, err := l.Format(payload, 0, at)
		if err != nil {
			return err
		}
		r.Format = f
	}
	return nil
}
