package logger

import (
	"net/netip"
	"os"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/runtime"
)

// evalFunc is what the Eval of a row is.
type evalFunc = func(ctx *sample.Context, dst []byte, f logformat.Flags) []byte

// of makes an Eval from a function of a stream. Where there is no stream the value is missing.
func of(eval func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte) evalFunc {
	return func(ctx *sample.Context, dst []byte, f logformat.Flags) []byte {
		s, ok := ctx.Owner.(*runtime.Stream)
		if !ok {
			return logformat.AppendText(dst, "", f)
		}
		return eval(s, dst, f)
	}
}

// text makes an Eval of a text.
func text(get func(s *runtime.Stream) string) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		return logformat.AppendText(dst, get(s), f)
	})
}

// number makes an Eval of a number.
func number(get func(s *runtime.Stream) int64) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		return logformat.AppendInt(dst, get(s), f)
	})
}

// hexNumber makes an Eval of a number that +X writes in hexadecimal.
func hexNumber(get func(s *runtime.Stream) int64) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		if f&logformat.Hexa != 0 {
			return logformat.AppendHex(dst, uint64(uint32(get(s))), 4, f)
		}
		return logformat.AppendInt(dst, get(s), f)
	})
}

// address and port make Evals of one end of a connection.
func address(get func(s *runtime.Stream) netip.AddrPort, onUnix func(s *runtime.Stream) bool) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		if onUnix(s) {
			return logformat.AppendText(dst, "unix", f)
		}
		return logformat.AppendIP(dst, get(s).Addr(), f)
	})
}

func port(get func(s *runtime.Stream) netip.AddrPort, onUnix func(s *runtime.Stream) bool, unixPort func(s *runtime.Stream) int64) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		switch a := get(s); {
		case onUnix(s):
			return logformat.AppendInt(dst, unixPort(s), f)
		case a.IsValid():
			return logformat.AppendPort(dst, a.Port(), f)
		}
		return logformat.AppendText(dst, "", f)
	})
}

func client(s *runtime.Stream) netip.AddrPort   { return s.Ctx.Src }
func frontend(s *runtime.Stream) netip.AddrPort { return s.Ctx.Dst }
func source(s *runtime.Stream) netip.AddrPort   { return s.LocalAddr }
func server(s *runtime.Stream) netip.AddrPort   { return s.ServerAddr }

// A client on a UNIX socket has the id of its listener for a port.
func fromUnix(s *runtime.Stream) bool    { return s.Session.Unix && !s.Ctx.Src.IsValid() }
func toUnix(s *runtime.Stream) bool      { return s.Session.Unix && !s.Ctx.Dst.IsValid() }
func listenerID(s *runtime.Stream) int64 { return int64(s.Session.Listener.ID) }
func noPort(*runtime.Stream) int64       { return 0 }
func never(*runtime.Stream) bool         { return false }
func serverOnUnix(s *runtime.Stream) bool {
	if s.Server == nil || s.ServerAddr.IsValid() || s.Time.Connect <= 0 {
		return false
	}
	a := s.Server.Addr.Load()
	return a != nil && a.Family >= runtime.FamilyUnix && a.Family <= runtime.FamilyAbstractZ
}

func frontendName(s *runtime.Stream) string { return s.Front.Name }
func backendName(s *runtime.Stream) string  { return s.Back.Name }

func serverName(s *runtime.Stream) string {
	switch {
	case s.Service != "":
		return s.Service
	case s.Server != nil:
		return s.Server.Name
	}
	return "<NOSRV>"
}

// frontendTransport is the frontend's name, with a tilde when the client speaks TLS.
func frontendTransport(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	dst = logformat.BeginText(dst, f)
	dst = logformat.AppendPlain(dst, s.Front.Name, f|logformat.InText)
	if l := s.Session.Listener; l != nil && l.Bind != nil && l.Bind.TLS != nil {
		dst = logformat.AppendByte(dst, '~', f|logformat.InText)
	}
	return logformat.EndText(dst, f)
}

