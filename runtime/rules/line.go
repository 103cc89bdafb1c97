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

// parseSetLine reads the actions that replace a part of the request line: `set-path <format>` and its kin.
func parseSetLine(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Peek() == "" || !condAt(a, 1) {
		return nil, errors.New("expects exactly 1 argument <format>")
	}
	value, err := readText(l, a, a.Take(), logformat.ForHTTP)
	if err != nil {
		return nil, err
	}
	switch a.Name {
	case "set-method":
		return setLine(value, (*message.Message).SetMethod), nil
	case "set-path":
		return setLine(value, (*message.Message).SetPath), nil
	case "set-pathq":
		return setLine(value, (*message.Message).SetPathQuery), nil
	case "set-uri":
		return setLine(value, (*message.Message).SetURI), nil
	}
	return func(s *runtime.Stream) runtime.Verdict {
		query := value.append(append(room(s), '?'), s)
		return done(s, s.Req.SetQuery(query))
	}, nil
}

func setLine(value text, set func(*message.Message, []byte) error) runtime.Exec {
	return func(s *runtime.Stream) runtime.Verdict { return done(s, set(&s.Req, value.bytes(s))) }
}

// condAt tells whether the line ends or its condition begins n words behind the next one.
func condAt(a *config.ActionLine, n int) bool {
	switch a.PeekAt(n) {
	case "", "if", "unless":
		return true
	}
	return false
}

// parseReplaceLine reads replace-path, replace-pathq and replace-uri: `<regex> <format>`.
func parseReplaceLine(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Peek() == "" || a.PeekAt(1) == "" || !condAt(a, 2) {
		return nil, errors.New("expects exactly 2 arguments <match-regex> and <replace-format>")
	}
	re, err := sample.CompileRegex(a.Take(), false)
	if err != nil {
		return nil, fmt.Errorf("failed to parse the regex : %w", err)
	}
	with, err := readTemplate(l, a, a.Take())
	if err != nil {
		return nil, err
	}
	part, set := (*message.Message).URI, (*message.Message).SetURI
	switch a.Name {
	case "replace-path":
		part, set = (*message.Message).Path, (*message.Message).SetPath
	case "replace-pathq":
		part, set = (*message.Message).PathQuery, (*message.Message).SetPathQuery
	}
	return func(s *runtime.Stream) runtime.Verdict {
		subject := part(&s.Req)
		if len(subject) == 0 {
			return runtime.Continue
		}
		replaced, found, ok := with.of(s).apply(s, re, subject)
		if !found {
			return runtime.Continue
		}
		if !ok || set(&s.Req, replaced) != nil {
			return failed(s)
		}
		return runtime.Continue
	}, nil
}

// parseSetStatus reads `set-status <status> [reason <text>]`.
func parseSetStatus(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	word := a.Take()
	if word == "" {
		return nil, errors.New("expects 1 argument: <status>; or 3 arguments: <status> reason <fmt>")
	}
	n, taken := sample.ReadInt(word)
	if taken != len(word) || n < 100 || n > 999 {
		return nil, errors.New("expects an integer status code between 100 and 999")
	}
	status := int(n)
	reason := message.ReasonOf(status)
	if a.Peek() == "reason" && !condAt(a, 1) {
		a.Skip(1)
		reason = a.Take()
	}
	phrase := []byte(reason)
	return func(s *runtime.Stream) runtime.Verdict {
		if err := s.Res.SetStatus(status, phrase); err != nil {
			return failed(s)
		}
		s.Status = status
		return runtime.Continue
	}, nil
}

// normalizer rewrites a part of a URI. dst has room for three times the part. It reports false for a part that it
// refuses.
type normalizer func(dst, part []byte) ([]byte, bool)

// uriPart tells what a normalizer works on.
type uriPart uint8

const (
	pathOnly uriPart = iota
	pathAndQuery
	queryOnly // with its question mark
)

// parseNormalize reads `normalize-uri <normalizer> [full|strict]`.
func parseNormalize(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	word := a.Take()
	option := ""
	switch word {
	case "":
		return nil, errors.New("missing argument <normalizer>")
	case "path-strip-dotdot":
		option = "full"
	case "percent-to-uppercase", "percent-decode-unreserved":
		option = "strict"
	}
	given := option != "" && a.TakeIf(option)
	if option != "" && !given && !condAt(a, 0) {
		return nil, fmt.Errorf("unknown argument '%s' for '%s' normalizer", a.Peek(), word)
	}
	switch word {
	case "path-merge-slashes":
		return normalize(pathOnly, mergeSlashes), nil
	case "path-strip-dot":
		return normalize(pathOnly, stripDot), nil
	case "path-strip-dotdot":
		return normalize(pathOnly, func(dst, path []byte) ([]byte, bool) { return stripDotDot(dst, path, given), true }), nil
	case "query-sort-by-name":
		return normalize(queryOnly, sortQuery), nil
	case "percent-to-uppercase":
		return normalize(pathAndQuery, func(dst, p []byte) ([]byte, bool) { return upperPercent(dst, p, given) }), nil
	case "percent-decode-unreserved":
		return normalize(pathAndQuery, func(dst, p []byte) ([]byte, bool) { return decodeUnreserved(dst, p, given) }), nil
	case "fragment-strip":
		return normalize(pathAndQuery, stripFragment), nil
	case "fragment-encode":
		return normalize(pathAndQuery, encodeFragment), nil
	}
	return nil, fmt.Errorf("unknown normalizer '%s'", word)
}

func normalize(part uriPart, f normalizer) runtime.Exec {
	return func(s *runtime.Stream) runtime.Verdict {
		m := &s.Req
		path := m.PathQuery()
		if path == nil {
			return runtime.Continue
		}
		set := m.SetPathQuery
		cut := bytes.IndexByte(path, '?')
		switch {
		case part == pathOnly:
			set = m.SetPath
			if cut >= 0 {
				path = path[:cut]
			}
		case part == queryOnly:
			if cut < 0 {
				return runtime.Continue
			}
			set, path = m.SetQuery, path[cut:]
		}
		b, ok := f(room(s), path)
		if !ok {
			return runtime.Invalid
		}
		return done(s, set(b))
	}
}
