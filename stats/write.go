package stats

import (
	"bytes"
	"strconv"
)

// Style is how statistics are written.
type Style uint8

const (
	CSV   Style = iota // a line of comma-separated fields; info: "name: value"
	Typed              // a line per field with its tags and type
	JSON
)

// Dump writes the statistics of proxies line by line.
type Dump struct {
	Scan  Scan
	Style Style
	Desc  bool // typed: with descriptions

	head, tail, some bool
	row              Row
}

// Next appends the next line and tells whether it was the last.
func (d *Dump) Next(b []byte) (out []byte, done bool) {
	if !d.head {
		d.head = true
		switch d.Style {
		case CSV:
			return csvHeader(b), false
		case JSON:
			return append(b, '['), false
		}
	}
	if !d.Scan.Next(&d.row) {
		if d.Style == JSON {
			b = append(b, "]\n"...)
		}
		return b, true
	}
	switch d.Style {
	case CSV:
		b = appendCSV(b, &d.row)
	case Typed:
		b = appendTyped(b, &d.row, d.Desc)
	case JSON:
		if d.some {
			b = append(b, ',')
		}
		d.some = true
		b = appendJSON(b, &d.row)
	}
	return b, false
}

func csvHeader(b []byte) []byte {
	b = append(b, "# "...)
	for i := range allColumns {
		b = append(append(b, allColumns[i].Name...), ',')
		if i+1 == fixed {
			b = append(b, "-,"...)
		}
	}
	return append(b, '\n')
}

func appendCSV(b []byte, r *Row) []byte {
	for i := range allColumns {
		f := allColumns[i].Value(r)
		b = append(f.appendCSV(b), ',')
		if i+1 == fixed {
			b = append(b, "-,"...)
		}
	}
	return append(b, '\n')
}

// appendCSV writes the value so that it is one field of one line: line feeds become spaces, and what has reserved
// characters is quoted.
func (f *Field) appendCSV(b []byte) []byte {
	if f.Format != Str {
		return f.append(b)
	}
	quote := bytes.ContainsAny([]byte(f.Str), "\n\r,\"")
	if quote {
		b = append(b, '"')
	}
	start := len(b)
	for i := 0; i < len(f.Str); i++ {
		switch c := f.Str[i]; c {
		case '\n':
			b = append(b, ' ')
		case '\r':
		case '"':
			b = append(b, '"', '"')
		default:
			b = append(b, c)
		}
	}
	b = append(b[:start], bytes.TrimRight(b[start:], " ")...)
	if quote {
		b = append(b, '"')
	}
	return b
}

var typeLetters = map[Objects]byte{Frontend: 'F', Backend: 'B', Server: 'S', Listener: 'L'}

func appendTyped(b []byte, r *Row, desc bool) []byte {
	id := colSid(r)
	for i := range allColumns {
		c := &allColumns[i]
		f := c.Value(r)
		if f.Format == Empty {
			continue
		}
		b = append(b, typeLetters[r.On], '.')
		b = append(strconv.AppendInt(b, int64(r.Proxy.ID), 10), '.')
		b = append(id.append(b), '.')
		b = append(strconv.AppendInt(b, int64(i), 10), '.')
		b = append(append(b, c.Name...), ".1:"...)
		b = f.appendTyped(b, c.Shared)
		b = appendDesc(b, c.Desc, desc)
	}
	return b
}

// appendTyped writes tags, type and value.
func (f *Field) appendTyped(b []byte, persistent bool) []byte {
	b = append(b, byte(f.Tags.Origin), byte(f.Tags.Nature), byte(f.Tags.Scope))
	if persistent {
		b = append(b, 'P')
	} else {
		b = append(b, 'V')
	}
	b = append(append(append(b, ':'), formatNames[f.Format]...), ':')
	return f.append(b)
}

func appendDesc(b []byte, desc string, wanted bool) []byte {
	if wanted {
		b = append(append(append(b, `:"`...), desc...), '"')
	}
	return append(b, '\n')
}

var (
	typeNames   = map[Objects]string{Frontend: "Frontend", Backend: "Backend", Server: "Server", Listener: "Listener"}
	originNames = map[Origin]string{Metric: "Metric", Status: "Status", Key: "Key", Config: "Config", Product: "Product"}
	natureNames = map[Nature]string{Gauge: "Gauge", Limit: "Limit", Max: "Max", Rate: "Rate", Counter: "Counter",
		Duration: "Duration", Age: "Age", Name: "Name", Output: "Output", Average: "Avg"}
	scopeNames = map[Scope]string{Process: "Process", Service: "Service"}
)

func appendJSON(b []byte, r *Row) []byte {
	id := colSid(r)
	b = append(b, '[')
	some := false
	for i := range allColumns {
		c := &allColumns[i]
		f := c.Value(r)
		if f.Format == Empty {
			continue
		}
		if some {
			b = append(b, ',')
		}
		some = true
		b = append(append(b, `{"objType":"`...), typeNames[r.On]...)
		b = strconv.AppendInt(append(b, `","proxyId":`...), int64(r.Proxy.ID), 10)
		b = id.append(append(b, `,"id":`...))
		b = f.appendJSON(append(b, ','), i, c.Name)
	}
	return append(b, ']')
}

// appendJSON writes the place, tags and value of a field, and the brace that ends its object.
func (f *Field) appendJSON(b []byte, pos int, name string) []byte {
	b = strconv.AppendInt(append(b, `"field":{"pos":`...), int64(pos), 10)
	b = append(append(append(b, `,"name":"`...), name...), `"},"processNum":1,`...)
	return f.appendTagged(b)
}

// appendTagged writes tags and value, and the brace that ends the object.
func (f *Field) appendTagged(b []byte) []byte {
	b = append(append(append(b, `"tags":{"origin":"`...), originNames[f.Tags.Origin]...), `","nature":"`...)
	b = append(append(b, natureNames[f.Tags.Nature]...), `","scope":"`...)
	b = append(append(b, scopeNames[f.Tags.Scope]...), `"},"value":{"type":"`...)
	b = append(append(b, formatNames[f.Format]...), `","value":`...)
	if f.Format == Str {
		b = appendQuoted(b, f.Str)
	} else {
		b = f.append(b)
	}
	return append(b, "}}"...)
}

// appendQuoted writes a JSON string; names and texts come from the configuration and from servers.
func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