func tlsCipher(s *runtime.Stream) string {
	if s.Session.TLS == nil {
		return ""
	}
	return s.Session.TLS.Cipher()
}

func tlsVersion(s *runtime.Stream) string {
	if s.Session.TLS == nil {
		return ""
	}
	return s.Session.TLS.Version()
}

func activeConns(s *runtime.Stream) int64 {
	if s.Config == nil {
		return 0
	}
	return s.Config.Stats.Conns.Load()
}

func frontConns(s *runtime.Stream) int64 { return s.Front.Live.FrontConns.Load() }
func backConns(s *runtime.Stream) int64  { return s.Back.Live.BackConns.Load() }

func serverConns(s *runtime.Stream) int64 {
	if s.Chosen() == nil {
		return 0
	}
	return s.Server.Current.Load()
}

func serverQueue(s *runtime.Stream) int64  { return int64(s.ServerQueue) }
func backendQueue(s *runtime.Stream) int64 { return int64(s.BackendQueue) }

// retries is the number of retries, with a plus when the stream went to another server in the end.
func retries(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	if s.Redispatched {
		dst = logformat.AppendMark(dst, '+', f)
	}
	return logformat.AppendInt(dst, int64(s.RetriesDone), f)
}

// bytesRead is what came from the server, with a plus when more may have come since.
func bytesRead(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	return logformat.AppendInt(unfinished(s, dst, f), s.ResFromServer, f)
}

// bytesUploaded counts nothing yet while a rule works on the request.
func bytesUploaded(s *runtime.Stream) int64 {
	if s.Ctx.Checkpoint&sample.AnyRequest != 0 {
		return 0
	}
	return s.BytesIn
}

// unfinished writes the plus of a number that a line cannot know yet which does not wait for the end: with "option logasap",
// or when none of the frontend's formats asks for that.
func unfinished(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	if s.Front.Options&runtime.OptLogAsap != 0 || s.Front.FormatNeeds&logformat.NeedBytes == 0 {
		return logformat.AppendMark(dst, '+', f)
	}
	return dst
}

func termination(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	b := [2]byte{s.End.Cause, s.End.State}
	return logformat.AppendPlain(dst, b[:], f)
}

// terminationCookie adds what became of the persistence cookie, where there is one.
func terminationCookie(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	b := [4]byte{s.End.Cause, s.End.State, '-', '-'}
	if s.Back.Cookie != nil && s.Back.Cookie.Mode != runtime.CookieNone && s.Back.Mode == runtime.ModeHTTP && s.Time.Request != 0 {
		b[2], b[3] = cookieFlag(s.CookieIn), cookieFlag(s.CookieOut)
	}
	return logformat.AppendPlain(dst, b[:], f)
}

func cookieFlag(c byte) byte {
	if c == 0 || c == '-' {
		return 'N'
	}
	return c
}

func requestCounter(s *runtime.Stream) int64 { return int64(s.Count()) }

func logCounter(s *runtime.Stream) int64 {
	sum := uint64(0)
	for i := range s.Front.Live.Front {
		sum += s.Front.Live.Front[i].Logged.Load()
	}
	return int64(sum)
}

func hostname(s *runtime.Stream) string {
	if w := scribeOf(s); w != nil {
		return w.logger.host
	}
	host, _ := os.Hostname()
	return host
}

func processID(s *runtime.Stream) int64 {
	if w := scribeOf(s); w != nil {
		return int64(w.logger.process)
	}
	return int64(os.Getpid())
}

// uniqueID makes the stream's unique id when nothing has asked for it yet. What is no request has none.
func uniqueID(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	if u := s.Front.UniqueIDFormat.Format; u != nil && len(s.UniqueID) == 0 && s.LogStep != stepError {
		s.UniqueID = u.Append(s.UniqueID[:0], &s.Ctx)
	}
	return logformat.AppendText(dst, s.UniqueID, f)
}

func origin(s *runtime.Stream) string { return stepNames[s.LogStep] }
