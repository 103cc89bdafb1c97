package filter

import (
	"fmt"
	"time"

	"hapax/acl/sample"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/sticktable"
	"hapax/runtime/sticktable/table"
)

// bandwidth reads a limit of the bytes per second: of each stream for itself, or of all
// that share a key. Section 9.7 of the manual.
func bandwidth(l *config.Loader, w *config.Words, word string) error {
	name := w.Take()
	if name == "" {
		return fmt.Errorf("'%s' : a name is expected as first argument ", word)
	}
	for _, f := range Of(l.Proxy) {
		if f.Kind == Bandwidth && f.Name == name {
			return fmt.Errorf("bwlim filter '%s' already declared for proxy '%s'\n", name, l.Proxy.Name)
		}
	}
	f := Filter{Kind: Bandwidth, Word: word, Name: name}
	r := limitReader{w: w, word: word}
	for {
		option := w.Peek()
		known, err := r.option(l, option, &f)
		if err != nil {
			return err
		}
		if !known {
			break
		}
	}
	if err := r.complete(&f); err != nil {
		return err
	}
	Add(l, l.Proxy, f)
	return nil
}

// limitReader reads the options of a limit.
type limitReader struct {
	w             *config.Words
	word          string
	shared, alone bool // which of the two sorts of options were seen
	limit, least  uint32
	key           *sample.Expr
	period        time.Duration
}

func (r *limitReader) option(l *config.Loader, option string, f *Filter) (known bool, err error) {
	missing := "value"
	switch option {
	case "key", "table", "limit":
		if r.alone {
			return true, fmt.Errorf("'%s' : cannot mix per-stream and shared parameter", r.word)
		}
		if option == "key" {
			missing = "sample expression"
		} else if option == "table" {
			missing = "table name"
		}
	case "default-period", "default-limit":
		if r.shared {
			return true, fmt.Errorf("'%s' : cannot mix per-stream and shared parameter", r.word)
		}
	case "min-size":
	default:
		return false, nil
	}
	r.w.Take()
	if r.w.Done() {
		return true, fmt.Errorf("'%s' : the %s is missing for '%s' option", r.word, missing, option)
	}
	switch option {
	case "key":
		r.shared = true
		r.key, err = l.Expr(r.w)
	case "table":
		r.shared = true
		f.table = r.w.Take()
	case "limit":
		r.shared = true
		err = r.size(option, &r.limit)
	case "default-limit":
		r.alone = true
		err = r.size(option, &r.limit)
	case "min-size":
		err = r.size(option, &r.least)
	case "default-period":
		r.alone = true
		d, fault := l.Time(r.w.Take(), time.Millisecond)
		r.period = d
		if fault != nil {
			err = fmt.Errorf("'%s' : invalid value for option '%s' (unexpected character '%c')", r.word, option, fault.Char)
		}
	}
	return true, err
}

func (r *limitReader) size(option string, n *uint32) error {
	value, bad, ok := units.Size(r.w.Take())
	if !ok {
		c := "\x00"
		if bad != "" {
			c = bad[:1]
		}
		return fmt.Errorf("'%s' : invalid value for option '%s' (unexpected character '%s')", r.word, option, c)
	}
	*n = value
	return nil
}

func (r *limitReader) complete(f *Filter) error {
	f.limit = &limit{side: runtime.Download, most: r.limit, period: uint32(r.period / time.Millisecond), least: r.least, key: r.key, data: table.BytesOutRate}
	if r.word == "bwlim-in" {
		f.limit.side, f.limit.data = runtime.Upload, table.BytesInRate
	}
	what := ""
	switch {
	case r.shared && r.key == nil:
		what = "key"
	case r.shared && r.limit == 0:
		what = "limit"
	case !r.shared && r.period == 0:
		what = "default-period"
	case !r.shared && r.limit == 0:
		what = "default-limit"
	default:
		return nil
	}
	return fmt.Errorf("'%s' : <%s> option is missing", r.word, what)
}

// checkTable looks at the stick table that a shared limit counts in.
func (f *Filter) checkTable(l *config.Loader, px *runtime.Proxy) {
	of := f.limit
	if of.key == nil {
		return
	}
	name := f.table
	if name == "" {
		name = px.Name
	}
	of.table = l.Table(name)
	switch {
	case of.table == nil:
		l.List.Alertf(px.Pos, "Proxy %s : unable to find table '%s' referenced by bwlim filter '%s'", px.Name, name, f.Name)
	case !of.table.Stores(of.data):
		l.List.Alertf(px.Pos, "Proxy %s : stick-table '%s' uses a data type incompatible with bwlim filter '%s'. It must be '%s'", px.Name, name, f.Name, of.data)
	case !sticktable.Accepts(of.table, of.key):
		l.List.Alertf(px.Pos, "Proxy %s : stick-table '%s' uses a key type incompatible with bwlim filter '%s'", px.Name, name, f.Name)
	}
}
