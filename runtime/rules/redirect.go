package rules

import (
	"bytes"
	"errors"
	"fmt"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// redirection is what a redirect rule says.
type redirection struct {
	kind        string // location, prefix or scheme
	to          text
	cookie      text
	setsCookie  bool
	dropQuery   bool
	keepQuery   bool
	appendSlash bool
	ignoreEmpty bool
	reply       *runtime.Reply
}

// parseRedirect reads `redirect {location|prefix|scheme} <format> [code <code>] [<option>]*`. On a "redirect" line
// (ActionLine.Plain) the text is no format.
func parseRedirect(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	r := &redirection{}
	code, destination, cookie, cookieWord := 302, "", "", ""
	for !a.Done() && !a.AtCond() {
		word := a.Take()
		var value string
		switch word {
		case "location", "prefix", "scheme", "set-cookie", "set-cookie-fmt", "clear-cookie", "code":
			if value = a.Take(); value == "" {
				return nil, fmt.Errorf("missing argument for '%s'", word)
			}
		}
		switch word {
		case "location", "prefix", "scheme":
			r.kind, destination = word, value
		case "set-cookie", "set-cookie-fmt", "clear-cookie":
			cookieWord, cookie = word, value
		case "code":
			n, _ := sample.ReadInt(value)
			if code = int(n); code < 301 || code > 308 || code > 303 && code < 307 {
				return nil, fmt.Errorf("'%s': unsupported HTTP code '%s' (must be one of 301, 302, 303, 307 or 308)", word, value)
			}
		case "drop-query":
			r.dropQuery = true
		case "keep-query":
			r.keepQuery = true
		case "append-slash":
			r.appendSlash = true
		case "ignore-empty":
			r.ignoreEmpty = true
		default:
			return nil, fmt.Errorf("expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'set-cookie-fmt',"+
				" 'clear-cookie', 'drop-query', 'keep-query', 'ignore-empty' or 'append-slash' (was '%s')", word)
		}
	}
	if a.AtCond() {
		cond, err := l.Cond(&a.Words)
		if err != nil {
			return nil, fmt.Errorf("error in condition: %w", err)
		}
		a.Rule.Cond = cond
	}
	if r.kind == "" {
		return nil, errors.New("redirection type expected ('prefix', 'location', or 'scheme')")
	}
	if a.Kind != runtime.HTTPReqRules && r.kind != "location" {
		return nil, errors.New("response only supports redirect type 'location'")
	}
	l.For(sample.InRedirect)
	if err := r.destination(l, a, destination); err != nil {
		return nil, err
	}
	if cookie != "" {
		if err := r.readCookie(l, a, cookieWord, cookie); err != nil {
			return nil, err
		}
	}
	r.reply = &runtime.Reply{Status: code, Kind: runtime.ReplyLocal, Compose: r.compose}
	a.Rule.Final = !r.ignoreEmpty
	return r.run, nil
}

// destination compiles the text. The prefix "/" stands for none: whoever redirects to the same place writes that.
func (r *redirection) destination(l *config.Loader, a *config.ActionLine, word string) (err error) {
	switch {
	case r.kind == "prefix" && word == "/":
	case a.Plain:
		r.to = text{constant: []byte(word)}
	default:
		r.to, err = readText(l, a, word, logformat.ForHTTP)
	}
	return err
}

func (r *redirection) readCookie(l *config.Loader, a *config.ActionLine, word, value string) (err error) {
	r.setsCookie = true
	switch word {
	case "set-cookie":
		r.cookie.constant = []byte(value + "; path=/;")
	case "clear-cookie":
		r.cookie.constant = []byte(value + "; path=/; Max-Age=0;")
	default:
		r.cookie, err = readText(l, a, value+"; path=/;", logformat.ForHTTP)
	}
	return err
}

// run makes the values of the reply while the message that they are made from is there.
func (r *redirection) run(s *runtime.Stream) runtime.Verdict {
	b := room(s)
	m := &s.Req
	switch r.kind {
	case "scheme":
		b = append(r.to.append(b, s), "://"...)
		if host := m.Values("host"); host.Next() {
			b = append(b, host.Bytes()...)
		}
		b = r.appendPath(b, m)
	case "prefix":
		b = r.appendPath(r.to.append(b, s), m)
	default:
		b = r.to.append(b, s)
		if len(b) == 0 && r.ignoreEmpty {
			return runtime.Continue
		}
		if r.keepQuery {
			b = appendQuery(b, m)
		}
	}
	s.Values[0], s.Values[1] = b, nil
	if r.setsCookie {
		s.Values[1] = r.cookie.bytes(s)
	}
	s.Reply = r.reply
	return runtime.Done
}

func (r *redirection) appendPath(b []byte, m *message.Message) []byte {
	path := m.PathQuery()
	switch {
	case path == nil:
		b = append(b, '/')
	case r.dropQuery:
		path, _, _ = bytes.Cut(path, []byte("?"))
		b = append(b, path...)
	default:
		b = append(b, path...)
	}
	if r.appendSlash && len(b) > 0 && b[len(b)-1] != '/' {
		b = append(b, '/')
	}
	return b
}

// appendQuery adds the query of the request to a location, which may have one of its own.
func appendQuery(b []byte, m *message.Message) []byte {
	_, query, _ := bytes.Cut(m.PathQuery(), []byte("?"))
	if len(query) == 0 {
		return b
	}
	switch i := bytes.IndexByte(b, '?'); {
	case i < 0:
		b = append(b, '?')
	case i+1 < len(b):
		b = append(b, '&')
	}
	return append(b, query...)
}

// compose writes the header of the answer.
func (r *redirection) compose(s *runtime.Stream, m *message.Message) error {
	if err := m.AddString("content-length", "0"); err != nil {
		return err
	}
	if err := m.Add("location", s.Values[0]); err != nil {
		return err
	}
	switch r.reply.Status {
	case 302, 303, 307:
		if err := m.AddString("cache-control", "no-cache"); err != nil {
			return err
		}
	}
	if !r.setsCookie {
		return nil
	}
	return m.Add("set-cookie", s.Values[1])
}
