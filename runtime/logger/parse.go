package logger

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"hapax/runtime"
)

var facilities = []string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp",
	"ntp", "audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

var levels = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// LevelOf finds a level by its name, -1 when there is none.
func LevelOf(name string) int { return slices.Index(levels, name) }

var formatNames = map[string]runtime.LogFormat{"local": runtime.LogLocal, "rfc3164": runtime.LogRFC3164, "rfc5424": runtime.LogRFC5424,
	"priority": runtime.LogPriority, "short": runtime.LogShort, "timed": runtime.LogTimed, "iso": runtime.LogISO, "raw": runtime.LogRaw}

const (
	defaultLen = 1024
	syslogPort = 514
)

// resolver reads an address and tells whether it is that of a stream socket.
type resolver func(text string) (addr runtime.Addr, stream bool, err error)

// parseTarget reads the words behind "log", the address at words[0]. resolve reads the
// address; it is looked at last, as the reference does.
func parseTarget(words []string, global bool, resolve resolver) (*runtime.LogTarget, error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	if arg(0) == "" || arg(1) == "" {
		or := "or global"
		if global {
			or = ""
		}
		return nil, fmt.Errorf("expects <address> and <facility> %s as arguments", or)
	}
	t := &runtime.LogTarget{Text: arg(0), FD: -1, MaxLen: defaultLen, Level: Debug}
	i := 1
	if arg(i) == "len" {
		n, _ := strconv.Atoi(arg(i + 1))
		if n < 80 || n > 65535 {
			return nil, fmt.Errorf("invalid log length '%s', must be between 80 and 65535", arg(i+1))
		}
		t.MaxLen = n
		i += 2
	}
	if arg(i) == "format" {
		var ok bool
		if t.Format, ok = formatNames[arg(i+1)]; !ok {
			return nil, fmt.Errorf("unknown log format '%s'", arg(i+1))
		}
		i += 2
	}
	if arg(i) == "sample" {
		var err error
		if t.Sample, err = parseSample(arg(i + 1)); err != nil {
			return nil, err
		}
		i += 2
	}
	if arg(i) == "profile" {
		t.ProfileName = arg(i + 1)
		i += 2
	}
	if t.Facility = slices.Index(facilities, arg(i)); t.Facility < 0 {
		return nil, fmt.Errorf("unknown log facility '%s'", arg(i))
	}
	i++
	if w := arg(i); w != "" {
		if t.Level = LevelOf(w); t.Level < 0 {
			return nil, fmt.Errorf("unknown optional log level '%s'", w)
		}
		i++
	}
	if w := arg(i); w != "" {
		if t.MinLevel = LevelOf(w); t.MinLevel < 0 {
			return nil, fmt.Errorf("unknown optional minimum log level '%s'", w)
		}
		i++
	}
	if w := arg(i); w != "" {
		return nil, fmt.Errorf("cannot handle unexpected argument '%s'", w)
	}
	return t, parseAddress(t, resolve)
}

// parseAddress reads where the target is.
func parseAddress(t *runtime.LogTarget, resolve resolver) error {
	text := t.Text
	switch {
	case text == "stdout":
		text = "fd@1"
	case text == "stderr":
		text = "fd@2"
	case strings.HasPrefix(text, "ring@"):
		t.Ring, t.IsRing = text[len("ring@"):], true
		return nil
	case strings.HasPrefix(text, "backend@"):
		return nil
	}
	addr, stream, err := resolve(text)
	if err != nil {
		return err
	}
	switch addr.Family {
	case runtime.FamilyFD:
		t.FD = addr.FD
	case runtime.FamilyIPv4, runtime.FamilyIPv6:
		if addr.IP.Port() == 0 {
			addr.IP = netip.AddrPortFrom(addr.IP.Addr(), syslogPort)
		}
	}
	t.Addr, t.Stream = addr, stream && t.FD < 0
	return nil
}

// parseSample reads "<ranges>:<size>".
func parseSample(text string) (*runtime.LogSample, error) {
	list, size, ok := strings.Cut(text, ":")
	if !ok {
		return nil, errors.New("Missing sample size")
	}
	s := &runtime.LogSample{}
	var most uint32
	for rest := list; rest != ""; {
		word, next, _ := strings.Cut(rest, ",")
		low, high, ok := parseRange(word)
		if !ok {
			return nil, fmt.Errorf("wrong sample range '%s'", rest)
		}
		for _, r := range s.Ranges {
			if low >= r.Low && low <= r.High || high >= r.Low && high <= r.High {
				return nil, errors.New("ranges are overlapping")
			}
		}
		s.Ranges = append(s.Ranges, runtime.LogRange{Low: low, High: high})
		most = max(most, high)
		rest = next
	}
	if len(s.Ranges) == 0 {
		return nil, errors.New("no sampling ranges given")
	}
	n, err := strconv.ParseUint(size, 10, 32)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("wrong sample size '%s' for sample range '%s'", size, list)
	}
	if uint32(n) < most {
		return nil, fmt.Errorf("sample size %d should be greater or equal to %d the maximum of the high ranges limits", n, most)
	}
	s.Size = uint32(n)
	slices.SortFunc(s.Ranges, func(a, b runtime.LogRange) int { return int(a.Low) - int(b.Low) })
	return s, nil
}

// parseRange reads "n" or "low-high".
func parseRange(word string) (low, high uint32, ok bool) {
	a, b, isRange := strings.Cut(word, "-")
	n, err := strconv.ParseUint(a, 10, 32)
	if err != nil || n == 0 {
		return 0, 0, false
	}
	if !isRange {
		return uint32(n), uint32(n), true
	}
	m, err := strconv.ParseUint(b, 10, 32)
	return uint32(n), uint32(m), err == nil && m > n
}
