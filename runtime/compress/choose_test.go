package compress

import (
	"testing"

	"hapax/runtime"
	"hapax/runtime/message"
)

func TestQuality(t *testing.T) {
	for value, want := range map[string]int{
		"gzip": 1000, "gzip;q=0": 0, "gzip;q=0.5": 500, "gzip ; a=b ; q=0.123": 123, "gzip;q=0.1234": 123, "gzip;q=1.5": 1000, "gzip;q=.5": 1000,
		"gzip;q=9": 1000, "gzip;q=": 1000, "gzip;Q=0": 1000, "gzip;": 1000, "gzip;q=0.0x": 0,
	} {
		if token, q := quality([]byte(value)); string(token) != "gzip" || q != want {
			t.Errorf("%q: %q %d", value, token, q)
		}
	}
}

func FuzzQuality(f *testing.F) {
	f.Add("gzip;q=0.5")
	f.Add("*;;q=1")
	f.Fuzz(func(t *testing.T, value string) {
		if token, q := quality([]byte(value)); q < 0 || q > 1000 || len(token) > len(value) {
			t.Errorf("%q %d", token, q)
		}
	})
}

func TestOldBrowser(t *testing.T) {
	for agent, want := range map[string]bool{
		"": false, "Mozilla/5.0": false, "Mozilla/4": true, "Mozilla/4.0 (compatible; MSIE 5.5; Windows NT)": true, "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)": true,
		"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)": false, "Mozilla/4.0 (compatible; MSIE 7.0)": false,
	} {
		if oldBrowser([]byte(agent)) != want {
			t.Errorf("%q: %v", agent, !want)
		}
	}
}

func TestAnnounce(t *testing.T) {
	gzip := algorithm("gzip")
	for _, c := range []struct {
		a            *runtime.Algorithm
		before, want [][2]string
	}{
		{gzip, [][2]string{{"content-length", "5"}, {"etag", `"a"`}}, [][2]string{{"etag", `W/"a"`}, {"transfer-encoding", "chunked"}, {"vary", "Accept-Encoding"}, {"content-encoding", "gzip"}}},
		{gzip, [][2]string{{"vary", "a"}, {"vary", ""}, {"etag", `W/"a"`}}, [][2]string{{"vary", "a"}, {"vary", "Accept-Encoding"}, {"etag", `W/"a"`}, {"transfer-encoding", "chunked"}, {"content-encoding", "gzip"}}},
		{algorithm("identity"), [][2]string{{"vary", "a, accept-ENCODING"}}, [][2]string{{"vary", "a, accept-ENCODING"}, {"transfer-encoding", "chunked"}}},
	} {
		var m message.Message
		m.Reset(make([]byte, 0, 1000), make([]message.Field, 0, 20))
		m.Flags = message.ContentLength
		for _, h := range c.before {
			m.AddString(h[0], h[1])
		}
		if err := Announce(&m, c.a); err != nil {
			t.Fatal(err)
		}
		for i := range m.Fields {
			if i >= len(c.want) || string(m.Name(i)) != c.want[i][0] || string(m.Value(i)) != c.want[i][1] {
				t.Errorf("%v: field %d is %s: %s", c.before, i, m.Name(i), m.Value(i))
			}
		}
		if len(m.Fields) != len(c.want) {
			t.Errorf("%v: %d fields", c.before, len(m.Fields))
		}
	}
	var m message.Message
	m.Reset(make([]byte, 0, 10), make([]message.Field, 0, 20))
	if Announce(&m, gzip) == nil {
		t.Error("there was no room")
	}
}
