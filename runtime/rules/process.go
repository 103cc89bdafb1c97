package rules

import (
	"fmt"
	"time"

	"hapax/acl/logformat"
	"hapax/acl/sample"
	"hapax/parser/ast"
	"hapax/parser/keyword"
	"hapax/runtime"
	"hapax/runtime/config"
)

// processKeywords give variables of the process their first values. Section 3.1.
func processKeywords() []config.Keyword {
	row := func(name, summary, example string, value keyword.Arg, read func(*config.Loader, *config.Words) (evaluator, error)) config.Keyword {
		return config.Keyword{
			Doc: keyword.Doc{Name: name, Ref: "3.1", Summary: summary, Args: []keyword.Arg{arg("name", keyword.Var), value},
				Examples: []keyword.Example{{Config: "global\n  " + example + "\n"}}},
			In: config.Global,
			Parse: func(l *config.Loader, line *ast.Line) {
				if err := setProcessVar(l, line, value.Doc, read); err != nil {
					l.Report(line.Pos, err)
				}
			},
		}
	}
	return []config.Keyword{
		varLimit("tune.vars.global-max-size", "all variables together", func(v *sample.VarLimits) *int64 { return &v.Global }),
		varLimit("tune.vars.proc-max-size", "the variables of the process", func(v *sample.VarLimits) *int64 { return &v.Proc }),
		varLimit("tune.vars.sess-max-size", "the variables of a session", func(v *sample.VarLimits) *int64 { return &v.Sess }),
		varLimit("tune.vars.txn-max-size", "the variables of a transaction", func(v *sample.VarLimits) *int64 { return &v.Txn }),
		varLimit("tune.vars.reqres-max-size", "the variables of a request or a response", func(v *sample.VarLimits) *int64 { return &v.ReqRes }),
		varLimit("tune.vars.check-max-size", "the variables of a health check", func(v *sample.VarLimits) *int64 { return &v.Check }),
		row("set-var", "give a variable of the process a value", "set-var proc.limit int(100)",
			keyword.Arg{Name: "expr", Type: keyword.Sample, Doc: "a sample expression"}, readProcessExpr),
		row("set-var-fmt", "give a variable of the process a text", "set-var-fmt proc.name \"%[env(HOME)]\"",
			keyword.Arg{Name: "format", Type: keyword.LogFormat, Doc: "a format string"}, readProcessFormat),
	}
}

// varLimit is a limit for the memory of variables.
func varLimit(name, what string, target func(*sample.VarLimits) *int64) config.Keyword {
	return config.Keyword{
		Doc: keyword.Doc{Name: name, Ref: "3.2", Summary: "bytes that " + what + " may take", Args: []keyword.Arg{arg("size", keyword.Int)},
			Examples: []keyword.Example{{Config: "global\n  " + name + " 100000\n"}}},
		In: config.Global,
		Parse: func(l *config.Loader, line *ast.Line) {
			n, used := sample.ReadInt(line.Arg(1))
			if used < len(line.Arg(1)) {
				l.Alert(line.Pos, "%s: '%s' is an invalid size", line.Arg(0), line.Arg(1))
				return
			}
			*target(&l.Config.VarLimits) = int64(uint32(n))
			l.Config.ProcVars.Limit(&l.Config.VarLimits)
		},
	}
}

// evaluator fills a value; false: there is none.
type evaluator func(ctx *sample.Context, v *sample.Value) bool

func setProcessVar(l *config.Loader, line *ast.Line, what string, read func(*config.Loader, *config.Words) (evaluator, error)) error {
	word, name := line.Arg(0), line.Arg(1)
	if name == "" || line.Arg(2) == "" {
		return fmt.Errorf("'%s' requires a process-wide variable name ('proc.<name>') and %s.", word, what)
	}
	v, cond, err := variable(l, word+"("+name+")", word)
	if err != nil {
		return err
	}
	l.For(sample.InConfig)
	w := config.NewWords(line, 2)
	first := len(l.Samples.Unresolved)
	value, err := read(l, &w)
	if err != nil {
		return err
	}
	if v.Scope != sample.ProcScope {
		return fmt.Errorf("'%s': cannot set variable '%s', only scope 'proc' is permitted in the global section.", word, name)
	}
	for i := range l.Samples.Unresolved[first:] {
		if err := l.Samples.Unresolved[first+i].Resolve(nowhere{}); err != nil {
			return err
		}
	}
	l.Samples.Unresolved = l.Samples.Unresolved[:first]
	setOutside(l.Config, "CFG", sample.ConfigParser, v, cond, value)
	return nil
}

// setOutside gives a variable its value outside of any connection, for which a stream stands that has none: logs call its
// frontend name.
func setOutside(cfg *runtime.Config, name string, at sample.Checkpoint, to sample.Var, cond sample.SetCond, value evaluator) {
	now, px := time.Now(), &runtime.Proxy{Name: name}
	s := &runtime.Stream{ID: 1, Config: cfg, Session: &runtime.Session{Front: px}, Front: px, Back: px}
	s.End = runtime.Termination{Cause: runtime.EndProxy, State: runtime.InRequest}
	s.Time.AcceptWall = now.UnixMicro()
	s.Ctx = sample.Context{Checkpoint: at, Final: true, Now: now, Scratch: sample.NewScratch(cfg.Global.Tune.BufSize), Owner: s}
	s.Ctx.Vars[sample.ProcScope] = cfg.ProcVars
	var result sample.Value
	if value(&s.Ctx, &result) {
		cfg.ProcVars.Set(to.ID, &result, cond)
	}
}

func readProcessExpr(l *config.Loader, w *config.Words) (evaluator, error) {
	return readExprAt(l, w, w.Line.Arg(1), sample.ConfigParser)
}

func readProcessFormat(l *config.Loader, w *config.Words) (evaluator, error) {
	return readFormatAt(l, w, sample.ConfigParser)
}

// readExprAt reads the value of the variable of that name.
func readExprAt(l *config.Loader, w *config.Words, name string, at sample.Checkpoint) (evaluator, error) {
	e, err := l.Expr(w)
	if err != nil {
		return nil, err
	}
	if e.ValidAt()&at == 0 {
		return nil, unavailable("set-var("+name+")", e)
	}
	return e.Eval, nil
}

func readFormatAt(l *config.Loader, w *config.Words, at sample.Checkpoint) (evaluator, error) {
	f, err := l.Format(w.Take(), logformat.Flags(0), at)
	if err != nil {
		return nil, err
	}
	return func(ctx *sample.Context, v *sample.Value) bool {
		v.SetStr(f.Append(nil, ctx))
		return true
	}, nil
}

// nowhere is the directory of the global section, where no proxy is known yet.
type nowhere struct{}

func (nowhere) Name() string                 { return "CFG" }
func (nowhere) Defaults() bool               { return false }
func (nowhere) Listens() bool                { return false }
func (nowhere) Balances() bool               { return false }
func (nowhere) Self() any                    { return nil }
func (nowhere) Frontend(string) any          { return nil }
func (nowhere) Backend(string) any           { return nil }
func (nowhere) Server(any, string) any       { return nil }
func (nowhere) Table(string) (any, bool)     { return nil, false }
func (nowhere) Userlist(string) any          { return nil }
func (nowhere) Identifier(*sample.Arg) error { return nil }
