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

// setBandwidthLimit is the action that puts a limit on the stream.
func setBandwidthLimit() config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: "set-bandwidth-limit", Ref: "4.4", Summary: "limit the bytes per second of the stream",
			Args: []keyword.Arg{{Name: "filter", Type: keyword.Name}, {Name: "limit", Type: keyword.Opaque, Joined: true, Opt: true, Doc: "a size or an expression"},
				{Name: "period", Type: keyword.Opaque, Joined: true, Opt: true, Doc: "a time or an expression"}},
			Examples: []keyword.Example{{Config: "listen l\n  mode http\n  bind 127.0.0.1:65500\n  filter bwlim-out slow default-limit 1m default-period 1s\n" +
				"  http-response set-bandwidth-limit slow limit 625k period 1s\n  server s 127.0.0.1:1\n"}}},
		In: runtime.TCPReqRules | runtime.TCPResRules | runtime.HTTPReqRules | runtime.HTTPResRules,
		Parse: func(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
			r := limitRule{kind: a.Kind, px: a.Proxy, at: a.At, name: a.Take()}
			if r.name == "" {
				return nil, errors.New("missing bwlim filter name")
			}
			if err := r.read(l, a); err != nil {
				return nil, err
			}
			l.CheckRule(func() error { return r.check(l) })
			return r.run, nil
		},
	}
}

// limitRule is one such rule.
type limitRule struct {
	kind          runtime.RulesetKind
	px            *runtime.Proxy
	at            sample.Checkpoint
	name          string
	limit, period number
	of            *limit
}

// number is a constant or an expression.
type number struct {
	given bool
	value uint32
	expr  *sample.Expr
}

// of gives the number, or instead when there is none above 0.
func (n *number) of(s *runtime.Stream, instead uint32) uint32 {
	value := n.value
	if n.expr != nil {
		var v sample.Value
		if n.expr.EvalAs(&s.Ctx, sample.Int, &v) && v.Int > 0 {
			value = uint32(v.Int)
		}
	}
	if value == 0 {
		return instead
	}
	return value
}

func (r *limitRule) read(l *config.Loader, a *config.ActionLine) error {
	for {
		var n *number
		var kind string
		switch a.Peek() {
		case "limit":
			n, kind = &r.limit, "size"
		case "period":
			n, kind = &r.period, "time"
		default:
			return nil
		}
		option := a.Take()
		*n = number{given: true}
		if kind == "size" {
			if v, _, ok := units.Size(a.Peek()); ok {
				a.Take()
				n.value = v
				continue
			}
		} else if d, _, fault := units.Time(a.Peek(), time.Millisecond); fault == nil {
			a.Take()
			n.value = uint32(d / time.Millisecond)
			continue
		}
		e, err := l.Expr(&a.Words)
		if err != nil {
			return fmt.Errorf("'%s': invalid %s value or unknown fetch method '%s'", option, kind, a.Peek())
		}
		n.expr = e
	}
}

func (r *limitRule) check(l *config.Loader) error {
	found := r.find()
	switch {
	case found == nil:
		return fmt.Errorf("unable to find bwlim filter '%s' referenced by set-bandwidth-limit rule", r.name)
	case found.limit.key != nil && (r.limit.expr != nil || r.limit.value != 0):
		return errors.New("set-bandwidth-limit rule cannot define a limit for a shared bwlim filter")
	case found.limit.key != nil && (r.period.expr != nil || r.period.value != 0):
		return errors.New("set-bandwidth-limit rule cannot define a period for a shared bwlim filter")
	}
	if e := r.limit.expr; e != nil {
		if e.ValidAt()&r.at == 0 {
			return fmt.Errorf("set-bandwidth-limit rule uses a limit extracting information from '%s', none of which is available here", e.From())
		}
		r.warn(l, e)
	}
	if e := r.period.expr; e != nil {
		if e.ValidAt()&r.at == 0 {
			return fmt.Errorf("set-bandwidth-limit rule uses a period extracting information from '%s', none of which is available here", e.From())
		}
		r.warn(l, e)
	}
	if e := found.limit.key; e != nil {
		if e.ValidAt()&r.at == 0 {
			return fmt.Errorf("bwlim filter '%s uses a key extracting information from '%s', none of which is available here", r.name, e.From())
		}
		r.warn(l, e)
	}
	r.of = found.limit
	return nil
}

// find gives the filter of the rule's name. As on the reference, without one the last filter of the proxy takes its
// place if it limits the bandwidth.
func (r *limitRule) find() *Filter {
	all := Of(r.px)
	for i := range all {
		if all[i].Kind == Bandwidth && all[i].Name == r.name {
			return &all[i]
		}
	}
	if n := len(all); n > 0 && all[n-1].Kind == Bandwidth {
		return &all[n-1]
	}
	return nil
}

// warn tells of content that may not be there yet.
func (r *limitRule) warn(l *config.Loader, e *sample.Expr) {
	const text = "%s '%s' : a 'tcp-%s content set-bandwidth-limit*' rule explicitly depending on %s contents without any 'tcp-%s inspect-delay' setting." +
		" This means that this rule will randomly find its contents. This can be fixed by setting the tcp-%s inspect-delay."
	px, side := r.px, ""
	switch {
	case r.kind == runtime.TCPReqRules && px.Caps&runtime.CapFront != 0 && px.InspectReq == 0 && e.ValidAt()&sample.FrontSession == 0:
		side = "request"
	case r.kind == runtime.TCPResRules && px.Caps&runtime.CapBack != 0 && px.InspectRes == 0 && e.ValidAt()&sample.ServerConnect == 0:
		side = "response"
	default:
		return
	}
	l.List.Warnf(px.Pos, text, px.Kind, px.Name, side, side, side, side)
}

// run puts the limit on the stream. One that "filter-sequence" leaves out, and a shared one without a key, leave it alone.
func (r *limitRule) run(s *runtime.Stream) runtime.Verdict {
	if !r.of.runs {
		return runtime.Continue
	}
	if r.of.key == nil {
		t := throttleOf(s, r.of, r.px)
		t.most, t.period = r.limit.of(s, r.of.most), r.period.of(s, r.of.period)
		return runtime.Continue
	}
	if entry, ok := sticktable.Hold(&s.Ctx, r.of.key, r.of.table); ok {
		t := throttleOf(s, r.of, r.px)
		t.Leave()
		t.entry, t.most, t.period = entry, r.of.most, r.of.table.Period(r.of.data)
	}
	return runtime.Continue
}
