package stats

import (
	"net/url"
	"strings"
)

// metricQuery is what the query of the URI asks for.
type metricQuery struct {
	process bool
	objects Objects
	module  bool            // what is about something else than proxies
	modules []string        // of which these alone; none: all
	only    bool            // only the metrics that named holds as true
	named   map[string]bool // false: left out
	extra   bool            // columns of modules too
	noMaint bool
	desc    bool // descriptions are labels
}

// parseMetricQuery reads `scope=..&metrics=..&extra-counters&no-maint&desc-labels`. ok is false for what is no query.
func parseMetricQuery(text string) (q metricQuery, ok bool) {
	scoped := false
	text, _, _ = strings.Cut(text, "#")
	for text != "" {
		var word string
		word, text, _ = strings.Cut(text, "&")
		key, value, valued := strings.Cut(word, "=")
		key, err := url.PathUnescape(key)
		value, err2 := url.PathUnescape(value)
		if err != nil || err2 != nil || strings.Count(word, "=") > 1 {
			return q, false
		}
		switch key {
		case "scope":
			scoped = true
			if !valued || !q.scope(value) {
				return q, false
			}
		case "metrics":
			if !valued {
				return q, false
			}
			q.filter(value)
		case "extra-counters":
			q.extra = true
		case "no-maint":
			q.noMaint = true
		case "desc-labels":
			q.desc = true
		}
	}
	if !scoped {
		q.process, q.objects, q.module = true, Any, true
	}
	return q, true
}

// scope adds one scope to those that are wanted; none takes all back.
func (q *metricQuery) scope(name string) bool {
	switch name {
	case "":
		q.process, q.objects, q.module = false, 0, false
	case "*":
		q.process, q.objects, q.module = true, Any, true
	case "global":
		q.process = true
	case "frontend":
		q.objects |= Frontend
	case "listener":
		q.objects |= Listener
	case "backend":
		q.objects |= Backend
	case "server":
		q.objects |= Server
	default:
		for i := range metricModules {
			if strings.HasPrefix(name, metricModules[i].name) {
				q.module, q.modules = true, append(q.modules, metricModules[i].name)
				break
			}
		}
		return q.module // Quirk: behind a module any name passes
	}
	return true
}

// filter reads a list of metrics that are wanted, or with "-" not wanted.
func (q *metricQuery) filter(list string) {
	for name := range strings.SplitSeq(list, ",") {
		name, out := strings.CutPrefix(name, "-")
		if name == "" {
			continue
		}
		if q.named == nil {
			q.named = map[string]bool{}
		}
		q.named[name] = !out
		q.only = q.only || !out
	}
}

func (q *metricQuery) wants(name string) bool {
	wanted, named := q.named[name]
	if named {
		return wanted
	}
	return !q.only
}
