package compress

import (
	"bytes"

	"hapax/runtime"
	"hapax/runtime/message"
	"hapax/stats/counter"
)

// Wants looks at the request, once no rule changes it any more: it chooses what the response may be compressed with,
// and takes Accept-Encoding away where the server must not compress. The backend's lines go before the frontend's.
func Wants(s *runtime.Stream) {
	fe, be := settings(s.Front), settings(s.Back)
	if !fe.Sides[runtime.Download] && !be.Sides[runtime.Download] || !fe.Offers && !be.Offers || oldBrowser(s.Req.GetID(message.UserAgent)) {
		return
	}
	known := responses(s)
	best := 0
	for v := s.Req.Values("accept-encoding"); v.Next(); {
		token, q := quality(v.Bytes())
		if q <= best {
			continue
		}
		for _, a := range known {
			if len(token) > 0 && token[0] == '*' || message.EqualFold(token, a.Token) {
				s.Coding.Wanted, best = a, q
				break
			}
		}
	}
	if s.Coding.Wanted != nil {
		if be.Offload || fe.Offload {
			s.Req.RemoveAllID(message.AcceptEncoding)
		}
		return
	}
	for _, a := range known {
		if a.Form == runtime.Identity { // which needs nobody's consent
			s.Coding.Wanted = a
			return
		}
	}
}

// none is what a proxy without any such line says.
var none runtime.Compression

func settings(px *runtime.Proxy) *runtime.Compression {
	if px.Compression == nil {
		return &none
	}
	return px.Compression
}

// does tells whether messages of a side may be compressed: one of the proxies wants it, and one has a filter for it.
func does(s *runtime.Stream, side int) bool {
	fe, be := settings(s.Front), settings(s.Back)
	return (fe.Sides[side] || be.Sides[side]) && (fe.Filters[side] || be.Filters[side])
}

func responses(s *runtime.Stream) []*runtime.Algorithm {
	if of := settings(s.Back).Response; len(of) > 0 {
		return of
	}
	return settings(s.Front).Response
}

// oldBrowser knows browsers that say that they take what they cannot: those that call themselves Mozilla/4, but for MSIE 6
// with the second service pack of Windows XP and later ones.
func oldBrowser(agent []byte) bool {
	const product, brand, patched = "Mozilla/4", 25, 51
	if !bytes.HasPrefix(agent, []byte(product)) {
		return false
	}
	if len(agent) < brand+6 || string(agent[brand:brand+5]) != "MSIE " {
		return true
	}
	version := agent[brand+5]
	return version < '6' || version == '6' && (len(agent) < patched+3 || string(agent[patched:patched+3]) != "SV1")
}

// quality splits a value of Accept-Encoding: the token, and its weight in thousandths.
func quality(value []byte) (token []byte, q int) {
	n := 0
	for n < len(value) && isToken(value[n]) {
		n++
	}
	token = value[:n]
	for rest := bytes.TrimLeft(value[n:], " \t"); len(rest) > 0 && rest[0] == ';'; {
		rest = bytes.TrimLeft(rest[1:], " \t")
		if weight, found := bytes.CutPrefix(rest, []byte("q=")); found {
			return token, weigh(weight)
		}
		at := bytes.IndexByte(rest, ';')
		if at < 0 {
			break
		}
		rest = rest[at:]
	}
	return token, 1000
}

// weigh reads "0.5" as 500. What is no number is 1000, and so is what is greater.
func weigh(p []byte) int {
	digit := func(i int) int {
		if i >= len(p) || p[i] < '0' || p[i] > '9' {
			return -1
		}
		return int(p[i] - '0')
	}
	whole := digit(0)
	if whole < 0 {
		return 1000
	}
	q := whole * 1000
	if len(p) > 1 && p[1] == '.' {
		for i, unit := 2, 100; unit > 0 && digit(i) >= 0; i, unit = i+1, unit/10 {
			q += digit(i) * unit
		}
	}
	return min(q, 1000)
}

// isToken tells whether c may stand in a token of RFC 9110.
func isToken(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		return true
	}
	return bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

