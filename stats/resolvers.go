package stats

import (
	"strconv"

	"hapax/runtime"
	"hapax/runtime/resolver"
)

// resolverColumns are the counters of a name server behind its name and that of its section, with what they are.
var resolverColumns = []struct{ name, desc string }{
	{"sent", "Sent"}, {"send_error", "Send error"}, {"valid", "Valid"}, {"update", "Update"}, {"cname", "CNAME"},
	{"cname_error", "CNAME error"}, {"any_err", "Any errors"}, {"nx", "NX"}, {"timeout", "Timeout"}, {"refused", "Refused"},
	{"other", "Other"}, {"invalid", "Invalid"}, {"too_big", "Too big"}, {"truncated", "Truncated"}, {"outdated", "Outdated"},
}

// AppendResolvers writes the counters of all name servers. Section 9.3 of the management guide, "show stat domain resolvers".
func AppendResolvers(b []byte, cfg *runtime.Config, style Style, desc bool) []byte {
	switch style {
	case CSV:
		b = append(b, "# id,pid,"...)
		for _, c := range resolverColumns {
			b = append(append(b, c.name...), ',')
		}
		b = append(b, '\n')
	case JSON:
		b = append(b, '[')
	}
	some := false
	for row := range resolver.All(cfg) {
		if some && style == JSON {
			b = append(b, ',')
		}
		some = true
		b = appendResolver(b, row, style, desc)
	}
	if style == JSON {
		b = append(b, "]\n"...)
	}
	return b
}

func appendResolver(b []byte, row resolver.Row, style Style, desc bool) []byte {
	config := Tags{Config, Gauge, Process}
	if style == JSON {
		b = append(b, '[')
	}
	b = appendResolverField(b, 0, "id", "ID", text(config, row.Name), style, desc)
	b = appendResolverField(b, 1, "pid", "Parent ID", text(config, row.Section), style, desc)
	for i, n := range row.Counters {
		c := resolverColumns[i]
		b = appendResolverField(b, i+2, c.name, c.desc, u64(Tags{Metric, Gauge, Process}, n), style, desc)
	}
	switch style {
	case JSON:
		return append(b, ']')
	case CSV:
		return append(b, '\n')
	}
	return b
}

func appendResolverField(b []byte, pos int, name, what string, f Field, style Style, desc bool) []byte {
	switch style {
	case CSV:
		return append(f.appendCSV(b), ',')
	case JSON:
		if pos > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"field":{"pos":`...), int64(pos), 10)
		b = append(append(append(b, `,"name":"`...), name...), `"},`...)
		return f.appendTagged(b)
	}
	b = strconv.AppendInt(append(b, "N."...), int64(pos), 10)
	b = append(append(append(b, '.'), name...), ':')
	return appendDesc(f.appendTyped(b, false), what, desc)
}
