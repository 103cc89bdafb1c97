package parser

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// release is a version number in comparable parts: up to four numbers, the stage (1 dev, 2 rc or pre, 3 release),
// the number of the stage, and the number of commits behind it.
type release [7]uint32

// leadingNumber reads a decimal number the way C does: leading space and a sign are allowed, and no digits at all
// are 0.
func leadingNumber(text string) (value int64, rest string) {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	start := i
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	digits := i
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	if i == digits {
		return 0, text
	}
	value, _ = strconv.ParseInt(text[start:i], 10, 64)
	return value, text[i:]
}

// parseRelease reads "2.4-dev18-f6818d-20" and its like.
func parseRelease(text string) (r release, ok bool) {
	r[4] = 3
	if text == "" {
		return r, false
	}
	for i := 0; ; i++ {
		value, rest := leadingNumber(text)
		r[i] = uint32(value)
		if rest == "" {
			return r, true
		}
		text = rest[1:]
		if rest[0] == '-' {
			break
		}
		if rest[0] != '.' || i == 3 {
			return r, false
		}
	}
	for _, stage := range []struct {
		name string
		rank uint32
	}{{"dev", 1}, {"rc", 2}, {"pre", 2}} {
		number, found := strings.CutPrefix(text, stage.name)
		if !found {
			continue
		}
		value, rest := leadingNumber(number)
		r[4], r[5] = stage.rank, uint32(value)
		if rest == "" {
			return r, true
		}
		if rest[0] != '-' {
			return r, false
		}
		text = rest[1:]
		break
	}
	if last := strings.LastIndexByte(text, '-'); last >= 0 {
		text = text[last+1:]
		if text == "" {
			return r, false
		}
	}
	if value, rest := leadingNumber(text); rest == "" {
		r[6] = uint32(value)
	}
	return r, true
}

// compareVersion tells how version relates to current: negative when it is older. One that cannot be read counts as
// older, so that version_atleast(rubbish) holds.
func compareVersion(version, current string) int {
	cur, ok := parseRelease(current)
	if !ok {
		return -1
	}
	asked, ok := parseRelease(version)
	if !ok {
		return -1
	}
	return slices.Compare(asked[:], cur[:])
}

// sslNumber packs a version of OpenSSL as that library numbers its releases: MNNFFPPS, where the status S is 0 to
// 14 for a beta and 15 for a release. "0.9.8zh" and "3.0.0-beta2" are such versions. 0 means unreadable.
func sslNumber(version string) uint32 {
	if version == "" {
		return 0
	}
	major, rest := leadingNumber(version)
	rest, found := strings.CutPrefix(rest, ".")
	if !found || major < 0 || major > 0xf {
		return 0
	}
	minor, rest := leadingNumber(rest)
	rest, found = strings.CutPrefix(rest, ".")
	if !found || minor < 0 || minor > 0xff {
		return 0
	}
	fix, rest := leadingNumber(rest)
	if fix < 0 || fix > 0xff {
		return 0
	}
	patch, status := uint32(0), uint32(0xf)
	switch {
	case rest == "":
	case rest[0] == '-':
		status = 0
		if number, beta := strings.CutPrefix(rest[1:], "beta"); beta {
			value, _ := leadingNumber(number)
			if value < 0 || value > 14 {
				return 0
			}
			status = uint32(value)
		}
	default:
		patch = 1
		for i := 0; i < len(rest); i++ {
			patch += uint32(rest[i]&^0x20) - 'A'
		}
	}
	return uint32(major)<<28 | uint32(minor)<<20 | uint32(fix)<<12 | patch&0xff<<4 | status
}

func compareSSL(version, current string) (int, error) {
	asked := sslNumber(version)
	if asked == 0 || current == "" {
		return 0, errArgument
	}
	return cmp.Compare(asked, ownSSLNumber(current)), nil
}

// ownSSLNumber packs the version of the library as it does so itself: since 3.0 its third number stands where the
// letters of older ones stood, which sslNumber knows nothing of. So 3.0.22 is older than "3.0.1" here.
func ownSSLNumber(version string) uint32 {
	n := sslNumber(version)
	if n>>28 < 3 {
		return n
	}
	return n&0xfff00000 | n>>12&0xff<<4
}

func compareAWSLC(version string, current int) (int, error) {
	asked, rest := leadingNumber(version)
	if current == 0 || version == "" || rest != "" {
		return 0, errArgument
	}
	return cmp.Compare(asked, int64(current)), nil
}
