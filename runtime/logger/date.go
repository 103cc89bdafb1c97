package logger

import (
	"strconv"
	"time"
)

// dates remembers the dates of a few seconds, since most lines are of the same ones.
type dates struct {
	local, utc [4]date
	iso8601    date
	legacy     date
}

// date is one second, written out.
type date struct {
	second int64
	n      int // 0: unused
	text   [40]byte
}

const (
	dateLen = len("02/Jan/2006:15:04:05") // the rest is the zone
	months  = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// zoned gives "02/Jan/2006:15:04:05 -0700" of a second.
func (d *dates) zoned(second int64, utc bool) []byte {
	slot := &d.local[second&3]
	if utc {
		slot = &d.utc[second&3]
	}
	if slot.n == 0 || slot.second != second {
		t := time.Unix(second, 0)
		if utc {
			t = t.UTC()
		}
		b := slot.text[:0]
		year, month, day := t.Date()
		hour, min, sec := t.Clock()
		b = append(pad(b, day, 2), '/')
		b = append(b, months[3*month-3:3*month]...)
		b = append(pad(append(b, '/'), year, 4), ':')
		b = append(pad(b, hour, 2), ':')
		b = append(pad(b, min, 2), ':')
		b = append(pad(b, sec, 2), ' ')
		b = appendZone(b, t, false)
		slot.second, slot.n = second, len(b)
	}
	return slot.text[:slot.n]
}

// milli appends "02/Jan/2006:15:04:05.000" of a local time in µs.
func (d *dates) milli(dst []byte, at int64) []byte {
	dst = append(dst, d.zoned(at/1e6, false)[:dateLen]...)
	return pad(append(dst, '.'), int(at/1000%1000), 3)
}

// syslog appends "Jan  2 15:04:05" of a local second.
func (d *dates) syslog(dst []byte, second int64) []byte {
	if l := &d.legacy; l.n == 0 || l.second != second {
		t := time.Unix(second, 0)
		_, month, day := t.Date()
		hour, min, sec := t.Clock()
		b := append(l.text[:0], months[3*month-3:3*month]...)
		b = append(b, ' ')
		if day < 10 {
			b = append(b, ' ')
		}
		b = append(strconv.AppendInt(b, int64(day), 10), ' ')
		b = append(pad(b, hour, 2), ':')
		b = append(pad(b, min, 2), ':')
		b = pad(b, sec, 2)
		l.second, l.n = second, len(b)
	}
	return append(dst, d.legacy.text[:d.legacy.n]...)
}

// iso appends "2006-01-02T15:04:05.000000-07:00" of a local time in µs.
func (d *dates) iso(dst []byte, at int64) []byte {
	const fraction = len("2006-01-02T15:04:05.")
	if l := &d.iso8601; l.n == 0 || l.second != at/1e6 {
		t := time.Unix(at/1e6, 0)
		year, month, day := t.Date()
		hour, min, sec := t.Clock()
		b := append(pad(l.text[:0], year, 4), '-')
		b = append(pad(b, int(month), 2), '-')
		b = append(pad(b, day, 2), 'T')
		b = append(pad(b, hour, 2), ':')
		b = append(pad(b, min, 2), ':')
		b = append(pad(b, sec, 2), ".000000"...)
		b = appendZone(b, t, true)
		l.second, l.n = at/1e6, len(b)
	}
	pad(d.iso8601.text[fraction:fraction], int(at%1e6), 6)
	return append(dst, d.iso8601.text[:d.iso8601.n]...)
}

// appendZone appends the offset to UTC: "+0200", or "+02:00" with a colon.
func appendZone(b []byte, t time.Time, colon bool) []byte {
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = pad(append(b, sign), offset/3600, 2)
	if colon {
		b = append(b, ':')
	}
	return pad(b, offset/60%60, 2)
}

// pad appends n with leading zeroes.
func pad(b []byte, n, width int) []byte {
	for limit := 10; width > 1; width-- {
		if n < limit {
			b = append(b, '0')
		}
		limit *= 10
	}
	return strconv.AppendInt(b, int64(n), 10)
}
