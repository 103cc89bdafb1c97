package config

import (
	"testing"

	"hapax/parser/keyword"
	"hapax/runtime"
)

// What HAProxy 3.4.0 prints with -dK and in its messages.
func TestMissingNamesEverything(t *testing.T) {
	m := missingDomain(nil)
	for what, n := range map[string][2]int{
		"fetches":      {len(m.Fetches), 559},
		"converters":   {len(m.Converters), 207},
		"sections":     {len(m.Sections), 20},
		"bind words":   {len(m.BindWords), len(knownBindWords)},
		"server words": {len(m.ServerWords), len(knownServerWords)},
		"options":      {len(m.Options), len(suggestedOptions) - 1 + len(knownOptions)},
	} {
		if n[0] != n[1] {
			t.Errorf("%d %s, want %d", n[0], what, n[1])
		}
	}
	actions := 0
	for i := range m.Actions {
		if m.Actions[i].In == runtime.HTTPReqRules {
			actions++
		}
	}
	if actions != 68 {
		t.Errorf("%d actions of http-request, want 68", actions)
	}
	if _, err := NewTables([]*Domain{m}); err != nil {
		t.Error(err)
	}
}

func TestMissingLeavesOutWhatIsDeclared(t *testing.T) {
	m := missingDomain([]*Domain{{
		Keywords: []Keyword{{Doc: keyword.Doc{Name: "timeout client"}, In: Proxies}, {Doc: keyword.Doc{Name: "maxconn"}, In: Global}},
		Options:  []Option{{Doc: keyword.Doc{Name: "httplog"}}},
		Actions:  []Action{{Doc: keyword.Doc{Name: "deny"}, In: runtime.HTTPReqRules}},
	}})
	inGlobal, inProxies, removed := false, false, false
	for i := range m.Keywords {
		switch k := &m.Keywords[i]; {
		case k.Name == "timeout" && k.In == Proxies, k.Name == "maxconn" && k.In == Global:
			t.Errorf("%q is declared and missing", k.Name)
		case k.Name == "maxconn" && k.In == Proxies:
			inProxies = true
		case k.Name == "tune.ssl.maxrecord":
			inGlobal = k.Dormant && k.Status == keyword.Missing
		case k.Name == "reqadd":
			removed = k.Parse != nil && k.Status == keyword.Full
		}
	}
	if !inGlobal || !inProxies || !removed {
		t.Errorf("dormant %v, other section %v, removed %v", inGlobal, inProxies, removed)
	}
	for i := range m.Options {
		if m.Options[i].Name == "httplog" {
			t.Error("httplog is declared and missing")
		}
	}
	denies := 0
	for i := range m.Actions {
		if m.Actions[i].Name == "deny" {
			denies++
		}
	}
	if denies != 1 {
		t.Errorf("deny is missing in %d rule sets, want http-response only", denies)
	}
}
