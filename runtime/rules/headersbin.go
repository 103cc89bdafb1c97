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
	"hapax/runtime/varint"
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
			if name, b, ok = varint.ReadText(b); !ok {
				return failed(s)
			}
			if values {
				if value, b, ok = varint.ReadText(b); !ok || len(name) == 0 && len(value) > 0 {
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
