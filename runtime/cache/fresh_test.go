package cache

import (
	"strings"
	"testing"

	"hapax/runtime/message"
)

// head makes a message of header lines.
func head(t testing.TB, first string, lines ...string) *message.Message {
	t.Helper()
	m := new(message.Message)
	m.Reset(make([]byte, 0, 8192), make([]message.Field, 0, 64))
	m.Flags = message.Version11 | message.LengthKnown
	m.Method = message.MethodOf([]byte(first))
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		m.AddString(name, value) // what has no room is left out: random values may be long
	}
	return m
}

func TestConsent(t *testing.T) {
	for _, c := range []struct{ req, res, want string }{
		{"", "cache-control: max-age=5", "store"},
		{"", "", "no"}, // neither fresh for a time nor with anything to tell it by
		{"", "etag: \"a\"", "store"},
		{"", "last-modified: x", "store"},
		{"", "expires: 0", "store"},
		{"", "cache-control: max-age=0", "no"},
		{"", "cache-control: max-age=0, s-maxage=5", "store"},
		{"", "cache-control: private, max-age=5", "no"},
		{"", "cache-control: no-store, public, max-age=5", "store"},
		{"", "cache-control: no-cache=\"set-cookie\", max-age=5", "no"},
		{"", "pragma: no-cache\ncache-control: max-age=5", "no"},
		{"cache-control: no-store", "cache-control: max-age=5", "no"},
		{"cache-control: no-cache", "cache-control: max-age=5", "ignore"},
		{"cache-control: max-age=1", "cache-control: max-age=5", "ignore"},
		{"pragma: no-cache", "cache-control: max-age=5", "ignore"},
		{"pragma: no-cache\ncache-control: only-if-cached", "cache-control: max-age=5", "store"},
		{"authorization: x", "cache-control: max-age=5", "ignore"},
	} {
		var a consent
		a.ofRequest(head(t, "GET", lines(c.req)...))
		a.ofResponse(head(t, "GET", lines(c.res)...))
		got := "no"
		if a.ignored {
			got = "ignore"
		} else if a.storable && a.cookies {
			got = "store"
		}
		if got != c.want {
			t.Errorf("%q, %q: %s", c.req, c.res, got)
		}
	}
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func TestLifetime(t *testing.T) {
	const now = 784111777 // Sun, 06 Nov 1994 08:49:37 GMT
	for _, c := range []struct {
		res        string
		used, said int64
	}{
		{"", 60, 0},
		{"cache-control: max-age=5", 5, 5},
		{"cache-control: max-age=500", 60, 500},
		{"cache-control: s-maxage=7, max-age=5", 7, 7},
		{"cache-control: max-age=\"5\"", 5, 5},
		{"cache-control: max-age=x", -1, 0},
		{"cache-control: max-age=-1", -1, 0},
		{"expires: Sun, 06 Nov 1994 08:49:47 GMT", 10, 10},
		{"expires: Sun, 06 Nov 1993 08:49:47 GMT", 0, 0},
		{"expires: 0", 0, 0},
		{"expires: Sun, 06 Nov 1994 08:49:47 GMT\ncache-control: max-age=5", 5, 5},
	} {
		if used, said := lifetime(head(t, "GET", lines(c.res)...), 60, now); used != c.used || said != c.said {
			t.Errorf("%q: %d, %d", c.res, used, said)
		}
	}
}

func TestAccepted(t *testing.T) {
	for value, want := range map[string]encodings{
		"gzip": identity | gzip, "GZIP;q=0.5, br": identity | gzip | br, "": identity, "identity;q=0, x-gzip": gzip, "foo": identity | otherEncoding,
		"gzip;q=0": identity, "*;q=0": identity,
	} {
		if got, ok := accepted(head(t, "GET", "accept-encoding: "+value)); got != want || !ok {
			t.Errorf("%q: %b, %v", value, got, ok)
		}
	}
	if got, _ := accepted(head(t, "GET")); got != ^encodings(0) {
		t.Errorf("without the header: %b", got)
	}
	if _, ok := accepted(head(t, "GET", "accept-encoding: "+strings.Repeat("gzip,", 20))); ok {
		t.Error("20 codings")
	}
}

// FuzzHeads lets all that reads headers have any values.
func FuzzHeads(f *testing.F) {
	f.Add("max-age=5", "gzip;q=0", "Sun, 06 Nov 1994 08:49:37 GMT", "W/\"a\"", "5")
	f.Add("s-maxage=\"", "*;", "", "\"", "-1")
	f.Fuzz(func(t *testing.T, control, codings, date, tag, age string) {
		m := head(t, "GET", "cache-control: "+control, "accept-encoding: "+codings, "content-encoding: "+codings, "vary: "+codings, "expires: "+date,
			"if-modified-since: "+date, "last-modified: "+date, "if-none-match: "+tag, "age: "+age)
		var a consent
		a.ofRequest(m)
		a.ofResponse(m)
		if used, said := lifetime(m, 60, 0); used > 60 || said < 0 {
			t.Errorf("%d, %d", used, said)
		}
		if n, _, ok := ageOf(m); ok && (n < 0 || n > mostAge) {
			t.Errorf("age %d", n)
		}
		unchanged(m, &Entry{tag: []byte(tag)})
		varies(m)
		variantOf(m, byAll)
		encodingOf(m)
		modified(m, 0)
	})
}
