package config

import (
	"fmt"
	"strings"

	"hapax/runtime"
)

// mostFromEnd bounds how far from its end a header is looked at.
const mostFromEnd = 10

// useSource reads what "usesrc" takes: whose address connections to servers come from. Section 4.2 "source".
func (l *Loader) useSource(src *runtime.SourceAddr, arg string) error {
	l.Config.Global.NeedsNetAdmin = true
	switch {
	case arg == "client":
		src.Use = runtime.UseClient
	case arg == "clientip":
		src.Use = runtime.UseClientIP
	case strings.HasPrefix(arg, "hdr_ip("):
		src.Use = runtime.UseHeader
		src.Header, src.Occurrence = sourceHeader(strings.TrimPrefix(arg, "hdr_ip("))
		if src.Occurrence < -mostFromEnd {
			return fmt.Errorf("usesrc hdr_ip(name,num) does not support negative occurrences values smaller than %d.", mostFromEnd)
		}
	default:
		a, err := l.Address(arg, AddrResolve|AddrPort|AddrStream|AddrConnect, "")
		if err != nil {
			return fmt.Errorf("'usesrc %s' : %s", arg, err)
		}
		src.Use, src.UseAddr = runtime.UseAddr, a.IP
	}
	return nil
}

// sourceHeader reads "name,number)", leniently as ever: the number is that of the last value if it is missing.
func sourceHeader(text string) (name string, occurrence int) {
	const blanks = " \t\n\v\f\r"
	text = strings.TrimLeft(text, blanks)
	end := strings.IndexAny(text, blanks+",)")
	if end < 0 {
		end = len(text)
	}
	name, text = strings.ToLower(text[:end]), strings.TrimLeft(text[end:], blanks)
	if !strings.HasPrefix(text, ",") {
		return name, -1
	}
	n, _ := strtol(text[1:], 10)
	return name, int(n)
}
