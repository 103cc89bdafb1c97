package logger

import (
	"bytes"

	"hapax/acl/logformat"
	"hapax/runtime"
	"hapax/runtime/message"
)

var (
	badRequest = []byte("<BADREQ>") // stands for a request that could not be read
	oldVersion = []byte("HTTP/0.9") // and for a version that is not there
)

// status is that of the response; -1 as long as a request has none.
func status(s *runtime.Stream) int64 {
	if s.Status == 0 && s.Ctx.Req != nil && s.Front.Mode == runtime.ModeHTTP && s.LogStep != stepAccept {
		return -1
	}
	return int64(s.Status)
}

// request makes an Eval of a part of the request line, as it was received.
func request(part func(line []byte) []byte) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		b := badRequest
		if len(s.URI) > 0 {
			b = part(s.URI)
		}
		dst = logformat.BeginText(dst, f)
		dst = logformat.AppendRequest(dst, b, f|logformat.InText)
		return logformat.EndText(dst, f)
	})
}

// split cuts a request line at its blanks.
func split(line []byte) (method, uri, version []byte, ok bool) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		return nil, nil, nil, false
	}
	method = line[:i]
	rest := bytes.TrimLeft(line[i:], " \t")
	if i = bytes.IndexAny(rest, " \t"); i < 0 {
		return method, rest, nil, true
	}
	return method, rest[:i], bytes.TrimLeft(rest[i:], " \t"), true
}

func wholeLine(line []byte) []byte { return line }

func methodOf(line []byte) []byte {
	method, _, _, ok := split(line)
	if !ok {
		return badRequest
	}
	return method
}

func uriOf(line []byte) []byte {
	_, uri, _, ok := split(line)
	if !ok {
		return badRequest
	}
	return uri
}

func pathOf(line []byte) []byte {
	uri := uriOf(line)
	if i := bytes.IndexByte(uri, '?'); i >= 0 {
		return uri[:i]
	}
	return uri
}

func pathOnlyOf(line []byte) []byte {
	_, uri, _, ok := split(line)
	if !ok {
		return badRequest
	}
	path := message.SplitURI(uri).Path
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		return path[:i]
	}
	return path
}

func queryOf(line []byte) []byte {
	i := bytes.IndexByte(line, '?')
	if i < 0 {
		return nil
	}
	line = line[i:]
	if i = bytes.IndexAny(line, " \t"); i >= 0 {
		return line[:i]
	}
	return line
}

func versionOf(line []byte) []byte {
	_, _, version, ok := split(line)
	switch {
	case !ok:
		return badRequest
	case len(version) == 0:
		return oldVersion
	}
	return version
}

// cookie makes an Eval of a captured cookie.
func cookie(get func(s *runtime.Stream) []byte) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		return logformat.AppendText(dst, get(s), f)
	})
}

func requestCookie(s *runtime.Stream) []byte  { return s.CookieReq }
func responseCookie(s *runtime.Stream) []byte { return s.CookieRes }

// captures makes an Eval of captured headers between braces: "{a|b}". A proxy that
// captures none has no such value at all.
func captures(slots func(s *runtime.Stream) (values [][]byte, n int)) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		values, n := slots(s)
		if n == 0 {
			return dst
		}
		in := f | logformat.InText
		dst = logformat.AppendByte(logformat.BeginText(dst, f), '{', in)
		for i := range n {
			if i > 0 {
				dst = logformat.AppendByte(dst, '|', in)
			}
			if i < len(values) {
				dst = logformat.AppendHeader(dst, values[i], in)
			}
		}
		return logformat.EndText(logformat.AppendByte(dst, '}', in), f)
	})
}

// captureList makes an Eval of captured headers as a list of texts.
func captureList(slots func(s *runtime.Stream) (values [][]byte, n int)) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		values, n := slots(s)
		if n == 0 {
			return dst
		}
		dst = logformat.BeginArray(dst, f)
		for i := range n {
			if i > 0 {
				dst = logformat.NextInArray(dst, f)
			}
			in := f | logformat.InText
			dst = logformat.BeginText(dst, f)
			switch {
			case i < len(values) && values[i] != nil:
				dst = logformat.AppendHeader(dst, values[i], in)
			case f&logformat.Quote == 0:
				dst = logformat.AppendByte(dst, '-', in)
			}
			dst = logformat.EndText(dst, f)
		}
		return logformat.EndArray(dst, f)
	})
}

func requestCaptures(s *runtime.Stream) ([][]byte, int) {
	return s.ReqCaps, captureSlots(s, s.Front.Capture.Req)
}

func responseCaptures(s *runtime.Stream) ([][]byte, int) {
	return s.ResCaps, captureSlots(s, s.Front.Capture.Res)
}

// captureSlots is how many slots a stream has; what could not be read as a request has none, nor have rules of a
// connection, which has no stream yet.
func captureSlots(s *runtime.Stream, slots []runtime.CaptureSlot) int {
	switch s.LogStep {
	case ofConnection, ofSession:
		return 0
	case stepAccept:
		if s.Front.Mode == runtime.ModeHTTP {
			return 0
		}
	}
	if s.LogStep < stepRule && unread(s) {
		return 0
	}
	return len(slots)
}
