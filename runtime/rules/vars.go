package rules

import (
	"errors"
	"fmt"
	"strings"

	"hapax/acl/sample"
	"hapax/runtime"
	"hapax/runtime/config"
)

// variable reads what stands between the parentheses of "set-var(name,condition,...)".
func variable(l *config.Loader, action, keyword string) (v sample.Var, cond sample.SetCond, err error) {
	const expects = "Expects 'set-var(<var-name>)', 'set-var-fmt(<var-name>)' or 'unset-var(<var-name>)'"
	list, ok := strings.CutPrefix(strings.TrimPrefix(action, keyword), "(")
	if !ok {
		return v, 0, fmt.Errorf("invalid or incomplete action '%s'. %s", action, expects)
	}
	if list, ok = strings.CutSuffix(list, ")"); !ok {
		return v, 0, fmt.Errorf("incomplete argument after action '%s'. %s", action, expects)
	}
	name, conditions, _ := strings.Cut(list, ",")
	if conditions != "" && keyword == "unset-var" {
		return v, 0, errors.New("unset-var does not expect parameters after the variable name. Only \"set-var\" and \"set-var-fmt\" manage conditions")
	}
	for conditions != "" {
		var word string
		if word, conditions, _ = strings.Cut(conditions, ","); word == "" {
			break
		}
		c, err := sample.ParseSetCond(word)
		if err != nil {
			return v, 0, err
		}
		cond |= c
	}
	v, err = l.Samples.Variable(name)
	return v, cond, err
}

// parseSetVar reads `set-var(<name>[,<condition>...]) <expression>`.
func parseSetVar(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	name, cond, err := variable(l, a.Name, "set-var")
	if err != nil {
		return nil, err
	}
	e, err := l.Expr(&a.Words)
	if err != nil {
		return nil, err
	}
	if e.ValidAt()&a.At == 0 {
		return nil, unavailable(a.Name, e)
	}
	return func(s *runtime.Stream) runtime.Verdict {
		ctx := &s.Ctx
		v, final := ctx.Scratch.Borrow(), ctx.Final
		ctx.Final = true
		if e.Eval(ctx, v) {
			ctx.SetVar(name, v, cond)
		}
		ctx.Final = final
		ctx.Scratch.Return()
		return runtime.Continue
	}, nil
}

// parseSetVarFmt reads `set-var-fmt(<name>[,<condition>...]) <format>`.
func parseSetVarFmt(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	name, cond, err := variable(l, a.Name, "set-var-fmt")
	if err != nil {
		return nil, err
	}
	value, err := readText(l, a, a.Take(), 0)
	if err != nil {
		return nil, err
	}
	return func(s *runtime.Stream) runtime.Verdict {
		v := s.Ctx.Scratch.Borrow()
		v.SetStr(value.bytes(s))
		s.Ctx.SetVar(name, v, cond)
		s.Ctx.Scratch.Return()
		return runtime.Continue
	}, nil
}

// parseUnsetVar reads `unset-var(<name>)`.
func parseUnsetVar(l *config.Loader, a *config.ActionLine) (runtime.Exec, error) {
	name, _, err := variable(l, a.Name, "unset-var")
	if err != nil {
		return nil, err
	}
	return func(s *runtime.Stream) runtime.Verdict {
		s.Ctx.UnsetVar(name)
		return runtime.Continue
	}, nil
}
