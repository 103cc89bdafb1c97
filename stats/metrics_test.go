package stats

import (
	"strings"
	"testing"
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
	var parts []string
	m := &metrics{yield: func(b []byte) bool { parts = append(parts, string(b)); return len(parts) < 2 }}
	m.begin("p_", "n", "d")
	for range 3 * metricPart / 8 {
		m.line(u32(gauge, 1), label{"a", strings.Repeat("x", 8)}, label{"none", ""})
	}
	if !strings.HasPrefix(parts[0], "# HELP p_n d\n# TYPE p_n gauge\np_n{a=\"xxxxxxxx\"} 1\n") || len(parts) < 2 || !m.ended {
		t.Errorf("%d parts, the first %.80q", len(parts), parts[0])
	}
}