// ChooseResponse decides whether the response is compressed, before rules see it. Section 4.2 "compression algo" says when it is
// not. size is how many bytes its body has; negative: not known yet.
func ChooseResponse(s *runtime.Stream, size int64) {
	m := &s.Res
	switch {
	case s.Coding.Wanted == nil, !does(s, runtime.Download):
		return
	case m.Flags&s.Req.Flags&message.Version11 == 0, s.Method == message.HEAD, m.Status < 200 || m.Status > 203:
		return
	case m.Flags&message.LengthKnown == 0, m.Flags&message.BodylessResponse != 0, size == 0 && m.Flags&message.ContentLength != 0:
		return
	case size >= 0 && uint64(size) < least(settings(s.Back).ResponseLeast, settings(s.Front).ResponseLeast):
		return
	case m.FindID(message.ContentEncoding, 0) >= 0, fixed(m), !tagged(m):
		return
	}
	kind, typed := contentType(m)
	if typed && len(kind) >= len("multipart") && message.EqualFold(kind[:len("multipart")], "multipart") {
		return
	}
	if !matches(kind, typed, settings(s.Back).ResponseTypes, settings(s.Front).ResponseTypes) || !affordable(s) {
		return
	}
	s.Coding.Response = s.Coding.Wanted
}

// ChooseRequest decides whether the request is compressed; size is as for ChooseResponse.
func ChooseRequest(s *runtime.Stream, size int64) {
	m := &s.Req
	fe, be := settings(s.Front), settings(s.Back)
	a := be.Request
	if a == nil {
		a = fe.Request
	}
	switch {
	case a == nil, !does(s, runtime.Upload), m.FindID(message.ContentEncoding, 0) >= 0, m.Flags&message.Version11 == 0, s.Method == message.HEAD:
		return
	case size >= 0 && uint64(size) < least(be.RequestLeast, fe.RequestLeast):
		return
	}
	kind, typed := contentType(m)
	if matches(kind, typed, be.RequestTypes, fe.RequestTypes) && affordable(s) {
		s.Coding.Request = a
	}
}

// least is the backend's limit, else the frontend's.
func least(be, fe uint64) uint64 {
	if be > 0 {
		return be
	}
	return fe
}

// fixed tells whether the message must go out as it is.
func fixed(m *message.Message) bool {
	for v := m.Values("cache-control"); v.Next(); {
		if message.EqualFold(v.Bytes(), "no-transform") {
			return true
		}
	}
	return false
}

// tagged tells whether an ETag, if there is one, is the only one and one that can be made weak.
func tagged(m *message.Message) bool {
	at := m.FindID(message.ETag, 0)
	if at < 0 {
		return true
	}
	tag := m.Value(at)
	return len(tag) >= 2 && tag[len(tag)-1] == '"' && (tag[0] == '"' || bytes.HasPrefix(tag, []byte(`W/"`))) && m.FindID(message.ETag, at+1) < 0
}

func contentType(m *message.Message) (kind []byte, found bool) {
	at := m.FindID(message.ContentType, 0)
	if at < 0 {
		return nil, false
	}
	return m.Value(at), true
}

// matches tells whether the type begins as one of the backend's types, or the frontend's where that has none.
func matches(kind []byte, typed bool, be, fe []string) bool {
	types := be
	if len(types) == 0 {
		types = fe
	}
	for _, t := range types {
		if typed && len(kind) >= len(t) && message.EqualFold(kind[:len(t)], t) {
			return true
		}
	}
	return len(types) == 0
}

// affordable tells whether the process may compress one message more.
func affordable(s *runtime.Stream) bool { return !limited(s.Config, &s.Config.Stats.CompIn) }

// limited tells whether the process compresses as much as maxcomprate allows, by the rate given, or uses more of the processor than
// maxcompcpuusage does.
func limited(cfg *runtime.Config, rate *counter.Rate) bool {
	stats := &cfg.Stats
	if limit := stats.CompRateLimit.Load(); limit > 0 && int64(rate.PerSecond(stats.Clock())) > limit {
		return true
	}
	return cfg.Global.CompMinIdle > 0 && stats.IdlePercent() < cfg.Global.CompMinIdle
}
