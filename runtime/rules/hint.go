package rules

import (
	"bytes"

	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/message"
)

// hint is one early-hint rule. Those that follow each other without a condition share one answer 103 (RFC 8297).
type hint struct {
	proxy *runtime.Proxy
	next  *runtime.Rule // the early-hint rule right behind this one; nil: none
}

// parseEarlyHint reads `early-hint <name> <format>`.
func parseEarlyHint(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	name, value, warning, err := headerAndFormat(l, a)
	if err != nil {
		return nil, err
	}
	h := &hint{proxy: a.Proxy}
	a.Rule.Data = h
	if set := a.Proxy.HTTPReq; len(set) > 0 {
		if before, ok := set[len(set)-1].Data.(*hint); ok && before.proxy == a.Proxy {
			before.next = a.Rule
		}
	}
	return func(s *runtime.Stream) runtime.Verdict {
		if s.Req.Flags&message.Version11 == 0 {
			return runtime.Continue
		}
		b := s.Early
		if len(b) == 0 || bytes.HasSuffix(b, endOfHead) {
			b = append(b, "HTTP/1.1 103 Early Hints\r\n"...)
		}
		b = append(append(b, name...), ": "...)
		b = append(append(b, value.bytes(s)...), "\r\n"...)
		if h.next == nil || h.next.Cond != nil {
			b = append(b, "\r\n"...)
		}
		s.Early = b
		return runtime.Continue
	}, warning
}

var endOfHead = []byte("\r\n\r\n")
