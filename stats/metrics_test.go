package stats

import (
	"strconv"
	"testing"

	"hapax/runtime"
)

// FuzzMetricQuery reads queries: none may panic, and what is read is one of the known scopes.
func FuzzMetricQuery(f *testing.F) {
	for _, seed := range []string{"", "scope=", "scope=*&metrics=a,-b", "scope", "x=%4", "a=b=c#d", "no-maint&desc-labels&extra-counters", "scope=global&scope=server"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		q, ok := parseMetricQuery(query)
		if ok && q.objects&^Any != 0 {
			t.Errorf("objects %b", q.objects)
		}
	})
}

// TestMetricLabels looks at what a label does with what is no text for it.
func TestMetricLabels(t *testing.T) {
	if got := string(appendLabel(nil, "a\"b\\c\nd")); got != `a\"b\\c\nd` {
		t.Error(got)
	}
	m := &metrics{}
	for range 2 {
		m.line(&family{name: "p_n", desc: "d"}, u32(gauge, 1), label{"a", "x"}, label{"none", ""})
	}
	if got := string(m.b); got != "# HELP p_n d\n# TYPE p_n gauge\np_n{a=\"x\"} 1\np_n{a=\"x\"} 1\n" {
		t.Errorf("%q", got)
	}
}

// TestPartsAreSmall pulls every answer that can be long: no part of it may take long to make, whatever the number of
// servers.
func TestPartsAreSmall(t *testing.T) {
	cfg := testConfig()
	px := cfg.Proxies[0]
	for i := range 2000 {
		srv := &runtime.Server{ID: 2 + i, Name: "s" + strconv.Itoa(i), Proxy: px, Weight: 1, CheckOn: i%2 == 0}
		srv.MakeCounters(2)
		px.Servers = append(px.Servers, srv)
	}
	page := Page(cfg, nil)
	answers := map[string]runtime.Parts{}
	for _, words := range []string{"", ";csv", ";json", ";typed"} {
		answers["page "+words] = page(runtime.StatsRequest{Proxy: px, URI: []byte("/stats" + words)}).Parts
	}
	for _, query := range []string{"", "extra-counters&desc-labels", "metrics=haproxy_server_check_status"} {
		answers["metrics "+query], _ = Metrics(cfg, query)
	}
	for name, parts := range answers {
		most, n := 0, 0
		for last := false; !last; n++ {
			var part []byte
			if part, last = parts(nil); len(part) > most {
				most = len(part)
			}
		}
		if most > 32<<10 || n < 50 {
			t.Errorf("%s: %d parts, one of them of %d bytes", name, n, most)
		}
	}
}
