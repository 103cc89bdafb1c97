package resolver

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"hapax/acl/sample"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// doResolve is the action that resolves a name into a variable. Section 4.4.
func doResolve() config.Action {
	return config.Action{
		Doc: keyword.Doc{Name: "do-resolve", Prefix: true, Ref: "4.4", Summary: "resolve a name into a variable",
			Args: []keyword.Arg{{Name: "name", Type: keyword.Sample}}},
		In:    runtime.TCPReqRules | runtime.HTTPReqRules,
		Parse: parseDoResolve,
	}
}

const doResolveUsage = "Expects 'do-resolve(<varname>,<resolvers>[,<options>]) <expr>'. Available options are 'ipv4' and 'ipv6'"

func parseDoResolve(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	wrong := fmt.Errorf("Can't parse '%s'. %s", a.Name, doResolveUsage)
	inner, opened := strings.CutPrefix(a.Name, "do-resolve(")
	inner, closed := strings.CutSuffix(inner, ")")
	parts := strings.Split(inner, ",")
	if !opened || !closed || len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return nil, wrong
	}
	var o options
	for _, option := range parts[2:] {
		switch option {
		case "ipv4", "ipv6":
			o.v4 = option == "ipv4"
		default:
			return nil, wrong
		}
	}
	first := a.Peek()
	expr, err := l.Expr(&a.Words)
	if err != nil {
		return nil, fmt.Errorf("Can't parse '%s': %w. %s", first, err, doResolveUsage)
	}
	l.CheckRule(func() error {
		if parts[1] != defaultSection && !l.Known(config.Resolvers, parts[1]) {
			return fmt.Errorf("Can't find resolvers section '%s' for do-resolve action", parts[1])
		}
		return nil
	})
	variable, err := l.Samples.Variable(parts[0])
	if err != nil {
		return nil, err
	}
	return (&wish{variable: variable, section: parts[1], o: o, expr: expr, rule: a.Rule}).exec, nil
}

// wish is what a rule wants to have resolved.
type wish struct {
	variable sample.Var
	section  string
	o        options
	expr     *sample.Expr
	rule     *runtime.Rule
}

func (w *wish) exec(s *runtime.Stream) runtime.Verdict {
	if q, ok := s.Inquiry.(*inquiry); ok && s.Held == w.rule {
		addr, done := q.result()
		if !done {
			return runtime.Wait
		}
		s.Inquiry, s.Held, s.HeldOver = nil, nil, false
		if addr.IsValid() {
			v := s.Ctx.Scratch.Borrow()
			v.SetAddr(addr)
			s.Ctx.SetVar(w.variable, v, 0)
			s.Ctx.Scratch.Return()
		}
		return runtime.Continue
	}
	sec := find(s.Config, w.section)
	v := s.Ctx.Scratch.Borrow()
	defer s.Ctx.Scratch.Return()
	if sec == nil || !w.expr.EvalAs(&s.Ctx, sample.Str, v) || !validName(string(v.Bytes)) {
		return runtime.Continue
	}
	s.Held = w.rule
	s.Inquiry = &inquiry{sec: sec, name: strings.ToLower(string(v.Bytes)), o: w.o}
	s.WaitFor = mostPatience
	return runtime.Wait
}

// mostPatience bounds the wait for an answer; rounds end by themselves long before.
const mostPatience = time.Hour

// inquiry waits for the address of one name on behalf of a stream.
type inquiry struct {
	sec  *Section
	name string
	o    options
	tell func()

	mu   sync.Mutex
	addr netip.Addr
	done bool
}

// Begin asks; tell is called when there is a result.
func (q *inquiry) Begin(tell func()) {
	q.tell = tell
	q.sec.do(func() {
		r := q.sec.find(q.name, q.sec.prefers(q.o.v4))
		fresh := r.status == valid && time.Since(r.lastEnd) < q.sec.hold["valid"]
		if fresh && !r.running {
			q.conclude(r)
			return
		}
		r.join(q)
		if !r.running {
			r.sec.sleep(r, time.Now()) // now, whenever its next round would be
		}
	})
}

func (q *inquiry) result() (netip.Addr, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.addr, q.done
}

func (q *inquiry) resolved(r *resolution, _ *nameserver) { q.leave(r) }

func (q *inquiry) failed(r *resolution) (keep bool) {
	q.leave(r)
	return false
}

// leave takes the result.
func (q *inquiry) leave(r *resolution) {
	r.leave(q)
	q.conclude(r)
}

func (q *inquiry) conclude(r *resolution) {
	q.mu.Lock()
	q.done = true
	if r.status == valid {
		if rec := r.best(&q.o, netip.Addr{}, nil); rec != nil {
			q.addr = rec.addr
		}
	}
	q.mu.Unlock()
	q.tell()
}
