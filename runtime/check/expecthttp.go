package check

import (
	"bytes"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/message"
)

// headerMatch looks for a header field.
type headerMatch struct {
	name, value textMatch
	anyValue    bool // the name is enough
	whole       bool // values are not split at commas
}

// textMatch compares one word.
type textMatch struct {
	how    textHow
	text   []byte
	format *logformat.Format // nil: text
	regex  *sample.Regex     // of byRegex
}

type textHow uint8

const (
	equal textHow = iota
	beginning
	ending
	within
	byRegex
)

func (t *textMatch) matches(word, text []byte) bool {
	switch t.how {
	case beginning:
		return bytes.HasPrefix(word, text)
	case ending:
		return bytes.HasSuffix(word, text)
	case within:
		return bytes.Contains(word, text)
	case byRegex:
		return t.regex.Match(word)
	}
	return bytes.Equal(word, text)
}

// pattern is the text to compare with; ok is false when a format gave nothing.
func (t *textMatch) pattern(ck *Check) (text []byte, ok bool) {
	if t.format == nil {
		return t.text, true
	}
	text = bytes.Clone(ck.write(t.format))
	return text, len(text) > 0
}

// runHTTP looks at a response. last tells that no more of it will come.
func (e *expect) runHTTP(ck *Check, r *rule, last bool) verdict {
	h := ck.http
	if h.broken {
		return e.failed(ck, r, runtime.CheckL7Response, false, "")
	}
	ck.answer = int(h.msg.Status)
	if ck.excused() {
		return proceed
	}
	const emptyFormat = "log-format string evaluated to an empty string"
	found, status := false, runtime.CheckL7Status
	desc := string(h.msg.Reason())
	switch e.kind {
	case matchStatus:
		for _, c := range e.codes {
			if ck.answer >= c[0] && ck.answer <= c[1] {
				found = true
			}
		}
	case matchStatusRegex:
		found = e.regex.Match(h.msg.Bytes(h.msg.Line[1]))
	case matchHeader:
		var ok bool
		if found, ok = e.header.find(ck); !ok {
			return e.failed(ck, r, runtime.CheckL7Response, false, emptyFormat)
		}
	default:
		status = runtime.CheckL7Response
		if len(h.body) == 0 {
			if !last {
				return await
			}
			return e.failed(ck, r, or(e.bad, status), false, e.unless("HTTP content check could not find a response body"))
		}
		want := e.data
		if e.kind == matchBodyFormat {
			if want = ck.write(e.format); len(want) == 0 {
				return e.failed(ck, r, runtime.CheckL7Response, false, emptyFormat)
			}
		}
		if !last && (e.kind != matchBodyRegex && len(h.body) < len(want) || e.minRecv > 0 && len(h.body) < e.minRecv) {
			return await
		}
		if e.kind == matchBodyRegex {
			found = e.regex.Match(h.body)
		} else {
			found = bytes.Contains(h.body, want)
		}
		if !found && !last && e.minRecv == -1 {
			return await
		}
		desc = "HTTP content check did not match"
		if e.not {
			desc = "HTTP check matched unwanted content"
		}
	}
	if found != e.not {
		return proceed
	}
	return e.failed(ck, r, or(e.bad, status), false, e.unless(desc))
}

// unless gives the usual text where the rule has none of its own ("on-error").
func (e *expect) unless(text string) string {
	if e.onError != nil && !e.onError.Empty() {
		return ""
	}
	return text
}

// find looks for the header field; ok is false when a format gave no pattern.
func (m *headerMatch) find(ck *Check) (found, ok bool) {
	name, ok := m.name.pattern(ck)
	if !ok {
		return false, false
	}
	value, ok := m.value.pattern(ck)
	if !ok {
		return false, false
	}
	res := &ck.http.msg
	name = bytes.ToLower(name)
	for i := range res.Fields {
		if !m.name.matches(res.Name(i), name) {
			continue
		}
		if m.anyValue {
			return true, true
		}
		rest := res.Value(i)
		for {
			item := rest
			if !m.whole {
				item = rest[:message.ValueEnd(rest)]
			}
			if m.value.matches(bytes.Trim(item, " \t"), value) {
				return true, true
			}
			if len(item) == len(rest) {
				break
			}
			rest = rest[len(item)+1:]
		}
	}
	return false, true
}
