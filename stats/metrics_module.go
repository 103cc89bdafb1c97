package stats

import (
	"iter"

	"hapax/runtime"
	"hapax/runtime/resolver"
	"hapax/runtime/sticktable"
	"hapax/runtime/sticktable/table"
)

// metricModule is a scope of metrics that are about something else than proxies.
type metricModule struct {
	name    string
	metrics []moduleMetric
}

// moduleMetric is one metric of a module: its lines are few, and made at once.
type moduleMetric struct {
	name, desc string
	lines      func(*runtime.Config) iter.Seq2[uint64, [2]label]
}

// metricModules are in the order of their metrics.
var metricModules = []metricModule{
	{"sticktable", []moduleMetric{
		{"size", "Stick table size.", ofTables(func(t *table.Table) uint64 { return uint64(t.Size) })},
		{"used", "Number of entries used in this stick table.", ofTables(func(t *table.Table) uint64 { return uint64(t.Used()) })},
		{"local_updates", "Cumulative number of updates on the stick table initiated by the local process. Please note that this value will eventually wrap after 4294967295 since it is stored using unsigned int (uint32). As this metric is often used to compute the update rate of a given table between two queries, wrapping must be taken into account and the time between 2 queries must not exceed the theoretical time needed for this value to wrap.",
			ofTables(func(t *table.Table) uint64 { return uint64(uint32(t.LastLocal())) })},
	}},
	{"resolver", resolverMetrics()},
}

func ofTables(value func(*table.Table) uint64) func(*runtime.Config) iter.Seq2[uint64, [2]label] {
	return func(cfg *runtime.Config) iter.Seq2[uint64, [2]label] {
		return func(yield func(uint64, [2]label) bool) {
			for _, t := range cfg.Tables {
				if t.Size > 0 && !yield(value(t), [2]label{{"name", t.Name}, {"type", sticktable.TypeName(t)}}) {
					return
				}
			}
		}
	}
}

func resolverMetrics() (all []moduleMetric) {
	for i, c := range resolverColumns {
		all = append(all, moduleMetric{c.name, c.desc, func(cfg *runtime.Config) iter.Seq2[uint64, [2]label] {
			return func(yield func(uint64, [2]label) bool) {
				for row := range resolver.All(cfg) {
					if !yield(row.Counters[i], [2]label{{"resolver", row.Section}, {"nameserver", row.Name}}) {
						return
					}
				}
			}
		}})
	}
	return all
}

// moduleFamilies adds the metrics of the modules that the query names, all without a name.
func (m *metrics) moduleFamilies() {
	names := m.query.modules
	if len(names) == 0 {
		for i := range metricModules {
			names = append(names, metricModules[i].name)
		}
	}
	for _, name := range names {
		for i := range metricModules {
			mod := &metricModules[i]
			for j := range mod.metrics {
				if mod.name == name {
					metric := &mod.metrics[j]
					m.want(family{name: "haproxy_" + name + "_" + metric.name, desc: metric.desc, kind: "gauge", of: metric})
				}
			}
		}
	}
}

// moduleLines writes all lines of a metric of a module.
func (m *metrics) moduleLines(f *family) {
	for n, labels := range f.of.lines(m.config) {
		m.line(f, Field{Format: U64, Int: int64(n)}, labels[:]...)
	}
}
