package check

import (
	"fmt"
	"strings"

	"hapax/acl/logformat"
	"hapax/acl/pattern"
	"hapax/acl/sample"
	"hapax/runtime/config"
)

// send reads `send|send-lf|send-binary|send-binary-lf <data> [comment <text>]`.
func (rd *reader) send() (*rule, error) {
	word := rd.Take()
	if rd.Done() {
		kind := "string"
		if word == "send-binary" {
			kind = "binary string"
		}
		return nil, fmt.Errorf("'%s' expects a %s as argument", kind, word) // the other way round, as ever
	}
	text := rd.Take()
	s := &send{binary: word == "send-binary-lf"}
	r := &rule{do: s}
	for !rd.Done() {
		if rd.Peek() != "comment" {
			return nil, fmt.Errorf("expects 'comment' but got '%s' as argument.", rd.Peek())
		}
		if err := rd.comment(r, "."); err != nil {
			return nil, err
		}
	}
	var err error
	switch word {
	case "send":
		s.data = []byte(text)
	case "send-binary":
		if s.data, err = pattern.ParseHex(text); err != nil {
			return nil, fmt.Errorf("'%s' invalid binary string (%w).\n", text, err)
		}
	default:
		s.format, err = rd.format(text)
	}
	return r, err
}

// format reads a log format.
func (rd *reader) format(text string) (*logformat.Format, error) {
	rd.l.For(sample.InTCPCheck)
	f, err := rd.l.Format(text, 0, sample.CheckRule)
	if err != nil {
		return nil, fmt.Errorf("'%s' invalid log-format string (%w).\n", text, err)
	}
	return f, nil
}

// request reads `send [meth <m>] [uri <u>] ...`.
func (rd *reader) request() (*rule, error) {
	q := &request{}
	r := &rule{do: q}
	var uri, body string
	var uriFormat, bodyFormat, haveBody bool
	var headers [][2]string
	host := ""
	rd.Skip(1)
	for !rd.Done() {
		word, value := rd.Peek(), rd.PeekAt(1)
		switch word {
		case "meth", "uri", "uri-lf", "ver", "body", "body-lf":
			if value == "" {
				return nil, fmt.Errorf("'%s' expects a string as argument.", word)
			}
		}
		switch word {
		case "meth":
			q.method = value
		case "uri", "uri-lf":
			uri, uriFormat = value, word == "uri-lf"
		case "ver":
			q.version = value
		case "body", "body-lf":
			body, bodyFormat, haveBody = value, word == "body-lf", true
		case "hdr":
			text := rd.PeekAt(2)
			if value == "" || text == "" {
				return nil, fmt.Errorf("'%s' expects <name> and <value> as arguments", word)
			}
			rd.Skip(1)
			name := strings.ToLower(value)
			switch name {
			case "host":
				if host != "" {
					return nil, fmt.Errorf("'%s' header already defined (previous value is '%s')", value, host)
				}
				host = text
			case "content-length", "transfer-encoding":
				rd.Skip(2)
				continue
			}
			headers = append(headers, [2]string{name, text})
		case "comment":
			if err := rd.comment(r, "."); err != nil {
				return nil, err
			}
			continue
		default:
			return nil, fmt.Errorf("expects 'comment', 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body' or 'body-lf' but got '%s' as argument.", word)
		}
		rd.Skip(2)
	}
	var err error
	if uriFormat {
		if q.uriFormat, err = rd.format(uri); err != nil {
			return nil, err
		}
	} else {
		q.uri = uri
	}
	for _, h := range headers {
		if err := q.addHeader(rd.l, h[0], h[1]); err != nil {
			return nil, err
		}
	}
	if bodyFormat {
		q.bodyFormat, err = rd.format(body)
	} else if haveBody {
		q.body = []byte(body)
	}
	return r, err
}

func (q *request) addHeader(l *config.Loader, name, value string) error {
	l.For(sample.InTCPCheck)
	f, err := l.Format(value, 0, sample.CheckRule)
	if err == nil {
		q.headers = append(q.headers, header{name, f})
	}
	return err
}
