package logger

import (
	"hapax/acl/logformat"
	"hapax/runtime"
)

// Times of a stream are ms since its connection was accepted, or since the previous
// response ended, cut to whole ms before they are subtracted from each other; -1 for what
// did not happen. Section 8.4 of the manual.

func since(t *runtime.Timing, at int64) int64 {
	if at <= 0 {
		return -1
	}
	return (at - t.Accept) / 1e6
}

func handshakeTime(s *runtime.Stream) int64 {
	if s.LogStep == ofConnection {
		return -1 // it has not begun
	}
	return max(since(&s.Time, s.Time.Handshake), 0)
}

// A TCP connection has no request: as on the reference its moments count as missing,
// and so %Tw is one ms longer than the wait.

func idleTime(s *runtime.Stream) int64 {
	first := since(&s.Time, s.Time.First)
	if first < 0 || s.Front.Mode == runtime.ModeTCP {
		return -1
	}
	return first - handshakeTime(s)
}

func oldRequestTime(s *runtime.Stream) int64 {
	if s.Front.Mode == runtime.ModeTCP {
		return -1
	}
	return since(&s.Time, s.Time.Request)
}

// before is the time until the request began.
func before(s *runtime.Stream) int64 {
	if idle := idleTime(s); idle >= 0 {
		return idle + handshakeTime(s)
	}
	return 0
}

func requestTime(s *runtime.Stream) int64 {
	t := oldRequestTime(s)
	if t < 0 {
		return -1
	}
	return t - idleTime(s) - handshakeTime(s)
}

// between is the time from one moment to another, -1 when the other was not reached.
func between(s *runtime.Stream, from, to int64) int64 {
	t := since(&s.Time, to)
	if t < 0 {
		return -1
	}
	return t - since(&s.Time, from)
}

func queueTime(s *runtime.Stream) int64 {
	t := since(&s.Time, s.Time.Queue)
	if t < 0 {
		return -1
	}
	return t - oldRequestTime(s)
}

func connectTime(s *runtime.Stream) int64 { return between(s, s.Time.Queue, s.Time.Connect) }

func responseTime(s *runtime.Stream) int64 {
	if s.Front.Mode == runtime.ModeTCP {
		return -1
	}
	return between(s, s.Time.Connect, s.Time.Response)
}

func dataTime(s *runtime.Stream) int64 {
	from := s.Time.Connect
	if s.Back.Mode == runtime.ModeHTTP {
		from = s.Time.Response
	}
	if from <= 0 {
		return -1
	}
	return closeTime(s) - since(&s.Time, from)
}

func closeTime(s *runtime.Stream) int64 { return max(since(&s.Time, s.Time.Close), 0) }

func activeTime(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	return logformat.AppendInt(unfinished(s, dst, f), closeTime(s)-before(s), f)
}

func totalTime(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	return logformat.AppendInt(unfinished(s, dst, f), closeTime(s), f)
}

func userTime(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	return logformat.AppendInt(unfinished(s, dst, f), closeTime(s)-max(idleTime(s), 0), f)
}

// accepted and requested are wall clocks in µs.
func accepted(s *runtime.Stream) int64  { return s.Time.AcceptWall }
func requested(s *runtime.Stream) int64 { return s.Time.AcceptWall + before(s)*1e3 }

// datesOf gives the dates of the stream's loop, or fresh ones outside of any.
func datesOf(s *runtime.Stream) *dates {
	if w := scribeOf(s); w != nil {
		return &w.dates
	}
	return &dates{}
}

// localMilli makes an Eval of "02/Jan/2006:15:04:05.000".
func localMilli(at func(s *runtime.Stream) int64) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		var b [32]byte
		return logformat.AppendPlain(dst, datesOf(s).milli(b[:0], at(s)), f)
	})
}

// zoned makes an Eval of "02/Jan/2006:15:04:05 -0700".
func zoned(at func(s *runtime.Stream) int64, utc bool) evalFunc {
	return of(func(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
		return logformat.AppendPlain(dst, datesOf(s).zoned(at(s)/1e6, utc), f)
	})
}

func unixSeconds(s *runtime.Stream) int64 { return s.Time.AcceptWall / 1e6 }

func milliseconds(s *runtime.Stream, dst []byte, f logformat.Flags) []byte {
	ms := s.Time.AcceptWall / 1e3 % 1000
	if f&logformat.Hexa != 0 {
		return logformat.AppendHex(dst, uint64(ms), 2, f)
	}
	return logformat.AppendPadded(dst, ms, 3, f)
}
