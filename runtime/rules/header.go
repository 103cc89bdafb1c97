package rules

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

var errTwoArgs = errors.New("expects exactly 2 arguments")

// parseSetHeader reads set-header and add-header: `<name> <format>`.
func parseSetHeader(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	name, value, warning, err := headerAndFormat(l, a)
	if err != nil {
		return nil, err
	}
	head := headOf(a.Kind)
	put := (*message.Message).Add
	if a.Name == "set-header" {
		put = (*message.Message).Set
	}
	return func(s *runtime.Stream) runtime.Verdict {
		return done(s, put(head(s), name, value.bytes(s)))
	}, warning
}

// headerAndFormat reads the name of a header and a format for its value. A name with characters that no header has
// is worth a warning.
func headerAndFormat(l *config.Loader, a *config.ActionLine) (name string, value text, warning, err error) {
	if a.Peek() == "" || a.PeekAt(1) == "" {
		return "", text{}, nil, errTwoArgs
	}
	name = a.Take()
	if value, err = readText(l, a, a.Take(), logformat.ForHTTP); err != nil {
		return "", text{}, nil, err
	}
	for i := range len(name) {
		if c := name[i]; !isToken(c) && !(i == 0 && c == ':') {
			warning = config.Warning(fmt.Sprintf("header name '%s' contains forbidden character '%c'", name, c))
			break
		}
	}
	return strings.ToLower(name), value, warning, nil
}

// isToken tells whether a byte may stand in the name of a header (RFC 9110, 5.6.2).
func isToken(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// parseDelHeader reads `del-header <name> [-m <method>]`.
func parseDelHeader(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	name := a.Take()
	if name == "" {
		return nil, errors.New("expects at least 1 argument")
	}
	head := headOf(a.Kind)
	method := "str"
	if a.TakeIf("-m") {
		if method = a.Take(); method == "" {
			return nil, errors.New("-m flag expects exactly 1 argument")
		}
	}
	lower := strings.ToLower(name)
	want := []byte(lower)
	var match func(name []byte) bool
	switch method {
	case "str":
		return func(s *runtime.Stream) runtime.Verdict {
			head(s).RemoveAll(lower)
			return runtime.Continue
		}, nil
	case "beg":
		match = func(name []byte) bool { return bytes.HasPrefix(name, want) }
	case "end":
		match = func(name []byte) bool { return bytes.HasSuffix(name, want) }
	case "sub":
		match = func(name []byte) bool { return bytes.Contains(name, want) }
	case "reg":
		re, err := sample.CompileRegex(name, false)
		if err != nil {
			return nil, err
		}
		match = re.Match
	default:
		return nil, fmt.Errorf("-m with unsupported matching method '%s'", method)
	}
	return func(s *runtime.Stream) runtime.Verdict {
		m := head(s)
		for i := len(m.Fields) - 1; i >= 0; i-- {
			if match(m.Name(i)) {
				m.Remove(i)
			}
		}
		return runtime.Continue
	}, nil
}

// parseReplaceHeader reads replace-header, which works on whole headers, and replace-value, which works on each of
// their comma-separated values: `<name> <regex> <format>`.
func parseReplaceHeader(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Peek() == "" || a.PeekAt(1) == "" || a.PeekAt(2) == "" {
		return nil, errors.New("expects exactly 3 arguments")
	}
	name := strings.ToLower(a.Take())
	re, err := sample.CompileRegex(a.Take(), false)
	if err != nil {
		return nil, err
	}
	with, err := readTemplate(l, a, a.Take())
	if err != nil {
		return nil, err
	}
	head := headOf(a.Kind)
	each := (*message.Message).Lines
	if a.Name == "replace-value" {
		each = (*message.Message).Values
	}
	return func(s *runtime.Stream) runtime.Verdict {
		template := with.of(s)
		for v := each(head(s), name); v.Next(); {
			replaced, found, ok := template.apply(s, re, v.Bytes())
			if !found {
				continue
			}
			if !ok || v.Replace(replaced) != nil {
				return failed(s)
			}
		}
		return runtime.Continue
	}, nil
}

// template is the format of a replacement: what it gives may refer to the groups of a match by \1 and so on.
type template struct {
	text
	constant string
}

// replacement is a template for one stream.
type replacement string

func readTemplate(l *config.Loader, a *config.ActionLine, word string) (template, error) {
	t, err := readText(l, a, word, logformat.ForHTTP)
	return template{text: t, constant: string(t.constant)}, err
}

func (t *template) of(s *runtime.Stream) replacement {
	if t.format == nil {
		return replacement(t.constant)
	}
	return replacement(t.bytes(s))
}

// apply matches subject and gives what replaces it. found is false without a match, ok when the template ends in the
// middle of a reference or the result is too long.
func (r replacement) apply(s *runtime.Stream, re *sample.Regex, subject []byte) (result []byte, found, ok bool) {
	var g sample.Groups
	if !re.Find(subject, true, &g) {
		return nil, false, false
	}
	dst := room(s)
	result, ok = sample.AppendReplacement(dst, string(r), subject, &g)
	return result, true, ok && len(result) < cap(dst)
}
