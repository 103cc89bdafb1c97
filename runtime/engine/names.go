package engine

import "hapax/runtime"

// frontNames and backNames are "option http-restrict-req-hdr-names" of either side, behind the http-request rules.
func (s *stream) frontNames() outcome { return s.restrictNames(s.Front) }
func (s *stream) backNames() outcome  { return s.restrictNames(s.Back) }

// restrictNames refuses a request with a header whose name has anything but letters, digits and dashes, or takes
// those headers out of it.
func (s *stream) restrictNames(px *runtime.Proxy) outcome {
	m := &s.Req
	for i := len(m.Fields) - 1; i >= 0; i-- {
		if plainName(m.Name(i)) {
			continue
		}
		if px.HeaderNames == runtime.HeaderNamesReject {
			s.denied()
			s.requestSeen()
			s.setEnd(runtime.EndProxy)
			return s.answerWith(s.errorReply(403))
		}
		m.Remove(i)
	}
	return next
}

// plainName takes a name in lower case.
func plainName(name []byte) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// restricts tells whether the proxy looks at names of headers at all.
func restricts(px *runtime.Proxy) bool {
	return px.HeaderNames == runtime.HeaderNamesReject || px.HeaderNames == runtime.HeaderNamesDelete
}
