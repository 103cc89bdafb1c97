package filter

import (
	"errors"
	"fmt"
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/parser/units"
	"hapax/runtime"
	"hapax/runtime/config"
	"hapax/runtime/sticktable"
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
	f := Filter{Kind: Bandwidth, Word: word, Name: name, receive: word == "bwlim-in"}
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
	limit         uint32
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
		f.key, err = l.Expr(r.w)
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
		var n uint32
		err = r.size(option, &n)
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
	f.shared = r.shared
	what := ""
	switch {
	case r.shared && f.key == nil:
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
	if !f.shared {
		return
	}
	name := f.table
	if name == "" {
		name = px.Name
	}
	t, ok := l.Table(name).(*sticktable.Table)
	data := "bytes_out_rate"
	if f.receive {
		data = "bytes_in_rate"
	}
	switch {
	case !ok:
		l.List.Alertf(px.Pos, "Proxy %s : unable to find table '%s' referenced by bwlim filter '%s'", px.Name, name, f.Name)
	case !t.Stores(data):
		l.List.Alertf(px.Pos, "Proxy %s : stick-table '%s' uses a data type incompatible with bwlim filter '%s'. It must be '%s'", px.Name, name, f.Name, data)
	case !t.Accepts(f.key):
		l.List.Alertf(px.Pos, "Proxy %s : stick-table '%s' uses a key type incompatible with bwlim filter '%s'", px.Name, name, f.Name)
	}
}

// setBandwidthLimit is the action that puts a limit on the stream.
func setBandwidthLimit() config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: "set-bandwidth-limit", Ref: "4.4", Summary: "limit the bytes per second of the stream", Status: keyword.Missing,
			Args: []keyword.Arg{{Name: "filter", Type: keyword.Name}, {Name: "limit", Type: keyword.Opaque, Joined: true, Opt: true, Doc: "a size or an expression"},
				{Name: "period", Type: keyword.Opaque, Joined: true, Opt: true, Doc: "a time or an expression"}}},
		In: runtime.TCPReqRules | runtime.TCPResRules | runtime.HTTPReqRules | runtime.HTTPResRules,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			name := a.Take()
			if name == "" {
				return nil, errors.New("missing bwlim filter name")
			}
			var limit, period *sample.Expr
			var limited, timed bool
			for {
				switch word := a.Peek(); word {
				case "limit":
					a.Take()
					limited = true
					if _, _, ok := units.Size(a.Peek()); ok {
						a.Take()
						continue
					}
					e, err := l.Expr(&a.Words)
					if err != nil {
						return nil, fmt.Errorf("'limit': invalid size value or unknown fetch method '%s'", a.Peek())
					}
					limit = e
				case "period":
					a.Take()
					timed = true
					if _, _, fault := units.Time(a.Peek(), time.Millisecond); fault == nil {
						a.Take()
						continue
					}
					e, err := l.Expr(&a.Words)
					if err != nil {
						return nil, fmt.Errorf("'period': invalid time value or unknown fetch method '%s'", a.Peek())
					}
					period = e
				default:
					px, at := a.Proxy, a.At
					l.CheckRule(func() error { return checkLimit(px, name, at, limit, period, limited, timed) })
					return nil, nil
				}
			}
		},
	}
}

func checkLimit(px *runtime.Proxy, name string, at sample.Checkpoint, limit, period *sample.Expr, limited, timed bool) error {
	var found *Filter
	all := Of(px)
	for i := range all {
		if all[i].Kind == Bandwidth && all[i].Name == name {
			found = &all[i]
		}
	}
	switch {
	case found == nil:
		return fmt.Errorf("unable to find bwlim filter '%s' referenced by set-bandwidth-limit rule", name)
	case found.shared && limited:
		return errors.New("set-bandwidth-limit rule cannot define a limit for a shared bwlim filter")
	case found.shared && timed:
		return errors.New("set-bandwidth-limit rule cannot define a period for a shared bwlim filter")
	case limit != nil && limit.ValidAt()&at == 0:
		return fmt.Errorf("set-bandwidth-limit rule uses a limit extracting information from '%s', none of which is available here", limit.From())
	case period != nil && period.ValidAt()&at == 0:
		return fmt.Errorf("set-bandwidth-limit rule uses a period extracting information from '%s', none of which is available here", period.From())
	case found.key != nil && found.key.ValidAt()&at == 0:
		return fmt.Errorf("bwlim filter '%s uses a key extracting information from '%s', none of which is available here", name, found.key.From())
	}
	return nil
}
