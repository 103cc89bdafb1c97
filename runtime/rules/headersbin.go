package rules

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// readList reads the expression of a rule on a list of headers in the form of req.hdrs_bin.
func readList(l *config.Loader, a *config.ActionLine) (*sample.Expr, error) {
	e, err := l.Expr(&a.Words)
	if err != nil {
		return nil, err
	}
	if e.ValidAt()&placeOf(a.Kind, a.Proxy) == 0 {
		return nil, unavailable(a.Line.Arg(a.Index()-1), e)
	}
	return e, nil
}

// parseSetHeadersBin reads set-headers-bin and add-headers-bin: `<expression> [prefix <prefix>]`.
func parseSetHeadersBin(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Peek() == "" {
		return nil, errors.New("expects exactly one argument or three arguments <headers> prefix <pfx>")
	}
	list, err := readList(l, a)
	if err != nil {
		return nil, err
	}
	var prefix string
	if a.TakeIf("prefix") {
		if a.Peek() == "" {
			return nil, errors.New("expects 1 argument: <headers>; or 3 arguments: <headers> prefix <pfx>")
		}
		prefix = a.Take()
	}
	head := headOf(a.Kind)
	put := (*message.Message).Add
	if a.Name == "set-headers-bin" {
		put = (*message.Message).Set
	}
	return eachHeader(a, list, true, func(s *runtime.Stream, name string, value []byte) bool {
		return !strings.HasPrefix(name, prefix) || put(head(s), strings.ToLower(name), value) == nil
	}), nil
}

// parseDelHeadersBin reads `del-headers-bin <expression> [-m <method>]`: the list holds names only.
func parseDelHeadersBin(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	if a.Peek() == "" {
		return nil, errors.New("expects at least 1 argument")
	}
	list, err := readList(l, a)
	if err != nil {
		return nil, err
	}
	match := bytes.Equal
	if a.TakeIf("-m") {
		switch method := a.Take(); method {
		case "":
			return nil, errors.New("-m flag expects exactly 1 argument")
		case "reg":
			return nil, errors.New("-m reg is unsupported with del-headers-bin due to performance reasons")
		case "str":
		case "beg":
			match = bytes.HasPrefix
		case "end":
			match = bytes.HasSuffix
		case "sub":
			match = bytes.Contains
		default:
			return nil, fmt.Errorf("-m with unsupported matching method '%s'", method)
		}
	}
	head := headOf(a.Kind)
	return eachHeader(a, list, false, func(s *runtime.Stream, name string, _ []byte) bool {
		m, name := head(s), strings.ToLower(name)
		for i := len(m.Fields) - 1; i >= 0; i-- {
			if match(m.Name(i), []byte(name)) {
				m.Remove(i)
			}
		}
		return true
	}), nil
}

// ofResponse are the sources that a list of headers is never taken from in a rule on responses: the reference evaluates
// such a list as that of a request, which has no value then.
const ofResponse = sample.ResHeaders | sample.ResLine | sample.ResBody

// eachHeader makes the action that calls do for each header of a list: names, and values when there are, each behind
// its length, up to an empty name (and an empty value). A list that is cut is a failed rewrite, one without end an
// internal error. Headers that frame the message are left alone.
func eachHeader(a *config.ActionLine, list *sample.Expr, values bool, do func(s *runtime.Stream, name string, value []byte) bool) runtime.Exec {
	if a.Kind != runtime.HTTPReqRules && list.From()&ofResponse != 0 {
		return pass
	}
	return func(s *runtime.Stream) runtime.Verdict {
		v := s.Ctx.Scratch.Borrow()
		defer s.Ctx.Scratch.Return()
		if !list.EvalAs(&s.Ctx, sample.Bin, v) {
			return runtime.Continue
		}
		for b := v.Bytes; len(b) > 0; {
			var name, value []byte
			var ok bool
			if name, b, ok = cutText(b); !ok {
				return failed(s)
			}
			if values {
				if value, b, ok = cutText(b); !ok || len(name) == 0 && len(value) > 0 {
					return failed(s)
				}
			}
			if len(name) == 0 {
				return runtime.Continue
			}
			if !ofConnection(string(name)) && !do(s, string(name), value) {
				return failed(s)
			}
		}
		return runtime.Failed
	}
}

// cutText reads a text behind its length, which is written as SPOE does: below 240 in one byte, else four bits and
// then seven a byte.
func cutText(b []byte) (text, rest []byte, ok bool) {
	if len(b) == 0 {
		return nil, nil, false
	}
	n, at := uint64(b[0]), 1
	if n >= 240 {
		for shift := 4; ; shift += 7 {
			if at == len(b) {
				return nil, nil, false
			}
			c := b[at]
			at++
			n += uint64(c) << shift
			if c < 128 {
				break
			}
		}
	}
	if n > uint64(len(b)-at) {
		return nil, nil, false
	}
	return b[at : at+int(n)], b[at+int(n):], true
}

// ofConnection tells whether a header belongs to the connection, or frames the message: lists do not change it.
func ofConnection(name string) bool {
	for _, own := range [...]string{"expect", "trailer", "upgrade", "connection", "keep-alive", "content-length",
		"proxy-connection", "transfer-encoding", "proxy-authenticate", "proxy-authorization"} {
		if strings.EqualFold(name, own) {
			return true
		}
	}
	return false
}
