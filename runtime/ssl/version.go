package ssl

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// version is a version of SSL or TLS, in the order of their ages. The zero version is
// none.
type version uint8

const (
	sslv3 version = 1 + iota
	tlsv10
	tlsv11
	tlsv12
	tlsv13
	versions = 1 + iota
)

// oldest is the default of "ssl-min-ver".
const oldest = tlsv12

// versionNames are the names that "ssl-min-ver" and logs have.
var versionNames = [versions]string{"NONE", "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}

// versionWords are the ends of "no-tlsv12" and "force-tlsv12".
var versionWords = [versions]string{"", "sslv3", "tlsv10", "tlsv11", "tlsv12", "tlsv13"}

// versionIDs are the numbers that crypto/tls has for them; it never speaks SSL 3.
var versionIDs = [versions]uint16{0, 0, tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13}

// versionName is the name of a number of crypto/tls; TLS 1.0 is called TLSv1 in logs.
func versionName(id uint16) string {
	switch id {
	case tls.VersionSSL30:
		return "SSLv3"
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return ""
}

// filter is what the words of a line say about versions.
type filter struct {
	not      [versions]bool // no-tlsv10 and its like
	min, max version
}

func (f *filter) excludes() bool {
	for _, not := range f.not {
		if not {
			return true
		}
	}
	return false
}

// span is the outcome of a filter.
type span struct {
	min, max  version // none: all are disabled
	ignored   bool    // the no- words meet a min or a max and mean nothing
	ambiguous bool    // max is below the default of min
	holes     []version
}

// span finds the first and the last version. Versions between them cannot be left out.
func (f *filter) span() (s span) { return f.spanFrom(oldest) }

// versionNamed reads the argument of "ssl-min-ver" and "ssl-max-ver".
func versionNamed(word, value string) (version, error) {
	if value == "" {
		return 0, fmt.Errorf("'%s' : missing the ssl/tls version", word)
	}
	v := slices.Index(versionNames[1:], value) + 1
	if v == 0 {
		return 0, fmt.Errorf("'%s' : unknown ssl/tls version", value)
	}
	return version(v), nil
}

// bound sets the first or the last version.
func (f *filter) bound(word, value string) error {
	v, err := versionNamed(word, value)
	switch {
	case err != nil:
		return err
	case word == "ssl-min-ver":
		f.min = v
	default:
		f.max = v
	}
	return nil
}

// exclude reads "no-tlsv12" or "force-tlsv12".
func (f *filter) exclude(word string) bool {
	op, name, _ := strings.Cut(word, "-")
	v := slices.Index(versionWords[1:], name) + 1
	switch {
	case v == 0:
		return false
	case op == "no":
		f.not[v] = true
	case op == "force":
		f.min, f.max = version(v), version(v)
	default:
		return false
	}
	return true
}

// spanFrom is span with another default of the first version.
func (f *filter) spanFrom(oldest version) (s span) {
	not := f.not
	if f.excludes() && (f.min != 0 || f.max != 0) {
		s.ignored = true
		not = [versions]bool{}
	}
	min, max := f.min, f.max
	if min == 0 {
		if min = oldest; max != 0 && max < oldest {
			s.ambiguous = true
			min = max
		}
	}
	if max == 0 {
		max = tlsv13
	}
	hole := version(0)
	for v := tlsv10; v <= tlsv13; v++ { // SSL 3 is in no library any more
		switch {
		case v >= min && v <= max && !not[v]:
			if s.min == 0 {
				s.min = v
			} else if hole != 0 {
				s.holes = append(s.holes, hole)
				hole = 0
			}
			s.max = v
		case s.min != 0:
			hole = v
		}
	}
	return s
}
